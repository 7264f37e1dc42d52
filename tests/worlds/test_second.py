"""Differential fuzzing: the program's verdicts and edits of random documents under random profiles against the second implementation
in tests/worlds/second/, written from the contract alone. test_random and test_random_many make what is wanted by leaving people out of what
they write; here profiles and documents are anything, and what is wanted is worked out from the bytes.
GATE1367_CASES=100000 as many documents, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: release
# ctest: timeout=7200
import ctypes as c
import json
import os
import re

import pytest

from cases import person
from harness.gateway import ROOT
from harness.library import DELIVER, UNREADABLE, Document, Inspector, Run
from second import generate
from second.judge import DEFINITIVE, SUSPECTED, Profile, World
from second.writer import SOME, delivered, shown

CASES = int(os.environ.get("GATE1367_CASES", 8000))
SEED = int(os.environ.get("GATE1367_SEED", 1))
BATCH, ENTRIES = 2000, 50

MEDIA = {False: "application/json", True: "application/x-ndjson"}
SHIPPED = (ROOT / "rules/section-1367.json").read_text()
SITE = [{"id": "zqx-" + word[3:], "title": word, "why": "a test", "pattern": word, "literals": [word], "strength": SUSPECTED,
         "tests": {"match": [word], "ignore": ["zqx"]}} for word in (generate.FIRST, generate.SECOND)]
EXPRESSIONS = [(re.compile(word), word, SUSPECTED) for word in (generate.FIRST, generate.SECOND)] + [(re.compile("I-918"), "i-918", DEFINITIVE)]
CODES = {("coa", "384"): ("coa-384", DEFINITIVE)}
WORLD = World(generate.NUMBERS, generate.SURROGATES, EXPRESSIONS, CODES)


def keyed(number, kind, key, system="earm", **more):
    """Somebody who is known by a key, too."""
    out = person(number)
    return {**out, "identifiers": [*out["identifiers"], {"kind": kind, "value": key, "system": system, **more}]}


def people():
    yield from map(person, generate.NUMBERS)
    for i, key in enumerate(generate.KEYS):
        yield keyed(f"A0999888{i:02}", "person_id", key)
    for i, key in enumerate(generate.EVENTS):
        yield keyed(f"A0999889{i:02}", "event_number", key, confidential=True)
    for i, key in enumerate(generate.CASES):
        yield keyed(f"A0999890{i:02}", "case_number", key)
    for i, key in enumerate(generate.FOREIGN):
        yield keyed(f"A0999891{i:02}", "person_id", key, "tecs")
        yield keyed(f"A0999892{i:02}", "event_number", key)  # not confidential: other people's event, too


PEOPLE = "".join(json.dumps(p) + "\n" for p in people())


def example(entry):
    """What the gateway knows of a document's answers before one comes. Nothing is expected of it."""
    return {"path": entry.declared["path"], "recipient": "entitled", "type": MEDIA[entry.lines], "text": entry.example, "expect": "unchanged"}


def pack(entries):
    """Some have shown what they look like."""
    return json.dumps({"format": 1, "pack": "second", "version": "1", "markers": SITE, "profiles": [
        {"id": f"second-{n}", "title": "Anything", "system": "earm", "on_finding": e.on_finding, "visible_redaction": "a test", "documents": [e.declared],
         "tests": [example(e)] if e.example is not None else []} for n, e in enumerate(entries)]})


def mended(directory, entries, people=PEOPLE):
    """The entries without what the loader does not take together: it says which key is one too many."""
    while True:
        try:
            Inspector(directory, [SHIPPED, pack(entries)], people).close()
            return entries
        except AssertionError as e:
            found = set(re.findall(r"(?m)^.*?: /profiles/(\d+)/documents/0(?:/([a-z_]+))?(?!.*warning: )", e.args[0].decode()))
            assert found, e
            entries = [e for e in (drop(e, [k for at, k in found if int(at) == n]) for n, e in enumerate(entries)) if e is not None]


def drop(entry, keys):
    """None: nothing is left to mend."""
    for key in keys:
        for also in (key, *{"counts": ["complete"], "units": ["counts", "complete", "independent", "only"]}.get(key, ())):
            entry.declared.pop(also, None)
    entry.declared.setdefault("query", {"x": "any"})
    return None if "" in keys or "path" in keys else entry


class Asked(Inspector):
    """Documents of those entries."""

    def __init__(self, directory, entries, people=PEOPLE):
        self.entries = mended(directory, entries, people)
        super().__init__(directory, [SHIPPED, pack(self.entries)], people)

    def judge(self, entry, raw, entitled, cuts=(), limits=(0, 0, 0)):
        """(verdict, bytes, records). limits: depth, record, document; 0: the usual one."""
        d = Document(self.registry, b"second-%d" % self.entries.index(entry), entry.declared["path"].replace("{n}", "1").encode(), MEDIA[entry.lines].encode(), None, None, entitled, 0, *limits)
        assert self.lib.gate1367_open(self.inspector, c.byref(d)) == 1
        for a, b in zip([0, *cuts], [*cuts, len(raw)]):
            self.lib.gate1367_feed(self.inspector, raw[a:b], c.c_size_t(b - a))
        verdict = self.lib.gate1367_finish(self.inspector, 1)
        out, piece = [], Run()
        while self.lib.gate1367_output(self.inspector, c.byref(piece)):
            out.append(c.string_at(piece.bytes, piece.len))
        records = self.lib.gate1367_counts(self.inspector).protected
        self.lib.gate1367_close(self.inspector)
        return verdict, b"".join(out), records


def disagreement(asked, entry, raw, cuts, limits, world=WORLD):
    """None, or what differs: (whom it concerns, what the program says, what the second implementation says)"""
    depth, record, whole = limits
    profile = Profile(entry.declared, entry.on_finding, entry.lines, record, whole, depth)
    wanted, found = delivered(profile, world, raw)
    verdict, out, records = asked.judge(entry, raw, 0, cuts, limits)
    got = out if verdict == DELIVER else None
    if got != wanted:
        return "restricted", got, wanted
    verdict, out, records = asked.judge(entry, raw, 1, cuts, limits)
    if found is None or verdict == UNREADABLE:
        return None if found is None and verdict == UNREADABLE else ("unreadable", verdict, found)
    wanted = shown(profile, world, raw)
    if verdict != DELIVER or out != (out if wanted is None else wanted):
        return "entitled", out, wanted
    return None if records == found or found == SOME else ("records", records, found)


def limits_of(rng):
    """Depth, record and document: mostly the usual ones."""
    if rng.random() < 0.85:
        return 256, 4 << 20, 64 << 20
    return rng.choice([3, 5, 8, 256]), rng.choice([40, 100, 300, 4 << 20]), rng.choice([200, 500, 2000, 64 << 20])


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_second(tmp_path, batch):
    rng = generate.Random(f"second {SEED} {batch}")
    with Asked(tmp_path, [generate.Entry(rng, n) for n in range(ENTRIES)]) as asked:
        for i in range(BATCH):
            entry = asked.entries[i % len(asked.entries)]
            raw = generate.body(generate.Random(f"{SEED} {batch} {i}"), entry)
            cuts = sorted(rng.randrange(len(raw) + 1) for _ in range(rng.choice([0, 0, 1, 3])))
            differs = disagreement(asked, entry, raw, cuts, limits_of(rng))
            assert differs is None, f"seed {SEED} batch {batch} case {i}: {entry.declared}\n{raw!r}\n{differs}"
