#!/usr/bin/env python3
"""Trains a build that counts (preset `training`): a real gateway, real TLS, several thousand requests of every kind, so that the
counts say which code serves. What it wrote is then moved to OUT, which the release preset looks into (cmake/profile.cmake).

usage: train.py BUILD_DIRECTORY OUT"""
import gzip
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

BUILD, OUT = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
os.environ.update(GATE1367_BUILD=str(BUILD), GATE1367_BIN=str(BUILD / "gate1367"))
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness.client import ANONYMOUS, ATTORNEY, CONDUIT, OFFICER, POLICE, Client  # noqa: E402
from harness.gateway import Gateway  # noqa: E402
from harness.origin import Origin, answer  # noqa: E402
from harness.pager import Pager, number, pack as pages  # noqa: E402

from documents import Maker, dump, lines  # noqa: E402

PERSONS = 20_000
CLIENTS, REQUESTS = 4, 2200  # each
SIZES = {1: 60, 3: 30, 12: 12, 60: 6, 1000: 2}  # records in a document: how many such documents
LINES = "application/x-ndjson"
TIMEOUT = 300  # a bound of all of it: it takes some ten seconds


# ---- what is asked about

def people():
    """Source lines for the registry, with several kinds of identifiers each."""
    for n in range(PERSONS):
        serial = (n * 48_271 + 11) % 10**8
        yield {"subject": f"T-{n}", "cases": [{"id": f"T-C-{n}", "benefit": "T", "role": "principal", "status": "pending"}],
               "identifiers": [{"kind": "alien_number", "value": f"A1{serial:08}"}, {"kind": "receipt_number", "value": f"LIN19{serial:08}"},
                               {"kind": "passport", "value": f"K{serial:08}"}, {"kind": "person_id", "value": str(10**9 + n), "system": "earm"}]}


def cases():
    """A pack of our own: another system's records, whole and one by one."""
    return {"format": 1, "pack": "training", "version": "1", "profiles": [{"id": "cases", "title": "Cases", "system": "cases", "documents": [
        {"path": "/cases/list", "units": ["$.results[*]"], "counts": {"$.count": "$.results[*]"}, "complete": True, "title": "list"},
        {"path": "/cases/one/{id}", "units": ["$"], "title": "one"},
        {"path": "/cases/lines", "units": ["$"], "independent": True, "title": "lines"},
        {"path": "/cases/long", "units": ["$[*]"], "independent": True, "title": "long"}]}]}


# ---- the origin

def typed(body, kind="application/json", piece=0, **more):
    """piece: in chunks of so many bytes."""
    if not piece:
        return answer(body, content_type=kind, **more)
    head = answer(b"", content_type=kind, framing="none", headers=[("Transfer-Encoding", "chunked")])
    return head + b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + piece]), body[i:i + piece]) for i in range(0, len(body), piece)) + b"0\r\n\r\n"


def answers(protected):
    """Path (with its query) to the origin's whole answer, in the order in which they are made: always the same."""
    m, out = Maker(7, protected), {}
    for size, count in SIZES.items():
        for n in range(count):
            records = [m.person(whole=n % 3 > 0) for _ in range(size)]
            out[f"/api/persons?format={size}-{n}"] = typed(dump({"total": size, "items": records}, n % 10 == 9), piece=16000 if n % 7 == 6 else 0)
            found = [m.case() for _ in range(size)]
            out[f"/cases/list?n={size}-{n}"] = out[f"/cases/list/{size}-{n}"] = typed(dump({"count": size, "results": found}))
            out[f"/inspect/any/{size}-{n}"] = typed(dump({"data": {"byOffice": {"west": found[:5], "east": records[:5]}}, "found": size}))
    for n in range(40):
        out[f"/api/persons/{n}"] = typed(dump(m.person(whole=n % 2 == 0)))
        out[f"/cases/one/{n}"] = typed(dump(m.case()), headers=[("ETag", f'"{n}"'), ("Cache-Control", "max-age=5"), ("X-Served-By", "t")])
        out[f"/api/associates/{n}"] = typed(dump([{"personId": m.roll.randrange(10**7), "aNumber": m.number(), "name": m.name()} for _ in range(n % 9)]))
        out[f"/api/map?format={n}"] = typed(dump({"byNumber": {m.number(): m.person(False) for _ in range(n % 7)}}))
        out[f"/api/search?format={n}"] = typed(dump({"query": m.words(1, 3), "total": 2, "items": [m.person(True), m.person(True)]}))
    for n in range(4):
        out[f"/api/export.ndjson?{n}"] = typed(lines(m.person(True) for _ in range(20 * n)), LINES)
        out[f"/cases/lines?{n}"] = typed(lines(m.case() for _ in range(150 * n)), LINES, piece=3000 * n)
        out[f"/cases/long?{n}"] = typed(dump([m.case() for _ in range(100 * n)]))
    out["/api/persons/packed"] = typed(gzip.compress(b"{}"), headers=[("Content-Encoding", "gzip")])
    out["/api/persons/broken"] = typed(b'{"personId":1,"aNumber":')
    out["/api/persons/error"] = typed(b'{"error":"down"}', status=503)
    out["/api/persons/text"] = typed(b"<html>", "text/html")
    return out


def serve_origin(pipe, protected):
    prepared, pager = answers(protected), Pager(range(1, 400))
    gone = answer(b'{"error":"not found"}\n', status=404)

    def respond(request):
        if request.path.startswith("/p/"):
            return pager.respond(request)
        return prepared.get(request.target) or prepared.get(request.path) or gone

    with Origin(respond) as origin:
        pipe.send((origin.url, list(prepared)))
        pipe.recv()


# ---- the clients

def choose(roll, paths):
    """Mostly what a gateway is mostly asked for, which is small; now and then anything."""
    kind = roll.random()
    size = roll.choices([1, 3, 12, 60, 1000], [50, 25, 15, 9, 1])[0]
    if kind < .45:
        return f"/api/persons?format={size}-{roll.randrange(SIZES[size])}"
    if kind < .60:
        return f"/api/persons/{roll.randrange(44)}"
    if kind < .80:
        return f"/cases/list/{size}-{roll.randrange(SIZES[size])}" if roll.random() < .1 else f"/cases/one/{roll.randrange(44)}"
    if kind < .90:
        return roll.choice(paths)
    if kind < .95:
        return f"/p/{roll.choice('owch')}?limit={roll.choice([5, 10, 20])}" + roll.choice(["", "&offset=20", "&offset=3"])
    return roll.choice(["/", "/nothing/here", "/api/persons/9999", "/api/persons/1?include=all"])


def ask(port, seed, paths):
    """Connections of several lengths, some resumed, by everybody."""
    roll, left = random.Random(seed), REQUESTS
    while left > 0:
        who = roll.choices([POLICE, ANONYMOUS, CONDUIT, OFFICER, ATTORNEY], [50, 15, 5, 20, 10])[0]
        older = ssl.TLSVersion.TLSv1_2 if roll.random() < .1 else None
        with Client(port, who, version=older, timeout=30) as c:
            for _ in range(roll.choice([1, 4, 40, 200])):
                method = roll.choices(["GET", "HEAD", "POST", "DELETE"], [960, 20, 10, 10])[0]
                r = c.get(choose(roll, paths), method, headers=[("Accept", "application/json"), ("User-Agent", "training/1")],
                          body=b'{"q":1}' if method == "POST" else None)
                left -= 1
                if r is None or not r.complete or c.ended:
                    break
    if left > 0:
        raise AssertionError("the requests were not made")


def ask_all(gateway, paths):
    with multiprocessing.Pool(CLIENTS) as pool:
        pool.starmap(ask, [(gateway.port, seed, paths) for seed in range(CLIENTS)])


# ---- the gateway and its commands

def must(done, *good):
    if done.returncode not in (good or (0,)):
        raise AssertionError(f"{done.args}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def run_commands(gw, protected):
    m = Maker(8, protected)
    (gw.dir / "persons.json").write_bytes(dump({"total": 400, "items": [m.person(True) for _ in range(400)]}))
    (gw.dir / "export.ndjson").write_bytes(lines(m.person(True) for _ in range(400)))
    must(gw.command("check", "-c", "gate.json"), 0, 1)
    for route, name in (("/api/persons", "persons.json"), ("/api/export.ndjson", "export.ndjson")):
        must(gw.command("scan", "-c", "gate.json", "--recipient", "state-police", "--route", route, name), 0, 1)
    must(gw.command("log", "verify", "-c", "gate.json"))


def run(place, pipe):
    protected = [f"A1{(n * 48_271 + 11) % 10**8:08}" for n in range(0, PERSONS, 7)]
    pipe.send(protected)
    url, paths = pipe.recv()
    packs = [str(ROOT / "rules/section-1367.json"), str(ROOT / "rules/examples/persons-api.json"), "cases.json", "pages.json"]
    gw = Gateway(place / "gw", url, protected=people(), start=False, packs=packs, routes=[
        {"path": "/api/", "upstream": "records", "profile": "persons-api"},
        {"path": "/inspect/", "upstream": "records", "profile": "persons-api", "unprofiled": "inspect"},
        {"path": "/cases/", "upstream": "records", "profile": "cases", "unprofiled": "inspect", "restricted_methods": ["GET", "HEAD", "POST"]},
        {"path": "/p/", "upstream": "records", "profile": "paged"}])
    gw.write("cases.json", cases())
    gw.write("pages.json", pages(prefix="/p"))
    with gw:  # who fails leaves none behind
        gw.start()
        ask_all(gw, paths)
        gw.admin("/metrics")
        code = gw.stop()
    if code != 0:
        raise AssertionError(f"the gateway ended with {code}:\n{gw.stderr()[-2000:]}")
    run_commands(gw, protected)


def check(counts):
    """A worker that was killed has written nothing: then only starts were counted."""
    dumped = subprocess.run(["gcov-dump", "-l", counts / "CMakeFiles#gate.dir#src#gate#gate.c.gcda"], text=True, capture_output=True, check=True)
    most = max((int(n) for found in re.findall(r":\s+\d+: ([\d ]+)$", dumped.stdout, re.M) for n in found.split()), default=0)
    if most < CLIENTS * REQUESTS // 2:
        raise AssertionError(f"nothing of the gate ran more than {most} times: the worker did not write what it counted")


def keep(counts):
    """The counts under a name that follows from them, in place of those before."""
    files = sorted(counts.glob("*.gcda"))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    shutil.copy(BUILD / "compiler", counts)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    counts.rename(OUT / digest.hexdigest()[:12])
    return len(files)


def too_long(*_):
    raise TimeoutError(f"it took longer than {TIMEOUT} s")


def main():
    started, counts = time.monotonic(), BUILD / "profile"
    signal.signal(signal.SIGALRM, too_long)  # whatever hangs, the origin and its pipe too
    signal.alarm(TIMEOUT)
    for old in (counts, *BUILD.glob("train-*")):  # of one that was killed
        shutil.rmtree(old, ignore_errors=True)
    here, there = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="train-") as place:
        origin = multiprocessing.Process(target=lambda: serve_origin(there, there.recv()), daemon=True)
        origin.start()
        run(pathlib.Path(place), here)
        here.send("end")
        origin.join(5)
    check(counts)
    print(f"counted in {keep(counts)} files, {CLIENTS * REQUESTS} requests, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
