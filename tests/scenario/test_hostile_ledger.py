# ctest: release
"""A ledger that somebody else wrote, by the rules of the published log but with texts made to deceive: who reads it sees them for
what they are. The log is made here, of Python's own hashes and signatures."""
import base64
import csv
import html.parser
import io
import json
import sqlite3

import pytest

from harness import gateway as g
from test_witness import DASH, Log, leaf

pytestmark = pytest.mark.whole("commands on files; nobody talks HTTP")
EVIL = '\u001b]0;x\u0007\u001b[2J\r\nsound: 1 entries\u009b31m\u007f</td><script>x</script><img src=x>"\'&|=\\]\u202e'
HARMLESS = set("\n") | {chr(c) for c in range(32, 127)}


def entry(event, outcome, **more):
    who = {k: EVIL for k in ("id", "agency", "component", "standing", "organization", "identity", "fingerprint")}
    e = {"time": "2026-11-22T10:00:00.000000Z", "node": EVIL, "request": "019aa9f0-7b1c-7000-8000-0000000000ff", "event": event, "recipient": who,
         "client": EVIL, "purpose": EVIL, "method": EVIL, "route": EVIL, "target": EVIL, "upstream_status": 200, "status": 200, "outcome": outcome,
         "records": {"seen": 1, "protected": 1, "withheld": 0, "redacted": 0, "disclosed": 1}, "subjects": ["0" * 31 + "1"], "rules": {EVIL: 3},
         "grant": EVIL, "exception": EVIL, "versions": {"rules": EVIL, "registry": EVIL, "config": EVIL}, "duration_us": 1, "part": 1, "last": True,
         "nonce": "00" * 16, "sealed": None}
    return {**e, **more}


def publish(place, log, entries):
    log.leaves = [json.dumps(e, ensure_ascii=i % 2 == 0, separators=(",", ":")).encode() for i, e in enumerate(entries)]
    n = len(entries)
    for name, data in ((f"tile/entries/000.p/{n}", b"".join(len(x).to_bytes(2, "big") + x for x in log.leaves)),
                       (f"tile/0/000.p/{n}", b"".join(leaf(x) for x in log.leaves)), ("checkpoint", log.note(n).encode())):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    log = Log("hostile.example/log")
    line = "x\u009b31m\u202e"  # a signed note holds no other control characters
    schedule = (f"gate1367 records schedule\n{log.vkey}\nschedule: {line}\ndays kept after a month: 1\nmonths with a key: from 2026-01\n"
                f"kept: from 2026-01\nkey: {'00' * 32}\n")
    gone = (f"gate1367 destruction of ledger keys\n{log.vkey}\nschedule: {line}\nmonths: 2026-01 to 2026-01\nkey: {'00' * 32}\nnext key: {'11' * 32}\n"
            f"reason: {line}\n\n{DASH}nobody.example/n {base64.b64encode(b'x' * 68).decode()}\n")
    entries = [entry("disclosure", "disclosed"), entry("incident", "shadow"), entry("incident", None, rules={"ledger_" + EVIL: 1}), entry("start", None),
               entry("start", None), entry("summary", None), entry(EVIL, EVIL), entry("refusal", "withheld", request=EVIL, time=EVIL),
               entry("audit", None, schedule=schedule), entry("audit", None, destroyed=gone), entry("completion", "disclosed", request=EVIL)]
    publish(place, log, entries)
    return place, log.vkey, entries


def run(made, *args):
    done = g.run(*args, "--directory", made[0], "--verifier", made[1])
    assert done.returncode in (0, 1), (args, done.returncode, done.stderr)
    return done.stdout, done.stderr


COMMANDS = [("log", "verify"), ("log", "list"), *[("log", "show", i) for i in range(11)], ("report", "quarterly"), ("report", "incidents"),
            ("report", "accounting", "--subject", "pseudonym:" + "0" * 31 + "1")]


@pytest.mark.parametrize("args", COMMANDS, ids=lambda args: "-".join(map(str, args[:3])))
def test_nothing_moves_the_cursor(made, args):
    for text in run(made, *args):
        odd = {c for c in text if c not in HARMLESS and (ord(c) < 0xa0 or c == "\u202e")}
        assert not odd, (args, odd)
        assert not [x for x in text.splitlines() if x.startswith("sound: ")], args
    if args == ("log", "verify"):
        said, why = run(made, *args)
        assert "destroyed under schedule x?31m?" in said and "NOT SOUND" in why


def test_machines_get_it_whole(made):
    place, vkey, entries = made
    assert [json.loads(x)["entry"] for x in run(made, "log", "list", "--json")[0].splitlines()] == entries
    for kind in ("jsonl", "ocsf", "ecs"):
        assert len([json.loads(x) for x in run(made, "log", "export", "--format", kind)[0].split("\n")[:-1]]) == len(entries), kind
    for kind in ("cef", "syslog"):  # a line an entry, whatever it holds
        assert len(run(made, "log", "export", "--format", kind)[0].split("\n")) == len(entries) + 1, kind
    rows = list(csv.reader(io.StringIO(run(made, "log", "export", "--format", "csv")[0], newline="")))
    assert len(rows) == len(entries) + 1 and {len(r) for r in rows} == {len(rows[0])}
    for verb in ("quarterly", "incidents"):
        assert json.loads(run(made, "report", verb, "--json")[0])["report"] == verb
        list(csv.reader(io.StringIO(run(made, "report", verb, "--format", "csv")[0]), strict=True))


def test_a_page_holds_no_page_of_theirs(made):
    seen = set()

    class Look(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.add(tag)
            assert not {k for k, _ in attrs} & {"src", "href", "onerror", "onload"}
    for args in (("quarterly",), ("incidents",), ("accounting", "--subject", "pseudonym:" + "0" * 31 + "1")):
        Look().feed(run(made, "report", *args, "--format", "html")[0])
    assert "td" in seen and not seen & {"script", "img"}


def test_the_index_holds_what_the_entries_say(made, tmp_path):
    place, vkey, entries = made
    run(made, "log", "export", "--format", "sqlite", "-o", tmp_path / "i")
    db = sqlite3.connect(tmp_path / "i")
    assert [r[0] for r in db.execute("SELECT recipient FROM ledger ORDER BY idx")] == [e["recipient"]["id"] for e in entries]
    db.close()
    for filters in (("--grant", EVIL), ("--recipient", EVIL, "--outcome", "disclosed"), ("--rule", EVIL)):
        by_list, by_index = (run(made, "log", "list", "--json", *filters, *more)[0] for more in ((), ("--index", tmp_path / "i")))
        assert by_list == by_index and by_list, filters


@pytest.mark.parametrize("odd", [12, "x", None, [1], [["x"]], {"": ""}], ids=str)
def test_a_member_of_another_kind_is_none(tmp_path, odd):
    log = Log("hostile.example/log")
    whole = entry("disclosure", "disclosed")
    entries = [{**whole, member: odd} for member in whole if member not in ("time", "node")]
    entries += [{**whole, "rules": odd, "event": event} for event in ("summary", "incident", "key", "audit")]
    publish(tmp_path / "log", log, entries)
    made = tmp_path / "log", log.vkey
    for args in (*COMMANDS[:2], *COMMANDS[-3:], ("log", "list", "--rule", "x"), ("log", "export", "--format", "csv"),
                 ("log", "export", "--format", "sqlite", "-o", tmp_path / "i")):
        run(made, *args)
    db = sqlite3.connect(tmp_path / "i")
    assert db.execute("SELECT count(*) FROM ledger").fetchone() == (len(entries),)
    db.close()
