"""The second implementation (tests/worlds/second/) against the whole gateway: what restricted and entitled recipients get of random
documents under random profiles, with statuses, heads, listed fields, every `on_finding`, `inspect`, people whom a marker alone shows, and
documents that leave in parts.
GATE1367_CASES=100000 a tenth as many documents, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: release
# ctest: timeout=7200
import json
import os
import re
import urllib.parse

import pytest

import wire
from harness.gateway import ROOT, Gateway
from harness.origin import Origin, answer
from second import generate
from second.columns import is_refused
from second.judge import Profile, World
from second.writer import PSEUDONYM, SOME, begun, delivered, shown
from test_second import CODES, EXPRESSIONS, MEDIA, PEOPLE, SITE, example, mended
from worlds import NOT_FOUND, request

SEED = int(os.environ.get("GATE1367_SEED", 1))
CASES = int(os.environ.get("GATE1367_CASES", 20000)) // 10
BATCH, ENTRIES, PIPELINE = 400, 40, 40
BEGUN = 16384      # from so many visible bytes on an answer in parts has begun, and is broken off where it would be a miss
LONG = max(4, CASES // 500)  # documents of several parts of 256 KiB
KINDS = {"withhold": "/w", "inspect": "/i", "block": "/b", "redact": "/r", "mask": "/m", "pseudonym": "/p", "report": "/o"}
FIELD = "X-Data-Center"


class Entry(generate.Entry):
    def __init__(self, rng, number):
        super().__init__(rng, number)
        self.kind = "inspect" if self.on_finding == "withhold" and rng.random() < 0.25 else self.on_finding
        if rng.random() < 0.2:
            self.declared["headers"] = [FIELD]
        if rng.random() < 0.15:
            self.declared["writable_by"] = {"state-police": [generate.spelled(rng, rng.choice(self.below)[0])]}

    @property
    def media(self):
        return MEDIA[self.lines]

    def profile(self, raw, writable=False, asked=()):
        if self.kind != "inspect":
            declared = self.declared
            if writable and "writable_by" in declared:
                declared = {**declared, "texts": declared.get("texts", []) + declared["writable_by"]["state-police"]}
            out = Profile(declared, self.kind, self.lines, asked=asked)
            out.keyed = True
            return out
        is_list = raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
        out = Profile({"units": ["$" if self.lines else "$[*]" if is_list else "$[1000000]"]}, lines=self.lines)
        out.inspects = True
        return out


class Long(Entry):
    """Of lines, or of a list or map in which each is a unit."""

    def __init__(self, rng, number):
        while True:
            super().__init__(rng, number)
            at = next((p for p, s in self.all if s.kind in (generate.LIST, generate.MAP) and len(list(s.paths())) > 3), None)
            if self.kind == "withhold" and "graph" not in self.declared and (self.lines or at is not None and len(at) < 3 and None not in at):
                break
        for name in ("counts", "complete", "links", "cursors", "pseudonyms", "allow", "only"):
            self.declared.pop(name, None)
        units = [u for u in self.declared.get("units", []) if u != "$"]
        own = "$" if self.lines else "".join(["$", *[generate.member(rng, s) for s in (*at, None)]])
        known = {repr(generate.parse(u if isinstance(u, str) else u["path"])) for u in units}
        self.declared |= {"independent": True, "units": units + [own] * (repr(generate.parse(own)) not in known)}


def pack(entries):
    return {"format": 1, "pack": "second", "version": "1", "markers": SITE, "profiles": [
        {"id": kind, "title": "Anything", "system": "earm", "on_finding": kind, "visible_redaction": "a test",
         "documents": [{**e.declared, "path": KINDS[kind] + e.declared["path"]} for e in entries if e.kind == kind],
         "tests": [{**example(e), "path": KINDS[kind] + e.declared["path"]} for e in entries if e.kind == kind and e.example is not None]}
        for kind in KINDS if kind != "inspect" and any(e.kind == kind for e in entries)]}


class Asked:
    """A gateway of these entries, and an origin that says what it is told."""

    def __init__(self, directory, entries):
        self.replies = {}
        self.origin = Origin(lambda r: self.replies[r.path])
        routes = [{"path": prefix + "/", "upstream": "records", "profile": "withhold" if kind == "inspect" else kind,
                   **({"unprofiled": "inspect"} if kind == "inspect" else {})}
                  for kind, prefix in KINDS.items() if any(e.kind == kind or (kind == "inspect" and e.kind == "withhold") for e in entries)]
        (directory / "second.json").write_text(json.dumps(pack(entries)))
        self.gateway = Gateway(directory, self.origin.url, protected=[json.loads(line) for line in PEOPLE.splitlines()], routes=routes,
                               packs=[str(ROOT / "rules/section-1367.json"), "second.json"])

    def talk(self, kind, cases):
        data = b"".join(request(kind, c.target, prefix="", close=c is cases[-1]) for c in cases)
        return wire.talk(self.gateway.port, {"police": "state-police", "officer": "uscis-officer"}[kind], data)

    def ask(self, kind, cases):
        """An answer each; what may be broken off comes on a connection of its own."""
        together = [c for c in cases if not c.alone]
        answers = dict(zip([c.path for c in together], wire.answers(self.talk(kind, together).raw), strict=True)) if together else {}
        return [whole_or_not(self.talk(kind, [c])) if c.alone else answers[c.path] for c in cases]

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.gateway.__exit__(*a)
        self.origin.close()


class Fresh:
    """Somebody else each time: how much of a document that leaves in parts is behind the part that showed a marker is not the matter here."""

    def __init__(self, number):
        self.first, self.next = number * 1000 % 10 ** 7, 0

    def __len__(self):
        return 1

    def __getitem__(self, i):
        self.next += 1
        return f"A06{(self.first + self.next) % 10 ** 7:07}"


class Case:
    def __init__(self, asked, number, entry, stretched=0):
        rng = generate.Random(f"gateway {SEED} {number}")
        self.entry, self.path = entry, KINDS[entry.kind] + entry.declared["path"].replace("{n}", str(number))
        parts = entry.declared.get("independent", False)
        self.raw = generate.body(rng, entry, Fresh(number) if parts else [f"A06{number:05}{i:02}" for i in range(3)], stretched)
        self.alone = parts and len(self.raw) > BEGUN
        self.asked = generate.asked(rng, entry) if entry.kind != "inspect" else []
        self.target = self.path + ("?" + urllib.parse.urlencode(self.asked) if self.asked else "")
        self.field = rng.choice(["east", "west", generate.NUMBERS[0]])
        asked.replies[self.path] = answer(self.raw, content_type=entry.media, headers=[(FIELD, self.field)],
                                          framing="length" if stretched else rng.choice(["length", "chunked"]))

    def judge(self, world, writable=False):
        """((status, type, body, fields), what the entitled are told)"""
        profile = self.entry.profile(self.raw, writable, self.asked if writable else ())
        out, found = delivered(profile, world, self.raw)
        listed = [FIELD] if FIELD in profile.entry.get("headers", ()) else []
        if listed and self.field in world.numbers:
            out, found = None, found if found in (None, SOME) else found + (not profile.outside)
        self.whole = shown(profile, world, self.raw)
        self.begun = begun(profile, world, self.raw) if self.alone else None
        if writable and is_refused(self.entry.declared, self.asked):
            return (404, "application/problem+json", NOT_FOUND, []), told(found)
        if out is not None:
            return (200, self.entry.media, out, [self.field] * len(listed)), told(found)
        if profile.entry.get("independent"):
            found = SOME  # what stands behind where it was given up was never read, and nobody in it was shown
        miss = profile.entry.get("miss") or {"status": 404, "type": "application/problem+json", "body": NOT_FOUND.decode()}
        return (miss["status"], miss["type"], miss["body"].encode(), []), told(found)

    def about(self):
        return f"seed {SEED} {self.target} {self.entry.kind} {self.entry.declared}\n{self.raw!r} {self.field}"


def whole_or_not(stream):
    """(status, head, body); of one that is broken off what there is of it, and status 0."""
    head, _, rest = stream.raw.partition(b"\r\n\r\n")
    if stream.ended == "clean":
        (answer,) = wire.answers(stream.raw)
        return answer
    assert b"\r\nTransfer-Encoding: chunked" in head, head
    body = b""
    while b"\r\n" in rest:
        size, _, rest = rest.partition(b"\r\n")
        assert int(size, 16) > 0, "it is whole"
        body, rest = body + rest[:int(size, 16)], rest[int(size, 16) + 2:]
    return 0, head, body


def told(found):
    return "uninspected" if found is None else found if found == SOME else f"protected; records={found}" if found else "none"


def fields(head):
    return [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]


def is_body(body, wanted):
    """Pseudonyms are for others to compare."""
    return body == wanted or bool(re.fullmatch(re.escape(wanted).replace(re.escape(PSEUDONYM), b'"[0-9a-f]{32}"'), body))


def check_restricted(case, got, wanted):
    status, head, body = got
    if status == 0:
        return check_broken_off(case, head, body, wanted)
    said = dict(fields(head))
    body = wanted[2] if is_body(body, wanted[2]) else body
    names = ["Date", "Content-Type", "Content-Length", "Cache-Control", "Request-Id", *([FIELD] if wanted[3] else [])]
    if "Transfer-Encoding" in said:
        names[2] = "Transfer-Encoding"
    if (status, said["Content-Type"], body) != wanted[:3]:
        pytest.fail(f"{case.about()}\n{status} {wanted[0]} {said['Content-Type']} {wanted[1]} {wire.minimal_difference(body, wanted[2])}", pytrace=False)
    assert [n for n, _ in fields(head) if n != "Connection"] == names and [said[n] for n in names[5:]] == wanted[3], case.about()


def check_broken_off(case, head, body, wanted):
    """A miss, but for what had left."""
    assert case.alone and wanted[0] != 200 and head.startswith(b"HTTP/1.1 200 "), f"{case.about()}\n{head!r}"
    assert len(body) >= BEGUN and not any(n.encode() in body for n in generate.NUMBERS), case.about()
    assert case.begun is None or case.begun.startswith(body), f"{case.about()}\n{wire.minimal_difference(body, case.begun)}"


def check_entitled(case, got, section):
    status, head, body = got
    assert status == 200 and (case.whole is None or is_body(body, case.whole)), f"{case.about()}\n{body!r}\n{case.whole!r}"
    said = dict(fields(head))["Section-1367"]
    nothing = not case.raw and said == "none"  # there is nothing that could not be read
    assert nothing or said == section or section == SOME or said == "unknown", f"{case.about()}\n{said}, not {section}"


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_second_through_the_gateway(tmp_path, batch):
    rng = generate.Random(f"gateway {SEED} {batch}")
    entries = mended(tmp_path, [Entry(rng, n) for n in range(ENTRIES)])
    world = World(generate.NUMBERS, generate.SURROGATES, EXPRESSIONS, CODES, suspects=True)
    with Asked(tmp_path, entries) as asked:
        for at in range(0, BATCH, PIPELINE):
            cases = [Case(asked, batch * BATCH + i, entries[i % len(entries)]) for i in range(at, at + PIPELINE)]
            judged = [c.judge(world, True)[0] for c in cases]
            for case, got, wanted in zip(cases, asked.ask("police", cases), judged, strict=True):
                check_restricted(case, got, wanted)
            again = [c.judge(world)[1] for c in cases]
            for case, got, section in zip(cases, asked.ask("officer", cases), again, strict=True):
                check_entitled(case, got, section)
            asked.replies.clear()


def test_second_in_parts(tmp_path):
    rng = generate.Random(f"long {SEED}")
    entries = mended(tmp_path, [Long(rng, n) for n in range(8)])
    world = World(generate.NUMBERS, generate.SURROGATES, EXPRESSIONS, CODES, suspects=True)
    with Asked(tmp_path, entries) as asked:
        for n in range(LONG):
            case = Case(asked, 10 ** 6 + n, entries[n % len(entries)], rng.choice([500, 2000, 4000, 8000]))
            wanted, _ = case.judge(world, True)
            check_restricted(case, *asked.ask("police", [case]), wanted)
            check_entitled(case, *asked.ask("officer", [case]), SOME)
            asked.replies.clear()
