"""Whether a restricted recipient can tell by time who is withheld from who does not exist: the gateway's own probe, as an operator runs it."""
import json
import os
import random
import subprocess

from harness import micro, people, place, servers

PACE = "10ms"
ABSENT = 90_000_777_777
LOOK_UP = """
  open_file_cache max=1000 inactive=600s;
  server {{ listen 127.0.0.1:{port}; root {documents};
    location /api/persons/ {{ rewrite ^/api/persons/(.*)$ /one-$1.json break; error_page 404 @nobody; }}
    location @nobody {{ return 404 '{{"error":"not found"}}\\n'; }} }}
"""


class Origin(servers.Origin):
    """Somebody of the registry, alone; for everybody else there is nobody."""

    def http(self):
        person = people.record(random.Random(people.SEED), True)
        self.known = person["personId"]
        (self.documents / f"one-{self.known}.json").write_text(json.dumps(person))
        return LOOK_UP.format(port=self.port, documents=self.documents)


class Gateway(servers.Gateway):
    def configure(self):
        path = self.dir / "gate.json"
        path.write_text(path.read_text().replace('"pace": "0ms"', f'"pace": "{PACE}"'))


def write_pairs(gate, certs, known):
    """Beside a private key the file has to be private itself."""
    client = {"certificate": str(certs / "state-police.pem"), "key": str(certs / "state-police.key")}
    pair = {"name": "look-up", "as": "police", "ways": ["warm"], "absent": f"/api/persons/{ABSENT}", "withheld": f"/api/persons/{known}"}
    path = gate.dir / "pairs.json"
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
        json.dump({"format": 1, "clients": {"police": client}, "pairs": [pair]}, out)
    return path


def probe(gate, pairs, count):
    command = [place.GATE, "probe", "-c", "gate.json", "--pairs", pairs, "--listener", f"127.0.0.1:{gate.port}", "--rate", "0",
               "--connections", "16", "--count", count, "--json"]
    done = subprocess.run([str(c) for c in command], cwd=gate.dir, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode == 2:
        raise RuntimeError(f"probe: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout)["series"][0]


def run(quick):
    count = 10_000 if quick else 100_000
    report = place.Report("timing", ("nginx",))
    report.say(f"{count} interleaved pairs on 16 kept connections, as fast as answers come: a person who does not exist, and one whom the "
               f"origin has and the registry protects (of {people.PERSONS}); origin: nginx; ledger durable; pace {PACE}. `gate1367 probe` "
               "compares every byte too.", "")
    directory = place.WORK / "timing"
    place.fresh(directory)
    certs = directory / "certs"
    subprocess.run(["sh", place.ROOT / "certs/make-test-certs.sh", certs], check=True, capture_output=True)
    origin = Origin(directory)
    gate = None
    try:
        gate = Gateway(origin, certs, directory)
        got = probe(gate, write_pairs(gate, certs, origin.known), count)
    finally:
        if gate is not None:
            gate.stop()
        origin.stop()
        place.remove(directory / "gate1367/ledger")
    times = got["times"]
    milliseconds = [[f"{1000 * v:.2f}" for v in times[k]] for k in ("p50", "p99")]
    report.table(["", "p50 ms", "p99 ms"], [[name, *(m[i] for m in milliseconds)] for i, name in enumerate(("absent", "withheld"))])
    micro.bars(report, [
        ("answers that differ in a byte, a field, a record, the connection", len(got["differences"]) + got["unanswered"], 0, 0, True),
        ("Kolmogorov–Smirnov, p", times["ks"]["p"], 0.01, 0.01, False),
        ("Welch's t, absolute", abs(times["welch"]["t"]), 4.5, 4.5, True)])
    report.close()
    return 0
