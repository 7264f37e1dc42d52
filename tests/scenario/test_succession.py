# ctest: release
"""From one ledger to the next: in good order (log rotate), and over damage, by two people (log recover)."""
import json
import subprocess

import pytest

from harness import gateway as g
from harness.client import POLICE, fetch
from harness.origin import answer

pytestmark = pytest.mark.whole("commands on ledgers; what is answered meanwhile is no matter here")
PACKS = g.FEW
NEXT = ["--new-directory", "next", "--new-key", "next.key", "--new-origin", "gate1367.example/test-2"]


@pytest.fixture
def gw(make_gateway, origin):
    origin.respond = lambda request: answer([{"personId": 1}, {"aNumber": "A012345678"}])
    gateway = make_gateway(protected=["A012345678"])
    for _ in range(3):
        fetch(gateway.port, "/inspect/x", POLICE)
    return gateway


def move_on(gw):
    gw.config["ledger"].update(directory="next", key="next.key", origin="gate1367.example/test-2")
    gw.write_config()


def entries(gw, directory, key):
    done = g.run("log", "list", "--directory", gw.dir / directory, "--verifier", key, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["entry"] for line in done.stdout.splitlines()]


def test_a_key_is_rotated(gw):
    assert "another process" in gw.command("log", "rotate", "-c", "gate.json", *NEXT).stderr, "not while the gateway runs"
    gw.stop()
    done = gw.command("log", "rotate", "-c", "gate.json", *NEXT)
    assert done.returncode == 0, done.stderr
    key, old = done.stdout.strip(), gw.vkey
    assert key.startswith("gate1367.example/test-2+") and key.split("+", 2)[2] != old.split("+", 2)[2]
    # Each names the other, and the old one's final checkpoint is the first leaf of the new one.
    last, first = entries(gw, "ledger", old)[-1], entries(gw, "next", key)[0]
    assert (last["event"], last["successor"]) == ("stop", key)
    final = (gw.dir / "ledger/tlog/checkpoint").read_text()
    assert (first["event"], first["previous"]) == ("start", final) and "gap" not in first
    assert int(final.split("\n")[1]) == len(entries(gw, "ledger", old))
    (gw.dir / "final").write_text(first["previous"])
    for directory, vkey, more in (("ledger", old, ["--checkpoint", "final"]), ("next", key, []), ("next/tlog", key, [])):
        done = gw.command("log", "verify", "--directory", directory, "--verifier", vkey, *more)
        assert done.returncode == 0, (directory, done.stderr)
    # Nobody goes on with the old one by mistake, nor takes it for the one that is written.
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and "was ended" in done.stderr, done.stderr
    for directory in ("ledger", "ledger/tlog"):
        done = g.run("log", "verify", "--directory", gw.dir / directory, "--verifier", old)
        assert done.returncode == 0 and done.stdout.endswith(f" ended this ledger; the one that follows it is {key}\n"), done.stdout
    gw.start(wait=False)
    assert gw.process.wait(20) == 1 and "was ended" in gw.stderr()
    gw.process = None
    assert "was ended" in gw.command("log", "rotate", "-c", "gate.json", *NEXT).stderr
    move_on(gw)
    gw.start()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    gw.stop()
    done = gw.command("log", "verify", "-c", "gate.json", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["successor"] is None
    # Whoever takes the mark away can write on; what comes behind the end is told.
    node = json.loads((gw.dir / "ledger/node.json").read_text())
    del node["successor"]
    (gw.dir / "ledger/node.json").write_text(json.dumps(node) + "\n")
    gw.config["ledger"].update(directory="ledger", key="ledger.key", origin="gate1367.example/test")
    gw.write_config()
    gw.start()
    gw.stop()
    told = json.loads(gw.command("log", "verify", "-c", "gate.json", "--json").stdout)
    more = len(entries(gw, "ledger", old)) - 1 - told["successor"]["index"]
    assert told["successor"]["verifier"] == key and told["successor"]["after"] == more > 0
    assert f"{more} entries came after its end" in gw.command("log", "verify", "-c", "gate.json").stdout


def person(gw, name):
    key = gw.dir / f"{name}.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", key], check=True)
    key.chmod(0o600)
    return gw.command("log", "approve", "--key", key, "--name", name).stdout.strip()


def approve(gw, name, statement="statement"):
    done = gw.command("log", "approve", "--key", f"{name}.key", "--name", name, statement)
    assert done.returncode == 0, done.stderr


def test_two_people_go_on_without_a_damaged_ledger(gw):
    people = [person(gw, name) for name in ("auditor", "officer", "stranger")]
    gw.config["ledger"]["recovery"] = people[:2]
    gw.write_config()
    gw.stop()
    held = len(entries(gw, "ledger", gw.vkey))
    segment = next((gw.dir / "ledger/wal").glob("*.wal"))
    data = bytearray(segment.read_bytes())
    data[4096 + 300] ^= 1
    segment.write_bytes(data)
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 1
    assert "damaged" in gw.command("log", "rotate", "-c", "gate.json", *NEXT).stderr
    done = gw.command("log", "recover", "-c", "gate.json", *NEXT, "--reason", "the disk was replaced", "-o", "statement")
    assert done.returncode == 0, done.stderr
    text = (gw.dir / "statement").read_text().split("\n")
    assert text[0] == "gate1367 ledger recovery" and text[1] == gw.vkey and text[2].startswith("gate1367.example/test-2+")
    assert "proven up to entry" in text[3] and "wal/" in text[3] and text[4] == "reason: the disk was replaced"

    def recover(approval="statement"):
        return gw.command("log", "recover", "-c", "gate.json", *NEXT, "--approval", approval)
    unsigned = (gw.dir / "statement").read_text()
    for names in ((), ("auditor",), ("auditor", "auditor"), ("auditor", "stranger")):
        (gw.dir / "statement").write_text(unsigned)
        for name in names:
            approve(gw, name)
        done = recover()
        assert done.returncode == 1 and "two of those" in done.stderr, names
    approve(gw, "officer")
    signed = (gw.dir / "statement").read_text()
    for changed in (signed.replace("disk", "file"), signed.replace("test-2+", "test-3+")):
        (gw.dir / "changed").write_text(changed)
        assert recover("changed").returncode == 1
    assert recover().returncode == 0
    assert recover().returncode == 2, "once"
    assert (gw.dir / "next/registry.mark").read_bytes() == (gw.dir / "ledger/registry.mark").read_bytes()
    first = entries(gw, "next", text[2])[0]
    assert first["event"] == "start" and first["gap"] == signed
    assert first["previous"] == (gw.dir / "ledger/tlog/checkpoint").read_text() and f"\n{held}\n" in first["previous"]
    move_on(gw)
    gw.start()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    gw.stop()
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0


def test_who_approves_is_checked(gw):
    one = person(gw, "auditor")
    for keys, text in (([one, one], "fewer than two different keys"), ([one, "nobody"], "not a person's verifier key")):
        gw.config["ledger"]["recovery"] = keys
        gw.write_config()
        done = gw.command("check", "-c", "gate.json")
        assert done.returncode == 1 and text in done.stderr + done.stdout, keys
