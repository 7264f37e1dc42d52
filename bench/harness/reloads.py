"""Reloads one after the other while clients ask: what fails, and what memory grows."""
import json
import signal
import statistics
import subprocess
import time

from harness import e2e, load, micro, people, place, servers

RATE, CONNECTIONS = 400, 8
ROUNDS = 20
SECONDS_TO_RELOAD, SECONDS_TO_SETTLE = 60, 60


def events(gate, name):
    return (gate.dir / "stderr.log").read_text(errors="replace").count(f'"event":"{name}"')


def reload(gate):
    before = events(gate, "reloaded"), events(gate, "reload_refused")
    gate.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + SECONDS_TO_RELOAD
    while events(gate, "reloaded") == before[0]:
        if events(gate, "reload_refused") != before[1] or time.monotonic() > deadline:
            raise RuntimeError("a reload was refused, or not answered:\n" + (gate.dir / "stderr.log").read_text()[-2000:])
        time.sleep(0.02)


def settle(gate, processes):
    """Until those that answered under older rules are gone."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while len(servers.descendants(gate.process.pid)) > processes:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(servers.descendants(gate.process.pid))} processes where {processes} began")
        time.sleep(0.1)
    time.sleep(0.5)
    gate.pids = servers.descendants(gate.process.pid)


def under_load(world, reloads):
    """What the clients tell of the time that so many reloads take."""
    options = {"path": "/api/persons?format=p4-%u", "paths": people.SIZES[4], "connections": CONNECTIONS, "rate": RATE, "seconds": 3600}
    asking = subprocess.Popen(load.arguments(world.gate, world.certs, **options), stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(reloads):
            reload(world.gate)
        asking.send_signal(signal.SIGINT)
        told = json.loads(asking.communicate(timeout=30)[0])
    finally:
        e2e.end(asking)
    return told


def run(quick):
    each = 5 if quick else 1000 // ROUNDS
    report = place.Report("reloads")
    report.say(f"{ROUNDS * each} reloads in {ROUNDS} rounds, {RATE} requests a second of 4 KB on {CONNECTIONS} connections of a restricted "
               f"recipient, one in a hundred records protected; registry of {people.PERSONS} persons, ledger durable. A request fails that is "
               "not answered in full with 200. Memory: private memory of all processes between the rounds, when those of older generations "
               "are gone; growth: the median of the later half of the rounds over that of the first, after one to warm up.", "")
    requests, failed, memory, alone = 0, 0, [], []
    started = time.monotonic()
    with e2e.World(()) as world:
        processes = len(world.gate.pids)
        for _ in range(ROUNDS + 1):
            told = under_load(world, each)
            requests, failed = requests + told["requests"], failed + told["errors"] + told["other"]
            settle(world.gate, processes)
            memory.append(world.gate.memory())
            alone.append(world.gate.memory_of(world.gate.process.pid))
    def growth(of):
        return (statistics.median(of[ROUNDS // 2 + 1:]) / statistics.median(of[1:ROUNDS // 2 + 1]) - 1) * 100
    report.table(["after round", "all processes, MiB", "supervisor, MiB"],
                 [[n, *(f"{m / (1 << 20):.1f}" for m in both)] for n, both in enumerate(zip(memory, alone))])
    report.say(f"{(ROUNDS + 1) * each} reloads, {requests} requests, {failed} failed, {time.monotonic() - started:.0f} s.", "")
    micro.bars(report, [("requests that failed", failed, 0, 0, True), ("memory growth, %", growth(memory), 1, 1, True)])
    report.close()
    return 0
