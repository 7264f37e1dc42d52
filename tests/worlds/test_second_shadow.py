"""The second implementation (tests/worlds/second/) against profiles in shadow: a second profile of the same answers, as random as the
one in force, changes no byte, and a review is opened where it would have withheld something of which some byte leaves.
GATE1367_CASES=100000 a fortieth as many documents, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: release
# ctest: timeout=3600
import copy
import json
import os
import re

import pytest

import wire
from harness.gateway import ROOT, Gateway
from harness.origin import Origin, answer
from second import generate
from second.judge import ALL, Profile, Undeliverable, World, judged
from second.writer import Writer, begin, delivered, units_around
from test_second import CODES, EXPRESSIONS, MEDIA, PEOPLE, SITE, mended
from test_second_gateway import Fresh
from worlds import NOT_FOUND, request

SEED = int(os.environ.get("GATE1367_SEED", 1))
CASES = int(os.environ.get("GATE1367_CASES", 16000)) // 40
BATCH, ENTRIES, PIPELINE = 400, 40, 40


class Entry(generate.Entry):
    """What only decides about units."""

    def __init__(self, rng, number, like=None):
        super().__init__(rng, number, like)
        self.on_finding, self.example = "withhold", None
        for name in ("allow", "pseudonyms", "only", "graph", "counts", "complete", "independent", "cursors", "miss", "columns"):
            self.declared.pop(name, None)
        self.declared["units"] = [u for u in self.declared.get("units", []) if isinstance(u, str)]
        self.declared["query"] = {"x": "any"}


def profile(which, entries, **more):
    return {"id": which, "title": "Anything", "system": "earm", "documents": [e.declared for e in entries], **more}


class Asked:
    def __init__(self, directory, pairs):
        self.replies, self.origin = {}, Origin(lambda r: self.replies[r.path])
        both = [profile("now", [e for e, _ in pairs]), profile("next", [s for _, s in pairs], mode="shadow")]
        (directory / "second.json").write_text(json.dumps({"format": 1, "pack": "second", "version": "1", "markers": SITE, "profiles": both}))
        self.gateway = Gateway(directory, self.origin.url, protected=[json.loads(line) for line in PEOPLE.splitlines()],
                               routes=[{"path": "/", "upstream": "records", "profile": "now"}],
                               packs=[str(ROOT / "rules/section-1367.json"), "second.json"])

    def ask(self, paths):
        data = b"".join(request("police", p, prefix="", close=p == paths[-1]) for p in paths)
        return wire.answers(wire.talk(self.gateway.port, "state-police", data).raw)

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.gateway.__exit__(*a)
        self.origin.close()


def shows(writers, node):
    """Whether any byte of it leaves."""
    while node is not None:
        if any(node in w.hidden for w in writers):
            return False
        node = node.parent
    return True


def released(now, shadow, world, raw, out):
    """Outermost units that the shadow would have withheld and that leave; None: it cannot be read."""
    if not out:
        return 0
    try:
        trial = [j for *_, j in judged(shadow, copy.deepcopy(world), raw) if j]  # it shows nobody to others
    except Undeliverable:
        return None
    if any(ALL in j.gone for j in trial):
        return 1
    writers = [Writer(j, raw) for *_, j in judged(now, world, raw) if j]
    begin(writers)
    by_place = {(n.begin, n.end): n for w in writers for n in w.judge.all(w.judge.root)}
    return sum(shows(writers, by_place[u.begin, u.end]) for j in trial for u in j.gone if j.gone.isdisjoint(units_around(u)))


def check(asked, world, cases):
    """cases: [(path, entry, shadow, raw)]"""
    wanted, got = {}, {}
    for path, entry, shadow, raw in cases:
        now, trial = (Profile(e.declared, lines=e.lines) for e in (entry, shadow))
        out, _ = delivered(now, world, raw)
        wanted[path] = out, released(now, trial, world, raw, out)
    for (path, entry, shadow, raw), (status, head, body) in zip(cases, asked.ask([p for p, *_ in cases]), strict=True):
        out, _ = wanted[path]
        assert (status, body) == ((404, NOT_FOUND) if out is None else (200, out)), f"seed {SEED} {path} {entry.declared}\n{raw!r}\n{wire.minimal_difference(body, out or b'')}"
        got[path] = re.search(rb"Request-Id: (\S+)", head)[1].decode()
    reviews = {e["request"]: e for e in asked.gateway.entries() if e["outcome"] == "shadow"}
    for path, entry, shadow, raw in cases:
        review, units = reviews.get(got[path]), wanted[path][1]
        found = review["rules"]["next"] if review else 0
        if units is not None and found != units:
            pytest.fail(f"seed {SEED} {path} {entry.declared}\n{shadow.declared}\n{raw!r}\n{found}, not {units}", pytrace=False)


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_second_in_shadow(tmp_path, batch):
    rng = generate.Random(f"shadow {SEED} {batch}")
    entries = mended(tmp_path, [Entry(rng, n) for n in range(ENTRIES)])
    shadows = {s.number: s for s in mended(tmp_path, [Entry(rng, e.number, e) for e in entries])}
    pairs = [(e, shadows[e.number]) for e in entries if e.number in shadows]
    world = World(generate.NUMBERS, generate.SURROGATES, EXPRESSIONS, CODES, suspects=True)
    with Asked(tmp_path, pairs) as asked:
        for at in range(0, BATCH, PIPELINE):
            cases = []
            for i in range(at, at + PIPELINE):
                entry, shadow = pairs[i % len(pairs)]
                number = batch * BATCH + i
                path = entry.declared["path"].replace("{n}", str(number))
                raw = generate.body(generate.Random(f"shadow {SEED} {number}"), entry, Fresh(number))
                asked.replies[path] = answer(raw, content_type=MEDIA[entry.lines])
                cases.append((path, entry, shadow, raw))
            check(asked, world, cases)
