"""Nothing of a protected person, and no target, in anything but the answers themselves."""
import json

from harness import gateway as g
from harness.client import ANONYMOUS, CONDUIT, OFFICER, POLICE, Client, fetch
from harness.origin import answer

CANARIES = {"number": "A012345678", "name": "Quetzalina", "surname": "Canarias", "ssn": "123-45-6789", "street": "77 Ptarmigan Way",
            "phone": "555-867-5309", "note": "Nightjar", "receipt": "EAC2190012345", "born": "1987-03-04"}
PERSON = {"personId": 90210017, "aNumber": CANARIES["number"], "name": {"given": CANARIES["name"], "surname": CANARIES["surname"]},
          "ssn": CANARIES["ssn"], "address": CANARIES["street"], "phone": CANARIES["phone"], "receipt": CANARIES["receipt"],
          "dob": CANARIES["born"], "narrative": CANARIES["note"]}
SOURCE = {"subject": "S-CANARY", "cases": [{"id": "C-CANARY", "benefit": "U", "role": "principal", "status": "pending"}],
          "names": [{"given": CANARIES["name"], "surname": CANARIES["surname"]}], "dob": CANARIES["born"],
          "identifiers": [{"kind": "alien_number", "value": CANARIES["number"]}, {"kind": "ssn", "value": CANARIES["ssn"]},
                          {"kind": "receipt_number", "value": CANARIES["receipt"]},
                          {"kind": "person_id", "value": "90210017", "system": "earm"}]}
WORDS = [w.encode() for w in list(CANARIES.values()) + ["012345678", "12345678", "123456789", "90210017", "S-CANARY", "C-CANARY", "Ptarmigan"]]


def holds(text):
    low = text.lower()
    return [w for w in WORDS if w.lower() in low]


def test_canaries(make_gateway, origin):
    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
    gw = make_gateway(protected=[SOURCE], workers=2, config={"upstreams": {"records": {
        "servers": [origin.url], "timeout": {"connect": "2s", "response": "2s"}}}})
    broken = json.dumps(PERSON).encode()[:-1]
    odd = b"HTTP/1.1 200 " + CANARIES["name"].encode() + b"\r\n" + CANARIES["number"].encode() + b": x y\r\n\r\n"
    bodies = {"/api/persons": answer({"total": 1, "items": [PERSON]}), "/api/search": answer({"query": CANARIES["name"], "total": 1, "items": [PERSON]}),
              "/inspect/one": answer(PERSON), "/inspect/list": answer([PERSON, {"personId": 1}]), "/inspect/broken": answer(broken),
              "/inspect/text": answer(json.dumps(PERSON).encode(), content_type="text/plain"),
              "/inspect/cut": (answer(PERSON)[:-20], "close"), "/inspect/error": answer(PERSON, 500),
              "/inspect/move": answer(b"", 302, headers=[("Location", "/x/" + CANARIES["number"])]),
              "/inspect/head": answer([], headers=[("X-Who", CANARIES["name"]), ("ETag", '"' + CANARIES["number"] + '"')]),
              "/inspect/odd": (odd, "close")}
    origin.respond = lambda r: odd if r.path == "/inspect/stalls" else bodies.get(r.path, answer({"personId": 90210017, **PERSON}))
    left = b""
    stalled = [Client(gw.port, who, timeout=60) for who in (POLICE, OFFICER)]  # no end comes: they wait while the others are served
    for c in stalled:
        c.request("/inspect/stalls")
    paths = list(bodies) + ["/api/persons/90210017", f"/inspect/{CANARIES['number']}", f"/nowhere/{CANARIES['number']}",
                            f"/inspect/x?name={CANARIES['name']}", f"/inspect/{CANARIES['name']};x"]
    for who in (POLICE, ANONYMOUS, CONDUIT, ("unlisted", None), ("uscis-officer", None)):
        for path in paths:
            for method in ("GET", "HEAD", "POST"):
                with Client(gw.port, who) as c:
                    c.request(path, method, headers=[("X-Note", CANARIES["note"]), ("Cookie", CANARIES["ssn"])])
                    c.response(head=method == "HEAD")
                    left += c.buffered
                r = fetch(gw.port, path, who, method)
                left += r.raw
    timed_out, shown = (c.response() for c in stalled)
    assert timed_out.status == 404 and not holds(left + timed_out.raw)
    for c in stalled:
        c.close()
    for path in paths:
        fetch(gw.port, path, OFFICER)
    gw.write("changes.jsonl", json.dumps({"op": "protect", **SOURCE}) + "\n")
    said = gw.command("registry", "apply", "-c", "gate.json", "changes.jsonl")
    asked = gw.command("registry", "lookup", "-c", "gate.json", "ssn", CANARIES["ssn"])
    gw.reload()
    metrics = gw.admin("/metrics")[1]
    assert gw.stop() == 0
    shown = gw.command("log", "list", "-c", "gate.json")
    for what, text in (("stderr", gw.stderr().encode()), ("metrics", metrics.encode()), ("ledger", gw.raw_ledger()),
                       ("log list", (shown.stdout + shown.stderr).encode()), ("index", (gw.dir / "protected.idx").read_bytes()),
                       ("journal", (gw.dir / "protected.idx.journal").read_bytes()),
                       ("apply", (said.stdout + said.stderr).encode()), ("lookup", (asked.stdout + asked.stderr).encode())):
        assert not holds(text), (what, holds(text))
    assert "/inspect" not in gw.stderr().replace("/inspect/unprofiled", "").replace('"/inspect/"', "")


def test_a_worker_holds_no_secret_file_open_and_reads_none(gateway, origin):
    """What a recipient's bytes can reach holds no path to a file, and no key but in memory."""
    import os
    fetch(gateway.port, "/inspect/x", POLICE)
    for pid in gateway.children("worker"):
        names = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not [n for n in names if n.endswith((".key", ".pem", ".json")) or "/ledger/" in n], names
        status = open(f"/proc/{pid}/status").read()
        assert "NoNewPrivs:\t1" in status and (g.SANITIZED or "Seccomp:\t2" in status)  # sanitizers need more calls
