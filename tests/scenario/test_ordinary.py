# ctest: release
"""Ordinary documents yield no findings: a false one hides somebody from those who should find them. Lists by other hands
where they are there, and generated narratives, invoices, telephone lists, coordinates, keys, images."""
import base64
import json
import random
import uuid

import pytest

from harness import gateway as g
from harness.judge import config, judge, strength

pytestmark = pytest.mark.whole("the clients and origins are programs of others")

WORDS = """the officer stated that subject was encountered near port of entry and transported to field office for processing without
 incident court hearing scheduled judge granted bond attorney present employer wages invoice total due paid shipped warehouse school
 records teacher student grade visa category visitor student tourist passport issued country birth address street apartment city state
 telephone vehicle plate driver license expired renewed application received approved denied interview medical examination fee waiver
 interpreter language spanish family mother father child spouse brother sister witness report property damage theft arrest warrant
 custody released recognizance supervision check in monthly photo fingerprint taken status pending case number room section""".split()
VIS = ["B1", "B2", "F1", "H1B", "L1", "TN", "TD", "LPR", "A1", "G4", "J1", "O1", "P3", "R1", "E2", "K1", "V1", "CP", "UU"]


def narrative(r):
    return " ".join(r.choice(WORDS) for _ in range(60)).capitalize() + "."


def record(r):
    n = lambda k: "".join(r.choice("0123456789") for _ in range(k))
    d = lambda: f"{r.randint(1950, 2025)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
    return {"personId": int(n(8)), "aNumber": f"A{n(9)}", "name": {"last": r.choice(WORDS), "first": r.choice(WORDS)}, "dob": d(), "coa": r.choice(VIS),
            "classOfAdmission": r.choice(VIS), "eadCategory": r.choice(["C09", "C08", "A05", "C03", "(c)(9)", "C10", "A12"]),
            "phone": f"({r.randint(200, 999)}) 555-{n(4)}", "email": f"u{n(5)}@example.com", "ssn": f"{r.randint(100, 600)}-{n(2)}-{n(4)}",
            "address": {"street": f"{r.randint(1, 9999)} Oak St Apt {r.randint(1, 99)}", "zip": n(5), "room": str(r.randint(100, 2000))},
            "form": r.choice(["I-130", "I-140", "N-400", "I-589", "I-765", "I-90", "DS-160"]), "updated": d() + "T10:22:33.123Z", "active": True,
            "receipt": f"{r.choice(['EAC', 'WAC', 'LIN', 'IOE'])}{n(10)}", "amount": round(r.random() * 10000, 2), "narrative": narrative(r),
            "vin": n(17), "plate": f"{n(3)}ABC", "charge": r.choice(["1325", "1326", "1367", "212(a)(6)(A)(i)", "18 USC 1546", "8 USC 1326"]),
            "uuid": str(uuid.UUID(int=r.getrandbits(128))), "sha": f"{r.getrandbits(256):064x}", "isbn": f"978-{n(1)}-{n(4)}-{n(4)}-{n(1)}",
            "point": {"type": "Point", "coordinates": [r.uniform(-180, 180), r.uniform(-90, 90)]}, "docket": f"{r.randint(1, 99)}-cv-{n(5)}",
            "photo": base64.b64encode(r.randbytes(600)).decode(), "url": f"https://example.com/a/{n(6)}?x={n(3)}&y=%20{n(2)}"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    people = [{"subject": "S", "cases": [{"id": "C", "benefit": "U", "role": "principal", "status": "pending"}], "identifiers": [
        {"kind": "alien_number", "value": "A000000811"}, {"kind": "phone", "value": "+1 413 867 5309", "confidential": True},
        {"kind": "email", "value": "nobody.else@example.org"}]}]
    return config(tmp_path_factory.mktemp("ordinary"), people)


def rates(what, seen):
    counts = {s: sum(strength(x) == s for x in seen) for s in ("definitive", "suspected", "nothing")}
    withheld = sum(x["withheld"] for x in seen)
    print(f"{what}: {len(seen)} looked at, {counts['definitive']} definitive, {counts['suspected']} suspected, {withheld} withheld")
    return counts["definitive"] + withheld


def test_generated_records(gateway):
    r = random.Random(1367)
    seen = judge(gateway, [record(r) for _ in range(600)])
    assert rates("generated records", seen) == 0, [x for x in seen if x["withheld"]][:5]
    assert not any(x["suspected"] for x in seen), [x for x in seen if x["suspected"]][:5]


def as_table(records, r):
    """As programs write tables: the names of the columns elsewhere, the first row, or behind."""
    names, rows = list(records[0]), [list(x.values()) for x in records]
    heads = [names, [{"name": n, "type": "varchar"} for n in names]]
    return r.choice([{"columns": heads[0], "data": rows}, {"rows": rows, "columns": heads[1]}, {"values": [names, *rows]},
                     {"schema": {"fields": heads[1]}, "rows": [{"f": [{"v": v} for v in row]} for row in rows]}])


def test_generated_tables(gateway):
    r = random.Random(1368)
    seen = judge(gateway, [as_table([record(r) for _ in range(12)], r) for _ in range(100)])
    assert rates("generated tables", seen) == 0, [x for x in seen if x["withheld"]][:5]
    assert not any(x["suspected"] for x in seen), [x for x in seen if x["suspected"]][:5]


def test_tables_of_numbers(gateway):
    """Columns of numbers of any kind under names that mean something, and rows that are wider, shorter or another table's."""
    r = random.Random(1369)
    names = ["ssn", "a_number", "alien", "tin", "passport_no", "visa", "class", "status", "category", "x", "y", "t", "u", "id", "code", "count", "total"]
    number = lambda: r.choice([r.randrange(10 ** r.randint(1, 9)), r.random() * 1000, r.randint(1500000000, 1800000000), str(r.randrange(10 ** 9))])
    tables = [{"columns": r.sample(names, 6), "data": [[number() for _ in range(r.randint(4, 8))] for _ in range(40)]} for _ in range(200)]
    assert rates("tables of numbers", judge(gateway, tables)) == 0
    shapes = [{"type": "Feature", "fields": ["ssn", "x"], "geometry": {"coordinates": [[[r.uniform(-180, 180), r.uniform(-90, 90)] for _ in range(30)]]}} for _ in range(50)]
    assert rates("coordinates", judge(gateway, shapes)) == 0


def test_digests_and_keys(gateway):
    """What hexadecimal and base64 mostly are, and long numbers."""
    r = random.Random(36)
    n = lambda k: "".join(r.choice("0123456789") for _ in range(k))
    kinds = [lambda: f"{r.getrandbits(160):040x}", lambda: f"{r.getrandbits(128):032X}", lambda: f"{r.getrandbits(512):0128x}",
             lambda: f"{r.randint(1500000000, 1800000000):08x}{r.getrandbits(64):016x}", lambda: ":".join(f"{r.getrandbits(8):02X}" for _ in range(32)),
             lambda: n(12), lambda: n(16), lambda: n(20), lambda: n(40), lambda: str(r.randint(1500000000000, 1800000000000)),
             lambda: "0x" + f"{r.getrandbits(160):040x}", lambda: base64.b64encode(r.randbytes(r.randint(9, 64))).decode(),
             lambda: f"/search?size={n(2)}&page={n(1)}&id={n(8)}", lambda: f"k{n(2)}={n(4)};v={n(2)}=={n(3)}"]
    seen = judge(gateway, [{"key": r.choice(kinds)()} for _ in range(20000)])
    assert rates("digests and keys", seen) == 0, [x for x in seen if x["withheld"]][:5]
    assert not any(x["suspected"] for x in seen)


def suite(*names):
    files = [f for name in names for f in sorted(g.SUITES.glob(name)) if f.is_file() and not f.name.startswith(("README", "LICENSE"))]
    if not files:
        pytest.skip("no suite")
    return files


@pytest.mark.parametrize("name", ["names-lists/538/**/*.csv", "names-lists/**/*.txt", "match-febrl-1-2/*.csv"])
def test_names_and_words(gateway, name):
    lines = [line for f in suite(name) for line in f.read_text(errors="replace").splitlines()]
    some = random.Random(1).sample(lines, min(8000, len(lines)))
    assert rates(name, judge(gateway, [{"text": line} for line in some])) == 0


def test_awkward_strings(gateway):
    strings = [s for f in suite("strings-blns/*.json") for s in json.loads(f.read_text())]
    assert rates("strings-blns", judge(gateway, [{"text": s} for s in strings])) == 0


def test_error_pages(gateway):
    pages = [f.read_bytes().decode(errors="replace") for f in suite("rules-crs-response/*.body")]
    assert rates("rules-crs-response", judge(gateway, [{"text": p} for p in pages])) == 0


def test_unicode(gateway):
    lines = suite("text-utf8/kuhn-UTF-8-test.txt")[0].read_text(errors="replace").splitlines()
    assert rates("text-utf8", judge(gateway, [{"text": x} for x in lines])) == 0


def test_every_code_that_is_none(gateway):
    """NIEM's descriptions as texts: what they say about victims is found, hardly anything else is."""
    lines = [x.split(" | ") for x in suite("niem-coa/class-of-admission.txt")[0].read_text().splitlines() if " | " in x]
    seen = judge(gateway, [{"text": meaning} for _, meaning in lines])
    found = [(code, meaning, sorted(s["definitive"])) for (code, meaning), s in zip(lines, seen) if s["definitive"]]
    print(f"niem descriptions: {len(found)} of {len(lines)} say it themselves")
    hints = ("vawa", "t or u", "batter", "cruelty", "severe form", "visa")
    assert found and all(any(h in meaning.lower() for h in hints) for _, meaning, _ in found), found
