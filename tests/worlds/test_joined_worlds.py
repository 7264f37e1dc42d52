"""Links and graphs in three worlds: random documents, of which the origin without her is what a second implementation
leaves. GATE1367_SEED, GATE1367_CASES as elsewhere.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
import json
import os
import random

from canary import Canaries
from cases import reply
from harness.gateway import SANITIZED
from harness.joined import (A_NUMBERS, GRAPH, LINKED, PEOPLE, UNITS, Grower, Tree, compact, link_document, linked, without,
                            write)
from worlds import KINDS, NOT_FOUND, WORLDS, Twins, request
import wire

CASES = int(os.environ.get("GATE1367_CASES", 25 if SANITIZED else 60))
SEED = int(os.environ.get("GATE1367_SEED", 1))


def links(rng):
    """(with her, without her, what is delivered or None)"""
    document = link_document(rng)
    left = write(without(document, linked(document))).encode()
    return write(document).encode(), left, left


def graph(rng):
    document = Grower(rng).document()
    tree = Tree(document)
    gone = tree.decide()
    if None in gone or tree.things[0] in gone:
        return compact(document), None, None
    left = compact(tree.without(document, gone))
    return compact(document), left, left


def pipeline(kind, paths):
    return b"".join(request(kind, p, close=p == paths[-1]) for p in paths)


def test_joined(tmp_path):
    rng = random.Random(SEED)
    documents = [{"path": "/links/{n}", **LINKED}, {"path": "/graph/{n}", "units": UNITS, "graph": GRAPH}]
    cases = {f"/{make.__name__}/{n}": make(rng) for n in range(CASES) for make in (links, graph)}
    missing = reply('{"m":"none"}', "application/json", status=404)
    canaries = Canaries([a[1:] for a in A_NUMBERS])
    with Twins(tmp_path, documents, [json.loads(line) for line in PEOPLE.splitlines()]) as twins:
        for path, (at, absent, _) in cases.items():
            twins.answer_with(path, reply(at, "application/json"),
                              missing if absent is None else reply(absent, "application/json"))
        paths = list(cases)
        for kind in KINDS:
            streams = [twins.seen_by(kind, world, pipeline(kind, paths)) for world in WORLDS]
            for path, (status, _, body) in zip(paths, wire.answers(streams[0].raw)):
                wanted = (404, NOT_FOUND) if cases[path][2] is None else (200, cases[path][2])
                assert (status, body) == wanted, f"{path} {kind}: {cases[path][0]}"
            for stream in streams[1:]:
                assert stream.seen() == streams[0].seen(), f"{kind}: the streams differ"
            canaries.assert_none(streams[0].raw, kind)
        for path, (status, _, body) in zip(paths, wire.answers(twins.officer(pipeline("officer", paths)).raw)):
            assert (status, body) == (200, cases[path][0]), path
        for gw in twins.gateways.values():
            canaries.assert_none(gw.raw_ledger() + gw.stderr().encode(), "ledger or log")
