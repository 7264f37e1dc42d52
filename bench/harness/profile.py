"""Where a request's time goes: which process, which library, which symbol, which system call."""
import os
import re
import signal
import subprocess
import time

from harness import e2e, place, servers

SIZES = (4, 60, 1200)


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as f:
        return f.read().strip()


def show_processes(report, world, size, seconds):
    before = world.gate.cpu_by_process()
    result = world.ask(world.gate, size, seconds)
    after = world.gate.cpu_by_process()
    rows = []
    for p in after:
        user, system = ((after[p][i] - before[p][i]) * 1e6 / result["requests"] for i in (0, 1))
        if user + system > 0:
            rows.append([comm(p), f"{user:.1f}", f"{system:.1f}"])
    report.table(["process", "user µs a request", "system µs a request"], rows)


def perf_lines(data, sort, least):
    done = subprocess.run(["perf", "report", "-i", data, "--no-children", "-g", "none", "--percent-limit", str(least),
                           "--sort", sort, "--stdio"], capture_output=True, text=True, timeout=120, check=False)
    lines = (re.sub(r"(\s+-)+\s*$", "", line).strip() for line in done.stdout.splitlines())
    return [line for line in lines if re.match(r"\d+\.\d+%", line)]


def show_symbols(report, world, size, seconds):
    data = world.dir / f"perf-{size}.data"
    recorder = subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-o", data, "-p", ",".join(map(str, world.gate.pids)),
                                 "--", "sleep", str(seconds)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    world.ask(world.gate, size, seconds)
    recorder.wait(60)
    where, what = perf_lines(data, "comm,dso", 1), perf_lines(data, "comm,dso,symbol", 0.8)
    if not what:
        report.say("perf cannot sample on this machine.", "")
        return
    report.say("By library, then the symbols above 0.8 %:", "", "```", *where, "", *what[:40], "```", "")


def calls_of(path, requests):
    """{system call: times a request} from a table of strace -c."""
    calls = {}
    for line in path.read_text().splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found.group(2) != "total":
            calls[found.group(2)] = int(found.group(1)) / requests
    return calls


def trace(world, server, pid, size, seconds):
    table = world.dir / "calls"
    tracer = subprocess.Popen(["strace", "-c", "-f", "-qq", "-o", table, "-p", str(pid)], stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    try:
        requests = world.ask(server, size, seconds)["requests"]
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)
    return calls_of(table, requests)


def show_calls(report, world, size, seconds):
    rows = []
    for server in (world.gate, world.peers[0]):
        for pid in server.pids:
            calls = trace(world, server, pid, size, seconds)
            most = sorted(((n, c) for c, n in calls.items() if n >= 0.05), reverse=True)
            if most:
                rows.append([server.name, comm(pid), f"{sum(calls.values()):.1f}",
                             ", ".join(f"{call} {n:.2f}" for n, call in most)])
    report.say("System calls a request, traced (which slows, and so makes groups of entries larger or smaller):", "")
    report.table(["proxy", "process", "all", "which"], rows)


def run(quick):
    seconds = 1 if quick else 3
    report = place.Report("profile", ("linux-perf", "strace"))
    tools = [t for t in ("perf", "strace") if place.output("which", t)]
    with e2e.World([servers.Plain]) as world:
        for size in SIZES:
            report.say(f"## {e2e.LABEL[size]}, restricted recipient, 16 connections", "")
            show_processes(report, world, size, seconds)
            if "perf" in tools:
                show_symbols(report, world, size, seconds)
            if "strace" in tools and os.geteuid() == 0:
                show_calls(report, world, size, min(seconds, 2))
    report.close()
    return 0
