"""However it is asked: methods, conditions, ranges, queries, bodies, pieces, versions, broken requests. What a restricted
recipient gets is the same whether the person is there or not, and mostly it is known what that must be.

    #= ICE10036.2 2.1
"""
# ctest: timeout=600
import ssl
import time

import pytest

import wire
from canary import Canaries
from cases import CANARIES, MISS, OTHERS, P, PROTECTED, check_restricted
from harness.origin import answer
from worlds import KINDS, NEXT_BODY, NOT_FOUND, WORLDS, Twins, followed, request

N = P["aNumber"]
ANN = b'{"personId":1,"aNumber":"A011111111","name":"Ann"}'
VIC = b'{"personId":%d,"aNumber":"%s","name":"Vic"}' % (P["personId"], N.encode())
LIST_AT, LIST = b'{"total":2,"items":[%s,%s]}' % (VIC, ANN), b'{"total":1,"items":[%s]}' % ANN
MISSED = (404, MISS["body"].encode())
DOCUMENTS = [
    {"path": "/list", "units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True,
     "query": {"format": "any", "name": "any"}},
    {"path": "/person/{id}", "units": ["$"], "miss": MISS},
    {"path": "/search", "units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True, "texts": ["$.q"]},
]
CANARY = Canaries(CANARIES)
WHOLE = [None, 1]


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Twins(tmp_path_factory.mktemp("requests"), DOCUMENTS, PROTECTED, OTHERS) as t:
        gone = answer(b'{"error":"nobody of that number"}', status=404)
        t.answer_with("/list", answer(LIST_AT), answer(LIST))
        t.answer_with("/person/" + N, answer(VIC), gone)
        t.answer_with("/person/1", answer(ANN), answer(ANN))
        t.answer_with("/person/2", gone, gone)
        yield t


def check(twins, wanted, path="/list", method="GET", **how):
    pieces = how.pop("pieces", None)
    version = how.pop("tls", None)
    check_restricted(twins, CANARY, lambda kind: request(kind, path, method, **how), wanted, pieces=pieces, version=version)


def same(twins, data_of, statuses, **how):
    """Equal in three worlds; and these are the statuses of the answers, by kind or for all."""
    for kind in KINDS:
        stream = twins.compare(kind, data_of(kind), **how)
        assert [s for s, _, _ in wire.answers(stream.raw)] == statuses, f"{kind}: {stream.raw!r}"
        CANARY.assert_none(stream.raw, kind)


@pytest.mark.parametrize("pieces", WHOLE)
@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_whole_and_in_bytes(twins, pieces, tls):
    check(twins, (200, LIST), pieces=pieces, tls=tls)
    check(twins, MISSED, "/person/" + N, pieces=pieces, tls=tls)
    check(twins, (200, ANN), "/person/1", pieces=pieces, tls=tls)


CONDITIONS = [("If-None-Match", "*"), ("If-None-Match", '"x"'), ("If-Match", '"x"'), ("If-Match", "*"),
              ("If-Modified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"), ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"),
              ("Range", "bytes=0-9"), ("Range", "bytes=-5"), ("Range", "items=0-9"), ("If-Range", '"x"'),
              ("Accept-Encoding", "gzip, br"), ("TE", "trailers"), ("Cache-Control", "no-cache"), ("Accept", "text/html"),
              ("Accept-Language", "es"), ("Want-Digest", "sha-256"), ("Prefer", "count=exact"), ("Cookie", "a=" + N),
              ("Authorization", "Basic eDp5"), ("X-Agency", "DHS"), ("X-Forwarded-For", "10.0.0.1"),
              ("Client-Cert", ":AA==:"), ("X-HTTP-Method-Override", "DELETE"), ("X_Agency", "DHS"),
              ("Content-Type", "application/json"), ("Expect", "100-continue")]


@pytest.mark.parametrize("field", CONDITIONS, ids=lambda f: f"{f[0]}: {f[1]}")
def test_conditions_and_ranges_are_answered_in_full(twins, field):
    #= RFC9110 14.2
    check(twins, (200, LIST), headers=[field])
    check(twins, MISSED, "/person/" + N, headers=[field])


@pytest.mark.parametrize("path", ["/list", "/person/" + N, "/person/1", "/person/2"])
def test_head_is_get_without_the_body(twins, path):
    #= RFC9110 9.3.2
    for kind in KINDS:
        head = twins.compare(kind, request(kind, path, "HEAD", close=True))
        full = twins.compare(kind, request(kind, path, close=True))
        assert wire.normalised(head.raw) == wire.normalised(full.raw).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        twice = request(kind, path, "HEAD")
        stream = twins.compare(kind, twice + twice + followed(kind, b""))
        assert [s for s, _, _ in wire.answers(stream.raw, heads=(0, 1))][2:] == [200, 200]
        assert stream.raw.count(NEXT_BODY) == 2


METHOD_BODY = b'{"type":"about:blank","title":"Method Not Allowed","status":405}'


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PUT", "PATCH", "POST", "TRACE", "PROPFIND", "get"])
def test_other_methods_never_reach_the_origin(twins, method):
    for path in ("/list", "/person/" + N, "/person/2"):
        before = len(twins.origin.requests)
        for kind in KINDS:
            stream = twins.compare(kind, request(kind, path, method) + request(kind, path, method, close=True))
            got = wire.answers(stream.raw)
            assert {(s, b) for s, _, b in got} == {(405, METHOD_BODY)} and len(got) == 2
            assert all(b"\r\nAllow: GET, HEAD\r\n" in h + b"\r\n" for _, h, _ in got)
        assert len(twins.origin.requests) == before


def test_a_search_by_post(twins):
    twins.answer_with("/search", answer(b'{"q":"%s","total":1,"items":[%s]}' % (N.encode(), VIC)),
                      answer(b'{"q":"%s","total":0,"items":[]}' % N.encode()))
    body = b'{"number":"%s"}' % N.encode()
    json = ("Content-Type", "application/json")
    wanted = (200, b'{"total":0,"items":[]}')
    chunks = b"".join(b"1\r\n%c\r\n" % c for c in body) + b"0\r\nX: y\r\n\r\n"
    for pieces in WHOLE:
        check(twins, wanted, "/search", "POST", prefix="/post", body=body, headers=[json], pieces=pieces)
        check(twins, wanted, "/search", "POST", prefix="/post", body=chunks, headers=[json, ("Transfer-Encoding", "chunked")],
              pieces=pieces)
    assert twins.origin.requests[-1].path.endswith("/next")
    posted = [r for r in twins.origin.requests if r.method == "POST"]
    assert {r.body for r in posted} == {body} and len(posted) == 2 * 2 * 3 * len(KINDS)


def test_a_post_that_waits_to_be_told(twins):
    """100 Continue is the gateway's word, before anything is known (L48)."""
    twins.answer_with("/search", answer(b'{"q":1,"total":1,"items":[%s]}' % VIC), answer(b'{"total":0,"items":[]}'))
    for kind in KINDS:
        seen = []
        for world in (("at the origin", "knows"), ("not at the origin", "knows"), ("not at the origin", "knows nobody")):
            twins.world, gateway = world
            w = wire.Wire(twins.gateways[gateway].port, KINDS[kind][0])
            w.send(request(kind, "/search", "POST", prefix="/post", body=b"",
                           headers=[("Expect", "100-continue"), ("Content-Length", "2")]))
            w.read_until(len(b"HTTP/1.1 100 Continue\r\n\r\n"))
            w.send(b"{}" + request(kind, "/next", close=True))
            w.read_to_end()
            seen.append((wire.normalised(w.raw), w.ended, w.records()))
            w.close()
        assert seen[0] == seen[1] == seen[2]
        assert seen[0][0].startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), seen[0]


def in_three_worlds(twins, kind, first, second, wait):
    """The three streams of a request in two parts; the second is sent after a while."""
    seen = []
    for twins.world, gateway in WORLDS:
        w = wire.Wire(twins.gateways[gateway].port, KINDS[kind][0])
        w.send(first)
        time.sleep(wait)
        w.send(second)
        w.read_to_end()
        seen.append((wire.normalised(w.raw), w.ended, w.records()))
        w.close()
    return seen


HINTS = {"early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </" + N.encode() + b">\r\n\r\n",
         "continue": b"HTTP/1.1 100 Continue\r\n\r\n", "three": b"HTTP/1.1 102 Processing\r\n\r\n" * 3}


@pytest.mark.parametrize("name", HINTS)
def test_an_interim_answer_before_the_body_was_sent(twins, name):
    """Where the person is, the origin has a first word before it reads the request's body; elsewhere it has none (L48)."""
    #= RFC9110 15.2
    twins.answer_with("/search", answer(b'{"q":1,"total":1,"items":[%s]}' % VIC), answer(b'{"total":0,"items":[]}'))
    twins.hints["at the origin"] = HINTS[name]
    try:
        for kind in KINDS:
            head = request(kind, "/search", "POST", prefix="/post", headers=[("Content-Length", "7")])
            seen = in_three_worlds(twins, kind, head, b'{"a":1}' + request(kind, "/next", close=True), 0.1)
            assert seen[0] == seen[1] == seen[2]
            assert [s for s, _, _ in wire.answers(seen[0][0])] == [200, 200] and seen[0][1] == "clean"
        twins.world = "at the origin"
        officer = request("officer", "/search", "POST", headers=[("Content-Length", "7"), ("Expect", "100-continue")])
        w = wire.Wire(twins.gateways["knows"].port, "uscis-officer")
        w.send(officer)
        w.read_until(len(b"HTTP/1.1 100 Continue\r\n\r\n"))
        time.sleep(0.1)  # for the origin's first word, which is swallowed
        w.send(b'{"a":1}' + request("officer", "/next", close=True))
        w.read_to_end()
        assert w.raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ") and w.raw.count(b"HTTP/1.1 200 ") == 2
        w.close()
    finally:
        twins.hints["at the origin"] = b""


@pytest.mark.parametrize("query, passes", [("format=json", True), ("name=Vic", True), ("name=Vic&format=x", True), ("", True),
                                           ("coa=384", False), ("aNumber=" + N, False), ("name=x&sort=aNumber", False),
                                           ("$filter=startswith(aNumber,'A9')", False), ("format", True), ("%6eame=x", False),
                                           ("name=x&&format=y", False), ("columns[0][search][value]=A9", False)])
def test_queries(twins, query, passes):
    """An unlisted parameter is the canonical not-found, before anybody looks (L20)."""
    path = "/list?" + query
    grammar = "[" in query  # no character of a query (RFC 3986 3.4): refused as syntax
    if grammar:
        same(twins, lambda kind: request(kind, path), [400])
    elif query == "%6eame=x":
        for kind in KINDS:  # one or the other reading of the name, the same in each world
            twins.compare(kind, followed(kind, request(kind, path)))
    else:
        before = len(twins.origin.requests)
        check(twins, (200, LIST) if passes else (404, NOT_FOUND), path)
        assert passes or {r.path.rpartition("/")[2] for r in twins.origin.requests[before:]} == {"next"}


NOWHERE = ["/list/", "/nothing", "/person", "/person/1/2", "/listx"]


@pytest.mark.parametrize("path", NOWHERE)
def test_what_no_profile_describes(twins, path):
    before = len(twins.origin.requests)
    check(twins, (404, NOT_FOUND), path)
    assert {r.path.rpartition("/")[2] for r in twins.origin.requests[before:]} == {"next"}


def test_what_no_route_has(twins):
    for path in ("/nowhere", "/", "/apix/list", "/publi/api/list"):
        for kind in KINDS:
            data = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
            if KINDS[kind][1]:
                data += f"Purpose-Of-Use: {KINDS[kind][1]}\r\n"
            stream = twins.compare(kind, (data + "\r\n" + data + "Connection: close\r\n\r\n").encode())
            assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [(404, NOT_FOUND)] * 2


TARGETS = ["/list/../person/" + N, "/%2e%2e/x", "/a%2fb", "/a%5cb", "/a\\b", "//list", "/list;v=1", "/person/" + N + "#x",
           "/person/" + N + "%", "/person/\xe9", '/person/"x"', "/person/ x", "/person/%zz"]


@pytest.mark.parametrize("path", TARGETS)
def test_targets_outside_the_grammar(twins, path):
    before = len(twins.origin.requests)
    same(twins, lambda kind: request(kind, path) + request(kind, "/next"), [400])
    assert len(twins.origin.requests) == before


BROKEN = {
    "two Hosts": ("Host", "x"), "two lengths": ("Content-Length", "0\r\nContent-Length: 1"),
    "length and chunked": ("Content-Length", "3\r\nTransfer-Encoding: chunked"), "gzip": ("Transfer-Encoding", "gzip, chunked"),
    "chunked twice": ("Transfer-Encoding", "chunked, chunked"), "a bare LF": ("X", "a\nY: b"), "a bare CR": ("X", "a\rb"),
    "obs-fold": ("X", "a\r\n b"), "space before the colon": ("X ", "a"), "a control character": ("X", "a\x01"),
    "no token": ("X(", "a"), "an empty length": ("Content-Length", ""), "a hex length": ("Content-Length", "0x1"),
    "NUL": ("X", "a\0b"), "an upgrade": ("Upgrade", "websocket"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_requests_that_break_the_rules(twins, name):
    #= RFC9112 11.2
    before = len(twins.origin.requests)
    for path in ("/list", "/person/" + N, "/person/2"):
        same(twins, lambda kind: request(kind, path, headers=[BROKEN[name]]) + request(kind, "/next"),
             [501] if BROKEN[name][0] in ("Transfer-Encoding", "Upgrade") else [400])
    assert len(twins.origin.requests) == before


@pytest.mark.parametrize("data, status", [
    (b"GET /api/list HTTP/1.1\r\n\r\n", 400), (b"GET /api/list HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (b"GET  /api/list HTTP/1.1\r\nHost: x\r\n\r\n", 400), (b"GET /api/list\r\n\r\n", 400), (b"\x16\x03\x01\r\n\r\n", 400),
    (b"GET http://other/api/list HTTP/1.1\r\nHost: x\r\n\r\n", 400), (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /api/list HTTP/1.1\r\nHost: a b\r\n\r\n", 400), (b"GET /api/list HTTP/1.1\r\nHost: \r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505), (b"GET /api/" + b"a" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    (b"GET /api/list HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 40000 + b"\r\n\r\n", 431)])
def test_heads_that_break_the_rules(twins, data, status):
    for kind in KINDS:
        stream = twins.compare(kind, data + request(kind, "/next"))
        assert int(stream.raw.split(b" ")[1]) == status, stream.raw
        assert stream.raw.count(b"HTTP/1.1 ") == 1 and b"\r\nConnection: close\r\n" in stream.raw


def test_a_body_that_breaks_its_framing(twins):
    twins.answer_with("/search", answer(b'{"q":1,"total":1,"items":[%s]}' % VIC), answer(b'{"total":0,"items":[]}'))
    for body in (b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}XX0\r\n\r\n", b"2;x\n{}\r\n0\r\n\r\n"):
        same(twins, lambda kind: request(kind, "/search", "POST", prefix="/post", body=body,
                                         headers=[("Transfer-Encoding", "chunked")]), [400])


def test_old_clients(twins):
    """HTTP/1.0: one answer, and the connection closes."""
    for path, wanted in (("/list", (200, LIST)), ("/person/" + N, MISSED), ("/person/2", MISSED)):
        for kind in KINDS:
            stream = twins.compare(kind, request(kind, path, version="1.0"))
            assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [wanted] and stream.ended == "clean"


def test_a_long_pipeline(twins):
    """Sixty requests at once, withheld and visible mixed: answers in order, one connection."""
    paths = ["/person/" + N, "/list", "/person/1", "/person/2", "/list?coa=384"] * 12
    wanted = [MISSED, (200, LIST), (200, ANN), MISSED, (404, NOT_FOUND)] * 12
    for kind in KINDS:
        stream = twins.compare(kind, b"".join(request(kind, p) for p in paths) + request(kind, "/next", close=True))
        got = [(s, b) for s, _, b in wire.answers(stream.raw)]
        assert got == wanted + [(200, NEXT_BODY)]


def test_an_idle_connection_stays_open(twins):
    """No answer closes what another would keep: silence after each."""
    for path in ("/person/" + N, "/list"):
        for kind in KINDS:
            stream = twins.compare(kind, request(kind, path), silence=0.15, least=1)
            assert stream.ended == "open"


def test_the_purpose_is_no_oracle(twins):
    """What a restricted recipient claims as purpose changes nothing; an officer without one is refused on the path
    alone, on every route where an entitled answer could have been given."""
    for value in ("adjudication", "nonsense", N):
        data = f"GET /api/person/{N} HTTP/1.1\r\nHost: x\r\nPurpose-Of-Use: {value}\r\nConnection: close\r\n\r\n".encode()
        for kind in ("police", "anonymous", "conduit"):
            stream = twins.compare(kind, data)
            assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [MISSED]
    refused = f"GET /api/person/{N} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    before = len(twins.origin.requests)
    stream = twins.compare("officer on the public route", refused)
    assert [s for s, _, _ in wire.answers(stream.raw)] == [403] and len(twins.origin.requests) == before
