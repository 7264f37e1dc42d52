"""Records are kept: nothing is destroyed while they are unscheduled, and then by two people, on record, and only what the schedule
lets go. What is destroyed stays a sound ledger of which nobody can say any more who was meant."""
import base64
import contextlib
import hashlib
import hmac
import json
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives import hashes

from harness import gateway as g
from harness.client import OFFICER, POLICE, fetch
from harness.clock import later
from harness.gateway import FEW, Gateway
from harness.origin import Origin, answer
from test_sealed import auditor, openssl
from test_succession import approve, person

pytestmark = pytest.mark.whole("commands on a ledger; what is answered meanwhile is no matter here")
WHO = "alien_number:A012345678"


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A gateway under a schedule, and what it wrote in one life; stopped."""
    place = tmp_path_factory.mktemp("records")
    with Origin(lambda r: answer({"aNumber": "A012345678"})) as origin, contextlib.ExitStack() as stack:
        gw = stack.enter_context(Gateway(place / "gw", origin.url, protected=["A012345678"], packs=FEW, start=False))
        gw.auditor = auditor(place, "auditor")
        people = [person(gw, name) for name in ("archivist", "counsel", "stranger")]
        gw.config["ledger"].update(auditors=[str(gw.auditor[1])],
                                   schedule={"id": "DAA-0563-2026-0003", "retain": "30d", "approvers": people[:2]})
        gw.write_config()
        not_yet = gw.command("check", "-c", "gate.json")
        assert not_yet.returncode == 1 and "/ledger/schedule" in not_yet.stderr and "log schedule" in not_yet.stderr
        begun = gw.command("log", "schedule", "-c", "gate.json")
        assert begun.returncode == 0 and "DAA-0563-2026-0003 is in force" in begun.stdout, begun.stderr
        gw.start()
        for who in (POLICE, OFFICER):
            fetch(gw.port, "/inspect/x", who)
        assert gw.stop() == 0
        gw.people = people
        yield gw


@pytest.fixture
def gw(made, tmp_path):
    """A copy to do things to."""
    shutil.copytree(made.dir, tmp_path / "gw")
    copy = Gateway.__new__(Gateway)
    copy.__dict__.update(made.__dict__, dir=tmp_path / "gw", config=json.loads(json.dumps(made.config)))
    return copy


def epochs(gw):
    return json.loads((gw.dir / "ledger/epochs.json").read_text())


def by_state(gw):
    """As docs/audit.md has it: [(entry, what was sealed in it)], and the month's pseudonym of somebody."""
    kept, keys, opened = epochs(gw), {}, []
    state = bytes.fromhex(kept["key"])
    for e in gw.entries():
        if not e["sealed"]:
            continue
        name, _, text = e["sealed"].partition(".")
        raw = base64.b64decode(text)
        if e["event"] == "key":
            assert e["epoch"] == kept["from"] == kept["first"]
            keys[name] = mac(openssl("cms", "-decrypt", "-inform", "DER", "-inkey", gw.auditor[0], input=raw), mac(state, b"gate1367 sealed"))
        else:
            opened.append((e, json.loads(AESGCM(keys[name]).decrypt(raw[:12], raw[12:], e["nonce"].encode()))))
    seed = serialization.load_pem_private_key((gw.dir / "ledger.key").read_bytes(), None).private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    root = HKDF(hashes.SHA256(), 32, None, b"gate1367 pseudonym").derive(seed)
    month = mac(mac(root, kept["from"].encode()), mac(state, b"gate1367 pseudonyms"))
    return opened, lambda handle: mac(month, b"subject\0" + bytes.fromhex(handle)[::-1]).hex()[:32]


def test_what_a_month_needs(made):
    opened, name = by_state(made)
    assert {p["target"] for _, p in opened} == {"/inspect/x"} and any("Springfield" in (p["organization"] or "") for _, p in opened)
    found = [(e, p) for e, p in opened if e["subjects"]]
    assert found and all(e["subjects"] == [name(h) for h in p["identifiers"]] for e, p in found)
    listed = made.command("log", "list", "-c", "gate.json", "--json", "--subject", WHO, "--unseal", made.auditor[0])
    assert {json.loads(x)["unsealed"]["target"] for x in listed.stdout.splitlines()} == {"/inspect/x"}, listed.stderr
    assert made.command("log", "verify", "-c", "gate.json").returncode == 0


def test_nothing_is_destroyed_while_unscheduled(gw):
    #= ICE10036.2 6
    del gw.config["ledger"]["schedule"]
    gw.write_config()
    month = epochs(gw)["from"]
    for days in (0, 40000):
        done = gw.command("log", "destroy", "-c", "gate.json", "--epoch", month, "--reason", "old", env=later(gw.dir, days))
        assert done.returncode == 1 and "unscheduled records cannot be destroyed or deleted until a schedule has been developed" in done.stderr
    (gw.dir / "statement").write_text("x\n")
    approve(gw, "archivist")
    done = gw.command("log", "destroy", "-c", "gate.json", "--approval", "statement")
    assert done.returncode == 1 and epochs(gw)["from"] == month


def statement(gw, month, days=100):
    return gw.command("log", "destroy", "-c", "gate.json", "--epoch", month, "--reason", "kept long enough", "-o", "statement", env=later(gw.dir, days))


def carry_out(gw, days=100):
    return gw.command("log", "destroy", "-c", "gate.json", "--approval", "statement", env=later(gw.dir, days))


def test_what_the_schedule_does_not_allow(gw):
    #= ICE10036.2 6
    month = epochs(gw)["from"]
    for days, which, text in ((0, month, "must be kept until"), (100, "2020-01", "has no key of its own"), (100, "2120-01", "must be kept until")):
        done = statement(gw, which, days)
        assert done.returncode == 1 and text in done.stderr, (days, which, done.stderr)
    assert "takes a month" in statement(gw, "2026-13").stderr
    gw.config["ledger"]["schedule"]["hold"] = "case 26-cv-1367"
    gw.write_config()
    assert "there is a hold on the records: case 26-cv-1367" in statement(gw, month).stderr
    assert not (gw.dir / "statement").exists() and epochs(gw)["from"] == month


def test_two_people_destroy_what_was_kept_long_enough(gw):
    #= ICE10036.2 6
    before = epochs(gw)
    month = before["from"]
    assert statement(gw, month).returncode == 0
    unsigned = (gw.dir / "statement").read_text()
    assert unsigned.split("\n")[1] == gw.vkey and f"months: {month} to {month}\n" in unsigned and "reason: kept long enough\n" in unsigned
    for names in ((), ("archivist",), ("archivist", "archivist"), ("archivist", "stranger")):
        (gw.dir / "statement").write_text(unsigned)
        for name in names:
            approve(gw, name)
        done = carry_out(gw)
        assert done.returncode == 1 and epochs(gw) == before, (names, done.stdout)
    approve(gw, "counsel")
    signed = (gw.dir / "statement").read_text()
    (gw.dir / "statement").write_text(signed.replace("long enough", "too long"))
    assert carry_out(gw).returncode == 1
    (gw.dir / "statement").write_text(signed)
    assert carry_out(gw, days=0).returncode == 1, "too early is too early on the day itself"
    done = carry_out(gw)
    assert done.returncode == 0, done.stderr
    # It is on record, the ledger is sound, and the key of that month is nowhere.
    entry = gw.entries()[-1]
    assert (entry["event"], entry["rules"], entry["destroyed"]) == ("audit", {"destroy": 1}, signed)
    said = gw.command("log", "verify", "-c", "gate.json")
    assert said.returncode == 0 and f"keys of {month} to {month}: destroyed under schedule DAA-0563-2026-0003" in said.stdout, said.stderr
    assert json.loads(gw.command("log", "verify", "-c", "gate.json", "--json").stdout)["destroyed"][0]["from"] == month
    assert all(before["key"].encode() not in p.read_bytes() for p in gw.dir.rglob("*") if p.is_file())
    assert mac(bytes.fromhex(before["key"]), b"gate1367 next epoch").hex() == epochs(gw)["key"]
    # Nobody is found by name any more, and nothing opens; both say why.
    listed = gw.command("log", "list", "-c", "gate.json", "--json", "--subject", WHO)
    assert listed.stdout == "" and f"entries of {month} to {month} cannot be found by person" in listed.stderr
    rows = [json.loads(x) for x in gw.command("log", "list", "-c", "gate.json", "--json", "--unseal", gw.auditor[0]).stdout.splitlines()]
    closed = [r for r in rows if r["entry"]["sealed"] and r["entry"]["event"] != "key"]
    assert closed and all(r["unsealed"] is None and "was destroyed under the records schedule" in r["why"] for r in closed)
    assert "destroyed already" in statement(gw, month).stderr and carry_out(gw).returncode == 1
    return_of_the_key(gw, before)


def test_somebody_else_may_destroy_once_the_schedule_says_so(gw):
    """Whose key is lost is replaced, on record: from then on the new people's signatures count, and his does not."""
    month = epochs(gw)["from"]
    gw.config["ledger"]["schedule"]["approvers"] = gw.people[1:]
    gw.write_config()
    assert gw.command("log", "schedule", "-c", "gate.json").returncode == 0
    assert statement(gw, month).returncode == 0
    for name, code in (("archivist", 1), ("counsel", 1), ("stranger", 0)):
        approve(gw, name)
        assert carry_out(gw).returncode == code, name
    said = gw.command("log", "verify", "-c", "gate.json")
    assert said.returncode == 0 and f"keys of {month} to {month}: destroyed" in said.stdout, said.stderr


def return_of_the_key(gw, before):
    """Cut off between entry and key, or brought back from a backup: the verifier says so, and the same command finishes it."""
    after = epochs(gw)
    (gw.dir / "ledger/epochs.json").write_text(json.dumps(before))
    said = gw.command("log", "verify", "-c", "gate.json")
    assert said.returncode == 1 and "still holds keys that an entry says were destroyed" in said.stderr
    held = len(gw.entries())
    assert carry_out(gw).returncode == 0 and epochs(gw) == after and len(gw.entries()) == held
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0


def test_keys_that_go_without_two_people_are_missed(gw):
    """One who has the disk destroys a key by hand, or lets people of his own approve."""
    path, kept = gw.dir / "ledger/epochs.json", epochs(gw)
    forward = dict(kept, key=mac(bytes.fromhex(kept["key"]), b"gate1367 next epoch").hex(), **{"from": "2999-01"})
    for change, text in ((None, "is missing"), (dict(kept, key="00" * 32), "does not hold the keys"), (forward, "does not hold the keys")):
        path.unlink(missing_ok=True)
        if change:
            path.write_text(json.dumps(change))
        said = gw.command("log", "verify", "--directory", "ledger", "--verifier", gw.vkey, "--json")
        assert said.returncode == 1 and text in said.stdout, said.stdout
        told = json.loads(said.stdout)
        assert told["result"] == "tampered" and text in told["problem"]["message"]
    path.unlink()
    gw.start(wait=False)
    assert gw.process.wait(20 * g.PATIENCE) == 1 and "not in force in this ledger" in gw.stderr()
    gw.process = None
    again = gw.command("log", "schedule", "-c", "gate.json")
    assert again.returncode == 1 and "is missing" in again.stderr and not path.exists(), "no new chain passes for the lost one"
    path.write_text(json.dumps(kept))
    gw.config["ledger"]["schedule"]["approvers"] = gw.people[1:]
    gw.write_config()
    assert statement(gw, kept["from"]).returncode == 0
    for name in ("counsel", "stranger"):
        approve(gw, name)
    done = carry_out(gw)  # gate.json says so, but no ledger that a verifier would find in order
    assert done.returncode == 1 and "log schedule puts it in force" in done.stderr and epochs(gw) == kept, done.stderr
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0


def test_what_no_ledger_should_hold_for_good_is_not_put_in_force(gw):
    entries, schedule = len(gw.entries()), gw.config["ledger"]["schedule"]
    for change in ({"id": "A\nB"}, {"id": "\u001b[2J"}, {"approvers": gw.people[:1]}, {"approvers": [gw.people[0], "x\napprover: y"]}):
        gw.config["ledger"]["schedule"] = {**schedule, **change}
        gw.write_config()
        done = gw.command("log", "schedule", "-c", "gate.json")
        assert done.returncode == 1 and "gate1367 check says what is not" in done.stderr, (change, done.stderr)
    assert len(gw.entries()) == entries


def test_without_its_file_a_copy_says_what_it_lacks(gw):
    (gw.dir / "ledger/epochs.json").unlink()
    rows = gw.command("log", "list", "-c", "gate.json", "--json", "--unseal", gw.auditor[0]).stdout
    assert "epochs.json of the ledger's directory is needed" in rows
