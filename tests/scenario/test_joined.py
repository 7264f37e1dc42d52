# ctest: release
"""Links and graphs, held against a second implementation: random documents, decided here on the parsed tree by rounds
over everything until nothing changes. GATE1367_SEED, GATE1367_CASES as elsewhere.

    #= ICE10036.2 2.1
    #= 10-domain 3.3
"""
import json
import os
import random

from harness.gateway import ROOT
from harness.joined import (A_NUMBERS, GRAPH, KEYS, LINKED, PEOPLE, UNITS, Grower, Tree, compact, link_document, linked,
                            units_of, without, write)
from harness.library import DELIVER, NOT_FOUND, Inspector

CASES = int(os.environ.get("GATE1367_CASES", 1500))
SEED = int(os.environ.get("GATE1367_SEED", 1))


def pack(**document):
    return json.dumps({"format": 1, "pack": "t", "version": "1", "profiles": [
        {"id": "t", "title": "t", "system": "earm", "documents": [{"path": "/x", **document}]}]})


def inspector(directory, **document):
    return Inspector(directory, [(ROOT / "rules/section-1367.json").read_bytes(), pack(**document)], PEOPLE)


def test_links(tmp_path):
    rng = random.Random(SEED)
    withheld = through_links = 0
    with inspector(tmp_path, **LINKED) as i:
        for case in range(CASES):
            document = link_document(rng)
            items = document["items"]
            gone = linked(document)
            body, wanted = write(document).encode(), write(without(document, gone)).encode()
            got = i.ask("t", "/x", body)
            assert (got[0], got[1]) == (DELIVER, wanted), f"{case}: {body}\n{got[1]}\n{wanted}"
            listed = list(units_of(document))
            inside = {id(w) for u in items if id(u) in gone for w in u.get("with", [])}
            assert (got[2].seen, got[2].protected, got[2].withheld) == (len(listed), len(gone), len(gone | inside)), case
            assert i.ask("t", "/x", body, entitled=True)[:2] == (DELIVER, body)
            withheld += bool(gone)
            through_links += len(gone) > sum("aNumber" in u for u in listed)
    assert withheld > CASES / 10 and through_links > CASES / 20


def test_graphs(tmp_path):
    rng = random.Random(SEED)
    outcomes = {"whole": 0, "same": 0, "less": 0}
    with inspector(tmp_path, units=UNITS, graph=GRAPH) as i:
        for case in range(CASES):
            document = Grower(rng).document()
            tree = Tree(document)
            gone = tree.decide()
            body = compact(document)
            verdict, out, _ = i.ask("t", "/x", body)
            if None in gone or tree.things[0] in gone:
                assert verdict == NOT_FOUND, f"{case}: {body.decode()}\n{out.decode()}"
                outcomes["whole"] += 1
                continue
            wanted = compact(tree.without(document, gone))
            assert (verdict, out) == (DELIVER, wanted), f"{case}: {body.decode()}\ngot    {verdict} {out.decode()}\nwanted {wanted.decode()}"
            outcomes["less" if gone else "same"] += 1
            assert i.ask("t", "/x", body, entitled=True)[:2] == (DELIVER, body)
    assert min(outcomes.values()) > CASES / 20, outcomes
    print(outcomes)


# ---- what docs/rules.md shows

def test_the_examples_of_the_documentation(tmp_path):
    (tmp_path / "l").mkdir()
    (tmp_path / "g").mkdir()
    her = A_NUMBERS[0]
    listed = {"items": [{"personId": 7, "aNumber": her, "familyUnit": "F-1"}, {"personId": 8, "spouseId": "7"},
                        {"personId": 9, "familyUnit": "f-1"}, {"personId": 10}]}
    with inspector(tmp_path / "l", units=["$.items[*]"], keys={"person_id": ["$.items[*].personId"]},
                   links=["$.items[*].spouseId", "$.items[*].familyUnit"]) as i:
        assert i.ask("t", "/x", compact(listed))[:2] == (DELIVER, b'{"items":[{"personId":10}]}')
        alone = {"items": [{"personId": 8, "spouseId": int(KEYS[0])}, {"personId": 9, "familyUnit": "f-1"}]}
        assert i.ask("t", "/x", compact(alone))[:2] == (DELIVER, b'{"items":[{"personId":9,"familyUnit":"f-1"}]}')
    message = {"nc:Person": [{"@id": "P1", "aNumber": her}, {"@id": "P2", "n": 1}],
               "j:CrashDriver": {"nc:RoleOfPerson": {"@id": "P1"}, "j:License": "A1234567"},
               "j:Crash": {"j:CrashSubject": [{"@id": "P1"}, {"@id": "P2"}], "place": "x"},
               "j:PersonChargeAssociation": {"nc:Person": {"@id": "P1"}, "j:Charge": {"@id": "C1"}},
               "j:Charge": {"@id": "C1", "text": "x"}}
    left = {"nc:Person": [{"@id": "P2", "n": 1}], "j:Crash": {"j:CrashSubject": [{"@id": "P2"}], "place": "x"}}
    graph = {"id": ["@id"], "ref": ["structures:ref"], "orphans": ["j:Charge"]}
    with inspector(tmp_path / "g", units=["$..['j:CrashSubject'][*]"], graph=graph) as i:
        verdict, out, records = i.ask("t", "/x", compact(message))
        assert (verdict, out) == (DELIVER, compact(left))
        assert (records.seen, records.protected, records.withheld) == (5, 3, 3)
