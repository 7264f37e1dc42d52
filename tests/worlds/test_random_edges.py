"""Random requests and answers at one below, at, and one over every limit, through the whole gateway in three worlds, many on one
connection: the request's head, the origin's head, a record, a document, levels, chunks and TLS records, subjects of one ledger
entry, pages and their scan, and what a query finds. What is wanted is made by leaving out, never by editing.
GATE1367_CASES=100000 a tenth as many of them, GATE1367_SEED=N other ones.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: timeout=7200
import json
import os
import urllib.parse

import pytest

import shapes
import test_queries as queries
import wire
from canary import Canaries
from cases import CANARIES, MISS, OTHERS, P, PROTECTED
from harness.gateway import SANITIZED
from harness.origin import answer
from harness.pager import Pager, documents, number
from worlds import ABSENT, AT, KINDS, NOT_FOUND, WORLDS, Twins, person, request

SEED = int(os.environ.get("GATE1367_SEED", 1))
CASES = int(os.environ.get("GATE1367_CASES", 2000 if SANITIZED else 8000)) // 10
BATCH = 40
HEAD, RECORD, DOCUMENT, DEPTH, SCAN, CHUNK, SUBJECTS = 4096, 2048, 40960, 24, 24, 16384, 256
HIDDEN = [n for n in range(100, 140)] + [n for n in range(1000, 1000 + 2 * SUBJECTS + 2)]
MISSED = (404, MISS["body"].encode())
LISTED = {"units": ["$.items[*]", "$.items[*].associates[*]"], "miss": MISS, "query": {"x": "any"},
          "keys": {"person_id": ["$.items[*].personId", "$.items[*].associates[*].personId"]}}
DOCUMENTS = [{"path": "/list/{n}", **LISTED}, {"path": "/tree/{n}", "units": ["$.a..p"], "miss": MISS},
             {"path": "/stream/{n}", "units": ["$"], "independent": True, "keys": {"person_id": ["$.personId"]}}, {"path": "/people", **queries.LISTED}]
CANARY = Canaries(CANARIES + [number(n)[1:] for n in HIDDEN[::16]])
PACKED = {"ensure_ascii": False, "separators": (",", ":")}


def dump(value):
    return json.dumps(value, **PACKED).encode()


def padded(n, **more):
    """A record of exactly so many bytes."""
    made = {**more, "pad": ""}
    return {**made, "pad": "z" * (n - len(dump(made)))}


def hidden(rng, size=None):
    """Somebody, in a record of that size."""
    who = rng.choice([{"aNumber": P["aNumber"]}, {"personId": P["personId"]}, {"id": rng.randrange(50), "v": P["passport"]}, {"coa": "384"}])
    return padded(size, **who) if size else who


def mixed(rng, kept, others):
    """Both in one list, each in its own order."""
    out = list(kept)
    for one in others:
        out.insert(rng.choice([0, len(out), rng.randrange(len(out) + 1)]), one)
    return out


class Case:
    """at, absent: what the origin says, by the request; wanted: (status, body); headers of the request."""

    def __init__(self, path, at, absent, wanted, head=None):
        self.path, self.at, self.absent, self.wanted, self.head = path, at, absent, wanted, head


def listed(rng, n, at, absent, wanted, **more):
    how = {"framing": rng.choice(["length", "length", "chunked"]), **more}
    return Case(f"/list/{n}", answer(dump({"items": at}), **how), answer(dump({"items": absent}), **how), wanted)


def case_record(rng, n, over):
    """What stays of a record decides, whoever stood in it."""
    inside = rng.random() < 0.5
    big = padded(RECORD + over, associates=[{"name": "Ann"}])
    there = {**big, "associates": mixed(rng, big["associates"], [hidden(rng)])} if inside else big
    small = {"name": "Bea"}
    order = [there, small] if rng.random() < 0.5 else [small, there]
    absent = [big if r is there else r for r in order]
    at = mixed(rng, order, [hidden(rng, rng.randrange(60, 900)) for _ in range(rng.randrange(2 - inside, 3))])
    return listed(rng, n, at, absent, (200, dump({"items": [r for r in absent if r is not big or over <= 0]})))


def records(total, most=1500):
    """Records that are so many bytes as a list document."""
    left, out = total - len(dump({"items": []})), []
    while left > 0:
        size = left if left <= most else min(most, left - 200)
        out.append(padded(size - (1 if out else 0)))
        left -= size
    assert len(dump({"items": out})) == total
    return out


def case_document(rng, n, over):
    """A document as large as may be, or as the buffers and TLS records that carry it."""
    size = rng.choice([DOCUMENT, CHUNK, 2 * CHUNK]) + over
    absent = records(size)
    at = mixed(rng, absent, [hidden(rng, rng.randrange(60, 900)) for _ in range(rng.randrange(1, 9))])
    return listed(rng, n, at, absent, (200, dump({"items": absent})) if size <= DOCUMENT else MISSED)


def case_depth(rng, n, over):
    def nested(levels):
        return "[" * levels + "1" + "]" * levels
    plain = '{"a":{"k":' + nested(DEPTH + over - 2)
    beside = rng.choice([1, DEPTH // 2, DEPTH - 3])
    hers = ',"p":{"n":"%s","d":%s}' % (P["aNumber"], nested(DEPTH + beside - 3))
    at, absent = plain + hers + "}}", plain + "}}"
    return Case(f"/tree/{n}", answer(at.encode()), answer(absent.encode()), (200, absent.encode()) if over <= 0 else MISSED)


def case_stream(rng, n, over):
    """Lines that leave in chunks: they end one byte before, at, or behind the end of one."""
    left, lines = rng.choice([1, 2, 3]) * CHUNK + over, []
    while left > 0:
        size = left if left <= 1500 else min(1500, left - 200)
        lines.append(dump(padded(size - 1)) + b"\n")
        left -= size
    hers = [dump(hidden(rng, rng.randrange(60, 600))) + b"\n" for _ in range(rng.randrange(1, 6))]
    how = {"content_type": "application/x-ndjson", "framing": rng.choice(["length", "chunked"])}
    absent = b"".join(lines)
    return Case(f"/stream/{n}", answer(b"".join(mixed(rng, lines, hers)), **how), answer(absent, **how), (200, absent))


def case_subjects(rng, n, over):
    """As many people as one entry names, and one more or less."""
    kept = [{"name": "Ann"}, {"name": "Bea"}]
    gone = [{"aNumber": number(1000 + i)} for i in range(rng.choice([1, 2]) * SUBJECTS + over)]
    return listed(rng, n, mixed(rng, kept, gone), kept, (200, dump({"items": kept})))


def case_origin_head(rng, n, over):
    """The origin's head, as long in every world."""
    def sized(items):
        bare = answer(dump({"items": items}), headers=[("X-Pad", "")])
        return answer(dump({"items": items}), headers=[("X-Pad", "p" * (HEAD + over - bare.index(b"\r\n\r\n") - 4))])
    kept = [{"name": "Ann"}]
    return Case(f"/list/{n}", sized([hidden(rng), *kept]), sized(kept), (200, dump({"items": kept})) if over <= 0 else MISSED)


def case_pages(rng, n, over):
    """Lists and pages around what is asked, the origin's most, and the scan."""
    style = rng.choice("ooph")
    visible = rng.sample(range(1, 90), max(0, rng.choice([0, SCAN, SCAN, 9, 10, 40]) + over))
    gone = rng.sample(range(100, 140), rng.choice([1, 2, rng.randrange(SCAN)]))
    capped = rng.random() < 0.4
    cap = 9 if capped else rng.choice([None, None, 1, 4, 30])
    limit, at = max(0, rng.choice([1, 9, 10, SCAN]) + rng.choice([-1, 0, 1])), max(0, rng.choice([0, 5, SCAN - 9, SCAN, len(visible)]) + over)
    cut = min(limit, 9) if capped else limit
    first = f"offset={at}"
    if style == "p":
        page = 1 + at // max(1, cut)
        at, first = (page - 1) * cut, f"page={page}"
    ids = visible[at:at + cut] if len(visible) <= SCAN or (at + cut <= SCAN and style != "h") else None
    def wanted(status, body):
        value = json.loads(body)
        for name in {"o": ["items"], "p": ["data", "people"], "h": []}[style] if status == 200 else []:
            value = value[name]
        return (status, body) == (404, NOT_FOUND) if ids is None else status == 200 and [x["id"] for x in value] == ids
    lists = {AT: Pager(mixed(rng, visible, gone), cap), ABSENT: Pager(visible, cap)}
    path = f"{'/capped' if capped else ''}/{style}?q={n}&{first}&limit={limit}"
    return Case(path, lists[AT].respond, lists[ABSENT].respond, wanted)


def case_query(rng, n, over):
    """Who is found by what is shown, and nobody by what is not."""
    people, hers = queries.population(rng)
    query = f"format={n}&" + queries.random_query(rng)

    def respond(everybody):
        asked = urllib.parse.parse_qsl(query, keep_blank_values=True)
        return answer(queries.written([p for p in everybody if queries.finds(p, asked, True)]))
    seen = [p for p in people if queries.finds(p, urllib.parse.parse_qsl(query), False)]
    return Case("/people?" + query, lambda r: respond(queries.with_her(people, hers)), lambda r: respond(people), (200, queries.shown(seen)))


def case_request_head(rng, n, over):
    """The last on its connection: a head that is too long ends it."""
    kept = [{"name": "Ann"}]
    made = listed(rng, n, [hidden(rng), *kept], kept, (200, dump({"items": kept})) if over <= 0 else (431, b""))
    made.head = HEAD + over
    return made


FAMILIES = [case_record, case_document, case_depth, case_stream, case_subjects, case_origin_head, case_pages, case_pages, case_query, case_query]


class Edges(Twins):
    """An origin that answers by the number in path or query."""

    def __init__(self, place, more):
        self.cases = {}
        super().__init__(place, more, [*PROTECTED, *(person(number(n)) for n in HIDDEN)], OTHERS, pace="0ms",
                         config={"limits": {"header": "4KiB", "record": "2KiB", "document": "40KiB", "depth": DEPTH}})

    def _respond(self, r):
        query = dict(urllib.parse.parse_qsl(r.query))
        case = self.cases.get(query.get("q" if "limit" in query else "format") if query.keys() & {"limit", "format"} else r.path.rsplit("/", 1)[1])
        if case is None:
            return super()._respond(r)
        said = case.at if self.world == AT else case.absent
        return said(r) if callable(said) else said


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    more = documents(prefix="", scan=SCAN) + documents(prefix="/capped", scan=SCAN, max_limit=9)
    with Edges(tmp_path_factory.mktemp("edges"), DOCUMENTS + more) as t:
        yield t


def written(kind, case, last):
    if case.head is None:
        return request(kind, case.path, close=last)
    bare = request(kind, case.path + "?x=", close=last)
    return request(kind, case.path + "?x=" + "y" * (case.head - len(bare)), close=last)


def make(batch):
    """A batch: families by turns, each at one below, at, and one over; the last one ends the connection."""
    out = {}
    for i in range(BATCH):
        n, rng = batch * BATCH + i, shapes.Random(f"edges {SEED} {batch} {i}")
        family = case_request_head if i == BATCH - 1 else FAMILIES[n % len(FAMILIES)]
        out[str(n)] = family(rng, n, n // len(FAMILIES) % 3 - 1 if family is not case_request_head else batch % 3 - 1)
    return out


@pytest.mark.parametrize("batch", range(-(-CASES // BATCH)))
def test_at_every_edge(twins, batch):
    twins.cases = make(batch)
    kind = list(KINDS)[batch % len(KINDS)]
    data = b"".join(written(kind, c, i == BATCH - 1) for i, c in enumerate(twins.cases.values()))
    streams = [twins.seen_by(kind, world, data) for world in WORLDS]
    for world, stream in zip(WORLDS, streams):
        for (n, case), (status, _, body) in zip(twins.cases.items(), wire.answers(stream.raw), strict=True):
            good = case.wanted(status, body) if callable(case.wanted) else case.wanted == (status, body)
            wanted = (0, b"") if callable(case.wanted) else case.wanted
            assert good, f"seed {SEED} {kind} {world} case {n} {case.path}: {status}, not {wanted[0]} {wire.minimal_difference(body, wanted[1])}"
    for world, stream in zip(WORLDS[1:], streams[1:]):
        assert stream.seen() == streams[0].seen(), f"seed {SEED} {kind} {world}: the streams differ beside their bodies"
    if batch % 4 == 0:
        CANARY.assert_none(streams[0].raw, kind)
