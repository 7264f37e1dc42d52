"""What each recipient gets (contract section 5): heads, canonical answers, methods, conditions, edits to the byte."""
import re

import pytest

from harness.client import OFFICER, POLICE, Client, fetch
from harness.origin import answer

NOT_FOUND = '{"type":"about:blank","title":"Not Found","status":404}'
HEAD = ["Date", "Content-Type", "Content-Length", "Cache-Control", "Request-Id"]
PERSON = {"personId": 1, "aNumber": "A011111111"}


def test_head_of_a_restricted_answer(gateway, origin, pieces):
    #= ICE10036.2 2.1
    noisy = [("ETag", '"x"'), ("Last-Modified", "Sat, 01 Jan 2000 00:00:00 GMT"), ("Digest", "sha-256=x"), ("Set-Cookie", "a=b"),
             ("Link", "</2>; rel=next"), ("X-Total-Count", "7"), ("Content-Disposition", "inline"), ("Server-Timing", "db;dur=1"),
             ("Accept-Ranges", "bytes"), ("Via", "1.1 x"), ("Server", "y"), ("Section-1367", "none"), ("Request-Id", "forged")]
    origin.respond = lambda r: answer([], content_type='Application/JSON ; charset="UTF-8"', headers=noisy)
    r = fetch(gateway.port, "/inspect/x", POLICE, pieces=pieces)
    assert r.raw.startswith(b"HTTP/1.1 200 OK\r\n") and r.body == b"[]"
    assert [k for k, _ in r.headers] == HEAD
    assert r.header("Content-Type").lower() == "application/json; charset=utf-8"
    assert r.header("Cache-Control") == "private, no-store"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", r.header("Request-Id"))
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", r.header("Date"))
    assert [e["request"] for e in gateway.entries() if e["event"] == "disclosure"] == [r.header("Request-Id")]


def test_entitled_gets_the_origins_head_and_body(gateway, origin, pieces):
    body = b'[ {"aNumber" : "A012345678"} ,\n 1e3 ]\n'
    origin.respond = lambda r: answer(body, headers=[("ETag", '"x"'), ("Section-1367", "none"), ("Warning-Notice", "forged"),
                                                     ("Connection", "X-Hop"), ("X-Hop", "1"), ("Set-Cookie", "a=b")])
    r = fetch(gateway.port, "/inspect/x", OFFICER, pieces=pieces)
    assert r.body == body and r.header("ETag") == '"x"' and r.header("Set-Cookie") == "a=b" and r.header("X-Hop") is None
    assert [v for k, v in r.headers if k == "Section-1367"] == ["protected; records=1"]
    assert len([k for k, _ in r.headers if k == "Warning-Notice"]) == 1 and r.header("Warning-Notice") != "forged"
    origin.respond = lambda r: answer(b"[]")
    r = fetch(gateway.port, "/inspect/x", OFFICER, pieces=pieces)
    assert r.header("Section-1367") == "none" and r.header("Warning-Notice") is None


@pytest.mark.parametrize("status", [201, 204, 301, 304, 403, 404, 500, 503])
def test_another_status_is_undeliverable_to_restricted(gateway, origin, status):
    origin.respond = lambda r: answer(PERSON if status not in (204, 304) else b"", status, headers=[("Location", "/api/persons/2")],
                                      framing="length" if status not in (204, 304) else "none")
    r = fetch(gateway.port, "/inspect/x", POLICE)
    assert (r.status, r.text, r.header("Location")) == (404, NOT_FOUND, None)
    r = fetch(gateway.port, "/inspect/x", OFFICER)
    assert r.status == status and r.header("Location") == "/api/persons/2"


def test_canonical_not_found_is_one_answer(gateway, origin, pieces):
    """Undeliverable, withheld, not there, not routed, not described: the same bytes."""
    #= ICE10036.2 2.1
    def respond(r):
        return {"/inspect/withheld": answer({"aNumber": "A012345678"}), "/inspect/html": answer(b"<p>", content_type="text/html"),
                "/inspect/bad": answer(b"{"), "/inspect/none": answer({}, 404)}.get(r.path, answer([]))
    origin.respond = respond
    seen = set()
    for path in ("/inspect/withheld", "/inspect/html", "/inspect/bad", "/inspect/none", "/nowhere", "/api/undescribed",
                 "/api/persons?evil=1", "/inspectx"):
        r = fetch(gateway.port, path, POLICE, pieces=pieces)
        seen.add((r.status, r.text, r.header("Content-Type"), tuple(k for k, _ in r.headers)))
    assert seen == {(404, NOT_FOUND, "application/problem+json", tuple(HEAD))}


def test_miss_of_a_document(gateway, origin, pieces):
    origin.respond = lambda r: answer({"personId": 5, "aNumber": "A012345678"} if r.path.endswith("/5") else b"", 200 if r.path.endswith("/5") else 404)
    withheld = fetch(gateway.port, "/api/persons/5", POLICE, pieces=pieces)
    absent = fetch(gateway.port, "/api/persons/6", POLICE, pieces=pieces)
    for r in (withheld, absent):
        assert (r.status, r.text, r.header("Content-Type")) == (404, '{"error":"not found"}\n', "application/json")
    assert [k for k, _ in withheld.headers] == [k for k, _ in absent.headers] == HEAD


def test_head_is_get_without_the_body(gateway, origin, pieces):
    origin.respond = lambda r: answer([PERSON, {"aNumber": "A012345678"}])
    for who in (POLICE, OFFICER):
        with Client(gateway.port, who, pieces=pieces) as c:
            got, head, again = c.get("/inspect/x"), c.get("/inspect/x", "HEAD"), c.get("/inspect/x")
        assert head.body == b"" and head.status == 200 and again.body == got.body
        same = lambda r: [(k, v) for k, v in r.headers if k not in ("Date", "Request-Id")]  # noqa: E731
        assert same(head) == same(got)
    assert {r.method for r in origin.requests} == {"GET"}


def test_methods(gateway, origin, pieces):
    origin.respond = lambda r: answer([])
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
        r = fetch(gateway.port, "/api/persons", POLICE, method, pieces=pieces)
        assert r.status == 405 and r.header("Allow") == "GET, HEAD"
        assert [k for k, _ in r.headers] == HEAD + ["Allow"] or sorted(k for k, _ in r.headers) == sorted(HEAD + ["Allow"])
    assert origin.requests == []
    r = fetch(gateway.port, "/post/x", POLICE, "POST", body=b"{}", pieces=pieces)
    assert r.status == 200 and origin.requests[-1].body == b"{}"
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
        assert fetch(gateway.port, "/api/persons", OFFICER, method, pieces=pieces).status == 200
    for who in (POLICE, OFFICER):
        for method, target in (("TRACE", "/api/persons"), ("CONNECT", "localhost:443")):
            before = len(origin.requests)
            assert fetch(gateway.port, target, who, method, pieces=pieces).status >= 400
            assert len(origin.requests) == before


def test_conditions_and_ranges_are_answered_in_full(gateway, origin, pieces):
    def respond(r):
        assert not r.header("Range") and not r.header("If-Range")
        return answer([PERSON], headers=[("ETag", '"e"')])
    origin.respond = respond
    conditions = [("If-None-Match", '"e"'), ("If-Modified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"), ("Range", "bytes=0-1"), ("If-Range", '"e"')]
    r = fetch(gateway.port, "/inspect/x", POLICE, headers=conditions, pieces=pieces)
    assert r.status == 200 and r.text == '[{"personId": 1, "aNumber": "A011111111"}]'
    for name in ("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"):
        assert not origin.requests[-1].header(name)
    r = fetch(gateway.port, "/inspect/x", OFFICER, headers=conditions, pieces=pieces)
    assert r.status == 200 and r.complete and not origin.requests[-1].header("Range")


def test_canonical_refusal_and_forbidden(make_gateway, origin, pieces):
    gw = make_gateway("http://127.0.0.1:9")  # nobody there
    for who in (POLICE, OFFICER):
        r = fetch(gw.port, "/inspect/x", who, pieces=pieces)
        assert (r.status, r.text) == (502, '{"type":"about:blank","title":"Bad Gateway","status":502}')
        assert [k for k, _ in r.headers] == HEAD and r.header("Content-Type") == "application/problem+json"
    r = fetch(gw.port, "/inspect/x", OFFICER, pieces=pieces, purpose=False)
    assert (r.status, r.text) == (403, '{"type":"about:blank","title":"Forbidden","status":403}')
    assert [k for k, _ in r.headers] == HEAD


@pytest.mark.parametrize("framing,content,why", [
    (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]", b"", "two lengths"),
    (b"Transfer-Encoding: gzip\r\n\r\n[]", b"", "not plain chunked"),
    (b"Content-Length: 2\nX: y\r\n\r\n[]", b"", "bare LF"),
    (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n", b"", "chunk size"),
    (b"Content-Length: 9\r\n\r\n[]", b"", "cut short")])
def test_broken_answers_of_the_origin(gateway, origin, framing, content, why):
    origin.respond = lambda r: (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing, "close")
    r = fetch(gateway.port, "/inspect/x", POLICE)
    assert (r.status, r.text) == (404, NOT_FOUND), why
    r = fetch(gateway.port, "/inspect/x", OFFICER)
    if why == "cut short":
        assert r.header("Section-1367") == "uninspected" and not r.complete
    else:
        assert r is None or r.status == 502 or not r.complete, why


def test_codings_and_formats_pass_uninspected_to_entitled_alone(gateway, origin, pieces):
    for kind, body, headers in (("application/json", b"\x1f\x8bxx", [("Content-Encoding", "gzip")]),
                                ("application/xml", b"<a/>", []), ("text/csv", b"a,b\r\n", []), (None, b"[]", []),
                                ("application/json; charset=utf-16", b"[\0]\0", [])):
        origin.respond = lambda r: answer(body, content_type=kind, headers=headers)
        r = fetch(gateway.port, "/inspect/x", POLICE, pieces=pieces)
        assert (r.status, r.text) == (404, NOT_FOUND), kind
        r = fetch(gateway.port, "/inspect/x", OFFICER, pieces=pieces)
        assert r.body == body and r.header("Section-1367") == "uninspected" and r.header("Warning-Notice") is None
    outcomes = [(e["recipient"]["id"], e["outcome"]) for e in gateway.entries() if e["event"] == "disclosure"]
    assert outcomes == [("uscis-officer", "uninspected")] * 5
