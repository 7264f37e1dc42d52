"""Every shape of document, in three worlds, for four kinds of restricted recipient; entitled ones get the origin's bytes.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
# ctest: timeout=900
import json

import pytest

from canary import Canaries
from cases import (ALIAS, CANARIES, DERIVATIVE, MISS, OTHERS, P, PROTECTED, RELEASED, Case, check_officer,
                   check_restricted, numbered, reply)
from harness.gateway import SANITIZED
from worlds import Twins, request

ANN = {"personId": 1, "aNumber": "A011111111", "name": "Ann"}
BOB = {"personId": 2, "aNumber": "A022222222", "name": "Bob"}
CAT = {"personId": 3, "aNumber": RELEASED, "name": "Cat"}
VIC = {"personId": P["personId"], "aNumber": P["aNumber"], "name": "Vic", "receipt": P["receipt"]}
KID = {"personId": 77, "aNumber": DERIVATIVE, "name": "Kid"}

ITEMS = {"units": ["$.items[*]", "$.items[*].associates[*]"],
         "keys": {"person_id": ["$.items[*].personId", "$.items[*].associates[*].personId"]},
         "counts": {"$.total": "$.items[*]"}, "complete": True,
         "texts": ["$.items[*].narrative", "$.query"], "uniform": ["$.items[*].officerNotes"]}
LIST = {"units": ["$[*]"], "keys": {"person_id": ["$[*].personId"]}}
RECORD = {"units": ["$", "$.associates[*]"], "keys": {"person_id": ["$.personId", "$.associates[*].personId"]},
          "texts": ["$.narrative"], "uniform": ["$.officerNotes"], "miss": MISS}
LINES = {"units": ["$", "$.associates[*]"], "keys": {"person_id": ["$.personId"]},
         "miss": {"status": 200, "type": "application/x-ndjson", "body": ""}}
MAP = {"units": ["$.byNumber.*"]}
NDJSON = "application/x-ndjson"


def items(*people, total=None, **more):
    return {"total": len(people) if total is None else total, "items": list(people), **more}


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def pretty(value):
    return json.dumps(value, indent=2) + "\n"


def lines(*people, eol="\n", last=True):
    return eol.join(map(json.dumps, people)) + (eol if people and last else "")


def without(p, *names):
    return {k: v for k, v in p.items() if k not in names}


def crowd(n, planted, wide=10**9):
    """n people with uniform members, those from `wide` on with long names; the planted ones stand at every third place."""
    people, kept = [], []
    for i in range(n):
        someone = {"personId": i + 1, "name": f"person {i:05}" + "z" * 600 * (i >= wide), "officerNotes": "x" * (i % 7)}
        people.append(someone)
        kept.append(someone)
        if planted and i % 3 == 0:
            people.append({**VIC, "name": f"planted {i}", "officerNotes": "y"})
    return people, kept


CROWD_AT, CROWD = crowd(400, True)
ROUNDS_AT, ROUNDS = crowd(2000, True, wide=1500)  # a third of a megabyte leaves, first in small pieces, then in large ones
LONE = {"name": "Ann", "spouse": {"name": "Vic", "aNumber": P["aNumber"]}, "city": "Springfield"}

TABLE = numbered([
    # lists and their counts
    Case("first of a list", ITEMS, items(VIC, ANN, BOB), items(ANN, BOB), items(ANN, BOB)),
    Case("between two", ITEMS, items(ANN, VIC, BOB), items(ANN, BOB), items(ANN, BOB)),
    Case("last of a list", ITEMS, items(ANN, BOB, VIC), items(ANN, BOB), items(ANN, BOB)),
    Case("alone in a list", ITEMS, items(VIC), items(), items()),
    Case("all of a list", ITEMS, items(VIC, KID, VIC), items(), items(), found=3),
    Case("every other one", ITEMS, items(VIC, ANN, KID, BOB, VIC), items(ANN, BOB), items(ANN, BOB), found=3),
    Case("compact list", ITEMS, compact(items(ANN, VIC, BOB)), compact(items(ANN, BOB)), compact(items(ANN, BOB))),
    Case("compact list emptied", ITEMS, compact(items(VIC)), compact(items()), compact(items())),
    Case("pretty list", ITEMS, pretty(items(ANN, VIC, BOB)), pretty(items(ANN, BOB)), pretty(items(ANN, BOB))),
    Case("pretty list, first", ITEMS, pretty(items(VIC, ANN)), pretty(items(ANN)), pretty(items(ANN))),
    Case("pretty list emptied", ITEMS, pretty(items(VIC)), pretty(items()), pretty(items())),
    Case("an empty list with space in it", ITEMS, '{"total":1,"items":[ {"aNumber":"%s"} ]}' % P["aNumber"],
         '{"total":0,"items":[ \n ]}', '{"total":0,"items":[]}'),
    Case("a count that was wrong", ITEMS, items(ANN, VIC, total=57), items(ANN, total=56), items(ANN)),
    Case("a quoted count", ITEMS, items(ANN, VIC, total="2"), items(ANN, total="1"), items(ANN, total="1")),
    Case("a count that cannot be written is shown to nobody", ITEMS, items(ANN, VIC, total={"value": 2}),
         items(ANN, total=[1]), {"items": [ANN]}),
    Case("ten become nine", ITEMS, items(*[ANN] * 9, VIC), items(*[ANN] * 9), items(*[ANN] * 9)),
    Case("counts of an incomplete list", {**ITEMS, "complete": False}, {"items": [ANN, VIC], "total": 900, "z": 1},
         {"items": [ANN], "total": 899, "z": 1}, {"items": [ANN], "z": 1}),
    Case("count before and behind", {**ITEMS, "counts": {"$.a": "$.items[*]", "$.b": "$.items[*]"}},
         {"a": 2, "items": [ANN, VIC], "b": 2}, {"a": 1, "items": [ANN], "b": 1}, {"a": 1, "items": [ANN], "b": 1}),
    Case("count inside each record", {**ITEMS, "counts": {"$.items[*].n": "$.items[*].associates[*]"}},
         {"items": [{"n": 2, "associates": [BOB, VIC]}, {"n": 1, "associates": [VIC]}]},
         {"items": [{"n": 1, "associates": [BOB]}, {"n": 0, "associates": []}]},
         {"items": [{"n": 1, "associates": [BOB]}, {"n": 0, "associates": []}]}, found=2),
    Case("counts of one declaration in units of two", {"units": ["$.a[*]", "$.b[*]", "$..child"], "complete": True,
                                                       "counts": {"$.a[*].n": "$..child", "$.b[*].n": "$..child"}},
         {"a": [{"n": 1, "child": ANN}, {"n": 2, "child": BOB, "p": {"child": VIC}}], "b": [{"n": 1, "child": CAT}]},
         {"a": [{"n": 1, "child": ANN}, {"n": 1, "child": BOB, "p": {}}], "b": [{"n": 1, "child": CAT}]},
         {"a": [{"n": 1, "child": ANN}, {"n": 1, "child": BOB, "p": {}}], "b": [{"n": 1, "child": CAT}]}),
    Case("root array", LIST, [ANN, VIC, BOB], [ANN, BOB], [ANN, BOB]),
    Case("root array emptied", LIST, [VIC], [], []),
    Case("list of mere numbers", LIST, '["A011111111", "%s", "A022222222"]' % P["aNumber"],
         '["A011111111", "A022222222"]', '["A011111111", "A022222222"]'),
    Case("a crowd", ITEMS, items(*CROWD_AT), items(*CROWD), items(*[without(p, "officerNotes") for p in CROWD]),
         found=134),
    Case("a crowd of several rounds", ITEMS, items(*ROUNDS_AT), items(*ROUNDS), items(*[without(p, "officerNotes") for p in ROUNDS]),
         found=667),
    Case("a crowd, compact and gone", ITEMS, compact(items(*[VIC] * 300)), compact(items()), compact(items()), found=300),

    # lookups
    Case("a record", RECORD, VIC, b"never read", None),
    Case("a record without a miss", without(RECORD, "miss"), VIC, b"never read", None),
    Case("a record by its path", {**RECORD, "path": "/{id}"}, VIC, b"never read", None, path=f"/{P['aNumber']}"),
    Case("a derivative's record", RECORD, KID, b"never read", None),
    Case("a second number", RECORD, {"name": "V", "aka": {"aNumber": ALIAS}}, b"never read", None),
    Case("known by receipt alone", RECORD, {"n": 1, "r": P["receipt"]}, b"never read", None),
    Case("known by SSN alone", RECORD, {"n": 1, "r": P["ssn"]}, b"never read", None),
    Case("known by passport alone", RECORD, {"n": 1, "r": P["passport"]}, b"never read", None),
    Case("known by the system's key alone", RECORD, {"personId": P["personId"], "n": 1}, b"never read", None),
    Case("in a member removed for all", RECORD, {"name": "V", "officerNotes": "see " + P["aNumber"]}, b"never read", None),
    Case("as a member's name", RECORD, {"name": "V", "by": {P["aNumber"]: 1}}, b"never read", None),

    # nested
    Case("an associate", RECORD, {**ANN, "associates": [BOB, VIC]}, {**ANN, "associates": [BOB]},
         {**ANN, "associates": [BOB]}),
    Case("the only associate", RECORD, {**ANN, "associates": [VIC]}, {**ANN, "associates": []}, {**ANN, "associates": []}),
    Case("an associate in a list", ITEMS, items({**ANN, "associates": [VIC, BOB]}), items({**ANN, "associates": [BOB]}),
         items({**ANN, "associates": [BOB]})),
    Case("own record and an associate", ITEMS, items(VIC, {**ANN, "associates": [VIC]}), items({**ANN, "associates": []}),
         items({**ANN, "associates": []}), found=2),
    Case("a bystander inside a withheld record", ITEMS, items({**VIC, "associates": [ANN, BOB]}, CAT), items(CAT), items(CAT)),
    Case("units in units in units", {"units": ["$.a[*]", "$.a[*].b[*]", "$.a[*].b[*].c.*"]},
         {"a": [{"b": [{"c": {"x": ANN, "y": VIC}}, VIC]}, KID]}, {"a": [{"b": [{"c": {"x": ANN}}]}]},
         {"a": [{"b": [{"c": {"x": ANN}}]}]}, found=3),
    Case("descendant units", {"units": ["$..person"]}, {"a": {"person": VIC, "z": 1}, "b": [{"person": ANN}, {"person": VIC}]},
         {"a": {"z": 1}, "b": [{"person": ANN}, {}]}, {"a": {"z": 1}, "b": [{"person": ANN}, {}]}, found=2),
    Case("deep in a record", RECORD, {"a": [[{"b": {"c": [[["x", P["aNumber"]]]]}}]]}, b"never read", None),

    # maps
    Case("a map by number", MAP, {"byNumber": {"A011111111": ANN, P["aNumber"]: VIC, "A022222222": BOB}},
         {"byNumber": {"A011111111": ANN, "A022222222": BOB}}, {"byNumber": {"A011111111": ANN, "A022222222": BOB}}),
    Case("a map whose key alone tells", MAP, {"byNumber": {P["aNumber"]: {"n": 1}, "A022222222": BOB}},
         {"byNumber": {"A022222222": BOB}}, {"byNumber": {"A022222222": BOB}}),
    Case("a map by other keys", MAP, {"byNumber": {"k1": ANN, "k2": VIC}}, {"byNumber": {"k1": ANN}}, {"byNumber": {"k1": ANN}}),
    Case("a map emptied", MAP, {"byNumber": {P["aNumber"]: VIC}}, {"byNumber": {}}, {"byNumber": {}}),
    Case("a map emptied, pretty", MAP, pretty({"byNumber": {P["aNumber"]: VIC}}), pretty({"byNumber": {}}), pretty({"byNumber": {}})),
    Case("a map at the root", {"units": ["$.*"]}, {"x": ANN, "y": VIC}, {"x": ANN}, {"x": ANN}),

    # members
    Case("a member that is dropped", {"units": ["$.spouse"]}, LONE, without(LONE, "spouse"), without(LONE, "spouse")),
    Case("a member written null", {"units": [{"path": "$.spouse", "absent": "null"}]}, LONE, {**LONE, "spouse": None},
         {**LONE, "spouse": None}),
    Case("the only member", {"units": ["$.spouse"]}, {"spouse": VIC}, {}, {}),
    Case("the only member, pretty", {"units": ["$.spouse"]}, pretty({"spouse": VIC}), pretty({}), pretty({})),
    Case("a null for another reason", {"units": [{"path": "$.l[*].spouse", "absent": "null"}]},
         {"l": [{"spouse": VIC, "n": 1}, {"spouse": None, "n": 2}]}, {"l": [{"spouse": None, "n": 1}, {"spouse": None, "n": 2}]},
         {"l": [{"spouse": None, "n": 1}, {"spouse": None, "n": 2}]}),
    Case("null where members stand, and a list came", {"units": [{"path": "$.l[*]", "absent": "null"}]}, {"l": [VIC]}, '{"l": [ ]}', {"l": []}),
    Case("null, and a name that must go", {"units": [{"path": "$.l[*]", "absent": "null"}]}, {"l": {P["aNumber"]: 1}}, '{"l": { }}', {"l": {}}),

    # texts, uniform, allow
    Case("an echo of the request", ITEMS, items(VIC, query=P["aNumber"]), items(query=P["aNumber"]), items(), found=2),
    Case("a narrative about somebody else", ITEMS, items({**ANN, "narrative": "the husband of " + P["aNumber"]}),
         items({**ANN, "narrative": "nothing"}), items(ANN)),
    Case("a narrative and none", ITEMS, items({"narrative": P["aNumber"], **ANN}), items(ANN), items(ANN)),
    Case("a narrative that is a tree", RECORD, {**ANN, "narrative": [{"about": VIC}, 1]}, {"narrative": 7, **ANN}, ANN),
    Case("uniform in everybody's record", ITEMS, items({**ANN, "officerNotes": 1}, {**VIC, "officerNotes": 2}),
         items({**ANN, "officerNotes": 1}), items(ANN)),
    Case("only uniform members", {"units": ["$.l[*]"], "uniform": ["$.l[*].u"]}, pretty({"l": [{"u": 1}, {"u": P["aNumber"]}]}),
         pretty({"l": [{"u": 1}]}), pretty({"l": [{}]})),
    Case("allow", {"units": ["$.items[*]"], "allow": ["$.items[*].name", "$.items[*].at.city"]},
         {"v": 1, "items": [{"name": "A", "x": 2, "at": {"street": 1, "city": "S"}}, {"name": "V", "hidden": P["aNumber"]}]},
         {"items": [{"name": "A", "x": 3, "at": {"street": 2, "city": "S"}}]},
         {"items": [{"name": "A", "at": {"city": "S"}}]}),
    Case("null on the way to what is allowed", {"units": [{"path": "$.l[*].spouse", "absent": "null"}],
                                                "allow": ["$.l[*].n", "$.l[*].spouse.city"]},
         {"l": [{"n": 1, "spouse": {"city": "S", "aNumber": P["aNumber"]}}, {"n": 2, "spouse": None}, {"n": 3, "spouse": P["aNumber"]},
                {"n": 4, "spouse": 7}]},
         {"l": [{"n": 1, "spouse": None}, {"n": 2, "spouse": None}, {"n": 3, "spouse": None}, {"n": 4, "spouse": 8}]},
         {"l": [{"n": n, "spouse": None} for n in (1, 2, 3, 4)]}, found=2),

    # a line a record
    Case("lines", LINES, lines(ANN, VIC, BOB), lines(ANN, BOB), lines(ANN, BOB), content_type=NDJSON),
    Case("first line", LINES, lines(VIC, ANN), lines(ANN), lines(ANN), content_type=NDJSON),
    Case("last line", LINES, lines(ANN, VIC), lines(ANN), lines(ANN), content_type=NDJSON),
    Case("no line left", LINES, lines(VIC, KID), b"", b"", found=2, content_type=NDJSON),
    Case("lines without a last end", LINES, lines(ANN, VIC, last=False), lines(ANN, last=False), lines(ANN, last=False),
         content_type=NDJSON),
    Case("lines with CRLF", LINES, lines(VIC, ANN, KID, BOB, eol="\r\n"), lines(ANN, BOB, eol="\r\n"),
         lines(ANN, BOB, eol="\r\n"), found=2, content_type=NDJSON),
    Case("an associate in a line", LINES, lines({**ANN, "associates": [VIC]}, BOB), lines({**ANN, "associates": []}, BOB),
         lines({**ANN, "associates": []}, BOB), content_type=NDJSON),
    Case("a line that does not parse", LINES, lines(ANN) + '{"aNumber": "%s", \n' % P["aNumber"] + lines(BOB),
         lines(ANN, BOB), lines(ANN, BOB), content_type=NDJSON),

    Case("blank lines", LINES, lines(ANN, VIC, eol="\n\n") + lines(BOB), lines(ANN, BOB, eol="\n\n", last=False) + "\n",
         lines(ANN, BOB, eol="\n\n", last=False) + "\n", content_type=NDJSON),
    Case("a byte-order mark before lines", LINES, "\ufeff" + lines(VIC, ANN), "\ufeff" + lines(ANN), "\ufeff" + lines(ANN),
         content_type=NDJSON),
    Case("names written otherwise", ITEMS, '{"\\u0069tems":[{"a":1},{"personI\\u0064":%d}],"tota\\u006c":2}' % P["personId"],
         '{"\\u0069tems":[{"a":1}],"tota\\u006c":1}', '{"\\u0069tems":[{"a":1}],"tota\\u006c":1}'),

    # markers and what makes readers disagree
    Case("known by a code alone", ITEMS, items(ANN, {"name": "V", "coa": "384"}), items(ANN), items(ANN)),
    Case("known by a form alone", ITEMS, items(ANN, {"name": "V", "docs": ["filed I-918 2024"]}), items(ANN), items(ANN)),
    Case("a duplicate name", LIST, '[{"a":1},{"aNumber":"x","aNumber":"%s"}]' % P["aNumber"], '[{"a":1}]', '[{"a":1}]'),
    Case("a lone surrogate", LIST, '[{"a":1},{"n":"\\ud800 %s"}]' % P["aNumber"], '[{"a":1}]', '[{"a":1}]'),
    Case("invalid UTF-8", LIST, b'[{"a":1},{"n":"\xff ' + P["aNumber"].encode() + b'"}]', b'[{"a":1}]', b'[{"a":1}]'),
    Case("NUL in a name", LIST, '[{"a":1},{"\\u0000":"%s"}]' % P["aNumber"], '[{"a":1}]', '[{"a":1}]'),
    Case("a byte-order mark", ITEMS, b"\xef\xbb\xbf" + compact(items(ANN, VIC)).encode(),
         b"\xef\xbb\xbf" + compact(items(ANN)).encode(), b"\xef\xbb\xbf" + compact(items(ANN)).encode()),

    # without a profile
    Case("inspected, a root array", None, [ANN, VIC, BOB], [ANN, BOB], [ANN, BOB], prefix="/inspect"),
    Case("inspected, lines", None, lines(ANN, VIC), lines(ANN), lines(ANN), prefix="/inspect", content_type=NDJSON),

    # what leaves in parts
    Case("independent, and twice outside every unit", {**MAP, "independent": True}, {"a": P["aNumber"], "byNumber": {"k": ANN}, "b": P["receipt"]},
         b"never read", None),
    Case("independent, and two suspicions outside every unit", {**MAP, "independent": True, "uniform": ["$.u"]},
         {"u": "womens shelter", "byNumber": {"k": ANN}, "b": "order of protection"}, b"never read", None),
    Case("independent lines, and two suspicions outside every unit", {**MAP, "independent": True},
         lines({"a": "womens shelter", "byNumber": {"k": ANN}}, {"a": "order of protection", "byNumber": {"k": BOB}}), b"never read", None,
         content_type=NDJSON),

    # nothing to find
    Case("nothing in it", ITEMS, pretty(items(ANN, CAT)), pretty(items(ANN, CAT)), pretty(items(ANN, CAT)), found=0),
    Case("odd white space kept", LIST, b' [\t{ "a" :1 }\r\n,  {"b":[ ]}\n] \n', b' [\t{ "a" :1 }\r\n,  {"b":[ ]}\n] \n',
         b' [\t{ "a" :1 }\r\n,  {"b":[ ]}\n] \n', found=0),
    Case("a scalar", {"units": []}, b'"nothing"', b'"nothing"', b'"nothing"', found=0),
    Case("escapes and tongues", ITEMS, '{"total": 1,"items":[{"n":"\\u00e9\\n\\/","m":"żółć 名前"}]}'.encode(),
         '{"total": 1,"items":[{"n":"\\u00e9\\n\\/","m":"żółć 名前"}]}'.encode(),
         '{"total": 1,"items":[{"n":"\\u00e9\\n\\/","m":"żółć 名前"}]}'.encode(), found=0),
])


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    documents = [d for case in TABLE for d in case.documents()]
    with Twins(tmp_path_factory.mktemp("documents"), documents, PROTECTED, OTHERS) as t:
        yield t


CANARY = Canaries(CANARIES)


@pytest.mark.parametrize("framing", ["length"] if SANITIZED else ["length", "chunked", "close"])
@pytest.mark.parametrize("case", TABLE, ids=lambda c: c.name)
def test_case(twins, case, framing):
    gone = reply(b'{"message":"unknown here"}', "application/json", status=404)
    absent = gone if case.absent == b"never read" else reply(case.absent, case.content_type, framing)
    twins.answer_with(case.target(), reply(case.at, case.content_type, framing), absent)
    check_restricted(twins, CANARY, lambda kind: request(kind, case.target(), prefix=case.prefix), case.wanted())
    check_officer(twins, case)
