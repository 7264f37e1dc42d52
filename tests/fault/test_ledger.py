"""The ledger under crashes and a bad disk: what a client received the first byte of is on record, without exception."""
# ctest: timeout=1500
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness.changes import protect
from harness.client import Client, OFFICER, POLICE, wait_until
from harness.gateway import FEW, Gateway, PATIENCE, SANITIZED, is_running
from harness.origin import Origin, answer
from test_nth import Switch

PEOPLE = {"total": 2, "items": [{"personId": 1, "aNumber": "A011111111"}, {"personId": 2, "aNumber": "A012345678"}]}
ROUNDS = 10 if SANITIZED else 30
REFUSAL = b'{"type":"about:blank","title":"Bad Gateway","status":502}'


@pytest.fixture(scope="module")
def people():
    with Origin(lambda r: answer(PEOPLE)) as origin:
        yield origin


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch):
    """A test that failed leaves no gateway behind."""
    made, start = [], Gateway.start
    monkeypatch.setattr(Gateway, "start", lambda gw, *a, **k: (made.append(gw), start(gw, *a, **k))[1])
    yield
    for gw in made:
        if gw.process is not None and gw.process.poll() is None:
            gw.process.kill()
            gw.process.wait()


class Load:
    """Clients that never stop asking, and remember each answer of which they saw the first byte."""

    def __init__(self, gw, clients=4):
        self.gw, self.seen, self.failures, self.stop = gw, [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(POLICE if i % 2 else OFFICER,)) for i in range(clients)]
        for t in self.threads:
            t.start()

    def run(self, who):
        while not self.stop.is_set():
            try:
                c = Client(self.gw.port, who, timeout=20)
            except (OSError, ssl.SSLError):
                time.sleep(0.01)
                continue
            try:
                while not self.stop.is_set():
                    self.once(c, who)
            except (OSError, ssl.SSLError):
                pass
            finally:
                c.close()

    def once(self, c, who):
        c.buffered = b""
        c.request("/api/persons")
        try:
            got = c.response()
        except TimeoutError:
            self.failures.append("a client waits for ever")
            raise
        finally:
            started = c.buffered
        raw = got.raw if got else started
        if raw:
            self.seen.append((who, raw, bool(got and got.complete)))
        if got is None or not got.complete or got.header("Connection") == "close":
            raise ConnectionError

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(30 * PATIENCE)
            assert not t.is_alive()
        assert not self.failures, self.failures
        return self.seen


def judge(gw, seen, where):
    """Each answer that carries data has its durable entry; a refusal may have none."""
    entries = {e["request"]: e for e in gw.entries() if e["event"] in ("disclosure", "refusal")}
    released = 0
    for who, raw, complete in seen:
        if who is POLICE:
            assert b"012345678" not in raw, where
        if raw.startswith(b"HTTP/1.1 502") and (REFUSAL in raw or not complete):
            continue
        assert raw.startswith(b"HTTP/1.1 200"), (where, raw)
        named = re.search(rb"Request-Id: ([0-9a-f-]{36})\r\n", raw)
        if not named:
            assert not complete, (where, raw)  # cut inside the head: nobody can be named, and no body was seen
            assert b"\r\n\r\n" not in raw, (where, raw)
            continue
        entry = entries.get(named.group(1).decode())
        assert entry is not None, (where, "released without an entry", raw)
        assert entry["event"] == "disclosure" and entry["status"] == 200
        assert entry["outcome"] == ("withheld" if who is POLICE else "disclosed")
        released += 1
    return released


def verify(gw, where):
    said = gw.command("log", "verify", "-c", "gate.json")
    assert said.returncode == 0, (where, said.stdout, said.stderr)
    return said.stdout


def children(gw):
    return {role: gw.children(role) for role in ("worker", "scribe", "admin")}


def kill_everybody(gw):
    """As a machine that loses power would: the supervisor's children do not outlive it."""
    everybody = [pid for pids in children(gw).values() for pid in pids]
    gw.process.kill()
    gw.process.wait()
    gw.log.close()
    gw.process = None
    assert wait_until(lambda: not any(map(is_running, everybody))), "a child outlives its parent"


def start_again(gw):
    text = gw.stderr()
    for word in ("AddressSanitizer", "runtime error", "LeakSanitizer", "assertion"):
        assert word not in text, text[-6000:]
    (gw.dir / "stderr.log").unlink()
    gw.start()


@pytest.mark.parametrize("role", ["worker", "scribe", "supervisor"])
def test_killed_under_load(role, people, tmp_path):
    """SIGKILL at a random moment, thirty times (ten under sanitizers): every byte that was received is on record after recovery."""
    #= ICE10036.2 5.6(1)
    chance = random.Random(f"1367 {role}")
    gw = Gateway(tmp_path, people.url, protected=["A012345678"], packs=FEW, workers=2)
    seen, kills = [], 0
    while kills < ROUNDS:
        load = Load(gw)
        for _ in range(1 if role == "supervisor" else 5):
            time.sleep(0.05 + chance.random() * 0.3)
            if role == "supervisor":
                kill_everybody(gw)
            else:
                victims = gw.children(role)
                if victims:
                    os.kill(chance.choice(victims), signal.SIGKILL)
            kills += 1
        if role == "supervisor":
            seen += load.end()
            verify(gw, kills)  # a torn tail is no corruption
            start_again(gw)  # recovers
        else:
            before = len(load.seen)
            assert wait_until(lambda: sum(b" 200 " in raw for _, raw, _ in load.seen[before:]) > 5), gw.stderr()
            seen += load.end()
    assert gw.stop() == 0, gw.stderr()
    gw.__exit__(None, None, None)
    verify(gw, role)
    released = judge(gw, seen, role)
    print(f"{role}: {kills} kills, {len(seen)} answers begun, {released} released and on record")
    assert released > 10 * ROUNDS


def test_a_disk_that_fails_under_load(people, tmp_path):
    """One failed write: refusals until SIGTERM, exit 74, and a sound log that the next start goes on with."""
    for n in (5, 23, 57):
        gw = Gateway(tmp_path / str(n), people.url, protected=["A012345678"], packs=FEW, workers=2, faults=f"write@scribe/ready:{n}")
        load = Load(gw)
        assert wait_until(lambda: '"ledger_failed"' in gw.stderr())
        before = len(load.seen)
        assert wait_until(lambda: len(load.seen) > before + 20)
        seen = load.end()
        assert gw.admin("/readyz")[0] == 503
        assert gw.stop() == 74
        verify(gw, n)
        released = judge(gw, seen, n)
        gw.env.clear()
        start_again(gw)
        with Client(gw.port, POLICE) as c:
            assert c.get("/api/persons").status == 200
        assert gw.stop() == 0
        gw.__exit__(None, None, None)
        verify(gw, n)
        assert all(raw.startswith(b"HTTP/1.1 502") for _, raw, _ in seen[-10:]) and released + 20 <= len(seen)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 7 MiB: room for four segments of 1 MiB, not for eight."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=7m", "tmpfs", place], capture_output=True)
    if made.returncode != 0:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    """Takes what room is left."""
    with open(place / "ballast", "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"\0" * 65536)
        except OSError:
            pass


def fill_but(place, room):
    fill(place)
    with open(place / "ballast", "r+b") as f:
        f.truncate(max(0, os.path.getsize(place / "ballast") - room))


def test_room_runs_out(people, tmp_path, small_disk):
    """Full: answers that need an entry are refused and the ledger says so, from the room that it had kept; with room again
    everybody is served again. Nothing is lost, and nothing has failed."""
    gw = Gateway(tmp_path / "gw", people.url, protected=["A012345678"], packs=FEW, start=False, ledger=False,
                 config={"ledger": {"directory": str(small_disk / "ledger"), "key": "ledger.key",
                                    "origin": "gate1367.example/test"}})
    made = gw.command("log", "init", "-c", "gate.json", "--segment", "1MiB")
    assert made.returncode == 0, made.stderr
    gw.start()
    with Client(gw.port, POLICE) as c:
        assert c.get("/api/persons").status == 200
        for _ in range(2):
            fill(small_disk)
            assert wait_until(lambda: gw.metric("gate1367_ledger_room") == 2), gw.stderr()
            asked = len(people.requests)
            refused = c.get("/api/persons")
            assert (refused.status, refused.body, len(people.requests)) == (502, REFUSAL, asked)
            assert gw.admin("/readyz")[0] == 503 and gw.metric("gate1367_ledger_failed") == 0
            (small_disk / "ballast").unlink()  # somebody heard the alarm
            assert wait_until(lambda: gw.metric("gate1367_ledger_room") < 2)
            assert c.get("/api/persons").status == 200
    assert gw.stop() == 0
    verify(gw, "room")
    marks = [word for e in gw.entries() if e["event"] == "incident" for word in e["rules"]]
    assert [m for m in marks if m == "ledger_room_shed"] == ["ledger_room_shed"] * 2
    assert marks[-1] != "ledger_room_shed"


def test_files_run_out(people, tmp_path, small_disk):
    """A device with room for bytes and none for files: it was noticed when the next segment could not be made, which is final."""
    gw = Gateway(tmp_path / "gw", people.url, protected=["A012345678"], packs=FEW, start=False, ledger=False,
                 config={"ledger": {"directory": str(small_disk / "ledger"), "key": "ledger.key", "origin": "gate1367.example/test",
                                    "room": {"warn": "2MiB", "shed": "1MiB"}}})
    made = gw.command("log", "init", "-c", "gate.json", "--segment", "1MiB")
    assert made.returncode == 0, made.stderr
    subprocess.run(["mount", "-o", "remount,nr_inodes=2000", small_disk], check=True)
    checked = gw.command("check", "-c", "gate.json")
    assert checked.returncode == 0 and "files can still be made (df -i), less than 4096" in checked.stderr
    gw.start()
    ballast = small_disk / "ballast"
    ballast.mkdir()
    with Client(gw.port, POLICE) as c:
        assert c.get("/api/persons").status == 200
        assert wait_until(lambda: gw.metric("gate1367_ledger_room") == 1) and 512 < gw.metric("gate1367_ledger_free_files") < 2000
        for i in range(gw.metric("gate1367_ledger_free_files") - 500):
            (ballast / str(i)).touch()
        assert wait_until(lambda: gw.metric("gate1367_ledger_room") == 2), gw.stderr()
        asked = len(people.requests)
        refused = c.get("/api/persons")
        assert (refused.status, refused.body, len(people.requests)) == (502, REFUSAL, asked)
        assert gw.admin("/readyz")[0] == 503 and gw.metric("gate1367_ledger_failed") == 0
        shutil.rmtree(ballast)
        assert wait_until(lambda: gw.metric("gate1367_ledger_room") < 2)
        assert c.get("/api/persons").status == 200
    assert gw.stop() == 0
    verify(gw, "files")


def is_told(gw):
    """What `registry lookup` asks, without a process for each."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20 * PATIENCE)
        s.connect(str(gw.dir / "admin.sock"))
        s.sendall(b'{"command":"lookup","kind":"alien_number","value":"A012345678"}\n')
        said = b""
        while more := s.recv(4096):
            said += more
    return b'"status":"ok"' in said


def test_the_last_room_holds_the_last_word(people, tmp_path, small_disk):
    """Nobody hears the alarm, no spare can be made, and what needs an entry all the same goes on: the ledger closes while
    there is room to say so."""
    gw = Gateway(tmp_path / "gw", people.url, protected=["A012345678"], packs=FEW, start=False, ledger=False,
                 config={"ledger": {"directory": str(small_disk / "ledger"), "key": "ledger.key", "room":
                                    {"warn": "2KiB", "shed": "1KiB"}, "origin": "gate1367.example/test"}})
    made = gw.command("log", "init", "-c", "gate.json", "--segment", "1MiB")
    assert made.returncode == 0, made.stderr
    gw.start()
    fill_but(small_disk, 512 * 1024)  # not enough for a spare
    with Client(gw.port, POLICE) as c:
        for _ in range(4000):
            if c.get("/api/persons").status != 200:
                break
    assert wait_until(lambda: gw.metric("gate1367_ledger_room") == 2 or gw.metric("gate1367_ledger_failed") == 1)
    for _ in range(2000):  # look-ups of insiders are told only when on record
        if not is_told(gw):
            break
    assert gw.stop() == 74
    verify(gw, "closed")
    marks = [word for e in gw.entries() if e["event"] == "incident" for word in e["rules"]]
    assert marks[-1] == "ledger_room_closed", marks


def damage(gw, how):
    wal = gw.dir / "ledger" / "wal"
    segment = sorted(wal.glob("*.wal"))[-1]
    if how == "deleted":
        segment.unlink()
    elif how == "replaced":
        copy = segment.read_bytes()
        segment.unlink()
        segment.write_bytes(copy)
    elif how == "cut":
        os.truncate(segment, 4096)
    elif how == "moved":
        (gw.dir / "ledger").rename(gw.dir / "elsewhere")


@pytest.mark.parametrize("how", ["deleted", "replaced", "cut", "moved"])
def test_a_file_that_is_not_the_ledgers_any_more(how, people, tmp_path):
    """What is written to a deleted file is durable for nobody. Within a second the ledger is closed; a busy machine takes longer."""
    gw = Gateway(tmp_path / "gw", people.url, protected=["A012345678"], packs=FEW)
    with Client(gw.port, POLICE) as c:
        assert c.get("/api/persons").status == 200
        since = time.monotonic()
        damage(gw, how)
        while c.get("/api/persons").status == 200:
            assert time.monotonic() - since < 10 * PATIENCE, "never noticed"
        took = time.monotonic() - since
        got = c.get("/api/persons")
        assert (got.status, got.body) == (502, REFUSAL)
    assert SANITIZED or took < 5, took
    # A directory that is gone may be met first by who writes a tip or a tile into it.
    assert how == "moved" or wait_until(lambda: "was deleted, replaced or cut: " in gw.stderr()), gw.stderr()
    assert wait_until(lambda: gw.admin("/readyz")[0] == 503)
    assert gw.stop() == 74


SHIM = r"""
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
static int calls;
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at);
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { return pwrite64(fd, p, n, at); }
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    if (n % 4096 == 0 && ++calls == atoi(getenv("EIO_AT"))) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, p, n, at);
}
"""


def test_a_disk_that_says_eio(people, tmp_path):
    """Not our own switch but the C library's answer. (strace's injection would do, but a confined scribe is killed for the
    call number -1 that it is made with.)"""
    if SANITIZED or shutil.which("cc") is None:
        pytest.skip("needs a compiler, and a build without sanitizers")
    (tmp_path / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", tmp_path / "shim.so", tmp_path / "shim.c"], check=True)
    gw = Gateway(tmp_path / "gw", people.url, protected=["A012345678"], packs=FEW,
                 env={"LD_PRELOAD": str(tmp_path / "shim.so"), "EIO_AT": "15"})
    with Client(gw.port, POLICE) as c:
        answers = [c.get("/api/persons") for _ in range(20)]
    assert wait_until(lambda: '"ledger_failed"' in gw.stderr())
    assert (answers[0].status, answers[-1].status, answers[-1].body) == (200, 502, REFUSAL)
    assert gw.stop() == 74
    verify(gw, "eio")
    judge(gw, [(POLICE, a.raw, a.complete) for a in answers], "eio")


def ticks(pid):
    """CPU time that a process has used, in hundredths of a second."""
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_full_ring_is_waited_for(people, tmp_path):
    """Once full: the request is answered when there is room. Full for ever: nobody is answered, and nobody spins."""
    with Gateway(tmp_path / "once", people.url, protected=["A012345678"], packs=FEW, faults="ring-full@worker/ready:1") as gw, \
            Client(gw.port, POLICE) as c:
        r = c.get("/api/persons")
        assert r.status == 200 and gw.metric("gate1367_ledger_waits_total") == 1
        assert wait_until(lambda: [e["event"] for e in gw.entries() if e["request"] == r.header("Request-Id")] == ["disclosure", "completion"])
    with Gateway(tmp_path / "ever", people.url, protected=["A012345678"], packs=FEW, faults="ring-full@worker/ready:1+") as gw, \
            Client(gw.port, POLICE) as c:
        c.request("/api/persons")
        assert wait_until(lambda: gw.metric("gate1367_ledger_waits_total") > 0)
        processes = gw.children("worker") + gw.children("scribe")
        before, since = sum(map(ticks, processes)), time.monotonic()
        time.sleep(0.5)
        used = (sum(map(ticks, processes)) - before) / 100 / (time.monotonic() - since)
        assert used < 0.2, f"{used:.2f} of a core while waiting"
        c.socket.setblocking(False)
        with pytest.raises((ssl.SSLWantReadError, BlockingIOError)):
            c.socket.recv(1)
        kill_everybody(gw)  # nobody is sent away while somebody waits for the ledger


def test_a_standby_takes_over_under_load(people, tmp_path):
    """The disk fails once, and nobody is refused: what was released is on record in one of the two ledgers."""
    config = {"directory": "ledger", "key": "ledger.key", "origin": "gate1367.example/test",
              "standby": {"directory": "standby", "origin": "gate1367.example/test-standby"}}
    gw = Gateway(tmp_path / "gw", people.url, protected=["A012345678"], packs=FEW, workers=2, start=False, config={"ledger": config},
                 faults="write@scribe/ready:25")
    made = gw.command("log", "init", "--directory", "standby", "--key", "ledger.key", "--origin", "gate1367.example/test-standby",
                      "--segment", "4MiB")
    assert made.returncode == 0, made.stderr
    assert "on the same device" in gw.command("check", "-c", "gate.json").stderr
    gw.start()
    load = Load(gw)
    assert wait_until(lambda: "its standby takes over" in gw.stderr())
    before = len(load.seen)
    assert wait_until(lambda: len(load.seen) > before + 50)
    seen = load.end()
    assert gw.metric("gate1367_ledger_standby") == 1 and gw.metric("gate1367_ledger_failed") == 0
    assert wait_until(lambda: gw.admin("/readyz")[0] == 200) and gw.stop() == 0
    assert all(raw.startswith(b"HTTP/1.1 200") for _, raw, complete in seen if complete)
    first, vkey = gw.entries(), made.stdout.strip().splitlines()[-1]
    there = gw.command("log", "list", "--directory", "standby", "--verifier", vkey, "--json").stdout.splitlines()
    second = [json.loads(line)["entry"] for line in there]
    assert gw.command("log", "verify", "--directory", "standby", "--verifier", vkey).returncode == 0
    verify(gw, "standby")
    gw.entries = lambda: first + second
    assert judge(gw, seen, "standby") == len(seen)
    said = gw.command("log", "verify", "-c", "gate.json", "--json").stdout
    link = second[0]["link"]
    assert second[0]["rules"] == {"ledger_standby": 1} and link["origin"] == "gate1367.example/test"
    assert (link["size"], link["root"]) == (json.loads(said)["entries"], json.loads(said)["root"])


def make_index(gw, name):
    """Of all entries that there are now, once they are published."""
    size = len(gw.entries())
    def made():
        done = gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", gw.dir / name, "--json")
        return done.returncode == 0 and json.loads(done.stdout)["entries"] >= size
    assert wait_until(made)


def test_without_a_completion_it_is_presumed_disclosed(tmp_path):
    """A client that stops reading holds its answer open; then everybody is killed. Nobody can say what arrived."""
    long = {**PEOPLE, "note": "x" * 30_000_000}
    with Origin(lambda r: answer(long if r.path == "/api/persons" else PEOPLE)) as origin:
        gw = Gateway(tmp_path / "gw", origin.url, protected=["A012345678"], packs=FEW)
        with Client(gw.port, OFFICER) as c:
            assert c.get("/api/associates/7").status == 200
        with Client(gw.port, OFFICER, timeout=20) as c:
            c.request("/api/persons")
            assert c.receive()
            make_index(gw, "between.sqlite")  # what completes this one comes behind the index
        assert wait_until(lambda: sum(e["event"] == "completion" for e in gw.entries()) == 2)
        with Client(gw.port, OFFICER, timeout=20) as c:
            c.request("/api/persons")
            assert c.receive()
            make_index(gw, "behind.sqlite")
            pids = [gw.process.pid, *gw.children("worker"), *gw.children("scribe")]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            gw.process.wait()
    gw.log.close()
    gw.process = None
    rows = [json.loads(line) for line in gw.command("log", "list", "-c", "gate.json", "--json").stdout.splitlines()]
    begun = [r for r in rows if r["entry"]["event"] == "disclosure"]
    assert [r.get("presumed_disclosed", False) for r in begun] == [False] * (len(begun) - 1) + [True]
    last = str(begun[-1]["index"])
    assert "presumed disclosed" in gw.command("log", "show", last, "-c", "gate.json").stdout
    assert "presumed" not in gw.command("log", "show", str(begun[0]["index"]), "-c", "gate.json").stdout
    assert "1 disclosures without a completion: presumed disclosed" in verify(gw, "presumed")
    assert "presumed disclosed)" in gw.command("log", "list", "-c", "gate.json").stdout
    for name in ("between.sqlite", "behind.sqlite"):  # by an index, with what came after it
        asked = gw.command("log", "list", "-c", "gate.json", "--json", "--index", gw.dir / name)
        assert [json.loads(line) for line in asked.stdout.splitlines()] == rows, asked.stderr


def test_admin_dies_while_old_workers_drain(tmp_path):
    """An answer under way in a worker of the generation before, whose admin was replaced and then killed: a change that is
    acknowledged after that is in force there too."""
    asked, let_go = threading.Event(), threading.Event()

    def respond(r):
        if r.path == "/api/persons":
            asked.set()
            let_go.wait(60 * PATIENCE)
        return answer(PEOPLE)

    with Origin(respond) as origin:
        patient = {"records": {"servers": [origin.url], "timeout": {"connect": "2s", "response": "60s"}}}  # what follows may be slow
        gw = Gateway(tmp_path / "gw", origin.url, protected=["A012345678"], packs=FEW, config={"upstreams": patient})
        with Client(gw.port, POLICE, timeout=60) as c:
            c.request("/api/persons")
            assert asked.wait(10 * PATIENCE) and gw.reload()
            admin, = gw.children("admin")
            os.kill(admin, signal.SIGKILL)
            assert wait_until(lambda: gw.children("admin") not in ([], [admin]))
            gw.write("changes.jsonl", json.dumps(protect("S-9", "A011111111")) + "\n")
            assert wait_until(lambda: gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl").returncode == 0)
            let_go.set()
            got = c.response()
        assert got.status == 200 and b"011111111" not in got.raw and b"012345678" not in got.raw, got.raw
        assert gw.stop() == 0


def test_a_scribe_without_a_thread_is_no_ledger_that_failed(people, tmp_path):
    """The limit on processes counts threads too. Nothing is wrong with the disk: at a start the environment lacks something (2, not 74),
    and who follows a dead scribe tries again."""
    switch = Switch(tmp_path / "switch")
    gw = Gateway(tmp_path / "gw", people.url, start=False, protected=["A012345678"], packs=FEW, env={"GATE1367_FAULT_SWITCH": str(switch.path)})
    codes = []
    for n in range(1, 7):  # who reads the log goes on with fewer, the publisher and who makes spares are needed
        switch.arm("thread", "scribe", n)
        gw.start(wait=False)
        assert wait_until(lambda: gw.process.poll() is not None or "ready: " in gw.stderr()[gw.before:], 20)
        if gw.process.poll() is not None:
            codes.append(gw.process.poll())
            assert '"reason":"the system makes no further thread; raise TasksMax= or ulimit -u"' in gw.stderr()[gw.before:]
        gw.stop()
    assert codes == [2] * len(codes) and len(codes) >= 2
    switch.disarm()
    gw.start()
    for n in range(1, 7):
        before = gw.metric('gate1367_restarts_total{role="scribe"}')
        switch.arm("thread", "scribe", n)
        os.kill(gw.children("scribe")[0], signal.SIGKILL)
        assert wait_until(lambda: gw.metric('gate1367_restarts_total{role="scribe"}') > before)
        assert wait_until(lambda: gw.admin("/readyz")[0] == 200, 20)
        assert gw.metric("gate1367_ledger_failed") == 0
    assert gw.metric('gate1367_restarts_total{role="scribe"}') > 6
    with Client(gw.port, POLICE) as c:
        assert c.get("/api/persons").status == 200
    assert gw.stop() == 0
