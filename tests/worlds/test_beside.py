"""A profile in shadow, in three worlds: no byte, no connection, no next answer of anybody tells that it is there, or what it
found. It finds the protected person in what is released (texts in force are none in shadow) and in what is withheld."""
import pytest

from cases import CANARIES, OTHERS, PROTECTED, P, Case, check_restricted, numbered
from canary import Canaries
from harness.origin import answer
from worlds import KINDS, Twins, followed, request

LIST = {"path": "/list", "units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True, "texts": ["$.items[*].text"]}
ONE = {"path": "/one/{id}", "units": ["$"], "texts": ["$.text"], "miss": {"status": 404, "type": "text/plain", "body": "nobody"}}
BOB = {"name": "Bob", "note": "x"}
ANA = {"aNumber": P["aNumber"], "name": "Ana"}

CASES = numbered([
    Case("withheld by both", LIST, {"total": 2, "items": [BOB, ANA]}, {"total": 1, "items": [BOB]}, {"total": 1, "items": [BOB]},
         path="/list"),
    Case("in a text, which only the shadow minds", LIST, {"total": 1, "items": [{**BOB, "text": f"met {P['receipt']}"}]},
         {"total": 1, "items": [{**BOB, "text": "met nobody"}]}, {"total": 1, "items": [BOB]}, path="/list"),
    Case("in a text of a record", ONE, {**BOB, "text": f"with {P['aNumber']}"}, {**BOB, "text": ""}, BOB, path="/one/7"),
    Case("nothing at all", ONE, BOB, BOB, BOB, path="/one/8"),
])


def shadow():
    """Units and no texts, for every path that the profile in force has."""
    documents = [{"path": public + prefix + case.base + case.document["path"], "units": case.document["units"]}
                 for public in ("", "/public") for prefix in ("/api", "/post") for case in CASES]
    return {"id": "shadow", "title": "Tried", "mode": "shadow", "documents": documents}


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    documents = [d for case in CASES for d in case.documents()]
    with Twins(tmp_path_factory.mktemp("shadow"), documents, PROTECTED, OTHERS, profiles=[shadow()], pace="0ms") as t:
        yield t


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_three_worlds(twins, case):
    twins.answer_with(case.target(), answer(case.at), answer(case.absent))
    check_restricted(twins, Canaries(CANARIES), lambda kind: request(kind, case.target()), case.wanted())


def test_and_it_did_look(twins):
    """The shadow minded the two texts, once for each kind of recipient (and saw nothing where nobody is known)."""
    assert twins.gateways["knows"].metric("gate1367_shadow_reviews_total") == 2 * len(KINDS)
    assert twins.gateways["knows nobody"].metric("gate1367_shadow_reviews_total") == 0
