"""The second implementation (tests/worlds/second/) where names say what values are: labels in every spelling, members that inherit them,
members that say it of those beside them, and everybody registered by the kind that is meant alone.
GATE1367_CASES=100000 as many documents, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: release
# ctest: timeout=7200
import json
import os

import pytest

import test_second
from second import generate, named
from second.judge import World
from second.names import Named, canonical
from test_second import EXPRESSIONS, Asked, disagreement, limits_of

CASES = int(os.environ.get("GATE1367_CASES", 1200))
SEED = int(os.environ.get("GATE1367_SEED", 1))
BATCH, ENTRIES = 1200, 40


class NamedWorld(Named, World):
    pass


def people():
    for i, (kind, value) in enumerate(named.REGISTERED):
        yield {"subject": f"N-{i}", "cases": [{"id": f"N-{i}", "benefit": "U", "role": "principal", "status": "pending"}],
               "identifiers": [{"kind": kind, "value": value}]}


PEOPLE = test_second.PEOPLE + "".join(json.dumps(p) + "\n" for p in people())
WORLD = NamedWorld([*generate.NUMBERS, *(canonical(k, v) for k, v in named.REGISTERED)], generate.SURROGATES, EXPRESSIONS, {})


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_second_names(tmp_path, batch):
    rng = generate.Random(f"names {SEED} {batch}")
    with Asked(tmp_path, [named.Entry(rng, n) for n in range(ENTRIES)], PEOPLE) as asked:
        for i in range(BATCH):
            entry = asked.entries[i % len(asked.entries)]
            raw = generate.body(generate.Random(f"{SEED} {batch} {i}"), entry)
            cuts = sorted(rng.randrange(len(raw) + 1) for _ in range(rng.choice([0, 0, 1, 3])))
            differs = disagreement(asked, entry, raw, cuts, limits_of(rng), WORLD)
            assert differs is None, f"seed {SEED} batch {batch} case {i}: {entry.declared}\n{raw!r}\n{differs}"
