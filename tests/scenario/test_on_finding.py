"""What becomes of an answer in which something is found: `on_finding`, for each who may come.

    #= ICE10036.2 2.1
"""
import json
import random
import re

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, fetch
from harness.gateway import Gateway
from harness.origin import Origin, answer
from harness.library import DELIVER, NOT_FOUND, Inspector

HER, ALSO_HER, HIM = "A012345678", "EAC2190012345", "A099999999"
PEOPLE = [{"subject": "S-1", "cases": [{"status": "pending"}], "identifiers": [
              {"kind": "alien_number", "value": HER}, {"kind": "receipt_number", "value": ALSO_HER}]},
          {"subject": "S-2", "cases": [{"status": "pending"}], "identifiers": [{"kind": "alien_number", "value": HIM}]}]
VERBS = ["block", "redact", "mask", "pseudonym", "report"]
DOCUMENT = {"units": ["$.items[*]"], "uniform": ["$.items[*].notes"], "texts": ["$.echo"],
            "counts": {"$.total": "$.items[*]"}, "complete": True}
BODY = ('{"echo": "A012345678", "total": 3, "items": [ {"aNumber": 12345678, "see": "her, A012-345-678" , "n": 1},\n'
        ' {"notes": "x", "coa": "384", "who":"A\\u0030\\u0039\\u0039999999"},{"receipt": "EAC2190012345", "x": [1.50]} ]}\n')


def profile(verb, path="/{rest}", **more):
    return {"id": verb, "title": verb, "system": "earm", "on_finding": verb, "documents": [{"path": path, **DOCUMENT}], **more}


def pack(*profiles):
    return {"format": 1, "pack": "t", "version": "1", "profiles": list(profiles)}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """/VERB: with a reason, for everybody. /in/VERB: where nobody restricted comes."""
    why = {"visible_redaction": "a test"}
    with Origin(lambda request: answer(BODY.encode(), content_type="application/json", headers=[("ETag", '"e"')])) as origin:
        gw = Gateway(tmp_path_factory.mktemp("verbs"), origin.url, protected=PEOPLE, start=False,
                     packs=[str(g.ROOT / "rules/section-1367.json"), "pack.json"],
                     routes=[{"path": f"/{v}/", "upstream": "records", "profile": v} for v in VERBS] +
                            [{"path": f"/in/{v}/", "upstream": "records", "profile": f"in-{v}", "restricted_methods": []}
                             for v in VERBS])
        gw.write("pack.json", pack(*[profile(v, f"/{v}/a", **({} if v == "block" else why)) for v in VERBS],
                                   *[{**profile(v, f"/in/{v}/a"), "id": f"in-{v}"} for v in VERBS]))
        gw.start()
        gw.origin, gw.before = origin, origin.respond
        yield gw
        gw.__exit__(None, None, None)


def replaced(body, number, text, marker):
    """BODY with each value that something is found in written so."""
    for old, new in (("12345678,", number(1) + ","), ('"her, A012-345-678"', text(1)), ('"384"', marker),
                     ('"A\\u0030\\u0039\\u0039999999"', text(2)), ('"EAC2190012345"', text(1))):
        assert body.count(old) == 1
        body = body.replace(old, new)
    return body


def for_everybody(body):
    """What any restricted recipient loses."""
    return body.replace('"echo": "A012345678", ', "").replace('"notes": "x", ', "")


WRITTEN = {"redact": (lambda who: "null", lambda who: '"[redacted]"', '"[redacted]"'),
           "mask": (lambda who: '"********"', lambda who: '"********"', '"********"')}


@pytest.mark.parametrize("verb", WRITTEN)
def test_replaced(served, verb):
    restricted = fetch(served.port, f"/{verb}/a", POLICE)
    assert (restricted.status, restricted.body.decode()) == (200, replaced(for_everybody(BODY), *WRITTEN[verb]))
    for path in (f"/{verb}/a", f"/in/{verb}/a"):
        entitled = fetch(served.port, path, OFFICER)
        echo = '"echo": ' + WRITTEN[verb][1](1)
        assert entitled.body.decode() == replaced(BODY.replace('"echo": "A012345678"', echo), *WRITTEN[verb])
        assert entitled.header("section-1367") == "protected; records=4" and entitled.header("etag") is None
    assert fetch(served.port, f"/in/{verb}/a", POLICE).status == 405


def test_report(served):
    assert fetch(served.port, "/report/a", POLICE).body.decode() == for_everybody(BODY)
    assert fetch(served.port, "/in/report/a", OFFICER).body.decode() == BODY


@pytest.mark.parametrize("verb", ["redact", "mask", "pseudonym", "report"])
def test_nobody_is_found_by_what_something_else_stands_for(tmp_path, verb):
    """An origin finds her record by her number, by a piece of it, and by the mark. Nobody may: contract 6, `query`."""
    declared = {"path": "/api/a", "units": ["$.items[*]"], "query": {"q": ["$.items[*]"]}}
    body = b'{"items":[{"who":"A012345678","name":"Ann"},{"a":"Bea","aNumber":12345678,"coa":"384"},{"a":"12345678, it says"}]}'
    with Origin(lambda request: answer(body)) as origin, Gateway(
            tmp_path, origin.url, protected=PEOPLE, start=False, packs=[str(g.ROOT / "rules/section-1367.json"), "pack.json"],
            routes=[{"path": "/api/", "upstream": "records", "profile": verb}]) as gw:
        gw.write("pack.json", pack({**profile(verb, visible_redaction="a test"), "documents": [declared]}))
        gw.start()
        found = lambda q: len(json.loads(fetch(gw.port, "/api/a?q=" + q, POLICE).body)["items"])  # noqa: E731
        wanted = [3, 3, 1, 1, 1] if verb == "report" else [1, 1, 0, 1, 1]
        assert [found(q) for q in ("12345678", "234", "384", "ann", "bea")] == wanted


def test_block(served):
    r = fetch(served.port, "/block/a", POLICE)
    assert r.status == 404 and r.body.decode() == '{"type":"about:blank","title":"Not Found","status":404}'
    assert fetch(served.port, "/block/a", OFFICER).body.decode() == BODY


def pseudonyms(text):
    return re.findall(r'"([0-9a-f]{32})"', text)


def test_pseudonym(served):
    """Hers in three spellings and his; other ones for another recipient; a marker is nobody's."""
    first, again, other = [fetch(served.port, "/pseudonym/a", who).body.decode() for who in (POLICE, POLICE, OFFICER)]
    hers, hers_too, his, hers_again = pseudonyms(first)
    assert hers == hers_too == hers_again != his and first == again
    names = {1: f'"{hers}"', 2: f'"{his}"'}
    assert first == replaced(for_everybody(BODY), names.get, names.get, '"[redacted]"')
    assert len(pseudonyms(other)) == 5 and not set(pseudonyms(other)) & {hers, his}
    assert hers.encode() not in served.raw_ledger()


def test_on_record(served):
    """records and outcome of each. What stands in the echo, outside every unit, is the document's own."""
    for verb in VERBS:
        fetch(served.port, f"/{verb}/a", POLICE)
    said = {}
    for e in served.entries():
        if e["event"] in ("disclosure", "refusal") and e["recipient"]["id"] == "state-police":
            said[e["route"].strip("/")] = (e["outcome"], e["records"])
    counts = {"seen": 4, "protected": 4, "withheld": 0, "redacted": 3, "disclosed": 3}
    assert said["redact"] == said["mask"] == said["pseudonym"] == ("disclosed", counts)
    assert said["report"] == ("disclosed", {**counts, "redacted": 0})
    assert said["block"] == ("blocked", {**counts, "withheld": 4, "redacted": 0, "disclosed": 0})


def test_what_was_shown_beside_what_was_withheld_is_on_record_as_shown(served):
    """An auditor who asks for `disclosed` finds every answer that showed somebody protected to somebody who is not entitled."""
    served.origin.respond = lambda r: answer(b'{"items":[{"a":1,"a":2},{"who":"A099999999"}]}')
    try:
        r = fetch(served.port, "/mask/a", POLICE)
    finally:
        served.origin.respond = served.before
    assert r.status == 200 and b"********" in r.body and b'"a"' not in r.body
    e = next(e for e in served.entries() if e["event"] == "disclosure" and e["request"] == r.header("Request-Id"))
    assert e["outcome"] == "disclosed" and (e["records"]["withheld"], e["records"]["redacted"]) == (1, 1) and e["subjects"]


def test_names_and_flaws_withhold(tmp_path):
    """Nothing can take the place of a name, and what readers disagree about is not made good by a mask."""
    people = "".join(json.dumps(p) + "\n" for p in PEOPLE)
    with Inspector(tmp_path, [(g.ROOT / "rules/section-1367.json").read_bytes(), json.dumps(pack(profile("mask", "/a")))], people) as i:
        for unit in ('{"A012345678":1}', '{"a":1,"a":2}', '{"a":"\xff"}'.encode("latin-1").decode("latin-1")):
            body = b'{"items":[' + unit.encode("latin-1") + b',{"n":"A012345678"}]}'
            assert i.ask("mask", "/a", body)[:2] == (DELIVER, b'{"items":[{"n":"********"}]}'), unit
        assert i.ask("mask", "/a", b'{"A012345678":1}')[0] == NOT_FOUND


def test_many(tmp_path):
    """Random documents against the value replaced on the parsed tree."""
    rng = random.Random(5)
    people = "".join(json.dumps(p) + "\n" for p in PEOPLE)

    def value(depth):
        roll = rng.random()
        if roll < 0.25:
            return rng.choice([HER, "no. " + HER, ALSO_HER, "A 099 999 999", HIM + " and " + HER])
        if roll < 0.5 or depth == 0:
            return rng.choice([None, True, 1, 1.5, "", "x", "A012345679", "two\nlines", "é"])
        if roll < 0.75:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        return {f"k{n}": value(depth - 1) for n in range(rng.randrange(4))}

    def found(s):
        return any(p in s.replace(" ", "") for p in (HER, ALSO_HER, HIM))

    def masked(v):
        if isinstance(v, list):
            return [masked(x) for x in v]
        if isinstance(v, dict):
            return {k: masked(x) for k, x in v.items()}
        return "********" if isinstance(v, str) and found(v) else v

    with Inspector(tmp_path, [(g.ROOT / "rules/section-1367.json").read_bytes(), json.dumps(pack(profile("mask", "/a")))], people) as i:
        for _ in range(400):
            document = {"items": [value(3) for _ in range(4)], "beside": value(2)}
            body, wanted = [json.dumps(d, ensure_ascii=False).encode() for d in (document, masked(document))]
            wanted = wanted.replace(b'"items": []', b'"items": []')
            for entitled in (False, True):
                assert i.ask("mask", "/a", body, entitled=entitled)[:2] == (DELIVER, wanted), body


def test_check_keeps_traces_from_the_restricted(tmp_path):
    """No reason: an error for each route; a reason, or nobody restricted: none."""
    why = {"visible_redaction": "a reason"}
    gw = Gateway(tmp_path, "http://127.0.0.1:1", start=False, packs=[str(g.ROOT / "rules/section-1367.json"), "pack.json"])
    gw.write("pack.json", pack(*[profile(v, f"/{v}") for v in VERBS], *[{**profile(v, f"/why/{v}", **why), "id": f"why-{v}"}
                                                                         for v in VERBS[1:]]))
    gw.config["routes"] = [{"path": f"/{v}/", "upstream": "records", "profile": v} for v in VERBS]
    gw.write_config()
    done = gw.command("check", "-c", "gate.json")
    for n, verb in enumerate(VERBS):
        text = f'/routes/{n}/profile: the profile\'s "on_finding": "{verb}" shows a restricted recipient that something is there'
        assert (text in done.stderr) == (verb != "block"), done.stderr
    assert done.returncode == 1 and '"block" withholds the whole answer for one finding: safe, but it may be noticed' in done.stderr
    gw.config["routes"] = [{"path": f"/why-{v}/", "upstream": "records", "profile": f"why-{v}"} for v in VERBS[1:]]
    gw.config["routes"] += [{"path": f"/in-{v}/", "upstream": "records", "profile": v, "restricted_methods": []} for v in VERBS]
    gw.write_config()
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 0, done.stderr
