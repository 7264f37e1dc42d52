"""What runs out: descriptors, memory for connections, time. Who was let in is served, however many want in beside him."""
import concurrent.futures
import email.utils
import pathlib
import shlex
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import gateway as g
from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, wait_until
from harness.clock import Clocks
from harness.origin import answer

pytestmark = pytest.mark.whole("how many connections there are does not depend on how they send")
PACKS = g.FEW

DESCRIPTORS = 128


@pytest.fixture
def narrow(make_gateway, tmp_path):
    """A system that allows few descriptors, and cannot be asked for more."""
    wrapper = tmp_path / "narrow"
    wrapper.write_text(f"#!/bin/sh\nexec prlimit --nofile={DESCRIPTORS} {shlex.quote(str(g.BIN))} \"$@\"\n")
    wrapper.chmod(0o755)
    return lambda **options: make_gateway(binary=wrapper, **options)


def together(n, what):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return list(pool.map(what, range(n)))


def processor_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_whoever_is_let_in_is_served(narrow, origin):
    """Descriptors ran out under those who had been let in: 502 for each whose origin could not be asked."""
    gw = narrow(workers=1)
    room = gw.metric("gate1367_connection_room")
    assert 10 < room < DESCRIPTORS / 2
    let_go = threading.Event()
    origin.respond = lambda r: (let_go.wait(30 * g.PATIENCE), answer([1]))[1]
    worker, = gw.children("worker")
    crowd = concurrent.futures.ThreadPoolExecutor(150)
    whoever = (POLICE, OFFICER, ANONYMOUS)
    asked = [crowd.submit(fetch, gw.port, "/api/persons", whoever[i % 3]) for i in range(150)]
    assert wait_until(lambda: len(origin.requests) == room)
    before = processor_ticks(worker)
    time.sleep(1)
    assert len(origin.requests) == room == gw.metric("gate1367_open_connections")
    assert processor_ticks(worker) - before < 20  # of a hundred: it waits, and does not try again and again
    assert gw.metric("gate1367_connections_rested_total") > 0
    assert gw.stderr().count('"event":"connections_full"') == 1
    let_go.set()
    assert [f.result().status for f in asked] == [200] * 150  # the others had only waited
    assert fetch(gw.port, "/api/persons", POLICE).status == 200


def test_idle_origins_make_room(narrow, origin):
    """Connections that are kept for later are worth less than who asks now."""
    gw = narrow(workers=1, routes=[{"path": f"/api/{i}/", "upstream": f"u{i}", "profile": "persons-api", "unprofiled": "inspect"} for i in range(3)],
                config={"upstreams": {f"u{i}": {"servers": [origin.url], "keepalive": 64, "timeout": g.ORIGIN_PATIENCE} for i in range(3)}})
    room = gw.metric("gate1367_connection_room")
    full = threading.Barrier(room)

    def respond(r):
        full.wait(20 * g.PATIENCE)
        return answer([1])
    origin.respond = respond
    for i in range(3):
        for who in (POLICE, OFFICER):
            got = together(room, lambda n, i=i, who=who: fetch(gw.port, f"/api/{i}/x", who, headers=[("Connection", "close")]).status)
            assert got == [200] * room


def test_a_bound_that_somebody_lowers(make_gateway, origin):
    """Out of descriptors for whatever reason: a kept connection gives its place up."""
    gw = make_gateway()
    origin.respond = lambda r: answer([1])
    worker, = gw.children("worker")
    with Client(gw.port, POLICE) as police, Client(gw.port, OFFICER) as officer:
        assert officer.get("/nowhere").status == 404
        assert police.get("/api/persons").status == 200
        taken = {int(p.name) for p in pathlib.Path(f"/proc/{worker}/fd").iterdir()}
        free = min(set(range(1000)) - taken)
        subprocess.run(["prlimit", "--pid", str(worker), f"--nofile={free}"], check=True)
        asked = origin.connections
        assert officer.get("/api/persons").status == 200 and origin.connections == asked + 1
        assert police.get("/api/persons").status == 200  # and back
        assert gw.metric("gate1367_origin_connects_total") == asked + 2


def test_who_asks_for_nothing_makes_room(narrow):
    """A crowd that only sits there keeps nobody out for the minute that a connection may be idle."""
    gw = narrow(workers=1)
    room = gw.metric("gate1367_connection_room")
    sitting = [Client(gw.port, POLICE) for _ in range(room)]
    for c in sitting[:-1]:  # all at once, for to make so many takes a slow machine longer than they may sit; the last one never asks
        c.request("/nowhere")
    assert {c.response().status for c in sitting[:-1]} == {404}
    begun = time.monotonic()
    with Client(gw.port, POLICE, timeout=20) as c:
        assert c.get("/api/persons").status == 200
    assert 3 < time.monotonic() - begun < 9 * g.PATIENCE
    assert sitting[0].read_all(3) == b"" and sitting[0].ended == "clean"
    for c in sitting:
        c.close()


def test_a_limit_of_our_own(make_gateway, origin):
    gw = make_gateway(config={"limits": {"connections": 5}})
    let_go = threading.Event()
    origin.respond = lambda r: (let_go.wait(30 * g.PATIENCE), answer([1]))[1]
    assert gw.metric("gate1367_connection_room") == 5
    crowd = concurrent.futures.ThreadPoolExecutor(20)
    asked = [crowd.submit(fetch, gw.port, "/api/persons", POLICE) for _ in range(20)]
    assert wait_until(lambda: len(origin.requests) == 5)
    time.sleep(0.5)
    assert len(origin.requests) == 5
    let_go.set()
    assert [f.result().status for f in asked] == [200] * 20


def test_more_than_the_system_allows(narrow, tmp_path):
    """Both numbers are told, by `check` and when it starts."""
    gw = narrow(config={"limits": {"connections": 1000}})
    room = gw.metric("gate1367_connection_room")
    assert f'"event":"connections_bounded","limit":1000,"fit":{room},"descriptors":{DESCRIPTORS}' in gw.stderr()
    checked = subprocess.run(["prlimit", f"--nofile={DESCRIPTORS}", g.BIN, "check", "-c", "gate.json"], cwd=gw.dir, text=True, capture_output=True)
    assert checked.returncode == 0
    assert "/limits/connections: warning: 1000 clients of a worker may need 2064 descriptors, and here a process may have 128" in checked.stderr + checked.stdout
    del gw.config["limits"]
    gw.write_config()
    checked = subprocess.run(["prlimit", f"--nofile={DESCRIPTORS}", g.BIN, "check", "-c", "gate.json"], cwd=gw.dir, text=True, capture_output=True)
    assert checked.returncode == 0 and "/limits: warning: here a process may have 128 descriptors" in checked.stderr + checked.stdout
    assert "descriptors" not in gw.command("check", "-c", "gate.json").stderr


def test_no_room_for_anybody(make_gateway, tmp_path):
    gw = make_gateway(start=False)
    started = subprocess.run(["prlimit", "--nofile=32", g.BIN, "serve", "-c", "gate.json"], cwd=gw.dir, text=True, capture_output=True,
                             timeout=30 * g.PATIENCE)
    assert started.returncode == 2 and ("RLIMIT_NOFILE of 32" in started.stderr or "Too many open files" in started.stderr), started.stderr


def private_mib(pid):
    """What is the process's own: a worker's memory that nobody else can use."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private")) / 1024


@pytest.mark.skipif(g.SANITIZED, reason="the sanitizer keeps what is freed")
def test_what_a_crowd_took_is_given_back(make_gateway, origin):
    """Exchanges, engines and the allocator's free lists stayed with a worker for ever."""
    gw = make_gateway()
    body = b'{"items":[' + b",".join(b'{"personId":%d,"note":"%s"}' % (i, b"x" * 900) for i in range(400)) + b"]}"
    origin.respond = lambda r: answer(body)
    worker, = gw.children("worker")
    assert fetch(gw.port, "/api/persons", POLICE).status == 200
    before = private_mib(worker)
    barrier = threading.Barrier(150)

    def slow(i):
        with Client(gw.port, POLICE, timeout=60) as c:
            c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            barrier.wait(60 * g.PATIENCE)
            c.request("/api/persons")
            time.sleep(1)
            return c.response().status
    assert together(150, slow) == [200] * 150
    assert wait_until(lambda: private_mib(worker) < before + 25, 25)
    assert fetch(gw.port, "/api/persons", POLICE).status == 200


def hello(announced, pieces=False):
    """What the first bytes of a ClientHello are made of (RFC 8446 4 and 5.1), and no more of it."""
    message = b"\x01" + announced.to_bytes(3, "big")
    if pieces:  # a head of four bytes in two records
        return b"\x16\x03\x01\x00\x02" + message[:2] + b"\x16\x03\x01\x40\x00" + message[2:]
    return b"\x16\x03\x01\x40\x00" + message


@pytest.mark.parametrize("sent,let_in", [(hello(131072), False), (hello(16385), False), (hello(131072, pieces=True), False),
                                         (hello(16384), True), (hello(512), True)])
@pytest.mark.parametrize("bytewise", [False, True])
def test_a_hello_that_announces_too_much(gateway, sent, let_in, bytewise):
    """128 KiB were made ready for it at once, for whoever said so in nine bytes."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=2 if let_in else 10 * g.PATIENCE) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for i in range(0, len(sent), 1 if bytewise else len(sent)):
                s.sendall(sent[i:i + (1 if bytewise else len(sent))])
                time.sleep(0.02)
            ended = s.recv(1) == b""
        except (TimeoutError, socket.timeout):
            ended = False
        except (ConnectionResetError, BrokenPipeError):
            ended = True
    assert ended != let_in
    assert fetch(gateway.port, "/api/persons", POLICE).status == 200


@pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("groups", ["X25519:P-256", "P-521:P-256"])
def test_handshakes_of_another_program(gateway, option, groups):
    """With P-521 first its hello is asked for again (RFC 8446 4.1.4)."""
    certs = g.certificates()
    for who in ("state-police", "uscis-officer"):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", option, "-groups", groups, "-quiet",
                                 "-CAfile", certs / "gateway-ca.pem", "-cert", certs / f"{who}.pem", "-key", certs / f"{who}.key", "-ign_eof"],
                                input=b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", capture_output=True, timeout=20 * g.PATIENCE)
        assert done.stdout.startswith(b"HTTP/1.1 404 "), done.stderr


def test_a_record_that_goes_on_with_a_message_is_no_hello(gateway):
    """Its first byte is whatever stands there in a certificate (RFC 5246 6.2.1): here the one that a hello begins with."""
    certs = g.certificates()
    chain = [ssl.PEM_cert_to_DER_cert(t + "-----END CERTIFICATE-----\n") for t in
             (certs / "field-officer.pem").read_text().split("-----END CERTIFICATE-----\n")[:2]]
    shown = b"".join(len(c).to_bytes(3, "big") + c for c in chain)
    message = b"\x0b" + (len(shown) + 3).to_bytes(3, "big") + len(shown).to_bytes(3, "big") + shown
    at = [i for i in range(512, len(message) - 4) if message[i] == 1 and int.from_bytes(message[i + 1:i + 4], "big") > 16384]
    done = g.subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-tls1_2", "-max_send_frag", str(at[0]), "-quiet",
                             "-CAfile", certs / "gateway-ca.pem", "-cert", certs / "field-officer.pem", "-key", certs / "field-officer.key",
                             "-cert_chain", certs / "dhs-field-ca.pem", "-ign_eof"],
                            input=b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", capture_output=True, timeout=20 * g.PATIENCE)
    assert done.stdout.startswith(b"HTTP/1.1 404 "), done.stderr


def test_certificates_without_end(gateway, tmp_path):
    """What somebody shows beside a certificate stays with the connection: three times the usual is enough."""
    certs = g.certificates()
    own, other = ((certs / f"{n}.pem").read_text() for n in ("state-police", "uscis-officer"))
    der = len(__import__("ssl").PEM_cert_to_DER_cert(other[other.index("-----BEGIN CERT"):].split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"))
    for bytes_more, good in ((16000, True), (40000, False)):
        chain = tmp_path / f"{bytes_more}.pem"
        chain.write_text(own + other * (bytes_more // der))
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-quiet", "-ign_eof", "-cert", certs / "state-police.pem",
                                 "-key", certs / "state-police.key", "-cert_chain", chain, "-CAfile", certs / "gateway-ca.pem"],
                                input=b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", capture_output=True, timeout=20 * g.PATIENCE)
        assert done.stdout.startswith(b"HTTP/1.1 404 ") == good, done.stderr


def test_heads_that_never_end(make_gateway):
    """What clients hold unread has a bound for all of them together; a request that comes whole needs none of it."""
    gw = make_gateway(config={"limits": {"document": "1MiB", "memory": "8MiB"}})
    half = b"GET /api/persons HTTP/1.1\r\nHost: localhost\r\nX-Filler: " + b"y" * 30000
    clients = [Client(gw.port, POLICE) for _ in range(100)]
    for c in clients:
        try:
            c.send(half)
        except OSError:  # between its two records
            pass
    seen = []

    def settled():  # all that was sent has been read, or nobody is there any more who would
        seen.append((gw.metric("gate1367_unread_broken_total"), gw.metric("gate1367_unread_bytes")))
        return seen[-1][0] > 0 and len(seen) > 3 and len(set(seen[-4:])) == 1
    assert wait_until(settled, every=0.1)
    broken = sum(c.read_all(0.02) == b"" and c.ended is not None for c in clients)
    assert 60 < broken < 100  # an eighth of 8 MiB is 32 of 32 KiB
    assert gw.metric("gate1367_unread_broken_total") == broken and gw.metric("gate1367_unread_room_bytes") == 1 << 20
    assert wait_until(lambda: 500_000 < gw.metric("gate1367_unread_bytes") <= 1 << 20)
    assert gw.stderr().count('"event":"unread_full","most":1048576') == 1
    assert fetch(gw.port, "/api/persons", POLICE).status == 200
    for c in clients:
        c.close()
    assert wait_until(lambda: gw.metric("gate1367_open_connections") == 0 and gw.metric("gate1367_unread_bytes") == 0)
    with Client(gw.port, POLICE) as c:  # and is given back
        c.send(half)
        time.sleep(0.2)
        c.send(b"\r\n\r\n")
        assert c.response().status == 200


def test_memory_bounds_who_comes_where_nobody_says_how_many(make_gateway):
    assert make_gateway(config={"limits": {"document": "1MiB", "memory": "10MiB"}}).metric("gate1367_connection_room") == 320
    assert make_gateway(config={"limits": {"document": "1MiB", "memory": "10MiB", "connections": 500}}).metric("gate1367_connection_room") == 500


@pytest.mark.skipif(g.SANITIZED, reason="the sanitizer's library wants to be the first one")
def test_a_clock_that_is_set(make_gateway, origin, tmp_path):
    """Back by an hour, ahead by one, back by a year: nobody waits for it, and nothing is lost; the ledger says that it was."""
    clocks = Clocks(tmp_path)
    gw = make_gateway(protected=["A012345678"], pace="20ms", env=clocks.env, config={"limits": {"requests": 1000}})
    origin.respond = lambda r: answer([{"personId": 1}, {"aNumber": "A012345678"}])
    kept, stale = Client(gw.port, POLICE), {-365 * 86400, 9 * 86400}
    for turned in (0, -3500, 3600, -365 * 86400, 9 * 86400, 0):
        clocks.turn(turned)
        for c in (kept, Client(gw.port, POLICE)):
            begun = time.monotonic()
            r = c.get("/inspect/x")
            assert r.status == (502 if turned in stale else 200) and 0.019 < time.monotonic() - begun < 2 * g.PATIENCE
            said = email.utils.parsedate_to_datetime(r.header("Date")).timestamp()
            assert abs(said - time.time() - turned) < 5 * g.PATIENCE
            if c is not kept:
                c.close()
        assert fetch(gw.port, "/inspect/x", OFFICER).header("Section-1367") == ("uninspected" if turned in stale else "protected; records=1")
        assert gw.admin("/readyz")[0] == (503 if turned in stale else 200)
    kept.close()
    assert gw.stop() == 0
    verified = gw.command("log", "verify", "-c", "gate.json")
    assert verified.returncode == 0 and "the clock was set back" in verified.stdout
    asked = [e for e in gw.entries() if e["event"] in ("disclosure", "refusal")]
    assert len(asked) == 6 * 3 and all(e["duration_us"] < 2_000_000 * g.PATIENCE for e in asked)
