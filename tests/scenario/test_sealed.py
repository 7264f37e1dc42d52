"""With auditors, who asked and for what stands only in `sealed`; it opens with openssl and with --unseal, and for nobody else."""
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.client import OFFICER, POLICE, fetch, wait_until
from harness.gateway import BIN, FEW, ROOT, Gateway
from harness.origin import Origin, answer

FOUND = {"total": 2, "items": [{"personId": 1, "aNumber": "A011111111"}, {"personId": 2, "aNumber": "A012345678"}]}
pytestmark = pytest.mark.whole("what is written is looked at, not how the bytes came")
PACKS = FEW


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


def asked(make_gateway, origin, people):
    origin.respond = lambda r: answer(FOUND if r.path == "/api/persons" else {"aNumber": "A012345678"})
    gw = make_gateway(protected=["A012345678"], start=False, recipients=None)
    gw.config["ledger"]["auditors"] = [str(people["first"][1]), str(people["second"][1])]
    gw.write_config()
    gw.start()
    fetch(gw.port, "/api/persons", OFFICER)
    fetch(gw.port, "/inspect/x/A012345678?q=Quetzal", POLICE)
    assert wait_until(lambda: any(e["event"] == "completion" for e in gw.entries()))
    return gw


@pytest.fixture
def sealed(make_gateway, origin, people):
    """One to do things to."""
    return asked(make_gateway, origin, people)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory, people):
    """One whose ledger is only read."""
    with Origin() as origin, contextlib.ExitStack() as stack:
        def make(**options):
            return stack.enter_context(Gateway(tmp_path_factory.mktemp("sealed") / "gw", origin.url, **options))
        yield asked(make, origin, people)


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


def test_openssl_opens_it(looked_at, people):
    #= RFC5083 2
    #= RFC5753 3.1
    entries = looked_at.entries()
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


def test_the_manuals_own_lines_open_a_key(looked_at, people, tmp_path):
    """docs/audit.md, as an auditor types it."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    lines, = re.findall(r"```sh\n(.*openssl cms -decrypt.*?)```", (ROOT / "docs/audit.md").read_text(), re.S)
    lines = lines[lines.rindex("```sh\n") + 6:] if "```sh\n" in lines else lines
    shutil.copytree(looked_at.dir / "ledger", tmp_path / "ledger")
    shutil.copy(people["first"][0], tmp_path / "auditor.key")
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", lines.replace("…", looked_at.vkey)], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{BIN.parent}:{os.environ['PATH']}"})
    assert done.returncode == 0 and (tmp_path / "k.bin").stat().st_size == 32, done.stderr


def test_nothing_of_it_stands_in_the_clear(looked_at):
    #= ICE10036.2 5.6(1)
    for e in looked_at.entries():
        assert e["client"] is None and e["recipient"]["organization"] is None and e["recipient"]["identity"] is None
    raw = looked_at.raw_ledger()
    for word in (b"Springfield State Police", b"Test Officer", b"127.0.0.1", b"A012345678", b"Quetzal"):
        assert word not in raw, word
    assert looked_at.command("log", "verify", "-c", "gate.json").returncode == 0


def test_unseal(looked_at, people):
    def listed(verb, *args, key="second"):
        done = looked_at.command("log", verb, *args, "-c", "gate.json", "--json", "--unseal", people[key][0])
        assert done.returncode == 0, done.stderr
        return [json.loads(x) for x in done.stdout.splitlines()]
    rows = listed("list", "--recipient", "state-police")
    assert {r["unsealed"]["target"] for r in rows} == {"/inspect/x/A012345678?q=Quetzal"} and len(rows) == 1
    assert all(r["unsealed"] is None and "not sealed for this key" in r["why"] for r in listed("list", "--recipient", "state-police", key="stranger"))
    shown = listed("show", str(rows[0]["index"]))[0]
    assert shown["unsealed"] == rows[0]["unsealed"] and shown["entry"] == rows[0]["entry"]
    text = looked_at.command("log", "list", "-c", "gate.json", "--unseal", people["first"][0]).stdout
    assert "Springfield State Police" in text and "/inspect/x/A012345678" in text
    people["first"][0].chmod(0o644)
    open_key = looked_at.command("log", "list", "-c", "gate.json", "--unseal", people["first"][0])
    people["first"][0].chmod(0o600)
    assert open_key.returncode == 2 and "first.key" in open_key.stderr
    assert looked_at.command("log", "list", "-c", "gate.json", "--unseal", people["first"][1]).returncode == 2


def test_the_accounting_names_whom_it_can_open(looked_at, people):
    #= 5USC552a c(1)
    """Without -c nobody knows recipients.json: names come from what is sealed."""
    subject = next(e["subjects"][0] for e in looked_at.entries() if e["subjects"])
    args = ("report", "accounting", "--directory", "ledger", "--verifier", looked_at.vkey, "--subject", f"pseudonym:{subject}", "--json")
    for more in ((), ("--unseal", people["first"][0]), ("--unseal", people["stranger"][0])):
        done = looked_at.command(*args, *more)
        assert done.returncode == 0, done.stderr
        rows = json.loads(done.stdout)["tables"]["disclosures"]
        assert len(rows) == 1 and rows[0]["name"] == "DHS, USCIS" and rows[0]["nature"].endswith("GET /api/persons")
    exported = looked_at.command("log", "export", "-c", "gate.json", "--format", "ecs", "--unseal", people["first"][0]).stdout
    assert "Springfield State Police" in exported and '"ip":"127.0.0.1"' in exported
    closed = looked_at.command("log", "export", "-c", "gate.json", "--format", "csv", "--unseal", people["stranger"][0])
    assert "Springfield" not in closed.stdout and "stayed closed" in closed.stderr


def test_follow_unseals(looked_at, people):
    """The key of what comes may have been told long before."""
    p = subprocess.Popen([BIN, "log", "follow", "-c", "gate.json", "--json", "--unseal", people["second"][0], "--event", "disclosure"],
                         cwd=looked_at.dir, text=True, stdout=subprocess.PIPE)
    try:
        os.set_blocking(p.stdout.fileno(), False)
        lines = []

        def heard():
            fetch(looked_at.port, "/api/persons", OFFICER)
            lines.extend(p.stdout.readlines())
            return lines
        assert wait_until(heard, every=0.2)
        assert json.loads(lines[0])["unsealed"]["target"] == "/api/persons"
    finally:
        p.terminate()
        p.wait()
        p.stdout.close()


def test_after_the_scribe_died_entries_can_still_be_opened(sealed, people):
    """The key is told again: what is durable can be opened."""
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
