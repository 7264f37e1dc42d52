"""The second implementation (tests/worlds/second/) against lists in pages: random records under random profiles, in every style. What a page
must hold are the units that it says may be seen, counted from the list's beginning; and whatever is withheld, the stream is that of an
origin that has nothing but what may be seen.
GATE1367_CASES=100000 a fortieth as many walks, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: release
# ctest: timeout=3600
import json
import os
import re
import urllib.parse

import pytest

import wire
from harness import pager
from harness.gateway import ROOT, Gateway
from harness.origin import Origin, answer
from second import generate
from second.columns import is_refused
from second.judge import Profile, World, follow, judged
from second.reader import document
from second.writer import Writer, begin
from test_second import CODES, EXPRESSIONS, PEOPLE, SITE, mended
from test_pages import TOKEN
from worlds import request

SEED = int(os.environ.get("GATE1367_SEED", 1))
CASES = int(os.environ.get("GATE1367_CASES", 16000)) // 40
BATCH, ENTRIES, SCAN = 100, 20, 400
HERE = re.compile(r'"@@(\d+)@@"')


class Pager(pager.Pager):
    """Of records that are written already; an answer is theirs byte for byte."""
    texts = ()

    def record(self, n):
        return f"@@{n}@@"

    def dump(self, value):
        return HERE.sub(lambda m: self.texts[int(m[1])], super().dump(value).decode()).encode("utf-8", "surrogateescape")

    def _l(self, q, limit):
        items, on = self._follow(q, limit, "after")
        asked = urllib.parse.urlencode({n: v for n, v in q.items() if n not in ("after", "limit")})
        more = {"@next": f"http://origin.internal{self.path}?{asked}&after={on}&limit={limit}"} if on else {}
        return answer(self.dump({**more, "value": items}))


class Fresh:
    """Somebody else each time."""
    count = 0

    def __len__(self):
        return 1

    def __getitem__(self, i):
        Fresh.count += 1
        return f"A03{Fresh.count:07}"


class Entry(generate.Entry):
    """What it declares of a record, declared of each element of a list."""

    def __init__(self, rng, number):
        while True:
            super().__init__(rng, number)
            indexed = re.search(r"\[\d", json.dumps(self.declared))  # what stands second is another where the first was never there
            if "graph" not in self.declared and not self.lines and not indexed:
                break
        document = rng.choice(pager.documents(prefix=f"/e{number}", scan=SCAN))
        self.kind, self.on_finding, self.example = document["path"][-1], "withhold", None
        self.items = document["units"][0].removesuffix("[*]")
        own = self.declared
        if self.kind == "l":
            own.pop("columns", None)  # this origin's links repeat the query, and are longer than `size` with all of a table's columns
        for name in ("cursors", "independent", "path", "miss", "pseudonyms"):
            own.pop(name, None)
        self.declared = {**document, **self.of_elements(own, document)}

    def records(self):
        """Columns are of the elements themselves: these are the records."""
        names = generate.scalars_of(self.schema)
        return [((), names)] if names else []

    def of_elements(self, own, document):
        at = lambda path: self.items + "[*]" + path.removeprefix("$")  # noqa: E731
        out = {name: [*document.get(name, []), *map(at, own[name])] for name in ("uniform", "texts", "allow", "links") if name in own}
        inner = [{**u, "path": at(u["path"])} if isinstance(u, dict) else at(u) for u in own.get("units", []) if u != "$"]
        out["units"] = document["units"] + inner
        out["keys"] = {kind: list(map(at, paths)) for kind, paths in own.get("keys", {}).items()}
        out["only"] = {at(path): values for path, values in own.get("only", {}).items()}
        out["counts"] = {**document.get("counts", {}), **{at(path): at(unit) for path, unit in own.get("counts", {}).items()}}
        if "columns" in own:
            out["columns"] = {**own["columns"], "paths": {n: at(path) for n, path in own["columns"]["paths"].items()}}
        out["query"] = {n: q if q == "any" else {**q, "paths": list(map(at, q["paths"])), **({"unit": at(q["unit"])} if "unit" in q else {})}
                        for n, q in own["query"].items()}
        if own.get("complete"):
            out["complete"] = True
        return {name: v for name, v in out.items() if v}

    @property
    def counts_all(self):
        """Its origin's counts are declared, still."""
        return self.kind != "w" or ("$.total" in self.declared.get("counts", {}) and self.declared.get("complete"))

    def profile(self, asked):
        declared = {**self.declared, "cursors": [c if isinstance(c, str) else c["path"] for c in self.declared.get("cursors", [])]}
        return Profile(declared, asked=asked)


def pack(entries):
    return {"format": 1, "pack": "second", "version": "1", "markers": SITE,
            "profiles": [{"id": "paged", "title": "Anything", "system": "earm", "documents": [e.declared for e in entries]}]}


def at_list(node, path):
    """The list in a tree."""
    for name in path.split(".")[1:]:
        node = next(c for c in node.children if c.name == name)
    return node


class Asked:
    """A gateway of these entries, and an origin of one list."""

    def __init__(self, directory, entries):
        self.pager = Pager()
        self.origin = Origin(self.pager.respond)
        (directory / "second.json").write_text(json.dumps(pack(entries)))
        self.gateway = Gateway(directory, self.origin.url, protected=[json.loads(line) for line in PEOPLE.splitlines()],
                               routes=[{"path": "/", "upstream": "records", "profile": "paged"}],
                               packs=[str(ROOT / "rules/section-1367.json"), "second.json"])

    def list(self, texts):
        self.pager.texts, self.pager.people = texts, list(range(len(texts)))

    def ask(self, path):
        return wire.talk(self.gateway.port, "state-police", request("police", path, prefix="", close=True))

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.gateway.__exit__(*a)
        self.origin.close()


class Walk:
    """One list, and what is asked of it."""

    def __init__(self, asked, number, entry):
        rng = self.rng = generate.Random(f"pages {SEED} {number}")
        self.asked, self.number, self.entry, self.pager = asked, number, entry, asked.pager
        self.pager.indent, self.pager.cap = rng.choice([None, None, 1]), rng.choice([None, None, 3, 9])
        planted = rng.choice([0, 0.1, 0.3, 0.6])
        self.texts = [self.record(planted) for _ in range(rng.choice([0, 1, 5, 12, 30, 30, 80]))]
        self.query = [(n, v) for n, v in generate.asked(rng, entry) if n != "limit"]
        self.limit = rng.choice([1, 2, 5, 10, 30])
        self.pages = sorted({0, rng.randrange(4), rng.randrange(12)})

    def record(self, planted):
        maker = generate.Maker(self.rng, self.entry, Fresh())
        maker.planted, maker.budget, maker.long = self.rng.choice([0, planted]), 12, True  # long: no key looks like a number
        return maker.value(self.entry.schema, 1)

    def seen(self, query):
        """What may be seen of each element, in order, as it is written."""
        self.asked.list(self.texts)
        before, self.pager.cap = self.pager.cap, None
        raw = self.pager.dump(self.whole())
        self.pager.cap = before
        world = World(generate.NUMBERS, generate.SURROGATES, EXPRESSIONS, CODES, suspects=True)
        parts = judged(self.entry.profile(query), world, raw)
        writers = [Writer(j, raw) for *_, j in parts]
        begin(writers)
        listed = at_list(parts[0][2].root, self.entry.items)
        return [writers[0].write(e) for e in listed.children if e not in writers[0].hidden]

    def whole(self):
        value = self.pager.slice(0, len(self.texts))
        for name in reversed(self.entry.items.split(".")[1:]):
            value = {name: value}
        return value

    def turn(self, texts):
        """[(path, units before, stream)] from page to page, of an origin of these records."""
        self.asked.list(texts)
        query = urllib.parse.urlencode(self.query)
        first = f"/e{self.entry.number}/{self.entry.kind}?limit={self.limit}" + ("&" + query if query else "")
        if self.entry.kind not in "cl":
            listed = [(f"{first}&page={at + 1}" if self.entry.kind == "p" else f"{first}&offset={at * self.limit}", at * self.limit) for at in self.pages]
            return [(path, before, self.asked.ask(path)) for path, before in listed]
        out, path = [], first
        while path:
            out.append((path, len(out) * self.limit, self.asked.ask(path)))
            path = self.next(first, out[-1][2])
        return out

    def next(self, first, stream):
        (status, _, body), = wire.answers(stream.raw)
        value = json.loads(body) if status == 200 else {}
        if self.entry.kind == "l":
            return value.get("@next", "").removeprefix("https://localhost")
        return value.get("next") and f"{first}&cursor={value['next']}"

    def about(self, path):
        return f"seed {SEED} {self.number} {path} cap {self.pager.cap} {self.entry.declared}\n{self.texts}"


def check(asked, number, entry):
    walk = Walk(asked, number, entry)
    refused = is_refused(entry.declared, walk.query)
    wanted, shown = walk.seen(walk.query), [text.decode("utf-8", "surrogateescape") for text in walk.seen(())]
    if len(set(shown)) < len(shown):
        walk.pager.cap = None  # an origin that gives the same units again has no more
    there, absent = walk.turn(walk.texts), walk.turn(shown)
    assert len(there) == len(absent), walk.about(there)
    for (path, first, stream), (_, _, other) in zip(there, absent):
        plain, against = (TOKEN.sub(b"C", wire.normalised(s.raw)) for s in (stream, other))
        if plain != against or stream.records != other.records:
            pytest.fail(f"{walk.about(path)}\n{wire.minimal_difference(plain, against)}", pytrace=False)
        (status, _, body), = wire.answers(stream.raw)
        if status != (404 if refused else 200):
            pytest.fail(f"{walk.about(path)}\n{status} {body!r}", pytrace=False)
        if status == 200:
            got = [body[e.begin:e.end] for e in at_list(document(body), entry.items).children]
            if got != wanted[first:first + walk.limit]:
                pytest.fail(f"{walk.about(path)}\n{got}\n{wanted[first:first + walk.limit]}", pytrace=False)


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_second_pages(tmp_path, batch):
    rng = generate.Random(f"pages {SEED} {batch}")
    entries = [e for e in mended(tmp_path, [Entry(rng, n) for n in range(ENTRIES)]) if e.counts_all]
    with Asked(tmp_path, entries) as asked:
        for i in range(BATCH):
            check(asked, batch * BATCH + i, entries[i % len(entries)])
