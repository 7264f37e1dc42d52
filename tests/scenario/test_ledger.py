"""What stands in the ledger (contract section 7), for each way a request can end; and its verification."""
import json
import re
import shutil
import subprocess
import threading
import time

import pytest

from harness import gateway as g
from harness.clock import later
from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, wait_until
from harness.origin import answer

PACKS = g.FEW

KEYS = ["time", "node", "request", "event", "recipient", "client", "purpose", "method", "route", "target", "upstream_status",
        "status", "outcome", "records", "subjects", "rules", "grant", "exception", "versions", "duration_us", "part", "last",
        "nonce", "sealed"]
RECIPIENT = ["id", "agency", "component", "standing", "organization", "identity", "fingerprint"]
PSEUDONYM = re.compile(r"[0-9a-f]{32}\Z")
FOUND = {"total": 2, "items": [{"personId": 1, "aNumber": "A011111111"}, {"personId": 2, "aNumber": "A012345678"}]}


def written(gateway, event):
    return [e for e in gateway.entries() if e["event"] == event]


def test_every_field_of_a_disclosure(gateway, origin, pieces):
    #= ICE10036.2 5.6(1)
    origin.respond = lambda r: answer(FOUND)
    before = time.time()
    r = fetch(gateway.port, "/api/persons", OFFICER, pieces=pieces)
    e = written(gateway, "disclosure")[0]
    assert list(e)[:len(KEYS)] == KEYS and list(e["recipient"]) == RECIPIENT
    assert list(e["records"]) == ["seen", "protected", "withheld", "redacted", "disclosed"]
    assert list(e["versions"]) == ["rules", "registry", "config"] and all(e["versions"].values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", e["time"])
    told = time.mktime(time.strptime(e["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert before - 2 < told < time.time() + 2
    assert e["node"] == "gate1367.example/test" and e["request"] == r.header("Request-Id")
    who = e["recipient"]
    assert (who["id"], who["agency"], who["component"], who["standing"], who["organization"]) == \
        ("uscis-officer", "DHS", "USCIS", "employee", None)
    assert "Test Officer" in who["identity"] and re.fullmatch(r"[0-9a-f]{64}", who["fingerprint"])
    assert (e["client"], e["purpose"], e["method"], e["route"]) == ("127.0.0.1", "adjudication", "GET", "/api/")
    assert (e["target"], e["upstream_status"], e["status"], e["outcome"]) == ("/api/persons", 200, 200, "disclosed")
    assert e["records"] == {"seen": 2, "protected": 1, "withheld": 0, "redacted": 0, "disclosed": 2}
    assert len(e["subjects"]) == 1 and PSEUDONYM.match(e["subjects"][0])
    assert e["rules"] and all(n >= 1 for n in e["rules"].values())
    assert e["grant"] is None and e["exception"] is None and e["sealed"] is None
    assert e["duration_us"] >= 0 and e["part"] == 1 and e["last"] is True and e["nonce"]


def test_a_restricted_attempt(gateway, origin, pieces):
    origin.respond = lambda r: answer(FOUND)
    fetch(gateway.port, "/api/persons?format=x", POLICE, pieces=pieces)
    e = written(gateway, "disclosure")[0]
    assert (e["outcome"], e["status"], e["purpose"]) == ("withheld", 200, None)
    assert (e["records"]["seen"], e["records"]["protected"], e["records"]["withheld"], e["records"]["disclosed"]) == (2, 1, 1, 1)
    assert e["recipient"]["organization"] == "Springfield State Police" and "format" not in e["target"]
    fetch(gateway.port, "/api/persons", ANONYMOUS, pieces=pieces)
    e = written(gateway, "disclosure")[1]
    assert (e["recipient"]["id"], e["recipient"]["agency"], e["recipient"]["identity"], e["recipient"]["fingerprint"]) == \
        ("anonymous", "none", None, None)


def test_outcomes(make_gateway, origin, pieces):
    gw = make_gateway(protected=["A012345678"])
    bodies = {"/inspect/clear": answer([{"personId": 1}]), "/inspect/withheld": answer({"aNumber": "A012345678"}),
              "/inspect/broken": answer(b"{"), "/inspect/html": answer(b"x", content_type="text/html"),
              "/inspect/missing": answer(b"", 404), "/inspect/framing": (b"HTTP/1.1 200 OK\nX: y\r\n\r\n", "close")}
    origin.respond = lambda r: bodies[r.path]
    cases = [(POLICE, "GET", "/inspect/clear", "disclosure", "clear", 200, 200), (POLICE, "GET", "/inspect/withheld", None, "withheld", 404, 200),
             (POLICE, "GET", "/inspect/broken", "refusal", "failed_closed", 404, 200),
             (POLICE, "GET", "/inspect/html", "refusal", "failed_closed", 404, 200),
             (POLICE, "GET", "/inspect/missing", "refusal", "clear", 404, 404),
             (POLICE, "GET", "/inspect/framing", "refusal", "failed_closed", 404, None),
             (POLICE, "GET", "/api/undescribed", "refusal", None, 404, None), (POLICE, "PUT", "/inspect/x", "refusal", "refused", 405, None),
             (POLICE, "GET", "/api/persons?evil=1", "refusal", "refused", 404, None),
             (("uscis-officer", None), "GET", "/inspect/x", "refusal", "refused", 403, None),
             (OFFICER, "GET", "/inspect/html", "disclosure", "uninspected", 200, 200),
             (OFFICER, "GET", "/inspect/withheld", "disclosure", "disclosed", 200, 200),
             (OFFICER, "GET", "/inspect/framing", "refusal", None, 502, None)]
    for who, method, path, event, outcome, status, upstream in cases:
        r = fetch(gw.port, path, who, method, pieces=pieces)
        assert r.status == status, path
        e = [x for x in gw.entries() if x["request"] == r.header("Request-Id") and x["event"] in ("disclosure", "refusal")]
        assert len(e) == 1, path
        assert e[0]["status"] == status and e[0]["upstream_status"] == upstream, (path, e[0])
        assert event in (None, e[0]["event"]) and outcome in (None, e[0]["outcome"]), (path, e[0])
    # An entitled recipient's answer in which nothing was found leaves no entry.
    silent, told = fetch(gw.port, "/inspect/clear", OFFICER), fetch(gw.port, "/inspect/withheld", OFFICER)
    assert silent.status == told.status == 200
    of_requests = [e["request"] for e in gw.entries()]
    assert told.header("Request-Id") in of_requests and silent.header("Request-Id") not in of_requests


def test_completion_follows(gateway, origin):
    origin.respond = lambda r: answer(FOUND)
    r = fetch(gateway.port, "/api/persons", OFFICER)
    assert wait_until(lambda: written(gateway, "completion"))
    kinds = [(e["event"], e["request"]) for e in gateway.entries() if e["event"] != "start" and e["request"]]
    assert kinds == [("disclosure", r.header("Request-Id")), ("completion", r.header("Request-Id"))]
    e = written(gateway, "completion")[0]
    assert e["bytes"] == len(r.raw) and e["aborted"] is False


def test_targets_are_pseudonyms(gateway, origin):
    origin.respond = lambda r: answer({"personId": 5})
    for path in ("/api/persons/A012345678", "/api/persons/A012345678", "/api/persons/A011111111", "/inspect/jane/roe?name=Quetzal"):
        fetch(gateway.port, path, POLICE)
    targets = [e["target"] for e in gateway.entries() if e["event"] in ("disclosure", "refusal")]
    parts = [t.split("/") for t in targets]
    assert parts[0] == parts[1] != parts[2] and parts[0][:3] == ["", "api", "persons"] and PSEUDONYM.match(parts[0][3])
    assert parts[3][:2] == ["", "inspect"] and all(PSEUDONYM.match(p) for p in parts[3][2:]) and len(parts[3]) == 4


def test_many_subjects_take_several_parts(make_gateway, origin):
    numbers = [f"A{100000000 + i}" for i in range(600)]
    gw = make_gateway(protected=numbers)
    origin.respond = lambda r: answer([{"aNumber": n} for n in numbers])
    r = fetch(gw.port, "/inspect/x", OFFICER)
    assert r.header("Section-1367") == "protected; records=600"
    parts = [e for e in gw.entries() if e["event"] == "disclosure"]
    assert [e["part"] for e in parts] == [1, 2, 3] and [e["last"] for e in parts] == [False, False, True]
    assert all(len(e["subjects"]) <= 256 for e in parts) and len({s for e in parts for s in e["subjects"]}) == 600
    assert all(e["nonce"] for e in parts)


def test_summary_counts_what_has_no_entry(make_gateway):
    gw = make_gateway()
    for _ in range(3):
        fetch(gw.port, "/nowhere", POLICE)
    for _ in range(2):
        with Client(gw.port, POLICE) as c:
            c.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            assert c.response().status == 400
    assert not [e for e in gw.entries() if e["event"] in ("refusal", "disclosure")]
    assert gw.stop() == 0  # the interval ends with the worker
    summaries = [e for e in gw.entries() if e["event"] == "summary"]
    total = {}
    for e in summaries:
        for k, n in e["rules"].items():
            total[k] = total.get(k, 0) + n
    assert total == {"no_route": 3, "request_syntax": 2}


def test_life_is_on_record(make_gateway):
    gw = make_gateway()
    assert gw.reload()
    assert gw.stop() == 0
    events = [e["event"] for e in gw.entries()]
    assert events[0] == "start" and events.count("config") == 2 and events.count("rules") == 2 and events[-1] == "stop"


def test_verify(make_gateway, origin, tmp_path):
    origin.respond = lambda r: answer(FOUND)
    gw = make_gateway(protected=["A012345678"])
    for _ in range(20):
        fetch(gw.port, "/api/persons", OFFICER)
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0  # while it runs
    gw.stop()
    copy = tmp_path / "copy"
    shutil.copytree(gw.dir / "ledger", copy)
    args = ("--directory", copy, "--verifier", gw.vkey)
    sound = gw.command("log", "verify", *args, "--json")
    assert sound.returncode == 0 and json.loads(sound.stdout)["entries"] >= 42
    assert gw.command("log", "list", *args).returncode == 0 and gw.command("log", "show", "1", *args, "--json").returncode == 0
    other = make_gateway(start=False)
    assert gw.command("log", "verify", "--directory", copy, "--verifier", other.vkey).returncode in (1, 2)
    segments = sorted(p for p in copy.rglob("*") if p.is_file() and p.stat().st_size > 100000)
    raw = segments[0].read_bytes()
    at = raw.index(b'"outcome":"disclosed"') if b'"outcome":"disclosed"' in raw else raw.index(b"disclosed")
    segments[0].write_bytes(raw[:at] + b"X" + raw[at + 1:])
    caught = gw.command("log", "verify", *args)
    assert caught.returncode == 1 and caught.stderr
    segments[0].write_bytes(raw)
    assert gw.command("log", "verify", *args).returncode == 0
    (copy / "nothing").write_text("made.example/log\n")
    said = gw.command("log", "verify", *args, "--checkpoint", copy / "nothing")
    assert said.returncode == 2 and said.stdout == "" and "nothing: no checkpoint that this ledger's key signed; give a copy" in said.stderr
    (copy / "nothing").unlink()
    # Nothing in node.json is free, and what is not there is said.
    node = copy / "node.json"
    text = node.read_text()
    for changed in (text.replace('"origin":"gate', '"origin":"gake'), text.replace('"origin"', '"region"'), text.replace("segment_bytes", "segments")):
        node.write_text(changed)
        assert gw.command("log", "verify", *args).returncode == 1, changed
    node.write_text(text)
    (copy / "tlog/checkpoint").unlink()
    assert "published: nothing, there is no checkpoint" in gw.command("log", "verify", *args).stdout
    for p in copy.rglob("*"):
        if p.is_file():
            p.unlink()
    assert gw.command("log", "verify", *args).returncode in (1, 2)
    assert gw.command("log", "verify", "--directory", tmp_path / "nowhere", "--verifier", gw.vkey).returncode == 2


def test_whom_a_listener_trusts_is_part_of_the_configuration(make_gateway, tmp_path):
    """A certificate authority of one's own makes officers: the entries name another configuration from then on."""
    gw = make_gateway(start=False)
    shutil.copy(gw.certs / "recipients-ca.pem", gw.dir / "trusted.pem")
    gw.config["listen"][0]["tls"]["client_ca"] = "trusted.pem"
    gw.write_config()
    gw.start()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "own.key", "-out",
                    tmp_path / "own.pem", "-subj", "/CN=DHS CA4", "-days", "3"], check=True, capture_output=True)
    assert gw.reload()
    (gw.dir / "trusted.pem").write_text((gw.dir / "trusted.pem").read_text() + (tmp_path / "own.pem").read_text())
    assert gw.reload() and wait_until(lambda: len(written(gw, "config")) == 3)
    named = [e["versions"]["config"] for e in written(gw, "config")]
    assert named[0] == named[1] != named[2]


def test_a_clock_that_was_set_back_is_told(make_gateway):
    """Who sets the clock dates what he does otherwise: each time it goes back the verifier says so."""
    gw = make_gateway(start=False)
    for days in (0, 3, 0, 1, 0, 0):
        done = gw.command("registry", "lookup", "-c", "gate.json", "alien_number", "A012345678", env=later(gw.dir, days))
        assert done.returncode in (0, 1), done.stderr
    said = gw.command("log", "verify", "-c", "gate.json")
    told = json.loads(gw.command("log", "verify", "-c", "gate.json", "--json").stdout)["clock_went_back"]
    times = [e["time"] for e in gw.entries()]
    assert said.returncode == 0 and "note: the clock was set back by 7" in said.stdout and "(2 times in all)" in said.stdout
    assert told["times"] == 2 and abs(told["seconds"] - 3 * 86400) < 600 and times[told["index"] - 1][:10] > times[told["index"]][:10]


def test_list_filters(gateway, origin):
    origin.respond = lambda r: answer(FOUND)
    fetch(gateway.port, "/api/persons", OFFICER)
    fetch(gateway.port, "/api/persons", POLICE)
    def listed(*args):
        done = gateway.command("log", "list", "-c", "gate.json", "--json", *args)
        assert done.returncode == 0, done.stderr
        return [json.loads(x)["entry"] for x in done.stdout.splitlines()]
    assert {e["recipient"]["id"] for e in listed("--recipient", "state-police")} == {"state-police"}
    assert {e["outcome"] for e in listed("--outcome", "disclosed", "--event", "disclosure")} == {"disclosed"}
    assert listed("--since", "2999-01-01T00:00:00Z") == [] and listed("--until", "2001-01-01") == []
    assert gateway.command("log", "list", "-c", "gate.json", "--outcome", "disclozed").returncode == 2


@pytest.mark.whole("what is written is looked at, not how the bytes came")
def test_follow_filters_as_list_does(gateway, origin):
    """Everybody who follows sees what the list with the same filter shows, from the moment on at which he began."""
    origin.respond = lambda r: answer(FOUND)
    fetch(gateway.port, "/api/persons", OFFICER)
    first = written(gateway, "disclosure")[0]
    filters = [("--event", "completion"), ("--outcome", "withheld"), ("--recipient", "state-police"), ("--rule", next(iter(first["rules"]))),
               ("--subject", "alien_number:A012345678"), ("--subject", "pseudonym:" + first["subjects"][0]), ("--since", first["time"], "--until", "2999-01-01"),
               ("--recipient", "uscis-officer", "--outcome", "disclosed", "--event", "disclosure"), ("--until", "2001-01-01"), ("--grant", "G-1")]
    following = [subprocess.Popen([g.BIN, "log", "follow", "-c", "gate.json", "--json", *f], cwd=gateway.dir, text=True, stdout=subprocess.PIPE) for f in filters]
    heard = [[] for _ in filters]
    for p, lines in zip(following, heard):
        threading.Thread(target=lambda p=p, lines=lines: lines.extend(p.stdout), daemon=True).start()
    some = range(len(filters) - 2)  # the last two let nothing pass
    try:
        def ask():  # it shows what comes after it has begun
            fetch(gateway.port, "/api/persons", POLICE)
            fetch(gateway.port, "/api/persons", OFFICER)
            return all(heard[i] for i in some)
        assert wait_until(ask, every=0.2)
        assert wait_until(lambda: len(written(gateway, "completion")) == len(written(gateway, "disclosure")))
        for f, lines in zip(filters, heard):
            wanted = gateway.command("log", "list", "-c", "gate.json", "--json", *f).stdout.splitlines(keepends=True)
            assert wait_until(lambda: lines[-1:] == wanted[-1:]), (f, lines, wanted)
            assert [json.loads(x)["entry"] for x in lines] == [json.loads(x)["entry"] for x in wanted[len(wanted) - len(lines):]], f
        assert all(p.poll() is None for p in following)
    finally:
        for p in following:
            p.terminate()
            p.wait()


def test_a_copy_of_the_published_log_is_read(gateway, origin, tmp_path):
    """Who is given the folder tlog alone lists, shows and exports as from the whole ledger; for its own verifier key only."""
    origin.respond = lambda r: answer(FOUND)
    for _ in range(3):
        fetch(gateway.port, "/api/persons", POLICE)
    assert gateway.stop() == 0
    copy = tmp_path / "copy"
    shutil.copytree(gateway.dir / "ledger/tlog", copy)
    key, size = gateway.vkey, len(gateway.entries())

    def read(*args, of=copy):
        done = gateway.command("log", *args, "--directory", of, "--verifier", key)
        return done.returncode, done.stdout, done.stderr
    for args in (("list", "--json"), ("list", "--json", "--outcome", "withheld"), ("export", "--format", "csv")):
        assert read(*args) == read(*args, of="ledger"), args
    assert len(read("list", "--json")[1].splitlines()) == size
    shown = json.loads(read("show", str(size - 1), "--json")[1])
    assert shown["entry"] == gateway.entries()[-1] and shown["file"].startswith("tlog/tile/entries/")
    assert read("show", str(size))[0] == 1
    report = gateway.command("report", "incidents", "--directory", copy, "--verifier", key, "--json")
    assert report.returncode == 0, report.stderr
    # Of a whole ledger and of the copy `verify` says the same of what the entries say.
    whole, part = (json.loads(read("verify", "--json", of=x)[1]) for x in ("ledger", copy))
    assert all(whole[k] == part[k] for k in ("result", "entries", "root", "presumed_disclosed", "destroyed", "clock_went_back"))
    other = gateway.command("log", "init", "--directory", "other", "--key", "other.key", "--origin", "gate1367.example/test").stdout.strip()
    done = gateway.command("log", "list", "--directory", copy, "--verifier", other)
    assert done.returncode == 2 and "not signed with this verifier key" in done.stderr
    bundle = copy / f"tile/entries/000.p/{size}"
    bundle.write_bytes(bundle.read_bytes()[:-5])
    status, _, said = read("list", "--json")
    assert status == 1 and "bundle is missing, cut short or too long" in said
