"""A document far larger than memory allows, whose units do not refer to each other: how much memory it takes to pass it."""
import json
import os
import re
import socket
import subprocess
import threading
import time

from harness import load, micro, people, place, servers

BLOCK = 1200  # records, about 1.2 MB
PROFILE = {"format": 1, "pack": "bench", "version": "1", "profiles": [{
    "id": "bench", "title": "Streams", "system": "earm",
    "documents": [{"path": f"/stream/{kind}", "units": [unit], "independent": True, "query": {"bytes": "any"}}
                  for kind, unit in (("list", "$.items[*]"), ("lines", "$"))]}]}
OPEN, CLOSE = {"list": b'{"items":[', "lines": b""}, {"list": b"{}]}", "lines": b"{}\n"}
TYPE = {"list": "application/json", "lines": "application/x-ndjson"}


class Origin:
    """Sends one block of records as often as it takes; `/stream/KIND?bytes=N`."""
    name = "streaming origin"

    def __init__(self, blocks):
        self.blocks = blocks
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        with s:
            head = b""
            while b"\r\n\r\n" not in head:
                got = s.recv(65536)
                if not got:
                    return
                head += got
            kind, size = re.match(rb"GET /stream/(\w+)\?bytes=(\d+)", head).groups()
            kind, block = kind.decode(), self.blocks[kind.decode()]
            times = int(size) // len(block)
            length = len(OPEN[kind]) + times * len(block) + len(CLOSE[kind])
            try:
                s.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {TYPE[kind]}\r\nContent-Length: {length}\r\n"
                          "Connection: close\r\n\r\n".encode() + OPEN[kind])
                for _ in range(times):
                    s.sendall(block)
                s.sendall(CLOSE[kind])
            except OSError:
                pass

    def stop(self):
        self.listener.close()


def blocks():
    roll = people.random.Random(people.SEED)
    records = [json.dumps(people.record(roll, n % 100 == 50), ensure_ascii=False, separators=(",", ":"))
               for n in range(BLOCK)]
    return {"list": "".join(r + "," for r in records).encode(), "lines": "".join(r + "\n" for r in records).encode()}


def config(directory):
    (directory / "stream.json").write_text(json.dumps(PROFILE))
    path = directory / "gate1367/gate.json"
    gate = json.loads(path.read_text())
    gate["rules"] = [gate["rules"][0], str(directory / "stream.json")]
    gate["routes"] = [{"path": "/stream/", "upstream": "records", "profile": "bench"}]
    path.write_text(json.dumps(gate))


class Gateway(servers.Gateway):
    def configure(self):
        config(self.dir.parent)


def follow(gate, done, peak):
    while not done.is_set():
        peak[0] = max(peak[0], gate.memory())
        done.wait(0.05)


def measure(gate, certs, kind, size):
    """What curl received, seconds, CPU seconds of the gateway, memory idle and at most."""
    before, cpu, peak, done = gate.memory(), gate.cpu(), [0], threading.Event()
    watcher = threading.Thread(target=follow, args=(gate, done, peak))
    watcher.start()
    started = time.monotonic()
    try:
        got = subprocess.run(
            ["curl", "-sk", "--cert", certs / "state-police.pem", "--key", certs / "state-police.key", "-o", os.devnull,
             "-w", "%{http_code} %{size_download}", f"https://127.0.0.1:{gate.port}/stream/{kind}?bytes={size}"],
            capture_output=True, text=True, timeout=600, check=False)
    finally:
        done.set()
        watcher.join()
    if got.returncode != 0 or not got.stdout.startswith("200 "):
        raise RuntimeError(f"stream {kind}: curl ended with {got.returncode}: {got.stdout}")
    return int(got.stdout.split()[1]), time.monotonic() - started, gate.cpu() - cpu, before, peak[0]


def run(quick):
    size = (100 if quick else 1000) * 1_000_000
    report = place.Report("stream", ("curl",))
    report.say(f"One restricted recipient, one document of {size // 1_000_000} MB whose units are `independent`, one record in a "
               f"hundred of a protected person, a registry of {people.PERSONS}, every part on record before it leaves. Memory: "
               "private memory of all processes, looked at every 50 ms.", "")
    directory = place.WORK / "stream"
    place.fresh(directory)
    subprocess.run(["sh", place.ROOT / "certs/make-test-certs.sh", directory / "certs"], check=True, capture_output=True)
    load.build()
    origin = Origin(blocks())
    gate = None
    rows, worst = [], 0
    try:
        gate = Gateway(origin, directory / "certs", directory)
        measure(gate, directory / "certs", "list", 0)
        for kind in ("list", "lines"):
            received, seconds, cpu, idle, most = measure(gate, directory / "certs", kind, size)
            over = (most - idle) / (1 << 20)
            worst = max(worst, over)
            rows.append([kind, f"{received / 1e6:.0f}", f"{seconds:.1f}", f"{size / cpu / 1e6:.0f}", f"{idle / (1 << 20):.1f}",
                         f"{over:.1f}"])
    finally:
        origin.stop()
        if gate is not None:
            gate.stop()
        place.remove(directory / "gate1367/ledger")
    report.table(["document", "MB received", "seconds", "MB/s of CPU", "MiB idle", "MiB above idle"], rows)
    micro.bars(report, [("memory for a document of independent units, MiB above idle", worst, 16, 8, True)])
    report.close()
    return 0
