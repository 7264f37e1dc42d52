"""`check` of files that are in use: what is in order today and will not stay so, and what no gateway could start with."""
import datetime
import json
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import gateway as g

pytestmark = pytest.mark.whole("commands alone, nobody talks HTTP")
DAY = datetime.timedelta(days=1)


@pytest.fixture
def gw(make_gateway):
    gw = make_gateway(start=False, protected=["A012345678"])
    gw.config["routes"] = [r for r in gw.config["routes"] if r.get("unprofiled") != "inspect"]
    gw.write_config()
    return gw


def check(gw, code=0):
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == code, done.stdout + done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("gate.json:")]


def certificate(days):
    """A certificate that ends so many days from now, and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    end = datetime.datetime.utcnow() + days * DAY
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(end - 400 * DAY).not_valid_after(end)
            .sign(key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    return made.public_bytes(pem).decode(), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("days, said", [(15, None), (10.5, "ends in 10 days"), (-3.5, "ended 3 days ago")])
def test_certificates_near_their_end(gw, days, said):
    pem, key = certificate(days)
    gw.write("near.pem", pem)
    gw.write("near.key", key)
    os.chmod(gw.dir / "near.key", 0o600)
    tls = gw.config["listen"][0]["tls"]
    tls.update(certificate="near.pem", key="near.key")
    gw.write("cas.pem", (gw.dir / tls["client_ca"]).read_text() + pem)
    tls["client_ca"] = "cas.pem"
    gw.write_config()
    lines = check(gw)
    assert [": /listen/0/tls/certificate: warning: " in line for line in lines] == ([True, False] if said else [])
    assert all(said in line for line in lines) and all("/client_ca: " in line for line in lines[1:])


def test_a_ledger_that_others_may_write_to(gw):
    assert check(gw) == []
    (gw.dir / gw.config["ledger"]["directory"]).chmod(0o770)
    line, = check(gw)
    assert "/ledger/directory: warning: others may write" in line and "chmod" in line


def test_a_device_that_fills_up(gw):
    place = gw.dir / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "gate1367-test", place], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        gw.config["ledger"]["directory"] = "small/ledger"
        gw.write_config()
        done = gw.command("log", "init", "-c", "gate.json", "--segment", "4MiB")
        assert done.returncode == 0, done.stderr
        line, = check(gw)
        assert "/ledger/directory: warning: the device has " in line and "less than ten segments" in line
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_journal_that_is_damaged(gw):
    person = {"op": "protect", "subject": "S-9", "cases": [{"id": "C", "benefit": "U", "role": "principal", "status": "pending"}],
              "identifiers": [{"kind": "alien_number", "value": "A055555555"}]}
    gw.write("changes.jsonl", "".join(json.dumps({**person, "subject": f"S-{i}"}) + "\n" for i in range(2)))
    assert gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl").returncode == 0
    journal, = gw.dir.glob("*.journal")
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[len(whole) // 2:-5])  # torn: what came behind was never acknowledged
    assert check(gw) == []
    journal.write_bytes(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    line, = check(gw, 1)
    assert ": /registry: " in line and journal.name in line and "bring back a whole copy" in line
    journal.write_bytes(whole)
    journal.chmod(0o000)
    if os.geteuid() != 0:
        assert journal.name in check(gw, 1)[0]




@pytest.mark.parametrize("server,tls,said", [
    ("https://127.0.0.1:9", {"ca": "gate.json"}, "error: CA"), ("https://127.0.0.1:9", {"certificate": "gw-client.pem", "key": "origin.key"}, "error: private key"),
    ("https://127.0.0.1:9", {"ca": "origin-ca.pem", "certificate": "gw-client.pem", "key": "gw-client.key"}, None),
    ("http://127.0.0.1:9", {"ca": "origin-ca.pem"}, "warning: is not used")])
def test_what_an_origin_is_met_with(gw, server, tls, said):
    """serve would not start with it, and a reload would be refused when its workers fail, not before."""
    named = {k: v if v == "gate.json" else str(g.certificates() / v) for k, v in tls.items()}
    gw.config["upstreams"]["records"].update(servers=[server], tls=named)
    gw.write_config()
    lines = check(gw, 1 if said and said.startswith("error") else 0)
    assert len(lines) == (said is not None), lines
    assert said is None or f" /upstreams/records/tls: {said.removeprefix('error: ')}" in lines[0], lines


@pytest.mark.parametrize("change,code,said", [
    ({"listen": "192.0.2.1:8443"}, 0, "/listen/0/address: warning: no interface of this machine has the address now"),
    ({"listen": "[2001:db8::1]:8443"}, 0, "/listen/0/address: warning: no interface of this machine has the address now"),
    ({"admin": "192.0.2.1:9367"}, 0, "/admin/address: warning: no interface of this machine has the address now"),
    ({"socket": "gone/admin.sock"}, 0, "/admin/socket: warning: there is no directory "),
    ({"socket": "source.jsonl"}, 1, "/admin/socket: "), ({"mode": "none"}, 0, "/listen/0/tls/client_ca: warning: is not used")])
def test_what_serve_would_not_start_with_or_not_use(gw, change, code, said):
    gw.config["listen"][0]["address"] = change.get("listen", gw.config["listen"][0]["address"])
    gw.config["admin"].update(address=change.get("admin", gw.config["admin"]["address"]), socket=change.get("socket", "admin.sock"))
    gw.config["listen"][0]["tls"]["client_certificate"] = change.get("mode", "optional")
    gw.write_config()
    lines = check(gw, code)
    assert len(lines) == 1 and f": {said}" in lines[0], lines
