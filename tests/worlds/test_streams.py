"""Documents whose units leave one by one, in three worlds: the same bytes, records and ends, whatever size the withheld are,
however the origin's pieces come, and wherever a document breaks off.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: timeout=600
import json
import os
import random

import pytest

import wire
from canary import Canaries
from cases import CANARIES, OTHERS, P, PROTECTED, check_restricted, reply
from worlds import KINDS, NOT_FOUND, Reply, Twins, request

COMMON = {"independent": True}
DOCUMENTS = [{"path": "/list", "units": ["$[*]"], **COMMON}, {"path": "/lines", "units": ["$"], **COMMON},
             {"path": "/items", "units": ["$.items[*]", "$.items[*].kin[*]"], "uniform": ["$.items[*].note"], "texts": ["$.echo"], **COMMON},
             {"path": "/map", "units": ["$.people.*"], **COMMON}]
CANARY = Canaries(CANARIES)
SEED, CASES = int(os.environ.get("GATE1367_SEED", 1)), int(os.environ.get("GATE1367_CASES", 12))


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Twins(tmp_path_factory.mktemp("streams"), DOCUMENTS, PROTECTED, OTHERS, config={"limits": {"record": "32KiB"}}) as t:
        yield t


def somebody(r):
    return {"n": r.randrange(10 ** 5), "text": "x" * r.choice([0, 10, 300, 3000]), "kin": [{"n": i} for i in range(r.randrange(3))]}


def her(r):
    hidden = {"kin": [{"n": 1}, {"id": P["aNumber"]}]} if r.random() < 0.2 else {"aNumber": P["aNumber"]}
    return {"n": 1, **hidden, "text": "y" * r.choice([0, 100, 5000, 20000])}


def document(r, path):
    """(with her, without her, what leaves), as functions of nothing but the seed."""
    records, n = [], r.choice([0, 3, 40, 400])
    for _ in range(n):
        records.append((True, her(r)) if r.random() < 0.3 else (False, somebody(r)))
    if path == "items":  # a kin that is her goes alone
        records = [(gone and "aNumber" in rec, rec) for gone, rec in records]
        less = [dict(rec, kin=[k for k in rec.get("kin", []) if "id" not in k]) for gone, rec in records if not gone]
    else:
        less = [rec for gone, rec in records if not gone]
    if path == "lines":
        at, absent = ["".join(json.dumps(x) + "\n" for x in xs).encode() for xs in ([rec for _, rec in records], less)]
        return at, absent
    indent = r.choice([None, 1, 2])
    made = {"list": lambda xs: xs, "items": lambda xs: {"kind": 1, "items": xs, "end": True},
            "map": lambda xs: {"people": {f"p{x['n']}-{i}": x for i, x in enumerate(xs)}}}[path]
    if path == "map":
        keyed = [(gone, f"p{i}", rec) for i, (gone, rec) in enumerate(records)]
        return (json.dumps({"people": {k: rec for _, k, rec in keyed}}, indent=indent).encode(),
                json.dumps({"people": {k: rec for gone, k, rec in keyed if not gone}}, indent=indent).encode())
    return json.dumps(made([rec for _, rec in records]), indent=indent).encode(), json.dumps(made(less), indent=indent).encode()


@pytest.mark.parametrize("case", range(SEED, SEED + CASES))
@pytest.mark.parametrize("path", ["list", "lines", "items", "map"])
def test_random_documents(twins, path, case):
    r = random.Random(case * 1000 + len(path))
    at, absent = document(r, path)
    kind, framing = "application/x-ndjson" if path == "lines" else "application/json", r.choice(["length", "chunked", "close"])
    twins.answer_with(f"/{path}", reply(at, kind, framing), reply(absent, kind, framing))
    asked = r.choice(list(KINDS))
    stream = twins.compare(asked, request(asked, f"/{path}", close=True))
    (status, _, body), = wire.answers(stream.raw)
    assert status == 200 and body == absent, wire.minimal_difference(body, absent)
    assert stream.ended == "clean"
    CANARY.assert_none(stream.raw, asked)


def test_every_kind_of_recipient_and_the_next_request(twins):
    at, absent = document(random.Random(7), "items")
    twins.answer_with("/items", reply(at, "application/json"), reply(absent, "application/json"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/items"), (200, absent))


OTHER = [{"n": i, "text": "x" * 200} for i in range(300)]
HERS = {"aNumber": P["aNumber"], "text": "y" * 30000}


def broken(kind, records):
    body = json.dumps(records).encode()[:-1]
    whole = lambda b: Reply(reply(b, "application/json"))  # noqa: E731
    if kind == "malformed":
        return whole(body + b", }" + b" " * 100000)
    if kind == "twice":
        return whole(body + b"]]")
    head = b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"%x\r\n%s\r\n" % (len(body), body)
    return Reply(head + chunks + (b"zz\r\n" if kind == "framing" else b""), "close")


@pytest.mark.parametrize("kind", ["malformed", "twice", "cut", "framing"])
@pytest.mark.parametrize("place", ["first", "middle", "last", "everywhere", "beyond"])
def test_what_breaks_off_breaks_off_in_the_same_place(twins, kind, place):
    """She is withheld before the place where the document breaks: how far it got must not tell."""
    at = {"first": [HERS, *OTHER], "middle": [*OTHER[:150], HERS, *OTHER[150:]], "last": [*OTHER, HERS],
          "everywhere": [x for o in OTHER for x in (o, dict(HERS, text=""))], "beyond": [*OTHER[:20], HERS, HERS]}[place]
    absent = [x for x in at if "aNumber" not in x]
    twins.answer_with("/list", broken(kind, at), broken(kind, absent))
    stream = twins.compare("police", request("police", "/list", close=place == "beyond"))
    if place == "beyond":  # not a chunk of it is visible: it is the document's miss
        assert wire.answers(stream.raw)[0][::2] == (404, NOT_FOUND)
    else:
        assert stream.ended == "cut" and stream.raw.startswith(b"HTTP/1.1 200") and not stream.raw.endswith(b"0\r\n\r\n")
    CANARY.assert_none(stream.raw, place)


def test_a_line_of_hers_that_does_not_parse(twins):
    others = b"".join(json.dumps(x).encode() + b"\n" for x in OTHER)
    at = others[:30000].rpartition(b"\n")[0] + b"\n" + b'{"aNumber": "A917345628", "x\n'
    rest = others[len(others[:30000].rpartition(b"\n")[0]) + 1:]
    twins.answer_with("/lines", reply(at + rest, "application/x-ndjson"), reply(others, "application/x-ndjson"))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/lines"), (200, others))


def test_head(twins):
    for n in (2, 300):
        at, absent = json.dumps([HERS, *OTHER[:n], HERS]).encode(), json.dumps(OTHER[:n]).encode()
        twins.answer_with("/list", reply(at, "application/json"), reply(absent, "application/json"))
        stream = twins.compare("police", request("police", "/list", "HEAD", close=True))
        assert stream.ended == "clean" and stream.raw.endswith(b"\r\n\r\n")
        assert (b"Transfer-Encoding: chunked" in stream.raw) == (n == 300)


def test_nobody_but_her(twins):
    for n in (1, 100):
        at = json.dumps([HERS] * n, indent=1).encode()
        twins.answer_with("/list", reply(at, "application/json"), reply(b"[]", "application/json"))
        check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, b"[]"))


def test_http_1_0(twins):
    at, absent = json.dumps([HERS, *OTHER, HERS]).encode(), json.dumps(OTHER).encode()
    twins.answer_with("/list", reply(at, "application/json"), reply(absent, "application/json"))
    stream = twins.compare("police", request("police", "/list", version="1.0"))
    assert stream.ended == "clean" and stream.raw.endswith(absent) and b"chunked" not in stream.raw
