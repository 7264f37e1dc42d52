"""Published logs of any size, Go's packages that check them, and what can be done to a log."""
import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from harness import gateway as g

from programs import find

GOPATH = pathlib.Path("/usr/share/gocode")
ORIGIN = "made.example/log"


def verifier_key(name, public):
    """NAME+ID+KEY as C2SP signed-note has it."""
    typed = b"\x01" + public
    key_id = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(typed).decode()}"


class Lines:
    """A program that answers each line with one."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(x) for x in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(20) == 0


def go_checker():
    """check_log.go, built once; skipped where Go or its packages are not installed."""
    go = find("go")
    if not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("golang.org/x/mod is not installed")
    place, source = g.BUILD / "go", pathlib.Path(__file__).with_name("check_log.go")
    program = place / "check_log"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(place / "cache"), "GOFLAGS": ""}
        subprocess.run([go, "build", "-o", program, source], env=env, check=True, timeout=200)
    return Lines(program)


def memory_directory():
    """Where an fsync costs nothing: these tests are about contents."""
    return tempfile.mkdtemp(prefix="gate1367-log-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


class Log:
    """A log without a gateway: made by the code that publishes."""

    def __init__(self, key=None, word="filler"):
        self.dir = pathlib.Path(memory_directory())
        if key is not None:
            shutil.copy(key, self.dir / "key")
        done = g.run("log", "init", "--directory", self.dir / "first", "--key", self.dir / "key", "--origin", "any", "--segment", "1MiB")
        assert done.returncode == 0, done.stderr
        shutil.rmtree(self.dir / "first")
        self.public = base64.b64decode(done.stdout.strip().split("+", 2)[2])[1:]
        self.key = verifier_key(ORIGIN, self.public)
        self.root = self.dir / "tlog"
        self.maker = Lines(g.BUILD / "tests/make_log", self.dir, self.dir / "key", word)

    def grow(self, size):
        assert self.maker.ask(size) == str(size)

    def verify(self, *more):
        return g.run("log", "verify", "--directory", self.root, "--verifier", self.key, *more)

    def close(self):
        self.maker.close()
        shutil.rmtree(self.dir)
