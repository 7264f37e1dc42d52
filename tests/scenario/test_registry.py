"""The registry while a gateway runs: apply, look up, survive restarts, reloads, rebuilds and torn ends."""
import fcntl
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from harness import gateway as g
from harness.changes import apply, protect, release
from harness.client import OFFICER, POLICE, Client, fetch, wait_until
from harness.origin import answer

pytestmark = pytest.mark.whole("commands and files; what is asked of the gateway meanwhile is one short line")
PACKS = g.FEW

NUMBERS = ["A011111111", "A012345678", "A022222222"]
PEOPLE = [{"personId": i, "aNumber": n} for i, n in enumerate(NUMBERS)]


@pytest.fixture
def people(origin):
    origin.respond = lambda r: answer(PEOPLE)
    return origin


def hidden(gw):
    seen = {p["aNumber"] for p in json.loads(fetch(gw.port, "/inspect/x", POLICE).text)}
    return [n for n in NUMBERS if n not in seen]


def lookup(gw, value, *more, kind="alien_number", code=0):
    done = gw.command("registry", "lookup", "-c", "gate.json", kind, value, "--json", *more)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if code == 0 else done


def test_a_change_is_in_force_in_every_worker_when_apply_returns(make_gateway, people):
    #= 8USC1367 a(2)
    gw = make_gateway(workers=2)
    clients = [Client(gw.port, POLICE) for _ in range(16)]  # surely both workers
    for i in range(6):
        apply(gw, protect("S-1", "A012345678") if i % 2 == 0 else release("S-1"))
        for c in clients:
            assert ("A012345678" in c.get("/inspect/x").text) == (i % 2 == 1)
    for c in clients:
        c.close()
    events = [e for e in gw.entries() if e["event"] == "registry"]
    assert [e["rules"]["protect"] for e in events] == [1, 0] * 3 and [e["rules"]["release"] for e in events] == [0, 1] * 3
    assert len({tuple(e["subjects"]) for e in events}) == 1  # one pseudonym a month and subject


@pytest.mark.whole("the first half must have been looked up, in batches of hundreds")
def test_a_change_while_a_long_answer_comes(make_gateway, people):
    """Looked up before `apply`, decided behind it: who was told that she is protected sees no answer that shows her."""
    #= 8USC1367 a(2)
    rows = [{"n": n, "aNumber": f"A{100000000 + n}", "note": "x" * 60} for n in range(6000)]
    body, half, go_on = answer(rows), threading.Event(), threading.Event()

    def send(s, out):
        s.sendall(out[:len(out) // 2])
        half.set()
        go_on.wait(30 * g.PATIENCE)
        s.sendall(out[len(out) // 2:])
    error = body.replace(b"200 X", b"404 X", 1)  # which who is entitled gets, inspected
    people.respond, people._send = lambda r: error if r.path.endswith("error") else body, send
    gw = make_gateway(protected=["A999999999"])
    with Client(gw.port, POLICE, timeout=30) as c, Client(gw.port, OFFICER, timeout=30) as officer, \
            Client(gw.port, OFFICER, timeout=30) as wrong:
        for asks, path in ((c, "/inspect/x"), (officer, "/api/persons"), (wrong, "/api/error")):
            half.clear()
            asks.request(path)
            assert half.wait(10 * g.PATIENCE)
        time.sleep(0.5)
        apply(gw, protect("S-1", "A100000000"), protect("S-2", "A100002000"), protect("S-3", "A100005999"))
        go_on.set()
        seen = [r["n"] for r in json.loads(c.response().body)]
        told = [officer.response(), wrong.response()]
    assert seen == [n for n in range(6000) if n not in (0, 2000, 5999)]
    assert [r.header("Section-1367").partition(";")[0] for r in told] == ["protected"] * 2 and told[0].body in body
    entries = [e for e in gw.entries() if e["event"] == "disclosure"]
    assert len(entries) == 3 and {len(e["subjects"]) for e in entries} == {3}  # one an answer, of what was decided last


def test_changes_survive_restart_reload_and_rebuild(make_gateway, people):
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    assert hidden(gw) == ["A011111111", "A012345678"]
    assert gw.reload() and hidden(gw) == ["A011111111", "A012345678"]
    assert gw.stop() == 0
    gw.start()
    assert hidden(gw) == ["A011111111", "A012345678"]
    # A rebuild that has the change in its source, and changes after it.
    known = {k: v for k, v in protect("S-9", "A012345678").items() if k != "op"}
    gw.build_registry(["A011111111", known])
    apply(gw, release("S-000000"), protect("S-10", "A022222222"))
    assert gw.reload() and hidden(gw) == ["A012345678", "A022222222"]


def test_a_rebuild_that_knows_less_keeps_live_changes(make_gateway, people):
    """Whoever was protected live stays protected, though the new source has not heard of them."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    built = gw.command("registry", "build", "source.jsonl", "-o", "protected.idx", "--key", "protected.key")
    assert built.returncode == 1 and "--release-approved" in built.stderr
    assert gw.reload() and hidden(gw) == ["A011111111", "A012345678"]


def test_a_journal_that_was_moved_away(make_gateway, people):
    """After a rebuild the journal may go: what is changed from then on is not taken for what the index holds already."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    older = (gw.dir / "protected.idx.journal").read_bytes()
    apply(gw, protect("S-8", "A022222222"))
    known = [{k: v for k, v in protect(*who).items() if k != "op"} for who in (("S-9", "A012345678"), ("S-8", "A022222222"))]
    gw.build_registry(["A011111111", *known])
    assert gw.stop() == 0
    (gw.dir / "protected.idx.journal").unlink()
    apply(gw, protect("S-10", "A033333333"))  # nobody runs
    gw.start()
    apply(gw, protect("S-11", "A044444444"))
    assert gw.stop() == 0
    gw.start()
    assert hidden(gw) == NUMBERS and all(lookup(gw, n)["protected"] for n in ("A033333333", "A044444444"))
    # An older copy of it ends before what the index stands for: nobody could say what is missing.
    gw.stop()
    (gw.dir / "protected.idx.journal").write_bytes(older)
    refused = gw.command("check", "-c", "gate.json")
    assert refused.returncode == 1 and "ends before what its index stands for" in refused.stderr


def test_every_later_build_stands_for_what_the_first_one_did(make_gateway, people):
    """The journal that the first one included is gone; what is changed from now on is numbered behind it all the same."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"), protect("S-8", "A022222222"))
    gw.write("source.jsonl", source(*(protect(*who) for who in (("S-000000", "A011111111"), ("S-9", "A012345678"), ("S-8", "A022222222")))))
    assert gw.stop() == 0 and build(gw).returncode == 0
    (gw.dir / "protected.idx.journal").unlink()
    for _ in range(2):
        shown = gw.command("registry", "inspect", "protected.idx", "--key", "protected.key", "--json")
        assert json.loads(shown.stdout)["journal"] == 3
        assert build(gw).returncode == 0


def test_changes_without_a_running_gateway(make_gateway, people):
    gw = make_gateway(start=False)
    apply(gw, protect("S-1", "A012345678"))
    assert lookup(gw, "A012345678") == {"status": "ok", "protected": True}
    gw.write("changes.jsonl", json.dumps(protect("S-2", "A022222222")) + "\n")
    said = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl", "--json")
    assert json.loads(said.stdout) == {"status": "ok", "journaled": 1}
    built = gw.command("registry", "build", "source.jsonl", "-o", "other.idx", "--key", "protected.key", "--json")
    assert json.loads(built.stdout)["protected"] == 0 and built.returncode == 0
    gw.start()
    assert hidden(gw) == ["A012345678", "A022222222"]


def source(*people):
    return "".join(json.dumps({k: v for k, v in who.items() if k != "op"}) + "\n" for who in people)


def build(gw, *more, output="protected.idx"):
    return gw.command("registry", "build", "source.jsonl", "-o", output, "--key", "protected.key", *more)


def test_an_index_that_is_gone_takes_nobody_along(make_gateway, people):
    """Whom the journal protects is protected, whether or not the index is still there to compare with."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-9", "A012345678"))
    assert gw.stop() == 0
    (gw.dir / "protected.idx").unlink()
    built = build(gw)
    assert built.returncode == 1 and "--release-approved" in built.stderr and not (gw.dir / "protected.idx").exists()
    gw.write("source.jsonl", source(protect("S-1", "A011111111"), protect("S-9", "A012345678")))
    assert build(gw).returncode == 0
    gw.start()
    assert hidden(gw) == ["A011111111", "A012345678"]


def test_a_source_that_is_older_than_a_change(make_gateway, people):
    """A source that was written out before somebody's number was added knows her, and not the number."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, protect("S-000000", "A012345678"))
    built = build(gw)
    assert built.returncode == 1 and "1 identifiers that live changes added" in built.stderr, built.stderr
    assert gw.reload() and hidden(gw) == ["A011111111", "A012345678"]
    both = protect("S-000000", "A011111111")
    both["identifiers"] += protect("S-000000", "A012345678")["identifiers"]
    gw.write("source.jsonl", source(both))
    assert build(gw).returncode == 0
    gw.write("source.jsonl", source(protect("S-000000", "A012345678")))  # what a source had and has no more, a rebuild takes
    assert build(gw).returncode == 0
    apply(gw, protect("S-000000", "A022222222"))
    assert build(gw, "--release-approved", "a slip of the hand").returncode == 0
    told = json.loads((gw.dir / "protected.idx.releases").read_text())
    assert (told["released"], told["identifiers"], told["handles"]) == (0, 1, [])


@pytest.mark.parametrize("source", ["", json.dumps({"subject": "S", "cases": [{"id": "C", "benefit": "U", "role": "principal",
    "status": "denied_final"}], "identifiers": [{"kind": "alien_number", "value": "A012345678"}]}) + "\n"],
    ids=["empty", "over"])
def test_an_index_that_protects_nobody_is_told_of(tmp_path, source):
    (tmp_path / "source.jsonl").write_text(source)
    done = g.run("registry", "build", "source.jsonl", "-o", "x.idx", "--key", "x.key", cwd=tmp_path)
    assert done.returncode == 0 and "warning: it protects nobody" in done.stderr


def test_a_journal_that_is_not_ours_to_read(make_gateway):
    """What an operator is told to do about it must not lose what is in it."""
    gw = make_gateway(protected=["A011111111"], start=False)
    apply(gw, protect("S-1", "A012345678"))
    (gw.dir / "protected.idx.journal").chmod(0)
    mortal = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    done = subprocess.run([*mortal, g.BIN, "check", "-c", "gate.json"], cwd=gw.dir, text=True, capture_output=True)
    assert done.returncode == 1 and "protected.idx.journal: Permission denied; the gateway's user must be able to read it" in done.stderr
    assert "move it away" not in done.stderr


def test_persons_are_counted_not_lines(make_gateway):
    """Rows of one subject are one person."""
    gw = make_gateway(start=False)
    gw.write("p.csv", "subject,status,alien_number\nS-1,pending,A012345678\nS-1,denied_final,A011111111\nS-2,denied_final,A022222222\n")
    built = gw.command("registry", "build", "p.csv", "-o", "p.idx", "--key", "protected.key", "--json")
    assert (json.loads(built.stdout)["protected"], json.loads(built.stdout)["subjects"]) == (1, 2)


def test_an_index_that_was_built_elsewhere(make_gateway, people):
    """It says nothing of the journal by position: what was released before it was built, and stands in it, was protected anew."""
    gw = make_gateway(protected=["A011111111"])
    apply(gw, release("S-000000"), protect("S-9", "A022222222"))
    assert hidden(gw) == ["A022222222"]
    time.sleep(1.1)  # the journal tells seconds
    gw.write("source.jsonl", source(protect("S-000000", "A011111111"), protect("S-8", "A012345678")))
    assert build(gw, output="other.idx").returncode == 0
    (gw.dir / "other.idx").rename(gw.dir / "protected.idx")
    assert gw.reload() and hidden(gw) == NUMBERS
    apply(gw, release("S-000000"))
    assert hidden(gw) == ["A012345678", "A022222222"]
    assert gw.stop() == 0
    gw.start()
    assert hidden(gw) == ["A012345678", "A022222222"]


def test_two_who_write_one_journal(make_gateway, people):
    """Gateways of one registry take turns: what either was told holds there at once, and everywhere at the next start."""
    gw = make_gateway()
    other = make_gateway(config={"registry": {"index": str(gw.dir / "protected.idx"), "key": str(gw.dir / "protected.key")}})
    for one, number in ((gw, NUMBERS[0]), (other, NUMBERS[1]), (gw, NUMBERS[2])):
        apply(one, protect(f"S-{number}", number))
        assert number in hidden(one)
        assert all(wait_until(lambda: number in hidden(each), 5) for each in (gw, other))  # whoever was told
    apply(gw, release(f"S-{NUMBERS[1]}"))
    assert wait_until(lambda: hidden(other) == [NUMBERS[0], NUMBERS[2]], 5)
    apply(other, protect(f"S-{NUMBERS[1]}", NUMBERS[1]))
    assert wait_until(lambda: hidden(gw) == NUMBERS, 5) and other.metric("gate1367_registry_overlay_subjects") == 3
    assert gw.stop() == 0 and other.stop() == 0
    for one in (gw, other):
        one.start()
        assert hidden(one) == NUMBERS


def test_a_journal_that_is_moved_away_under_a_gateway(make_gateway, people):
    """What nobody would read at the next start is not taken."""
    gw = make_gateway()
    path = gw.dir / "protected.idx.journal"
    apply(gw, protect("S-1", "A011111111"))
    path.rename(gw.dir / "away")
    assert wait_until(lambda: '"event":"alarm"' in gw.stderr() and "moved or replaced" in gw.stderr())
    assert hidden(gw) == ["A011111111"] and gw.admin("/readyz")[0] == 200  # all that was acknowledged is in force
    assert "moved or replaced" in apply(gw, protect("S-2", "A012345678"), code=1).stderr
    (gw.dir / "away").rename(path)
    apply(gw, protect("S-3", "A022222222"))
    assert gw.stop() == 0
    gw.start()
    assert hidden(gw) == ["A011111111", "A022222222"]


@pytest.mark.parametrize("how", ["another", "cut", "damaged"])
def test_a_journal_that_cannot_be_followed(make_gateway, people, how):
    """Others may be protected in it: nobody restricted is answered until it can be read again, and insiders are."""
    gw = make_gateway()
    path = gw.dir / "protected.idx.journal"
    apply(gw, protect("S-1", "A011111111"), protect("S-2", "A012345678"))
    whole = path.read_bytes()
    with open(path, "r+b") as f:
        if how == "another":  # whom it protects nobody here knows
            path.rename(gw.dir / "away")
            path.write_bytes(whole)
        elif how == "cut":
            f.truncate(len(whole) - 1)
        else:  # another one's record, of which a byte was lost, with a whole one behind it
            f.seek(0, 2)
            f.write(whole[:len(whole) // 4] + whole)
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 502, 5)
    assert wait_until(lambda: '"event":"alarm"' in gw.stderr(), 5)
    assert fetch(gw.port, "/inspect/x", OFFICER).header("Section-1367") == "uninspected"
    status, why = gw.admin("/readyz")
    assert status == 503 and "cannot be followed" in why and gw.metric("gate1367_registry_behind") == 1
    assert "is not known" in lookup(gw, "A022222222", code=1).stderr  # never "not protected"
    assert '"event":"registry_behind"' in gw.stderr() and '"event":"alarm"' in gw.stderr()
    if how == "another":
        (gw.dir / "away").rename(path)
    else:
        with open(path, "r+b") as f:
            f.write(whole)
            f.truncate(len(whole))
    told = 2 + (how == "another")
    assert wait_until(lambda: gw.admin("/readyz")[0] == 200 and gw.stderr().count('"event":"alarm"') == told, 5)
    assert hidden(gw) == NUMBERS[:2]
    apply(gw, protect("S-3", "A022222222"))
    assert hidden(gw) == NUMBERS


def test_a_journal_that_has_no_room_left(make_gateway, people):
    """What a start could not read any more is refused when it is asked for, not found out then."""
    gw = make_gateway(faults="journal-full@admin:2+")
    apply(gw, protect("S-1", "A011111111"))
    assert "the journal is full" in apply(gw, protect("S-2", "A012345678"), code=1).stderr
    assert hidden(gw) == ["A011111111"] and gw.reload() and hidden(gw) == ["A011111111"]


def test_more_changes_than_a_start_has_room_for(make_gateway, people):
    gw = make_gateway(start=False)
    gw.write("changes.jsonl", "".join(f'{{"op":"protect","subject":"{i}"}}\n' for i in range(360000)))
    refused = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl")
    assert refused.returncode == 2 and "full" in refused.stderr, refused.stderr
    gw.start()


@pytest.mark.parametrize("running", [True, False])
def test_many_changes_at_once(make_gateway, people, running):
    """All of them are on record, in as many parts as it takes, and nobody waits long for what else admin does."""
    count = 40000 if running else 20000
    gw = make_gateway(start=running)
    gw.write("changes.jsonl", "".join(f'{{"op":"protect","subject":"{i}"}}\n' for i in range(count)))
    done = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl")
    assert done.returncode == 0, done.stdout + done.stderr
    parts = [e for e in gw.entries() if e["event"] == "registry"]
    assert parts[0]["rules"]["protect"] == count == len({s for e in parts for s in e["subjects"]})
    assert [e["part"] for e in parts] == list(range(1, len(parts) + 1)) and [e["last"] for e in parts[-2:]] == [False, True]


def test_what_a_dead_admin_wrote_is_durable_before_more_is(make_gateway, people):
    """It may have died between writing and syncing: who comes next syncs before he builds upon it."""
    gw = make_gateway(faults="fsync-file@admin/ready:1", start=False)
    gw.start(wait=False)
    assert wait_until(lambda: "fault: fsync-file 1 in admin" in gw.stderr())


def test_a_torn_journal_is_cut_a_changed_one_refused(make_gateway, people):
    gw = make_gateway()
    apply(gw, protect("S-1", "A012345678"))
    mark = gw.dir / "ledger/registry.mark"
    before = mark.read_bytes()
    apply(gw, protect("S-2", "A022222222"))
    gw.stop()
    path = gw.dir / "protected.idx.journal"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])  # the second record was never acknowledged, and so not marked
    mark.write_bytes(before)
    gw.start()
    assert hidden(gw) == ["A012345678"]
    apply(gw, protect("S-2", "A022222222"))
    assert hidden(gw) == ["A012345678", "A022222222"]
    gw.stop()
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 4] ^= 1
    path.write_bytes(changed)
    gw.start(wait=False)
    assert gw.process.wait(20 * g.PATIENCE) != 0  # never with fewer protected than there were
    assert "journal" in gw.stderr()


@pytest.mark.parametrize("bad", [
    '{"op":"protect"}', '{"op":"forget","subject":"S-1"}', '{"op":"release","subject":"S-1"}', '{"op":', "[]",
    '{"op":"protect","subject":"S","cases":[{"id":"1","benefit":"U","role":"principal"}],"identifiers":[]}'])
def test_a_file_with_an_error_changes_nothing(make_gateway, people, bad):
    gw = make_gateway()
    gw.write("changes.jsonl", json.dumps(protect("S-1", "A012345678")) + "\n" + bad + "\n")
    done = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl")
    assert done.returncode == 1 and ":2:" in done.stderr and "A012345678" not in done.stderr
    assert hidden(gw) == []


#= ICE10036.2 2.1
@pytest.mark.parametrize("line", ['{"subject":"S","cases":[{"status":"pendig"}],"identifiers":[{"kind":"ssn","value":"000-12-3456"}],"names":[{"surname":"Zebrova"}]}',
                                  '{"subject":"S","identifiers":[{"kind":"alien_number","value":A012345678}],"names":[{"surname":"Zebrova"}]}',
                                  '{"subject":"S","identifiers":[{"kind":"alien_number","value":"A012345678\\ud800"}]}'])
def test_what_is_wrong_with_a_source_is_told_without_whom_it_names(make_gateway, people, line):
    """A nightly build's words are mailed about; the place is enough for who has the source."""
    gw = make_gateway()
    gw.write("bad.jsonl", "\n" + line + "\n")
    gw.write("changes.jsonl", "\n" + line.replace("{", '{"op":"protect",', 1) + "\n")
    for args in (("build", "bad.jsonl", "-o", "other.idx", "--key", "protected.key"), ("apply", "-c", "gate.json", "changes.jsonl")):
        done = gw.command("registry", *args)
        source = next(a for a in args if a.endswith(".jsonl"))
        assert done.returncode == 1 and re.search(rf"^{source}:2:\d+: ", done.stderr, re.M), done.stderr
        assert not any(word in done.stdout + done.stderr for word in ("000-12", "012345678", "Zebrova")), done.stderr


def test_what_is_not_looked_for_is_said(tmp_path):
    """Who lists a shelter's address takes it for protected."""
    person = {"subject": "S", "names": [{"surname": "Doe"}], "dob": "1987-03-04", "identifiers": [
        {"kind": "location", "value": "9 Elm Rd, 01101"}, {"kind": "address", "value": "12 Oak St, 01101", "confidential": True}]}
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(dict(person, subject=f"S-{i}")) + "\n" for i in range(3)))
    (tmp_path / "s.csv").write_text('subject,status,surname,dob,ssn,location\nS,pending,Doe,1987-03-04,123-45-6789,"9 Elm Rd, 01101"\n')
    first = (tmp_path / "s.jsonl").read_text().splitlines()[0]
    places = [f"1:{first.index(value) + 1}: {pointer}" for value, pointer in (('[{"surname', "/names"), ('"1987', "/dob"), ('{"kind', "/identifiers/0"))]
    for source, places in (("s.jsonl", places), ("s.csv", ("1:16", "1:24", "1:32"))):
        done = g.run("registry", "build", source, "-o", source + ".idx", "--key", "k", cwd=tmp_path)
        said = [line for line in done.stderr.splitlines() if "not looked for" in line]
        assert done.returncode == 0 and len(said) == 3, done.stderr
        assert all(any(line.startswith(f"{source}:{place}: warning: ") for line in said) for place in places), said


def test_lookup_is_an_event(make_gateway, people):
    gw = make_gateway(protected=["A012345678", {"subject": "P", "cases": [{"status": "approved"}], "identifiers": [
        {"kind": "person_id", "value": "90210017", "system": "earm"}, {"kind": "ssn", "value": "123-45-6789"}]}])
    for value, protected in (("A012345678", True), ("A012-345-678", True), ("12345678", True), ("A011111111", False)):
        assert lookup(gw, value)["protected"] is protected
    assert lookup(gw, "123456789", kind="ssn")["protected"] is True
    assert lookup(gw, "90210017", "--system", "earm", kind="person_id")["protected"] is True
    assert lookup(gw, "90210017", "--system", "other", kind="person_id")["protected"] is False
    assert lookup(gw, "x", kind="alien_nummer", code=2).stderr
    # "not protected" would be taken for an answer: such a key means somebody in one system alone
    assert "--system" in lookup(gw, "90210017", kind="person_id", code=2).stderr
    assert "no system" in lookup(gw, "A012345678", "--system", "earm", code=2).stderr
    events = [e for e in gw.entries() if e["event"] == "registry"]
    assert len(events) == 7 and [len(e["subjects"]) for e in events] == [1, 1, 1, 0, 1, 1, 0]
    raw = gw.raw_ledger()
    assert b"12345678" not in raw and b"123-45-6789" not in raw and b"90210017" not in raw


@pytest.mark.parametrize("status,protects", [
    ("requested", True), ("pending", True), ("approved", True), ("denied_appealable", True), ("denied_final", False),
    ("withdrawn", True), ("revoked", True), ("suspected", True), ("whatever", True)])
def test_who_is_protected(make_gateway, status, protects):
    #= 8USC1367 b(4)
    gw = make_gateway(start=False)
    gw.build_registry([{"subject": "S", "cases": [{"status": status}], "identifiers": [{"kind": "alien_number", "value": "A012345678"}]}])
    shown = gw.command("registry", "inspect", "protected.idx", "--key", "protected.key", "--json")
    assert json.loads(shown.stdout)["subjects"] == int(protects)


def test_a_key_that_nothing_was_made_with_does_not_stay(tmp_path):
    (tmp_path / "source.jsonl").write_text('{"subject":1}\n')
    build = ("registry", "build", "source.jsonl", "-o", "protected.idx", "--key", "protected.key")
    done = g.run(*build, cwd=tmp_path)
    assert done.returncode == 1 and "removed the key protected.key" in done.stderr
    assert [f.name for f in tmp_path.iterdir()] == ["source.jsonl"]


def test_build_refuses_to_drop(make_gateway):
    gw = make_gateway(start=False, protected=["A012345678", "A022222222"])
    gw.write("less.jsonl", (gw.dir / "source.jsonl").read_text().splitlines()[0] + "\n")
    build = ("registry", "build", "less.jsonl", "-o", "protected.idx", "--key", "protected.key")
    before = (gw.dir / "protected.idx").read_bytes()
    done = gw.command(*build)
    assert done.returncode == 1 and "--release-approved" in done.stderr and (gw.dir / "protected.idx").read_bytes() == before
    assert not (gw.dir / "protected.idx.releases").exists()
    assert gw.command(*build, "--release-approved", "court order").returncode == 0
    told, = [json.loads(line) for line in (gw.dir / "protected.idx.releases").read_text().splitlines()]
    assert (told["reason"], told["released"], len(told["handles"]), told["uid"]) == ("court order", 1, 1, os.getuid())
    assert (gw.dir / "protected.idx.releases").stat().st_mode & 0o777 == 0o600 and "22222222" not in json.dumps(told)
    assert gw.command(*build, "--release-approved", "nobody is dropped").returncode == 0
    assert len((gw.dir / "protected.idx.releases").read_text().splitlines()) == 1
    assert (gw.dir / "protected.key").stat().st_mode & 0o777 == 0o600


def test_of_two_builds_the_second_sees_what_the_first_has_put_in_force(make_gateway, tmp_path):
    """Both began from the same index. The one with the older source comes last: it must not take out whom the other has just put in."""
    gw = make_gateway(start=False, protected=["A012345678"])
    older = gw.write("older.jsonl", (gw.dir / "source.jsonl").read_text())
    gw.build_registry(["A012345678", "A022222222"])
    newer = (gw.dir / "protected.idx").read_bytes()
    assert gw.command("registry", "build", older, "-o", "protected.idx", "--key", "protected.key", "--release-approved", "begin").returncode == 0
    with open(gw.dir / "protected.key") as first:
        fcntl.flock(first, fcntl.LOCK_EX)  # the first build is at work
        second = subprocess.Popen([g.BIN, "registry", "build", older, "-o", "protected.idx", "--key", "protected.key"], cwd=gw.dir,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        (tmp_path / "new").write_bytes(newer)
        os.rename(tmp_path / "new", gw.dir / "protected.idx")
    out, said = second.communicate(timeout=20 * g.PATIENCE)
    assert second.returncode == 1 and "1 protected subjects of protected.idx are not in the new index" in said, out + said
    assert (gw.dir / "protected.idx").read_bytes() == newer


def test_the_wrong_key(make_gateway, tmp_path):
    gw = make_gateway(start=False, protected=["A012345678"])
    other = make_gateway(start=False, protected=["A022222222"])
    (gw.dir / "protected.key").write_bytes((other.dir / "protected.key").read_bytes())
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and "key" in done.stderr
    assert gw.command("registry", "inspect", "protected.idx", "--key", "protected.key").returncode != 0
    gw.start(wait=False)
    assert gw.process.wait(20 * g.PATIENCE) == 1


def test_a_damaged_index(make_gateway):
    gw = make_gateway(start=False, protected=["A012345678"])
    raw = bytearray((gw.dir / "protected.idx").read_bytes())
    for at in (0, len(raw) // 2, len(raw) - 1):
        broken = bytearray(raw)
        broken[at] ^= 0x40
        (gw.dir / "protected.idx").unlink()
        (gw.dir / "protected.idx").write_bytes(broken)
        assert gw.command("check", "-c", "gate.json").returncode == 1, at
    (gw.dir / "protected.idx").write_bytes(raw[:100])
    assert gw.command("check", "-c", "gate.json").returncode == 1


def test_nothing_in_the_index_can_be_read(make_gateway):
    gw = make_gateway(start=False, protected=[{"subject": "S-SECRET", "cases": [{"status": "pending", "id": "C-77"}], "identifiers": [
        {"kind": "alien_number", "value": "A012345678"}, {"kind": "address", "value": "12 Oak St", "confidential": True}],
        "names": [{"given": "Quetzal", "surname": "Canary"}], "dob": "1987-03-04"}])
    raw = (gw.dir / "protected.idx").read_bytes().lower()
    for word in (b"012345678", b"12345678", b"secret", b"oak", b"quetzal", b"canary", b"1987", b"c-77"):
        assert word not in raw


def test_apply_under_load(make_gateway, people):
    gw = make_gateway(workers=2)
    stop, wrong, asked = threading.Event(), [], [0]
    gw.known = False

    def ask():
        with Client(gw.port, POLICE) as c:
            while not stop.is_set():
                surely = gw.known
                text = c.get("/inspect/x").text
                asked[0] += 1
                if surely and "A012345678" in text:
                    wrong.append(text)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    apply(gw, *[protect(f"X-{i}", f"A{100000000 + i}") for i in range(500)])
    apply(gw, protect("S-1", "A012345678"))
    gw.known = True
    apply(gw, *[release(f"X-{i}") for i in range(500)])
    stop.set()
    for t in threads:
        t.join()
    assert asked[0] > 10 and not wrong


def test_several_apply_while_nobody_runs(make_gateway):
    """Each writes behind what the one before has written; whoever was told that it is done is protected."""
    gw = make_gateway(start=False)
    for n in range(8):
        gw.write(f"change-{n}.jsonl", json.dumps(protect(f"P-{n}", f"A02000000{n}")))
    running = [subprocess.Popen([g.BIN, "registry", "apply", "-c", "gate.json", f"change-{n}.jsonl"], cwd=gw.dir,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(8)]
    done = [p.wait(60 * g.PATIENCE) == 0 for p in running]
    said = [p.communicate() for p in running]
    assert done.count(True) >= 2, said
    found = [gw.command("registry", "lookup", "-c", "gate.json", "alien_number", f"A02000000{n}").stdout for n in range(8)]
    assert found == ["protected\n" if d else "not protected\n" for d in done], said


def test_apply_beside_a_gateway_that_starts(make_gateway):
    """Asked for, it did not answer yet; a moment later it writes the journal itself. Nobody cuts off what another has written."""
    gw = make_gateway(start=False)
    journal = gw.dir / "protected.idx.journal"
    gw.write("change.jsonl", json.dumps(protect("S-1", "A012345678")))
    with open(journal, "ab") as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # as admin does
        held.write(b"what it has just written")
        held.flush()
        refused = gw.command("registry", "apply", "-c", "gate.json", "change.jsonl")
        assert refused.returncode == 2 and "try again" in refused.stderr
        assert journal.read_bytes() == b"what it has just written"
        held.truncate(0)
    assert gw.command("registry", "apply", "-c", "gate.json", "change.jsonl").returncode == 0

    def is_held():
        with open(journal, "rb") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
    assert not is_held()
    gw.start()
    assert is_held()
    assert gw.reload() and is_held()
    admin, = gw.children("admin")
    os.kill(admin, signal.SIGKILL)
    assert wait_until(lambda: gw.children("admin") not in ([], [admin])) and wait_until(is_held)
    assert gw.stop() == 0
    with open(journal, "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as a command does
        gw.start(wait=False)
        time.sleep(1)
        assert "ready" not in gw.stderr()[gw.before:]
        fcntl.flock(held, fcntl.LOCK_UN)
        gw.wait_ready()
