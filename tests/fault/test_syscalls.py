"""The kernel says no, or the process is killed, at one system call after the other of whoever writes: strace injects it, as an
ordinary user. A scripted client outside, the gateway inside: of no answer has a byte been received that is not on record, the
log is sound, and the next start goes on with it."""
# ctest: release timeout=900
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest

from harness.client import Client, OFFICER, POLICE, wait_until
from harness.gateway import BIN, Gateway, SANITIZED
from harness.origin import Origin, answer
from test_nth import Heard, PEOPLE, judge

SECONDS = int(os.environ.get("GATE1367_FAULT_SECONDS", "8"))
NOBODY = 65534
# A confined process may not make the call that strace puts in place of one that it makes fail, but it may ask who it is.
FAILURES = {"EIO": "error=EIO:syscall=getpid", "ENOSPC": "error=ENOSPC:syscall=getpid", "short": "retval=512:syscall=getpid",
            "killed": "signal=KILL"}
SHORT = ("pwrite64", "write")

pytestmark = pytest.mark.skipif(SANITIZED or shutil.which("strace") is None, reason="needs strace, and no sanitizers")


@pytest.fixture(scope="module")
def people():
    with Origin(lambda r: answer(PEOPLE)) as origin:
        yield origin


@pytest.fixture
def place():
    """Where an ordinary user can go, too."""
    made = tempfile.mkdtemp(prefix="gate1367-syscalls-")
    yield made
    shutil.rmtree(made)


class Traced(Gateway):
    """Under strace, as nobody where the test itself is root."""
    inject = None

    def start(self, wait=True, timeout=20):
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        traced = ["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={self.inject.split(':')[0]}", "-e",
                  f"inject={self.inject}"] if self.inject else []
        self.log = open(self.dir / "stderr.log", "ab")
        self.before = len(self.stderr())
        self.process = subprocess.Popen([*traced, BIN, "serve", "-c", "gate.json"], cwd=self.dir, stderr=self.log,
                                        stdout=self.log, **user)
        assert wait_until(lambda: "\nready: " in self.stderr()[self.before - 1 if self.before else 0:] or self.ready() or
                          self.process.poll() is not None)
        return self.ready()

    def ready(self):
        found = re.findall(r"^ready: https://127\.0\.0\.1:(\d+).* admin http://127\.0\.0\.1:(\d+)", self.stderr()[self.before:], re.M)
        if found:
            self.port, self.admin_port = (int(x) for x in found[-1])
        return bool(found)

    def end(self):
        """strace hands SIGTERM on to nobody: the supervisor is its child."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        for pid in children if self.inject else [self.process.pid]:
            os.kill(int(pid), 15)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in [*children, self.process.pid]:
                os.kill(int(pid), 9)
            raise AssertionError(f"{self.inject}: does not end\n{self.stderr()}")
        self.log.close()
        self.process = None
        return code


def make(people, place):
    gw = Traced(os.path.join(place, "gw"), people.url, protected=["A012345678"], start=False)
    tls = gw.config["listen"][0]["tls"]
    for name in ("certificate", "key", "client_ca"):
        tls[name] = shutil.copy(tls[name], gw.dir)
    gw.write_config()
    if os.geteuid() == 0:
        os.chmod(place, 0o755)
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", gw.dir], check=True)
    return gw


def script(gw):
    """Restricted and entitled, one after the other; what a client saw of each, as far as it came."""
    heard = []
    for who in (POLICE, OFFICER) * 4:
        try:
            heard.append(Heard(gw.port, who))
        except OSError:
            pass  # nobody listens any more
    return heard


def judge_record(gw, heard, where):
    listed = {e["request"]: e for e in gw.entries() if e["event"] in ("disclosure", "refusal")}
    released = 0
    for h in heard:
        judge(h, where)
        if not h.raw or h.raw.startswith(b"HTTP/1.1 502"):
            continue
        named = re.search(rb"Request-Id: ([0-9a-f-]{36})\r\n", h.raw)
        assert named or b"\r\n\r\n" not in h.raw, (where, h.raw)
        entry = listed.get(named.group(1).decode()) if named else None
        assert not named or entry is not None, (where, "received, and not on record", h.raw)
        released += 1
    return released


def verify(gw, where):
    said = gw.command("log", "verify", "--directory", "ledger", "--verifier", gw.vkey)
    assert said.returncode == 0, (where, said.stdout, said.stderr)


def one_life(gw, call, failure, n):
    """True when the fault was met."""
    gw.inject = f"{call}:{FAILURES[failure]}:when={n}"
    (gw.dir / "stderr.log").unlink(missing_ok=True)
    heard = script(gw) if gw.start() else []
    code = gw.end() if gw.process else None
    verify(gw, gw.inject)
    released = judge_record(gw, heard, gw.inject)
    text = gw.stderr()
    assert "assertion" not in text.lower(), (gw.inject, text)
    met = code != 0 or '"child_ended"' in text
    # A failed write is final: nothing is released after it. It may have been that of the last answer's completion.
    if failure != "killed" and '"ledger_failed"' in text:
        refused = [h.raw.startswith(b"HTTP/1.1 502") for h in heard]
        assert code == 74 and refused == sorted(refused), (gw.inject, code, refused)
    return met, released


def healed(gw, where):
    gw.inject = None
    (gw.dir / "stderr.log").unlink(missing_ok=True)
    assert gw.start(), (where, gw.stderr())
    assert Heard(gw.port, POLICE).got.status == 200, (where, gw.stderr())
    assert gw.end() == 0
    verify(gw, where)


# Who writes: the scribe frames, tips and segments. The strides are primes, so that repeated runs of other lengths differ.
WRITING = [("pwrite64", 3), ("fsync", 2), ("fdatasync", 1), ("rename", 1), ("openat", 41), ("unlink", 1), ("fallocate", 1)]


def cases():
    for call, stride in WRITING:
        for failure in FAILURES:
            if failure != "short" or call in SHORT:
                yield call, failure, stride


# While it serves: these are walked however short the time is.
FIRST = [("pwrite64", "EIO", 5), ("pwrite64", "ENOSPC", 7), ("pwrite64", "short", 6), ("pwrite64", "killed", 6), ("openat", "EIO", 60),
         ("fsync", "killed", 2), ("rename", "killed", 1)]


#= ICE10036.2 4.6
def test_every_call_of_the_writer(people, place):
    """First what is met while answers leave; then each call and failure has its share of the time, from the first n on until
    it is met no more."""
    gw = make(people, place)
    todo = list(cases())
    end, lives, met, released = time.monotonic() + SECONDS, 0, 0, 0
    turns = FIRST + [(call, failure, 1 + i * stride) for i in range(200) for call, failure, stride in todo]
    passed = set()
    for call, failure, n in turns:
        if (call, failure) in passed or (time.monotonic() > end and lives >= len(FIRST)):
            continue
        thrown, seen = one_life(gw, call, failure, n)
        lives, met, released = lives + 1, met + thrown, released + seen
        if not thrown and lives > len(FIRST):
            passed.add((call, failure))
        if os.environ.get("GATE1367_FAULT_SECONDS"):
            print(f"{gw.inject}: {'met' if thrown else 'not met'}, {seen} released")
        if lives % 10 == 0:
            healed(gw, f"after {gw.inject}")
    healed(gw, "in the end")
    print(f"{lives} lives under strace, {met} met the fault, {released} answers released, all of them on record")
    assert met >= 3 and released > 20
