"""The mirror: judges a copy of traffic or a capture, answers nobody, reports what would be withheld and what differs."""
import base64
import json

import pytest

from harness import gateway as g
from harness.changes import apply, protect
from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, normalised, wait_until
from harness.origin import answer


CANARY = "A012345678"
PROFILE = {"format": 1, "pack": "site", "version": "1", "profiles": [{"id": "p", "title": "P", "documents": [
    {"path": "/m/persons", "units": ["$.items[*]", "$.gone[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True,
     "query": {"page": "any"}},
    {"path": "/m/persons/{id}", "units": ["$"]},
    {"path": "/m/cases/{id}", "units": ["$.people[*]"]},
    {"path": "/m/export", "units": ["$[*]"], "independent": True},
    {"path": "/m/never/{id}", "units": ["$"]}]}]}
ROUTES = [{"path": "/m/", "upstream": "records", "profile": "p", "restricted_methods": ["GET", "HEAD", "POST"]}]
LIST = {"total": 3, "items": [{"aNumber": CANARY}, {"aNumber": "A999999999"}]}
ANSWERS = {"/m/persons": LIST, "/m/persons/1": {"aNumber": CANARY}, "/m/persons/2": {"aNumber": "A999999999"},
           "/m/cases/7": {"judge": {"aNumber": CANARY}, "people": []}, "/m/persons/3": "{broken",
           "/m/export": [{"aNumber": CANARY}] + [{"n": i} for i in range(2000)]}


@pytest.fixture
def packs(tmp_path):
    (tmp_path / "site.json").write_text(json.dumps(PROFILE))
    return [str(g.ROOT / "rules/section-1367.json"), str(tmp_path / "site.json")]


def respond(request):
    found = ANSWERS.get(request.path)
    return answer(found.encode() if isinstance(found, str) else found) if found is not None else answer({}, status=404)


def of(report, document):
    return next(d for d in report["documents"] if d["document"] == document)


# Read off the answers above, by hand.
EXPECTED = {
    "/m/persons": {"answers": 2, "withheld": 2, "not_found": 0, "warned": 2, "records_seen": 4, "records_protected": 2, "records_withheld": 2,
                   "units": {"$.items[*]": 2}, "units_absent": ["$.gone[*]"], "counts": {"$.total": 2}, "outside": {}, "rules": {"a-number": 2},
                   "refused": {"query": 1}, "undeliverable": {}},
    "/m/persons/{id}": {"answers": 2, "withheld": 1, "not_found": 1, "warned": 1, "units": {"$": 2}, "units_absent": [],
                        "undeliverable": {"malformed": 1, "upstream_status": 1}},
    "/m/cases/{id}": {"answers": 1, "withheld": 1, "not_found": 1, "outside": {"$.judge.aNumber": 1}, "units_absent": ["$.people[*]"]},
    "/m/export": {"answers": 1, "withheld": 1, "records_seen": 2001, "records_withheld": 1, "units_absent": [], "undeliverable": {}},
    "": {"answers": 0, "undescribed": {"/m/*/persons": 1}, "refused": {"unprofiled": 1}},
}
PATHS = ["/m/persons", "/m/persons?page=2", "/m/persons?name=x", "/m/persons/1", "/m/persons/2", "/m/persons/3", "/m/persons/4",
         "/m/cases/7", f"/m/{CANARY}/persons", "/m/export"]


def check_report(report):
    for document, facts in EXPECTED.items():
        found = of(report, document)
        assert {k: found[k] for k in facts} == facts, document
    assert report["never_asked"] == [{"route": "/m/", "document": "/m/never/{id}"}]
    assert report["format"] == 1 and report["lost"] == 0 and report["answers"] == 6
    assert "12345678" not in json.dumps(report) and "99999999" not in json.dumps(report)


def test_a_copy_of_traffic(make_gateway, origin, packs, pieces):
    """Every copy gets the same empty 204, whoever sends it and whatever stands in the answer."""
    origin.respond = respond
    gw = make_gateway(protected=[CANARY], routes=ROUTES, packs=packs, arguments=["--mirror", "--json"], pace="10ms",
                      config={"limits": {"requests": 1}})
    said = set()
    for who, path in zip([POLICE, OFFICER, ANONYMOUS] * 4, PATHS):
        r = fetch(gw.port, path, who, pieces=pieces)
        said.add(normalised(r.raw))
        assert r.status == 204 and r.body == b""
    r = fetch(gw.port, "/m/persons", POLICE, "POST", body=b'{"aNumber": "A012345678"}')
    said.add(normalised(r.raw).replace(b"Connection: close\r\n", b""))  # its body was not read
    assert fetch(gw.port, "/nowhere", POLICE, pieces=pieces).status == 204
    assert len(said) == 1 and CANARY.encode() not in said.pop()
    assert {r.method for r in origin.requests} == {"GET"}  # nothing is done twice
    status, text = gw.admin("/mirror")
    assert status == 200
    report = json.loads(text)
    check_report(report)
    assert of(report, "/m/persons")["not_asked"] == {"POST": 1}
    assert 'gate1367_mirror_total{fact="answers"} 6' in gw.admin("/metrics")[1]
    assert gw.stop() == 0
    printed = gw.stderr()[gw.stderr().index('{"format":1,"answers"'):]
    assert json.JSONDecoder().raw_decode(printed)[0] == report
    assert {e["event"] for e in gw.entries()} <= {"start", "config", "rules", "stop", "summary"}


def test_the_report_for_people(make_gateway, origin, packs):
    origin.respond = respond
    gw = make_gateway(protected=[CANARY], routes=ROUTES, packs=packs, arguments=["--mirror"])
    with Client(gw.port, POLICE) as c:
        for path in PATHS:
            assert c.get(path).status == 204
    assert gw.reload()  # what was seen before stays
    fetch(gw.port, "/m/persons/1", POLICE)
    gw.stop()
    text = gw.stderr()
    for line in ("mirror: 7 answers evaluated, 6 of them would not reach a restricted recipient whole; nothing was released",
                 "  $.gone[*]: a declared unit that stood in none of 2 answers; correct the path",
                 "  $.judge.aNumber: 1 findings stood outside every declared unit", "  $.total: 2 times the count was not",
                 "/m/  /m/never/{id}\n  never asked for", "  /m/*/persons: 1 requests that no documents entry describes"):
        assert line in text, line


def captured(kind):
    if kind == "lines":
        lines = []
        for path in PATHS:
            body = ANSWERS.get(path.split("?")[0])
            lines.append({"target": path, "status": 200 if body is not None else 404, "body": body if body is not None else {}})
        return "".join(json.dumps(x) + "\n" for x in lines)
    entries = []
    for i, path in enumerate(PATHS):
        body = ANSWERS.get(path.split("?")[0])
        text = body if isinstance(body, str) else json.dumps(body if body is not None else {})
        content = {"mimeType": "application/json; charset=utf-8", "text": text}
        if i % 2:
            content.update(text=base64.b64encode(text.encode()).decode(), encoding="base64")
        entries.append({"request": {"method": "GET", "url": f"https://api.example:8443{path}#x"},
                        "response": {"status": 200 if body is not None else 404, "content": content}})
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


@pytest.mark.parametrize("kind", ["lines", "har"])
def test_a_capture(make_gateway, packs, kind):
    """The same answers from a file give the same report; nothing is asked, no ledger is needed."""
    gw = make_gateway(protected=[CANARY], routes=ROUTES, packs=packs, start=False, ledger=False)
    gw.write("capture", captured(kind))
    done = gw.command("serve", "--mirror", "--json", "-c", "gate.json", "capture")
    assert done.returncode == 0, done.stderr
    check_report(json.loads(done.stdout))
    assert "nothing was released" in gw.command("serve", "--mirror", "-c", "gate.json", "capture").stdout


def test_captures_that_are_none(make_gateway, packs):
    gw = make_gateway(routes=ROUTES, packs=packs, start=False, ledger=False)
    gw.write("bad", '{"target": "/m/persons", "body": []}\nnonsense\n{"target": "/m/persons"}\n[]\n')
    done = gw.command("serve", "--mirror", "-c", "gate.json", "bad", "absent")
    assert done.returncode == 1
    for place in ("bad:2: is no JSON", 'bad:3: has no "body"', "bad:4: is no exchange", "absent: "):
        assert place in done.stderr, (place, done.stderr)
    assert gw.command("serve", "-c", "gate.json", "bad").returncode == 2
    assert gw.command("serve", "--json", "-c", "gate.json").returncode == 2


@pytest.mark.parametrize("capture", ["", json.dumps({"target": "/elsewhere", "body": []}) + "\n", json.dumps({"log": {"entries": []}})])
def test_a_capture_of_which_nothing_was_judged_proves_nothing(make_gateway, packs, capture):
    gw = make_gateway(protected=[CANARY], routes=ROUTES, packs=packs, start=False, ledger=False)
    gw.write("capture", capture)
    done = gw.command("serve", "--mirror", "--json", "-c", "gate.json", "capture")
    assert done.returncode == 2 and "proves nothing" in done.stderr, done
    assert json.loads(done.stdout)["answers"] == 0


def test_what_a_captured_request_asked_for_counts(make_gateway, tmp_path):
    """A unit stays only if the value that was asked for stands there (contract 6, `query`): as the gateway would answer."""
    profile = {"format": 1, "pack": "site", "version": "1", "profiles": [{"id": "p", "title": "P", "documents": [
        {"path": "/m/persons", "units": ["$.items[*]"], "query": {"name": ["$.items[*].name"]}}]}]}
    (tmp_path / "query.json").write_text(json.dumps(profile))
    gw = make_gateway(routes=ROUTES, start=False, ledger=False, packs=[str(g.ROOT / "rules/section-1367.json"), str(tmp_path / "query.json")])
    body = {"items": [{"name": "ann"}, {"name": "bob"}]}
    gw.write("capture", "".join(json.dumps({"target": f"/m/persons{q}", "body": body}) + "\n" for q in ("", "?name=ann")))
    done = gw.command("serve", "--mirror", "--json", "-c", "gate.json", "capture")
    found = of(json.loads(done.stdout), "/m/persons")
    assert (found["answers"], found["records_seen"], found["records_unmatched"], found["withheld"]) == (2, 4, 1, 1), found
    text = gw.command("serve", "--mirror", "-c", "gate.json", "capture").stdout
    assert "2 answers evaluated, 1 of them would not reach" in text and "  1 records would be left out because" in text


def test_live_changes_count_in_a_capture_too(make_gateway, packs):
    gw = make_gateway(routes=ROUTES, packs=packs)
    apply(gw, protect("S-1", CANARY))
    gw.stop()
    gw.write("capture", captured("lines"))
    check_report(json.loads(gw.command("serve", "--mirror", "--json", "-c", "gate.json", "capture").stdout))


def test_a_journal_that_cannot_be_read_is_not_passed_over(make_gateway, packs):
    """Who was protected since the index was built would be missing from the report."""
    gw = make_gateway(protected=[CANARY], routes=ROUTES, packs=packs, start=False, ledger=False)
    gw.write("capture", captured("lines"))
    (gw.dir / "protected.idx.journal").mkdir()
    done = gw.command("serve", "--mirror", "-c", "gate.json", "capture")
    assert done.returncode == 1 and "journal" in done.stderr and "evaluated" not in done.stdout, done


def test_member_names_that_could_be_somebody_s_are_not_told(make_gateway, packs):
    gw = make_gateway(protected=[CANARY], routes=ROUTES, packs=packs, start=False, ledger=False)
    bodies = [{"people": [], CANARY: 1}, {"people": [], "by person": {"maria garcia": [{"aNumber": CANARY}]}},
              {"people": [], "a\u0022b": {"x": {"aNumber": CANARY}}}]
    gw.write("capture", "".join(json.dumps({"target": "/m/cases/1", "body": b}) + "\n" for b in bodies))
    report = json.loads(gw.command("serve", "--mirror", "--json", "-c", "gate.json", "capture").stdout)
    assert of(report, "/m/cases/{id}")["outside"] == {"$.*": 1, "$.*.*[*].aNumber": 1, "$.*.x.aNumber": 1}
