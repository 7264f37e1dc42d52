"""Fail closed, by table: each row of the failure table once by input and once by its switch, for both classes.

The rows are read from the header itself, so that a new row without a test fails here. What a row promises (answer, ledger
outcome, metric) is taken from the table; what stands here is only how the row is reached, and the words of the answers,
which are the contract's."""
# ctest: timeout=600
import collections
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness.client import Client, OFFICER, POLICE, wait_until
from harness.gateway import FEW, Gateway, PATIENCE, ROOT, SANITIZED
from harness.origin import Origin, answer
from harness.pager import pack as paged

TABLE = (ROOT / "src/gate/failures.h").read_text()
ROWS = {}
for found in re.finditer(r'X\(([A-Z_]+), "([a-z_]+)", ([A-Z_]+), ([A-Z_]+), ([A-Z_]+),', re.sub(r"\\\n\s*", "", TABLE)):
    ROWS[found.group(2)] = dict(zip(("restricted", "entitled", "outcome"), found.group(3, 4, 5)))

CANARY = b"Quetzal-of-Canary"
NUMBER = b"A012345678"
PERSON = {"personId": 7, "aNumber": NUMBER.decode(), "name": CANARY.decode()}
LIMITS = {"header": "8KiB", "record": "4KiB", "document": "64KiB", "depth": 16}
MISS = (404, "application/json", b'{"error":"not found"}\n')  # of /api/persons/{id} in the example pack


def problem(title, status):
    return status, "application/problem+json", b'{"type":"about:blank","title":"%s","status":%d}' % (title.encode(), status)


CANONICAL = {
    "TIMEOUT": problem("Request Timeout", 408),
    "NOT_FOUND": problem("Not Found", 404),
    "RATE": problem("Too Many Requests", 429),
    "FORBIDDEN": problem("Forbidden", 403),
    "METHOD": problem("Method Not Allowed", 405),
    "REFUSAL": problem("Bad Gateway", 502),
}

# ---- how a row is reached by input ------------------------------------------------------------------------------------


class Ask:
    """One request, what the origin says to it, and whether the row is what it meets. entitled/restricted False: why not."""

    def __init__(self, path="/api/persons/7", origin=None, method="GET", raw=None, restricted=True, entitled=True,
                 who=None, purpose=True, status=400, whole=True, **request):
        self.path, self.origin, self.method, self.raw, self.request = path, origin, method, raw, request
        self.restricted, self.entitled, self.who, self.purpose = restricted, entitled, who or {}, purpose
        self.status, self.whole = status, whole


def deep(levels, number=b"A012345678"):
    return b'{"personId":7,"aNumber":"' + number + b'","deep":' + b"[" * levels + b"]" * levels + b"}"


LARGE = json.dumps({**PERSON, "notes": ["x" * 1000] * 200}).encode()
LONG = json.dumps([PERSON, {**PERSON, "note": "y" * 9000}]).encode()
MANY = b'["' + b'","'.join([NUMBER] * 1_100_000) + b'"]'
CROWD = json.dumps({"items": [{"n": n} for n in range(40)]}).encode()
BROKEN = b'{"personId":7,"aNumber":"A012345678","name":"Quetzal-of-Canary"'

def hidden(request):
    """Another twenty of whom nobody restricted sees anything, wherever one asks."""
    return answer({"items": [{**PERSON, "at": f"{getattr(request, 'query', '')}-{n}"} for n in range(20)]})


INPUT = {
    "request_syntax": [
        Ask(raw=b"GET /api/persons/7 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        Ask(raw=b"GET /api/persons/7 HTTP/1.1\nHost: a\n\n"),
        Ask(raw=b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", status=414),
        Ask(raw=b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", status=431)],
    "request_timeout": "test_timeout_by_input",
    "request_body": [Ask(path="/post/x", method="POST", headers=[("Transfer-Encoding", "chunked")], body=b"zz\r\nabc\r\n")],
    "rate": "test_rate_by_input",
    "no_route": [Ask(path="/nowhere/7")],
    "forbidden": [Ask(entitled=OFFICER, purpose=False, restricted=False),
                  Ask(entitled=("unlisted", None), restricted=False)],
    "method": [Ask(method="DELETE", entitled=False), Ask(method="TRACE")],
    "query": [Ask(path="/api/persons/7?ssn=1"), Ask(path="/paged/o?offset=-1")],
    "cursor": [Ask(path="/paged/c?cursor=abc")],
    "no_memory": "test_no_memory_by_input",
    # Unreadable it cannot become: it is mapped from a sealed copy and checked before a worker reports ready (tested below).
    "registry": "test_stale_registry_by_input",
    "ledger": "test_ledger_by_input",
    "ledger_room": "test_ledger_room_by_input",
    "suspicion": "test_suspicion_by_input",
    "upstream_connect": [Ask(path="/dead/x")],
    "upstream_timeout": [Ask(origin=lambda r: (b"", "hang"))],
    "upstream_closed": [Ask(origin=lambda r: (b"", "close"))],
    "upstream_framing": [
        Ask(origin=lambda r: answer(PERSON, headers=[("Content-Length", "5")])),
        Ask(origin=lambda r: (b"HTTP/1.1 200 OK\r\nContent-Type: applica", "close")),
        Ask(origin=lambda r: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\n[1,2,\r\nxyz\r\n")],
    "upstream_status": [Ask(origin=lambda r: answer(PERSON, status=403)), Ask(origin=lambda r: answer(PERSON, status=500)),
                        Ask(origin=lambda r: answer(b"", status=302, headers=[("Location", "/" + NUMBER.decode())]))],
    # To entitled recipients such an answer is inspected whole and passes with its findings (contract section 2).
    "unprofiled": [Ask(path="/api/unheard/of", entitled=False)],
    "format": [Ask(origin=lambda r: answer(b"<p>A012345678 Quetzal-of-Canary</p>", content_type="text/html")),
               Ask(origin=lambda r: answer(b"<p>A012345678</p>", content_type="application/xml"))],
    "coding": [Ask(origin=lambda r: answer(b"\x1f\x8b A012345678", headers=[("Content-Encoding", "gzip")]))],
    "malformed": [Ask(origin=lambda r: answer(BROKEN)), Ask(origin=lambda r: answer(BROKEN + b"}}")),
                  Ask(origin=lambda r: answer(b""), entitled=False)],  # nothing to read, nothing to mark
    "cut_short": [Ask(whole=False, origin=lambda r: (answer(PERSON).replace(b"Content-Length: ", b"Content-Length: 9"), "close"))],
    # What stays visible is judged by the limit for restricted recipients, by its double for entitled ones.
    "depth": [Ask(origin=lambda r: answer(deep(20, b"A099999999")), entitled=False), Ask(origin=lambda r: answer(deep(60)))],
    "document": [Ask(origin=lambda r: answer(LARGE))],
    # The limit serves those from whom something is withheld; to entitled recipients a long record is read like any other.
    "record": [Ask(path="/api/associates/7", origin=lambda r: answer(LONG), entitled=False)],
    "scan": [Ask(path="/paged/o?offset=3", origin=lambda r: answer(CROWD), entitled=False)],
    "scan_raw": [Ask(path="/paged/o", origin=hidden, entitled=False)],
    "read_memory": "test_read_memory_by_input",
}


def test_every_row_has_its_input():
    assert len(ROWS) > 20 and set(INPUT) == set(ROWS)
    tests = {name for name in globals() if name.startswith("test_")}
    for row, how in INPUT.items():
        assert how in tests if isinstance(how, str) else any(a.restricted or row == "forbidden" for a in how), row


def test_no_row_passes_for_a_restricted_recipient():
    for row in ROWS.values():
        assert row["restricted"] not in ("PASS", "UNINSPECTED")


# ---- the stage -----------------------------------------------------------------------------------------------------------


class Stage:
    """One directory for all gateways of this file: certificates, registry and ledger are made once."""

    def __init__(self, place):
        self.origin = Origin(self.respond)
        self.closed = socket.socket()  # bound, never listening: a port where nobody is
        self.closed.bind(("127.0.0.1", 0))
        self.say = None
        routes = [{"path": "/api/", "upstream": "records", "profile": "persons-api"},
                  {"path": "/post/", "upstream": "records", "profile": "persons-api", "unprofiled": "inspect",
                   "restricted_methods": ["GET", "HEAD", "POST"]},
                  {"path": "/paged/", "upstream": "records", "profile": "paged"},
                  {"path": "/dead/", "upstream": "dead", "profile": "persons-api", "unprofiled": "inspect"}]
        upstreams = {"records": {"servers": [self.origin.url], "timeout": {"connect": "2s", "response": "1s"}},
                     "dead": {"servers": [f"http://127.0.0.1:{self.closed.getsockname()[1]}"]}}
        self.gateway = Gateway(place, self.origin.url, protected=[NUMBER.decode()], routes=routes, start=False,
                               packs=[*FEW, "paged.json"], config={"limits": LIMITS, "upstreams": upstreams})
        self.gateway.write("paged.json", paged(prefix="/paged", scan=3))

    def respond(self, request):
        return (self.say or (lambda r: answer(PERSON)))(request)

    def start(self, faults=None, response="5s", **limits):
        gw = self.gateway
        gw.config["upstreams"]["records"]["timeout"]["response"] = response
        gw.env.pop("GATE1367_FAULTS", None)
        if faults:
            gw.env["GATE1367_FAULTS"] = faults
        gw.config["limits"] = {**LIMITS, **limits}
        gw.write_config()
        (gw.dir / "stderr.log").unlink(missing_ok=True)
        gw.start()
        return gw


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    s = Stage(tmp_path_factory.mktemp("table"))
    yield s
    s.origin.close()


@pytest.fixture
def serve(stage):
    """serve(faults, **limits) → a gateway, stopped after the test, its worker never having fallen."""
    def start(faults=None, **limits):
        return stage.start(faults, **limits)
    yield start
    gw = stage.gateway
    stage.say = None
    if gw.process is None:  # skipped
        return
    assert gw.stop() == 0
    gw.__exit__(None, None, None)
    codes = [json.loads(line)["code"] for line in gw.stderr().splitlines() if '"child_ended"' in line]
    assert set(codes) <= {-signal.SIGKILL, 0}, gw.stderr()  # by our own hand, or replaced at a reload


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A stage whose gateway runs through all inputs."""
    s = Stage(tmp_path_factory.mktemp("plain"))
    gw = s.start(response="1s")
    yield s
    assert gw.stop() == 0
    gw.__exit__(None, None, None)
    s.origin.close()
    assert "child_ended" not in gw.stderr()


# ---- judging -------------------------------------------------------------------------------------------------------------

HEAD = {"date", "content-type", "content-length", "cache-control", "request-id", "connection", "allow"}


def judge_constant(got, expected, kind):
    status, content_type, body = expected
    assert (got.status, got.header("Content-Type"), got.body) == (status, content_type, body), got.raw
    judge_head(got, kind)


def judge_head(got, kind):
    names = [k.lower() for k, _ in got.headers]
    assert set(names) <= HEAD and len(set(names)) == len(names), got.head
    assert {"date", "content-length", "cache-control", "request-id"} <= set(names)
    assert got.header("Cache-Control") == "private, no-store"
    assert ("allow" in names) == (kind == "METHOD")
    if kind in ("SYNTAX", "TIMEOUT"):
        assert got.header("Connection") == "close"


def judge_bytes(got):
    for secret in (NUMBER, NUMBER[1:], CANARY, b"gzip", b"Section-1367", b"Warning-Notice", b"Location"):
        assert secret not in got.raw, got.raw


def judge_origin(got, sent, kind, whole=True):
    """The origin's answer, byte for byte, to an entitled recipient."""
    sent = sent[0] if isinstance(sent, tuple) else sent
    head, _, body = sent.partition(b"\r\n\r\n")
    assert got.status == int(head.split(b" ")[1]), got.raw
    assert got.body == body and got.complete == whole, got.raw
    assert (got.header("Section-1367") == "uninspected") == (kind == "UNINSPECTED"), got.head


def judge_entry(gw, row, got, kind, restricted):
    outcome = ROWS[row]["outcome"]
    entries = [e for e in gw.entries() if e["request"] == got.header("Request-Id") and e["event"] != "completion"]
    if kind == "PASS":
        return
    if kind == "UNINSPECTED":
        outcome = "UNINSPECTED"
    if outcome == "NO_ENTRY":
        assert entries == []
        return
    assert [(e["outcome"], e["status"]) for e in entries] == [(outcome.lower(), got.status)], entries
    assert entries[0]["event"] == ("disclosure" if kind == "UNINSPECTED" else "refusal")
    assert entries[0]["recipient"]["id"] == ("state-police" if restricted else entries[0]["recipient"]["id"])


def judge(gw, row, got, ask, restricted, sent, routed=True):
    kind = ROWS[row]["restricted" if restricted else "entitled"]
    assert got is not None, gw.stderr()
    if kind in ("PASS", "UNINSPECTED"):
        judge_origin(got, sent, kind, ask.whole)
    elif kind == "SYNTAX":
        assert (got.status, got.body) == (ask.status, b"") and got.header("Content-Type") is None, got.raw
        judge_head(got, kind)
    elif kind == "MISS":
        judge_constant(got, MISS if ask.path == "/api/persons/7" else CANONICAL["NOT_FOUND"]
                       if ask.path != "/api/associates/7" else (200, "application/json", b"[]"), kind)
    else:
        judge_constant(got, CANONICAL[kind], kind)
    if kind not in ("PASS", "UNINSPECTED"):
        judge_bytes(got)
    if routed:
        judge_entry(gw, row, got, kind, restricted)


def moved(gw, row):
    return gw.metric(f'gate1367_failures_total{{row="{row}"}}')


def exchange(gw, stage, row, ask, restricted, routed=True):
    """One request; returns what the origin would have sent."""
    who = POLICE if restricted else ask.entitled if isinstance(ask.entitled, tuple) else OFFICER
    stage.say = ask.origin
    before = moved(gw, row)
    with Client(gw.port, who) as c:
        if ask.raw:
            c.send(ask.raw)
        else:
            c.request(ask.path, ask.method, purpose=ask.purpose, **ask.request)
        got = c.response(head=ask.method == "HEAD")
        kind = ROWS[row]["restricted" if restricted else "entitled"]
        assert kind == "PASS" or moved(gw, row) == before + 1, gw.stderr()
        judge(gw, row, got, ask, restricted, stage.respond(None), routed)
        if got.header("Connection") == "close":
            assert not c.receive() and c.buffered == b""
    return got


# ---- once by input -------------------------------------------------------------------------------------------------------

UNROUTED = {"request_syntax", "no_route"}
CASES = [(row, i) for row, how in INPUT.items() if not isinstance(how, str) for i in range(len(how))]


@pytest.mark.parametrize("row,case", CASES)
def test_input(row, case, plain):
    #= ICE10036.2 2.1
    gw, ask = plain.gateway, INPUT[row][case]
    for restricted in (True, False):
        if ask.restricted if restricted else ask.entitled:
            exchange(gw, plain, row, ask, restricted, row not in UNROUTED)
    plain.say = None
    with Client(gw.port, POLICE) as c:  # and life goes on
        judge_constant(c.get("/api/persons/7"), MISS, "MISS")


def summaries(gw):
    return [e["rules"] for e in gw.entries() if e["event"] == "summary"]


def told_since(gw, before):
    """What all summaries but so many add up to: each minute has one, and the end of a worker."""
    return sum(map(collections.Counter, summaries(gw)[before:]), collections.Counter())


def test_requests_without_an_entry_are_in_the_summary(stage):
    gw = stage.start()
    before = len(summaries(gw))
    for row in UNROUTED:
        for restricted in (True, False):
            exchange(gw, stage, row, INPUT[row][0], restricted, routed=False)
    assert gw.stop() == 0
    assert told_since(gw, before) == {"request_syntax": 2, "no_route": 2}


def test_rate_by_input(serve, stage):
    """Whatever was asked; without an entry, in the summary."""
    gw, before = serve(requests=5), len(summaries(stage.gateway))
    for who in (POLICE, OFFICER):
        with Client(gw.port, who) as c:
            for i in range(30):
                c.request("/api/persons/7" if i % 2 else "/nowhere")
            got = [c.response() for _ in range(30)]
        over = [r for r in got if r.status == 429]
        assert len(over) >= 3 and got[0].status == 404
        for r in over:
            judge_constant(r, CANONICAL["RATE"], "RATE")
            judge_entry(gw, "rate", r, "RATE", who is POLICE)
    assert moved(gw, "rate") >= 6
    assert gw.stop() == 0
    assert told_since(gw, before)["rate"] >= 6
    gw.start()


def test_timeout_by_input(serve):
    """Half a head, and silence."""
    gw = serve()
    clients = [Client(gw.port, who, timeout=30) for who in (POLICE, OFFICER)]
    for c in clients:
        c.send(b"GET /api/persons/7 HTTP/1.1\r\nHost: localhost\r\n")
    for c in clients:
        judge_constant(c.response(), CANONICAL["TIMEOUT"], "TIMEOUT")
        assert not c.receive() and c.ended == "clean"
    assert moved(gw, "request_timeout") == 2


def test_no_memory_by_input(serve, stage):
    """The worker's address space has no room for a second engine (more than 1 MiB), while another exchange holds the spare one;
    what a connection itself needs still fits, whatever the heap happened to have left."""
    if SANITIZED:
        pytest.skip("the sanitizer's own address space has no bound")
    gw = serve()
    hold, let_go = [], threading.Event()
    stage.say = lambda r: (hold.append(r), let_go.wait(20 * PATIENCE), answer(PERSON))[2]
    worker, = gw.children("worker")
    clients = {True: Client(gw.port, POLICE), False: Client(gw.port, OFFICER)}
    first = Client(gw.port, POLICE)
    warm = [Client(gw.port, POLICE) for _ in range(3)]  # so that each later one finds its exchange made
    for c in (*warm, *clients.values()):
        c.request("/nowhere")
        assert c.response().status == 404
    for c in warm:
        c.request("/nowhere")
    assert all(c.response().status == 404 for c in warm)
    first.request("/api/persons/7")
    assert wait_until(lambda: hold)
    used = int(re.search(r"VmSize:\s+(\d+) kB", pathlib.Path(f"/proc/{worker}/status").read_text()).group(1)) * 1024
    subprocess.run(["prlimit", "--pid", str(worker), f"--as={used + (384 << 10)}:unlimited"], check=True)
    for restricted, c in clients.items():
        c.request("/api/persons/7")
        got = c.response()
        assert len(hold) == 1, "the origin was asked"
        judge(gw, "no_memory", got, Ask(), restricted, b"")
    subprocess.run(["prlimit", "--pid", str(worker), "--as=unlimited:unlimited"], check=True)
    let_go.set()
    judge_constant(first.response(), MISS, "MISS")
    assert moved(gw, "no_memory") == 2


def stale_warning(gw):
    checked = gw.command("check", "-c", "gate.json")
    assert checked.returncode == 0
    return [line for line in checked.stderr.splitlines() if "/registry/index: " in line]


def test_stale_registry_by_input(serve, stage):
    """Fresh, then past its age in a running gateway, then healed by a rebuild and a reload."""
    age = 3 * PATIENCE
    gw = stage.gateway
    gw.config["registry"]["max_age"] = f"{age}s"
    gw.build_registry([NUMBER.decode()])
    serve()
    try:
        assert wait_until(lambda: "registry is stale" in gw.admin("/readyz")[1], age + 10)
        assert gw.admin("/readyz")[0] == 503 and gw.metric("gate1367_registry_stale") == 1
        assert gw.metric("gate1367_registry_max_age_seconds") == age <= gw.metric("gate1367_registry_age_seconds")
        before = moved(gw, "registry")
        for restricted, who in ((True, POLICE), (False, OFFICER)):
            asked = len(stage.origin.requests)
            got = exchange(gw, stage, "registry", Ask(), restricted)
            assert len(stage.origin.requests) == asked + (not restricted)
            assert (got.header("Warning-Notice") is None) == restricted  # what was found is found
        nobody = Ask(origin=lambda r: answer({"personId": 8}))
        assert exchange(gw, stage, "registry", nobody, False).header("Warning-Notice") is None
        assert moved(gw, "registry") == before + 3 and "past" in stale_warning(gw)[0]
        assert '"event":"registry_stale"' in gw.stderr()
        gw.build_registry([NUMBER.decode()])
        assert gw.reload()
        assert wait_until(lambda: gw.admin("/readyz")[0] == 200)
        exchange(gw, stage, "upstream_status", INPUT["upstream_status"][0], True)
    finally:
        del gw.config["registry"]["max_age"]


def test_check_warns_of_an_index_near_its_age(stage):
    gw = stage.gateway
    gw.build_registry([NUMBER.decode()])
    assert stale_warning(gw) == []
    time.sleep(1)
    try:
        for age, word in (("1s", "past"), ("0s", None), ("1d", None)):
            gw.config["registry"]["max_age"] = age
            gw.write_config()
            assert [word in line for line in stale_warning(gw)] == ([True] if word else [])
    finally:
        del gw.config["registry"]["max_age"]
        gw.write_config()


def test_unusable_registry_is_met_before_anybody_is_served(serve, stage):
    gw = serve()
    path = gw.dir / "protected.idx"
    good = path.read_bytes()
    try:
        for bad in (b"", good[:-1], good[:64] + bytes([good[64] ^ 1]) + good[65:], b"x" * 4096):
            path.write_bytes(bad)
            assert gw.command("check", "-c", "gate.json").returncode == 1
            for _ in range(2):  # the old one stays in force, overwritten in place or not
                with Client(gw.port, POLICE) as c:
                    judge_constant(c.get("/api/persons/7"), MISS, "MISS")
                assert not gw.reload()
    finally:
        path.write_bytes(good)


def test_ledger_by_input(serve, stage):
    """The scribe dies while it owes an entry: what it owed is refused, what comes after is served."""
    gw = serve()
    for n, (restricted, who) in enumerate(((True, POLICE), (False, OFFICER))):
        scribe, = gw.children("scribe")
        os.kill(scribe, signal.SIGSTOP)
        with Client(gw.port, who) as c:
            c.request("/api/persons/7")
            assert wait_until(lambda: gw.metric("gate1367_documents_total") > 2 * n)
            time.sleep(0.1)
            assert c.buffered == b""
            os.kill(scribe, signal.SIGKILL)
            judge(gw, "ledger", c.response(), Ask(), restricted, b"")
            assert c.get("/api/persons/7").status == (404 if restricted else 200)
    assert moved(gw, "ledger") == 2


def test_ledger_room_by_input(serve, stage):
    """The device has less room than the configuration wants to keep: the origin is not asked for restricted recipients, and
    entitled ones get what needs no entry. What happened is on record."""
    gw = stage.gateway
    gw.config["ledger"]["room"] = {"warn": "2000000GiB", "shed": "1000000GiB"}
    serve()
    try:
        assert wait_until(lambda: gw.metric("gate1367_ledger_room") == 2)
        assert gw.admin("/readyz")[0] == 503 and "nearly full" in gw.admin("/readyz")[1]
        assert '"event":"alarm","child"' in gw.stderr() or "nearly full" in gw.stderr()
        for restricted in (True, False):
            asked = len(stage.origin.requests)
            exchange(gw, stage, "ledger_room", Ask(), restricted)
            assert len(stage.origin.requests) == asked + (not restricted)
        stage.say = lambda r: answer({"personId": 8})
        with Client(gw.port, OFFICER) as c:
            assert c.get("/api/persons/8").status == 200
        marks = [e["rules"] for e in gw.entries() if e["event"] == "incident"]
        assert "ledger_room_shed" in marks[-1]
    finally:
        del gw.config["ledger"]["room"]


def test_suspicion_by_input(serve, stage):
    """Admin does not say that it keeps what an answer showed: neither recipient gets it."""
    gw = serve()
    marked = Ask(origin=lambda r: answer({"personId": 9, "aNumber": "A055555555", "name": CANARY.decode(), "coa": "384"}))
    before = moved(gw, "suspicion")
    admin, = gw.children("admin")
    stage.say = marked.origin
    os.kill(admin, signal.SIGSTOP)
    clients = {True: Client(gw.port, POLICE, timeout=20), False: Client(gw.port, OFFICER, timeout=20)}
    for c in clients.values():
        c.request("/api/persons/7")
    got = {restricted: c.response() for restricted, c in clients.items()}
    os.kill(admin, signal.SIGCONT)
    for restricted, r in got.items():
        judge(gw, "suspicion", r, marked, restricted, b"")
        clients[restricted].close()
    assert moved(gw, "suspicion") == before + 2 and '"event":"suspicion_not_kept"' in gw.stderr()
    with Client(gw.port, OFFICER) as c:  # heard again, and kept
        assert c.get("/api/persons/7").status == 200


def test_read_memory_by_input(serve, stage):
    """More findings than a document may have."""
    gw = serve(document="64MiB", record="64MiB")
    sent = answer(MANY)
    ask = Ask(path="/api/associates/7", origin=lambda r: sent)
    for restricted in (True, False):
        exchange(gw, stage, "read_memory", ask, restricted)


# ---- once by switch ------------------------------------------------------------------------------------------------------

ORDINARY = {
    "request_syntax": Ask(), "request_timeout": Ask(), "no_route": Ask(), "forbidden": Ask(), "method": Ask(),
    "query": Ask(path="/api/persons/7?format=json"),
    "request_body": Ask(path="/post/x", method="POST", body=b"{}"),
}
SWITCH_UNROUTED = UNROUTED | {"request_timeout", "rate"}
MET_EARLY = UNROUTED | {"request_timeout", "rate", "forbidden", "method", "query", "no_memory", "registry", "ledger_room",
                         "upstream_connect"}


@pytest.mark.parametrize("row", ROWS)
def test_switch(row, serve, stage):
    #= ICE10036.2 2.1
    gw = serve(f"{row}@worker:1+")
    for restricted in (True, False):
        asked = len(stage.origin.requests)
        exchange(gw, stage, row, ORDINARY.get(row, Ask()), restricted, row not in SWITCH_UNROUTED)
        if restricted and row in MET_EARLY:
            assert len(stage.origin.requests) == asked, "the origin was asked"
    assert f"fault: {row} 1 in worker" in gw.stderr()
