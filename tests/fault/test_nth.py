"""The n-th time fails, for n = 1, 2, 3 … until nothing fails any more: memory, reading, writing, chance, in each process.

Every loop is dense (but under sanitizers, see COLD): n walks through one restricted and one entitled exchange from handshake to completion until a whole round
passes without the fault being met. Most walk in one running gateway, whose fault is armed from outside between two rounds
(GATE1367_FAULT_SWITCH); what differs in a process that has served nobody yet walks again with a gateway for each n
(ROLE/ready). Whatever fails, a client gets the good answer, a canonical one, or a visibly broken connection; nothing
protected, nothing that is not on record; and the next one is served."""
# ctest: timeout=1500
import http.client
import itertools
import json
import mmap
import os
import re
import ssl
import struct
import subprocess
import time

import pytest

from harness.changes import protect
from harness.client import Client, OFFICER, POLICE, wait_until
from harness.gateway import FEW, Gateway, SANITIZED
from harness.origin import Origin, answer

# The start-up loops are dense as far as 12, then in strides as far as this goes; set it higher to walk further.
# Where each n costs a gateway of its own, sanitized builds walk every n as far as 6 and every seventh from there.
COLD = [*range(1, 7), *range(7, 4000, 7)] if SANITIZED else range(1, 4000)
SECONDS = int(os.environ.get("GATE1367_FAULT_SECONDS", "4" if SANITIZED else "8"))
CANARY = "Quetzal-of-Canary"
KEPT = {"personId": 1, "aNumber": "A011111111", "name": "Nobody Protected", "note": "long enough for two reads " * 40}
PEOPLE = {"total": 2, "items": [KEPT, {"personId": 2, "aNumber": "A012345678", "name": CANARY}]}
WHOLE = answer(PEOPLE).partition(b"\r\n\r\n")[2]
EDITED = json.dumps({"total": 1, "items": [KEPT]}).encode()
NOT_FOUND = b'{"type":"about:blank","title":"Not Found","status":404}'
REFUSAL = b'{"type":"about:blank","title":"Bad Gateway","status":502}'
TIMEOUT = b'{"type":"about:blank","title":"Request Timeout","status":408}'
SECRETS = (b"A012345678", b"012345678", CANARY.encode())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    with Origin(lambda r: answer(PEOPLE)) as origin:
        yield Gateway(tmp_path_factory.mktemp("nth"), origin.url, protected=["A012345678"], packs=FEW, start=False)


@pytest.fixture
def stage(made):
    yield made
    if made.process is not None:  # the test failed
        print(made.stderr())
        made.stop()


def start(gw, faults):
    gw.env["GATE1367_FAULTS"] = faults
    (gw.dir / "stderr.log").unlink(missing_ok=True)
    gw.start()
    return gw


def begin(gw, faults):
    """Starts what may not start: None where it serves, else the exit status."""
    gw.env["GATE1367_FAULTS"] = faults
    (gw.dir / "stderr.log").unlink(missing_ok=True)
    gw.start(wait=False)
    assert wait_until(lambda: "\nready: " in gw.stderr() or gw.process.poll() is not None), (faults, gw.stderr())
    if gw.process.poll() is None:
        gw.wait_ready()
    return gw.process.poll()


class Heard:
    """What came back of one exchange, as far as it came."""

    def __init__(self, port, who, path="/api/persons", **request):
        self.who, self.got, self.raw = who, None, b""
        try:
            with Client(port, who, timeout=20) as c:
                c.request(path, **request)
                try:
                    self.got = c.response()
                finally:
                    self.raw = (self.got.raw if self.got else b"") + c.buffered
        except (ssl.SSLError, ConnectionError, TimeoutError) as e:
            assert not isinstance(e, TimeoutError), "it hangs"
        self.broken = self.got is None or not self.got.complete


ALLOWED = {
    POLICE: {(200, EDITED, None), (404, NOT_FOUND, None), (502, REFUSAL, None)},
    OFFICER: {(200, WHOLE, "protected; records=1"), (200, WHOLE, "uninspected"), (502, REFUSAL, None)},
}


def judge(heard, where):
    if heard.who is POLICE:
        for secret in SECRETS:
            assert secret not in heard.raw, where
    if heard.broken:
        return
    got = (heard.got.status, heard.got.body, heard.got.header("Section-1367"))
    assert got in ALLOWED[heard.who], (where, heard.raw)


def judge_log(gw, where, clean=(0,)):
    text = gw.stderr()
    for word in ("AddressSanitizer", "runtime error", "LeakSanitizer", "assertion"):
        assert word not in text, (where, text[-6000:])
    for line in text.splitlines():
        if '"child_ended"' in line:
            assert json.loads(line)["code"] in clean, (where, line)
    return text


def entries_by_request(gw):
    return {e["request"]: e for e in gw.entries() if e["event"] in ("disclosure", "refusal")}


def judge_entries(gw, all_heard, where):
    """Nothing was released that is not on record: only refusals may lack an entry."""
    entries = entries_by_request(gw)
    for heard in all_heard:
        found = re.search(rb"Request-Id: ([0-9a-f-]+)", heard.raw)
        if not found or heard.raw.startswith(b"HTTP/1.1 502"):
            continue
        entry = entries.get(found.group(1).decode())
        assert entry is not None and entry["status"] == int(heard.raw.split(b" ")[1]), (where, heard.raw)


def served_again(gw, where):
    def once():
        h = Heard(gw.port, POLICE)
        return not h.broken and h.got.body == EDITED
    assert wait_until(once), (where, gw.stderr())


class Switch:
    """The memory of base's fault_switch, shared with every process of the gateway."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(96))
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), 96)

    def arm(self, fault, role, n):
        self.disarm()
        self.memory[8:96] = struct.pack("QQQ32s32s", 0, 0, n, fault.encode(), role.encode())
        self.memory[0:8] = struct.pack("Q", 1)

    def disarm(self):
        self.memory[0:8] = struct.pack("Q", 0)

    @property
    def thrown(self):
        return self.memory[16] == 1


@pytest.fixture
def switch(stage, tmp_path):
    made = Switch(tmp_path / "switch")
    stage.env["GATE1367_FAULT_SWITCH"] = str(made.path)
    yield made
    del stage.env["GATE1367_FAULT_SWITCH"]


def walk(stage, switch, fault, role, exchanges, clean=(0,), least=1):
    """In one running gateway. Returns how many n were met."""
    gw, all_heard, n = start(stage, ""), [], 0
    while True:
        n += 1
        spec = f"{fault}@{role}:{n}"
        switch.arm(fault, role, n)
        heard = exchanges(gw)
        thrown = switch.thrown
        switch.disarm()
        for h in heard:
            judge(h, spec)
        all_heard += heard
        served_again(gw, spec)
        if not thrown:
            break
    assert gw.stop() == 0, gw.stderr()
    judge_log(gw, fault, clean)
    judge_entries(gw, all_heard, fault)
    finish(stage, f"{fault}@{role}", n - 1, least)


def finish(stage, what, met, least):
    verified = stage.command("log", "verify", "-c", "gate.json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    print(f"{what}: all of {met}")
    assert met >= least, f"{what} is met {met} times"


def walk_cold(stage, fault, role, exchanges, least=1):
    """With a gateway that has served nobody for each n."""
    all_heard = []
    for n in COLD:
        spec = f"{fault}@{role}/ready:{n}"
        gw = start(stage, spec)
        heard = exchanges(gw)
        for h in heard:
            judge(h, spec)
        all_heard += heard
        thrown = f"fault: {fault} {n} in {role}" in gw.stderr()
        served_again(gw, spec)
        assert gw.stop() == 0, (spec, gw.stderr())
        judge_log(gw, spec)
        if not thrown:
            break
    judge_entries(stage, all_heard, fault)
    finish(stage, f"{fault}@{role} cold", n - 1, least)


def pair(gw):
    return [Heard(gw.port, POLICE), Heard(gw.port, OFFICER)]


def with_body(gw):
    chunked = [("Transfer-Encoding", "chunked")]
    return [Heard(gw.port, OFFICER, method="POST", headers=chunked, body=b"3\r\nabc\r\n0\r\n\r\n")]


@pytest.mark.parametrize("fault", ["malloc", "read", "write", "write_short", "read_again", "write_again", "accept"])
def test_worker(stage, switch, fault):
    walk(stage, switch, fault, "worker", pair)


@pytest.mark.parametrize("fault", ["malloc", "read", "write"])
def test_worker_with_a_request_body(stage, switch, fault):
    walk(stage, switch, fault, "worker", with_body)


@pytest.mark.parametrize("fault", ["malloc", "connect", "random"])
def test_worker_that_has_served_nobody(stage, fault):
    walk_cold(stage, fault, "worker", pair)


def published(gw):
    return int((gw.dir / "ledger/tlog/checkpoint").read_text().split("\n")[1])


def goes_on(gw, where):
    """Whether it serves again; it may also have ended for good."""
    def once():
        h = Heard(gw.port, POLICE)
        return not h.broken and h.got.body == EDITED
    assert wait_until(lambda: '"ledger_failed"' in gw.stderr() or once()), (where, gw.stderr())
    time.sleep(0.2)
    return '"ledger_failed"' not in gw.stderr()


def test_the_scribe_publishes_behind(stage, switch):
    """Commits allocate nothing and read nothing; what publishes behind them may fail, is not noticed, and is made again. Every n of it
    is walked by tests/unit/ledger/test_published.c."""
    gw, all_heard = start(stage, ""), []
    for fault in ("malloc", "write-file", "fsync-file", "read-file"):
        for n in (1, 2):
            spec = f"{fault}@scribe:{n}"
            switch.arm(fault, "scribe", n)
            heard = pair(gw)

            def thrown():  # what waited meanwhile is published in one go: then there is less of it than there were requests
                if not switch.thrown:
                    heard.extend(pair(gw))
                return switch.thrown
            assert wait_until(thrown, every=0.2), spec
            switch.disarm()
            for h in heard:
                judge(h, spec)
            all_heard += heard
            if not goes_on(gw, spec):  # it met the ledger's own file, a tip: that is final
                assert fault in ("write-file", "fsync-file") and gw.stop() == 74, (spec, gw.stderr())
                judge_log(gw, spec, clean=(74,))
                gw = start(stage, "")
    entries = len(gw.entries())
    assert wait_until(lambda: published(gw) >= entries)
    assert gw.stop() == 0, gw.stderr()
    judge_log(gw, "publishing")
    judge_entries(gw, all_heard, "publishing")
    finish(stage, "publishing", 8, 8)


def test_what_does_not_come_back_from_the_disk_is_final(stage, switch):
    gw = start(stage, "")
    entries = len(gw.entries())
    assert wait_until(lambda: published(gw) >= entries)
    heard = []

    def is_final():  # what is read to find where to begin, or to use files again, is read once more
        switch.arm("read", "scribe", 1)
        heard.extend(pair(gw))
        return wait_until(lambda: "does not give back what was acknowledged" in gw.stderr(), 2)
    assert wait_until(is_final)
    switch.disarm()
    for h in heard:
        judge(h, "read@scribe")
    assert Heard(gw.port, POLICE).got.status == 502
    assert gw.stop() == 74
    finish(stage, "read@scribe", 1, 1)


# ---- the scribe: its first error is its last ----------------------------------------------------------------------------


def one_after_the_other(gw):
    """Commits, and a tip between them: the scribe writes one when it is idle."""
    heard = pair(gw)
    time.sleep(0.06)
    return heard + pair(gw)


@pytest.mark.parametrize("fault", ["write", "fsync", "short-write"])
def test_scribe(stage, fault):
    for n in COLD:
        spec = f"{fault}@scribe/ready:{n}"
        gw, heard = stage, []
        if begin(gw, spec) is None:
            heard = one_after_the_other(gw)
        for h in heard:
            judge(h, spec)
            assert not h.broken, (spec, gw.stderr())
        spare = False  # it met the making of a spare segment: an alarm, and the ledger goes on
        met = f"fault: {fault} {n} in scribe" in gw.stderr()
        if heard and met:
            assert wait_until(lambda: '"ledger_failed"' in gw.stderr() or "no spare ledger segment" in gw.stderr())
            spare = '"ledger_failed"' not in gw.stderr()
        if heard and met and not spare:
            for who in (POLICE, OFFICER):  # refusals until somebody ends it
                h = Heard(gw.port, who)
                assert h.got.status == 502 and h.got.body == REFUSAL
            assert gw.admin("/readyz")[0] == 503
        ended = gw.stop()
        thrown = f"fault: {fault} {n} in scribe" in gw.stderr()
        judge_log(gw, spec, clean=(74,))
        late = thrown and not met  # while it was being ended already, which a spare segment does not stop
        assert ended == (74 if thrown and not spare else 0) or (late and ended == 0), spec
        judge_entries(gw, heard, spec)
        verified = gw.command("log", "verify", "-c", "gate.json")
        assert verified.returncode == 0, (spec, verified.stdout, verified.stderr)
        if not thrown:
            break
    print(f"{fault}@scribe: {n - 1}")
    assert n > 5


# ---- admin: changes that are acknowledged hold, whatever fails ------------------------------------------------------------


def change(i):
    return protect(f"S-9{i:05}", f"A02{i:07}")


def is_protected(gw, i):
    """None: no answer."""
    said = gw.command("registry", "lookup", "-c", "gate.json", "alien_number", f"A02{i:07}")
    return {"protected\n": True, "not protected\n": False}.get(said.stdout)


def apply(gw):
    """Its exit status; None: no answer, for where admin falls before it serves so does each that is born after it."""
    try:
        return gw.command("registry", "apply", "-c", "gate.json", "change.jsonl", timeout=3).returncode
    except subprocess.TimeoutExpired:
        return None


def admin_is_ready(gw):
    try:
        return gw.admin("/readyz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


ADMIN = ["malloc", "read", "write", "write-file", "short-write", "fsync-file", "random"]


@pytest.mark.parametrize("fault", ADMIN)
def test_admin(stage, switch, fault):
    """In one running gateway, in which admin may fall and be born again."""
    gw, acknowledged, n = start(stage, ""), [], 0
    base = 10000 * ADMIN.index(fault)
    while True:
        n += 1
        spec = f"{fault}@admin:{n}"
        gw.write("change.jsonl", json.dumps(change(base + n)) + "\n")
        switch.arm(fault, "admin", n)
        applied = apply(gw)
        admin_is_ready(gw)
        thrown = switch.thrown
        switch.disarm()
        assert wait_until(lambda: admin_is_ready(gw)), (spec, gw.stderr())
        if applied == 0:
            acknowledged.append(base + n)
        if not thrown:
            break
    assert applied == 0 and is_protected(gw, base + n)  # the last, undisturbed one
    served_again(gw, fault)
    assert gw.stop() == 0
    judge_log(gw, fault, clean=(0, 1, 2))
    gw = start(stage, "")  # what was acknowledged is in force after a restart too
    for i in acknowledged:
        assert is_protected(gw, i), (fault, i)
    assert gw.stop() == 0
    finish(stage, f"{fault}@admin", n - 1, 0 if fault == "random" else 1)


# ---- while it starts ------------------------------------------------------------------------------------------------------


# What every start has to map, and what it says where it cannot; the scribe maps nothing, it writes with O_DIRECT.
MAPPED = {"worker": ["the overlay cannot be mapped"], "admin": ["the overlay cannot be mapped"],
          "main": ["protected.idx: Cannot allocate memory", "listening: Cannot allocate memory"]}


@pytest.mark.parametrize("fault,role", [(f, r) for f in ("malloc", "random", "read-file", "mmap")
                                        for r in ("worker", "scribe", "admin", "main") if f != "mmap" or r in MAPPED])
def test_start(stage, fault, role):
    """It ends by itself with a reason and status 1, 2 or 74, or it serves; it never ends by a signal and never hangs.
    Without a mapping it never serves."""
    said = set()
    tried = met = 0
    deadline = time.monotonic() + SECONDS / 3
    for n in itertools.chain(range(1, 13), (12 + int(1.35 ** k) for k in range(8, 60))):
        spec = f"{fault}@{role}:{n}"
        code = begin(stage, spec)
        if code is None:
            for h in pair(stage):
                judge(h, spec)
        ended = stage.stop()
        text = judge_log(stage, spec, clean=(0, 1, 2, 74))
        thrown = f"fault: {fault} {n} in {role}" in text
        late = role == "scribe" and ended == 74  # it served, and its ledger failed when it could
        assert ended == 0 or (thrown and (late or code in (1, 2, 74))), (spec, ended, text)
        if fault == "mmap" and thrown:
            why = [w for w in MAPPED[role] if w in text]
            assert code in (1, 2) and len(why) == 1, (spec, code, text)
            said.update(why)
        tried += 1
        met += thrown
        if not thrown or (time.monotonic() > deadline and tried >= len(MAPPED.get(role, []))):
            break
    print(f"{fault}@{role}: {met} of {n} at start")
    assert met > 0 and said == set(MAPPED[role] if fault == "mmap" else [])


def test_a_worker_that_says_it_is_ready_serves(stage):
    """The first n that a start survives, and the next ones: what fails then fails in each worker that is born, and nobody is left waiting."""
    def survives(n):
        code = begin(stage, f"malloc@worker:{n}")
        stage.stop()
        return code is None
    dies, lives = 0, 4096
    while lives - dies > 1:
        middle = (dies + lives) // 2
        dies, lives = (dies, middle) if survives(middle) else (middle, lives)
    assert dies > 12
    for n in range(lives, lives + 4):
        assert begin(stage, f"malloc@worker:{n}") is None
        for h in pair(stage):
            judge(h, n)
        assert stage.stop() == 0
        judge_log(stage, n, clean=(0, 1, 2))
