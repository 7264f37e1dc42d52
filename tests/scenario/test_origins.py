"""The origin's side: http and https, several servers, pools by class, retries, timeouts, odd but legal answers."""
import os
import signal
import socket
import ssl
import time

import pytest

from harness import gateway as g
from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, wait_until
from harness.origin import Origin, answer

PACKS = g.FEW


def upstream(servers, **more):
    servers = [servers] if isinstance(servers, str) else servers
    return {"upstreams": {"records": {"servers": servers, "timeout": {"connect": "2s", "response": "2s"}, **more}}}


def tls_context(client_ca=None):
    certs = g.certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "origin.pem", certs / "origin.key")
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def test_https_is_verified(make_gateway):
    certs = g.certificates()
    with Origin(tls=tls_context()) as o:
        good = make_gateway(o.url, config=upstream(o.url, tls={"ca": str(certs / "origin-ca.pem")}))
        with Client(good.port, POLICE) as c:
            assert [c.get("/inspect/x").status for _ in range(3)] == [200] * 3
        assert o.connections == 1
        asked = len(o.requests)
        wrong = make_gateway(o.url, config=upstream(o.url, tls={"ca": str(certs / "dhs-ca.pem")}))
        for who in (POLICE, OFFICER):
            assert fetch(wrong.port, "/inspect/x", who).status == 502
        assert len(o.requests) == asked  # nothing was said to a stranger


def test_https_with_a_client_certificate(make_gateway):
    certs = g.certificates()
    with Origin(tls=tls_context(certs / "origin-ca.pem")) as o:
        tls = {"ca": str(certs / "origin-ca.pem")}
        without = make_gateway(o.url, config=upstream(o.url, tls=dict(tls)))
        assert fetch(without.port, "/inspect/x", POLICE).status == 502
        tls.update(certificate=str(certs / "gw-client.pem"), key=str(certs / "gw-client.key"))
        assert fetch(make_gateway(o.url, config=upstream(o.url, tls=tls)).port, "/inspect/x", POLICE).status == 200


def test_https_body_that_ends_with_the_connection(make_gateway):
    """Accepted only after close_notify: an end that anybody on the way could have made is no end."""
    with Origin(tls=tls_context()) as o:
        gw = make_gateway(o.url, config=upstream(o.url, tls={"ca": str(g.certificates() / "origin-ca.pem")}))
        o.respond = lambda r: (answer([1], framing="close"), "close")
        assert fetch(gw.port, "/inspect/x", POLICE).text == "[1]"
        o.respond = lambda r: (answer([1], framing="close"), "reset")
        assert fetch(gw.port, "/inspect/x", POLICE).status == 404
        r = fetch(gw.port, "/inspect/x", OFFICER)
        assert not r.complete or r.status == 502


def test_a_dead_server_is_passed_over(make_gateway, origin):
    gw = make_gateway(config=upstream(["http://127.0.0.1:9", origin.url, "http://127.0.0.1:9"]))
    for who in (POLICE, OFFICER):
        for _ in range(4):
            assert fetch(gw.port, "/inspect/x", who).status == 200
    with Client(gw.port, POLICE) as c:
        assert c.get("/post/x", "POST", body=b"{}").status == 200  # nothing was sent before it connected


def test_servers_take_turns(make_gateway, origin):
    with Origin() as second:
        gw = make_gateway(config=upstream([origin.url, second.url], keepalive=0))
        for _ in range(6):
            assert fetch(gw.port, "/inspect/x", POLICE).status == 200
        assert (len(origin.requests), len(second.requests)) == (3, 3)


def test_connections_are_never_shared_between_classes(gateway, origin):
    of = {}
    origin.respond = lambda r: answer([])
    for i in range(6):
        fetch(gateway.port, f"/inspect/{i}", (POLICE, OFFICER, ANONYMOUS)[i % 3])
    for i, raw in enumerate(origin.raw):
        of[i] = {int(x) % 3 == 1 for x in (line.split(b"/")[2].split(b" ")[0] for line in bytes(raw).split(b"\r\n") if b"GET" in line)}
    assert origin.connections == 2 and sorted(map(len, of.values())) == [1, 1]


def test_a_dead_kept_alive_connection(gateway, origin):
    """GET is asked again on a fresh connection, POST is not."""
    #= RFC9112 9.3.1
    for method, status in (("GET", 200), ("POST", 502)):
        origin.respond = lambda r: answer([])
        assert fetch(gateway.port, "/post/x", POLICE).status == 200
        seen = []
        def respond(r):
            seen.append(r.method)
            return (b"", "close") if len(seen) == 1 else answer([])
        origin.respond = respond
        r = fetch(gateway.port, "/post/x", POLICE, method, body=b"{}" if method == "POST" else None)
        assert r.status == status and seen == [method] * (2 if method == "GET" else 1)
    # On a fresh connection nothing is asked twice.
    seen.clear()
    assert fetch(gateway.port, "/post/x", OFFICER).status == 502 and seen == ["GET"]


def test_an_idle_connection_that_the_origin_closed(gateway, origin):
    origin.respond = lambda r: (answer([]), "close")
    for _ in range(3):
        assert fetch(gateway.port, "/inspect/x", POLICE).status == 200
        assert wait_until(lambda: not origin.open)
        time.sleep(0.1)  # until it has closed, and that has been heard
    assert fetch(gateway.port, "/post/x", POLICE, "POST", body=b"{}").status == 200


def test_response_timeout(make_gateway, origin):
    gw = make_gateway(config={"upstreams": {"records": {"servers": [origin.url], "timeout": {"response": "500ms"}}}})
    origin.respond = lambda r: (b"", "hang")
    started = time.monotonic()
    for who in (POLICE, OFFICER):
        r = fetch(gw.port, "/inspect/x", who)
        assert r.status == 502
    assert 0.9 < time.monotonic() - started < 8 * g.PATIENCE
    origin.respond = lambda r: (answer([1, 2])[:-1], "hang")  # stops inside the body
    assert fetch(gw.port, "/inspect/x", POLICE).status == 404
    r = fetch(gw.port, "/inspect/x", OFFICER)
    assert r is None or r.status == 502 or not r.complete


def test_an_origin_that_trickles(make_gateway):
    """A byte now and then is not progress: who is asked for a document gets no more time than its first bytes' worth."""
    body = answer([{"a": "b" * 400}])  # half a minute of it, two minutes under sanitizers
    with Origin(lambda r: body, dribble=0.07 * g.PATIENCE) as o:
        gw = make_gateway(o.url, config=upstream(o.url, timeout={"response": "1s"}))
        started = time.monotonic()
        assert fetch(gw.port, "/inspect/x", POLICE).status == 404
        assert time.monotonic() - started < 20 * g.PATIENCE
        assert wait_until(lambda: not o.open)


def test_connect_timeout(make_gateway):
    full = socket.socket()  # a listener whose queue is full: connections hang
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = []
    for _ in range(4):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(full.getsockname())
        waiting.append(s)
    url = f"http://127.0.0.1:{full.getsockname()[1]}"
    gw = make_gateway(url, config={"upstreams": {"records": {"servers": [url], "timeout": {"connect": "300ms", "response": "60s"}}}})
    started = time.monotonic()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 502
    assert time.monotonic() - started < 30  # and not the minute that a response may take
    for s in waiting + [full]:
        s.close()


def test_interim_answers_are_swallowed(gateway, origin, pieces):
    origin.respond = lambda r: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + answer([7])
    for who in (POLICE, OFFICER):
        with Client(gateway.port, who, pieces=pieces) as c:
            c.request("/inspect/x")
            c.receive()
            while b"[7]" not in c.buffered:
                assert c.receive()
            assert c.buffered.startswith(b"HTTP/1.1 200") and b"Early" not in c.buffered


def test_body_that_ends_with_the_connection(gateway, origin, pieces):
    #= RFC9112 6.3
    origin.respond = lambda r: (answer([{"a": 1}, {"aNumber": "A012345678"}], framing="close"), "close")
    r = fetch(gateway.port, "/inspect/x", POLICE, pieces=pieces)
    assert r.text == '[{"a": 1}]' and r.header("Content-Length") == "10"
    r = fetch(gateway.port, "/inspect/x", OFFICER, pieces=pieces)
    assert r.complete and r.text == '[{"a": 1}, {"aNumber": "A012345678"}]'


@pytest.mark.parametrize("extra", [b"X", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[\"other\"]"])
def test_bytes_after_an_answer_reach_nobody(gateway, origin, extra):
    for framing in ("length", "chunked"):
        before = origin.connections
        origin.respond = lambda r: answer([1], framing=framing) + extra
        for who in (POLICE, OFFICER, POLICE, OFFICER):
            with Client(gateway.port, who) as c:
                assert c.get("/inspect/x").text == "[1]"
                assert c.read_all(0.1) == b"" and wait_until(lambda: not origin.open)
        assert origin.connections == before + 4  # such a connection is never asked again


def test_bytes_after_an_answer_are_no_answer_to_the_next(make_gateway, origin):
    """They come while the worker looks away, behind the next request: neither order lets them pass for its answer."""
    gw = make_gateway()
    forged = answer(["forged"])
    for who in (POLICE, OFFICER):
        origin.respond = lambda r: answer(["asked"])
        with Client(gw.port, who) as c:
            assert c.get("/inspect/x").text == '["asked"]'
            assert wait_until(lambda: len(origin.open) >= 1)
            worker, = gw.children("worker")
            os.kill(worker, signal.SIGSTOP)
            try:
                c.request("/inspect/x")
                time.sleep(0.1)
                for s in list(origin.open):
                    s.sendall(forged)
                time.sleep(0.1)
            finally:
                os.kill(worker, signal.SIGCONT)
            assert c.response().text == '["asked"]'


def test_an_answer_before_the_request_was_read(make_gateway):
    """The origin refuses early: its answer is delivered, and both connections end with it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gw = make_gateway(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with Client(gw.port, OFFICER) as c:
            c.request("/post/x", "POST", headers=[("Content-Length", "100000000")], body=b"x" * 1000)
            s, _ = listener.accept()
            assert s.recv(100)
            s.sendall(answer({"too": "large"}, 413))
            r = c.response()
            assert r.status == 413 and r.header("Connection") == "close" and not c.receive()
        while s.recv(65536):
            pass  # ends: no second request comes
        s.close()


def test_a_client_that_leaves_inside_its_body(gateway, origin):
    with Client(gateway.port, OFFICER) as c:
        c.request("/post/x", "POST", headers=[("Content-Length", "100000000")], body=b"x" * 1000)
        assert wait_until(lambda: origin.open)
    assert wait_until(lambda: not origin.open, 10)
    assert origin.requests == []


def test_chunks_of_the_origin(gateway, origin, pieces):
    origin.respond = lambda r: answer([{"a": "b" * 50}, {"aNumber": "A012345678"}], framing="chunked")
    assert fetch(gateway.port, "/inspect/x", POLICE, pieces=pieces).text == '[{"a": "' + "b" * 50 + '"}]'
    assert fetch(gateway.port, "/inspect/x", OFFICER, pieces=pieces).text.endswith('{"aNumber": "A012345678"}]')


def test_an_origin_that_dribbles(make_gateway):
    with Origin(lambda r: answer([{"a": 1}, {"aNumber": "A012345678"}], framing="chunked"), dribble=0.0005) as o:
        gw = make_gateway(o.url, protected=["A012345678"])
        with Client(gw.port, POLICE) as c:
            for _ in range(3):
                assert c.get("/inspect/x").text == '[{"a": 1}]'
        assert o.connections == 1


def test_large_streams_pass_to_entitled_uninspected(gateway, origin):
    """What is not read flows through: chunks of exactly 16,384 bytes where the origin declared no length."""
    body = bytes(range(256)) * 40000
    origin.respond = lambda r: (answer(body, content_type="application/octet-stream", framing="close"), "close")
    r = fetch(gateway.port, "/inspect/x", OFFICER)
    assert r.body == body and r.complete and r.header("Section-1367") == "uninspected"
    sizes, at = [], r.raw.index(b"\r\n\r\n") + 4
    while True:
        line = r.raw[at:r.raw.index(b"\r\n", at)]
        sizes.append(int(line, 16))
        at += len(line) + 2 + sizes[-1] + 2
        if sizes[-1] == 0:
            break
    assert set(sizes[:-2]) == {16384} and sum(sizes) == len(body)
    origin.respond = lambda r: answer(body, content_type="application/octet-stream")
    r = fetch(gateway.port, "/inspect/x", OFFICER)
    assert r.body == body and r.header("Content-Length") == str(len(body))


def test_bodies_that_are_read_where_they_stay(make_gateway):
    """Over http and https: whole, cut short and with bytes behind them, at the sizes around which they are read another way."""
    sizes = [8192 - 200, 8192, 65536, 65536 + 300, 262144 + 9000]
    person = '{"personId": 2, "aNumber": "A012345678"}'
    for tls in (None, tls_context()):
        with Origin(tls=tls) as o:
            more = {"tls": {"ca": str(g.certificates() / "origin-ca.pem")}} if tls else {}
            gw = make_gateway(o.url, config=upstream(o.url, **more), protected=["A012345678"])
            with Client(gw.port, POLICE) as c:
                for size in (s + d for s in sizes for d in (-1, 0, 1)):
                    filler = '{"personId": 1, "remarks": "' + "x" * (size - 100) + '"}'
                    text, left = f'{{"items": [{filler}, {person}]}}', f'{{"items": [{filler}]}}'
                    whole = answer(text.encode())
                    o.respond = lambda r, w=whole: w
                    assert c.get("/api/persons").text == left
                    o.respond = lambda r, w=whole: w + b"HTTP/1.1 200 OK\r\n\r\nA012345678"
                    assert c.get("/api/persons").text == left
                    for end in ("close", "reset"):
                        o.respond = lambda r, w=whole, e=end: (w[:-1], e)
                        got = c.get("/api/persons")
                        assert (got.status, b"A012345678" in got.body) == (404, False)
