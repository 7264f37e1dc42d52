"""The admin address (contract section 8): alive, ready or why not, counted; and nothing else."""
import http.client
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch, wait_until
from harness.origin import answer

pytestmark = pytest.mark.whole("the admin address is asked, by a client of its own; what recipients ask is one short line")
PACKS = g.FEW


def ask(gw, method, path, body=None):
    c = http.client.HTTPConnection("127.0.0.1", gw.admin_port, timeout=5 * g.PATIENCE)
    c.request(method, path, body)
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r.status, text, r


def test_pages(gateway):
    assert ask(gateway, "GET", "/healthz")[:2] == (200, "alive\n")
    assert ask(gateway, "GET", "/readyz")[:2] == (200, "ready\n")
    status, text, r = ask(gateway, "GET", "/metrics")
    assert status == 200 and r.getheader("Content-Type").startswith("text/plain; version=0.0.4")
    assert ask(gateway, "GET", "/")[0] == 404 and ask(gateway, "GET", "/metrics/x")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_get_only(gateway, method):
    for path in ("/healthz", "/readyz", "/metrics"):
        status, text, r = ask(gateway, method, path, b"x" if method in ("POST", "PUT", "PATCH") else None)
        assert status == 405 and r.getheader("Allow") == "GET"
    assert ask(gateway, "GET", "/healthz")[0] == 200


def test_nonsense(gateway):
    for data in (b"\x16\x03\x01\x02\x00", b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                 b"GET " + b"a" * 100_000 + b" HTTP/1.1\r\n"):
        with socket.create_connection(("127.0.0.1", gateway.admin_port), timeout=5 * g.PATIENCE) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            try:
                got = s.recv(4096)
            except ConnectionResetError:
                got = b""
            assert got == b"" or re.match(rb"HTTP/1.1 4\d\d ", got)
    assert ask(gateway, "GET", "/healthz")[0] == 200


LINE = re.compile(r"(gate1367_[a-z0-9_]+)(\{[a-z_]+=\"[a-zA-Z0-9_.+-]+\"(,[a-z_]+=\"[a-z0-9_]+\")*\})? [0-9.e+]+\Z")


def test_metrics_are_prometheus_text_and_count(gateway, origin):
    origin.respond = lambda r: answer([{"aNumber": "A012345678"}])
    before = {k: gateway.metric(k) for k in ("gate1367_requests_total", "gate1367_requests_restricted_total", "gate1367_ledger_entries_total")}
    for _ in range(3):
        fetch(gateway.port, "/inspect/A012345678", POLICE)
    fetch(gateway.port, "/inspect/x", OFFICER)
    assert wait_until(lambda: gateway.metric("gate1367_requests_total") == before["gate1367_requests_total"] + 4)
    text = gateway.admin("/metrics")[1]
    types, helps = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            types[line.split()[2]] = line.split()[3]
        elif line.startswith("# HELP "):
            helps.add(line.split()[2])
        else:
            found = LINE.match(line)
            assert found, line
            family = re.sub(r"_(bucket|sum|count)$", "", found.group(1))
            name = family if types.get(family) == "histogram" else found.group(1)
            assert name in types and name in helps
            assert (types[name] == "counter") == name.endswith("_total"), line
    assert gateway.metric("gate1367_requests_total") == before["gate1367_requests_total"] + 4
    assert gateway.metric("gate1367_requests_restricted_total") == before["gate1367_requests_restricted_total"] + 3
    entries = before["gate1367_ledger_entries_total"] + 8  # each with its completion, which follows the answer
    assert wait_until(lambda: gateway.metric("gate1367_ledger_entries_total") == entries)
    unnamed = re.sub(r'^(gate1367_recipient_\w+_total)\{recipient="[a-z-]+"\} ', r"\1 ", text, flags=re.M)
    assert unnamed != text and not re.search(r"12345678|state-police|uscis|/inspect", unnamed)


def test_readyz_says_why_not(make_gateway, origin):
    gw, let_go = make_gateway(), threading.Event()
    with Client(gw.port, POLICE) as c:
        assert c.get("/inspect/x").status == 200
        origin.respond = lambda r: (let_go.wait(20 * g.PATIENCE), answer([]))[1]
        c.request("/inspect/x")
        assert wait_until(lambda: len(origin.requests) == 2)
        gw.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] == (503, "no worker is serving\n"))
        assert ask(gw, "GET", "/healthz")[0] == 200
        let_go.set()
        assert c.response().status == 200


def begin(gw):
    c = socket.create_connection(("127.0.0.1", gw.admin_port), timeout=5 * g.PATIENCE)
    c.sendall(b"GET /readyz HTTP/1.1\r\n")
    return c


def finish(c):
    """Half a request earlier, its rest now: the status line, or what became of the connection."""
    with c:
        try:
            c.sendall(b"Host: x\r\n\r\n")
            return c.makefile("rb").readline()
        except OSError as e:
            return repr(e)


def test_ready_from_the_word_on_and_through_reloads(make_gateway):
    """A balancer asks all the time, for connections are taken all the time; and whoever asks in the middle of a reload is answered."""
    gw, said, waiting, done = make_gateway(workers=2), [], [], threading.Event()
    said.append(finish(begin(gw)))

    def ask_slowly():
        while waiting or not done.is_set():
            if not done.is_set():
                waiting.append(begin(gw))
            if len(waiting) > 10 or done.is_set():
                said.append(finish(waiting.pop(0)))
            time.sleep(0.01)

    asking = threading.Thread(target=ask_slowly)
    asking.start()
    try:
        for _ in range(5):
            gw.reload()
    finally:
        done.set()
        asking.join()
    assert len(said) > 15 and set(said) == {b"HTTP/1.1 200 OK\r\n"}, set(said)


def test_a_worker_that_is_stopped_but_alive(make_gateway):
    gw = make_gateway(workers=2)
    worker = gw.children("worker")[0]
    assert wait_until(lambda: gw.metric("gate1367_workers_serving") == 2)
    os.kill(worker, signal.SIGSTOP)
    assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] ==
                      (503, "a worker does not answer; the connections that it was given wait\n"))
    assert gw.metric("gate1367_workers_stalled") == 1 and gw.metric("gate1367_workers_serving") == 2
    os.kill(worker, signal.SIGCONT)
    assert wait_until(lambda: ask(gw, "GET", "/readyz")[0] == 200)


def test_a_ledger_that_failed(make_gateway, origin):
    """The scribe's I/O error is final: refusals, readyz says why, exit 74."""
    gw = make_gateway(faults="write@scribe/ready:8")
    statuses = []

    def failed():
        statuses.append(fetch(gw.port, "/inspect/x", POLICE).status)
        return statuses[-1] == 502
    assert wait_until(failed, 20) and set(statuses) <= {200, 502}
    assert [fetch(gw.port, "/inspect/x", POLICE).status for _ in range(5)] == [502] * 5  # final
    assert ask(gw, "GET", "/readyz")[:2] == (503, "the ledger could not be written\n")
    assert gw.stop() == 74


def test_a_scribe_that_cannot_begin_again(make_gateway):
    """The log was damaged while it ran, and the scribe fell: whoever succeeds it refuses to go on. It is tried twice a second, not
    as often as a processor can; readyz says so; and once the file is restored all goes on by itself."""
    gw = make_gateway(protected=["A012345678"])
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    segment = sorted((gw.dir / "ledger" / "wal").glob("*.wal"))[0]

    def flip():
        with open(segment, "r+b") as f:
            f.seek(300)
            byte = f.read(1)[0]
            f.seek(300)
            f.write(bytes([byte ^ 1]))
            f.flush()
            os.fsync(f.fileno())

    def published():
        return int((gw.dir / "ledger/tlog/checkpoint").read_text().split("\n")[1])
    assert wait_until(lambda: "completion" in [e["event"] for e in gw.entries()])
    entries = len(gw.entries())
    assert wait_until(lambda: published() >= entries)  # who publishes reads the segment too, and what he finds would be final
    flip()
    os.kill(gw.children("scribe")[0], signal.SIGKILL)
    since = time.monotonic()
    assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] == (503, "the ledger has no writer; it is being started again\n"))
    assert wait_until(lambda: gw.stderr().count('"event":"child_failed"') >= 3)
    time.sleep(1)
    tries = gw.stderr().count('"event":"child_failed"')
    assert tries <= 2 + (time.monotonic() - since) / 0.4, tries
    assert fetch(gw.port, "/inspect/x", POLICE).status == 502
    flip()
    assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] == (200, "ready\n"))
    assert fetch(gw.port, "/inspect/x", POLICE).status == 200
    assert gw.stop() == 0 and gw.command("log", "verify", "-c", "gate.json").returncode == 0


def test_a_scribe_that_is_stopped_but_alive(make_gateway):
    """As where its disk does not answer: restricted recipients wait, and whoever asks is told so, to send them elsewhere."""
    gw = make_gateway()
    assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] == (200, "ready\n"))
    scribe, = gw.children("scribe")
    os.kill(scribe, signal.SIGSTOP)
    try:
        with Client(gw.port, POLICE, timeout=60) as c:
            c.request("/inspect/x")
            assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] ==
                              (503, "the ledger's writer does not answer; what needs an entry waits\n"), 20)
            os.kill(scribe, signal.SIGCONT)
            assert c.response().status == 200
    finally:
        os.kill(scribe, signal.SIGCONT)
    assert wait_until(lambda: ask(gw, "GET", "/readyz")[:2] == (200, "ready\n"))


def test_nobody_waits_in_a_worker_that_is_dead(make_gateway):
    gw = make_gateway()
    scribe, worker = gw.children("scribe")[0], gw.children("worker")[0]
    os.kill(scribe, signal.SIGSTOP)
    try:
        with Client(gw.port, POLICE) as c:
            c.request("/inspect/x")
            assert wait_until(lambda: gw.metric("gate1367_ledger_waiting") == 1)
            os.kill(worker, signal.SIGKILL)
            assert not c.receive()
    finally:
        os.kill(scribe, signal.SIGCONT)
    assert wait_until(lambda: gw.children("worker") not in ([], [worker]))
    assert wait_until(lambda: gw.metric("gate1367_ledger_waiting") == 0)


def test_the_socket_is_for_its_owner(gateway):
    mode = (gateway.dir / "admin.sock").stat().st_mode
    assert mode & 0o777 == 0o600
    for line in (b"nonsense\n", b"{}\n", b'{"command":"stop"}\n', b'{"command":"lookup"}\n', b'{"command":"lookup","kind":"x","value":1}\n'):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5 * g.PATIENCE)
        s.connect(str(gateway.dir / "admin.sock"))
        s.sendall(line)
        got = b""
        while piece := s.recv(4096):
            got += piece
        assert json.loads(got)["status"] == "error"
        s.close()
    gateway.stop()
    assert not (gateway.dir / "admin.sock").exists()


def test_the_operational_log_is_json_lines(gateway, origin):
    fetch(gateway.port, "/inspect/x", POLICE)
    gateway.reload()
    gateway.stop()
    for line in gateway.stderr().splitlines():
        if line.startswith(("ready: ", "gate.json:")) or re.match(r"\S*gate.json:\d+|\s+\d* \||\s*\|", line):
            continue
        event = json.loads(line)
        assert list(event)[:4] == ["time", "role", "pid", "event"]
