"""With auditors, who asked and for what stands only in `sealed`; it opens with openssl and with --unseal, and for nobody else."""
import base64
import json
import subprocess

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.client import OFFICER, POLICE, fetch, wait_until
from harness.origin import answer

FOUND = {"total": 2, "items": [{"personId": 1, "aNumber": "A011111111"}, {"personId": 2, "aNumber": "A012345678"}]}
pytestmark = pytest.mark.whole("what is written is looked at, not how the bytes came")


def openssl(*args, **more):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **more).stdout


def auditor(directory, name):
    key, cert = directory / f"{name}.key", directory / f"{name}.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    key.chmod(0o600)
    openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "30", "-out", cert)
    return key, cert


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    place = tmp_path_factory.mktemp("auditors")
    return {name: auditor(place, name) for name in ("first", "second", "stranger")}


@pytest.fixture
def sealed(make_gateway, origin, people):
    origin.respond = lambda r: answer(FOUND if r.path == "/api/persons" else {"aNumber": "A012345678"})
    gw = make_gateway(protected=["A012345678"], start=False, recipients=None)
    gw.config["ledger"]["auditors"] = [str(people["first"][1]), str(people["second"][1])]
    gw.write_config()
    gw.start()
    fetch(gw.port, "/api/persons", OFFICER)
    fetch(gw.port, "/inspect/x/A012345678?q=Quetzal", POLICE)
    assert wait_until(lambda: any(e["event"] == "completion" for e in gw.entries()))
    return gw


def by_hand(entries, key):
    """As docs/audit.md says: openssl for the key, then AES-256-GCM with the nonce as associated data."""
    keys, opened = {}, []
    for e in entries:
        if e["sealed"] is None:
            continue
        name, _, text = e["sealed"].partition(".")
        raw = base64.b64decode(text, validate=True)
        if e["event"] == "key":
            keys[name] = openssl("cms", "-decrypt", "-inform", "DER", "-inkey", key, input=raw)
            assert len(keys[name]) == 32
        else:
            opened.append((e, json.loads(AESGCM(keys[name]).decrypt(raw[:12], raw[12:], e["nonce"].encode()))))
    return opened


def test_openssl_opens_it(sealed, people):
    #= RFC5083 2
    #= RFC5753 3.1
    entries = sealed.entries()
    assert [e["event"] for e in entries if e["sealed"]][0] == "key"  # before what it opens
    for name in ("first", "second"):
        opened = by_hand(entries, people[name][0])
        plain = {e["recipient"]["id"]: p for e, p in opened if e["event"] != "completion"}
        assert list(plain["uscis-officer"]) == ["organization", "identity", "client", "target", "identifiers"]
        assert plain["state-police"]["organization"] == "Springfield State Police"
        assert plain["state-police"]["target"] == "/inspect/x/A012345678?q=Quetzal"
        assert plain["uscis-officer"]["client"] == "127.0.0.1"
        assert "Test Officer" in plain["uscis-officer"]["identity"]
        assert len(plain["uscis-officer"]["identifiers"]) == 1
    with pytest.raises(subprocess.CalledProcessError):
        by_hand(entries, people["stranger"][0])
    ivs = [base64.b64decode(e["sealed"].partition(".")[2])[:12] for e in entries if e["sealed"] and e["event"] != "key"]
    assert len(ivs) == len(set(ivs)) == 3


def test_nothing_of_it_stands_in_the_clear(sealed):
    #= ICE10036.2 5.6(1)
    for e in sealed.entries():
        assert e["client"] is None and e["recipient"]["organization"] is None and e["recipient"]["identity"] is None
    raw = sealed.raw_ledger()
    for word in (b"Springfield State Police", b"Test Officer", b"127.0.0.1", b"A012345678", b"Quetzal"):
        assert word not in raw, word
    assert sealed.command("log", "verify", "-c", "gate.json").returncode == 0


def test_unseal(sealed, people):
    def listed(verb, *args, key="second"):
        done = sealed.command("log", verb, *args, "-c", "gate.json", "--json", "--unseal", people[key][0])
        assert done.returncode == 0, done.stderr
        return [json.loads(x) for x in done.stdout.splitlines()]
    rows = listed("list", "--recipient", "state-police")
    assert {r["unsealed"]["target"] for r in rows} == {"/inspect/x/A012345678?q=Quetzal"} and len(rows) == 1
    assert all(r["unsealed"] is None and "not sealed for this key" in r["why"] for r in listed("list", "--recipient", "state-police", key="stranger"))
    shown = listed("show", str(rows[0]["index"]))[0]
    assert shown["unsealed"] == rows[0]["unsealed"] and shown["entry"] == rows[0]["entry"]
    text = sealed.command("log", "list", "-c", "gate.json", "--unseal", people["first"][0]).stdout
    assert "Springfield State Police" in text and "/inspect/x/A012345678" in text
    people["first"][0].chmod(0o644)
    open_key = sealed.command("log", "list", "-c", "gate.json", "--unseal", people["first"][0])
    people["first"][0].chmod(0o600)
    assert open_key.returncode == 2 and "first.key" in open_key.stderr
    assert sealed.command("log", "list", "-c", "gate.json", "--unseal", people["first"][1]).returncode == 2


def test_after_the_scribe_died_entries_can_still_be_opened(sealed, people):
    """The key is told again: what is durable can be opened."""
    import os
    import signal
    for _ in range(3):
        for pid in sealed.children("scribe"):
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: fetch(sealed.port, "/api/persons", POLICE).status == 200)
    assert sealed.stop() == 0
    opened = by_hand(sealed.entries(), people["first"][0])
    assert len(opened) == sum(1 for e in sealed.entries() if e["sealed"] and e["event"] != "key") > 6


def test_what_check_says_of_auditors(sealed, people, tmp_path):
    rsa = tmp_path / "rsa.pem"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "rsa.key", "-subj", "/CN=x", "-out", rsa)
    for bad in (rsa, tmp_path / "rsa.key", tmp_path / "nowhere.pem"):
        sealed.config["ledger"]["auditors"] = [str(bad)]
        sealed.write_config()
        done = sealed.command("check", "-c", "gate.json")
        assert done.returncode == 1 and "/ledger/auditors/0" in done.stderr, done.stderr
    sealed.config["ledger"]["auditors"] = [str(people["stranger"][1])]
    sealed.write_config()
    assert sealed.command("check", "-c", "gate.json").returncode == 0
    assert not sealed.reload() and "needs a restart" in sealed.stderr()
    ending = tmp_path / "ending.pem"
    openssl("req", "-x509", "-new", "-key", people["first"][0], "-subj", "/CN=e", "-days", "3", "-out", ending)
    sealed.config["ledger"]["auditors"] = [str(ending)]
    sealed.write_config()
    assert "the auditor's certificate ends in" in sealed.command("check", "-c", "gate.json").stderr


def test_a_look_up_without_a_gateway_is_sealed_too(sealed, people):
    assert sealed.stop() == 0
    assert sealed.command("registry", "lookup", "-c", "gate.json", "alien_number", "A012345678").returncode == 0
    opened = by_hand(sealed.entries(), people["first"][0])
    assert opened[-1][0]["event"] == "registry" and len(opened[-1][1]["identifiers"]) == 1
