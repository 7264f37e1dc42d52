"""Ten thousand seeded names and numbers pass through the gateway: none of them in any file that it writes, in what it says, in an
export, an index, or a core.  Found are only those that the source itself holds."""
# ctest: release
import json
import os
import random
import signal

from canary import Canaries
from harness.client import ANONYMOUS, OFFICER, POLICE, fetch, wait_until
from harness.origin import answer

PEOPLE, A_DOCUMENT = 2500, 125
LETTERS = "bcdfghjklmnprstvz"


def word(rng):
    return "".join(rng.choice(LETTERS) + rng.choice("aeiou") for _ in range(5)).capitalize()


def person(rng, i):
    a, ssn = f"A{rng.randrange(20000000, 89999999):09}", f"{rng.randrange(100, 665):03}-{rng.randrange(1, 99):02}-{rng.randrange(1, 9999):04}"
    return {"subject": f"S-{i:06}", "given": word(rng), "surname": word(rng), "a": a, "ssn": ssn}


def source(p):
    return {"subject": p["subject"], "cases": [{"id": "C-" + p["subject"], "benefit": "U", "role": "principal", "status": "pending"}],
            "names": [{"given": p["given"], "surname": p["surname"]}],
            "identifiers": [{"kind": "alien_number", "value": p["a"]}, {"kind": "ssn", "value": p["ssn"]}]}


def record(p):
    return {"aNumber": p["a"], "ssn": p["ssn"], "name": {"given": p["given"], "surname": p["surname"]}}


def kill_a_worker(gw):
    """Whatever a core would hold must not be written: none is."""
    pid = gw.children("worker")[0]
    with open(f"/proc/{pid}/limits") as f:
        assert any(line.split()[:4] == ["Max", "core", "file", "size"] and line.split()[4:6] == ["0", "0"] for line in f)
    os.kill(pid, signal.SIGABRT)
    assert wait_until(lambda: gw.children("worker") and pid not in gw.children("worker"))
    assert not [p for p in gw.dir.rglob("*") if p.name.startswith("core")]


def test_none_is_anywhere(make_gateway, origin):
    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
    rng = random.Random(int(os.environ.get("GATE1367_SEED", "1367")))
    people = [person(rng, i) for i in range(PEOPLE)]
    values = {v for p in people for v in (p["given"], p["surname"], p["a"], p["ssn"])}
    assert len(values) > 9950
    gw = make_gateway(protected=[source(p) for p in people], workers=2)
    os.remove(gw.dir / "source.jsonl")
    pages = {f"/inspect/{i}": answer([record(p) for p in people[i * A_DOCUMENT:(i + 1) * A_DOCUMENT]]) for i in range(PEOPLE // A_DOCUMENT)}
    origin.respond = lambda r: pages[r.path.partition("?")[0]]
    for i, path in enumerate(pages):
        p = people[i * A_DOCUMENT]
        fetch(gw.port, f"{path}?name={p['surname']}&ssn={p['ssn']}", (POLICE, ANONYMOUS)[i % 2])
        assert fetch(gw.port, path, OFFICER).header("Section-1367") == f"protected; records={A_DOCUMENT}"
        fetch(gw.port, f"/nowhere/{p['a']}/{p['given']}", POLICE)
    kill_a_worker(gw)
    said = gw.admin("/metrics")[1]
    assert gw.stop() == 0
    for kind in ("csv", "cef", "sqlite"):
        assert gw.command("log", "export", "-c", "gate.json", "--format", kind, "-o", f"out.{kind}").returncode == 0
    for verb in ("quarterly", "incidents"):
        assert gw.command("report", verb, "-c", "gate.json", "--format", "html", "-o", f"{verb}.html").returncode == 0
    canaries = Canaries(sorted(values))
    canaries.assert_none(said.encode(), "metrics")
    looked = 0
    for path in sorted(gw.dir.rglob("*")):
        if path.is_file():
            canaries.assert_none(path.read_bytes(), str(path))
            looked += 1
    assert looked > 12 and canaries.found(json.dumps(record(people[7])).encode())  # the watchman is awake
