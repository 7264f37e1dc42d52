"""Fields of the head that a profile lets through (contract section 5): the same bytes in three worlds, whatever the origin
says beside them; one in which something is found withholds the answer.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
import json

import pytest

import wire
from canary import Canaries
from cases import CANARIES, OTHERS, P, PROTECTED, Case, numbered, reply
from worlds import ABSENT, AT, KINDS, NEXT_BODY, NOT_FOUND, Twins, followed, request

LIST = {"units": ["$.items[*]"], "headers": ["X-Served-By", "Content-Language", "x-region", "X-Alien-Number"]}
HER = json.dumps({"items": [{"aNumber": P["aNumber"]}, {"n": 1}]})
NOBODY = '{"items": [{"n": 1}]}'
SAME = [("X-Region", "west"), ("content-language", "en"), ("X-SERVED-BY", "b"), ("Content-Language", "es")]
WANTED = [b"X-Served-By: b", b"Content-Language: en", b"Content-Language: es", b"x-region: west"]
WANTED = [WANTED[1], WANTED[2], WANTED[3], WANTED[0]]  # by name, whatever the origin's order
FINDINGS = {"plain": ("X-Region", P["aNumber"]), "bare under its label": ("x-alien-number", P["aNumber"][1:]),
            "encoded": ("Content-Language", "%41" + P["aNumber"][1:]), "marker": ("X-Region", "filed I-918"),
            "second": ("X-Region", "west, " + P["receipt"])}


def cases():
    out = [Case("listed", LIST, HER, NOBODY, NOBODY), Case("not listed", {"units": ["$.items[*]"]}, HER, NOBODY, NOBODY),
           Case("none sent", LIST, HER, NOBODY, NOBODY)]
    return numbered(out + [Case(name, LIST, NOBODY, NOBODY, None) for name in FINDINGS])


CASES = cases()
WITH = {"listed": SAME, "not listed": SAME, "none sent": [],
        **{name: [("X-Served-By", "b"), field] for name, field in FINDINGS.items()}}
# what depends on who is there, and never passes
TELLING = {AT: [("ETag", '"2"'), ("X-Total-Count", "2"), ("Link", "</2>; rel=next"), ("X-Who", P["aNumber"])],
           ABSENT: [("ETag", '"1"'), ("X-Total-Count", "1")]}


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    documents = [d for c in CASES for d in c.documents()]
    with Twins(tmp_path_factory.mktemp("headers"), documents, PROTECTED, OTHERS) as t:
        for c in CASES:
            missing = reply('{"m":"none"}', "application/json", status=404)
            at = reply(c.at, "application/json", headers=WITH[c.name] + TELLING[AT])
            absent = reply(c.absent, "application/json", headers=WITH[c.name] + TELLING[ABSENT])
            t.answer_with(c.target(), at, missing if c.expect is None else absent)
        yield t


def fields(head):
    ours = (b"HTTP/", b"Date:", b"Content-Type:", b"Content-Length:", b"Cache-Control:", b"Request-Id:", b"Connection:")
    return [line for line in head.split(b"\r\n") if line and not line.startswith(ours)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_three_worlds(twins, case):
    for kind in KINDS:
        stream = twins.compare(kind, followed(kind, request(kind, case.target())))
        got = wire.answers(stream.raw)
        status, head, body = got[0]
        assert (status, body) == ((404, NOT_FOUND) if case.expect is None else (200, case.expect.encode())), kind
        assert fields(head) == (WANTED if case.name == "listed" else []), head
        assert got[1][2] == NEXT_BODY
        Canaries(CANARIES).assert_none(stream.raw, kind)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_entitled_get_the_origins(twins, case):
    status, head, body = wire.answers(twins.officer(request("officer", case.target(), close=True)).raw)[0]
    assert (status, body) == (200, case.at.encode())
    for name, value in WITH[case.name] + TELLING[AT]:
        assert f"\r\n{name}: {value}\r\n".encode() in head + b"\r\n"
    assert b"\r\nSection-1367: protected; records=1\r\n" in head + b"\r\n"


def test_head_and_canonical_answers_carry_the_same(twins):
    case = CASES[0]
    head = wire.answers(twins.seen_by("police", (AT, "knows"), request("police", case.target(), "GET", close=True)).raw)[0][1]
    raw = twins.seen_by("police", (AT, "knows"), request("police", case.target(), "HEAD", close=True)).raw
    assert fields(raw.partition(b"\r\n\r\n")[0]) == fields(head) == WANTED
