"""A gateway of the real binary in a directory of its own: certificates, packs, registry, ledger, configuration."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("GATE1367_BIN", ROOT / "build/release/gate1367"))
BUILD = pathlib.Path(os.environ.get("GATE1367_BUILD", ROOT / "build/release"))
SANITIZED = os.environ.get("GATE1367_SANITIZED") == "1"
SUITES = pathlib.Path(os.environ.get("GATE1367_SUITES", ROOT.parent / "shared/suites"))
PATIENCE = 4 if SANITIZED else 1  # sanitized builds are slower; waits are bounds, never measurements
ORIGIN_PATIENCE = {"connect": f"{5 * PATIENCE}s", "response": f"{20 * PATIENCE}s"}  # the gateway's: a test may keep its origin waiting

SECTION, PERSONS = str(ROOT / "rules/section-1367.json"), str(ROOT / "rules/examples/persons-api.json")

# Of the shipped pack's rules some of each form: `packs=FEW` of a Gateway, `PACKS = FEW` in a file of tests. Reading and compiling all
# of them is most of what a start and a command cost; where gateways are started by the dozen, and which rules there are is no
# matter, these do.
FEW = ["few.json", PERSONS]
FEW_RULES = {"a-number", "receipt-number", "ssn", "email", "coa-384", "form-field", "form-i918"}

RECIPIENTS = {
    "format": 1,
    "departmental_issuers": [{"CN": "DHS CA4"}],
    "recipients": [
        {"id": "uscis-officer", "agency": "DHS", "component": "USCIS", "standing": "employee",
         "match": {"certificate": {"issuer": {"CN": "DHS CA4"}, "subject": {"O": "U.S. Government", "OU": "USCIS"}}},
         "purposes": ["adjudication", "enforcement"]},
        {"id": "doj-attorney", "agency": "DOJ", "component": "EOIR", "standing": "employee",
         "match": {"certificate": {"issuer": {"CN": "DOJ CA"}, "subject": {"OU": "DOJ"}}},
         "purposes": ["litigation"]},
        {"id": "leis", "agency": "DHS", "standing": "system", "conduit": True,
         "match": {"certificate": {"issuer": {"CN": "DHS CA4"}, "subject": {"CN": "leis"}}}},
        {"id": "state-police", "agency": "none", "standing": "none", "organization": "Springfield State Police",
         "address": "1 Main St, Springfield", "match": {"certificate": {"subject": {"CN": "sp-client"}}}},
    ],
}


def certificates() -> pathlib.Path:
    """Made once a build, by the project's own script."""
    place = BUILD / "test-certs"
    done = place / "done"
    script = (ROOT / "certs/make-test-certs.sh").stat().st_mtime

    def old():
        return not done.exists() or time.time() - done.stat().st_mtime > 20 * 86400 or done.stat().st_mtime < script

    if old():
        lock = BUILD / "test-certs.lock"
        with open(lock, "w") as held:
            import fcntl
            fcntl.flock(held, fcntl.LOCK_EX)
            if old():
                subprocess.run(["sh", ROOT / "certs/make-test-certs.sh", place], check=True, capture_output=True)
                done.touch()
    return place


def is_running(pid):
    """Not one that ended and waits for somebody to ask how: who inherits orphans may take its time."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def run(*args, cwd=None, env=None, timeout=60, input=None):
    """The program's command: CompletedProcess with text."""
    return subprocess.run([BIN, *map(str, args)], cwd=cwd, env={**os.environ, **(env or {})}, text=True,
                          capture_output=True, timeout=timeout * PATIENCE, input=input)


def few_rules():
    """The shipped pack without all but FEW_RULES."""
    pack = json.loads(pathlib.Path(SECTION).read_text())
    for kind in ("identifiers", "markers"):
        pack[kind] = [rule for rule in pack[kind] if rule["id"] in FEW_RULES]
    assert len(pack["identifiers"]) + len(pack["markers"]) == len(FEW_RULES)
    return pack


class Gateway:
    """with Gateway(tmp_path, origin.url, protected=[...]) as gw: gw.port …"""

    def __init__(self, directory, origin, *, protected=(), config=None, recipients=None, packs=None, routes=None,
                 workers=1, pace="0ms", faults=None, env=None, start=True, ledger=True, arguments=(), binary=None):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.certs = certificates()
        self.env = dict(env or {})
        self.arguments = list(arguments)  # further ones of serve
        self.binary = binary or BIN
        if faults:
            self.env["GATE1367_FAULTS"] = faults
        self.process = None
        self.config = {
            "format": 1,
            "listen": [{"address": "127.0.0.1:0", "tls": {
                "certificate": str(self.certs / "gateway.pem"), "key": str(self.certs / "gateway.key"),
                "client_ca": str(self.certs / "recipients-ca.pem"), "client_certificate": "optional"}}],
            "admin": {"address": "127.0.0.1:0", "socket": "admin.sock"},
            "workers": workers,
            "upstreams": {"records": {"servers": [origin] if isinstance(origin, str) else list(origin),
                                      "timeout": dict(ORIGIN_PATIENCE)}},
            "routes": routes or [
                {"path": "/api/", "upstream": "records", "profile": "persons-api"},
                {"path": "/inspect/", "upstream": "records", "profile": "persons-api", "unprofiled": "inspect"},
                {"path": "/post/", "upstream": "records", "profile": "persons-api", "unprofiled": "inspect",
                 "restricted_methods": ["GET", "HEAD", "POST"], "forward": ["x-forwarded-thing"]},
                {"path": "/public/", "upstream": "records", "profile": "persons-api", "unprofiled": "inspect",
                 "public": True},
            ],
            "recipients": "recipients.json",
            "rules": list(packs or [SECTION, PERSONS]),
            "registry": {"index": "protected.idx", "key": "protected.key"},
            "ledger": {"directory": "ledger", "key": "ledger.key", "origin": "gate1367.example/test"},
            "pace": pace,
        }
        if FEW[0] in self.config["rules"]:
            self.write(FEW[0], few_rules())
        self.config.update(config or {})
        self.write("recipients.json", recipients or RECIPIENTS)
        self.write_config()
        self.build_registry(protected)
        if ledger:
            made = run("log", "init", "-c", "gate.json", "--segment", "4MiB", cwd=self.dir)
            assert made.returncode == 0, made.stderr
            self.vkey = made.stdout.strip().splitlines()[-1]
        if start:
            self.start()

    # ---- files

    def write(self, name, content):
        text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False)
        (self.dir / name).write_text(text)
        return self.dir / name

    def write_config(self):
        return self.write("gate.json", self.config)

    def build_registry(self, protected, *more):
        """protected: source objects, or A-numbers as strings (each a person of its own)."""
        lines = []
        for i, p in enumerate(protected):
            if isinstance(p, str):
                p = {"subject": f"S-{i:06}", "cases": [{"id": f"C-{i}", "benefit": "U", "role": "principal",
                                                        "status": "pending"}],
                     "identifiers": [{"kind": "alien_number", "value": p}]}
            lines.append(json.dumps(p, ensure_ascii=False))
        self.write("source.jsonl", "".join(line + "\n" for line in lines))
        made = run("registry", "build", "source.jsonl", "-o", "protected.idx", "--key", "protected.key", *more, cwd=self.dir)
        assert made.returncode == 0, made.stdout + made.stderr

    # ---- life

    def start(self, wait=True, timeout=20):
        self.log = open(self.dir / "stderr.log", "ab")
        self.before = len(self.stderr())  # of earlier lives
        self.process = subprocess.Popen([self.binary, "serve", "-c", "gate.json", *self.arguments], cwd=self.dir, stderr=self.log,
                                        stdout=self.log, env={**os.environ, **self.env})
        if wait:
            self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=20):
        deadline = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < deadline:
            found = re.findall(r"^ready: https://127\.0\.0\.1:(\d+).* admin http://127\.0\.0\.1:(\d+)",
                               self.stderr()[self.before:], re.M)
            if found:
                self.port, self.admin_port = (int(x) for x in found[-1])
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"not ready (exit {self.process.poll()}):\n{self.stderr()}")

    def stop(self, sig=signal.SIGTERM, timeout=20):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            code = self.process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end:\n{self.stderr()}")
        self.log.close()
        self.process = None
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        text = self.stderr() if kind is None else ""
        for line in re.findall(r'^\{"time".*\}$', text, re.M):
            names = json.loads(line, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
            assert len(names) == len(set(names)), line  # who collects logs refuses such a line
        if text and SANITIZED:
            assert "ERROR: AddressSanitizer" not in text and "runtime error:" not in text and \
                "ERROR: LeakSanitizer" not in text, text[-8000:]

    def reload(self, timeout=20):
        """SIGHUP; True when the new generation took over, False when it was refused."""
        before = self.stderr()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < deadline:
            news = self.stderr()[len(before):]
            if '"event":"reloaded"' in news:
                return True
            if '"event":"reload_refused"' in news:
                return False
            time.sleep(0.02)
        raise AssertionError(f"the reload was not answered:\n{self.stderr()}")

    # ---- looking at it

    def stderr(self):
        path = self.dir / "stderr.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def children(self, role):
        """Process ids of the living children of that role."""
        listed = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "pid=,comm="], text=True,
                                capture_output=True).stdout
        return [int(line.split()[0]) for line in listed.splitlines() if line.split()[1] == f"gate:{role}"]

    def admin(self, path):
        """(status, text) of the admin address."""
        import http.client
        c = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=5 * PATIENCE)
        c.request("GET", path)
        r = c.getresponse()
        text = r.read().decode()
        c.close()
        return r.status, text

    def metric(self, name):
        for line in self.admin("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return int(line.split()[1])
        raise KeyError(name)

    def command(self, *args, **more):
        return run(*args, cwd=self.dir, **more)

    def entries(self):
        """The ledger's entries as objects, read by its own command."""
        listed = self.command("log", "list", "-c", "gate.json", "--json")
        assert listed.returncode == 0, listed.stderr
        return [json.loads(line)["entry"] for line in listed.stdout.splitlines()]

    def raw_ledger(self):
        """Every byte of every file of the ledger. What is published has another name before it has its own: then once more."""
        for _ in range(100):
            try:
                return b"".join(p.read_bytes() for p in sorted((self.dir / "ledger").rglob("*")) if p.is_file())
            except FileNotFoundError:
                time.sleep(0.02)
        raise AssertionError("the ledger's files never stay")
