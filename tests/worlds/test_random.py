"""Randomised populations and document shapes through the whole gateway: a profile of random shapes a run, several documents a
shape, every kind of restricted recipient by turns; equal in three worlds, and equal to what the generator writes for nobody. The
entitled get the origin's bytes. GATE1367_SEED=N runs one seed; GATE1367_CASES=100000 as many documents. At the limits:
test_random_edges.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: timeout=7200
import os
import time

import pytest

import shapes
import wire
from canary import Canaries
from cases import reply
from harness.gateway import SANITIZED
from worlds import ABSENT, AT, KINDS, WORLDS, Twins, person, request

SHAPES = 45
CASES = int(os.environ.get("GATE1367_CASES", 400 if SANITIZED else 5000))
SEEDS = [int(os.environ["GATE1367_SEED"])] if "GATE1367_SEED" in os.environ else [1, 2] if SANITIZED else [1, 2, 3, 4]
BATCH = 40
SCANNED = 8 << 20  # bytes of the ledger, at both ends
FRAMINGS = ("length", "chunked", "close")


def registry_lines(population):
    return [person(p["aNumber"], f"S-{i}", receipt=p["receipt"], ssn=p["ssn"], passport=p["passport"], person_id=p["personId"])
            for i, p in enumerate(population.people)]


def make_cases(seed, documents, population, begin, end):
    """(path, document, built) of each, in order: what one draws of the population is not drawn again."""
    made = []
    for i in range(begin, end):
        document = documents[i % len(documents)]
        built = shapes.Builder(document, population, shapes.Random(f"{seed} {i}")).build()
        made.append((f"/shape{document.number}/{i}", document, built))
    return made


def wanted_of(document, built):
    return document.missed() if built.planted else (200, built.body(shapes.WANTED))


def tell(twins, cases, framing):
    gone = reply('{"m":"none"}', "application/json", status=404)
    for path, document, built in cases:
        absent = gone if built.planted else reply(built.body(shapes.WITHOUT), document.content_type, framing)
        twins.answer_with(path, reply(built.body(shapes.WITH), document.content_type, framing), absent)


def pipeline(kind, cases):
    last = len(cases) - 1
    return b"".join(request(kind, path, close=i == last) for i, (path, _, _) in enumerate(cases))


def explain(seed, kind, world, case, got, wanted):
    path, document, built = case
    return (f"seed {seed} {path} {kind} {world}: {got[0]} instead of {wanted[0]}, "
            f"{wire.minimal_difference(got[1], wanted[1])}\nprofile: {document.declaration()}\n"
            f"with:    {built.body(shapes.WITH)[:3000]!r}\nwithout: {built.body(shapes.WITHOUT)[:3000]!r}")


def check_batch(twins, seed, kind, cases):
    data = pipeline(kind, cases)
    streams = [twins.seen_by(kind, world, data) for world in WORLDS]
    for world, stream in zip(WORLDS, streams):
        got = [(s, b) for s, _, b in wire.answers(stream.raw)]
        assert len(got) == len(cases), f"seed {seed}: {len(got)} answers to {len(cases)} requests"
        for case, one in zip(cases, got):
            wanted = wanted_of(case[1], case[2])
            assert one == wanted, explain(seed, kind, world, case, one, wanted)
    first = streams[0].seen()
    for world, stream in zip(WORLDS[1:], streams[1:]):
        assert stream.seen() == first, f"seed {seed} {kind} {world}: the streams differ beside their bodies"
    return streams[0].raw


def check_officer(twins, seed, cases):
    got = wire.answers(twins.officer(pipeline("officer", cases)).raw)
    for (path, document, built), (status, head, body) in zip(cases, got):
        sent = built.body(shapes.WITH)
        assert (status, body) == (200, sent), f"seed {seed} {path} officer: {wire.minimal_difference(body, sent)}"
        section = wire.re.search(rb"(?m)^Section-1367: ([^\r]*)", head).group(1).decode()
        if built.found is not None:
            said = f"protected; records={built.found}" if built.found else "none"
            assert section == said, f"seed {seed} {path}: {section}, not {said}\n{document.declaration()}\n{sent!r}"


@pytest.mark.parametrize("seed", SEEDS)
def test_random_worlds(tmp_path, seed):
    began = time.monotonic()
    population = shapes.Population(shapes.Random(seed), 60)
    documents = shapes.documents(seed, SHAPES)
    canaries = Canaries(population.canaries())
    count, withheld = CASES // len(SEEDS), 0
    kinds = list(KINDS)
    with Twins(tmp_path, [d.declaration() for d in documents], registry_lines(population)) as twins:
        for at in range(0, count, BATCH):
            batch = make_cases(seed, documents, population, at, min(at + BATCH, count))
            withheld += sum(built.body(shapes.WITH) != built.body(shapes.WITHOUT) for _, _, built in batch)
            twins.replies.clear(), twins.origin.requests.clear()
            tell(twins, batch, FRAMINGS[at // BATCH % 3])
            turn, some = at // BATCH, at // BATCH % 4 == seed % 4  # what is looked at in each batch is equal to what was wanted
            raw = check_batch(twins, seed, kinds[turn % 4], batch)
            if some or SANITIZED:
                canaries.assert_none(raw, f"what {kinds[turn % 4]} got, seed {seed}")
                check_officer(twins, seed, batch)
        for gw in twins.gateways.values():
            written = gw.raw_ledger()
            canaries.assert_none(written[:SCANNED] + written[-SCANNED:] + gw.stderr().encode(), f"ledger or log, seed {seed}")
    assert withheld > count / 3, "a generator that plants nobody tests nothing"
    print(f"seed {seed}: {count} documents of {len(documents)} shapes, {withheld} of them with somebody withheld, "
          f"{time.monotonic() - began:.1f} s" + (" (fewer under sanitizers)" if SANITIZED else ""))


def test_the_generator_covers_what_it_claims():
    """Every declaration occurs, and every case can be made again from its seed."""
    made = [d.declaration() for seed in SEEDS for d in shapes.documents(seed, SHAPES)]
    for name in ("counts", "complete", "uniform", "texts", "allow", "miss"):
        assert sum(name in d for d in made) >= len(made) / 10, name
    assert any(isinstance(u, dict) for d in made for u in d["units"])
    assert max(len(u if isinstance(u, str) else u["path"]) for d in made for u in d["units"]) > 25
    bodies = []
    for _ in range(2):
        population = shapes.Population(shapes.Random(1), 60)
        cases = make_cases(1, shapes.documents(1, SHAPES), population, 0, 50)
        bodies.append([b.body(w) for _, _, b in cases for w in (shapes.WITH, shapes.WITHOUT, shapes.WANTED)])
    assert bodies[0] == bodies[1]
