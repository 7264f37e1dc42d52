"""Tables whose columns have their names in another place than their values, and values of which something deeper says what they are:
withheld to the byte, as in records, for a number that nothing but its column's name tells.

    #= 8USC1367 a(2)
    #= 10-domain 3.3
"""
import json

import pytest

from canary import Canaries
from cases import CANARIES, OTHERS, PROTECTED, P, Case, check_officer, check_restricted, numbered, reply
from worlds import Twins, request

SSN = P["ssn"].replace("-", "")
FREE = "219579874"  # nobody's
NOBODY = {"status": 404, "type": "text/plain", "body": "nobody"}
HEAD, HERS, HIS = ["name", "ssn"], ["A B", SSN], ["C D", FREE]
NAMED = [{"name": "name", "type": "varchar"}, {"name": "ssn", "type": "varchar"}]
CODED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SS", "display": "Social Security number"}]}


def table(name, made, units="$.rows[*]", **more):
    """`made`: of rows, the document."""
    return Case(name, {"path": "", "units": [units], **more}, made([HERS, HIS]), made([HIS]), made([HIS]))


def record(name, made):
    return Case(name, {"path": "", "units": ["$"], "miss": NOBODY}, made([HERS]), made([HIS]), None)


def lines(name, *head):
    body = lambda *rows: "".join(json.dumps(x) + "\n" for x in (*head, *rows)).encode()  # noqa: E731
    return Case(name, {"path": "", "units": ["$"]}, body(["x", 1], HERS, HIS), body(["x", 1], HIS), body(["x", 1], HIS), content_type="application/x-ndjson")


def changes(name):
    """Lines in each of which some names are, and values that are not theirs in another."""
    hers, his = {"ssn": P["ssn"], "fields": ["form", "page"]}, {"id": 7, "fields": ["page"], "values": ["918", "2"]}
    body = lambda *records: "".join(json.dumps(x) + "\n" for x in records).encode()  # noqa: E731
    return Case(name, {"path": "", "units": ["$"]}, body(hers, his), body(his), body(his), content_type="application/x-ndjson")


def patients(name, kind, of=lambda number: {"value": number}):
    hers, his = ({"resourceType": "Patient", "identifier": [{"use": "usual", **kind, **of(row[1])}]} for row in (HERS, HIS))
    return Case(name, {"path": "", "units": ["$[*]"]}, [hers, his], [his], [his])


def cells(rows):
    return [{"f": [{"v": value} for value in row]} for row in rows]


def many(rows):
    return [["x" * 60, 7]] * 300 + rows + [["y" * 60, 8]] * 300


CASES = numbered([
    table("names first", lambda rows: {"columns": HEAD, "rows": rows}),
    table("names last", lambda rows: {"rows": rows, "columns": HEAD}),
    table("names with types", lambda rows: {"columns": NAMED, "rows": rows}),
    table("names deeper", lambda rows: {"manifest": {"schema": {"columns": NAMED}}, "rows": rows}),
    table("cells", lambda rows: {"schema": {"fields": NAMED}, "rows": cells(rows)}),
    table("cells, names last", lambda rows: {"rows": cells(rows), "schema": {"fields": NAMED}}),
    table("a sheet", lambda rows: {"range": "A1:B9", "values": [HEAD, *rows]}, "$.values[*]"),
    table("a bare sheet", lambda rows: [HEAD, *rows], "$[*]"),
    table("many rows", lambda rows: {"columns": HEAD, "rows": many(rows)}),
    table("many rows, in parts", lambda rows: {"columns": HEAD, "rows": many(rows)}, independent=True),
    table("many cells, in parts", lambda rows: {"schema": {"fields": NAMED}, "rows": cells(many(rows))}, independent=True),
    table("a sheet, in parts", lambda rows: [HEAD, *many(rows)], "$[*]", independent=True),
    table("tables in a list", lambda rows: {"results": [{"columns": HEAD, "values": [row]} for row in rows]}, "$.results[*]"),
    record("the document", lambda rows: {"columns": HEAD, "data": rows}),
    record("the document, names last", lambda rows: {"result": {"data_array": rows}, "schema": {"columns": HEAD}}),
    lines("lines", HEAD),
    lines("lines behind their names", {"columns": NAMED}),
    changes("lines that name what was changed"),
    Case("rows without names", {"path": "", "units": ["$[*]"]}, [["form", P["ssn"]], ["918", "2"]], [["918", "2"]], [["918", "2"]]),
    patients("coded", {"type": CODED}),
    patients("coded by its text", {"type": {"coding": [{"code": "X"}], "text": "Social Security Number"}}),
    patients("in a list", {"type": "SSN"}, lambda number: {"values": ["1", number]}),
    patients("coded and in a list", {"type": {"text": "SSN"}}, lambda number: {"value": [int(number)]}),
])


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    documents = [d for c in CASES for d in c.documents()]
    with Twins(tmp_path_factory.mktemp("tables"), documents, PROTECTED, OTHERS) as t:
        yield t


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_three_worlds(twins, case):
    absent = reply(case.absent, case.content_type) if case.expect is not None else reply(NOBODY["body"], NOBODY["type"], status=NOBODY["status"])
    twins.answer_with(case.target(), reply(case.at, case.content_type), absent)
    check_restricted(twins, Canaries([*CANARIES, SSN]), lambda kind: request(kind, case.target()), case.wanted())
    if not case.document.get("independent"):
        check_officer(twins, case)
