"""The second implementation (tests/worlds/second/) against the whole gateway: what restricted and entitled recipients get of random
documents under random profiles, with statuses, heads, listed fields, `block`, `inspect`, and people whom a marker alone shows.
GATE1367_CASES=100000 a tenth as many documents, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: release
# ctest: timeout=7200
import json
import os

import pytest

import wire
from harness.gateway import ROOT, Gateway
from harness.origin import Origin, answer
from second import generate
from second.judge import Profile, World
from second.writer import SOME, delivered
from test_second import EXPRESSIONS, MEDIA, PEOPLE, SITE, example, mended
from worlds import NOT_FOUND, request

SEED = int(os.environ.get("GATE1367_SEED", 1))
CASES = int(os.environ.get("GATE1367_CASES", 20000)) // 10
BATCH, ENTRIES, PIPELINE = 400, 40, 40
KINDS = {"withhold": "/w", "block": "/b", "inspect": "/i"}
FIELD = "X-Data-Center"


class Entry(generate.Entry):
    def __init__(self, rng, number):
        super().__init__(rng, number)
        self.kind = rng.choice(["withhold", "withhold", "withhold", "block", "inspect"])
        if self.kind == "block":
            self.declared.pop("independent", None)
        if rng.random() < 0.2:
            self.declared["headers"] = [FIELD]
        if rng.random() < 0.15:
            self.declared["writable_by"] = {"state-police": [generate.spelled(rng, rng.choice(self.below)[0])]}

    @property
    def media(self):
        return MEDIA[self.lines]

    def profile(self, raw, writable=False):
        if self.kind != "inspect":
            declared = self.declared
            if writable and "writable_by" in declared:
                declared = {**declared, "texts": declared.get("texts", []) + declared["writable_by"]["state-police"]}
            return Profile(declared, self.kind, self.lines)
        is_list = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
        out = Profile({"units": ["$" if self.lines else "$[*]" if is_list else "$[1000000]"]}, lines=self.lines)
        out.inspects = True
        return out


def pack(entries):
    return {"format": 1, "pack": "second", "version": "1", "markers": SITE, "profiles": [
        {"id": kind, "title": "Anything", "system": "earm", "on_finding": kind,
         "documents": [{**e.declared, "path": KINDS[kind] + e.declared["path"]} for e in entries if e.kind == kind],
         "tests": [{**example(e), "path": KINDS[kind] + e.declared["path"]} for e in entries if e.kind == kind and e.example is not None]}
        for kind in ("withhold", "block")]}


class Asked:
    """A gateway of these entries, and an origin that says what it is told."""

    def __init__(self, directory, entries):
        self.replies = {}
        self.origin = Origin(lambda r: self.replies[r.path])
        routes = [{"path": prefix + "/", "upstream": "records", "profile": "withhold" if kind == "inspect" else kind,
                   **({"unprofiled": "inspect"} if kind == "inspect" else {})} for kind, prefix in KINDS.items()]
        (directory / "second.json").write_text(json.dumps(pack(entries)))
        self.gateway = Gateway(directory, self.origin.url, protected=[json.loads(line) for line in PEOPLE.splitlines()], routes=routes,
                               packs=[str(ROOT / "rules/section-1367.json"), "second.json"])

    def ask(self, kind, paths):
        data = b"".join(request(kind, p, prefix="", close=p == paths[-1]) for p in paths)
        stream = wire.talk(self.gateway.port, {"police": "state-police", "officer": "uscis-officer"}[kind], data)
        return wire.answers(stream.raw)

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.gateway.__exit__(*a)
        self.origin.close()


class Case:
    def __init__(self, asked, number, entry):
        rng = generate.Random(f"gateway {SEED} {number}")
        self.entry, self.path = entry, KINDS[entry.kind] + entry.declared["path"].replace("{n}", str(number))
        self.raw = generate.body(rng, entry, [f"A06{number:05}{i:02}" for i in range(3)])
        self.field = rng.choice(["east", "west", generate.NUMBERS[0]])
        asked.replies[self.path] = answer(self.raw, content_type=entry.media, headers=[(FIELD, self.field)],
                                          framing=rng.choice(["length", "chunked"]))

    def judge(self, world, writable=False):
        """((status, type, body, fields), what the entitled are told)"""
        profile = self.entry.profile(self.raw, writable)
        out, found = delivered(profile, world, self.raw)
        listed = [FIELD] if FIELD in profile.entry.get("headers", ()) else []
        if listed and self.field in world.numbers:
            out, found = None, found if found in (None, SOME) else found + (not profile.outside)
        if out is not None:
            return (200, self.entry.media, out, [self.field] * len(listed)), told(found)
        if profile.entry.get("independent"):
            found = SOME  # what stands behind where it was given up was never read, and nobody in it was shown
        miss = profile.entry.get("miss") or {"status": 404, "type": "application/problem+json", "body": NOT_FOUND.decode()}
        return (miss["status"], miss["type"], miss["body"].encode(), []), told(found)

    def about(self):
        return f"seed {SEED} {self.path} {self.entry.kind} {self.entry.declared}\n{self.raw!r} {self.field}"


def told(found):
    return "uninspected" if found is None else found if found == SOME else f"protected; records={found}" if found else "none"


def fields(head):
    return [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]


def check_restricted(case, got, wanted):
    status, head, body = got
    said = dict(fields(head))
    names = ["Date", "Content-Type", "Content-Length", "Cache-Control", "Request-Id", *([FIELD] if wanted[3] else [])]
    if "Transfer-Encoding" in said:
        names[2] = "Transfer-Encoding"
    assert (status, said["Content-Type"], body) == wanted[:3], f"{case.about()}\n{status} {said['Content-Type']} {body!r}\n{wanted}"
    assert [n for n, _ in fields(head) if n != "Connection"] == names and [said[n] for n in names[5:]] == wanted[3], case.about()


def check_entitled(case, got, section):
    status, head, body = got
    assert (status, body) == (200, case.raw), case.about()
    said = dict(fields(head))["Section-1367"]
    assert said == section or section == SOME or said == "unknown", f"{case.about()}\n{said}, not {section}"


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_second_through_the_gateway(tmp_path, batch):
    rng = generate.Random(f"gateway {SEED} {batch}")
    entries = mended(tmp_path, [Entry(rng, n) for n in range(ENTRIES)])
    world = World(generate.NUMBERS, {"person_id": generate.KEYS}, EXPRESSIONS, {("coa", "384"): ("coa-384", "definitive")}, suspects=True)
    with Asked(tmp_path, entries) as asked:
        for at in range(0, BATCH, PIPELINE):
            cases = [Case(asked, batch * BATCH + i, entries[i % len(entries)]) for i in range(at, at + PIPELINE)]
            judged = [c.judge(world, True)[0] for c in cases]
            for case, got, wanted in zip(cases, asked.ask("police", [c.path for c in cases]), judged, strict=True):
                check_restricted(case, got, wanted)
            again = [c.judge(world)[1] for c in cases]
            for case, got, section in zip(cases, asked.ask("officer", [c.path for c in cases]), again, strict=True):
                check_entitled(case, got, section)
            asked.replies.clear()
