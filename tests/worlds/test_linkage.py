"""What leads to her by way of others, one leak each (10-domain 6.C): the record, the number, the docket, the marker and the
pseudonym that would tell.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
    #= 10-domain 6.L25
    #= 10-domain 6.L26
    #= 10-domain 6.L27
    #= 10-domain 6.L28
    #= 10-domain 6.L29
    #= 10-domain 6.L30
    #= 10-domain 6.L31
    #= 10-domain 6.L32
"""
import json
import re

import pytest

import wire
from canary import Canaries
from cases import ALIAS, CANARIES, DERIVATIVE, MISS, OTHERS, P, PROTECTED, Case, check_officer, check_restricted, numbered, reply
from harness.origin import answer
from worlds import KINDS, WORLDS, Twins, request

N = P["aNumber"]
MORE = {"fin": "1100223345", "fbi_number": "523456AB7", "i94": "61234567812", "sevis": "N0012345679", "itin": "912-73-4566"}
LABELS = {"fin": "finNumber", "fbi_number": "fbiNumber", "i94": "i94Number", "sevis": "sevisId", "itin": "itin"}
HOUSEHOLD = {"subject": "S-9", "cases": [{"id": "C-9", "benefit": "T", "role": "principal", "status": "approved"}],
             "identifiers": [{"kind": k, "value": v} for k, v in MORE.items()]}
ITEMS = {"units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True}


def listed(*items, **more):
    return {"total": len(items), "items": list(items), **more}


HUSBAND = {"personId": 1, "name": "Rafael"}
OTHER = {"personId": 2, "name": "Ann"}
HER = {"name": "Vicenta", "aNumber": N}
ITEM = "$.items[*]"
RELATED = {"units": [ITEM, f"{ITEM}.spouse", f"{ITEM}.emergencyContact", f"{ITEM}.associates[*]", f"{ITEM}.victims[*]"],
           "counts": {"$.total": ITEM, f"{ITEM}.associateCount": f"{ITEM}.associates[*]"}, "complete": True}
GROUPS = {**ITEMS, "units": [ITEM, f"{ITEM}.subjects[*]"], "keys": {"person_id": [f"{ITEM}.personId"]},
          "links": [f"{ITEM}.lead", f"{ITEM}.docket"], "uniform": [f"{ITEM}.familyUnit", f"{ITEM}.eventNumber"]}
MARKED = [{"coa": "384"}, {"classOfAdmission": "U1"}, {"eadCategory": "(a)(19)"}, {"note": "filed Form I-918"}, {"marking": "CUI//SP-BATT"},
          {"note": "continued presence granted"}, {"note": "VAWA self-petition"}, {"mail": "ATTN: 8 USC 1367"}]
GRAPH = {"graph": {"id": ["@id"], "ref": ["ref"], "orphans": ["charge"]}}
ANN, JOINED = {"@id": "P2", "name": "Ann"}, {**GRAPH, "units": [ITEM], "keys": {"person_id": [f"{ITEM}.role.personId"]}, "links": [f"{ITEM}.spouse"]}
CHARGED = {**GRAPH, "uniform": ["$.assoc"]}


def charged(*people):
    """Each with a charge of their own, and nobody is shown whose."""
    return {"p": [p for p, _ in people], "assoc": [{"person": {"@id": p["@id"]}, "charge": {"@id": c}} for p, c in people],
            "charge": [{"@id": c, "text": "theft"} for _, c in people]}


GRAPHS = [
    Case("her number is her id (L27)", GRAPH, at={"p": [{"@id": {"rdf:value": N}, "name": "Vicenta"}, ANN]}, absent={"p": [ANN]}, expect={"p": [ANN]}),
    Case("her number is what a role points to (L27)", GRAPH, at={"p": [ANN], "role": [{"of": {"ref": N}, "n": 1}, {"of": {"@list": [{"ref": N}]}, "n": 2}]},
         absent={"p": [ANN], "role": []}, expect={"p": [ANN], "role": []}, found=2),
    Case("linked by a key of her role (L27)", JOINED, at={"items": [{"aNumber": N, "role": {"personId": 5}}, {"spouse": "5"}, {"n": 1}]},
         absent={"items": [{"n": 1}]}, expect={"items": [{"n": 1}]}, found=2),
    Case("references that nothing holds (L27)", GRAPH, at=[{"@id": "P1", "aNumber": N}, {"@id": "P1"}, ANN], absent=[ANN], expect=[ANN]),
    Case("white space around her id (L27)", GRAPH, at={"p": [{"@id": "P1\n", "aNumber": N}, ANN], "role": [{"of": {"@id": "\rP1"}, "n": 1}]},
         absent={"p": [ANN], "role": []}, expect={"p": [ANN], "role": []}),
    Case("a line that does not parse (L27)", GRAPH, at='{"@id":"P1","aNumber":"%s"}\n{"n":\n[{"@id":"P1"}]\n{"n":1}\n' % N,
         absent='{"n":\n[]\n{"n":1}\n', expect='[]\n{"n":1}\n', found=2, content_type="application/x-ndjson"),
    Case("whose charge nobody is shown (L27)", CHARGED, at=charged(({"@id": "P1", "aNumber": N}, "C1"), (ANN, "C2")), absent=charged((ANN, "C2")),
         expect={"p": [ANN], "charge": [{"@id": "C2", "text": "theft"}]}, found=2),
]

CASES = numbered(GRAPHS + [
    Case("related persons (L25)", RELATED,
         at=listed({**HUSBAND, "spouse": HER, "associates": [OTHER, HER, {"name": "Kim"}], "associateCount": 3, "victims": [HER],
                    "emergencyContact": HER}, OTHER),
         absent=listed({**HUSBAND, "associates": [OTHER, {"name": "Kim"}], "associateCount": 2, "victims": []}, OTHER),
         expect=listed({**HUSBAND, "associates": [OTHER, {"name": "Kim"}], "associateCount": 2, "victims": []}, OTHER), found=4),
    Case("the child through the case, and group ids (L26)", GROUPS,
         at=listed({**OTHER, "familyUnit": "F-9", "eventNumber": "E1"}, {"personId": P["personId"], "familyUnit": "F-1", "docket": "D-7"},
                   {"name": "the child", "lead": str(P["personId"]), "familyUnit": "F-1"}, {"aNumber": DERIVATIVE, "name": "another child"},
                   {"hearing": "9:00", "docket": "D-7"}, {"hearing": "10:00", "docket": "D-8"}),
         absent=listed({**OTHER, "familyUnit": "F-9", "eventNumber": "E1"}, {"hearing": "10:00", "docket": "D-8"}),
         expect=listed(OTHER, {"hearing": "10:00", "docket": "D-8"}), found=4),
    Case("co-subjects of an event (L26)", GROUPS,
         at=listed({"eventNumber": "E77", "subjects": [{"no": 1, "name": "Rafael"}, {"no": 2, **HER}]}),
         absent=listed({"eventNumber": "E77", "subjects": [{"no": 1, "name": "Rafael"}]}),
         expect=listed({"subjects": [{"no": 1, "name": "Rafael"}]})),
    Case("her second number in another's record (L28)", {**ITEMS, "units": [ITEM, f"{ITEM}.aliases[*]"]},
         at=listed({**HUSBAND, "aliases": ["Rafa", f"spouse of {ALIAS}", "R."]}, {"name": "Vicenta Q.", "alienNumber": int(ALIAS[1:])}),
         absent=listed({**HUSBAND, "aliases": ["Rafa", "R."]}), expect=listed({**HUSBAND, "aliases": ["Rafa", "R."]}), found=2),
    *[Case(f"asked for by {kind} (L29)", {"path": "/{key}", "units": ["$"], "miss": MISS}, path=f"/{i}",
           at={LABELS[kind]: value}, absent=reply(MISS["body"], "application/json", status=404), expect=None)
      for i, (kind, value) in enumerate(MORE.items())],
    Case("where she can be found (L30)", {**ITEMS, "uniform": [f"{ITEM}.address", f"{ITEM}.position"]},
         at=listed({**OTHER, "address": "12 Oak St", "position": [42.1, -72.5]}, {"name": "?", "address": f"c/o {N}", "position": None}),
         absent=listed({**OTHER, "address": "12 Oak St", "position": [42.1, -72.5]}), expect=listed(OTHER)),
    Case("markers (L31)", ITEMS, at=listed(OTHER, *MARKED), absent=listed(OTHER), expect=listed(OTHER), found=len(MARKED)),
])
CANARY = Canaries(CANARIES + [v for v in MORE.values()])


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    pseudonyms = {"path": "/pseudonyms", **ITEMS, "pseudonyms": [f"{ITEM}.anonymousId", f"{ITEM}.seen[*]"]}
    documents = [pseudonyms] + [d for c in CASES for d in c.documents()]
    with Twins(tmp_path_factory.mktemp("linkage"), documents, [*PROTECTED, HOUSEHOLD], OTHERS) as t:
        for c in CASES:
            t.answer_with(c.target(), reply(c.at, c.content_type), c.absent if isinstance(c.absent, bytes) else reply(c.absent, c.content_type))
        yield t


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_what_leads_to_her(twins, case):
    check_restricted(twins, CANARY, lambda kind: request(kind, case.target()), case.wanted())
    if not isinstance(case.absent, bytes):
        check_officer(twins, case)


def test_pseudonyms_are_another_for_everybody(twins):
    """10-domain 6.L32: the same for one recipient, whatever the record; another for the next; null for none; never a list."""
    hashed = "5f3a0c9e7712"
    kept = [{"anonymousId": hashed, "n": 1}, {"anonymousId": 12, "seen": [hashed, "12", None]}, {"anonymousId": [hashed], "n": 2}, {"anonymousId": "one two"}]
    text = lambda v: json.dumps(v).replace("one two", "\\u0031\\u0032").encode()  # noqa: E731
    her = {"anonymousId": hashed, "aNumber": N}
    twins.answer_with("/pseudonyms", answer(text(listed(kept[0], her, *kept[1:]))), answer(text(listed(*kept))))
    seen = {}
    for kind in KINDS:
        first, *others = [twins.seen_by(kind, w, request(kind, "/pseudonyms", close=True)) for w in WORLDS]
        assert all(o.seen() == first.seen() for o in others), kind
        items = json.loads(wire.answers(first.raw)[0][2])["items"]
        one, twelve = items[0]["anonymousId"], items[1]["anonymousId"]
        assert re.fullmatch("[0-9a-f]{32}", one) and re.fullmatch("[0-9a-f]{32}", twelve) and one != twelve
        assert items[1:] == [{"anonymousId": twelve, "seen": [one, twelve, None]}, {"n": 2}, {"anonymousId": twelve}], items
        seen[kind] = one
        assert hashed.encode() not in first.raw
    assert len(set(seen.values())) == 4, seen
    officer = wire.answers(twins.officer(request("officer", "/pseudonyms", close=True)).raw)[0]
    assert hashed.encode() in officer[2]
