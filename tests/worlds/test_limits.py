"""Limits are judged on what stays visible: one byte, one level, one record over or under, with somebody beside it or not.
The raw bound of twice a limit and what is over in every world are undeliverable.

    #= ICE10036.2 2.1
"""
# ctest: timeout=600
import json

import pytest

import wire
from canary import Canaries
from cases import CANARIES, MISS, OTHERS, P, PROTECTED, check_restricted, reply
from harness.origin import answer
from worlds import NOT_FOUND, Twins, request

RECORD, DOCUMENT, DEPTH = 1024, 4096, 16
VIC = {"aNumber": P["aNumber"], "name": "Vic"}
DOCUMENTS = [{"path": "/list", "units": ["$.items[*]", "$.items[*].associates[*]"], "miss": MISS},
             {"path": "/record", "units": ["$", "$.associates[*]"], "miss": MISS}, {"path": "/bare", "units": ["$[*]"]},
             {"path": "/lines", "units": ["$"]}, {"path": "/tree", "units": ["$.a..p"], "miss": MISS}]
CANARY = Canaries(CANARIES)
MISSED = (404, MISS["body"].encode())


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    limits = {"record": "1KiB", "document": "4KiB", "depth": DEPTH}
    with Twins(tmp_path_factory.mktemp("limits"), DOCUMENTS, PROTECTED, OTHERS, config={"limits": limits}) as t:
        yield t


def check(twins, path, at, absent, wanted, content_type="application/json", framing="length"):
    """wanted: a body, or (status, body)."""
    gone = answer(b'{"m":"none"}', status=404)
    twins.answer_with(path, reply(at, content_type, framing), gone if absent is None else reply(absent, content_type, framing))
    check_restricted(twins, CANARY, lambda kind: request(kind, path), wanted if isinstance(wanted, tuple) else (200, wanted))


def entitled(twins, path, at, says, content_type="application/json"):
    twins.answer_with(path, reply(at, content_type), answer(b""))
    code, head, body = wire.answers(twins.officer(request("officer", path, close=True)).raw)[0]
    assert (code, body) == (200, at), wire.minimal_difference(body, at)
    assert f"\r\nSection-1367: {says}\r\n".encode() in head + b"\r\n", head


def sized(n, *people):
    """A list document of exactly n bytes: records of at most 800 of them, and the people at its front."""
    records, body = list(people), b""
    while True:
        records.append({"pad": ""})
        body = json.dumps({"items": records}).encode()
        missing = n - len(body)
        if missing < 0:
            raise ValueError(n)
        records[-1]["pad"] = "x" * min(missing, 700)
        if missing <= 700:
            return json.dumps({"items": records}).encode()


def without_people(body, n):
    records = json.loads(body)["items"][n:]
    return json.dumps({"items": records}).encode()


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("people", [0, 1, 8])
def test_document(twins, over, people, framing):
    """The visible size decides, however much is withheld beside it."""
    extra = len(json.dumps([{**VIC, "n": "y" * 200}] * people)) if people else 0
    at = sized(DOCUMENT + over + extra, *[{**VIC, "n": "y" * 200}] * people)
    absent = without_people(at, people)
    assert len(absent) == DOCUMENT + over + (0 if not people else extra - people * (len(json.dumps({**VIC, "n": "y" * 200})) + 2))
    fits = len(absent) <= DOCUMENT
    check(twins, "/list", at, absent, absent if fits else MISSED, framing=framing)
    if framing != "length":
        return
    # documents over the limit are still read for the entitled up to twice of it
    readable = len(at) <= 2 * DOCUMENT
    entitled(twins, "/list", at, "uninspected" if not readable else f"protected; records={people}" if people else "none")


@pytest.mark.parametrize("size", [2 * DOCUMENT, 2 * DOCUMENT + 1, 20 * DOCUMENT])
def test_document_over_in_every_world(twins, size):
    body = sized(size)
    check(twins, "/list", body, body, MISSED)
    check(twins, "/bare", json.dumps(["x" * 500] * 40).encode(), json.dumps(["x" * 500] * 40).encode(), (404, NOT_FOUND))
    if size > 2 * DOCUMENT:
        entitled(twins, "/list", body, "uninspected")


def record_of(n, **more):
    made = json.dumps({**more, "pad": ""})
    return {**more, "pad": "z" * (n - len(made))}


@pytest.mark.parametrize("over", [-1, 0, 1, 2, RECORD - 1, RECORD])
def test_record(twins, over):
    """An oversized record is withheld, and so is as if it were not there, in any world."""
    big, small = record_of(RECORD + over), {"pad": "s"}
    assert len(json.dumps(big)) == RECORD + over
    kept = [small] if over > 0 else [big, small]
    wanted = json.dumps({"items": kept}).encode()
    check(twins, "/list", json.dumps({"items": [big, VIC, small]}).encode(), json.dumps({"items": [big, small]}).encode(), wanted)
    check(twins, "/lines", "\n".join(map(json.dumps, [VIC, big, small])).encode(), "\n".join(map(json.dumps, [big, small])).encode(),
          "\n".join(map(json.dumps, kept)).encode(), "application/x-ndjson")
    check(twins, "/record", json.dumps(big).encode(), json.dumps(big).encode(), MISSED if over > 0 else json.dumps(big).encode())


@pytest.mark.parametrize("over", [-1, 0, 1, 300])
def test_record_that_is_large_for_what_is_withheld_in_it(twins, over):
    """Somebody inside makes the record oversized; what stays of it decides."""
    at = record_of(RECORD + over, associates=[{**VIC, "n": "q" * 400}, {"name": "Ann"}])
    absent = {**at, "associates": [{"name": "Ann"}]}
    wanted = json.dumps({"items": [absent]}).encode()
    check(twins, "/list", json.dumps({"items": [at]}).encode(), wanted, wanted)
    check(twins, "/record", json.dumps(at).encode(), json.dumps(absent).encode(), json.dumps(absent).encode())


@pytest.mark.parametrize("over", [0, 1])
def test_oversized_on_its_own_account(twins, over):
    """What stays is one over, with somebody inside or not."""
    absent = record_of(RECORD + over, associates=[])
    at = {**absent, "associates": [VIC]}
    check(twins, "/record", json.dumps(at).encode(), json.dumps(absent).encode(), MISSED if over else json.dumps(absent).encode())


def nested(n, inside="1"):
    return "[" * n + inside + "]" * n


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("beside", [0, 1, DEPTH - 3])
def test_depth(twins, over, beside):
    """Levels that stay count; what is withheld may be deeper by as much again."""
    plain = '{"a":{"k":' + nested(DEPTH + over - 2) + "}"
    person = ',"b":0'
    at = plain[:-1] + (',"p":{"n":"%s","d":%s}' % (P["aNumber"], nested(DEPTH + beside - 3)) if beside else "") + "}" + person + "}"
    absent = plain + person + "}"
    check(twins, "/tree", at.encode(), absent.encode(), absent.encode() if over <= 0 else MISSED)


def test_depth_over_in_every_world(twins):
    for n in (DEPTH + 1, 2 * DEPTH, 2 * DEPTH + 1, 2000):
        check(twins, "/tree", nested(n).encode(), None, MISSED)
        check(twins, "/tree", nested(n, json.dumps(VIC)).encode(), nested(n).encode(), MISSED)
    entitled(twins, "/tree", nested(1000).encode(), "uninspected")
    entitled(twins, "/tree", nested(2 * DEPTH - 1, json.dumps(VIC)).encode(), "protected; records=1")
