# ctest: release
"""gate1367 witness serve: signs what extends what it signed last, and nothing else (C2SP tlog-witness). What it signs is
checked with another implementation of Ed25519, and the requests are spelled here."""
import base64
import hashlib
import http.client
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from harness import gateway as g

pytestmark = pytest.mark.whole("no gateway runs, and the witness reads with the readers that have tests of their own")
ORIGIN, NAME = "made.example/log", "witness.example/w1"
DASH = "\u2014 "


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(n):
    return 1 << (n - 1).bit_length() - 1


def root(leaves):
    if len(leaves) < 2:
        return leaf(leaves[0]) if leaves else hashlib.sha256(b"").digest()
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def proof(m, leaves, whole=True):
    """PROOF(m, D[n]) as RFC 6962 2.1.2 has it."""
    #= RFC6962 2.1.2
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return proof(m, leaves[:k], whole) + [root(leaves[k:])]
    return proof(m - k, leaves[k:], False) + [root(leaves[:k])]


class Log:
    """A log of Python's own making."""

    def __init__(self, origin=ORIGIN, word="entry"):
        self.key, self.origin = Ed25519PrivateKey.generate(), origin
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.leaves = [f"{word} {i}".encode() for i in range(100)]
        typed = base64.b64encode(b"\1" + self.public).decode()
        self.vkey = f"{origin}+{key_id(origin, 1, self.public).hex()}+{typed}"

    def text(self, size):
        return f"{self.origin}\n{size}\n{base64.b64encode(root(self.leaves[:size])).decode()}\n"

    def note(self, size):
        text = self.text(size)
        signed = base64.b64encode(key_id(self.origin, 1, self.public) + self.key.sign(text.encode())).decode()
        return f"{text}\n{DASH}{self.origin} {signed}\n"

    def ask(self, old, size, lines=None):
        hashes = lines if lines is not None else proof(old, self.leaves[:size]) if old else []
        return f"old {old}\n" + "".join(base64.b64encode(h).decode() + "\n" for h in hashes) + "\n" + self.note(size)


class Witness:
    def __init__(self, directory, *logs):
        self.dir = directory
        done = g.run("witness", "init", "--key", "w.key", "--name", NAME, "--state", "state", cwd=directory)
        assert done.returncode == 0, done.stderr
        self.vkey = done.stdout.strip()
        name, self.id, typed = self.vkey.split("+", 2)
        self.public = base64.b64decode(typed)[1:]
        assert name == NAME and self.id == key_id(NAME, 4, self.public).hex() and base64.b64decode(typed)[0] == 4
        (directory / "logs").write_text("# those we know\n\n" + "".join(log.vkey + "\n" for log in logs))
        self.start()

    def start(self, listen="127.0.0.1:0"):
        command = [g.BIN, "witness", "serve", "--listen", listen, "--key", "w.key", "--name", NAME, "--state", "state", "--logs", "logs"]
        self.process = subprocess.Popen([str(x) for x in command], cwd=self.dir, stderr=subprocess.PIPE, text=True)
        said, line = "", self.process.stderr.readline()
        while line and not line.startswith("ready: "):
            said, line = said + line, self.process.stderr.readline()
        self.port = int(re.fullmatch(r"ready: http://127\.0\.0\.1:(\d+)\n", line)[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        return said

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.process.stderr.close()

    def post(self, body, path="/add-checkpoint", method="POST"):
        self.connection.request(method, path, body.encode())
        r = self.connection.getresponse()
        return r.status, r.read().decode(), r.getheader("Content-Type")

    def signed(self, text, log, size):
        """That this is its cosignature/v1 over the checkpoint, made now."""
        line = re.fullmatch(f"{DASH}{re.escape(NAME)} (\\S+)\n", text)
        raw = base64.b64decode(line[1])
        stamp = int.from_bytes(raw[4:12], "big")
        assert raw[:4].hex() == self.id and abs(stamp - time.time()) < 60
        message = f"cosignature/v1\ntime {stamp}\n{log.text(size)}"
        Ed25519PublicKey.from_public_bytes(self.public).verify(raw[12:], message.encode())


@pytest.fixture
def log():
    return Log()


@pytest.fixture
def witness(tmp_path, log):
    w = Witness(tmp_path, Log("other.example/log"), log)
    yield w
    w.stop()


def test_what_grows_is_cosigned(witness, log):
    for old, size in ((0, 1), (1, 2), (2, 3), (3, 7), (7, 7), (7, 64), (64, 65), (65, 100)):
        status, text, _ = witness.post(log.ask(old, size))
        assert status == 200, (old, size, text)
        witness.signed(text, log, size)
    with pytest.raises(InvalidSignature):
        witness.signed(text, log, 99)
    # It remembers, also over a restart.
    witness.stop()
    witness.start()
    status, text, kind = witness.post(log.ask(0, 100))
    assert (status, text, kind) == (409, "100\n", "text/x.tlog.size")
    assert witness.post(log.ask(100, 100))[0] == 200


def test_what_does_not_is_refused(witness, log):
    assert witness.post(log.ask(0, 10))[0] == 200
    fork = Log(word="fork")
    fork.key, fork.public = log.key, log.public
    assert witness.post(fork.ask(10, 10))[0] == 409, "another tree of the same size"
    assert witness.post(fork.ask(10, 20))[0] == 422, "a proof of another tree"
    assert witness.post(log.ask(10, 20, []))[0] == 422
    assert witness.post(log.ask(10, 20, proof(9, log.leaves[:20])))[0] == 422
    assert witness.post(log.ask(5, 20))[:2] == (409, "10\n"), "not from where it was"
    assert witness.post(log.ask(10, 9, []))[0] == 400, "smaller than before"
    assert witness.post(Log().ask(10, 20))[0] == 403, "our name, another key"
    assert witness.post(Log("unknown.example/log").ask(0, 1))[0] == 404
    assert witness.post(log.ask(10, 20).replace("\n20\n", "\n21\n"))[0] == 403
    assert witness.post(log.ask(10, 20).split(DASH)[0])[0] == 400
    for body in ("", "old 10", "old 010\n\n" + log.note(20), "old 10\nAAAA\n\n" + log.note(20), "x" * 5000):
        assert witness.post(body)[0] == 400, body
        witness.connection.close()
    assert witness.post(log.ask(10, 20), method="GET")[0] == 405
    assert witness.post(log.ask(10, 20), path="/elsewhere")[0] == 404
    assert witness.post(log.ask(10, 20) + "x" * 40_000)[0] == 413
    witness.connection.close()
    status, text, _ = witness.post(log.ask(10, 20))
    assert status == 200, "and none of it was taken for growth"
    witness.signed(text, log, 20)


def test_a_memory_that_was_damaged_is_not_taken_for_none(witness, log):
    assert witness.post(log.ask(0, 10))[0] == 200
    state = next((witness.dir / "state").glob("*.checkpoint"))
    state.write_text(state.read_text().replace("\n10\n", "\n9\n"))
    assert witness.post(log.ask(0, 5))[0] == 500
    second = g.run("witness", "serve", "--listen", "127.0.0.1:0", "--key", "w.key", "--name", NAME, "--state", "state", "--logs", "logs",
                   cwd=witness.dir)
    assert second.returncode == 2 and "another witness" in second.stderr


def test_nobody_keeps_the_others_waiting(tmp_path):
    """One connection is served after the other: who sends a byte now and then has a few seconds of it."""
    log = Log()
    w = Witness(tmp_path, log)
    try:
        with socket.create_connection(("127.0.0.1", w.port)) as slow:
            slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n")
            stop = threading.Event()

            def trickle():
                while not stop.wait(0.5):
                    try:
                        slow.sendall(b"X")
                    except OSError:
                        return
            sender = threading.Thread(target=trickle)
            sender.start()
            assert w.post(log.ask(0, 5))[0] == 200
            stop.set()
            sender.join()
    finally:
        w.stop()
