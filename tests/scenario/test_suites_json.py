"""JSONTestSuite through the gateway: restricted recipients get what every reader reads alike, entitled ones every byte."""
# ctest: timeout=300
import gzip
import json

import pytest

import suites
from harness.client import OFFICER, POLICE, Client
from harness.origin import answer

pytestmark = pytest.mark.whole("hundreds of vectors of another suite, which are about types and values")

NOT_FOUND = b'{"type":"about:blank","title":"Not Found","status":404}'
# Findings of the contract (section 5) in what the suite calls good: one name twice, NUL in a name.
DUPLICATES = ("y_object_duplicated_key", "y_object_escaped_null_in_key", "object_same_key")


def chunked(body, size):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [body[i:i + size] for i in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


FRAMINGS = {
    "length": answer,
    "one": lambda body: chunked(body, 1),
    "seven": lambda body: chunked(body, 7),
    "gzip": lambda body: answer(gzip.compress(body), headers=[("Content-Encoding", "gzip")]),
}


def expected(v):
    """(status, body) for a restricted recipient, or None where the contract leaves both."""
    name = v.name.rsplit("/", 1)[1]
    if any(name.startswith(d) for d in DUPLICATES):
        return 404, NOT_FOUND
    if v.verdict in ("PASS", "PASS-EXACT"):
        return 200, v.bytes
    if v.verdict == "EITHER":
        return None
    # A root array stands where its elements alone cannot be read; UTF-16 is no array to a reader of UTF-8.
    element = name.startswith(("i_string", "string_")) and v.bytes[:1] == b"[" and b"\0" not in v.bytes
    return (200, b"[]") if element else (404, NOT_FOUND)


def ask(lane, framing, body, who):
    lane.origin.respond = lambda r: FRAMINGS[framing](body) if r.target == "/x" else answer(b"[]")
    with Client(lane.gateway.port, who) as c:
        return c.get("/x")


def restricted(lane, item):
    v, framing = item
    r = ask(lane, framing, v.bytes, POLICE)
    wanted = (404, NOT_FOUND) if framing == "gzip" else expected(v)
    got = (r.status, r.body)
    if wanted is None:
        wanted = got if got in ((200, v.bytes), (200, b"[]"), (404, NOT_FOUND)) else "one of the three answers there are"
    return None if got == wanted and r.complete else f"{got}, not {wanted}"


def entitled(lane, item):
    v, framing = item
    r = ask(lane, framing, v.bytes, OFFICER)
    same = (gzip.decompress(r.body) if framing == "gzip" else r.body) == v.bytes
    mark = r.header("Section-1367")
    if v.bytes == b"":
        marked = mark in ("none", "uninspected")  # there is nothing to read
    elif framing == "gzip" or "/n_" in v.name:
        marked = mark == "uninspected"
    else:
        marked = mark == "none" if expected(v) == (200, v.bytes) else mark is not None
    return None if same and r.complete and r.status == 200 and marked else f"{r.status} {r.body[:80]!r} {mark}"


class Item(tuple):
    @property
    def name(self):
        return f"{self[0].name} ({self[1]})"


@pytest.mark.parametrize("how", [restricted, entitled])
def test_json(tmp_path, how):
    #= RFC8259 2
    #= RFC8259 4
    #= RFC8259 8.1
    todo = [Item((v, f)) for v in suites.vectors("json-testsuite") for f in FRAMINGS]
    with suites.lanes(tmp_path, b"[]") as made:
        problems = suites.play(made, todo, how)
        assert not problems, f"{len(problems)} of {len(todo)}:\n" + "\n".join(problems)
        for lane in made:
            assert lane.gateway.children("worker") == lane.workers
            assert lane.gateway.stop() == 0
            if how is entitled:
                continue
            entries = [e for e in lane.gateway.entries() if e["event"] in ("disclosure", "refusal")]
            assert len(entries) == len(lane.origin.requests)  # restricted: each on record


@pytest.mark.parametrize("shape", ["array", "object", "text/plain; charset=utf-8", "text/csv"])
def test_utf8(tmp_path, shape):
    """Byte sequences of the UTF-8 suite as a JSON string, and in formats that nobody reads yet."""
    #= RFC3629 3
    wrap = {"array": lambda b: b'["' + b + b'"]', "object": lambda b: b'{"v":"' + b + b'"}'}.get(shape, lambda b: b)
    kind = "application/json" if shape in ("array", "object") else shape

    def wanted(v):
        if kind != "application/json":
            return 404, NOT_FOUND
        if any(c < 0x20 or c in b'"\\' for c in v.bytes):
            return 404, NOT_FOUND  # no JSON string, whatever its encoding
        if v.verdict == "PASS":
            assert json.loads(wrap(v.bytes).decode())
            return 200, wrap(v.bytes)
        return (200, b"[]") if shape == "array" else (404, NOT_FOUND)

    def one(lane, v):
        body = wrap(v.bytes)
        lane.origin.respond = lambda r: answer(body, content_type=kind)
        with Client(lane.gateway.port, POLICE) as c:
            r = c.get("/x")
        with Client(lane.gateway.port, OFFICER) as c:
            o = c.get("/x")
        if o.body != body or o.status != 200 or (kind != "application/json" and o.header("Section-1367") != "uninspected"):
            return f"entitled: {o.raw}"
        return None if (r.status, r.body) == wanted(v) else f"{r.status} {r.body}, not {wanted(v)}"

    todo = [v for v in suites.vectors("text-utf8") if "/cases/" in v.name]
    with suites.lanes(tmp_path, b"[]") as made:
        problems = suites.play(made, todo, one)
        assert not problems, f"{len(problems)} of {len(todo)}:\n" + "\n".join(problems)
