# ctest: release
"""The published ledger before Go's golang.org/x/mod/sumdb/note and tlog and npm's @sigstore/verify, which nobody here wrote, and before our own.
GATE1367_LOG_SIZE=N: how large the trees of random sizes get; 1,000,000 without."""
import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest

from harness.client import POLICE, fetch, wait_until
from harness.origin import answer

from harness import gateway as g
from programs import find, npm_package
from published import Log, go_checker

LARGEST = int(os.environ.get("GATE1367_LOG_SIZE", 1_000_000))


@pytest.fixture
def go():
    checker = go_checker()
    yield checker
    checker.close()


@pytest.fixture
def log():
    made = Log()
    yield made
    made.close()


def leaf_of(index):
    return '{"n":%d,"filler":"%s"}' % (index, "0" * max(index % 40, 1))


def test_every_size_to_a_thousand(go, log):
    for size in range(1, 1001):
        log.grow(size)
        assert go.ask("whole", log.root, log.key).startswith(f"ok {size} ")
        if size % 100 == 0:
            assert log.verify().returncode == 0


def test_a_hundred_random_sizes(go, log):
    for size in sorted(random.Random(1367).sample(range(1001, LARGEST), 100)):
        log.grow(size)
        assert go.ask("quick", log.root, log.key).startswith(f"ok {size} ")
    assert go.ask("whole", log.root, log.key).startswith(f"ok {size} ")
    assert log.verify().returncode == 0
    left = [p.name for p in log.root.rglob("*.p")]
    assert len(left) <= 4, left  # partial tiles: of the last checkpoint alone


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def swap_entries(path):
    data, entries = path.read_bytes(), []
    while data:
        size = 2 + int.from_bytes(data[:2], "big")
        entries.append(data[:size])
        data = data[size:]
    entries[3], entries[4] = entries[4], entries[3]
    path.write_bytes(b"".join(entries))


def rewrite(path, change):
    path.write_text(change(path.read_text()))


# What can be done to each kind of file of a log of 70,000 entries.
CHANGES = {
    "a bit of the checkpoint's root": lambda r: flip(r / "checkpoint", len("made.example/log\n70000\n") + 5),
    "a bit of the signature": lambda r: flip(r / "checkpoint", -20),
    "a bit of a bundle": lambda r: flip(r / "tile/entries/007", 10),
    "a bit of an unfinished bundle": lambda r: flip(r / "tile/entries/273.p/112", 10),
    "a bit of a tile of level 0": lambda r: flip(r / "tile/0/000", 4000),
    "a bit of a tile of level 1": lambda r: flip(r / "tile/1/000", 100),
    "a bit of the tile of level 2": lambda r: flip(r / "tile/2/000.p/1", 31),
    "a bundle cut short": lambda r: os.truncate(r / "tile/entries/007", 3000),
    "a tile cut short": lambda r: os.truncate(r / "tile/1/001.p/17", 512),
    "a bundle gone": lambda r: (r / "tile/entries/100").unlink(),
    "two bundles exchanged": lambda r: [(r / "tile/entries/010").rename(r / "x"), (r / "tile/entries/011").rename(r / "tile/entries/010"),
                                        (r / "x").rename(r / "tile/entries/011")],
    "two entries exchanged": lambda r: swap_entries(r / "tile/entries/020"),
    "another origin": lambda r: rewrite(r / "checkpoint", lambda t: t.replace("made.example", "fake.example")),
    "another size": lambda r: rewrite(r / "checkpoint", lambda t: t.replace("\n70000\n", "\n69999\n")),
    "no signature": lambda r: rewrite(r / "checkpoint", lambda t: t.split("\u2014")[0]),
}


def test_what_was_changed_is_refused(go, log):
    log.grow(70_000)
    kept = log.dir / "kept"
    assert go.ask("whole", log.root, log.key).startswith("ok 70000 ")
    log.root.rename(kept)
    for name, change in CHANGES.items():
        shutil.copytree(kept, log.root)
        change(log.root)
        go.ask("forget")
        assert go.ask("whole", log.root, log.key).startswith("error"), name
        done = log.verify()
        assert done.returncode == 1 and "NOT SOUND" in done.stderr, (name, done)
        shutil.rmtree(log.root)
    kept.rename(log.root)


def test_rollback_and_fork(go, log):
    log.grow(300)
    old, fork = log.dir / "old", log.dir / "fork"
    shutil.copytree(log.root, old)
    log.grow(700)
    assert go.ask("whole", log.root, log.key).startswith("ok 700 ")
    assert go.ask("whole", old, log.key) == "error the log had 700 entries and has 300"
    done = log.verify("--checkpoint", old / "checkpoint")
    assert done.returncode == 0 and "300" in done.stdout, done
    # Rolled back: the newer checkpoint is one that it must hold, and does not.
    newer = log.dir / "newer"
    shutil.copy(log.root / "checkpoint", newer)
    log.root.rename(log.dir / "kept")
    old.rename(log.root)
    assert log.verify("--checkpoint", newer).returncode == 1
    log.root.rename(fork)
    (log.dir / "kept").rename(log.root)
    # Forked: the same key and origin signed another tree, larger than the one seen before.
    other = Log(log.dir / "key", "fork")
    assert other.key == log.key
    other.grow(800)
    assert go.ask("whole", other.root, log.key).startswith("error"), "consistency with the 700 seen before"
    done = g.run("log", "verify", "--directory", other.root, "--verifier", log.key, "--checkpoint", newer)
    assert done.returncode == 1 and "older checkpoint" in done.stderr, done
    other.close()


def test_a_gateway_publishes_within_a_second(go, make_gateway, origin):
    origin.respond = lambda request: answer({"items": [{"aNumber": "A012345678"}]})
    gw = make_gateway(protected=["A012345678"])
    root = gw.dir / "ledger/tlog"
    key = json.loads((gw.dir / "ledger/node.json").read_text())["verifier"]
    for count in (1, 3, 40):
        for _ in range(count):
            fetch(gw.port, "/inspect/x", POLICE)
        entries = len(gw.entries())
        assert wait_until(lambda: int((root / "checkpoint").read_text().split("\n")[1]) >= entries)
        assert go.ask("whole", root, key).startswith("ok ")
    gw.stop()
    assert go.ask("whole", root, key).startswith(f"ok {len(gw.entries())} ")


def test_proofs_for_strangers(go, log):
    log.grow(1000)
    older = log.dir / "older"
    shutil.copy(log.root / "checkpoint", older)
    log.grow(3000)
    where = ["--directory", log.root, "--verifier", log.key]
    leaf, proof = log.dir / "leaf", log.dir / "x.tlog-proof"
    for index in (0, 255, 256, 1234, 2999):
        done = g.run("log", "prove", "inclusion", index, *where)
        assert done.returncode == 0 and done.stdout.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n"), done
        proof.write_text(done.stdout)
        leaf.write_text(leaf_of(index))
        assert go.ask("inclusion", proof, log.key, leaf) == f"ok {index}"
        leaf.write_text("another")
        assert go.ask("inclusion", proof, log.key, leaf).startswith("error")
    done = g.run("log", "prove", "consistency", 1000, *where)
    assert done.returncode == 0, done
    proof.write_text(done.stdout)
    assert go.ask("extension", proof, log.key, older) == "ok 1000"
    proof.write_text(done.stdout.replace("old 1000", "old 1001"))
    assert go.ask("extension", proof, log.key, older).startswith("error")
    done = g.run("log", "prove", "inclusion", 3000, *where)
    assert done.returncode == 1 and "3000" in done.stderr


def test_sigstore_verifies_checkpoint_and_inclusion(log):
    node, package = find("node"), npm_package("@sigstore/verify", "2.1.1")
    leaf, proof = log.dir / "leaf", log.dir / "x.tlog-proof"

    def judged(text):
        proof.write_text(text)
        script = pathlib.Path(__file__).with_name("check_proof.cjs")
        return subprocess.run([node, script, package, log.key, proof, leaf], capture_output=True, text=True, timeout=60).stdout.strip()

    for size, index in ((1, 0), (2, 1), (600, 511), (70_000, 69_999), (70_001, 12_345)):
        log.grow(size)
        done = g.run("log", "prove", "inclusion", index, "--directory", log.root, "--verifier", log.key)
        leaf.write_text(leaf_of(index))
        assert judged(done.stdout) == "ok", size
    line = done.stdout.split("\n")[4]
    assert "root hash does not match" in judged(done.stdout.replace(line, line[:5] + ("A" if line[5] != "A" else "B") + line[6:]))
    assert judged(done.stdout.replace("\n70001\n", "\n70000\n")) == "invalid checkpoint signature"
    assert judged(done.stdout.replace("made.example/log\n", "fake.example/log\n", 1)) == "invalid checkpoint signature"
    assert judged(done.stdout.split("\u2014")[0]) == "no signatures found in checkpoint"
    leaf.write_text(leaf_of(index + 1))
    assert "root hash does not match" in judged(done.stdout)
