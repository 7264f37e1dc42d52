# ctest: release
"""What DataTables and PostgREST's clients ask, of the ready profiles, in three worlds: the origin searches also what nobody restricted is
shown, and orders by it. Who stays is what a second implementation finds in what is shown. GATE1367_SEED, GATE1367_CASES as elsewhere.

    #= 8USC1367 a(2)
    #= 10-domain 6.L20
    #= 10-domain 6.L21
"""
import json
import os
import random
import re
import urllib.parse

import pytest

from canary import Canaries
from cases import CANARIES, OTHERS, P, PROTECTED
from harness.client import POLICE, Client
from harness.gateway import ROOT
from harness.origin import answer
from wire import normalised
from worlds import ABSENT, AT, NOT_FOUND, WORLDS, Twins

CASES = int(os.environ.get("GATE1367_CASES", 60))
SEED = int(os.environ.get("GATE1367_SEED", 1))
HER = "Vicenta Quispe Mamani"
NAMES = ["Ann Quispe", "Bea García", "Kim Lee", "José Quispe", "Lee Garcia", "Noor Ali"]
CITIES = ["Lima", "New York", "Nuuk", "Oslo"]
TABLE = ["name", "city", "notes", "booked"]  # as the page shows them; `notes` is nobody's business here
SHOWN = {"name", "city", "booked"}


def document(profile, hidden):
    """The ready profile's document, with a member that is not shown."""
    pack = json.loads((ROOT / f"rules/profiles/{profile}.json").read_text())
    d = pack["profiles"][0]["documents"][0]
    return {**d, "texts": d.get("texts", []) + [hidden]}


def population(rng):
    people = [{"id": n, "a_number": f"A81000{n:04}", "name": rng.choice(NAMES), "city": rng.choice(CITIES), "booked": rng.choice(["2026-01-02", "2026-03-04", None]),
               "notes": rng.choice(["seen in Lima", "", "Lee"])} for n in range(1, 13)]
    hers = {"id": 77, "a_number": P["aNumber"], "name": HER, "city": "Lima", "booked": "2026-01-02", "notes": ""}
    there = [{**p, "notes": f"{HER}, {P['aNumber']}, of Cuzco"} if rng.random() < 0.4 else p for p in people]
    there.insert(rng.randrange(len(there) + 1), hers)
    return {AT: there, ABSENT: people}


def fold(v):
    return "".join(c for c in str(v).casefold().replace("é", "e").replace("í", "i") if c.isalnum())


# ---- DataTables

def has(row, columns, value):
    return any(fold(value) in fold(row[c]) for c in columns if row[c] is not None)


def datatables(q, rows, columns):
    """A server's side of it, over these columns."""
    asked = [q[f"columns[{i}][data]"] for i in range(len(TABLE))]
    rows = [r for r in rows if not q["search[value]"] or has(r, [c for c in asked if c in columns], q["search[value]"])]
    for i, c in enumerate(asked):
        value = q.get(f"columns[{i}][search][value]", "")
        rows = [r for r in rows if not value or has(r, [c], value)]
    if "order[0][column]" in q:
        c = asked[int(q["order[0][column]"])]
        rows = sorted(rows, key=lambda r: (r[c] or "", r["id"]), reverse=q["order[0][dir]"] == "desc")
    return rows


def table_query(rng):
    q = {"draw": "3"}
    for i, c in enumerate(TABLE):
        q |= {f"columns[{i}][data]": c, f"columns[{i}][name]": "", f"columns[{i}][searchable]": "true", f"columns[{i}][orderable]": "true",
              f"columns[{i}][search][value]": "", f"columns[{i}][search][regex]": "false"}
    q |= {"start": str(rng.choice([0, 0, 3])), "length": "5", "search[value]": "", "search[regex]": "false", "_": "1700000000"}
    if rng.random() < 0.7:
        q["search[value]"] = rng.choice(["quispe", "QUISPE", "lee", "Cuzco", "vicenta", "lima", "garcia", P["aNumber"], "917345628"])
    if rng.random() < 0.4:
        q[f"columns[{rng.choice([0, 1])}][search][value]"] = rng.choice(["lee", "new york", "Lima", "mamani"])
    if rng.random() < 0.5:
        q |= {"order[0][column]": str(rng.choice([0, 1, 3])), "order[0][dir]": rng.choice(["asc", "desc"]), "order[0][name]": ""}
    return q


# ---- PostgREST

def compare(op, value, seen):
    if seen is None:
        return op == "is"
    if op == "in":
        return any(fold(v.strip('"')) == fold(seen) for v in value[1:-1].split(","))
    if op == "ilike":
        return all(fold(v) in fold(seen) for v in value.split("*"))
    return {"eq": fold(seen) == fold(value), "gte": str(seen) >= value, "is": False}[op]


def row_filter(q, row, view):
    """`view`: what the column says to the origin; it looks into the notes too where it is asked for a name."""
    def one(condition):
        column, op, value = condition.split(".", 2)
        return any(compare(op, value, s) for s in view(row, column))
    for name, value in q:
        if name == "or":
            if not any(one(c) for c in split(value[1:-1])):
                return False
        elif name in SHOWN | {"a_number", "id"} and not one(f"{name}.{value}"):
            return False
    return True


def split(text):
    out, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            out.append("")
        else:
            out[-1] += c
    return out


def with_notes(row, column):
    return [row[column], row["notes"]] if column == "name" else [row[column]]


def alone(row, column):
    return [row[column]]


def rest_query(rng):
    conditions = ["name=ilike.*quispe*", "name=ilike.*cuzco*", "city=eq.Lima", "city=in.(Nuuk,\"New York\")", f"a_number=eq.{P['aNumber']}", "booked=gte.2026-02-01", "booked=is.null",
                  "or=(name.ilike.*lee*,city.eq.Oslo)", "or=(name.ilike.*vicenta*,name.ilike.*noor*)", "name=eq.Kim+Lee"]
    q = rng.sample(conditions, rng.choice([0, 1, 1, 2])) + [f"offset={rng.choice([0, 0, 2])}", "limit=5"]
    if rng.random() < 0.5:
        q.append(f"order={rng.choice(['name', 'city.desc', 'booked.asc.nullslast,name.desc'])}")
    return "&".join(q + ["select=id,name"] if rng.random() < 0.3 else q)


def order(q, rows):
    for item in reversed(dict(q).get("order", "id").split(",")):
        name, *how = item.split(".")
        rows = sorted(rows, key=lambda r: (r[name] is None, r[name] or ""), reverse="desc" in how)
    return rows


class Asked(Twins):
    def _respond(self, r):
        path = r.path.removeprefix("/public").removeprefix("/api")
        pairs = urllib.parse.parse_qsl(r.query, keep_blank_values=True)
        q, rows = dict(pairs), self.people[self.world]
        self.asked = q
        if path == "/arrests":
            found = datatables(q, rows, TABLE)
            at = int(q["start"])
            return answer({"draw": q["draw"], "recordsTotal": len(rows), "recordsFiltered": len(found), "data": found[at:at + int(q["length"])]})
        if path == "/persons":
            found = order(pairs, [x for x in rows if row_filter(pairs, x, with_notes)])
            at = int(q["offset"])
            return answer(found[at:at + int(q["limit"])], headers=[("Content-Range", f"0-0/{len(found)}")])
        return super()._respond(r)

    def ask(self, targets, headers=()):
        """The same answers in the three worlds; those of the first."""
        seen, targets = [], [re.sub(r'["^ \[\]{}]', lambda m: f"%{ord(m[0]):02X}", t) for t in targets]  # RFC 3986: as browsers write them
        for self.world, gateway in WORLDS:
            with Client(self.gateways[gateway].port, POLICE) as c:
                seen.append([c.get("/api" + t, headers=list(headers)) for t in targets])
        plain = [[normalised(r.raw) for r in answers] for answers in seen]
        for target, a, b, c in zip(targets, *plain):
            assert a == b == c, (SEED, target, a, b, c)
            Canaries(CANARIES).assert_none(a, target)
        return seen[0]


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Asked(tmp_path_factory.mktemp("dialects"), [document("datatables", "$.data[*].notes"), document("postgrest", "$[*].notes")], PROTECTED, OTHERS,
               pace="0ms") as t:
        t.people = population(random.Random(SEED))
        yield t


def visible(r):
    return {k: v for k, v in r.items() if k != "notes"}


def test_tables(twins):
    rng = random.Random(SEED)
    for _ in range(max(1, CASES // 20)):
        twins.people = population(rng)
        asked = [table_query(rng) for _ in range(10)]
        for q, r in zip(asked, twins.ask(["/arrests?" + urllib.parse.urlencode(q) for q in asked])):
            found = datatables(q, twins.people[ABSENT], SHOWN)
            at = int(q["start"])
            assert json.loads(r.body) == {"recordsTotal": len(found), "recordsFiltered": len(found), "data": [visible(x) for x in found[at:at + 5]]}, (SEED, q)
            assert "_" not in twins.asked


def test_rows(twins):
    rng = random.Random(SEED)
    for _ in range(max(1, CASES // 10)):
        twins.people = population(rng)
        asked = [rest_query(rng) for _ in range(10)]
        for query, r in zip(asked, twins.ask([f"/persons?{q}" for q in asked])):
            pairs = urllib.parse.parse_qsl(query)
            found = order(pairs, [x for x in twins.people[ABSENT] if row_filter(pairs, x, alone)])
            at = int(dict(pairs)["offset"])
            assert json.loads(r.body) == [visible(x) for x in found[at:at + 5]], (SEED, query)
            assert "select" not in twins.asked


def test_units_by_range(twins):
    twins.people = population(random.Random(SEED))
    ids = [x["id"] for x in twins.people[ABSENT]]
    ranges = {"0-4": (ids[:5], "0-4/*"), "5-9": (ids[5:10], "5-9/*"), "10-": (ids[10:], "10-11/*"), "30-39": ([], "*/*"), "4-2": (ids, "0-11/*"), "bytes=0-4": (ids, "0-11/*"),
              "0-4,8-9": (ids, "0-11/*"), "x": (ids, "0-11/*")}
    for text, (wanted, said) in ranges.items():
        (r,) = twins.ask(["/persons"], [("Range", text), ("Range-Unit", "items"), ("Prefer", "count=exact")])
        assert ([x["id"] for x in json.loads(r.body)], r.header("Content-Range")) == (wanted, said), text
    (r,) = twins.ask(["/persons?limit=3&offset=1"], [("Range", "0-4"), ("Range-Unit", "items")])
    assert [x["id"] for x in json.loads(r.body)] == ids[1:4]
    (r,) = twins.ask(["/persons"], [("Range", "0-4")])
    assert len(json.loads(r.body)) == len(ids)  # a range of no such unit is answered in full


def test_what_is_refused(twins):
    """By the request alone: the origin is not asked, and every world says the same."""
    columns = "&".join(f"columns[{i}][data]={c}&columns[{i}][searchable]=true" for i, c in enumerate(TABLE))
    wrong = [f"/arrests?{columns}&order[0][column]=2&order[0][dir]=asc", f"/arrests?{columns}&columns[2][search][value]=Cuzco", "/arrests?notes=Cuzco",
             f"/arrests?{columns}&search[value]=^3&search[regex]=true", "/persons?notes=ilike.*Cuzco*", "/persons?order=notes", "/persons?or=(name.eq.a,notes.eq.b)",
             '/persons?or=(booked.gt.9"a,notes.ilike.*cuzco*,booked.gt.9"a)', "/persons?or=(booked.gt.9(,notes.ilike.*cuzco*)z)", 
             "/persons?and=(name.in.(Ana,b(,c),notes.ilike.*cuzco*,name.in.(d)))", "/persons?or=(name.eq.{a,city.in.(Lima},notes.ilike.*cuzco*))",
             "/persons?or=(booked.gt.{a,city.in.(Lima},notes.ilike.*cuzco*))", "/persons?name=fts.cuzco", "/persons?spouse.name=eq.a", "/persons?name=eq"]
    twins.asked = None
    assert {(r.status, r.body) for r in twins.ask(wrong)} == {(404, NOT_FOUND)} and twins.asked is None


def test_what_echoes_is_no_oracle(twins):
    """A number that the request plants in the answer is somebody's in one world, and nobody's in another."""
    for draw in ("3", P["aNumber"][1:], P["aNumber"], P["ssn"]):
        (r,) = twins.ask([f"/arrests?draw={draw}&start=0&length=5&columns[0][data]=name&columns[0][searchable]=true&search[value]=&columns[1][data]=city&columns[2][data]=notes&columns[3][data]=booked"])
        assert r.status == 200 and "draw" not in json.loads(r.body)
