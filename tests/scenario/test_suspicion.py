"""Somebody known only by a marker is covered from the first answer that showed it, everywhere, until a named person says
otherwise (contract sections 4 and 5)."""
import json
import os
import signal
import time

import pytest

from harness.client import Client, OFFICER, POLICE, fetch, wait_until
from harness.gateway import ROOT
from harness.origin import answer

MARKED = {"personId": 5, "aNumber": "A055555555", "name": "Nobody Registered", "coa": "384"}
BARE = {"personId": 6, "aNumber": "A055-555-555", "name": "The same, elsewhere"}
KEPT = {"personId": 1, "aNumber": "A011111111", "name": "Somebody Else"}
MISS = b'{"error":"not found"}\n'


@pytest.fixture
def stored(origin):
    """What the origin stores: by path, changed by the test."""
    paths = {"/api/persons/5": MARKED, "/api/persons/6": BARE, "/api/persons/1": KEPT,
             "/api/persons": {"total": 2, "items": [BARE, KEPT]}}
    origin.respond = lambda r: answer(paths[r.path])
    return paths


def suspected(gw):
    listed = gw.command("registry", "list", "--suspected", "--json", "-c", "gate.json")
    assert listed.returncode == 0, listed.stderr
    return [json.loads(line) for line in listed.stdout.splitlines()]


def police(gw, path):
    got = fetch(gw.port, path, POLICE)
    return got.status, json.loads(got.body)


def hidden(gw):
    """Is the other record, which bears no marker, covered?"""
    covered = fetch(gw.port, "/api/persons/6", POLICE).body == MISS
    assert police(gw, "/api/persons") == (200, {"total": 1, "items": [KEPT]} if covered else
                                          {"total": 2, "items": [BARE, KEPT]})
    return covered


@pytest.mark.parametrize("who", [POLICE, OFFICER], ids=["restricted", "entitled"])
def test_it_sticks(make_gateway, stored, who):
    #= 8USC1367 a(2)
    gw = make_gateway(workers=2)
    assert not hidden(gw) and suspected(gw) == []
    shown = fetch(gw.port, "/api/persons/5", who)
    assert (shown.body == MISS) == (who is POLICE)
    assert [hidden(gw) for _ in range(4)] == [True] * 4  # in every worker
    assert police(gw, "/api/persons/1") == (200, KEPT)
    one, = suspected(gw)
    assert one["request"] == shown.header("Request-Id")
    assert one["identifiers"] == 2  # a letter and nine digits may be a passport's number too
    officer = fetch(gw.port, "/api/persons/6", OFFICER)
    assert officer.header("Section-1367") == "protected; records=1" and json.loads(officer.body) == BARE
    event, = [e for e in gw.entries() if e["event"] == "registry" and "suspect" in e["rules"]]
    assert event["rules"] == {"suspect": 1} and len(event["subjects"]) == 1
    assert gw.metric("gate1367_registry_suspected") == 1 and gw.metric("gate1367_suspicions_total") == 1
    assert b"55555555" not in gw.raw_ledger() + (gw.dir / "protected.idx.journal").read_bytes()


def test_it_covers_the_answer_that_showed_it(gateway, stored):
    """The person stands twice in one list, once without the marker."""
    stored["/api/persons"] = {"total": 3, "items": [BARE, KEPT, MARKED]}
    assert police(gateway, "/api/persons") == (200, {"total": 1, "items": [KEPT]})


def test_whom_it_does_not_touch(gateway, stored):
    """A marker in texts or in a nested unit is about somebody else; shared things and surrogate keys are nobody's own."""
    second = {"personId": 8, "aNumber": "A088888888", "coa": "384"}
    stored["/api/persons/5"] = {"personId": 5, "aNumber": "A055555555", "narrative": "filed Form I-918", "associates": [second]}
    fetch(gateway.port, "/api/persons/5", POLICE)
    assert not hidden(gateway)
    assert len(suspected(gateway)) == 1 and police(gateway, "/api/persons/6") == (200, BARE)
    stored["/api/persons/6"] = {**BARE, "aNumber": "A088888888"}  # it was the associate
    assert fetch(gateway.port, "/api/persons/6", POLICE).body == MISS
    stored["/api/persons/6"] = BARE
    stored["/api/persons/5"] = {"personId": 6, "phone": "413-555-0123", "coa": "384"}
    fetch(gateway.port, "/api/persons/5", POLICE)
    assert not hidden(gateway) and len(suspected(gateway)) == 1


def test_eleven_digits_without_a_name_are_nobodys_own(gateway, stored):
    """They may be a shelter's telephone: looked up as an arrival record's number, suspected as one only where something says so."""
    stored["/api/persons/5"] = {**MARKED, "aNumber": None, "desk": "14135550123", "i94": "98765432101"}
    fetch(gateway.port, "/api/persons/5", POLICE)
    for seen, path, record in ((True, "/api/persons/8", {"personId": 8, "desk": "14135550123"}), (False, "/api/persons/9", {"personId": 9, "desk": "98765432101"})):
        stored[path] = record
        assert (fetch(gateway.port, path, POLICE).body != MISS) == seen


def test_it_survives_restart_reload_and_rebuild(make_gateway, stored):
    gw = make_gateway()
    fetch(gw.port, "/api/persons/5", POLICE)
    stored["/api/persons/5"] = BARE  # the marker is gone, and what it told is not forgotten
    for change in (gw.reload, lambda: gw.build_registry(["A012345678"]) or gw.reload(), lambda: gw.stop() or gw.start()):
        change()
        assert hidden(gw) and len(suspected(gw)) == 1
    admin, = gw.children("admin")
    os.kill(admin, signal.SIGKILL)
    assert wait_until(lambda: gw.children("admin") not in ([], [admin]))
    assert wait_until(lambda: gw.command("registry", "list", "--suspected", "-c", "gate.json").returncode == 0)
    assert hidden(gw) and len(suspected(gw)) == 1


def test_only_a_named_person_clears_it(gateway, stored):
    fetch(gateway.port, "/api/persons/5", OFFICER)
    one, = suspected(gateway)

    def clear(*words, subject=one["subject"]):
        return gateway.command("registry", "clear", subject, *words, "-c", "gate.json")
    assert clear("--reason", "x").returncode == clear("--by", "P. Officer").returncode == 2
    assert clear("--by", "", "--reason", "x").returncode == 2
    assert "UTF-8" in clear("--by", "P\udcff", "--reason", "x").stderr
    named = ("--by", "P. Officer", "--reason", "petition of a namesake")
    assert clear(*named, subject="0123456789abcdef").returncode == 1 and hidden(gateway)
    assert clear(*named).returncode == 0
    assert suspected(gateway) == [] and not hidden(gateway)
    event, = [e for e in gateway.entries() if e["rules"] == {"clear": 1}]
    assert event["recipient"]["identity"] == "P. Officer" and len(event["subjects"]) == 1
    assert b"namesake" not in gateway.raw_ledger()
    assert fetch(gateway.port, "/api/persons/5", POLICE).body == MISS  # its own marker still covers that record
    assert suspected(gateway) == [] and not hidden(gateway)  # what was cleared is not suspected again
    assert clear(*named).returncode == 1
    assert gateway.reload() and not hidden(gateway) and suspected(gateway) == []


def test_who_was_cleared_is_found_in_the_ledger(gateway, stored):
    """Nobody gave such a person an id: what registry list shows is what the auditor knows of her."""
    #= ICE10036.2 5.6(1)
    for who in (POLICE, OFFICER):
        fetch(gateway.port, "/api/persons/5", who)
    one, = suspected(gateway)
    gateway.command("registry", "clear", one["subject"], "--by", "A. Clerk", "--reason", "the file was read", "-c", "gate.json")
    refused = gateway.command("log", "list", "--subject", "alien_number:A055555555", "-c", "gate.json")
    assert refused.returncode == 2 and "suspected and cleared, is found by subject:ID" in refused.stderr
    found = gateway.command("log", "list", "--subject", "subject:" + one["subject"], "--json", "-c", "gate.json")
    entries = [json.loads(line)["entry"] for line in found.stdout.splitlines()]
    assert [(e["event"], e["outcome"]) for e in entries if e["request"] and e["event"] != "completion"] == [
        ("refusal", "withheld"), ("disclosure", "disclosed")]
    report = gateway.command("report", "accounting", "--subject", "subject:" + one["subject"], "-c", "gate.json")
    assert "\ndisclosures            1\n" in report.stdout, report.stdout
    listed = gateway.command("log", "list", "--event", "registry", "-c", "gate.json").stdout
    assert [line.split()[-1] for line in listed.splitlines()[1:]] == ["suspect", "list", "clear"]


def test_admin_that_falls_or_is_silent(gateway, stored):
    """Nothing leaves before the suspicion is kept: a new admin hears it again, one that is silent makes the row."""
    admin, = gateway.children("admin")
    os.kill(admin, signal.SIGSTOP)
    with Client(gateway.port, POLICE, timeout=30) as c, Client(gateway.port, OFFICER, timeout=30) as d:
        c.request("/api/persons/5")
        d.request("/api/persons/5")
        began = time.monotonic()
        assert (c.response().body, d.response().status) == (MISS, 502)
        assert time.monotonic() - began > 4
        assert c.get("/api/persons/1").status == 200
        c.request("/api/persons/5")
        time.sleep(0.2)
        os.kill(admin, signal.SIGKILL)
        assert c.response().body == MISS
    assert hidden(gateway)
    assert wait_until(lambda: len(suspected(gateway)) == 1)
    failed = [e["event"] for e in gateway.entries() if e["outcome"] == "failed_closed"]
    assert failed == ["refusal", "refusal"]


def test_documents_that_leave_in_parts(make_gateway, origin):
    """Of independent units each is judged alone: what a part shows is kept before the part leaves."""
    pack = {"format": 1, "pack": "parts", "version": "1", "identifiers": [], "markers": [], "profiles": [
        {"id": "persons-api", "title": "t", "documents": [
            {"path": "/api/export", "units": ["$"], "independent": True},
            {"path": "/api/persons/{id}", "units": ["$"], "miss": {"status": 404, "type": "application/json", "body": MISS.decode()}}]}]}
    lines = [json.dumps({**KEPT, "note": "x" * 2000}).encode()] * 40
    lines[10:10] = [json.dumps({**MARKED, "aNumber": f"A05555555{i}"}).encode() for i in range(9)]
    lines.append(json.dumps({**MARKED, "aNumber": "A055555559"}).encode())
    gw = make_gateway(start=False)
    gw.config["rules"] = [str(ROOT / "rules/section-1367.json"), "parts.json"]
    gw.config["routes"] = [{"path": "/api/", "upstream": "records", "profile": "persons-api"}]
    gw.write("parts.json", pack)
    gw.write_config()
    gw.start()
    origin.respond = lambda r: answer(b"\n".join(lines) + b"\n", content_type="application/x-ndjson", framing="chunked") \
        if r.path == "/api/export" else answer({"personId": 1, "aNumber": "A05555555" + r.path[-1]})
    assert all(fetch(gw.port, f"/api/persons/{i}", POLICE).status == 200 for i in range(10))
    got = fetch(gw.port, "/api/export", POLICE)
    assert got.complete and got.body == b"".join(line + b"\n" for line in lines if b"384" not in line)
    assert [fetch(gw.port, f"/api/persons/{i}", POLICE).body for i in range(10)] == [MISS] * 10
    assert len(suspected(gw)) == 10


@pytest.mark.parametrize("others", [2, 40])
def test_a_document_in_parts_whose_suspicion_is_not_kept(make_gateway, origin, others):
    """Nothing of it has left, however much was ready to: it is the miss, and the worker lives on."""
    gw = make_gateway(start=False, faults="suspicion@worker:1+")
    gw.config["rules"] = [str(ROOT / "rules/section-1367.json"), "parts.json"]
    gw.config["routes"] = [{"path": "/api/", "upstream": "records", "profile": "parts"}]
    gw.write("parts.json", {"format": 1, "pack": "parts", "version": "1", "identifiers": [], "markers": [], "profiles": [
        {"id": "parts", "title": "t", "documents": [{"path": "/api/export", "units": ["$"], "independent": True}]}]})
    gw.write_config()
    gw.start()
    lines = [json.dumps(MARKED).encode()] + [json.dumps({**KEPT, "note": "x" * 2000}).encode()] * others
    origin.respond = lambda r: answer(b"\n".join(lines) + b"\n", content_type="application/x-ndjson")
    worker = gw.children("worker")
    got = fetch(gw.port, "/api/export", POLICE)
    assert (got.status, json.loads(got.body)["title"]) == (404, "Not Found")
    assert fetch(gw.port, "/api/export", OFFICER).status == 502
    assert gw.children("worker") == worker


@pytest.mark.whole("fifteen thousand people")
def test_a_word_about_the_last_is_none_about_the_first(make_gateway, origin):
    """More persons in one answer than are kept at once, and the journal that fails under the first of them: what the same admin could
    still keep of the others must not pass for all."""
    #= ICE10036.2 2
    people = [{"personId": n, "aNumber": f"A05{n:07}", "coa": "384"} for n in range(15000)]
    origin.respond = lambda r: answer({"total": 1 + len(people), "items": [KEPT] + people})
    gw = make_gateway(faults="fsync-file@admin/ready:3")  # behind what it read at first, and the mark
    admin, = gw.children("admin")
    with Client(gw.port, POLICE, timeout=40) as c:
        os.kill(admin, signal.SIGSTOP)
        c.request("/api/persons")
        time.sleep(1)
        os.kill(admin, signal.SIGCONT)
        got = c.response()
    if json.loads(got.body) == {"total": 1, "items": [KEPT]}:
        assert wait_until(lambda: gw.command("registry", "list", "--suspected", "-c", "gate.json").returncode == 0)
        assert len(suspected(gw)) == len(people)
    else:
        assert got.body == b'{"type":"about:blank","title":"Not Found","status":404}'


@pytest.mark.parametrize("written", ["A012345678", "A-012-345-678", "A12345678"])
def test_whom_the_registry_knows_is_not_suspected_once_more(make_gateway, origin, written):
    """An A-number with its A reads as a passport's too. Each registered person whose record bears a marker had become two, until live
    changes were full and nobody restricted was answered."""
    origin.respond = lambda r: answer({"aNumber": written, "coa": "384"} if r.path.endswith("5") else {"passport": written})
    gw = make_gateway(protected=["A012345678"])
    assert police(gw, "/api/persons/5") == police(gw, "/api/persons/6") == (404, {"error": "not found"})
    assert suspected(gw) == []
    assert [len(e["subjects"]) for e in gw.entries() if e["event"] == "refusal"] == [1, 1]
