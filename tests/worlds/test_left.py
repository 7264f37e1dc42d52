"""Canaries: after everything that can happen to a request, nothing that left holds anything of a protected person: client
bytes of restricted recipients, operational log, metrics and pages, the ledger, the index, journal and overlay, cores.

    #= ICE10036.2 2.1
    #= 8USC1367 a(2)
"""
# ctest: timeout=600
import json
import os
import pathlib
import signal

import pytest

import wire
from canary import Canaries
from cases import CANARIES, OTHERS, P, PROTECTED, reply
from harness.client import wait_until
from harness.gateway import SANITIZED
from test_documents import TABLE
from test_origin import UNDELIVERABLE
from worlds import ABSENT, AT, KINDS, Twins, person, request

N = P["aNumber"]
LIVE = "A956789017"       # protected while the gateway runs
LIVE_RECEIPT = "WAC2190777123"
NAMES = ("Guadalupe Xochiquetzal", "Tlaquepaque Hernandez")
WATCH = Canaries([*CANARIES, LIVE[1:], LIVE_RECEIPT, *NAMES, "1987-03-04"])


def asked(kind):
    """Requests that name the person wherever a client can."""
    out = [request(kind, "/person/" + N), request(kind, "/person/" + N, "HEAD"), request(kind, "/person/" + N, "DELETE"),
           request(kind, f"/list?aNumber={N}"), request(kind, "/nowhere/" + N), request(kind, "/unknown", prefix="/" + N),
           request(kind, "/list", headers=[("Cookie", "a=" + N), ("X-A", N), ("Accept", N), ("User-Agent", N)]),
           request(kind, "/search", "POST", prefix="/post", body=N.encode()),
           request(kind, "/list", headers=[("Referer", N)], close=True)]
    broken = [request(kind, "/person/" + N + "%zz"), request(kind, "/list", headers=[(N, N), ("Content-Length", N)]),
              request(kind, "/list", version=N), request(kind, "/list", method=N),
              request(kind, "/search", "POST", prefix="/post", body=N.encode() + b"\r\n", headers=[("Transfer-Encoding", "chunked")]),
              b"GET /" + N.encode()]
    return [b"".join(out), *broken]


def everybody_asks(twins, restricted):
    for case in TABLE:
        twins.answer_with(case.target(), reply(case.at, case.content_type), reply(b"[]", "application/json"))
        for kind in (*KINDS, "officer"):
            stream = twins.seen_by(kind, (AT, "knows"), request(kind, case.target(), prefix=case.prefix, close=True))
            if kind != "officer":
                restricted.append(stream.raw)
    for at in UNDELIVERABLE.values():
        twins.answer_with("/person/" + N, at, b"")
        for kind in ("police", "officer"):
            stream = twins.seen_by(kind, (AT, "knows"), request(kind, "/person/" + N, close=True))
            if kind == "police":
                restricted.append(stream.raw)


def strange_requests(twins, restricted):
    twins.answer_with("/person/" + N, reply({"aNumber": N, "name": NAMES[0]}, "application/json"), b"")
    twins.answer_with("/list", reply([{"aNumber": N, "name": NAMES[1]}], "application/json"), b"")
    twins.answer_with("/search", reply({"items": [{"aNumber": N}]}, "application/json"), b"")
    for kind in (*KINDS, "officer"):
        for data in asked(kind):
            stream = twins.seen_by(kind, (AT, "knows"), data, silence=0.3)
            if kind != "officer":
                restricted.append(stream.raw)


def live_changes(gw):
    (gw.dir / "changes.jsonl").write_text(
        json.dumps({"op": "protect", **person(LIVE, "S-live", receipt=LIVE_RECEIPT), "dob": "1987-03-04",
                    "names": [{"given": NAMES[0], "surname": NAMES[1]}]}) + "\n")
    made = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl")
    assert made.returncode == 0, made.stderr
    for kind, value in (("alien_number", LIVE), ("receipt_number", LIVE_RECEIPT), ("alien_number", N)):
        looked = gw.command("registry", "lookup", "-c", "gate.json", kind, value)
        assert looked.returncode in (0, 1) and "protected" in looked.stdout, looked.stderr


def crash_and_reload(gw):
    worker, = gw.children("worker")
    os.kill(worker, signal.SIGSEGV)
    assert wait_until(lambda: gw.children("worker") not in ([], [worker]))
    scribe, = gw.children("scribe")
    os.kill(scribe, signal.SIGABRT)
    assert wait_until(lambda: gw.children("scribe") not in ([], [scribe]))
    assert gw.reload()


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """One gateway's whole life. What left it, by where."""
    documents = [d for case in TABLE for d in case.documents()]
    documents += [{"path": "/person/{id}", "units": ["$"]}, {"path": "/list", "units": ["$[*]"]},
                  {"path": "/search", "units": ["$.items[*]"]}]
    protected = [{**p, "names": [{"given": n, "surname": NAMES[1]}], "dob": "1987-03-04"}
                 for p, n in zip(PROTECTED, NAMES + NAMES)]
    restricted, left = [], {}
    with Twins(tmp_path_factory.mktemp("left"), documents, protected, OTHERS) as twins:
        gw = twins.gateways["knows"]
        everybody_asks(twins, restricted)
        strange_requests(twins, restricted)
        live_changes(gw)
        twins.answer_with("/person/" + LIVE, reply({"aNumber": LIVE, "receipt": LIVE_RECEIPT}, "application/json"), b"")
        restricted.append(twins.seen_by("police", (AT, "knows"), request("police", "/person/" + LIVE, close=True)).raw)
        left["admin pages"] = "".join(gw.admin(p)[1] for p in ("/metrics", "/healthz", "/readyz", "/" + "x", "/metrics?x"))
        left["command lines"] = "".join(pathlib.Path(f"/proc/{pid}/cmdline").read_text()
                                        for role in ("worker", "scribe", "admin") for pid in gw.children(role))
        left["core limits"] = "".join(pathlib.Path(f"/proc/{pid}/limits").read_text()
                                      for role in ("worker", "scribe", "admin") for pid in gw.children(role))
        if not SANITIZED:  # a sanitizer would report the signal as its own finding
            crash_and_reload(gw)
        strange_requests(twins, restricted)
        left["log list"] = gw.command("log", "list", "-c", "gate.json", "--json").stdout
        left["inspect"] = gw.command("registry", "inspect", "-c", "gate.json").stdout
        left["raw ledger"] = gw.raw_ledger()
        gw.stop()
        left["operational log"] = gw.stderr()
        own = {"source.jsonl", "changes.jsonl"}
        for path in gw.dir.rglob("*"):
            if path.is_file() and path.name not in own and not path.is_symlink():
                left[f"file {path.relative_to(gw.dir)}"] = path.read_bytes()
        left["clients"] = b"".join(restricted)
        yield left, gw


def test_the_life_was_a_full_one(life):
    left, gw = life
    assert left["clients"].count(b"HTTP/1.1 ") > 500 and len(left["log list"].splitlines()) > 500
    outcomes = {json.loads(line)["entry"]["outcome"] for line in left["log list"].splitlines()}
    assert {"clear", "disclosed", "uninspected", "withheld", "refused", "failed_closed"} <= outcomes
    assert "gate1367_" in left["admin pages"] and "file protected.idx.journal" in left and "file protected.idx" in left


def test_nothing_left(life):
    left, _ = life
    for where, data in left.items():
        WATCH.assert_none(data if isinstance(data, bytes) else data.encode(), where)


def test_no_core_is_left(life):
    left, gw = life
    assert not [p for p in gw.dir.rglob("*") if p.name.startswith("core") and p.is_file()]
    soft_and_hard = [line.split()[4:6] for line in left["core limits"].splitlines() if line.startswith("Max core file size")]
    assert len(soft_and_hard) >= 3
    if not SANITIZED:
        assert all(pair == ["0", "0"] for pair in soft_and_hard), soft_and_hard
