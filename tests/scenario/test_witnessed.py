# ctest: release
"""A gateway whose ledger somebody elsewhere confirms: what it asks for and keeps, and what happens without."""
import base64
import http.server
import json
import os
import re
import shutil
import signal
import threading
import time

import pytest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from harness.client import OFFICER, POLICE, fetch, wait_until
from harness.clock import Clocks
from harness.gateway import FEW
from harness.origin import answer

from test_witness import DASH, NAME, Log, Witness

pytestmark = pytest.mark.whole("what the witness does is no part of an answer")
PACKS = FEW


def ed25519_of(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


class Known:
    """A log that the witness knows: the gateway's."""

    def __init__(self, gw):
        self.vkey = json.loads((gw.dir / "ledger/node.json").read_text())["verifier"]


@pytest.fixture
def site(make_gateway, origin, tmp_path):
    """A gateway that was not started yet, and its witness."""
    origin.respond = lambda request: answer([{"personId": 1}, {"aNumber": "A012345678"}])
    gw = make_gateway(protected=["A012345678"], start=False)
    (tmp_path / "witness").mkdir()
    witness = Witness(tmp_path / "witness", Known(gw))
    address = f"http://127.0.0.1:{witness.port}/w"
    gw.config["ledger"]["witness"] = {"url": address, "verifier": witness.vkey, "every": "200ms", "alarm": "1s", "close": "2s"}
    gw.write_config()
    yield gw, witness
    if witness.process.poll() is None:
        witness.stop()


def restart(witness):
    """At the address that it had."""
    text = f"127.0.0.1:{witness.port}"
    witness.start(text)


def readyz(gw):
    return gw.admin("/readyz")


def verify_witnessed(gw, witness, *more):
    return gw.command("log", "verify", "-c", "gate.json", "--witness", witness.vkey, *more)


def test_the_ledger_is_confirmed(site):
    gw, witness = site
    gw.start()
    for _ in range(5):
        fetch(gw.port, "/inspect/x", POLICE)
    entries = len(gw.entries())
    assert wait_until(lambda: gw.metric("gate1367_witness_size") >= entries)
    assert readyz(gw) == (200, "ready\n") and gw.metric("gate1367_witness_late") == 0
    note = (gw.dir / "ledger/tlog/witnessed").read_text()
    text, lines = note.split("\n\n")
    assert text.split("\n")[0] == "gate1367.example/test" and int(text.split("\n")[1]) >= entries
    raw = base64.b64decode(re.search(f"^{DASH}{re.escape(NAME)} (\\S+)$", lines, re.M)[1])
    stamp = int.from_bytes(raw[4:12], "big")
    Ed25519PublicKey.from_public_bytes(witness.public).verify(raw[12:], f"cosignature/v1\ntime {stamp}\n{text}\n".encode())
    # What was confirmed is a checkpoint to be verified against, as any other.
    done = gw.command("log", "verify", "-c", "gate.json", "--checkpoint", "ledger/tlog/witnessed")
    assert done.returncode == 0, done.stderr
    assert gw.stop() == 0
    note, size = (gw.dir / "ledger/tlog/witnessed").read_text(), int((gw.dir / "ledger/tlog/witnessed").read_text().split("\n")[1])
    told = verify_witnessed(gw, witness, "--json")
    assert told.returncode == 0 and json.loads(told.stdout)["witnessed"]["entries"] == size and stamp <= json.loads(told.stdout)["witnessed"]["time"] <= time.time()
    assert f"its witness {NAME} signed those {size} entries at 20" in verify_witnessed(gw, witness).stdout
    # Another's signature, or none, is none; nor is one of another ledger.
    (gw.dir / "bare").write_text(note[:note.index(f"{DASH}{NAME}")])
    assert "did not sign it" in verify_witnessed(gw, witness, "--checkpoint", "bare").stderr
    done = gw.command("log", "verify", "-c", "gate.json", "--witness", gw.vkey)
    assert done.returncode == 2 and "takes the verifier key of a witness" in done.stderr
    (gw.dir / "ledger/tlog/witnessed").unlink()
    assert verify_witnessed(gw, witness).returncode == 2


def test_nobody_waits_for_a_witness_that_is_away(site):
    gw, witness = site
    gw.start()
    assert wait_until(lambda: gw.metric("gate1367_witness_size") > 0)
    witness.stop()
    assert wait_until(lambda: "note: the witness has not confirmed" in readyz(gw)[1])
    assert readyz(gw)[0] == 200 and gw.metric("gate1367_witness_late") == 1
    assert wait_until(lambda: "the witness has not confirmed the ledger in time" in gw.stderr())
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    restart(witness)
    assert wait_until(lambda: readyz(gw) == (200, "ready\n"))
    assert gw.stop() == 0


def test_strict_closes_without_a_witness(site):
    gw, witness = site
    gw.config["ledger"]["witness"]["strict"] = True
    gw.write_config()
    gw.start()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    witness.stop()
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 502)
    assert readyz(gw) == (503, "the ledger is closed until its witness confirms it again\nnote: the witness has not confirmed the ledger in time\n")
    assert "witness_missing" in gw.stderr() and gw.metric("gate1367_witness_closed") == 1
    assert fetch(gw.port, "/inspect/x", OFFICER).status == 502
    # Whoever asks the witness may die meanwhile: what is closed stays closed.
    os.kill(gw.children("asker")[0], signal.SIGKILL)
    assert wait_until(lambda: gw.children("asker")) and fetch(gw.port, "/inspect/x", POLICE).status == 502
    # It opens by itself when the witness is back, and closes again without it.
    restart(witness)
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 200)
    assert readyz(gw) == (200, "ready\n") and "witness_back" in gw.stderr() and gw.metric("gate1367_witness_closed") == 0
    witness.stop()
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 502)
    assert gw.stop() == 0
    # A start without one does not serve.
    gw.start(wait=False)
    assert gw.process.wait(20) == 2 and "the witness does not answer" in gw.stderr()
    gw.process = None
    restart(witness)
    gw.start()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200


def test_how_long_is_too_long(site):
    """Without a word of it in gate.json: the alarm after a minute, closed after an hour. The clock on the wall has no say in it."""
    gw, witness = site
    clocks = Clocks(gw.dir)
    gw.env.update(clocks.env)
    asked = gw.config["ledger"]["witness"]
    gw.config["ledger"]["witness"] = {"url": asked["url"], "verifier": asked["verifier"], "every": "100ms", "strict": True}
    gw.write_config()
    gw.start()
    assert wait_until(lambda: gw.metric("gate1367_witness_size") > 0)
    witness.stop()
    for day, passed, late, closed in ((0, 50, 0, 0), (-1800, 61, 1, 0), (86400, 3590, 1, 0), (-1800, 3601, 1, 1)):
        clocks.turn(day, passed)
        time.sleep(0.5)  # it looks every 0.1 s
        assert wait_until(lambda: gw.metric("gate1367_witness_late") == late and gw.metric("gate1367_witness_closed") == closed), passed
        assert fetch(gw.port, "/inspect/x", POLICE).status == (502 if closed else 200), passed
    assert gw.stop() == 0


def test_a_ledger_that_was_rolled_back_is_found_at_the_start(site):
    gw, witness = site
    gw.start()
    gw.stop()
    shutil.copytree(gw.dir / "ledger", gw.dir / "before")
    gw.start()
    for _ in range(5):
        fetch(gw.port, "/inspect/x", POLICE)
    entries = len(gw.entries())
    assert wait_until(lambda: gw.metric("gate1367_witness_size") >= entries)
    gw.stop()
    (gw.dir / "ledger/tlog/witnessed").rename(gw.dir / "witnessed")
    shutil.rmtree(gw.dir / "ledger")
    (gw.dir / "before").rename(gw.dir / "ledger")
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0, "by itself it is sound"
    assert verify_witnessed(gw, witness, "--checkpoint", "witnessed").returncode == 1
    gw.start()
    assert wait_until(lambda: "note: the witness knows another ledger" in readyz(gw)[1])
    assert gw.metric("gate1367_witness_refused") == 1 and "rolled back or forked" in gw.stderr()
    gw.stop()
    gw.config["ledger"]["witness"]["strict"] = True
    gw.write_config()
    gw.start(wait=False)
    assert gw.process.wait(20) == 2 and "knows another ledger" in gw.stderr()
    gw.process = None


def test_what_is_no_witness_is_refused_by_check(site):
    gw, witness = site
    settings = gw.config["ledger"]["witness"]
    for change, text in (({"url": "https://127.0.0.1:1"}, "is not http://ADDRESS:PORT"), ({"url": "http://witness.example"}, "is not http://"),
                         ({"verifier": Log().vkey}, "not the verifier key of a witness"), ({"every": "1ms"}, "out of bounds"),
                         ({"close": "0s"}, "sooner than the alarm")):
        gw.config["ledger"]["witness"] = {**settings, **change}
        gw.write_config()
        done = gw.command("check", "-c", "gate.json")
        assert done.returncode == 1 and text in done.stderr + done.stdout and "/ledger/witness/" in done.stderr + done.stdout, change


class Liar(http.server.BaseHTTPRequestHandler):
    """Stands where the witness stood: refuses or, with its key, answers as it would have two hours ago."""
    protocol_version, key, id, shown = "HTTP/1.1", None, "", 0

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode().split("\n\n")[1] + "\n"
        self.send_response(200 if self.key else 422)
        body = self.of_the_past(text) if self.key else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        Liar.shown += len(body) > 0

    def of_the_past(self, text):
        stamp = int(time.time()) - 7200
        raw = bytes.fromhex(self.id) + stamp.to_bytes(8, "big") + self.key.sign(f"cosignature/v1\ntime {stamp}\n{text}".encode())
        return f"{DASH}{NAME} {base64.b64encode(raw).decode()}\n".encode()

    def log_message(self, *args):
        pass


def test_who_stands_in_for_the_witness_closes_and_opens_nothing_for_good(site):
    """On the way to it anybody can refuse, and show what it signed long ago: the first holds until it is back, the second is no
    confirmation."""
    gw, witness = site
    gw.config["ledger"]["witness"].update(strict=True, close="1h", alarm="1h")
    gw.write_config()
    gw.start()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    witness.stop()
    liar = http.server.HTTPServer(("127.0.0.1", witness.port), Liar)
    thread = threading.Thread(target=liar.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 502)
        assert gw.metric("gate1367_witness_refused") == 1 and gw.process.poll() is None
        Liar.id, Liar.key = witness.id, ed25519_of(witness.dir / "w.key")
        assert wait_until(lambda: Liar.shown > 2 and gw.metric("gate1367_witness_refused") == 0)
        assert fetch(gw.port, "/inspect/x", POLICE).status == 502
    finally:
        liar.shutdown()
        thread.join(20)
        liar.server_close()
    restart(witness)
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 200)
    assert gw.stop() == 0
