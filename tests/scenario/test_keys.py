"""Backup, rotation and loss of each key, as docs/operate.md ("Keys") says it goes."""
# ctest: release
import json
import os
import shutil
import subprocess

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, fetch, wait_until
from harness.origin import Origin, answer
from harness.pager import Pager, number, pack

from test_origins import tls_context, upstream
from test_witness import NAME, Witness
from test_witnessed import Known

pytestmark = pytest.mark.whole("keys and files are changed, not how bytes come")
PACKS = g.FEW


def found(gw, who=POLICE):
    r = fetch(gw.port, "/inspect/x", who)
    if who == OFFICER:
        return r.header("Section-1367")
    assert r.status != 200, (r.raw, gw.stderr(), gw.entries()[-4:])  # a leak: everything that could explain it
    return r.status


@pytest.fixture
def gw(make_gateway, origin):
    origin.respond = lambda r: answer({"aNumber": "A012345678"})
    return make_gateway(protected=["A012345678"])


def test_the_ledgers_key(gw):
    assert found(gw) == 404 and gw.stop() == 0
    backup = (gw.dir / "ledger.key").read_bytes()
    os.remove(gw.dir / "ledger.key")  # lost
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and "ledger.key" in done.stderr
    assert gw.command("serve", "-c", "gate.json").returncode in (1, 2)
    sound = gw.command("log", "verify", "--directory", "ledger", "--verifier", gw.vkey)  # what is written stays provable
    assert sound.returncode == 0, sound.stderr
    (gw.dir / "ledger.key").write_bytes(backup)  # brought back, and open to others by mistake
    (gw.dir / "ledger.key").chmod(0o644)
    assert gw.command("check", "-c", "gate.json").returncode == 1
    (gw.dir / "ledger.key").chmod(0o600)
    gw.start()
    assert found(gw) == 404 and gw.stop() == 0
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0
    gw.config["ledger"].update(directory="ledger-2", key="ledger-2.key", origin="gate1367.example/test-2")  # a new one
    gw.write_config()
    made = gw.command("log", "init", "-c", "gate.json", "--segment", "4MiB")
    assert made.returncode == 0 and made.stdout.strip().split("+")[1:] != gw.vkey.split("+")[1:]
    gw.start()
    assert found(gw) == 404 and gw.stop() == 0
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0
    assert gw.command("log", "verify", "--directory", "ledger", "--verifier", gw.vkey).returncode == 0


def test_the_registrys_key(gw):
    assert found(gw, OFFICER) == "protected; records=1"
    subjects = next(e["subjects"] for e in gw.entries() if e["subjects"])
    old = gw.dir / "old"
    old.mkdir()
    for name in ("protected.idx", "protected.key", "protected.idx.journal"):
        if (gw.dir / name).exists():
            shutil.move(gw.dir / name, old / name)  # lost, or thought to be known to somebody
    assert not gw.reload() and found(gw, OFFICER) == "protected; records=1"  # what runs goes on
    made = gw.command("registry", "build", "source.jsonl", "-o", "protected.idx", "--key", "protected.key")
    assert made.returncode == 0 and (gw.dir / "protected.key").read_bytes() != (old / "protected.key").read_bytes()
    assert gw.reload() and wait_until(lambda: found(gw, OFFICER) == "protected; records=1") and found(gw) == 404
    assert wait_until(lambda: any(e["subjects"] and e["subjects"] != subjects for e in gw.entries()))  # other handles, other pseudonyms
    asked = gw.command("log", "list", "-c", "gate.json", "--json", "--subject", "alien_number:A012345678")
    now = {s for x in asked.stdout.splitlines() for s in json.loads(x)["entry"]["subjects"]}
    assert now and not now & set(subjects)
    gw.config["registry"].update(key=str(old / "protected.key"), index=str(old / "protected.idx"))  # with the old ones, for older entries
    gw.write("old.json", gw.config)
    asked = gw.command("log", "list", "-c", "old.json", "--json", "--subject", "alien_number:A012345678")
    assert {s for x in asked.stdout.splitlines() for s in json.loads(x)["entry"]["subjects"]} == set(subjects)
    shutil.copy(old / "protected.key", gw.dir / "protected.key")  # a key that is not the index's
    assert gw.command("check", "-c", "gate.json").returncode == 1 and not gw.reload()


def test_the_gateways_tls_key(gw):
    certs = gw.dir / "certs"
    certs.mkdir()
    for name in ("gateway.pem", "gateway.key"):
        shutil.copy(gw.certs / name, certs / name)
    gw.config["listen"][0]["tls"].update(certificate=str(certs / "gateway.pem"), key=str(certs / "gateway.key"))
    gw.write_config()
    assert gw.reload()
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", certs / "gateway.key"], check=True, capture_output=True)
    assert not gw.reload() and found(gw) == 404  # key and certificate do not belong together: the old ones stay
    shutil.copy(gw.certs / "gateway.key", certs / "gateway.key")
    assert gw.reload() and found(gw) == 404


def auditor(directory, name):
    key, cert = directory / f"{name}.key", directory / f"{name}.pem"
    for args in (("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key),
                 ("req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "30", "-out", cert)):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
    key.chmod(0o600)
    return key, cert


def test_an_auditors_key(gw):
    """One lost: the other opens everything. Changed: the old key opens what was sealed for it, the new one what came after."""
    assert gw.stop() == 0
    (a, a_cert), (b, b_cert), (c, c_cert) = (auditor(gw.dir, n) for n in "abc")
    for certs in ((a_cert, b_cert), (c_cert, b_cert)):
        gw.config["ledger"]["auditors"] = [str(x) for x in certs]
        gw.write_config()
        gw.start()
        assert found(gw) == 404 and gw.stop() == 0
    opened = {}
    for key in (a, b, c):
        done = gw.command("log", "list", "-c", "gate.json", "--json", "--unseal", key, "--outcome", "withheld")
        rows = [json.loads(x) for x in done.stdout.splitlines()]
        opened[key] = [bool(r["unsealed"]) for r in rows if r["entry"]["sealed"]]
    assert opened == {a: [True, False], b: [True, True], c: [False, True]}


def test_the_witness_key(gw, tmp_path):
    """Lost: a new one, which remembers nothing and so needs a memory of its own. What the old one signed can still be shown."""
    assert gw.stop() == 0
    (tmp_path / "w").mkdir()
    witness = Witness(tmp_path / "w", Known(gw))

    def ask(vkey):
        gw.config["ledger"]["witness"] = {"url": f"http://127.0.0.1:{witness.port}", "verifier": vkey, "every": "200ms", "strict": True}
        gw.write_config()
        gw.start(wait=False)
        assert wait_until(lambda: "ready: " in gw.stderr()[gw.before:] or gw.process.poll() is not None)
        if gw.process.poll() is None:
            gw.wait_ready()
        return gw.process.poll() is None
    try:
        assert ask(witness.vkey) and gw.stop() == 0
        old, kept = witness.vkey, shutil.copy(gw.dir / "ledger/tlog/witnessed", gw.dir / "kept")
        witness.stop()
        os.remove(tmp_path / "w/w.key")
        lost = g.run("witness", "serve", "--listen", "127.0.0.1:0", "--key", "w.key", "--name", NAME, "--state", "state", "--logs", "logs", cwd=tmp_path / "w")
        assert lost.returncode == 2 and "w.key" in lost.stderr
        new = g.run("witness", "init", "--key", "w.key", "--name", NAME, "--state", "anew", cwd=tmp_path / "w").stdout.strip()
        assert new.split("+")[1:] != old.split("+")[1:]
        said = witness.start()
        assert "begin anew with another --state" in said and not ask(new) and "the witness does not answer" in gw.stderr()
        gw.process = None
        witness.stop()
        shutil.move(tmp_path / "w/state", tmp_path / "w/old")
        shutil.move(tmp_path / "w/anew", tmp_path / "w/state")
        assert witness.start() == "" and ask(new) and found(gw) == 404 and gw.stop() == 0
        for vkey, more in ((new, ()), (old, ("--checkpoint", kept))):
            done = gw.command("log", "verify", "-c", "gate.json", "--witness", vkey, *more)
            assert done.returncode == 0 and "its witness" in done.stdout, done.stderr
    finally:
        if witness.process.poll() is None:
            witness.stop()


def page(gw, cursor=None):
    """Status of a page, and the next one's cursor."""
    r = fetch(gw.port, "/api/c?limit=5" + (f"&cursor={cursor}" if cursor else ""), POLICE)
    return r.status, json.loads(r.body)["next"] if r.status == 200 else None


def test_the_key_of_cursors(tmp_path, make_gateway):
    """Shared by two gateways; changed so that whoever is turning pages notices nothing; lost: a new one, and they begin again."""
    pager = Pager(range(1, 41))
    with Origin(pager.respond) as origin:
        shared = {"routes": [{"path": "/api/", "upstream": "records", "profile": "paged"}], "config": {"cursors": {"key": "cursors.key"}},
                  "packs": [str(g.ROOT / "rules/section-1367.json"), "pack.json"], "start": False, "protected": [number(3)]}
        here, there = both = [make_gateway(origin.url, **shared) for _ in range(2)]
        old, new = (os.urandom(32).hex() for _ in range(2))

        def put(*lines):
            for gw in both:
                (gw.dir / "cursors.key").write_text("".join(f"{x}\n" for x in lines))
                (gw.dir / "cursors.key").chmod(0o600)
            return all(gw.reload() for gw in both if gw.process)
        put(old)
        for gw in both:
            gw.write("pack.json", pack())
            gw.start()
        begun = page(here)[1]
        assert page(there, begun)[0] == 200
        assert put(old, new) and page(there, begun)[0] == 200
        assert put(new, old) and page(there, begun)[0] == 200
        later = page(there)[1]
        assert put(new) and page(here, begun)[0] == 404 and page(here, later)[0] == 200
        os.remove(here.dir / "cursors.key")
        assert not here.reload() and page(here, later)[0] == 200
        assert "cursors.key" in here.command("check", "-c", "gate.json").stderr
        assert put(os.urandom(32).hex()) and page(here, later)[0] == 404 and page(here)[0] == 200


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def authority(directory, name):
    key, cert = directory / f"{name}.key", directory / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", key, "-subj", f"/CN={name}",
            "-days", "30", "-out", cert)
    return cert


def issue(directory, ca):
    """A new key with a certificate of that authority."""
    key, asked, cert = directory / "client.key", directory / "client.csr", directory / "client.pem"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", key, "-subj", "/CN=gateway", "-out", asked)
    openssl("x509", "-req", "-in", asked, "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial", "-days", "30", "-out", cert)
    key.chmod(0o600)
    return cert, key


def test_the_key_towards_an_origin(make_gateway, tmp_path):
    """Lost: what runs goes on; a new one with a certificate of the origin's authority, SIGHUP, and it is that one which is shown."""
    theirs, another = (authority(tmp_path, n) for n in ("theirs", "another"))
    with Origin(tls=tls_context(theirs)) as origin:
        cert, key = issue(tmp_path, theirs)
        tls = {"ca": str(g.certificates() / "origin-ca.pem"), "certificate": str(cert), "key": str(key)}
        gw = make_gateway(origin.url, config=upstream(origin.url, tls=tls))
        assert fetch(gw.port, "/inspect/x", POLICE).status == 200
        os.remove(key)
        assert not gw.reload() and fetch(gw.port, "/inspect/x", POLICE).status == 200
        assert "client.key" in gw.command("check", "-c", "gate.json").stderr
        for ca, status in ((another, 502), (theirs, 200)):
            issue(tmp_path, ca)
            assert gw.reload() and wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == status)
