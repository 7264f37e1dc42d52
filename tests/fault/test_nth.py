"""The n-th time fails, for n = 1, 2, 3 … until nothing fails any more: memory, reading, writing, chance, in each process.

One gateway with one worker for each n; the fault counts from when the process serves (ROLE/ready), so that n walks through
one restricted and one entitled exchange from handshake to completion. Whatever fails, a client gets the good answer, a
canonical one, or a visibly broken connection; nothing protected, nothing that is not on record; and the next one is served."""
# ctest: timeout=1500
import http.client
import itertools
import json
import os
import re
import ssl
import subprocess
import time

import pytest

from harness.client import Client, OFFICER, POLICE, wait_until
from harness.gateway import Gateway, SANITIZED
from harness.origin import Origin, answer

# A loop is dense as far as this goes, then in strides to the end; set it higher to walk further.
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
        yield Gateway(tmp_path_factory.mktemp("nth"), origin.url, protected=["A012345678"], start=False)


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
            with Client(port, who, timeout=5) as c:
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


def steps(deadline):
    """1, 2, 3 …; past the deadline in strides that grow."""
    n, stride = 1, 1
    while True:
        yield n
        if time.monotonic() > deadline:
            stride *= 2
        n += stride


def walk(stage, fault, role, exchanges, clean=(0,), code=0, recovers=True):
    """Runs until a whole round passed without the fault being met. Returns how many n were tried."""
    tried = 0
    for n in steps(time.monotonic() + SECONDS):
        spec = f"{fault}@{role}/ready:{n}"
        gw = start(stage, spec)
        heard = exchanges(gw)
        for h in heard:
            judge(h, spec)
        thrown = f"fault: {fault} {n} in {role}" in gw.stderr()
        if recovers:
            served_again(gw, spec)
        ended = gw.stop()
        judge_log(gw, spec, clean)
        thrown_late = f"fault: {fault} {n} in {role}" in gw.stderr()
        assert ended == (code if thrown_late else 0), (spec, ended, gw.stderr())
        judge_entries(gw, heard, spec)
        if not thrown:
            break
        tried += 1
    verified = stage.command("log", "verify", "-c", "gate.json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    print(f"{fault}@{role}: {tried} of {n - 1}")
    assert tried > 0, f"{fault} is never met in {role}"
    return tried


def pair(gw):
    return [Heard(gw.port, POLICE), Heard(gw.port, OFFICER)]


def with_body(gw):
    chunked = [("Transfer-Encoding", "chunked")]
    return [Heard(gw.port, OFFICER, method="POST", headers=chunked, body=b"3\r\nabc\r\n0\r\n\r\n")]


@pytest.mark.parametrize("fault", ["malloc", "read", "write", "write_short", "read_again", "write_again", "connect",
                                   "accept", "random"])
def test_worker(stage, fault):
    walk(stage, fault, "worker", pair)


@pytest.mark.parametrize("fault", ["malloc", "read", "write"])
def test_worker_with_a_request_body(stage, fault):
    walk(stage, fault, "worker", with_body)


# ---- the scribe: its first error is its last ----------------------------------------------------------------------------


def one_after_the_other(gw):
    """Commits, and a tip between them: the scribe writes one when it is idle."""
    heard = pair(gw)
    time.sleep(0.06)
    return heard + pair(gw)


@pytest.mark.parametrize("fault", ["write", "fsync", "short-write"])
def test_scribe(stage, fault):
    for n in itertools.count(1):
        spec = f"{fault}@scribe/ready:{n}"
        gw, heard = stage, []
        if begin(gw, spec) is None:
            heard = one_after_the_other(gw)
        for h in heard:
            judge(h, spec)
            assert not h.broken, (spec, gw.stderr())
        spare = False  # it met the making of a spare segment: an alarm, and the ledger goes on
        if heard and f"fault: {fault} {n} in scribe" in gw.stderr():
            assert wait_until(lambda: '"ledger_failed"' in gw.stderr() or "no spare ledger segment" in gw.stderr())
            spare = '"ledger_failed"' not in gw.stderr()
        if heard and f"fault: {fault} {n} in scribe" in gw.stderr() and not spare:
            for who in (POLICE, OFFICER):  # refusals until somebody ends it
                h = Heard(gw.port, who)
                assert h.got.status == 502 and h.got.body == REFUSAL
            assert gw.admin("/readyz")[0] == 503
        ended = gw.stop()
        thrown = f"fault: {fault} {n} in scribe" in gw.stderr()
        judge_log(gw, spec, clean=(74,))
        assert ended == (74 if thrown and not spare else 0), spec
        judge_entries(gw, heard, spec)
        verified = gw.command("log", "verify", "-c", "gate.json")
        assert verified.returncode == 0, (spec, verified.stdout, verified.stderr)
        if not thrown:
            break
    print(f"{fault}@scribe: {n - 1}")
    assert n > 5


# ---- admin: changes that are acknowledged hold, whatever fails ------------------------------------------------------------


def change(i):
    return {"op": "protect", "subject": f"S-9{i:05}", "cases": [{"id": "C", "benefit": "U", "role": "principal", "status": "pending"}],
            "identifiers": [{"kind": "alien_number", "value": f"A02{i:07}"}]}


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


@pytest.mark.parametrize("fault", ["malloc", "read", "write", "write-file", "fsync-file", "random"])
def test_admin(stage, fault):
    tried = 0
    acknowledged = []
    base = 10000 * ["malloc", "read", "write", "write-file", "fsync-file", "random"].index(fault)
    for n in steps(time.monotonic() + SECONDS):
        spec = f"{fault}@admin/ready:{n}"
        gw = start(stage, spec)
        gw.write("change.jsonl", json.dumps(change(base + n)) + "\n")
        applied = apply(gw)
        admin_is_ready(gw)
        thrown = f"fault: {fault} {n} in admin" in gw.stderr()
        if applied == 0:
            acknowledged.append(base + n)
            assert wait_until(lambda: is_protected(gw, base + n)), spec
        served_again(gw, spec)
        assert applied is None or wait_until(lambda: admin_is_ready(gw)), spec
        assert gw.stop() == 0, spec
        judge_log(gw, spec, clean=(0, 1, 2))
        if not thrown:
            break
        tried += 1
    print(f"{fault}@admin: {tried} of {n - 1}")
    gw = start(stage, "")
    for i in acknowledged:
        assert is_protected(gw, i), (fault, i)
    assert gw.stop() == 0
    assert applied == 0  # the last, undisturbed one
    assert tried > 0 or fault == "random"


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
        if not thrown or time.monotonic() > deadline:
            break
    print(f"{fault}@{role}: {met} of {n} at start")
    assert met > 0 and said == set(MAPPED[role] if fault == "mmap" else [])
