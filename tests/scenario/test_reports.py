"""What auditors ask of a ledger: filters, reports and their sums; expected values are added up here from the entries."""
import collections
import csv
import html.parser
import io
import json
import os
import re
import signal
import time

import pytest

from harness.client import ANONYMOUS, OFFICER, POLICE, fetch, wait_until
from harness.gateway import FEW, is_running
from harness.origin import answer

pytestmark = pytest.mark.whole("what is written is looked at, not how the bytes came")
PACKS = FEW
NUMBERS = [f"A0{90000000 + 7 * i}" for i in range(300)]
SOURCE = [{"subject": f"S-{i}", "cases": [{"id": f"C-{i}", "benefit": "U", "role": "principal", "status": "pending"}],
           "identifiers": [{"kind": "alien_number", "value": n}, {"kind": "person_id", "value": str(5000 + i), "system": "earm"}]} for i, n in enumerate(NUMBERS)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def gw(place):
    """One ledger for all of them: of several recipients, outcomes, parts."""
    from harness.gateway import Gateway
    from harness.origin import Origin
    bodies = {"/inspect/one": answer({"aNumber": NUMBERS[0]}), "/inspect/two": answer([{"aNumber": n} for n in NUMBERS[:2]] + [{"x": 1}]),
              "/inspect/many": answer([{"aNumber": n} for n in NUMBERS]), "/inspect/none": answer([{"personId": 3}]),
              "/inspect/html": answer(b"x", content_type="text/html"), "/inspect/broken": answer(b"{")}
    with Origin() as origin:
        origin.respond = lambda r: bodies[r.path]
        with Gateway(place / "gw", origin.url, protected=SOURCE, packs=FEW) as made:
            for path in bodies:
                for who in (OFFICER, POLICE, POLICE, ANONYMOUS):
                    fetch(made.port, path, who)
            fetch(made.port, "/api/nowhere", POLICE)
            fetch(made.port, "/unrouted", POLICE)
            assert wait_until(lambda: sum(e["event"] == "completion" for e in made.entries()) >= 3)
            assert made.stop() == 0
            made.lines = [json.loads(x) for x in made.command("log", "list", "-c", "gate.json", "--json").stdout.splitlines()]
            made.all = [x["entry"] for x in made.lines]
            yield made


def listed(gw, *args):
    done = gw.command("log", "list", "-c", "gate.json", "--json", *args)
    assert done.returncode == 0, done.stderr
    return [json.loads(x)["entry"] for x in done.stdout.splitlines()]


def test_filters(gw):
    rule = next(r for e in gw.all if e["event"] == "disclosure" for r in e["rules"])
    request = next(e["request"] for e in gw.all if e["event"] == "completion")
    times = [e["time"] for e in gw.all]
    for args, wanted in ((("--rule", rule), lambda e: rule in e["rules"]), (("--request", request), lambda e: e["request"] == request),
                         (("--grant", "G-1"), lambda e: False), (("--recipient", "anonymous", "--outcome", "withheld"),
                          lambda e: e["recipient"]["id"] == "anonymous" and e["outcome"] == "withheld"),
                         (("--since", times[3], "--until", times[-3]), lambda e: times[3] <= e["time"] < times[-3])):
        assert listed(gw, *args) == [e for e in gw.all if wanted(e)], args


def test_a_time_that_holds_nothing_is_refused(gw):
    for since, until in (("2027-01-01", "2026-01-01"), ("2026-10-01", "2026-10-01"), (None, "1970-01-01")):
        for command in (("log", "list"), ("log", "export"), ("report", "quarterly")):
            done = gw.command(*command, "-c", "gate.json", *(["--since", since] if since else []), "--until", until)
            assert done.returncode == 2 and "must lie after --since" in done.stderr, done.stdout + done.stderr


def test_a_report_says_of_which_time_it_is(gw):
    def facts(*args):
        done = gw.command("report", "quarterly", "-c", "gate.json", "--json", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["facts"]
    assert facts("--quarter", "FY2027Q1")["period"] == "from 2026-10-01T00:00:00Z up to, but without, 2027-01-01T00:00:00Z"
    assert facts("--until", "9000-02-28T23:59:59.5Z")["period"] == "up to, but without, 9000-02-28T23:59:59.500000Z"
    later = facts("--since", "9000-02-28T12:30:00+02:00")
    assert later["period"] == "from 9000-02-28T10:30:00Z on" and later["last entry read"] == "none"


def test_a_subject_is_found_by_identifier_handle_and_pseudonym(gw):
    one = next(e for e in gw.all if (e["target"] or "").startswith("/inspect/") and len(e["subjects"]) == 1)["subjects"][0]
    wanted = [e for e in gw.all if one in e["subjects"]]
    assert len(wanted) > 6
    for who in (f"alien_number:{NUMBERS[0]}", "alien_number:" + NUMBERS[0].lower(), "person_id:5000@earm", "subject:S-0", f"pseudonym:{one}"):
        assert listed(gw, "--subject", who) == wanted, who
    assert listed(gw, "--subject", "subject:S-nobody") == []
    for bad, said in (("alien_number:A099999999", "protects nobody"), ("alienumber:1", "no kind"), ("x", "KIND:VALUE"), ("pseudonym:12", "32 hex"),
                      ("alien_number:zebra", "none of its kind"), ("person_id:5000", "person_id:VALUE@SYSTEM"), ("person_id:5000@", "@SYSTEM")):
        done = gw.command("log", "list", "-c", "gate.json", "--subject", bad)
        assert done.returncode == 2 and said in done.stderr, (bad, done.stderr)


def test_a_wrong_word_lists_the_right_ones(gw):
    done = gw.command("log", "list", "-c", "gate.json", "--outcome", "disclozed")
    assert done.returncode == 2 and "did you mean disclosed?" in done.stderr and "uninspected, authorized, withheld" in done.stderr
    done = gw.command("log", "list", "-c", "gate.json", "--event", "x")
    assert done.returncode == 2 and "disclosure, refusal, completion, summary" in done.stderr


def fiscal(time):
    year, month = int(time[:4]), int(time[5:7])
    return f"FY{year + (month >= 10)}Q{(month + 2) // 3 % 4 + 1}"


def added(entries, key):
    out = collections.defaultdict(collections.Counter)
    for e in entries:
        sums = {"entries": 1, "requests": e["part"] == 1, "subjects": len(e["subjects"]), **e["records"]}
        out[key(e), fiscal(e["time"])].update(sums)
    return {k: dict(v) for k, v in out.items()}


def test_quarterly_adds_up_to_the_ledger(gw):
    #= ICE10036.2 4.8(2)
    decided = [e for e in gw.all if e["event"] in ("disclosure", "refusal")]
    done = gw.command("report", "quarterly", "-c", "gate.json", "--json")
    assert done.returncode == 0, done.stderr
    tables = json.loads(done.stdout)["tables"]
    for table, key in (("outcomes", lambda e: e["outcome"]), ("recipients", lambda e: e["recipient"]["id"])):
        shown = {(row.pop("name"), row.pop("quarter")): row for row in tables[table]}
        assert shown == added(decided, key)
    rules = collections.Counter()
    for e in decided:
        rules.update(e["rules"])
    assert {row["rule"]: row["times"] for row in tables["rules"]} == dict(rules)
    over = tables["quarters"][0]
    assert over["requests"] == sum(e["part"] == 1 for e in decided)
    assert over["requests"] == sum(over[k] for k in ("disclosed", "authorized", "uninspected", "withheld", "blocked", "refused", "failed_closed", "clear"))
    counted = sum(n for e in gw.all if e["event"] == "summary" for k, n in e["rules"].items() if k.startswith(("restricted.", "entitled.")))
    assert over["counted"] == counted == 25  # also those of entitled recipients in which nothing was found
    empty = gw.command("report", "quarterly", "-c", "gate.json", "--quarter", "FY1999Q4", "--json")
    assert empty.returncode == 0 and json.loads(empty.stdout)["tables"]["quarters"] == []


def test_records_of_a_request_in_several_parts_count_once(gw):
    parts = [e for e in gw.all if e["event"] == "disclosure" and e["recipient"]["id"] == "uscis-officer" and (e["part"] > 1 or not e["last"])]
    assert [e["part"] for e in parts] == [1, 2] and parts[0]["records"]["seen"] >= 300 and parts[1]["records"]["seen"] == 0


def test_accounting(gw):
    #= 5USC552a c(1)
    done = gw.command("report", "accounting", "-c", "gate.json", "--subject", "subject:S-1", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["tables"]["disclosures"]
    wanted = [e for e in gw.all if e["event"] == "disclosure" and e["outcome"] == "disclosed" and len(e["subjects"]) > 1 and e["part"] == 1]
    assert [r["request"] for r in rows] == [e["request"] for e in wanted] and len(rows) == 2
    assert all(r["purpose"] == "adjudication" and r["name"] == "DHS, USCIS" and r["sent"].endswith("bytes") for r in rows)
    assert all(f"{e['records']['disclosed']} records" in r["nature"] and e["target"] in r["nature"] for r, e in zip(rows, wanted))
    assert gw.command("report", "accounting", "-c", "gate.json").returncode == 2
    # Whoever stands in a later part of an answer about many was in the same answer as the first.
    many = next(e for e in wanted if e["records"]["disclosed"] >= 300)
    for i in range(0, 300, 23):
        asked = gw.command("report", "accounting", "-c", "gate.json", "--subject", f"alien_number:{NUMBERS[i]}", "--json")
        row, = [r for r in json.loads(asked.stdout)["tables"]["disclosures"] if r["request"] == many["request"]]
        assert f"; {many['records']['disclosed']} records; " in row["nature"], (i, row)


def test_who_was_found_while_the_registry_was_stale_is_accounted_for(make_gateway, origin):
    #= 5USC552a c(1)
    """The answer passes to who is entitled, `uninspected`; but somebody was found in it."""
    origin.respond = lambda r: answer({"aNumber": NUMBERS[0]} if r.path == "/inspect/one" else b"x", content_type="application/json")
    gw = make_gateway(protected=SOURCE[:1], start=False)
    gw.config["registry"]["max_age"] = "1s"
    gw.write_config()
    time.sleep(1.1)
    gw.start()
    assert fetch(gw.port, "/inspect/one", OFFICER).header("Section-1367").startswith("uninspected")
    fetch(gw.port, "/inspect/two", OFFICER)
    assert gw.stop() == 0
    done = gw.command("report", "accounting", "-c", "gate.json", "--subject", "subject:S-0", "--json")
    told = json.loads(done.stdout)
    row, = told["tables"]["disclosures"]
    entry = next(e for e in gw.entries() if e["request"] == row["request"])
    assert entry["outcome"] == "uninspected" and len(entry["subjects"]) == 1 and row["nature"].startswith("electronic answer, not inspected whole; 1 record; ")
    assert told["facts"]["passed unread"].startswith("1 answers ")


def test_incidents(gw):
    #= ICE10036.2 5.5(1)
    done = gw.command("report", "incidents", "-c", "gate.json", "--format", "json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    tables = data["tables"]
    kinds = {r["kind"]: r["count"] for r in tables["kinds"]}
    decided = [e for e in gw.all if e["event"] in ("disclosure", "refusal")]
    assert kinds["uninspected"] == sum(e["outcome"] == "uninspected" for e in decided) == 2
    assert kinds["failed_closed"] == sum(e["outcome"] == "failed_closed" for e in decided)
    assert kinds["presumed_disclosed"] == kinds["unentitled_disclosure"] == kinds["restart_after_crash"] == 0
    often = {(r["recipient"], r["subject"]): r["attempts"] for r in tables["attempts"]}
    by_hand = collections.Counter((e["recipient"]["id"], s) for e in decided if e["outcome"] in ("withheld", "blocked") for s in e["subjects"])
    assert often == {k: n for k, n in by_hand.items() if n >= 3} and often
    assert data["facts"]["came back for one person"] == str(len(often))


def test_what_ends_an_answer_may_come_after_the_time_that_is_asked_for(gw):
    """The last answer of a quarter is completed in the next: it was, and it is on record."""
    completed = {e["request"]: e["time"] for e in gw.all if e["event"] == "completion"}
    last = [e for e in gw.all if e["event"] == "disclosure" and e["outcome"] == "disclosed" and e["part"] == 1][-1]
    until = ["--until", completed[last["request"]]]
    for args, count, name in ((["incidents"], None, "answers without a completion"),
                              (["accounting", "--subject", "pseudonym:" + last["subjects"][0]], 1, "presumed disclosed")):
        done = gw.command("report", *args, "-c", "gate.json", "--json", *until)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert re.match("0[: ]", said["facts"][name]), said["facts"]
        if count:
            sent = {r["request"]: r["sent"] for r in said["tables"]["disclosures"]}
            assert re.match(r"\d+ bytes", sent[last["request"]]), sent
        else:
            assert {r["kind"]: r["count"] for r in said["tables"]["kinds"]}["presumed_disclosed"] == 0
    quarterly = json.loads(gw.command("report", "quarterly", "-c", "gate.json", "--json", *until).stdout)
    assert int(quarterly["facts"]["entries read"]) == sum(e["time"] < completed[last["request"]] for e in gw.all)


def test_a_crash_before_the_time_that_is_asked_for_is_seen_at_the_start_in_it(make_gateway):
    gw = make_gateway()
    scribe, others = gw.children("scribe")[0], gw.children("admin") + gw.children("worker")
    os.kill(gw.process.pid, signal.SIGSTOP)
    os.kill(scribe, signal.SIGKILL)
    gw.stop(signal.SIGKILL)
    assert len(others) > 1 and wait_until(lambda: not any(is_running(p) for p in [scribe, *others]))  # admin's socket is free then
    gw.start()
    assert gw.stop() == 0
    first, second = [e["time"] for e in gw.entries() if e["event"] == "start"]
    for since, crashes in ((None, 1), (first, 1), (second, 1), ("2999-01-01", 0)):
        done = gw.command("report", "incidents", "-c", "gate.json", "--json", *(["--since", since] if since else []))
        kinds = {r["kind"]: r["count"] for r in json.loads(done.stdout)["tables"]["kinds"]}
        assert kinds["restart_after_crash"] == crashes, (since, kinds)


def test_csv_and_html(gw, place):
    #= RFC4180 2
    text = gw.command("report", "quarterly", "-c", "gate.json", "--format", "csv").stdout
    rows = list(csv.reader(io.StringIO(text)))
    data = json.loads(gw.command("report", "quarterly", "-c", "gate.json", "--json").stdout)["tables"]
    assert dict(r[1:] for r in rows if r[0] == "facts")["ledger"] == "gate1367.example/test" and {len(r) for r in rows if r[0] == "facts"} == {3}
    assert [r[1:3] for r in rows if r[0] == "recipients"] == [[x["name"], x["quarter"]] for x in data["recipients"]]
    page = gw.command("report", "quarterly", "-c", "gate.json", "--format", "html").stdout
    seen = []

    class Look(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append(tag)
            assert not any(k in ("src", "href", "onload") for k, _ in attrs), attrs

        def handle_startendtag(self, tag, attrs):
            self.handle_starttag(tag, attrs)
    Look().feed(page)
    assert "script" not in seen and "svg" in seen and seen.count("table") == 4 and "http" not in page.replace("http-equiv", "")
    assert re.search(r"@media print", page) and "prefers-color-scheme:dark" in page and 'role="img"' in page
    out = place / "q.html"
    assert gw.command("report", "quarterly", "-c", "gate.json", "--format", "html", "-o", out).returncode == 0
    assert gw.command("report", "quarterly", "-c", "gate.json", "--format", "html", "-o", out).returncode == 2  # never over a file
    assert gw.command("report", "quarterly", "-c", "gate.json").stdout.startswith("Quarterly report")


def test_what_a_killed_worker_had_counted_its_successor_tells(make_gateway, origin):
    origin.respond = lambda r: answer([{"personId": 3}])
    gw = make_gateway()
    for _ in range(5):
        fetch(gw.port, "/inspect/x", POLICE)
    pid = gw.children("worker")[0]
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: gw.children("worker") not in ([], [pid]))
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 200)
    assert gw.stop() == 0
    told = collections.Counter()
    for e in gw.entries():
        told.update(e["rules"] if e["event"] == "summary" else {})
    assert told["restricted.clear"] == told["asked.records"] == told["answered.records"] >= 6
