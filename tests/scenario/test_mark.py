"""A journal that goes back while nobody runs: what was in force is missed, said, and nobody restricted is answered without it."""
import hmac
import json
import os
import re
import shutil
import signal
import struct
import subprocess

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, fetch, wait_until
from harness.origin import answer

from test_registry import NUMBERS, PACKS, PEOPLE, apply, build, hidden, lookup, protect, release, source  # noqa: F401

pytestmark = pytest.mark.whole("commands and files; what is asked of the gateway meanwhile is one short line")
MARKED = {"personId": 5, "aNumber": "A055555555", "coa": "384"}


@pytest.fixture
def people(origin):
    origin.respond = lambda r: answer(MARKED if r.path == "/api/persons/5" else PEOPLE)
    return origin


def journal(gw):
    return gw.dir / "protected.idx.journal"


def mark(gw):
    return gw.dir / "ledger" / "registry.mark"


def started(gw):
    """What the last start said of the registry, in the ledger."""
    return [{}, *(e["rules"] for e in gw.entries() if e["event"] == "config")][-1]


def says(gw, **what):
    """Soon: nobody's answer waits for that entry."""
    return wait_until(lambda: started(gw) == what)


def is_missed(gw, *words, code=1):
    """Told by everything that is asked, with the gateway stopped and running."""
    if gw.process is not None:
        gw.stop()
    checked = gw.command("check", "-c", "gate.json")
    assert checked.returncode == code and all(w in checked.stderr for w in words), checked.stdout + checked.stderr
    gw.write("none.jsonl", json.dumps(protect("S-X", "A099999999")) + "\n")
    before = journal(gw).read_bytes() if journal(gw).exists() else b""
    assert gw.command("registry", "apply", "-c", "gate.json", "none.jsonl").returncode == 2
    assert gw.command("registry", "lookup", "-c", "gate.json", "alien_number", "A099999999").returncode == 2
    assert (journal(gw).read_bytes() if journal(gw).exists() else b"") == before
    gw.start()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 502
    officer = fetch(gw.port, "/inspect/x", OFFICER)
    assert officer.status == 200 and officer.header("Section-1367") == "uninspected"
    status, why = gw.admin("/readyz")
    assert status == 503 and all(w in why for w in words), why
    assert gw.metric("gate1367_registry_behind") == 1
    assert wait_until(lambda: all(w in gw.stderr()[gw.before:] for w in ('"event":"alarm"', *words)))
    assert apply(gw, protect("S-X", "A099999999"), code=1) and lookup(gw, "A099999999", code=1)
    assert wait_until(lambda: started(gw).get("mark_not_reached") == 1)


def start(gw, faults):
    gw.env = {"GATE1367_FAULTS": faults} if faults else {}
    gw.start()


def with_standby(make_gateway):
    gw = make_gateway(start=False)
    gw.config["ledger"]["standby"] = {"directory": "standby", "origin": "gate1367.example/standby"}
    gw.write_config()
    made = gw.command("log", "init", "--directory", "standby", "--key", "ledger.key", "--origin", "gate1367.example/standby", "--segment", "4MiB")
    assert made.returncode == 0, made.stderr
    return gw


def accept(gw, code=0):
    done = gw.command("registry", "accept", "-c", "gate.json", "--by", "R. Keeper", "--reason", "the disk is lost; built anew")
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("how", ["older", "none", "truncated", "another"])
def test_a_journal_that_went_back(make_gateway, people, how):
    #= 8USC1367 a(2)
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    older = journal(gw).read_bytes()
    apply(gw, protect("S-2", "A012345678"))
    newer = journal(gw).read_bytes()
    assert gw.stop() == 0
    if how == "none":
        journal(gw).rename(gw.dir / "away")
    elif how == "another":  # of the same length, by the same key
        other = make_gateway(start=False)
        shutil.copy(gw.dir / "protected.key", other.dir / "protected.key")
        (other.dir / "protected.idx").unlink()
        other.build_registry([])
        apply(other, protect("S-1", "A011111111"), protect("S-3", "A022222222"))
        assert len(journal(other).read_bytes()) == len(newer)
        shutil.copy(journal(other), journal(gw))
    else:
        journal(gw).write_bytes(older if how == "older" else newer[:len(older) + 7])
    is_missed(gw, "another journal" if how == "another" else "an older copy of the journal stands there, or none", "record 2 was in force",
              f"ends at {dict(older=1, none=0, truncated=1, another=2)[how]}")
    gw.stop()
    journal(gw).write_bytes(newer)  # brought back
    assert gw.command("check", "-c", "gate.json").returncode == 0
    gw.start()
    assert hidden(gw) == NUMBERS[:2] and gw.admin("/readyz")[0] == 200 and says(gw, journal=2)


def test_a_reload_is_refused(make_gateway, people):
    """What runs knows it all, and stays."""
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    gw.write("source.jsonl", source(protect("S-9", "A022222222")))
    assert build(gw, output="other.idx").returncode == 0
    gw.config["registry"]["index"] = "other.idx"  # beside which there is no journal
    gw.write_config()
    assert not gw.reload() and hidden(gw) == ["A011111111"]
    assert "record 1 was in force" in gw.stderr()


def test_what_is_lost_is_accepted_by_name(make_gateway, people):
    gw = make_gateway()
    assert "nothing is missing" in accept(gw, code=1).stderr
    apply(gw, protect("S-1", "A011111111"), protect("S-2", "A012345678"))
    gw.stop()
    journal(gw).unlink()
    (gw.dir / "protected.idx").unlink()
    gw.write("source.jsonl", source(protect("S-1", "A011111111")))
    assert build(gw).returncode == 0
    is_missed(gw, "record 2 was in force", "ends at 0")
    for missing in (("--by", "R. Keeper"), ("--reason", "x")):
        assert gw.command("registry", "accept", "-c", "gate.json", *missing).returncode == 2
    assert fetch(gw.port, "/inspect/x", POLICE).status == 502
    accept(gw)
    assert hidden(gw) == ["A011111111"] and gw.admin("/readyz")[0] == 200
    entry = [e for e in gw.entries() if e["event"] == "registry"][-1]
    assert entry["rules"] == {"accept": 1, "journal": 0, "marked": 2}
    assert entry["recipient"]["identity"] == "R. Keeper" and entry["purpose"].startswith("the disk is lost")
    apply(gw, protect("S-2", "A012345678"))
    gw.stop()
    gw.start()
    assert hidden(gw) == NUMBERS[:2] and says(gw, journal=1)


def test_what_a_rebuild_stands_for_is_not_missed(make_gateway, people):
    """Its journal may be moved away, and every later build, which finds none, stands for no less."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    known = {k: v for k, v in protect("S-9", "A012345678").items() if k != "op"}
    for _ in range(3):
        gw.build_registry(["A011111111", known])
        assert gw.stop() == 0
        journal(gw).unlink(missing_ok=True)
        assert gw.command("check", "-c", "gate.json").returncode == 0
        gw.start()
        assert hidden(gw) == NUMBERS[:2]
    gw.build_registry(["A011111111", known])
    assert gw.reload() and hidden(gw) == NUMBERS[:2]
    apply(gw, protect("S-8", "A022222222"))
    assert gw.reload() and hidden(gw) == NUMBERS
    gw.stop()
    journal(gw).unlink()  # of before the change
    is_missed(gw, "record 2 was in force", "ends at 1")


def test_an_index_and_its_journal_of_yesterday(make_gateway, people):
    """A backup of both belongs together, and lacks what came after it."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    yesterday = (gw.dir / "protected.idx").read_bytes(), journal(gw).read_bytes()
    apply(gw, protect("S-8", "A022222222"))
    known = [{k: v for k, v in protect(*who).items() if k != "op"} for who in (("S-9", "A012345678"), ("S-8", "A022222222"))]
    gw.build_registry(["A011111111", *known])
    gw.stop()
    journal(gw).unlink()
    gw.start()
    gw.stop()
    (gw.dir / "protected.idx").unlink()
    (gw.dir / "protected.idx").write_bytes(yesterday[0])
    journal(gw).write_bytes(yesterday[1])
    is_missed(gw, "record 2 was in force", "ends at 1")


def test_another_key(make_gateway, people):
    """Nothing is known of what it had in force: begun anew, and on record."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    old = gw.dir / "old"
    old.mkdir()
    for name in ("protected.idx", "protected.key", "protected.idx.journal"):
        shutil.move(gw.dir / name, old / name)
    assert build(gw).returncode == 0 and gw.reload()
    assert hidden(gw) == ["A011111111"] and '"foreign":true' in gw.stderr()
    assert says(gw, journal=0, mark_of_another_key=1)
    apply(gw, protect("S-9", "A012345678"))
    assert gw.stop() == 0
    gw.start()
    assert hidden(gw) == NUMBERS[:2] and says(gw, journal=1)
    gw.stop()
    journal(gw).unlink()
    is_missed(gw, "record 1 was in force")


@pytest.mark.parametrize("how", ["a byte", "short", "empty"])
def test_a_damaged_mark(make_gateway, people, how):
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    gw.stop()
    raw = bytearray(mark(gw).read_bytes())
    raw[40] ^= 1
    mark(gw).write_bytes({"a byte": raw, "short": raw[:4096], "empty": b""}[how])
    is_missed(gw, "registry.mark beside the ledger is damaged")
    accept(gw)
    assert hidden(gw) == ["A011111111"]
    gw.stop()
    gw.start()
    assert hidden(gw) == ["A011111111"] and says(gw, journal=1)
    gw.stop()
    journal(gw).unlink()
    is_missed(gw, "record 1 was in force")


def test_where_there_was_none(make_gateway, people):
    """An upgrade, or somebody who removed it: it goes on, and the ledger says so."""
    gw = make_gateway()
    assert says(gw, journal=0, mark_made=1) and '"registry_mark_made","foreign":false' in gw.stderr()
    apply(gw, protect("S-1", "A011111111"))
    assert gw.stop() == 0
    mark(gw).unlink()
    assert gw.command("check", "-c", "gate.json").returncode == 0
    gw.start()
    assert hidden(gw) == ["A011111111"] and says(gw, journal=1, mark_made=1)
    assert gw.reload() and says(gw, journal=1)
    assert mark(gw).stat().st_mode & 0o777 == 0o600
    gw.stop()
    mark(gw).unlink()
    apply(gw, protect("S-2", "A012345678"))  # nobody runs
    assert [e for e in gw.entries() if e["event"] == "registry"][-1]["rules"] == {"protect": 1, "release": 0, "mark_made": 1}


def test_what_was_applied_while_nobody_ran(make_gateway, people):
    """Replaced before the next start: missed by it."""
    gw = make_gateway(start=False)
    apply(gw, protect("S-1", "A011111111"))
    older = journal(gw).read_bytes()
    apply(gw, protect("S-2", "A012345678"))
    journal(gw).write_bytes(older)
    is_missed(gw, "record 2 was in force", "ends at 1")


@pytest.mark.parametrize("fault", ["mark@admin/ready:1+", "mark-sync@admin/ready:1+"])
def test_a_mark_that_cannot_be_written(make_gateway, people, fault):
    """Nobody is told that a change is done, which holds all the same, and nobody restricted is answered until it can be."""
    gw = make_gateway()
    gw.stop()
    start(gw, fault)
    told = apply(gw, protect("S-1", "A011111111"), code=1)
    assert "registry.mark could not be written" in told.stderr
    assert fetch(gw.port, "/inspect/x", POLICE).status == 502 and gw.admin("/readyz")[0] == 503
    assert [e["rules"] for e in gw.entries() if e["event"] == "registry"] == [{"protect": 1, "release": 0}]
    gw.stop()
    start(gw, "")
    assert hidden(gw) == ["A011111111"]
    gw.stop()
    gw.write("more.jsonl", json.dumps(protect("S-2", "A012345678")) + "\n")
    done = gw.command("registry", "apply", "-c", "gate.json", "more.jsonl", env={**os.environ, "GATE1367_FAULTS": fault.split("@")[0] + ":1"})
    assert done.returncode == 2 and "registry.mark" in done.stderr
    gw.start()
    assert hidden(gw) == NUMBERS[:2]


def test_it_is_written_again_once_it_can_be(make_gateway, people):
    gw = make_gateway()
    gw.stop()
    start(gw, "mark-sync@admin/ready:1")
    apply(gw, protect("S-1", "A011111111"), code=1)
    assert wait_until(lambda: gw.admin("/readyz")[0] == 200) and hidden(gw) == ["A011111111"]
    gw.stop()
    journal(gw).unlink()
    is_missed(gw, "record 1 was in force")


def test_a_suspicion_is_missed(make_gateway, people):
    #= ICE10036.2 2
    gw = make_gateway()
    assert fetch(gw.port, "/api/persons/5", POLICE).status == 404
    admin, = gw.children("admin")
    os.kill(admin, signal.SIGKILL)  # at once: it was written all the same
    gw.stop()
    journal(gw).unlink()
    is_missed(gw, "record 1 was in force", "ends at 0")
    shown = fetch(gw.port, "/api/persons/5", OFFICER)  # entitled recipients go on, whatever it shows
    assert shown.status == 200 and shown.header("Section-1367") == "uninspected"


def test_a_gateway_that_shares_the_registry(make_gateway, people):
    """Each marks what it has in force, whoever wrote it."""
    gw = make_gateway()
    other = make_gateway(config={"registry": {"index": str(gw.dir / "protected.idx"), "key": str(gw.dir / "protected.key")}})
    apply(gw, protect("S-1", "A011111111"))
    older = journal(gw).read_bytes()
    apply(gw, protect("S-2", "A012345678"))
    assert wait_until(lambda: hidden(other) == NUMBERS[:2], 5)
    assert other.stop() == 0
    apply(gw, protect("S-3", "A022222222"), release("S-3"))
    assert gw.stop() == 0
    other.start()  # further than it knew
    assert hidden(other) == NUMBERS[:2] and other.stop() == 0
    journal(gw).write_bytes(older)
    for each in (gw, other):
        checked = each.command("check", "-c", "gate.json")
        assert checked.returncode == 1 and "record 4 was in force" in checked.stderr, checked.stderr
    other.start()
    assert fetch(other.port, "/inspect/x", POLICE).status == 502
    accept(other)  # at one of them
    assert hidden(other) == ["A011111111"] and gw.command("check", "-c", "gate.json").returncode == 1


def test_killed_between_journal_and_mark(make_gateway, people):
    """A journal that is further than the mark is in order."""
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    before = mark(gw).read_bytes()
    apply(gw, protect("S-2", "A012345678"))
    for pid in (*gw.children("admin"), gw.process.pid):
        os.kill(pid, signal.SIGKILL)
    gw.process.wait(20)
    gw.process = None
    mark(gw).write_bytes(before)
    gw.start()
    assert hidden(gw) == NUMBERS[:2] and says(gw, journal=2)


def test_what_it_says(make_gateway, people):
    """By the layout that src/registry/mark.c gives and Python's own HMAC; nothing of anybody."""
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"), protect("S-2", "A012345678"))
    assert gw.stop() == 0
    raw, key = mark(gw).read_bytes(), bytes.fromhex((gw.dir / "protected.key").read_text().strip())
    assert len(raw) == 8192
    said = {}
    for slot in (raw[:4096], raw[4096:]):
        purpose = hmac.digest(key, b"gate1367 registry mark 1", "sha256")
        assert slot[:12] == b"G1367MRK\1\0\0\0" and slot[64:96] == hmac.digest(purpose, slot[:64], "sha256") and not any(slot[128:])
        sequence, position = struct.unpack_from("<QQ", slot, 32)
        said[sequence] = position, slot[48:64]
    position, seal = said[max(said)]
    assert position == 2 and seal == journal(gw).read_bytes()[-20:-4]  # the last record's own keyed hash


def test_the_next_ledger_goes_on_with_it(make_gateway, people):
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    gw.stop()
    done = gw.command("log", "rotate", "-c", "gate.json", "--new-directory", "ledger-2", "--new-key", "ledger-2.key", "--new-origin", "gate1367.example/2")
    assert done.returncode == 0, done.stderr
    gw.config["ledger"].update(directory="ledger-2", key="ledger-2.key", origin="gate1367.example/2")
    gw.write_config()
    assert (gw.dir / "ledger-2/registry.mark").read_bytes() == mark(gw).read_bytes()
    journal(gw).rename(gw.dir / "away")
    assert gw.command("check", "-c", "gate.json").returncode == 1
    (gw.dir / "away").rename(journal(gw))
    gw.start()
    assert hidden(gw) == ["A011111111"] and says(gw, journal=1)


def test_a_standby_is_marked_where_the_ledger_cannot_be(make_gateway, people):
    """A device that fails takes nobody's answers along."""
    gw = with_standby(make_gateway)
    start(gw, "mark@admin/ready:1")
    apply(gw, protect("S-1", "A011111111"))
    assert hidden(gw) == ["A011111111"] and gw.admin("/readyz")[0] == 200
    gw.stop()
    journal(gw).unlink()
    is_missed(gw, "record 1 was in force")


def test_a_ledger_that_can_only_be_read_goes_on_with_its_standby(make_gateway, people):
    """A failing disk that the system mounts anew for reading: what it knows counts, what is due goes to the standby's."""
    gw = with_standby(make_gateway)
    gw.start()
    apply(gw, protect("S-1", "A011111111"))
    gw.stop()
    known = mark(gw).read_bytes()
    start(gw, "mark-open@admin:1")
    assert hidden(gw) == ["A011111111"] and gw.admin("/readyz")[0] == 200
    apply(gw, protect("S-2", "A012345678"))
    assert hidden(gw) == NUMBERS[:2] and mark(gw).read_bytes() == known
    gw.stop()
    gw.env = {}
    kept = journal(gw).read_bytes()
    journal(gw).write_bytes(kept[:len(kept) // 2])
    is_missed(gw, "record 2 was in force")
    gw.stop()
    journal(gw).unlink()
    start(gw, "mark-open@admin:1")
    assert fetch(gw.port, "/inspect/x", POLICE).status == 502  # what can only be read is missed as well


def test_a_loss_is_accepted_once_that_is_on_record(make_gateway, people):
    """Its entry first: a ledger that does not take it leaves all as it was."""
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    gw.stop()
    journal(gw).unlink()
    gw.start()
    before, (scribe,) = mark(gw).read_bytes(), gw.children("scribe")
    os.kill(scribe, signal.SIGSTOP)
    try:
        asked = subprocess.Popen([gw.binary, "registry", "accept", "-c", "gate.json", "--by", "R. Keeper", "--reason", "lost"], cwd=gw.dir)
        assert not wait_until(lambda: mark(gw).read_bytes() != before or asked.poll() is not None, 1.5)
        assert gw.metric("gate1367_registry_behind") == 1
    finally:
        os.kill(scribe, signal.SIGCONT)
    assert asked.wait(20) == 0 and hidden(gw) == [] and mark(gw).read_bytes() != before
    assert [e for e in gw.entries() if e["event"] == "registry"][-1]["rules"] == {"accept": 1, "journal": 0, "marked": 1}


def test_the_unit_starts_it_all_the_same(make_gateway, people):
    """Entitled recipients need it, and what is lost is accepted where it runs: no command before it may stand in the way."""
    gw = make_gateway()
    apply(gw, protect("S-1", "A011111111"))
    gw.stop()
    journal(gw).unlink()
    unit = (g.ROOT / "contrib/systemd/gate1367.service").read_text()
    before = re.findall(r"^ExecStartPre=([-@:+!]*)/usr/bin/gate1367 (.*)$", unit, re.M)
    assert before
    for prefix, words in before:  # systemd.service(5): "-" has its failure ignored
        done = gw.command(*words.replace("/etc/gate1367/gate.json", "gate.json").split())
        assert done.returncode == 0 or "-" in prefix
