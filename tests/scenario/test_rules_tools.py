"""rules explain, print and schema (contract section 1): why a document becomes what it becomes; packs in one spelling."""
import json
import random

import pytest

from harness import gateway as g
from harness.changes import apply, protect, release

pytestmark = pytest.mark.whole("commands alone, nobody talks HTTP")

SECTION = str(g.ROOT / "rules/section-1367.json")
EXAMPLE = str(g.ROOT / "rules/examples/persons-api.json")
NUMBER = "A912345678"
LIST = {"total": 4, "items": [
    {"personId": 7, "aNumber": NUMBER, "narrative": f"see {NUMBER}"},
    {"personId": 8, "narrative": f"met {NUMBER}", "associates": [{NUMBER: {"classOfAdmission": "U1"}}, {"personId": 9}]},
    {"personId": 10, "note": "x"}], "aside": "EAC9912345678"}


def explain(tmp_path, body, *more, name="x.json", profile="persons-api", recipient="restricted"):
    (tmp_path / name).write_text(body if isinstance(body, str) else json.dumps(body))
    return g.run("rules", "explain", tmp_path / name, SECTION, EXAMPLE, "--profile", profile, "--recipient", recipient, *more)


def test_every_finding_its_path_rule_kind_unit_and_reason(tmp_path):
    done = explain(tmp_path, LIST, "--path", "/api/persons", "--protected", NUMBER, "--json")
    assert done.returncode == 1, done.stderr
    got = json.loads(done.stdout)
    assert (got["verdict"], got["profile"], got["document"], got["entitled"]) == ("withheld", "persons-api", "/api/persons", False)
    seen = {(f["path"], f.get("rule"), f.get("kind"), f["unit"], f["withholds"]) for f in got["findings"]}
    assert seen == {("$.items[0].aNumber", "a-number", "alien_number", "$.items[0]", True),
                    ("$.items[0].narrative", "a-number", "alien_number", "$.items[0]", False),
                    ("$.items[1].narrative", "a-number", "alien_number", "$.items[1]", False),
                    ("$.items[1].associates[0][#0]", "a-number", "alien_number", "$.items[1].associates[0]", True),
                    ("$.items[1].associates[0][#0].classOfAdmission", "coa-u", None, "$.items[1].associates[0]", True)}
    assert all(f["title"] and f["why"] and f["reason"] for f in got["findings"])
    assert [w["path"] for w in got["withheld"]] == ["$.items[0]", "$.items[1].associates[0]"]
    assert got["units"] == {"seen": 5, "protected": 3, "withheld": 2}  # a text holds one, and nobody sees it
    assert NUMBER[1:] not in done.stdout  # names of members too


def test_in_words(tmp_path):
    done = explain(tmp_path, LIST, "--path", "/api/persons", "--protected", NUMBER)
    assert done.returncode == 1 and NUMBER[1:] not in done.stdout
    for part in ("delivered without what is withheld", "5 seen, 3 protected, 2 withheld", "$.items[0].aNumber", "alien_number",
                 'rule a-number "', 'stands in "texts"', "unit $.items[1].associates[0]"):
        assert part in done.stdout, done.stdout


def test_what_is_wrong_with_a_unit_and_whom_it_goes_with(tmp_path):
    """Of a structure that readers disagree about it says what it is; of a unit that is linked, that nothing was found in it."""
    (tmp_path / "linked.json").write_text(json.dumps({"format": 1, "pack": "linked", "version": "1", "profiles": [
        {"id": "linked", "title": "t", "system": "s", "documents": [
            {"path": "/l", "units": ["$[*]"], "keys": {"person_id": ["$[*].id"]}, "links": ["$[*].spouse"]}]}]}))
    body = '[{"id":1,"aNumber":"%s"},{"id":2,"spouse":1},{"id":3,"a":1,"a":2},{"id":4,"a":"\\ud800"},{"id":5}]' % NUMBER
    (tmp_path / "x.json").write_text(body)
    args = ("rules", "explain", tmp_path / "x.json", SECTION, tmp_path / "linked.json", "--profile", "linked", "--recipient", "restricted",
            "--protected", NUMBER)
    got = json.loads(g.run(*args, "--json").stdout)
    assert [f["flaw"] for f in got["findings"] if f["origin"] == "structure"] == ["a name that its object has already", "half of a surrogate pair"]
    assert {w["path"]: "links" in w["reason"] for w in got["withheld"]} == {"$[0]": False, "$[1]": True, "$[2]": False, "$[3]": False}
    assert "structure, a name that its object has already" in g.run(*args).stdout


VERDICTS = {
    "unchanged": (dict(body={"personId": 1}), 0),
    "not_found": (dict(body={"aNumber": NUMBER}), 1),
    "undeliverable": (dict(body='{"a":'), 1),
    "officer": (dict(body={"aNumber": NUMBER}, recipient="entitled"), 0),
    "uninspected": (dict(body='{"a":', recipient="entitled"), 1),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdicts(tmp_path, verdict):
    how, status = VERDICTS[verdict]
    done = explain(tmp_path, how.pop("body"), "--path", "/api/persons/17", "--protected", NUMBER, "--json", **how)
    assert done.returncode == status and json.loads(done.stdout)["verdict"] == ("unchanged" if verdict == "officer" else verdict)


def test_lines(tmp_path):
    done = explain(tmp_path, '{"b":1}\n{"aNumber":"%s"}\n{broken\n' % NUMBER, "--path", "/api/export.ndjson", "--protected", NUMBER,
                   "--json", name="x.ndjson")
    got = json.loads(done.stdout)
    assert [(f["path"], f["origin"]) for f in got["findings"]] == [("line 2: $.aNumber", "registry"), ("line 3: $", "structure")]
    assert [w["path"] for w in got["withheld"]] == ["line 2: $", "line 3: $"]


def test_with_the_registry_in_force(make_gateway, tmp_path):
    """Recipients by id, the configuration's rules, and what `registry apply` changed since the index was built."""
    gw = make_gateway(protected=["A011111111"])
    gw.write("x.json", [{"aNumber": NUMBER}, {"aNumber": "A011111111"}])
    args = ("rules", "explain", "x.json", "-c", "gate.json", "--profile", "persons-api", "--path", "/api/associates/3", "--json")
    withheld = lambda who: [w["path"] for w in json.loads(gw.command(*args, "--recipient", who).stdout)["withheld"]]  # noqa: E731
    assert withheld("state-police") == ["$[1]"]
    apply(gw, protect("S-9", NUMBER), release("S-000000"))
    assert withheld("state-police") == withheld("anonymous") == withheld("leis") == ["$[0]"]
    assert withheld("uscis-officer") == []
    done = gw.command(*args, "--recipient", "state-polise")
    assert done.returncode == 2 and 'did you mean "state-police"' in done.stderr


def test_usage(tmp_path):
    for more, said in ((("--path", "/nowhere"), "no document of"), ((), "/api/persons/{id}"), (("--path", "/api/map", "--protected", "x"), "no identifier")):
        done = explain(tmp_path, LIST, *more)
        assert done.returncode == 2 and said in done.stderr, done.stderr
    assert 'did you mean "persons-api"' in explain(tmp_path, LIST, profile="person-api").stderr
    assert "give --type" in explain(tmp_path, LIST, "--path", "/api/map", name="x.txt").stderr
    assert g.run("rules", "explain", "x.json", "--profile", "p", "--recipient", "restricted").returncode == 2


# ---- print

PACK = {"format": 1, "pack": "p", "version": "1", "title": "t",
        "identifiers": [{"id": "i", "title": "t", "why": "w", "kind": "ssn", "pattern": "(?<!\\d)(\\d{3}-\\d\\d-\\d{4})", "where": "anywhere",
                         "labels": ["Social Security*", "SSN"], "bare": "none", "tests": {"match": ["a"], "ignore": ["b"]}}],
        "markers": [{"id": "m", "title": "t", "why": "w", "values": ["t-2", "T 1"], "labels": ["class of-admission", "COA"],
                     "strength": "definitive", "tests": {"match": ["a"], "ignore": ["b"]}}],
        "profiles": [{"id": "q", "title": "t", "mode": "enforce", "on_finding": "withhold", "documents": [
            {"path": "/b", "title": "t", "complete": False, "texts": [], "units": ["$.items[*].a", {"path": "$['items'][*]"}, "$..b[0]",
                                                                                  {"absent": "null", "path": "$.c"}]},
            {"path": "/a", "miss": {"status": 404, "type": "text/plain", "body": "$.x"}, "counts": {"$.n": "$.i[*]"}, "units": ["$.i[*]"],
             "complete": True}]}]}

CANONICAL = {
    "format": 1,
    "identifiers": [{"id": "i", "kind": "ssn", "pattern": "(?<!\\d)(\\d{3}-\\d\\d-\\d{4})", "labels": ["socialsecurity*", "ssn"],
                     "lookbehind": 1, "search": "automaton"}],
    "markers": [{"id": "m", "labels": ["classofadmission", "coa"], "values": ["T1", "T2"], "strength": "definitive"}],
    "profiles": [{"id": "q", "documents": [
        {"path": "/b", "units": ["$..['b'][0]", "$['items'][*]", "$['items'][*]['a']", {"absent": "null", "path": "$['c']"}]},
        {"path": "/a", "miss": {"status": 404, "type": "text/plain", "body": "$.x"}, "counts": {"$['n']": "$['i'][*]"},
         "units": ["$['i'][*]"], "complete": True}]}]}


def shuffled(v, dice):
    if isinstance(v, dict):
        items = [(k, shuffled(x, dice)) for k, x in v.items()]
        dice.shuffle(items)
        return dict(items)
    return [shuffled(x, dice) for x in v] if isinstance(v, list) else v


#= RFC9535 2.7
def test_print_is_canonical(tmp_path):
    dice, seen = random.Random(1367), set()
    for i in range(4):
        path = tmp_path / f"{i}.json"
        path.write_text(json.dumps({"$schema": "x", **shuffled(PACK, dice)}, indent=i or None, ensure_ascii=i % 2 == 0))
        done = g.run("rules", "print", path)
        assert done.returncode == 0, done.stderr
        seen.add(done.stdout)
    (text,) = seen
    assert text == json.dumps(CANONICAL, indent=2, sort_keys=True) + "\n"


def test_print_of_what_is_shipped_and_of_what_does_not_load(tmp_path):
    done = g.run("rules", "print", SECTION, EXAMPLE)
    got = json.loads(done.stdout)
    source = json.loads(open(SECTION).read())
    assert [r["id"] for r in got["identifiers"]] == [r["id"] for r in source["identifiers"]]
    assert [r["id"] for r in got["markers"]] == [r["id"] for r in source["markers"]]
    (tmp_path / "bad.json").write_text('{"format": 1}')
    bad = g.run("rules", "print", tmp_path / "bad.json")
    assert bad.returncode == 1 and bad.stdout == "" and "bad.json:1:1: /: " in bad.stderr


def test_schema():
    for word, path in ((None, "rules/schema/rules.schema.json"), ("rules", "rules/schema/rules.schema.json"),
                       ("gate", "schema/gate.schema.json"), ("recipients", "schema/recipients.schema.json"),
                       ("registry-source", "schema/registry-source.schema.json"), ("pairs", "schema/pairs.schema.json")):
        done = g.run("rules", "schema", *([word] if word else []))
        assert done.returncode == 0 and done.stdout == (g.ROOT / path).read_text()
    wrong = g.run("rules", "schema", "recipient")
    assert wrong.returncode == 2 and 'did you mean "recipients"' in wrong.stderr
