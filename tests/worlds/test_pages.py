# ctest: release
"""Lists in pages, in three worlds: whatever is withheld, wherever, however the origin cuts its pages, every page of every style is
the same, and so are links, totals and how far one gets. GATE1367_SEED=N GATE1367_CASES=N repeat or lengthen it.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
import json
import os
import random
import re

import pytest

from harness.client import Client
from harness.origin import answer
from harness.pager import Pager, documents, number
from worlds import ABSENT, AT, KINDS, WORLDS, Twins, person, request
from wire import normalised

SEED = int(os.environ.get("GATE1367_SEED", "20261122"))
CASES = int(os.environ.get("GATE1367_CASES", "60"))
SCAN = 24
HIDDEN = set(range(100, 140))  # who is registered
TOKEN = re.compile(rb"AQ?[A-Za-z0-9_-]{400,440}")
MORE = {"a cap": {"max_limit": 9}}


class Paged(Twins):
    def __init__(self, place):
        self.pager = Pager()
        self.lists = {AT: [], ABSENT: []}
        listed = documents(prefix="", scan=SCAN) + documents(prefix="/capped", scan=SCAN, max_limit=9)
        joined = documents(prefix="/joined", scan=SCAN) + documents(prefix="/joined/capped", scan=SCAN, max_limit=9)
        listed += [{**d, **({"complete": True} if i % 2 else {}), "links": [d["units"][0] + ".family[*]"]} for i, d in enumerate(joined)]
        super().__init__(place, listed, [person(number(n)) for n in HIDDEN], pace="0ms")

    def _respond(self, r):
        if r.path.endswith("/next"):
            return super()._respond(r)
        self.pager.people = self.lists[self.world]
        return self.pager.respond(r)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Paged(tmp_path_factory.mktemp("pages")) as t:
        yield t


def arrange(twins, rng):
    """A list, with and without the withheld, and an origin's ways."""
    visible = rng.sample(range(1, 90), rng.choice([0, 1, SCAN - 1, SCAN, SCAN + 1, rng.randrange(2 * SCAN - 8)]))
    hidden = rng.sample(sorted(HIDDEN), rng.choice([0, 1, 2, rng.randrange(SCAN)]))
    at = list(visible)
    for n in hidden:
        at.insert(rng.choice([0, len(at), rng.randrange(len(at) + 1)]), n)
    twins.lists = {AT: at, ABSENT: visible}
    twins.pager.indent = rng.choice([None, None, 1])
    return visible


def ask(twins, kind, world, paths):
    """The answers to all of them on one connection; a path that is a function is given the answer before it."""
    twins.world, gateway = world
    name, purpose, public = KINDS[kind]
    out, last, twins.trips = [], None, []
    with Client(twins.gateways[gateway].port, (name, purpose) if name else (None, None)) as c:
        for path in paths:
            target = path(last) if callable(path) else path
            if target is None:
                break
            twins.pager.asked.clear()
            last = c.get(("/public" if public else "") + "/api" + target)
            twins.trips.append(len(twins.pager.asked))
            out.append(last)
    return out


def same(twins, kind, paths, what):
    first, *others = [ask(twins, kind, w, paths) for w in WORLDS]
    plain = [TOKEN.sub(b"C", normalised(r.raw)) for r in first]
    for world, other in zip(WORLDS[1:], others):
        against = [TOKEN.sub(b"C", normalised(r.raw)) for r in other]
        assert [len(r.raw) for r in first] == [len(r.raw) for r in other], (what, world)
        assert plain == against, (what, world, [(a, b) for a, b in zip(plain, against) if a != b][:1])
    return first


def around(rng, *values):
    return max(0, rng.choice(values) + rng.choice([-1, 0, 0, 1]))


def check(r, items, wanted, reachable, what):
    assert r.status == (200 if reachable else 404), what
    if reachable:
        value = json.loads(r.body)
        for name in items:
            value = value[name]
        assert [x["id"] for x in value] == wanted, what


@pytest.mark.parametrize("case", range(CASES))
def test_offsets_and_pages(twins, case):
    rng = random.Random(SEED * 1000003 + case)
    visible = arrange(twins, rng)
    capped = rng.random() < 0.4
    twins.pager.cap = 9 if capped else rng.choice([None, None, 1, 4, 30])
    kind = rng.choice(sorted(KINDS))
    paths, wanted = [], []
    for _ in range(8):
        style = rng.choice("oopwh")
        limit = around(rng, 0, 1, 5, 10, SCAN, 10 ** 6)
        at = around(rng, 0, 1, 5, SCAN - limit if limit < SCAN else 0, SCAN, len(visible))
        cut = min(limit, 9) if capped else limit
        if style == "p":
            page = 1 + at // max(1, cut)
            at, first = (page - 1) * cut, f"page={page}"
        else:
            first = f"offset={at}"
        paths.append(f"{'/capped' if capped else ''}/{style}?q=1&{first}&limit={limit}")
        far = at + cut > SCAN or style in "wh"
        items = {"o": ["items"], "p": ["data", "people"], "w": ["items"], "h": []}[style]
        wanted.append((items, visible[at:at + cut], not far or len(visible) <= SCAN))
    got = same(twins, kind, paths, (SEED, case, twins.lists, paths))
    for path, r, (items, ids, reachable) in zip(paths, got, wanted):
        check(r, items, ids, reachable, (SEED, case, path, twins.lists, twins.pager.cap))


def follow(name, path, key):
    def step(last):
        if last is None:
            return path
        if last.status != 200:
            return None
        value = json.loads(last.body).get(key)
        if value is None:
            return None
        return f"{path}&{name}={value}" if name else value.removeprefix("https://localhost").removeprefix("/public").removeprefix("/api")
    return step


@pytest.mark.parametrize("case", range(CASES // 3))
def test_as_many_questions_to_the_origin(twins, case):
    """While no more is withheld than is read ahead, whoever counts the trips, or the time that they take, learns nothing."""
    rng = random.Random(SEED * 1000037 + case)
    visible = rng.sample(range(1, 90), rng.choice([0, 1, 8, 9, 10, SCAN - 1, SCAN, rng.randrange(SCAN)]))
    at = list(visible)
    for n in rng.sample(sorted(HIDDEN), rng.randrange(1, 6)):
        at.insert(rng.randrange(len(at) + 1), n)
    twins.lists = {AT: at, ABSENT: visible}
    capped = rng.random() < 0.5
    twins.pager.cap = 9 if capped else None
    for path in (f"/o?offset={rng.randrange(12)}&limit={rng.randrange(1, 9)}", f"/p?page={rng.randrange(1, 3)}&limit=7", "/w?limit=5",
                 f"/c?limit={rng.randrange(1, 20)}", "/h?offset=9&limit=9"):
        trips = []
        for world in WORLDS:
            ask(twins, "police", world, [("/capped" if capped else "") + path])
            trips.append(twins.trips)
        assert trips[0] == trips[1] == trips[2], (SEED, case, path, twins.lists)


@pytest.mark.parametrize("case", range(CASES // 3))
def test_cursors_and_links(twins, case):
    rng = random.Random(SEED * 1000033 + case)
    visible = arrange(twins, rng)
    twins.pager.cap = rng.choice([None, None, 1, 4, 9])
    kind, limit = rng.choice(sorted(KINDS)), rng.choice([1, 2, 5, 10, 17, SCAN])
    for step, items in ((follow("cursor", f"/c?limit={limit}", "next"), "items"), (follow(None, f"/l?q=2&limit={limit}", "@next"), "value")):
        got = same(twins, kind, [step] * (len(visible) // limit + 2), (SEED, case, twins.lists))
        pages = [[x["id"] for x in json.loads(r.body)[items]] for r in got]
        assert pages == ([visible[i:i + limit] for i in range(0, len(visible), limit)] or [[]]), (SEED, case, twins.lists, twins.pager.cap)


@pytest.mark.parametrize("case", range(CASES // 6))
def test_who_is_added_between_two_pages(twins, case):
    """Somebody who is withheld comes into the list, before the page that is asked for next: nobody comes twice because of it."""
    rng = random.Random(SEED * 1000039 + case)
    visible = rng.sample(range(1, 90), SCAN)
    twins.pager.cap, limit = rng.choice([None, 4, 9]), rng.choice([3, 5, 8])
    style = rng.choice("ccop")
    later = list(visible)
    for n in rng.sample(sorted(HIDDEN), rng.randrange(1, 4)):
        later.insert(rng.randrange(limit), n)
    got, twins.pager.keyed = [], True
    for world in WORLDS:
        twins.lists = {AT: list(visible), ABSENT: visible}
        first = ask(twins, "police", world, [f"/{style}?limit={limit}"])[0]
        twins.lists[AT] = later
        token = json.loads(first.body).get("next")
        second = {"c": f"/c?limit={limit}&cursor={token}", "o": f"/o?limit={limit}&offset={limit}", "p": f"/p?limit={limit}&page=2"}[style]
        r = ask(twins, "police", world, [second])[0]
        value = json.loads(r.body)
        got.append([x["id"] for x in (value["data"]["people"] if style == "p" else value["items"])])
    twins.pager.keyed = False
    assert got == [visible[limit:2 * limit]] * 3, (SEED, case, later)


def families(rng):
    """Who is withheld, and whom they take along, one by way of another, with all that they share."""
    hidden, of, relatives = rng.sample(sorted(HIDDEN), rng.choice([1, 1, 2, 5])), {}, iter(range(200, 300))
    for n in hidden:
        of[n], last = [f"F-{n}"], f"F-{n}"
        for _ in range(rng.choice([0, 1, 2, 12 if len(hidden) > 2 else 30])):
            relative = next(relatives)
            of[relative] = [last, f"F-{relative}"]
            last = rng.choice(of[relative])
    return of


def arrange_families(twins, rng):
    """What they share stands pages apart: those who are taken along first, say, and whoever takes them along last."""
    visible = rng.sample(range(1, 90), rng.choice([0, 1, 9, SCAN - 1, SCAN, SCAN + 1, 2 * SCAN]))
    of = families(rng)
    hidden, at = [n for n in of if n in HIDDEN], list(visible)
    ends = rng.random() < 0.5
    for n in of:
        at.insert((len(at) if n in hidden else 0) if ends else rng.randrange(len(at) + 1), n)
    twins.lists, twins.pager.families = {AT: at, ABSENT: visible}, {**of, **{n: [f"V-{n % 7}"] for n in visible if n % 3}}
    return visible, of


@pytest.mark.parametrize("case", range(CASES))
def test_what_is_joined_over_pages(twins, case):
    """Whoever shares something with somebody who is withheld is on no page, however far apart they stand, how long the page is and where
    it begins; nobody else is missing."""
    rng = random.Random(SEED * 1000081 + case)
    visible, of = arrange_families(twins, rng)
    capped = rng.random() < 0.4
    twins.pager.cap = 9 if capped else rng.choice([None, None, 4, 30])
    kind, limit, prefix = rng.choice(sorted(KINDS)), rng.choice([1, 2, 5, 9]), "/joined/capped" if capped else "/joined"
    what = (SEED, case, twins.lists, of, twins.pager.cap)
    wanted = [visible[i:i + limit] for i in range(0, len(visible), limit)] or [[]]
    reachable = len(visible) <= SCAN
    for style, items in (("o", ["items"]), ("p", ["data", "people"]), ("w", ["items"]), ("h", [])):
        paths = [f"{prefix}/{style}?q=1&limit={limit}&" + (f"page={i + 1}" if style == "p" else f"offset={i * limit}") for i in range(len(wanted))]
        for r, ids in zip(same(twins, kind, paths, what), wanted):
            check(r, items, ids, reachable, (style, *what))
    for step, items in ((follow("cursor", f"{prefix}/c?limit={limit}", "next"), "items"), (follow(None, f"{prefix}/l?q=2&limit={limit}", "@next"), "value")):
        got = same(twins, kind, [step] * (len(visible) // limit + 2), what)
        assert len(got) == (len(wanted) if reachable else 1), (items, *what)
        for r, ids in zip(got, wanted):
            check(r, [items], ids, reachable, (items, *what))
    twins.pager.families = {}


@pytest.mark.parametrize("case", range(CASES // 3))
def test_as_many_questions_where_units_are_joined(twins, case):
    rng = random.Random(SEED * 1000099 + case)
    visible = rng.sample(range(1, 90), rng.choice([0, 1, SCAN - 1, SCAN, SCAN + 1, 2 * SCAN, 3 * SCAN]))
    hidden, at = rng.sample(sorted(HIDDEN), 2), list(visible)
    twins.pager.families = {n: ["F-1"] for n in [*hidden, 200, 201]}
    for n in (*hidden, 200, 201):
        at.insert(rng.randrange(len(at) + 1), n)
    twins.lists = {AT: at, ABSENT: visible}
    capped = rng.random() < 0.5
    twins.pager.cap = 9 if capped else None
    for path in (f"o?offset={rng.randrange(12)}&limit={rng.randrange(1, 9)}", f"p?page={rng.randrange(1, 3)}&limit=7", "w?limit=5", "c?limit=7", "l?limit=5"):
        trips = []
        for world in WORLDS:
            ask(twins, "police", world, [("/joined/capped/" if capped else "/joined/") + path])
            trips.append(twins.trips)
        assert trips[0] == trips[1] == trips[2], (SEED, case, path, twins.lists)
    twins.pager.families = {}


def test_links_that_repeat_what_was_asked_in_another_spelling(twins):
    """An origin decodes what it is asked and writes it as it knows it, in links that are there where withheld records follow, and nowhere else: the page
    is the same wherever it does."""
    visible = list(range(1, 9))
    twins.lists = {AT: [*visible, *range(100, 130)], ABSENT: visible}
    twins.pager.cap = twins.pager.indent = None
    paths = ["/%6C?q=1", "/l?q=%22", "/l?q=a%5B0%5D", "/l?q=%E1%BF%96%C3%A9", "/l?q=%3Ca+b%3E", "/l?q=100%25", "/l?q=%23x", "/l?q=a%7Cb%5Cc%5E%60%7B%7D", "/%6c?q=%5B"]
    for path in paths:
        for limit in (2, 7, 8, 9):
            got = same(twins, "police", [follow(None, f"{path}&limit={limit}", "@next")] * (8 // limit + 1 + (8 % limit > 0)), (path, limit))
            pages = [[x["id"] for x in json.loads(r.body)["value"]] for r in got if r.status == 200]
            assert pages == [visible[i:i + limit] for i in range(0, 8, limit)], (path, limit)


def test_an_origin_that_gives_one_record_itself(twins):
    """Some do where it is the only one, and fail where there are two (PostgREST: application/vnd.pgrst.object+json): that counts."""
    record = twins.pager.record
    twins.lists = {AT: [], ABSENT: []}
    for path in ("/o", "/h", "/p"):
        seen = []
        for world in WORLDS:
            one, two = answer(record(1)), answer({"message": "2 rows"}, status=406)
            twins.pager.override = two if world[0] == AT else one
            seen.append(ask(twins, "police", world, [path])[0])
        twins.pager.override = None
        assert {(r.status, r.body) for r in seen} == {(404, b'{"type":"about:blank","title":"Not Found","status":404}')}, path


def test_records_on_the_wire(twins):
    """The same streams, TLS records and all, next answer too."""
    twins.lists = {AT: [100, 1, 101, 2, *range(3, 20), 102], ABSENT: list(range(1, 20))}
    twins.pager.cap = twins.pager.indent = None
    for path in ("/o?offset=0&limit=19", "/o?offset=18&limit=5", "/p?page=2&limit=7", "/w?limit=3", "/h?offset=15"):
        data = request("police", path) + request("police", "/next") + request("police", "/next", close=True)
        got = twins.compare("police", data)
        assert got.raw.count(b"HTTP/1.1 200") == 3
