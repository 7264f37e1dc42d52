"""The prober against running gateways, but for what it says of times (test_probe.py): bytes, heads and records, what it prints, what
proves nothing, the pace that a route needs.

    #= ICE10036.2 2.1   acknowledging that a record exists is a disclosure
"""
import json
import re

import pytest

from harness import client, gateway as g
from test_probe import BREAKABLE, BREAKS, HER, LATE, NOBODY, PAGED, ROUTES, make, probe, sound, write_pairs  # noqa: F401

pytestmark = pytest.mark.whole("the prober is the client, and TLS records are what it looks at")


def test_what_it_prints(sound):
    done = probe(sound, "--count", 3)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"look-up, as police\n    warm +equal +3  too few pairs for times", done.stdout) and done.stdout.endswith("equal\n")
    asked = [e for e in sound.entries() if e["event"] == "disclosure" or e["event"] == "refusal"]
    assert {e["recipient"]["id"] for e in asked} == {"state-police", "anonymous"}


@pytest.mark.parametrize("switch", BREAKS)
def test_each_leak_in_the_bytes_is_caught(make, switch):
    #= RFC8446 5.2
    gw = make(faults=f"{switch}@worker:1+", binary=BREAKABLE)
    done = probe(gw, "--count", 4, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["verdict"] == "DIFFERENT"
    found = [d for s in said["series"] for d in s["differences"]]
    assert BREAKS[switch] in {d["kind"] for d in found}, found
    assert ("page" if "page" in switch else "look-up") in {s["name"] for s in said["series"] if s["differences"]}


def test_the_shipped_program_has_no_such_switch(make):
    """Not by name, and not by effect."""
    switch = re.compile(rb"\0(break-[a-z-]+)(?=\0)")  # a text of its own
    assert set(switch.findall(BREAKABLE.read_bytes())) == {s.encode() for s in [*BREAKS, *LATE]}
    assert switch.findall(g.BIN.read_bytes()) == []
    gw = make(faults=",".join(f"{s}@worker:1+" for s in [*BREAKS, *LATE]))
    done = probe(gw, "--count", 4)
    assert done.returncode == 0, done.stdout


def calibrate(gw, *arguments):
    done = probe(gw, "--calibrate", "--count", 30, "--connections", 2, "--json", *arguments)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_pace_that_a_route_needs(make):
    """Her record takes the origin 8 ms: more than that, for each trip, and what commits take; and whether the route has it."""
    short, long = make(pace="1ms", start=False), make(pace="1ms", start=False)
    long.config["routes"] = [{**ROUTES[0], "pace": {"floor": "60s", "grid": "1s"}}]
    long.write_config()
    for gw in (short, long):
        gw.port = 1  # nobody is asked there
    done, (said,) = calibrate(short)
    assert done.returncode == 1 and not said["enough"] and said["route"] == "/api/" and said["answers"] == 2 * 30 * 3, done.stderr
    assert said["origin_p999_ms"] >= 8 and said["pace_ms"] >= 1.2 * (said["origin_p999_ms"] + said["commit_ms"])
    done, (more,) = calibrate(long, "--trips", 3)
    assert done.returncode == 0 and more["enough"] and more["pace_ms"] >= 1.2 * 3 * 8 and more["floor_ms"] == 60000, done.stdout
    done = probe(short, "--calibrate", "--count", 30)
    assert done.returncode == 1 and re.search(r'"pace": "\d+ms"   configured: floor 1 ms, TOO SHORT', done.stdout), done.stdout
    stray = [{"name": "x", "absent": "/nowhere", "withheld": "/api/list"}]
    done = probe(short, "--calibrate", pairs=stray)
    assert done.returncode == 2 and "have no route, or not one" in done.stderr


def test_times_of_refusals_are_no_pace(make):
    """An origin that wants to know who asks is quick to say so: what follows from that would be far too short."""
    gw = make(pace="10s", start=False)
    gw.port = 1
    for path, status in (("/api/person/401", "401"), ("/api/person/503", "503")):
        refused = [{"name": "x", "as": "police", "absent": path, "withheld": path}]
        done = probe(gw, "--calibrate", "--count", 3, "--json", pairs=refused)
        assert done.returncode == 2 and done.stdout == "" and f"answered with {status}" in done.stderr, done.stdout + done.stderr


def test_a_request_that_is_none_proves_nothing(make):
    """Refused for its length, whoever it is about."""
    long = {"X-Long": "x" * 7000}
    done = probe(make(config={"limits": {"header": 4096}}), "--count", 3, pairs=[
        {"name": "x", "ways": ["warm"], **{k: {"path": f"/api/person/{who}", "headers": long} for k, who in (("absent", NOBODY), ("withheld", HER))}}])
    assert done.returncode == 2 and "proves nothing" in done.stdout, done.stdout + done.stderr


def test_the_trips_that_the_profile_allows(make):
    """As many as the gateway makes where nearly everybody is withheld."""
    gw = make(pace="1ms")
    only = [{"name": "page", "absent": "/api/pages?name=Nat&limit=10", "withheld": "/api/pages?name=Max300&limit=10"}]
    done = probe(gw, "--calibrate", "--count", 5, "--json", pairs=only)
    said = json.loads(done.stdout)
    assert said["pages"] == "/api/pages" and said["trips_always"] >= 1, said
    trips = []
    with client.Client(gw.port) as c:
        for hidden in (100, *range(246, 256), 300, 999):
            before = len(PAGED)
            assert c.get(f"/api/pages?name=Max{hidden}&limit=10").status in (200, 404)
            trips.append(len(PAGED) - before)
    assert max(trips) == said["trips"] and trips[0] < trips[-1], (trips, said)
    assert said["pace_ms"] >= 1.2 * said["trips"] * said["origin_p999_ms"]
    done = probe(gw, "--calibrate", "--count", 5, pairs=only)
    assert re.search(rf'x {said["trips"]} trips .*\n  /api/pages comes in pages: {said["trips_always"]} trips in any case, so many where', done.stdout)


def test_under_load(sound):
    done = probe(sound, "--count", 4, "--load", 200, "--json")
    load = json.loads(done.stdout)["load"]
    assert done.returncode == 0 and load["rate"] == 200 and load["answered"] > 0, done.stdout + done.stderr
    done = probe(sound, "--count", 2, "--load", 10)
    assert re.search(r"\nbeside 10 other requests a second: \d+ answered, \d+ could not be asked in time", done.stdout), done.stdout
    done = probe(sound, "--calibrate", "--load", 10)
    assert done.returncode == 2 and "--load goes with --pairs alone" in done.stderr


def test_the_file_names_protected_persons(sound):
    path = write_pairs(sound)
    path.chmod(0o640)
    done = sound.command("probe", "-c", "gate.json", "--pairs", path, "--listener", f"127.0.0.1:{sound.port}")
    assert done.returncode == 1 and "pairs.json" in done.stderr and "make it mode 0600" in done.stderr, done.stderr


def test_it_asks_nobody_else(sound, origin):
    for listener in (f"127.0.0.1:{origin.port}".replace("127.0.0.1", "127.0.0.2"), "192.0.2.1:443", "localhost:443", "127.0.0.1:0"):
        done = sound.command("probe", "-c", "gate.json", "--pairs", write_pairs(sound), "--listener", listener)
        assert done.returncode == 2 and "no listener" in done.stderr, done.stderr
    done = sound.command("probe", "-c", "gate.json", "--pairs", write_pairs(sound))
    assert done.returncode == 2 and "--listener" in done.stderr and origin.connections == 0


def test_refusals_prove_nothing(make):
    gw = make(config={"limits": {"requests": 1}})
    done = probe(gw, "--count", 3)
    assert done.returncode == 2 and "429" in done.stdout and "proves nothing" in done.stdout, done.stdout + done.stderr


def test_nobody_answers(make):
    gw = make(start=False)
    gw.port = 1
    done = probe(gw, "--count", 1)
    assert done.returncode == 2 and "connect failed" in done.stderr
