"""Whose time runs: an origin that falls silent inside a stream is not waited for longer than it was given, and a client that
takes its time does not use up the origin's."""
import socket
import time

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, wait_until
from harness.origin import Origin, answer
from test_streams import make

LARGE = 12 << 20


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Origin() as origin:
        upstream = {"servers": [origin.url], "timeout": {"connect": "2s", "response": "1s"}}
        gw = make(tmp_path_factory.mktemp("clocks"), origin, config={"upstreams": {"records": upstream}, "limits": {"header": "256KiB"}})
        yield gw, origin
        gw.__exit__(None, None, None)


def large(kind):
    line = b"x" * 1000 + b"\n" if kind == "text/html" else b'{"n":"' + b"x" * 992 + b'"}\n'
    return answer(line * (LARGE // len(line)), content_type=kind)


CASES = [(OFFICER, "text/html"), (OFFICER, "application/x-ndjson"), (POLICE, "application/x-ndjson")]


@pytest.mark.parametrize("who,kind", CASES)
def test_an_origin_that_falls_silent(served, who, kind):
    gw, origin = served
    body = large(kind)
    origin.respond = lambda r: (body[:2 << 20], "hang")
    with Client(gw.port, who) as c:
        begun = time.monotonic()
        r = c.get("/s/lines")
        assert not r.complete and 0.9 < time.monotonic() - begun < 8 * g.PATIENCE


@pytest.mark.parametrize("who,kind", CASES)
def test_a_client_that_takes_its_time(served, who, kind):
    gw, origin = served
    body = large(kind)
    origin.respond = lambda r: body
    with Client(gw.port, who) as c:
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        c.request("/s/lines", headers=[("Connection", "close")])
        c.receive()
        time.sleep(2.2)
        got = c.read_all(5)
        assert c.ended == "clean" and len(got) > LARGE - 2000


def test_a_long_head_is_read_before_it_is_forgotten(served):
    """Its spans were read after its bytes had been wiped: the media type of a long head was lost."""
    gw, origin = served

    def send(s, out):
        head, _, body = out.partition(b"\r\n\r\n")
        s.sendall(head + b"\r\nX-Long: " + b"y" * 120000 + b"\r\n\r\n")
        time.sleep(0.3)
        s.sendall(body)
    origin.respond = lambda r: answer([1, 2])
    origin._send = send
    try:
        for who in (POLICE, OFFICER):
            with Client(gw.port, who) as c:
                r = c.get("/s/list")
            assert (r.status, r.body, r.header("Content-Type")) == (200, b"[1, 2]", "application/json")
    finally:
        del origin._send


def test_a_head_that_cannot_be_kept_ends_the_connection(tmp_path):
    """The request would still stand in the input, and be answered again."""
    with Origin(lambda r: answer([1])) as origin:
        gw = make(tmp_path, origin, faults="keep-head@worker/ready:1")
        with Client(gw.port, POLICE) as c:
            c.send(b"GET /s/list HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            r = c.response()
            assert (r.status, r.header("Connection")) == (502, "close") and not c.receive() and c.buffered == b""
        with Client(gw.port, POLICE) as c:
            assert c.get("/s/list").body == b"[1]" == c.get("/s/list").body
        gw.__exit__(None, None, None)
