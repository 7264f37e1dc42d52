"""The client's side: HTTP/1.1 over TLS, kept alive, pipelined, with bodies, with certificates."""
import json
import os
import socket
import ssl
import threading
import time

import pytest

from harness import gateway as g
from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, wait_until
from harness.origin import answer

PACKS = g.FEW

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def test_pipelined_requests_are_answered_in_order(gateway, origin, pieces):
    #= RFC9112 9.3.2
    def respond(r):
        time.sleep(0.05 if r.path.endswith("0") else 0)
        return answer([r.path])
    origin.respond = respond
    with Client(gateway.port, POLICE) as c:
        c.send(b"".join(b"GET /inspect/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(20)), pieces)
        assert [c.response().text for _ in range(20)] == [f'["/inspect/{i}"]' for i in range(20)]
        assert c.get("/inspect/last").text == '["/inspect/last"]'
    assert origin.connections == 1


def test_one_connection_many_recipients_of_purposes(gateway, origin):
    """The purpose comes with each request, not with the connection."""
    origin.respond = lambda r: answer([{"aNumber": "A012345678"}])
    with Client(gateway.port, OFFICER) as c:
        assert c.get("/inspect/x").header("Section-1367") == "protected; records=1"
        assert c.get("/inspect/x", purpose=False).status == 403
        assert c.get("/inspect/x").status == 200


def test_http_1_0_and_connection_close(gateway, origin, pieces):
    #= RFC9112 9.6
    with Client(gateway.port, POLICE, pieces=pieces) as c:
        c.send(b"GET /inspect/x HTTP/1.0\r\n\r\n")
        r = c.response()
        assert r.status == 200 and r.header("Connection") == "close" and not c.receive() and c.ended == "clean"
    assert origin.requests[-1].header("Host") == [origin.url[7:]]
    with Client(gateway.port, POLICE, pieces=pieces) as c:
        r = c.get("/inspect/x", headers=[("Connection", "close")])
        assert r.header("Connection") == "close" and not c.receive() and c.ended == "clean"
    with Client(gateway.port, POLICE, pieces=pieces) as c:
        assert c.get("/inspect/x").header("Connection") is None
        assert c.get("/inspect/y").status == 200


def test_expect_100_continue(gateway, origin, pieces):
    #= RFC9110 10.1.1
    origin.respond = lambda r: answer([len(r.body)])
    with Client(gateway.port, POLICE, pieces=pieces) as c:
        c.send(b"POST /post/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert wait_until(lambda: c.receive() and b"\r\n\r\n" in c.buffered)
        assert c.buffered == b"HTTP/1.1 100 Continue\r\n\r\n"
        c.send(b"hello")
        assert c.response().text == "[5]"
        # Who does not wait is not told to go on.
        c.send(b"POST /post/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
        assert c.response().text == "[5]"
        # A refusal comes instead of the word.
        c.send(b"POST /api/persons HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        r = c.response()
        assert r.status == 405 and r.header("Connection") == "close"
    assert not any(r.header("Expect") for r in origin.requests)


@pytest.mark.parametrize("who", [POLICE, OFFICER])
def test_bodies_arrive_whole(gateway, origin, who, pieces):
    origin.respond = lambda r: answer([len(r.body)])
    data = os.urandom(3000 if pieces else 300_000)
    with Client(gateway.port, who, pieces=pieces) as c:
        assert c.get("/post/x", "POST", body=data).text == f"[{len(data)}]"
        assert origin.requests[-1].body == data
        c.request("/post/x", "POST", headers=[("Transfer-Encoding", "chunked"), ("Trailer", "X-T")])
        for i in range(0, len(data), 777):
            c.send(b"%x;ext=\"1\"\r\n%s\r\n" % (len(data[i:i + 777]), data[i:i + 777]))
        c.send(b"0\r\nX-T: dropped\r\n\r\n")
        assert c.response().status == 200 and origin.requests[-1].body == data
        assert c.get("/inspect/x").status == 200
    assert b"dropped" not in b"".join(origin.raw) and b"ext=" not in b"".join(origin.raw)


def test_body_that_breaks_its_framing(gateway, origin):
    #= RFC9112 7.1
    with Client(gateway.port, POLICE) as c:
        c.send(b"POST /post/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n")
        r = c.response()
        assert r.status == 400 and r.header("Connection") == "close" and not c.receive()
    assert origin.requests == []
    refused = [e for e in gateway.entries() if e["event"] == "refusal"]
    assert [(e["status"], e["outcome"], e["method"]) for e in refused] == [(400, "refused", "POST")]


def test_back_pressure_to_a_slow_origin(make_gateway):
    """An origin that does not read holds the client back; the gateway does not hoard."""
    listener = socket.create_server(("127.0.0.1", 0))
    gw = make_gateway(f"http://127.0.0.1:{listener.getsockname()[1]}",
                      config={"upstreams": {"records": {"servers": [f"http://127.0.0.1:{listener.getsockname()[1]}"],
                                                        "timeout": {"response": "60s"}}}})
    size = 100 << 20
    sent = [0]
    with Client(gw.port, POLICE, timeout=60) as c:
        c.send(b"POST /post/x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)

        def pour():
            block = b"x" * 65536
            while sent[0] < size:
                c.socket.sendall(block)
                sent[0] += len(block)
        t = threading.Thread(target=pour, daemon=True)
        t.start()
        s, _ = listener.accept()
        last = -1
        while last != sent[0]:
            last = sent[0]
            time.sleep(1)
        assert sent[0] < 40 << 20, "everything was taken from the client although the origin read nothing"
        pid = gw.children("worker")[0]
        resident = int(next(x for x in open(f"/proc/{pid}/status") if x.startswith("VmRSS")).split()[1])
        assert resident < (400 if g.SANITIZED else 100) << 10
        got = 0
        while got < size:
            piece = s.recv(1 << 20)
            assert piece
            got += len(piece) - (piece.find(b"\r\n\r\n") + 4 if got == 0 and b"\r\n\r\n" in piece else 0)
        s.sendall(answer([1]))
        assert c.response().text == "[1]"
    listener.close()


@pytest.mark.whole("it comes byte by byte anyway")
def test_a_head_that_does_not_come(gateway):
    """408 for half a head, silence for none; the 15 seconds run from the first byte, however it dribbles."""
    with Client(gateway.port, POLICE, timeout=40) as c:
        started = time.monotonic()
        c.send(b"GET /insp")
        def dribble():
            for _ in range(10):
                time.sleep(1)
                c.send(b"e")
        threading.Thread(target=dribble, daemon=True).start()
        r = c.response()
        assert r.status == 408 and r.header("Connection") == "close" and not c.receive()
        assert 13 < time.monotonic() - started < 25 * g.PATIENCE


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_tls_versions(gateway, origin, version, pieces):
    for who, section in ((POLICE, None), (ANONYMOUS, None), (OFFICER, "none")):
        with Client(gateway.port, who, version=version, pieces=pieces) as c:
            assert c.socket.version() == {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}[version]
            assert c.get("/inspect/x").header("Section-1367") == section


def test_older_tls_is_refused(gateway):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", gateway.port)) as s, pytest.raises((ssl.SSLError, ConnectionResetError)):
        context.wrap_socket(s)


def with_mode(mode):
    certs = g.certificates()
    tls = {"certificate": str(certs / "gateway.pem"), "key": str(certs / "gateway.key"), "client_certificate": mode}
    if mode != "none":
        tls["client_ca"] = str(certs / "recipients-ca.pem")
    return {"listen": [{"address": "127.0.0.1:0", "tls": tls}]}


@pytest.mark.parametrize("mode", ["none", "optional", "required"])
def test_client_certificates(make_gateway, origin, mode):
    gw = make_gateway(config=with_mode(mode))
    if mode == "required":
        try:
            assert fetch(gw.port, "/inspect/x") is None  # no certificate, no answer
        except OSError:
            pass
    else:
        assert fetch(gw.port, "/inspect/x").status == 200
    officer = fetch(gw.port, "/inspect/x", OFFICER)
    assert officer.header("Section-1367") == (None if mode == "none" else "none")
    if mode != "none":
        try:
            assert fetch(gw.port, "/inspect/x", ("stranger", None)) is None  # by a CA that nobody trusts
        except OSError:
            pass
    gw.stop()
    assert all(r.path == "/inspect/x" for r in origin.requests) and len(origin.requests) == (1 if mode == "required" else 2)


@pytest.mark.whole("sessions are OpenSSL's; what is asked is one short line")
@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_resumed_session_is_classified_anew(make_gateway, origin, version):
    gw = make_gateway(protected=["A012345678"])
    origin.respond = lambda r: answer([{"aNumber": "A012345678"}])

    first = Client(gw.port, OFFICER, version=version)
    assert first.get("/inspect/x").header("Section-1367") == "protected; records=1"
    session, context = first.socket.session, first.context

    def resumed():
        return Client(gw.port, OFFICER, session=session, context=context)

    with resumed() as c:
        assert c.socket.session_reused
        assert c.get("/inspect/x").header("Section-1367") == "protected; records=1"
    # The table changes: the same session is somebody else now.
    table = json.loads(json.dumps(g.RECIPIENTS))
    table["recipients"] = [r for r in table["recipients"] if r["id"] != "uscis-officer"]
    gw.write("recipients.json", table)
    assert gw.reload()
    with resumed() as c:
        assert c.get("/inspect/x").status == 403  # departmental, and no entry matches
    # The CA is dropped: its sessions end, the certificate counts no more.
    config = gw.config["listen"][0]["tls"]
    config["client_ca"] = str(gw.certs / "state-ca.pem")
    gw.write_config()
    assert gw.reload()
    try:
        with resumed() as c:
            assert not c.socket.session_reused
            r = c.get("/inspect/x")
            assert r is None or r.text == "[]"
    except (ssl.SSLError, OSError):
        pass
    first.close()


def test_limits_of_a_head(make_gateway, origin):
    gw = make_gateway(config={"limits": {"header": "4KiB"}})
    assert fetch(gw.port, "/inspect/" + "a" * 5000, POLICE).status == 414
    assert fetch(gw.port, "/inspect/x", POLICE, headers=[("X", "y" * 5000)]).status == 431
    assert fetch(gw.port, "/inspect/x", POLICE, headers=[("X", "y" * 3000)]).status == 200
    assert len(origin.requests) == 1


def test_paths_with_two_readings_are_400(gateway, origin, pieces):
    for target in ("//x", "/a//b", "/./x", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a%5cb", "/a\\b", "/a;b", "/a/.", "/%2E/x"):
        for who in (POLICE, OFFICER):
            r = fetch(gateway.port, target, who, pieces=pieces)
            assert r.status == 400 and r.header("Connection") == "close", target
    assert origin.requests == []


def test_paths_and_queries_go_on_byte_for_byte(gateway, origin, pieces):
    for target in ("/inspect/a%20b", "/inspect/%C3%A9", "/inspect/a%2Ab?x=%2f;y", "/inspect/~a:b@c!$&'()*+,=", "/inspect/?"):
        assert fetch(gateway.port, target, POLICE, pieces=pieces).status == 200
        assert origin.requests[-1].target == target


def test_upgrade_is_refused_or_ignored(gateway, origin):
    r = fetch(gateway.port, "/inspect/x", POLICE, headers=[("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert r.status != 101
    assert not any(x.header("Upgrade") for x in origin.requests)


def test_a_client_that_leaves_is_on_record(gateway, origin):
    gone = threading.Event()
    def respond(r):
        gone.wait(10 * g.PATIENCE)
        return answer([{"aNumber": "A012345678"}])
    origin.respond = respond
    c = Client(gateway.port, OFFICER)
    c.request("/inspect/x")
    assert wait_until(lambda: origin.requests)
    c.close()
    gone.set()
    assert wait_until(lambda: [e for e in gateway.entries() if e["event"] == "disclosure"])
    assert wait_until(lambda: [e["aborted"] for e in gateway.entries() if e["event"] == "completion"] == [True])
