"""The ledger in other programs' words: each export parsed by somebody else's rules and held against the entries; the index
against the plain list; the origin's log against the counters."""
import csv
import io
import json
import pathlib
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

import jsonschema
import pytest

from harness.client import ANONYMOUS, OFFICER, POLICE, fetch, wait_until
from harness.gateway import BIN, FEW, ROOT, RECIPIENTS, Gateway
from harness.origin import Origin, answer

pytestmark = pytest.mark.whole("what is written is looked at, not how the bytes came")
PACKS = FEW
HERE = pathlib.Path(__file__).parent
EVIL = '=HYPERLINK("x")|a=b]\\c,"d"\u009b'
BODIES = {"/inspect/one": answer({"aNumber": "A012345678"}), "/inspect/two": answer([{"aNumber": "A012345678"}, {"x": 1}]),
          "/inspect/none": answer([{"personId": 3}]), "/inspect/html": answer(b"x", content_type="text/html")}


@pytest.fixture(scope="module")
def gw(tmp_path_factory):
    place = tmp_path_factory.mktemp("exports")
    recipients = json.loads(json.dumps(RECIPIENTS))
    recipients["recipients"][3]["organization"] = EVIL
    with Origin() as origin:
        origin.respond = lambda r: BODIES[r.path]
        with Gateway(place / "gw", origin.url, protected=["A012345678"], recipients=recipients, packs=FEW) as made:
            made.asked = []
            for path in BODIES:
                for who in (OFFICER, POLICE, ANONYMOUS):
                    fetch(made.port, path, who)
                    made.asked.append(f'127.0.0.1 - - [{time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())}] "GET {path} HTTP/1.1" 200 12 "-" "-"')
            fetch(made.port, "/api/nowhere", POLICE)  # the origin is not asked
            assert wait_until(lambda: sum(e["event"] == "completion" for e in made.entries()) >= 3)
            assert made.stop() == 0
            made.all = made.entries()
            yield made


def export(gw, kind, *more):
    done = gw.command("log", "export", "-c", "gate.json", "--format", kind, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_entry_is_one_by_its_schema(gw):
    check = jsonschema.Draft202012Validator(json.loads((ROOT / "schema/ledger-entry.schema.json").read_text()))
    for e in gw.all:
        check.validate(e)
        assert list(e)[:24] == check.schema["required"]
        for name in list(e):
            assert not check.is_valid({k: v for k, v in e.items() if k != name} if name in check.schema["required"] else {**e, name: []})
    assert not check.is_valid({**gw.all[0], "subject": "S-1"}) and not check.is_valid({**gw.all[0], "event": "x"})


def test_jsonl_and_csv(gw):
    #= RFC4180 2
    assert [json.loads(x)["entry"] for x in export(gw, "jsonl").splitlines()] == gw.all
    rows = list(csv.DictReader(io.StringIO(export(gw, "csv"), newline="")))
    assert [r["request"] for r in rows] == [e["request"] or "" for e in gw.all] and len(rows[0]) == 37
    police = next(r for r in rows if r["recipient"] == "state-police")
    assert police["organization"].startswith("'=HYPERLINK") and '"d"' in police["organization"]
    for row, e in zip(rows, gw.all):
        assert (row["outcome"] or None, row["status"] or None) == (e["outcome"], None if e["status"] is None else str(e["status"]))
        assert row["subjects"].split() == e["subjects"] and row["rules"].split() == list(e["rules"])
        assert not any(re.match(r"\s*[=+\-@|%]", cell) for cell in row.values())


def test_ocsf(gw):
    """Against a subset of OCSF 1.4 written from its definitions, and the attributes' meanings."""
    check = jsonschema.Draft202012Validator(json.loads((HERE / "ocsf-1.4-subset.schema.json").read_text()),
                                              format_checker=jsonschema.FormatChecker())
    events = [json.loads(x) for x in export(gw, "ocsf").splitlines()]
    assert len(events) == len(gw.all)
    for o, e in zip(events, gw.all):
        check.validate(o)
        assert o["type_uid"] == o["class_uid"] * 100 + o["activity_id"] and o["unmapped"]["entry"] == e
        assert (o["class_uid"] == 6005) == (e["event"] in ("disclosure", "refusal", "completion"))
        if o["class_uid"]:
            wanted = {"withheld": 4, "blocked": 2, "refused": 2, "failed_closed": 2}.get(e["outcome"], 1)
            assert o["action_id"] == wanted and o["actor"]["user"]["uid"] == e["recipient"]["id"] and o["metadata"]["profiles"] == ["security_control"]
            # Only 1.4 and later have these in the profile; no attribute that must be there may go, none is free.
            assert o["metadata"]["version"] == "1.4.0" and not check.is_valid({**o, "action_id": 5}) and not check.is_valid({**o, "recipient": "x"})
            assert not any(check.is_valid({k: v for k, v in o.items() if k != name}) for name in check.schema["required"] + ["actor", "src_endpoint", "database"])


def test_ecs(gw):
    for line, e in zip(export(gw, "ecs").splitlines(), gw.all, strict=True):
        o = json.loads(line)
        assert o["@timestamp"] == e["time"] and o["event"]["action"] == e["event"] and o["gate1367"]["entry"] == e
        assert o.get("url", {}).get("path") == e["target"] and o.get("http", {}).get("response", {}).get("status_code") == e["status"]
        assert o["event"]["outcome"] in ("success", "failure", "unknown") and set(o["event"]["category"]) <= {"database", "configuration"}


def cef(line):
    """By the format's rules: seven parts split at bare bars, then key=value with escapes."""
    parts = re.split(r"(?<!\\)\|", line, maxsplit=7)
    found = list(re.finditer(r"(?:^| )(\w+)=", re.sub(r"\\.", "__", parts[7])))
    keys = {m[1]: re.sub(r"\\(.)", lambda x: {"n": "\n", "r": "\r"}.get(x[1], x[1]), parts[7][m.end():found[i + 1].start() if i + 1 < len(found) else None])
            for i, m in enumerate(found)}
    return parts[:7], keys


def test_cef(gw):
    for line, e in zip(export(gw, "cef").split("\n")[:-1], gw.all, strict=True):
        head, keys = cef(line)
        assert head[:3] == ["CEF:0", "gate1367", "gate1367"] and head[4] == e["event"] and 0 <= int(head[6]) <= 10
        assert keys.get("suser") == e["recipient"]["id"] and keys.get("request") == e["target"] and keys.get("outcome") == e["outcome"]
        if e["recipient"]["organization"]:
            assert keys["cs3"] == EVIL and keys["cs3Label"] == "organization"
        assert int(keys["cn2"]) == e["records"]["withheld"]


def test_syslog(gw):
    #= RFC5424 6
    #= RFC5424 6.2
    #= RFC5424 6.3.3
    shape = re.compile(r'<(\d{1,3})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) \[gate1367@32473((?: \w+="(?:[^"\\\]]|\\["\\\]])*")*)\] \ufeff(.*)')
    for line, e in zip(export(gw, "syslog").split("\n")[:-1], gw.all, strict=True):
        m = shape.fullmatch(line)
        assert m and int(m[1]) // 8 == 13 and m[2] == e["time"] and m[6] == e["event"] and json.loads(m[8]) == e
        values = dict(re.findall(r'(\w+)="((?:[^"\\\]]|\\["\\\]])*)"', m[7]))
        assert values.get("target") == e["target"] and values.get("recipient") == e["recipient"]["id"]


def listed(gw, *args):
    done = gw.command("log", "list", "-c", "gate.json", "--json", *args)
    return done.returncode, [json.loads(x) for x in done.stdout.splitlines()], done.stderr


FILTERS = [(), ("--outcome", "withheld"), ("--recipient", "state-police"), ("--recipient", "nobody"), ("--event", "completion"),
           ("--subject", "alien_number:A012345678"), ("--subject", "subject:S-000000", "--recipient", "anonymous"), ("--rule", "a-number"),
           ("--since", "2001-01-01", "--until", "2999-01-01"), ("--until", "2001-01-01")]


def within(bytes_each):
    """A disk that takes so much of a file: what is over that fails, as on a full one."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_each, bytes_each))
    return limit


@pytest.mark.parametrize("args", [("log", "export", "--format", k) for k in ("jsonl", "csv", "ocsf", "ecs", "cef", "syslog")] +
                         [("report", "incidents", "--format", k) for k in ("text", "csv", "json", "html")])
def test_half_of_it_is_no_file(gw, tmp_path, args):
    """However far it got, an auditor must not take it for all there is; and what stays is its owner's alone."""
    whole = gw.command(*args, "-c", "gate.json", "-o", tmp_path / "whole")
    size = (tmp_path / "whole").stat().st_size
    assert whole.returncode == 0 and (tmp_path / "whole").stat().st_mode & 0o777 == 0o600, whole.stderr
    for most in (0, 1, size // 2, size - 1):
        done = subprocess.run([BIN, *args, "-c", "gate.json", "-o", tmp_path / "half"], cwd=gw.dir, capture_output=True, text=True, preexec_fn=within(most))
        assert done.returncode == 2 and re.search("half: (File too large|could not be written)", done.stderr), (most, done)
        assert [x.name for x in tmp_path.iterdir()] == ["whole"]
    again = gw.command(*args, "-c", "gate.json", "-o", tmp_path / "whole")
    assert again.returncode == 2 and "is there already" in again.stderr


def test_what_a_damaged_ledger_tells_before_the_damage_is_no_file(gw, tmp_path):
    shutil.copytree(gw.dir / "ledger", tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "tlog")
    segment = sorted((tmp_path / "copy" / "wal").glob("*.wal"))[0]
    with open(segment, "r+b") as f:
        f.seek(segment.read_bytes().index(b'"event":"disclosure"'))
        f.write(bytes(2000))
    done = gw.command("log", "export", "--directory", tmp_path / "copy", "-o", tmp_path / "x.jsonl")
    assert done.returncode == 1 and not (tmp_path / "x.jsonl").exists(), done.stderr


def test_the_index_answers_as_the_list(gw):
    path = gw.dir / "index.sqlite"
    made = gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", path)
    assert made.returncode == 0 and "agrees with the signed checkpoint" in made.stdout, made.stderr
    request = next(e["request"] for e in gw.all if e["event"] == "disclosure")
    for args in [*FILTERS, ("--request", request)]:
        code, found, said = listed(gw, *args, "--index", path)
        assert code == 0 and found == listed(gw, *args)[1] and not said, (args, said)
    db = sqlite3.connect(path)
    spelt = [(i, e["time"], e["event"], e["outcome"], e["recipient"]["id"], e["status"], e["request"]) for i, e in enumerate(gw.all)]
    assert db.execute("SELECT idx, time, event, outcome, recipient, status, request FROM ledger ORDER BY idx").fetchall() == spelt
    named = db.execute("SELECT s.idx, lower(hex(s.subject)) FROM subjects s ORDER BY 1, 2").fetchall()
    assert named == sorted((i, s) for i, e in enumerate(gw.all) for s in e["subjects"])
    ruled = db.execute("SELECT r.idx, w.text, r.times FROM rules r JOIN words w ON w.id = r.rule ORDER BY 1, 2").fetchall()
    assert ruled == sorted((i, r, n) for i, e in enumerate(gw.all) for r, n in e["rules"].items())
    assert dict(db.execute("SELECT outcome, count(*) FROM ledger WHERE outcome IS NOT NULL GROUP BY 1")) == \
        {o: sum(e["outcome"] == o for e in gw.all) for o in {e["outcome"] for e in gw.all} - {None}}
    db.close()
    again = gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", path)
    assert again.returncode == 0 and "0 of them new" in again.stdout


def test_the_index_is_continued_and_says_when_it_is_behind(gw):
    path = gw.dir / "behind.sqlite"
    assert gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", path).returncode == 0
    assert gw.command("registry", "lookup", "-c", "gate.json", "alien_number", "A011111111").returncode == 0  # one entry more
    code, found, said = listed(gw, "--index", path)
    assert code == 0 and "1 entries behind" in said and found == listed(gw)[1]
    with Origin() as origin:  # the gateway publishes what was written without it
        gw.config["upstreams"]["records"]["servers"] = [origin.url]
        gw.write_config()
        gw.start()
        assert gw.stop() == 0
    more = gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", path)
    assert more.returncode == 0 and "0 of them new" not in more.stdout, more.stderr
    code, found, said = listed(gw, "--index", path, "--event", "registry")
    assert code == 0 and not said and len(found) == 1


def test_an_index_of_another_ledger_or_a_changed_one_is_refused(gw, make_gateway, tmp_path):
    path = gw.dir / "other.sqlite"
    assert gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", path).returncode == 0
    other = make_gateway(start=False)
    for args in (("list", "--index", path), ("export", "--format", "sqlite", "-o", path)):
        done = other.command("log", *args, "-c", "gate.json")
        assert done.returncode == 2 and "no index of this ledger" in done.stderr, done.stderr
    shutil.copy(path, tmp_path / "bent.sqlite")
    db = sqlite3.connect(tmp_path / "bent.sqlite")
    state = bytearray(db.execute("SELECT value FROM meta WHERE name = 'tree'").fetchone()[0])
    state[8 + 32 * (state[0] & -state[0]).bit_length() - 32] ^= 1  # a hash of the right edge that counts
    db.execute("UPDATE meta SET value = ? WHERE name = 'tree'", (bytes(state),))
    db.commit()
    db.close()
    code, _, said = listed(gw, "--index", tmp_path / "bent.sqlite")
    assert code == 1 and "do not agree" in said
    assert listed(gw, "--index", gw.dir / "gate.json")[0] == 2
    # A row that is gone would be missed by nobody, nor one that has another's place.
    for change in ("DELETE FROM entries WHERE idx = 3", "DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)",
                   "UPDATE entries SET idx = 1000000 WHERE idx = 3"):
        shutil.copy(path, tmp_path / "less.sqlite")
        db = sqlite3.connect(tmp_path / "less.sqlite")
        db.execute(change)
        db.commit()
        db.close()
        for args in (("list", "--index", tmp_path / "less.sqlite"), ("export", "--format", "sqlite", "-o", tmp_path / "less.sqlite")):
            done = gw.command("log", *args, "-c", "gate.json")
            assert done.returncode == 1 and "do not agree" in done.stderr, (change, done.stdout + done.stderr)


def test_reconcile(gw):
    """Fewer lines than were asked are the origin's business; one more went round."""
    def run(lines, *more):
        gw.write("access.log", "".join(x + "\n" for x in lines))
        done = gw.command("report", "reconcile", "access.log", "-c", "gate.json", "--upstream", "records", "--json", *more)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr
    assert sum(n for e in gw.all if e["event"] == "summary" for k, n in e["rules"].items() if k == "asked.records") == len(gw.asked)
    code, r = run(gw.asked)
    assert code == 0 and r["facts"]["went round the gateway"] == r["facts"]["asked without an answer"] == "0" and sum(x["explained"] for x in r["tables"]["hours"]) == len(gw.asked)
    code, r = run(gw.asked + [gw.asked[3].replace("GET /inspect", "GET /secret")])
    assert code == 1 and r["facts"]["went round the gateway"] == "1"
    code, r = run(gw.asked + [gw.asked[3].replace("127.0.0.1", "10.9.8.7").replace("/inspect/", "/x?name=Quetzal/")], "--gateway", "127.0.0.1,::1")
    assert code == 1 and [(x["address"], x["request"]) for x in r["tables"]["elsewhere"]] == [("10.9.8.7", "GET /x")] and "Quetzal" not in json.dumps(r)
    code, r = run(gw.asked + ["nonsense", gw.asked[0].replace("/2026:", "/1999:")])
    assert code == 2 and r["facts"]["lines that are no combined log"] == "1" and r["facts"]["lines outside that time"] == "1"
    # Who goes round may call himself anything, and ask for anything: nginx and Apache spell his quotes, and no line hides.
    hour = re.search(r"\[(.*?)\]", gw.asked[3])[0]
    for user, request in (("a[b", "GET /x HTTP/1.1"), (f"x {hour} y", "GET /x HTTP/1.1"), ("[", "GET /x HTTP/1.1"), ("u", 'GET /x?\\"y\\" HTTP/1.1'),
                          ("u", "GET /x?\\x22 \\x5C HTTP/1.1"), ("u", 'GET /x\\\\'), ("u", "")):
        code, r = run(gw.asked + [f'10.9.8.7 - {user} {hour} "{request}" 200 12 "-" "-"'], "--gateway", "127.0.0.1")
        assert code == 1 and [x["address"] for x in r["tables"]["elsewhere"]] == ["10.9.8.7"], (user, request, r)
    assert run(gw.asked, "--upstream", "others")[0] == 1
    # Who looked at nothing has found nothing: a log of another day, or of nobody; one that lost lines says how many at least.
    for lines in ([x.replace("/2026:", "/1999:") for x in gw.asked], []):
        code, r = run(lines)
        assert code == 2 and r["facts"]["went round the gateway"] == "0" and r["facts"]["answers that the log lacks"] == str(len(gw.asked))
    code, r = run(gw.asked[2:])
    assert code == 0 and r["facts"]["answers that the log lacks"] == "2"
    # What copytruncate leaves in front, and a line that is longer than any: neither hides, nor makes two.
    code, r = run(["\0" * 5000 + gw.asked[0]] + gw.asked[1:])
    assert code == 2 and r["facts"]["lines that are no combined log"] == "1" and r["facts"]["lines read"] == str(len(gw.asked))
    code, r = run([gw.asked[0][:-1] + "x" * 65536 + gw.asked[0] + '"'] + gw.asked[1:])
    assert code == 0 and r["facts"]["lines read"] == str(len(gw.asked)) and r["facts"]["lines that are no combined log"] == "0"
    said = gw.command("report", "reconcile", "access.log", "-c", "gate.json", "--upstream", "recrods").stderr
    assert 'counts no request to an upstream "recrods"' in said
    assert gw.command("report", "reconcile", "nowhere.log", "-c", "gate.json").returncode == 2
