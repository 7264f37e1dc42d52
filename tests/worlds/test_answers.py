"""The leak catalogue's existence oracles, one scenario each (L01 to L14 by their numbers), in three worlds: bytes, header order,
TLS records, the connection, and the next two answers on it are one, for every kind of restricted recipient. What other files ask
in depth (test_requests, test_origin, test_headers) is here once, so that none of the fourteen can be lost. Sanitized builds ask the
first and the last of each table, as two kinds of recipient.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
import pytest

import wire
from canary import Canaries
from cases import CANARIES, MISS, OTHERS, P, PROTECTED, check_restricted
from harness.origin import answer
from harness.client import wait_until
from harness.gateway import SANITIZED
from worlds import ABSENT, AT, KINDS, NOT_FOUND, WORLDS, Twins, request

N = P["aNumber"]
HERS, NOBODYS = "/person/" + N, "/person/A011111119"
VIC = b'{"aNumber":"%s","name":"Vic"}' % N.encode()
ANN = b'{"aNumber":"A011111111","name":"Ann"}'
GONE = answer(MISS["body"].encode(), status=404)
MISSED = (404, MISS["body"].encode())
DOCUMENTS = [{"path": "/person/{id}", "units": ["$"], "miss": MISS},
             {"path": "/list", "units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True, "headers": ["X-Region"]},
             {"path": "/shaped", "units": ["$.items[*]"], "types": ["application/json", "application/hal+json"], "miss": MISS}]
LIST_AT, LIST = b'{"total":2,"items":[%s,%s]}' % (VIC, ANN), b'{"total":1,"items":[%s]}' % ANN
CANARY = Canaries(CANARIES)
ASKING = ["police", "officer on the public route"] if SANITIZED else list(KINDS)


def each(names, values):
    return pytest.mark.parametrize(names, [values[0], values[-1]] if SANITIZED else values)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Twins(tmp_path_factory.mktemp("answers"), DOCUMENTS, PROTECTED, OTHERS, pace="0ms") as t:
        yield t


def look_up(twins, at, absent=GONE, wanted=MISSED, path=HERS, **how):
    twins.answer_with(path, at, absent)
    check_restricted(twins, CANARY, lambda kind: request(kind, path, **how), wanted, ASKING)


def look_at_list(twins, at, absent=(), **how):
    twins.answer_with("/list", answer(LIST_AT, headers=at), answer(LIST, headers=absent))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list", **how), (200, LIST), ASKING)


def test_L01_a_look_up_is_the_origins_own_miss(twins):
    look_up(twins, answer(VIC))
    for status in (200, 403, 451, 423):  # an origin that hides her itself says so in its own words
        look_up(twins, answer(b'{"restricted":true}', status=status) if status > 200 else answer(VIC))


@each("bad", [HERS + "%zz", "/person/../" + N, "/person/" + N + "%2f1", "/person/" + N + ";x", HERS + '"'])
def test_L02_format_errors_are_decided_on_syntax_alone(twins, bad):
    twins.answer_with(HERS, answer(VIC), GONE)
    before = len(twins.origin.requests)
    for kind in ASKING:
        got = wire.answers(twins.compare(kind, request(kind, bad)).raw)
        assert [s for s, _, _ in got] == [400], got
    assert len(twins.origin.requests) == before, "an origin was asked"
    # what the origin calls a bad format is its own word about the request, and no other than about nobody
    look_up(twins, answer(b'{"bad":1}', status=400), answer(b'{"bad":1}', status=400), path="/person/12x")
    look_up(twins, answer(VIC), answer(b'{"bad":1}', status=400))


def test_L03_HEAD_tells_no_length(twins):
    twins.answer_with(HERS, answer(VIC), GONE)
    for kind in ASKING:
        head = twins.compare(kind, request(kind, HERS, "HEAD", close=True)).raw
        full = twins.compare(kind, request(kind, HERS, close=True)).raw
        assert wire.normalised(head) == wire.normalised(full).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@each("field", [("If-None-Match", '"7"'), ("If-Modified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"), ("If-Match", '"8"'),
                ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"), ("If-Range", '"7"'), ("Range", "bytes=0-9")])
def test_L04_conditions_are_answered_in_full(twins, field):
    for status in (304, 412, 206, 416, 200):
        body = VIC if status in (200, 206, 412) else b""
        look_up(twins, answer(body, status=status, headers=[("ETag", '"7"')], framing="none" if status == 304 else "length"), headers=[field])
    assert field[0].lower() not in {k.lower() for k, _ in twins.origin.requests[-1].headers}


@each("name, at, absent", [
    ("ETag", '"both"', '"one"'), ("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT", "Fri, 31 Dec 2021 00:00:00 GMT")])
def test_L05_validators_of_a_list(twins, name, at, absent):
    look_at_list(twins, [(name, at)], [(name, absent)])


@each("name", ["Content-MD5", "Digest", "Repr-Digest", "Content-Digest", "Signature", "x-amz-checksum-sha256"])
def test_L06_digests(twins, name):
    look_at_list(twins, [(name, "sha-256=:AA==:")], [(name, "sha-256=:AB==:")])
    look_up(twins, answer(VIC, headers=[(name, "AA==")]))


@each("method", ["OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_L07_methods_are_answered_by_route(twins, method):
    """Static: for her, for nobody, for what no document describes; the origin's Allow is never asked for."""
    twins.answer_with(HERS, answer(b"", headers=[("Allow", "GET, PUT")]), answer(b"", status=404))
    before, seen = len(twins.origin.requests), set()
    for path in (HERS, NOBODYS, "/list", "/nothing"):
        for kind in ASKING:
            stream = twins.compare(kind, request(kind, path, method) + request(kind, path, method, close=True))
            assert [s for s, _, _ in wire.answers(stream.raw)] == [405, 405]
            seen.add(wire.normalised(stream.raw))
    assert len(seen) == 1 and b"\r\nAllow: GET, HEAD\r\n" in seen.pop() and len(twins.origin.requests) == before


@each("status", [301, 302, 303, 307, 308, 200])
def test_L08_redirects_and_headers_that_carry_content(twins, status):
    fields = [("Location", "/api" + HERS), ("Content-Location", HERS), ("Link", f"<{HERS}>; rel=canonical"), ("Refresh", f"0; url={HERS}"),
              ("Content-Disposition", f'attachment; filename="{N}.json"'), ("Set-Cookie", "last=" + N), ("WWW-Authenticate", f'Basic realm="{N}"')]
    look_up(twins, answer(VIC, status=status, headers=fields))
    if status == 200:
        look_at_list(twins, fields)
        twins.answer_with("/list", answer(LIST, headers=[("X-Region", N)]), GONE)  # a listed field is content
        check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (404, NOT_FOUND), ASKING)


@each("method, at, absent", [("POST", 409, 201), ("PUT", 200, 404), ("PATCH", 200, 404), ("DELETE", 204, 404)])
def test_L09_writing_finds_nobody(twins, method, at, absent):
    twins.answer_with(HERS, answer(b"", status=at, framing="none"), answer(b"", status=absent, framing="none"))
    before = len(twins.origin.requests)
    for kind in ASKING:
        got = wire.answers(twins.compare(kind, request(kind, HERS, method, body=b'{"aNumber":"%s"}' % N.encode())).raw)
        assert [s for s, _, _ in got] == [405]
    assert len(twins.origin.requests) == before


@each("status", [400, 409, 422, 500, 502, 503, 504])
def test_L10_error_pages(twins, status):
    page = b"<pre>NullPointerException: person %s\n at Db.find(select * from person where a='%s')</pre>" % (N.encode(), N.encode())
    look_up(twins, answer(page, status=status, content_type="text/html", headers=[("Retry-After", "57")]))


WORK = ("gate1367_requests_restricted_total", "gate1367_ledger_entries_total", "gate1367_documents_total", "gate1367_page_trips_total")


def work_of(twins, world, times, wanted):
    """(requests at the origin, the metrics' steps) of so many look-ups. They are published behind the answer."""
    twins.world, gateway = world
    gw, origin = twins.gateways[gateway], len(twins.origin.requests)
    seen = []

    def quiet():  # what was asked before is counted by now
        seen.append([gw.metric(name) for name in WORK])
        return len(seen) > 3 and seen[-1] == seen[-4]
    assert wait_until(quiet, every=0.05)
    before = seen[-1]
    for _ in range(times):
        wire.talk(gw.port, KINDS["police"][0], request("police", HERS, close=True))
    def steps():
        return [gw.metric(name) - b for name, b in zip(WORK, before)]
    wait_until(lambda: steps() == wanted)
    return len(twins.origin.requests) - origin, steps()


def test_L11_absent_and_withheld_do_the_same_work(twins):
    """As many trips to the origin, entries and commits, documents decided. How long each takes is what the grid covers:
    test_pace, and the prober."""
    twins.answer_with(HERS, answer(VIC), GONE)
    wanted = [6, 6, 6, 0]
    work = [work_of(twins, world, 6, wanted) for world in WORLDS]
    assert work == [(6, wanted)] * 3, work


@each("name", ["X-Total-Count", "Server-Timing", "X-Cache", "Age", "X-RateLimit-Remaining", "X-Db-Rows", "Content-Range", "Via"])
def test_L12_headers_that_count(twins, name):
    look_at_list(twins, [(name, "57")], [(name, "56")])
    look_up(twins, answer(VIC, headers=[(name, "57")]))


def test_L13_nothing_is_compressed(twins):
    """What was asked stands beside what is filtered in no answer, and lengths are those of the visible bytes."""
    for coding in ("gzip", "br", "zstd", "gzip, deflate"):
        look_at_list(twins, [], headers=[("Accept-Encoding", coding)])
        look_up(twins, answer(VIC), headers=[("Accept-Encoding", coding)])
        assert [v for k, v in twins.origin.requests[-1].headers if k.lower() == "accept-encoding"] in ([], ["identity"])
    look_up(twins, answer(VIC, headers=[("Content-Encoding", "gzip")]))


def kept(twins, kind, world, path, rounds):
    """The streams of a connection on which each round was asked after the last was answered, and of a neighbour meanwhile."""
    twins.world, gateway = world
    port, name = twins.gateways[gateway].port, KINDS[kind][0]
    one, beside = wire.Wire(port, name), wire.Wire(port, name)
    for _ in range(rounds):
        for w, data in ((one, request(kind, path)), (beside, request(kind, "/next"))):
            w.before = len(w.raw)
            w.send(data)
        for w in (one, beside):
            w.read_until(w.before + 1)
    for w in (one, beside):
        w.send(request(kind, "/next", close=True))
        w.read_to_end()
    seen = [(wire.normalised(w.raw), w.ended, w.records()) for w in (one, beside)]
    one.close(), beside.close()
    return seen


def left_open(twins, kind, world, path):
    """(status, how the connection stands a while after the whole answer)."""
    twins.world, gateway = world
    w = wire.Wire(twins.gateways[gateway].port, KINDS[kind][0])
    w.send(request(kind, path))
    while not w.raw.endswith(MISSED[1]):
        w.read_until(len(w.raw) + 1)
    w.read_to_end(silence=0.05)
    w.close()
    return wire.answers(w.raw)[0][0], w.ended


def test_L14_the_connection_goes_on_alike(twins):
    """Kept, closed, pipelined behind, beside another, in HTTP/1.0, after a HEAD: state and records are one."""
    twins.answer_with(HERS, answer(VIC), GONE)
    for kind in ASKING:
        seen = [kept(twins, kind, world, HERS, 4) for world in WORLDS]
        assert seen[0] == seen[1] == seen[2] and seen[0][0][1] == "clean"
        many = b"".join(request(kind, p) for p in (HERS, "/list", HERS, NOBODYS) * 5)
        twins.compare(kind, many + request(kind, HERS, "HEAD") + request(kind, "/next", close=True))
        twins.compare(kind, request(kind, HERS, version="1.0"))
        assert [left_open(twins, kind, world, HERS) for world in WORLDS] == [(404, "open")] * 3


def test_a_shape_that_nobody_described_is_a_miss(twins):
    """Whoever may send Accept may ask for lines, where her record stands in no unit, or for what counts it."""
    #= RFC6838 4.2
    lines = [(VIC + b"\n" + ANN + b"\n", ANN + b"\n"), (b'[{"Plan":{"Plan Rows":2}}]', b'[{"Plan":{"Plan Rows":1}}]')]
    for (at, absent), kind in zip(lines, ("application/x-ndjson", "application/vnd.pgrst.plan+json")):
        look_up(twins, answer(at, content_type=kind), answer(absent, content_type=kind), path="/shaped", headers=[("Accept", kind)])
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/hal+json"):
        look_up(twins, answer(LIST_AT.replace(b'"total":2,', b""), content_type=kind), answer(LIST.replace(b'"total":1,', b""), content_type=kind),
                (200, LIST.replace(b'"total":1,', b"")), "/shaped")
    twins.answer_with("/shaped", answer(VIC + b"\n", content_type="application/x-ndjson"), b"")
    (status, head, body), = wire.answers(twins.officer(request("officer", "/shaped", close=True)).raw)
    assert (status, body) == (200, VIC + b"\n") and b"\r\nSection-1367: protected; records=1\r\n" in head


def test_none_of_the_fourteen_is_missing():
    names = [n for n in globals() if n.startswith("test_L")]
    assert sorted({n[5:8] for n in names}) == [f"L{i:02}" for i in range(1, 15)] and {AT, ABSENT} == {w[0] for w in WORLDS}
