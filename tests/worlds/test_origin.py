"""What an origin may answer instead of a document, and what it may say around one: none of it tells a restricted
recipient anything. Entitled ones get it as it is, or the canonical refusal.

    #= ICE10036.2 2.1   acknowledging that a record exists is a disclosure
"""
# ctest: timeout=900
import gzip
import json

import pytest

import wire
from canary import Canaries
from cases import CANARIES, MISS, OTHERS, P, PROTECTED, check_restricted, reply
from harness.gateway import SANITIZED
from harness.origin import answer
from worlds import NOT_FOUND, REFUSAL, Reply, Twins, request

N = P["aNumber"].encode()
RECORD = b'{"personId":%d,"aNumber":"%s","name":"Vic"}' % (P["personId"], N)
INNOCENT = b'{"personId":1,"aNumber":"A011111111","name":"Ann"}'
JSON = "application/json"
GONE = answer(b'{"error":"no such person"}', status=404)


def raw(head, body=b"", action="close"):
    """A response as it is written here."""
    return Reply(head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body, action)


def status(code, body=RECORD, **headers):
    return answer(body, status=code, headers=[(k.replace("_", "-"), v) for k, v in headers.items()])


LENGTH = b"Content-Length: %d"
OK = b"HTTP/1.1 200 OK\nContent-Type: application/json\n"

# Each is answered where the person is; where not, the origin says 404. All of it is the document's miss.
UNDELIVERABLE = {
    # other statuses, the person in them or not (L01, L08, L09, L10)
    **{f"status {c}": status(c) for c in (201, 202, 203, 207, 300, 400, 401, 403, 404, 406, 409, 410, 412, 416, 418, 422,
                                          423, 429, 451, 499, 500, 501, 502, 503, 504, 599)},
    "204": answer(b"", status=204, framing="none"), "205": answer(b"", status=205), "304": answer(b"", status=304, framing="none"),
    "206 with a range": status(206, Content_Range="bytes 0-9/57"),
    "301 to the person": status(301, b"", Location="/api/persons/" + N.decode()),
    "302 to the person": status(302, b"moved", Location="https://h.example/?n=" + N.decode()),
    "303": status(303, Location="/x"), "307": status(307, Location="/x"), "308": status(308, Location="/x"),
    "401 with a realm": status(401, WWW_Authenticate=f'Basic realm="{N.decode()}"'),
    "405": status(405, Allow="PUT, DELETE"), "429 with a wait": status(429, Retry_After="57"),
    "500 with a stack": answer(b"<h1>NullPointer at " + N + b"</h1>", status=500, content_type="text/html"),
    # what breaks the structure of the document (L38)
    "no body": answer(b""), "only white space": answer(b" \n"), "cut inside": answer(RECORD[:-1]),
    "trailing data": answer(RECORD + b"x"), "two documents": answer(RECORD + RECORD), "a comment": answer(b"/* x */" + RECORD),
    "NaN": answer(b'{"a":NaN,"n":"' + N + b'"}'), "single quotes": answer(b"{'a':1}"), "a bare word": answer(b"yes"),
    "trailing comma": answer(RECORD[:-1] + b",}"), "control character": answer(b'{"n":"\x01' + N + b'"}'),
    "UTF-16": answer(RECORD.decode().encode("utf-16")), "HTML in JSON": answer(b"<p>" + N), "leading zeros": answer(b'{"a":01}'),
    "deep": answer(b"[" * 5000 + b'"' + N + b'"' + b"]" * 5000), "very deep and open": answer(b"[" * 100000),
    # another format, another coding, a type that lies (L43, L44)
    "HTML": answer(b"<p>" + N, content_type="text/html"), "text": answer(RECORD, content_type="text/plain"),
    "XML": answer(b"<a>" + N + b"</a>", content_type="application/xml"), "CSV": answer(b"n\n" + N, content_type="text/csv"),
    "octets": answer(RECORD, content_type="application/octet-stream"), "no type": answer(RECORD, content_type=None),
    "two types": answer(RECORD, headers=[("Content-Type", "text/html")]), "a bad type": answer(RECORD, content_type="json"),
    "another charset": answer(RECORD, content_type="application/json; charset=utf-16"),
    "ASCII that is none": answer(RECORD[:-1] + ',"m":"ż"}'.encode(), content_type="application/json; charset=us-ascii"),
    "gzip": answer(gzip.compress(RECORD), headers=[("Content-Encoding", "gzip")]),
    "said to be gzip": answer(RECORD, headers=[("Content-Encoding", "gzip")]),
    "gzip unsaid": answer(gzip.compress(RECORD)), "br": answer(RECORD, headers=[("Content-Encoding", "br")]),
    "two codings": answer(RECORD, headers=[("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]),
    "PDF": answer(b"%PDF-1.7 " + N, content_type="application/pdf"),
    "multipart": answer(b"--x\r\n\r\n" + RECORD + b"\r\n--x--", content_type="multipart/mixed; boundary=x"),
    "events": answer(b"data: " + RECORD + b"\n\n", content_type="text/event-stream"),
    # cut short (L54)
    "short of its length": raw(OK + LENGTH % (len(RECORD) + 1), RECORD),
    "short, and reset": raw(OK + LENGTH % (len(RECORD) + 9), RECORD, "reset"),
    "no last chunk": raw(OK + b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(RECORD), RECORD)),
    "inside a chunk": raw(OK + b"Transfer-Encoding: chunked", b"fff\r\n" + RECORD),
    "inside the head": Reply(b"HTTP/1.1 200 OK\r\nContent-Type: appl", "close"),
    "reset inside the body": raw(OK + b"Connection: close", RECORD, "reset"),
    # framing that breaks the rules (contract section 5; RFC9112 6.3)
    "length and chunked": raw(OK + b"Transfer-Encoding: chunked\n" + LENGTH % 5, b"0\r\n\r\n"),
    "two lengths": raw(OK + LENGTH % len(RECORD) + b"\n" + LENGTH % 7, RECORD),
    "a list of lengths": raw(OK + b"Content-Length: 7, 7", RECORD), "a hex length": raw(OK + b"Content-Length: 0x10", RECORD),
    "a negative length": raw(OK + b"Content-Length: -1", RECORD), "a huge length": raw(OK + b"Content-Length: " + b"9" * 40, RECORD),
    "gzip, chunked": raw(OK + b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    "an unknown transfer coding": raw(OK + b"Transfer-Encoding: xchunked", RECORD),
    "chunked in 1.0": raw(OK.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked", b"0\r\n\r\n"),
    "a bad chunk size": raw(OK + b"Transfer-Encoding: chunked", b"5x\r\nhello\r\n0\r\n\r\n"),
    "a chunk without end": raw(OK + b"Transfer-Encoding: chunked", b"5\r\nhelloXX0\r\n\r\n"),
    "a huge chunk": raw(OK + b"Transfer-Encoding: chunked", b"f" * 20 + b"\r\n" + RECORD),
    "obs-fold": raw(OK + b"X-A: 1\n " + N + b"\n" + LENGTH % len(RECORD), RECORD),
    "a space before the colon": raw(OK + b"X-A : 1\n" + LENGTH % len(RECORD), RECORD),
    "a field without a colon": raw(OK + N + b"\n" + LENGTH % len(RECORD), RECORD),
    "a control character in a field": raw(OK + b"X-A: \x01\n" + LENGTH % len(RECORD), RECORD),
    "bare LF": Reply(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", "close"),
    "not HTTP": Reply(b"220 ready " + N + b"\r\n\r\n", "close"), "HTTP/0.9": Reply(RECORD + b"\r\n\r\n", "close"),
    "HTTP/2": Reply(b"HTTP/2 200\r\nContent-Length: 2\r\n\r\n{}", "close"),
    "a status of two digits": Reply(b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n{}", "close"),
    "a head over the limit": raw(OK + b"X-A: " + b"a" * 70000 + b"\n" + LENGTH % len(RECORD), RECORD),
    "101": raw(b"HTTP/1.1 101 Switching Protocols\nConnection: upgrade\nUpgrade: websocket", RECORD),
}

# What may stand around a document that is delivered, where the person is; where not, nothing of it (L04-L08, L12, L45-L51).
AROUND = {
    "validators": [("ETag", '"' + N.decode() + '"'), ("Last-Modified", "Sat, 01 Jan 2022 00:00:00 GMT")],
    "digests": [("Content-MD5", "AAAA"), ("Digest", "sha-256=AA=="), ("Repr-Digest", "sha-256=:AA==:"),
                ("Content-Digest", "sha-256=:AA==:"), ("Signature", "x=:AA==:"), ("x-amz-checksum-crc32", "AA==")],
    "links": [("Link", f"</persons/{N.decode()}>; rel=next"), ("Content-Location", f"/persons/{N.decode()}"),
              ("Location", f"/persons/{N.decode()}"), ("Refresh", f"0; url=/{N.decode()}")],
    "cookies": [("Set-Cookie", "last=" + N.decode()), ("Set-Cookie", "n=2")],
    "totals": [("X-Total-Count", "57"), ("Content-Range", "items 0-9/57"), ("X-RateLimit-Remaining", "3")],
    "timing": [("Server-Timing", "db;dur=57"), ("X-Cache", "HIT"), ("Age", "57"), ("X-Debug", N.decode()), ("Via", "1.1 x")],
    "dispositions": [("Content-Disposition", f'attachment; filename="{N.decode()}.json"'), ("Content-Language", "es"),
                     ("Accept-Ranges", "bytes"), ("Vary", "X-Person"), ("Warning", '199 x "' + N.decode() + '"')],
    "our own names": [("Section-1367", "protected; records=1"), ("Warning-Notice", "x"), ("Request-Id", N.decode()),
                      ("Cache-Control", "public, max-age=57"), ("Allow", "GET"), ("Date", "Sat, 01 Jan 2022 00:00:00 GMT")],
    "services": [("Alt-Svc", 'h3=":443"'), ("Strict-Transport-Security", "max-age=1"), ("Upgrade", "h2c"),
                 ("Connection", "X-Debug"), ("X-Debug", N.decode()), ("Keep-Alive", "timeout=57"), ("Trailer", "X-Sum")],
}

DOCUMENTS = [{"path": "/person", "units": ["$"], "miss": MISS}, {"path": "/bare", "units": ["$"]},
             {"path": "/list", "units": ["$[*]"], "miss": {"status": 200, "type": JSON, "body": "[]"}},
             {"path": "/lines", "units": ["$"]}]
CANARY = Canaries(CANARIES)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    upstream = {"config": {"limits": {"depth": 256}}}
    with Twins(tmp_path_factory.mktemp("origin"), DOCUMENTS, PROTECTED, OTHERS, **upstream) as t:
        yield t


def check_miss(twins, at, absent):
    twins.answer_with("/person", at, absent)
    check_restricted(twins, CANARY, lambda kind: request(kind, "/person"), (404, MISS["body"].encode()))


@pytest.mark.parametrize("name", UNDELIVERABLE)
def test_undeliverable_is_the_miss(twins, name):
    check_miss(twins, UNDELIVERABLE[name], GONE)


@pytest.mark.parametrize("name", list(UNDELIVERABLE)[::1 if not SANITIZED else 5])
def test_undeliverable_for_nobody_is_what_a_withheld_record_is(twins, name):
    """The person is delivered where it is; the origin's word for nobody may be any of these."""
    check_miss(twins, answer(RECORD), UNDELIVERABLE[name])
    twins.answer_with("/bare", UNDELIVERABLE[name], answer(RECORD))  # both worlds know the person or answer this
    stream = twins.seen_by("police", ("not at the origin", "knows"), request("police", "/bare", close=True))
    assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [(404, NOT_FOUND)]


@pytest.mark.parametrize("name", UNDELIVERABLE)
def test_the_entitled_are_served_or_refused(twins, name):
    """Never less because it could not be read: another status, format or coding passes; broken framing is refused, and
    what was cut short ends cut short."""
    twins.answer_with("/person", UNDELIVERABLE[name], GONE)
    stream = twins.officer(request("officer", "/person", close=True))
    framed = list(UNDELIVERABLE).index("length and chunked")
    cut = ("short of its length", "short, and reset", "no last chunk", "inside a chunk", "reset inside the body")
    late = ("a bad chunk size", "a chunk without end", "a huge chunk")  # found in the body, after its head
    if name in cut or name in late:
        assert stream.ended != "clean" or stream.raw.endswith(REFUSAL), stream
        return
    if name == "inside the head" or list(UNDELIVERABLE).index(name) >= framed:
        assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [(502, REFUSAL)]
        return
    sent = UNDELIVERABLE[name].partition(b"\r\n\r\n")
    code, head, body = wire.answers(stream.raw)[0]
    assert (code, body) == (int(sent[0].split(b" ")[1]), sent[2])
    assert wire.re.search(rb"(?m)^Section-1367: (protected; records=1|none|uninspected)\r$", head + b"\r\n"), head


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("name", AROUND)
def test_nothing_around_a_document_passes(twins, name, framing):
    body = b"[" + INNOCENT + b", " + RECORD + b"]"
    twins.answer_with("/list", reply(body, JSON, framing, headers=AROUND[name]), answer(b"[" + INNOCENT + b"]"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, b"[" + INNOCENT + b"]"))
    check_miss(twins, reply(RECORD, JSON, framing, headers=AROUND[name]), GONE)
    check_miss(twins, answer(RECORD, status=500, headers=AROUND[name]), GONE)


CHUNKS = [b"%x;x=%s\r\n%s\r\n" % (len(p), N, p) for p in (b"[", INNOCENT[:9], INNOCENT[9:], b", ", RECORD[:30], RECORD[30:], b"]")]
INTERIM = {
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </" + N + b">; rel=preload\r\n\r\n",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "processing, thrice": b"HTTP/1.1 102 Processing\r\nX: " + N + b"\r\n\r\n" + b"HTTP/1.1 102 Processing\r\n\r\n" * 2,
}


@pytest.mark.parametrize("name", INTERIM)
def test_interim_answers_are_swallowed(twins, name):
    twins.answer_with("/list", INTERIM[name] + answer(b"[" + RECORD + b"]"), answer(b"[]"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, b"[]"))


def test_trailers_and_chunk_extensions(twins):
    tail = b"0;x=" + N + b"\r\nX-Sum: " + N + b"\r\nETag: x\r\n\r\n"
    at = OK.replace(b"\n", b"\r\n") + b"Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(CHUNKS) + tail
    twins.answer_with("/list", at, answer(b"[" + INNOCENT + b"]"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, b"[" + INNOCENT + b"]"))


@pytest.mark.parametrize("said", ["Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"',
                                  "application/json; name=" + N.decode() + "; charset=utf-8"])
def test_the_type_is_respelled(twins, said):
    plain = "application/json; charset=utf-8" if "charset" in said else JSON
    twins.answer_with("/list", answer(b"[" + RECORD + b"]", content_type=said), answer(b"[]", content_type=plain))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, b"[]"))


def test_bytes_behind_the_answer_go_nowhere(twins):
    behind = answer(b"[" + INNOCENT + b"]") + answer(RECORD)
    twins.answer_with("/list", Reply(behind), answer(b"[" + INNOCENT + b"]"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, b"[" + INNOCENT + b"]"))


def test_no_answer_at_all_is_refused_in_every_world(twins):
    twins.answer_with("/person", Reply(b"", "close"), Reply(b"", "close"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/person"), (502, REFUSAL))


def test_an_origin_that_dribbles(twins):
    body = json.dumps([json.loads(INNOCENT), json.loads(RECORD)]).encode()
    twins.answer_with("/list", answer(body, framing="chunked"), answer(json.dumps([json.loads(INNOCENT)]).encode()))
    twins.origin.dribble = 0.0002
    try:
        check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, json.dumps([json.loads(INNOCENT)]).encode()))
    finally:
        twins.origin.dribble = None


STALLS = {"inside the body": raw(OK + LENGTH % (len(RECORD) + 1), RECORD, "hang"),
          "inside a chunk": raw(OK + b"Transfer-Encoding: chunked", b"ff\r\n" + RECORD, "hang"),
          "before the last chunk": raw(OK + b"Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(RECORD), RECORD), "hang"),
          "inside an error": raw(b"HTTP/1.1 500 Error\n" + LENGTH % 99, RECORD, "hang"),
          "inside the head": Reply(b"HTTP/1.1 200 OK\r\nContent-Type: appl", "hang")}


def test_an_origin_that_stalls(tmp_path):
    """What was begun and not finished in time is cut short, wherever it stopped; what never began is no answer."""
    patience = "1200ms" if SANITIZED else "300ms"
    with Twins(tmp_path, DOCUMENTS, PROTECTED, OTHERS, timeout=patience) as twins:
        for stall in STALLS.values():
            check_miss(twins, stall, GONE)
        never = Reply(b"", "hang")
        twins.answer_with("/person", never, never)
        for kind in ("police", "anonymous"):
            stream = twins.compare(kind, request(kind, "/person", close=True))
            assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [(502, REFUSAL)]
