"""What was once found open, by the name of what it was."""
import socket
import threading
import time

import pytest

from harness import gateway as g
from harness.client import POLICE, Client, fetch, normalised, wait_until
from harness.gateway import FEW
from harness.origin import answer

PACKS = FEW

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


@pytest.mark.parametrize("behind, status", [(b"\r\n", 200), (b"\r\n\r\n", 400), (b"\r\n\r\n\r\n", 400)])
def test_empty_lines_between_requests_are_judged_alike_however_they_come(gateway, origin, behind, status):
    """One is skipped, more are not: also where each comes in a piece of its own, behind which the gateway waits."""
    #= RFC9112 2.2
    origin.respond = lambda r: answer([1])
    for pieces in (1, 2, 100):
        with Client(gateway.port, POLICE) as c:
            assert c.get("/inspect/x").status == 200
            for at in range(0, len(behind), pieces):
                try:
                    c.socket.sendall(behind[at:at + pieces])
                except OSError:
                    break  # it is refused already
                time.sleep(0.05)
            try:
                c.request("/inspect/y")
            except OSError:
                pass
            assert c.response().status == status, pieces


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


def test_bytes_outside_the_charset_in_a_withheld_unit_tell_nothing(gateway, origin):
    """us-ascii with other bytes was undeliverable, also where only the withheld record held them."""
    #= 8USC1367 a(2)
    other = {"aNumber": "A011111111"}
    worlds = []
    for items in ([{"aNumber": PROTECTED, "name": "María"}, other], [other]):
        origin.respond = lambda r: answer({"total": len(items), "items": items},
                                          content_type="application/json; charset=us-ascii")
        worlds.append(normalised(fetch(gateway.port, "/api/persons", POLICE).raw))
    assert worlds[0] == worlds[1] and worlds[1].startswith(b"HTTP/1.1 200")


class HastyOrigin:
    """Answers at the request's head, or when it has the body."""

    def __init__(self, hasty):
        self.hasty, self.connections = hasty, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(s,), daemon=True).start()

    def _answer(self, s):
        with s:
            while True:
                data = b""
                while b"\r\n\r\n" not in data or not (self.hasty or data.endswith(b"hello")):
                    got = s.recv(65536)
                    if not got:
                        return
                    data += got
                s.sendall(answer([]))


@pytest.mark.parametrize("body", [b"hello", b"5\r\nhellx"], ids=["whole", "broken"])
def test_an_origin_that_answers_early_is_not_told_apart(make_gateway, body):
    """Its answer said Connection: close, and the rest of the request stayed unread; another's did not."""
    #= 8USC1367 a(2)
    seen = []
    for hasty in (True, False):
        origin = HastyOrigin(hasty)
        gateway = make_gateway(origin.url, routes=[{"path": "/api/", "upstream": "records", "profile": "persons-api",
                                                    "restricted_methods": ["GET", "HEAD", "POST"]}])
        framing = b"Content-Length: 5" if body == b"hello" else b"Transfer-Encoding: chunked"
        with Client(gateway.port, POLICE) as c:
            c.send(b"POST /api/search HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n")
            assert wait_until(lambda: origin.connections == 1)
            time.sleep(0.2)
            c.send(body)
            if body == b"hello":
                first = c.response().raw
                c.send(b"POST /api/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
                second = c.response().raw
                seen.append((normalised(first), normalised(second)))
            else:
                seen.append((normalised(c.read_all()), c.ended))
        origin.listener.shutdown(socket.SHUT_RDWR)  # else whoever waits in accept() waits on
        origin.listener.close()
    assert seen[0] == seen[1]


def test_a_slow_request_does_not_use_up_the_origins_time(make_gateway, origin):
    gateway = make_gateway(config={"upstreams": {"records": {"servers": [origin.url],
                                                             "timeout": {"connect": "2s", "response": "1s"}}}})
    with Client(gateway.port, POLICE) as c:
        c.send(b"POST /post/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
        for letter in b"hello":
            time.sleep(0.4)
            c.send(bytes([letter]))
        assert c.response().status == 200
    assert origin.requests[0].body == b"hello"


def test_a_request_under_way_at_a_reload_ends_its_connection(gateway, origin):
    """The old worker answered as if its connection could go on, and kept it for five seconds more."""
    asked, go = threading.Event(), threading.Event()

    def respond(request):
        asked.set()
        go.wait(20 * g.PATIENCE)
        return answer([])

    origin.respond = respond
    with Client(gateway.port, POLICE) as c:
        c.request("/api/persons")
        assert asked.wait(10 * g.PATIENCE) and gateway.reload()
        assert wait_until(lambda: '"event":"draining"' in gateway.stderr())
        go.set()
        assert c.response().header("Connection") == "close"
        c.read_all()
        assert c.ended == "clean"


class CarelessOrigin:
    """Does not expect a body behind GET, and takes it for the next request."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(s,), daemon=True).start()

    def _answer(self, s):
        with s:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    got = s.recv(65536)
                    if not got:
                        return
                    data += got
                head, _, data = data.partition(b"\r\n\r\n")
                time.sleep(0.2)
                s.sendall(answer([{"asked": head.split(b" ")[1].decode()}]))


def test_a_body_behind_get_does_not_ask_a_second_question(make_gateway):
    """The answer to what stood in the body became the answer to somebody's next request."""
    #= RFC9110 9.3.1
    origin = CarelessOrigin()
    gateway = make_gateway(origin.url)
    smuggled = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    with Client(gateway.port, POLICE) as c:
        c.request("/api/associates/1", body=smuggled)
        assert c.response().text == '[{"asked": "/api/associates/1"}]'
        assert c.get("/api/associates/2").text == '[{"asked": "/api/associates/2"}]'
    origin.listener.shutdown(socket.SHUT_RDWR)  # else whoever waits in accept() waits on
    origin.listener.close()


def test_the_longest_route_is_the_longest_as_it_is_read(make_gateway, origin):
    """Spelt with triplets a prefix has more bytes, and is no longer a path for that: the other one's rules hold below it."""
    origin.respond = lambda r: answer({"aNumber": "A011111111"})
    gw = make_gateway(routes=[{"path": "/%61%70%69/", "upstream": "records", "unprofiled": "inspect"},
                              {"path": "/api/no/", "upstream": "records"}])
    assert fetch(gw.port, "/api/x", POLICE).status == 200
    assert fetch(gw.port, "/api/no/x", POLICE).status == 404
