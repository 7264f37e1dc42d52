"""What was once found open, by the name of what it was."""
import json

from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, normalised, wait_until
from harness.origin import answer

PROTECTED = "A012345678"


def person(subject, *identifiers, status="pending"):
    return {"subject": subject, "cases": [{"status": status}],
            "identifiers": [{"kind": k, "value": v, **more} for k, v, more in identifiers]}


def test_bytes_behind_a_request_do_not_change_what_is_recorded(gateway, origin):
    """The head stood in the client's input while its answer was awaited; what came behind it moved it away."""
    #= ICE10036.2 5.6(1)
    waiting = []

    def respond(request):
        waiting.append(request)
        wait_until(lambda: len(waiting) < 2 or bool(gateway.more), 5)
        return answer({"total": 0, "items": []})

    gateway.more = False
    origin.respond = respond
    with Client(gateway.port, POLICE) as c:
        c.send(b"GET /api/persons?format=1 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        assert c.response().status == 200 and wait_until(lambda: len(waiting) == 2)
        c.send(b"GET /api/search HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 3000 + b"\r\n\r\n")
        assert not c.read_all(0.3)
        gateway.more = True
        assert [c.response().status for _ in range(2)] == [200, 200]
    asked = [(e["method"], e["target"]) for e in gateway.entries() if e["event"] == "disclosure"]
    assert asked == [("GET", "/api/persons"), ("GET", "/api/persons"), ("GET", "/api/search")]


def test_a_percent_encoded_prefix_is_the_same_route(make_gateway, origin):
    """/%61pi/ came in by the route of "/", whose profile does not know the keys of "/api/"."""
    #= RFC3986 6.2.2.2
    gateway = make_gateway(
        protected=[person("S-1", ("person_id", "90210017", {"system": "earm"}))],
        routes=[{"path": "/api/", "upstream": "records", "profile": "persons-api"},
                {"path": "/", "upstream": "records", "unprofiled": "inspect"}])
    origin.respond = lambda r: answer({"total": 1, "items": [{"personId": 90210017, "officerNotes": "x"}]})
    for path in ("/api/persons", "/%61pi/persons", "/%61%70%69/%70ersons"):
        assert fetch(gateway.port, path, POLICE).text == '{"total": 0, "items": []}', path


def test_a_method_of_ones_own_is_not_written_down(gateway):
    #= 8USC1367 a(2)
    assert fetch(gateway.port, "/api/persons", POLICE, "GARCIA-" + PROTECTED).status == 405
    assert [e["method"] for e in gateway.entries() if e["event"] == "refusal"] == ["other"]
    assert PROTECTED.encode() not in gateway.raw_ledger()


def test_many_subjects_stand_in_the_ledger_once(make_gateway, origin):
    """An entry of more parts than the ring holds was begun anew each time that the ring had room, until memory ended."""
    #= ICE10036.2 5.6(1)
    numbers = [f"A{100000000 + i}" for i in range(60000)]
    gateway = make_gateway(protected=numbers)
    origin.respond = lambda r: answer({"total": len(numbers), "items": [{"aNumber": n} for n in numbers]})
    assert fetch(gateway.port, "/api/persons", POLICE).text == '{"total": 0, "items": []}'
    entries = [e for e in gateway.entries() if e["event"] == "disclosure"]
    assert [e["part"] for e in entries] == list(range(1, len(entries) + 1))
    assert [e["last"] for e in entries] == [False] * (len(entries) - 1) + [True]
    assert len({s for e in entries for s in e["subjects"]}) == sum(len(e["subjects"]) for e in entries) == len(numbers)
