"""Tests that packs carry (contract section 6): samples, known gaps, answers of profiles; and what lint remarks on."""
import json
import re

import pytest

from harness import gateway as g

pytestmark = pytest.mark.whole("commands alone, nobody talks HTTP")

SECTION = str(g.ROOT / "rules/section-1367.json")
REMARK = re.compile(r"^\S+:\d+:\d+: /\S*: warning: \S.*; \S.*$")
NUMBER = "A912345678"
RECORD = {"a": NUMBER}


def pack(place, profile=None, **more):
    made = {"format": 1, "pack": "p", "version": "1", **more}
    if profile is not None:
        made["profiles"] = [{"id": "q", "title": "t", "system": "earm", "documents": [
            {"path": "/r/{id}", "units": ["$"], "keys": {"person_id": ["$.pid"]},
             "miss": {"status": 404, "type": "text/plain", "body": "nobody"}},
            {"path": "/list", "units": ["$.items[*]"], "counts": {"$.n": "$.items[*]"}, "complete": True, "texts": ["$.q"],
             "query": {"page": "any"}},
            {"path": "/lines", "units": ["$"]}], **profile}]
    path = place / "p.json"
    path.write_text(json.dumps(made, ensure_ascii=False, indent=1))
    return str(path)


def run_tests(path, *more):
    return g.run("rules", "test", SECTION, path, *more)


def about(body, expect, path="/r/7", recipient="restricted", protected=(NUMBER,), **more):
    return {"path": path, "recipient": recipient, "protected": list(protected), "body": body, "expect": expect, **more}


HOLD = {
    "withheld": about(RECORD, "not_found"),
    "nobody's": about(RECORD, "unchanged", protected=[]),
    "the template as a path": about(RECORD, "not_found", path="/r/{id}"),
    "officer": about(RECORD, "unchanged", recipient="entitled", records=1),
    "edited": about({"n": 2, "items": [RECORD, {"a": "x"}], "q": "echo"}, {"n": 1, "items": [{"a": "x"}]}, path="/list", records=1),
    "query": about({"n": 0, "items": []}, "not_found", path="/list", query="name=x", protected=[]),
    "listed query": about({"n": 0, "items": []}, "unchanged", path="/list", query="page=2", protected=[]),
    "surrogate": about({"pid": 90210017}, "not_found", protected=[{"kind": "person_id", "value": "90210017", "system": "earm"}]),
    "another system": about({"pid": 90210017}, "unchanged", protected=[{"kind": "person_id", "value": "90210017", "system": "other"}]),
    "released": about(RECORD, "unchanged", protected=[{"subject": "S", "cases": [{"status": "denied_final"}], "identifiers": [
        {"kind": "alien_number", "value": NUMBER}]}]),
    "bytes": {"path": "/lines", "recipient": "restricted", "protected": [NUMBER], "type": "application/x-ndjson",
              "text": '{"a":"%s"}\n{ "b" : 1 }\n' % NUMBER, "expect_text": '{ "b" : 1 }\n'},
    "a type that is not read": about({}, "not_found", protected=[], type="text/html"),
    "marker": about({"coa": "U1"}, "not_found", protected=[]),
}


def test_answers_of_profiles_hold(tmp_path):
    done = run_tests(pack(tmp_path, {"tests": list(HOLD.values())}), "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    mine = [line for line in lines if line.get("profile") == "q"]
    assert len(mine) == len(HOLD) and all(line["passed"] and not line["todo"] for line in mine)
    assert any("rule" in line for line in lines)


@pytest.mark.parametrize("expect", ["not_found", "unchanged"])
def test_a_path_that_nothing_describes_is_said(tmp_path, expect):
    """What no entry describes is not found anyway: a misspelt path would hold for ever."""
    done = run_tests(pack(tmp_path, {"tests": [about(RECORD, expect, path="/records/7")]}))
    assert done.returncode == 1
    assert re.search(r'/profiles/0/tests/0: no entry of "documents" describes "/records/7", .*; correct the path', done.stderr)


def test_a_wrong_number_of_records_is_said_without_a_body(tmp_path):
    done = run_tests(pack(tmp_path, {"tests": [about({"n": 1, "items": [RECORD]}, {"n": 0, "items": []}, path="/list", records=2)]}))
    assert done.returncode == 1
    assert "1 protected records are found where 2 were expected (delivered without what is withheld); correct" in done.stderr


def test_what_came_is_shown_line_by_line(tmp_path):
    """A line feed too much is what many a test of lines fails by; what is not read says why."""
    lines = {"type": "application/x-ndjson", "text": '{"n":1}\n\n{"n":2}\n', "expect_text": '{"n":1}\n{"n":2}\n'}
    broken = {"text": '{"n":', "expect": "unchanged"}
    done = run_tests(pack(tmp_path, {"tests": [{"path": "/lines", "recipient": "restricted", "protected": [], **t} for t in (lines, broken)]}))
    assert done.returncode == 1
    assert r'the answer is delivered as it is: {"n":1}\n\n{"n":2}\n; correct' in done.stderr, done.stderr
    assert "cannot be read: malformed (the document's structure is broken); correct" in done.stderr


def opposite(t):
    if "expect_text" in t:
        return {**t, "expect_text": t["expect_text"] + " "}
    return {**t, "expect": "unchanged" if t["expect"] == "not_found" else "not_found"}


def test_the_opposites_fail(tmp_path):
    """A test that cannot fail is none."""
    tests = [opposite(t) for t in HOLD.values()]
    done = run_tests(pack(tmp_path, {"tests": tests}))
    assert done.returncode == 1
    failed = re.findall(r"p\.json:\d+:\d+: /profiles/0/tests/(\d+): the answer is .*; correct the profile or the test", done.stderr)
    assert failed == [str(i) for i in range(len(tests))]
    assert run_tests(pack(tmp_path, {"tests": [{"todo": t} for t in tests]})).returncode == 0


def test_what_profiles_do_on_a_finding(tmp_path):
    """block takes the whole answer; what leaves a trace is what the recipient gets, and lint remarks on it."""
    two = {"n": 2, "items": [RECORD, {"a": "x"}]}
    for verb, expect, why in (("block", "not_found", None), ("redact", {"n": 2, "items": [{"a": "[redacted]"}, {"a": "x"}]}, "order 7"),
                              ("mask", {"n": 2, "items": [{"a": "********"}, {"a": "x"}]}, "order 7"), ("report", "unchanged", "order 7")):
        reason = {"visible_redaction": why} if why else {}
        path = pack(tmp_path, {"on_finding": verb, **reason, "tests": [about(two, expect, path="/list")]})
        done = run_tests(path)
        assert done.returncode == 0, (verb, done.stderr)
        assert ("blacked out tells everybody" in g.run("rules", "lint", SECTION, path).stderr) == (why is not None)
        (tmp_path / "x.json").write_text(json.dumps(two))
        told = g.run("rules", "explain", tmp_path / "x.json", SECTION, path, "--profile", "q", "--recipient", "restricted", "--path", "/list",
                     "--protected", NUMBER, "--json")
        got = json.loads(told.stdout)
        assert told.returncode == 1 and got["verdict"] == {"block": "not_found", "report": "reported"}.get(verb, "replaced")
        assert ("blocks the whole" if verb == "block" else "is let through") in got["findings"][0]["reason"]


def test_records_are_counted(tmp_path):
    done = run_tests(pack(tmp_path, {"tests": [about(RECORD, "unchanged", recipient="entitled", records=2)]}))
    assert done.returncode == 1 and "1 protected records are found where 2 were expected" in done.stderr


def marker(match):
    return {"markers": [{"id": "m", "title": "t", "why": "w", "values": ["77"], "labels": ["coa"], "strength": "definitive",
                         "tests": {"match": [{"coa": "77"}, *match], "ignore": ["77"]}}]}


def test_known_gaps(tmp_path):
    """Reported, not failing, failing once it works."""
    gap = run_tests(pack(tmp_path, **marker([{"todo": {"klass": "77"}}])))
    assert gap.returncode == 0 and "/markers/0/tests/match/1/todo: warning: is a known gap" in gap.stderr
    assert ", 1 known gaps" in gap.stdout
    closed = run_tests(pack(tmp_path, **marker([{"todo": {"coa": "77"}}])))
    assert closed.returncode == 1 and 'works now; take the "todo" away' in closed.stderr
    inner = about(RECORD, {"todo": "unchanged"})
    assert run_tests(pack(tmp_path, {"tests": [inner]})).returncode == 0
    assert run_tests(pack(tmp_path, {"tests": [about(RECORD, {"todo": "not_found"})]})).returncode == 1


def test_a_test_that_names_nobody_is_broken_and_no_gap(tmp_path):
    for t in (about(RECORD, "not_found", protected=["nothing"]), {"todo": about(RECORD, "not_found", protected=["nothing"])},
              about(RECORD, "not_found", protected=[{"kind": "ssn", "value": "x"}]),
              about(RECORD, "not_found", protected=[{"subject": "S", "cases": [{}]}])):
        done = run_tests(pack(tmp_path, {"tests": [t]}))
        assert done.returncode == 1 and "/protected/0: " in done.stderr, done.stderr


LINT = {
    "tried on every value": dict(identifiers=[{"id": "i", "title": "t", "why": "w", "kind": "ssn", "pattern": "((?:[0-9]+x)+)\\1",
                                               "labels": ["ssn"], "tests": {"match": ["1x1x"], "ignore": ["b"]}}]),
    "may match in an ordinary word": dict(identifiers=[{"id": "i", "title": "t", "why": "w", "kind": "sevis", "pattern": "(?i)([A-Z0-9]{6,12})",
                                                        "tests": {"match": ["N123456789"], "ignore": ["b"]}}]),
    'add "labels" and "bare"': dict(identifiers=[{"id": "i", "title": "t", "why": "w", "kind": "fbi_number", "pattern": "FBI(\\d{6})X",
                                                  "tests": {"match": ["FBI123456X"], "ignore": ["b"]}}]),
    "looks 70 characters behind": dict(markers=[{"id": "m", "title": "t", "why": "w", "pattern": "(?<!%s)yyy" % ("x" * 70),
                                                 "literals": ["yyy"], "strength": "definitive",
                                                 "tests": {"match": ["yyy"], "ignore": ["b"]}}]),
    "no test of this profile holds anything there": dict(profile={"tests": [about(RECORD, "not_found")]}),
    'has no "tests"': dict(profile={}),
    'is described by no entry of "documents"': dict(profile={"tests": [about(RECORD, "not_found", path="/x")]}),
}


def test_lint_of_references_that_stay(tmp_path):
    """{"ref": {"value": "P1"}} is read as a reference where the profile names its member, and is remarked upon where it does not."""
    body = {"p": [{"@id": "P1", "aNumber": "A012345678"}, {"@id": "P2"}], "r": [{"@id": "R1", "ref": {"value": "P1"}}, {"@id": "R2"}]}
    left = {"p": [{"@id": "P2"}], "r": [{"@id": "R2"}]}
    for ref, stays in ((["ref"], True), (["ref", "value"], False)):
        graph = {"id": "t", "title": "t", "documents": [{"path": "/g", "graph": {"id": ["@id"], "ref": ref}}],
                 "tests": [{"path": "/g", "recipient": "restricted", "protected": ["A012345678"], "body": body,
                            "expect": {**left, "r": body["r"]} if stays else left}]}
        path = pack(tmp_path, profiles=[graph])
        assert run_tests(path).returncode == 0
        assert ('still get "P1", which names what is withheld' in g.run("rules", "lint", SECTION, path).stderr) == stays


@pytest.mark.parametrize("said", LINT)
def test_lint(tmp_path, said):
    args = ["rules", "lint", pack(tmp_path, **LINT[said]), *([SECTION] if "profile" in LINT[said] else [])]
    done = g.run(*args)
    remarks = [line for line in done.stderr.splitlines() if ": warning: " in line]
    assert done.returncode == 1 and all(REMARK.match(line) for line in remarks), done.stderr
    assert any(said in line for line in remarks), done.stderr
    lines = [json.loads(x) for x in g.run(*args, "--json").stdout.splitlines()]
    assert any(said in x["message"] for x in lines)


def test_lint_of_overlapping_profiles(tmp_path):
    a = {"id": "a", "title": "t", "documents": [{"path": "/r/{id}/notes"}, {"path": "/x"}]}
    for path, overlaps in (("/r/7/{part}", True), ("/r/*", True), ("/r/{id}", False), ("/x/y", False), ("/x", True)):
        done = g.run("rules", "lint", pack(tmp_path, profiles=[a, {"id": "b", "title": "t", "documents": [{"path": path}]}]))
        assert ('profile "a" describes such paths too' in done.stderr) == overlaps, (path, done.stderr)


def test_what_is_shipped_is_clean():
    example = str(g.ROOT / "rules/examples/persons-api.json")
    for verb in ("test", "lint"):
        done = g.run("rules", verb, SECTION, example)
        assert done.returncode == 0 and done.stderr == "", done.stderr
