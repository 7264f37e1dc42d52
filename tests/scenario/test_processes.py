"""Supervisor, workers, scribe, admin: deaths, reloads, drains."""
# ctest: timeout=400
import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch, wait_until
from harness.origin import answer

pytestmark = pytest.mark.whole("processes that live and die under load: what clients send in does not matter")
PACKS = g.FEW

FOUND = [{"personId": 1}, {"aNumber": "A012345678"}]
VISIBLE = '[{"personId": 1}]'


class Load:
    """Clients that ask without a pause; a connection that ends between two requests is opened anew."""

    def __init__(self, gateway, clients=4, keep=True):
        self.gateway, self.keep, self.stop = gateway, keep, threading.Event()
        self.good, self.bad = 0, []
        self.threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def _ask(self):
        c = None
        while not self.stop.is_set():
            try:
                if c is None:
                    c = Client(self.gateway.port, POLICE)
                r = c.get("/inspect/x")
                if r is None:  # closed before it answered: an idle connection may end at any time
                    c = None
                    continue
                if r.status == 200 and r.text == VISIBLE and r.complete:
                    self.good += 1
                else:
                    self.bad.append((r.status, r.body))
                if r.header("Connection") == "close" or not self.keep:
                    c.close()
                    c = None
            except OSError as e:
                self.bad.append(repr(e))
                c = None

    def until(self, good):
        """So many good answers in all."""
        assert wait_until(lambda: self.good >= good, 30), (self.good, self.bad[:5])
        return self

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(20)
        return self.good, self.bad


@pytest.fixture
def found(origin):
    origin.respond = lambda r: answer(FOUND)
    return origin


def test_a_killed_worker_is_replaced_and_nobody_else_notices(make_gateway, found):
    gw = make_gateway(protected=["A012345678"], workers=2)
    bystanders = {}
    for _ in range(40):  # connections until each worker has one
        c = Client(gw.port, POLICE)
        assert c.get("/inspect/x").text == VISIBLE
        inode = owner_of(c, gw)
        bystanders.setdefault(inode, []).append(c)
        if len(bystanders) == 2:
            break
    assert len(bystanders) == 2
    victim, other = list(bystanders)
    os.kill(victim, signal.SIGKILL)
    for c in bystanders[other]:
        for _ in range(20):
            assert c.get("/inspect/x").text == VISIBLE
    for c in bystanders[victim]:
        assert not c.receive()
    assert wait_until(lambda: len(gw.children("worker")) == 2 and victim not in gw.children("worker"))
    assert wait_until(lambda: gw.metric("gate1367_workers") == 2 if "gate1367_workers " in gw.admin("/metrics")[1] else True)
    good, bad = Load(gw, keep=False).until(20).end()
    assert good > 10 and not bad


def owner_of(client, gw):
    """The worker that holds the other end of this connection."""
    mine, theirs = client.socket.getsockname()[1], client.socket.getpeername()[1]
    wanted = None
    for line in open("/proc/net/tcp").read().splitlines()[1:]:
        f = line.split()
        if f[1].endswith(f":{theirs:04X}") and f[2].endswith(f":{mine:04X}"):
            wanted = f"socket:[{f[9]}]"
    for pid in gw.children("worker"):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{fd}") == wanted:
                    return pid
            except OSError:
                pass
    return None


def test_workers_killed_under_load(make_gateway, found):
    """Only connections of the dead worker break; whoever comes anew is served."""
    gw = make_gateway(protected=["A012345678"], workers=2)
    load = Load(gw)
    for i in range(3):
        load.until(10 * (i + 1))
        killed = gw.children("worker")[0]
        os.kill(killed, signal.SIGKILL)  # it is listed until it is reaped
        assert wait_until(lambda: killed not in gw.children("worker") and len(gw.children("worker")) == 2)
    good, bad = load.until(load.good + 10).end()
    assert good > 20 and all("Error" in str(b) for b in bad) and len(bad) <= 3 * 4 * 2, bad  # broken connections, no wrong answer
    assert fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE


def test_what_a_killed_worker_waited_for_nobody_waits_for(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    scribe, = gw.children("scribe")
    os.kill(scribe, signal.SIGSTOP)
    try:
        with Client(gw.port, POLICE) as c:
            c.request("/inspect/x")
            assert wait_until(lambda: gw.metric("gate1367_ledger_waiting") == 1)
            os.kill(gw.children("worker")[0], signal.SIGKILL)
            assert not c.receive()
    finally:
        os.kill(scribe, signal.SIGCONT)
    assert wait_until(lambda: gw.metric("gate1367_workers_serving") == 1)
    assert fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE
    assert gw.metric("gate1367_ledger_waiting") == 0


def test_a_killed_scribe_makes_refusals_then_recovers(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    load = Load(gw).until(20)
    workers, scribe = gw.children("worker"), gw.children("scribe")[0]
    os.kill(scribe, signal.SIGKILL)
    assert wait_until(lambda: gw.children("scribe") not in ([], [scribe]))
    assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 200)
    good, bad = load.until(load.good + 10).end()
    assert good > 10 and all(b[0] == 502 for b in bad), bad
    assert gw.children("worker") == workers
    assert gw.stop() == 0
    verified = gw.command("log", "verify", "-c", "gate.json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    requests = {e["request"] for e in gw.entries() if e["event"] == "disclosure"}
    assert len(requests) >= good  # whatever was answered is on record


def test_nothing_leaves_before_its_entry_is_durable(gateway, found):
    #= ICE10036.2 5.6(1)
    with Client(gateway.port, POLICE) as a, Client(gateway.port, OFFICER) as b:
        assert a.get("/inspect/x").status == 200 and b.get("/inspect/x").status == 200
        def told():
            events = [e["event"] for e in gateway.entries()]
            return events.count("disclosure"), events.count("completion")
        assert wait_until(lambda: told() == (2, 2)), told()  # completions come in their own time
        before = len(gateway.entries())
        scribe = gateway.children("scribe")[0]
        os.kill(scribe, signal.SIGSTOP)
        try:
            for c in (a, b):
                c.request("/inspect/x")
                assert c.read_all(1) == b""
            assert len(gateway.entries()) == before
        finally:
            os.kill(scribe, signal.SIGCONT)
        assert a.response().text == VISIBLE and b.response().header("Section-1367") == "protected; records=1"
    assert wait_until(lambda: told() == (4, 4)), told()


def test_a_bad_file_keeps_the_old_and_says_why(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    good = (gw.dir / "gate.json").read_text()
    for broken in ('{"format": 1,', good.replace('"routes"', '"rutes"'), good.replace("recipients.json", "nowhere.json")):
        (gw.dir / "gate.json").write_text(broken)
        assert gw.reload() is False
        last = [json.loads(x) for x in gw.stderr().splitlines() if '"reload_refused"' in x][-1]
        assert "gate.json" in last["reason"] or "nowhere.json" in last["reason"]
        assert fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE
    (gw.dir / "gate.json").write_text(good)
    gw.write("recipients.json", {"format": 1, "recipients": "none"})
    assert gw.reload() is False
    gw.write("recipients.json", g.RECIPIENTS)
    assert gw.reload() is True


@pytest.mark.parametrize("change", ["listen", "workers", "admin", "ledger"])
def test_keys_that_need_a_restart(make_gateway, found, change):
    gw = make_gateway(protected=["A012345678"])
    if change == "listen":
        gw.config["listen"][0]["address"] = "127.0.0.2:0"
    elif change == "workers":
        gw.config["workers"] = 2
    elif change == "admin":
        gw.config["admin"]["address"] = "127.0.0.2:0"
    else:
        gw.config["ledger"]["origin"] = "gate1367.example/other"
    gw.write_config()
    assert gw.reload() is False
    assert "restart" in [json.loads(x) for x in gw.stderr().splitlines() if '"reload_refused"' in x][-1]["reason"]
    assert fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE


def test_reloads_under_load(make_gateway, found):
    """Thirty generations, and not one failed request."""
    gw = make_gateway(protected=["A012345678"], workers=2)
    load = Load(gw)
    for i in range(6 if g.SANITIZED else 30):
        gw.config["pace"] = f"{i % 2}ms"
        gw.write_config()
        assert gw.reload(60) is True
    good, bad = load.end()
    assert good > 30 and not bad, (good, bad)
    assert wait_until(lambda: len(gw.children("worker")) == 2, 20)
    assert len(gw.children("admin")) == 1 and len(gw.children("scribe")) == 1
    assert gw.stop() == 0
    assert gw.command("log", "verify", "-c", "gate.json").returncode == 0


@pytest.mark.skipif(g.SANITIZED, reason="sanitizers keep what is freed")
def test_a_reload_keeps_no_memory(make_gateway, found):
    """What loading took is given back before the new processes are made of it."""
    gw = make_gateway(protected=["A012345678"])

    def resident(pid):
        with open(f"/proc/{pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))
    before = resident(gw.process.pid), resident(gw.children("worker")[0])
    for _ in range(4):
        assert gw.reload()
    assert wait_until(lambda: len(gw.children("worker")) == 1, 20)
    after = resident(gw.process.pid), resident(gw.children("worker")[0])
    assert after[0] < 1.6 * before[0] and after[1] < 2 * before[1], (before, after)


def test_a_reload_changes_what_is_served(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    old = Client(gw.port, POLICE)
    assert old.get("/inspect/x").text == VISIBLE
    gw.config["routes"] = [r for r in gw.config["routes"] if r["path"] != "/inspect/"]
    gw.write_config()
    assert gw.reload()
    assert fetch(gw.port, "/inspect/x", POLICE).status == 404
    r = old.get("/inspect/x")  # an old connection ends with its current answer
    assert r is None or r.header("Connection") == "close"
    old.close()


def test_an_idle_connection_of_the_old_generation_ends(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    with Client(gw.port, POLICE, timeout=20) as c:
        assert c.get("/inspect/x").status == 200
        gw.reload()
        assert not c.receive() and c.ended == "clean"
        ended = time.time()
    draining, = [json.loads(line) for line in gw.stderr().splitlines() if '"event":"draining"' in line]
    assert 3 < ended - datetime.datetime.fromisoformat(draining["time"]).timestamp() < 12 * g.PATIENCE


@pytest.mark.parametrize("sig", [signal.SIGHUP, signal.SIGTERM])
def test_who_was_in_the_handshake_is_answered_once(make_gateway, found, sig):
    """Accepted before the draining began: nobody else will answer him, and he does not know why."""
    gw = make_gateway(protected=["A012345678"])

    def drain():
        assert wait_until(lambda: gw.metric("gate1367_connections_total") == 1)
        gw.process.send_signal(sig)
        assert wait_until(lambda: '"event":"draining"' in gw.stderr(), 20)
    with Client(gw.port, POLICE, between=drain) as c:
        r = c.get("/inspect/x")
        assert r is not None and r.text == VISIBLE and r.header("Connection") == "close"
    assert sig == signal.SIGHUP or gw.process.wait(20 * g.PATIENCE) == 0


@pytest.mark.parametrize("sig", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_others_rotate_logs_by_ends_nobody(gateway, sig):
    """`killall -USR1`, as scripts for nginx send it, reaches each process."""
    before = [p for role in ("worker", "scribe", "admin") for p in gateway.children(role)]
    for pid in [gateway.process.pid, *before]:
        os.kill(pid, sig)
    time.sleep(0.3)
    with Client(gateway.port, POLICE) as c:
        assert c.get("/inspect/x").status == 200
    assert [p for role in ("worker", "scribe", "admin") for p in gateway.children(role)] == before and len(before) >= 3
    assert gateway.process.poll() is None


class HeldFile:
    """A rules file that its readers get when the test lets them: a pipe, fed once for each that opens it."""

    def __init__(self, path, text):
        self.path, self.text, self.let, self.ended = path, text, threading.Event(), threading.Event()
        self.readers = 0
        self.let.set()
        os.mkfifo(path)
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()

    def _feed(self):
        while not self.ended.is_set():
            with open(self.path, "wb") as pipe:
                self.readers += 1
                self.let.wait()
                pipe.write(self.text.encode())
            time.sleep(0.2)  # until that reader has seen the end and closed

    def end(self):
        self.text = ""
        self.ended.set()
        self.let.set()
        os.close(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK))
        self.thread.join(5)


def test_files_that_change_between_trial_and_load(make_gateway, found):
    """What the trial found good is not what would be loaded: the old configuration stays."""
    gw = make_gateway(start=False, protected=["A012345678"])
    held = HeldFile(gw.dir / "held.json", '{"format": 1, "pack": "held", "version": "1"}')
    try:
        gw.config["rules"] = [*gw.config["rules"], "held.json"]
        gw.write_config()
        gw.start()
        held.let.clear()
        before = held.readers
        gw.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: held.readers > before)  # the trial has read gate.json
        gw.config["admin"]["socket"] = "elsewhere.sock"
        gw.write_config()
        held.let.set()
        assert wait_until(lambda: "changed while they were read" in gw.stderr(), 20 * g.PATIENCE)
        assert '"event":"reloaded"' not in gw.stderr()
        assert fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE and gw.metric("gate1367_generation") == 1
    finally:
        gw.stop()
        held.end()


def test_sigterm_drains(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    go = threading.Event()

    def refused():
        try:
            socket.create_connection(("127.0.0.1", gw.port), timeout=1).close()
        except ConnectionRefusedError:
            return True

    def respond(r):
        go.wait(20 * g.PATIENCE)
        return answer(FOUND)
    with Client(gw.port, POLICE) as idle, Client(gw.port, POLICE) as busy:
        assert idle.get("/nowhere").status == 404
        found.respond = respond
        busy.request("/inspect/x")
        assert wait_until(lambda: found.requests)
        gw.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: '"event":"stopping"' in gw.stderr()) and wait_until(refused)
        assert wait_until(lambda: gw.admin("/readyz")[0] == 503) and gw.admin("/healthz")[0] == 200
        go.set()
        r = busy.response()
        assert r.text == VISIBLE and r.header("Connection") == "close"
    assert gw.process.wait(20 * g.PATIENCE) == 0
    entries = gw.entries()
    assert entries[-1]["event"] == "stop" or "stop" in {e["event"] for e in entries}
    assert [e["outcome"] for e in entries if e["event"] == "disclosure"] == ["withheld"]


def test_a_killed_supervisor_leaves_nobody(make_gateway, found):
    gw = make_gateway(protected=["A012345678"], workers=2)
    children = [p for role in ("worker", "scribe", "admin") for p in gw.children(role)]
    assert len(children) == 4
    gw.process.kill()
    gw.process.wait()
    assert wait_until(lambda: not any(map(g.is_running, children)), 15)


def test_two_gateways_do_not_share_an_address(make_gateway, found):
    """Listeners are shared between workers, never between gateways: half of the traffic would meet other rules."""
    first = make_gateway(protected=["A012345678"])
    second = make_gateway(start=False)
    second.config["listen"][0]["address"] = f"127.0.0.1:{first.port}"
    second.write_config()
    second.start(wait=False)
    try:
        assert second.process.wait(10 * g.PATIENCE) == 2
    finally:
        if second.process.poll() is None:
            second.process.kill()
    assert "address" in second.stderr().lower()
    assert fetch(first.port, "/inspect/x", POLICE).text == VISIBLE


def test_two_gateways_do_not_share_a_ledger(make_gateway, found):
    first = make_gateway(protected=["A012345678"])
    second = subprocess.run([g.BIN, "serve", "-c", "gate.json"], cwd=first.dir, capture_output=True, text=True,
                            timeout=30 * g.PATIENCE)
    assert second.returncode in (1, 2) and second.stderr
    assert fetch(first.port, "/inspect/x", POLICE).text == VISIBLE
    assert first.command("registry", "lookup", "-c", "gate.json", "alien_number", "A012345678").returncode == 0


def test_a_killed_admin_comes_back(make_gateway, found):
    gw = make_gateway(protected=["A012345678"])
    os.kill(gw.children("admin")[0], signal.SIGKILL)
    assert wait_until(lambda: len(gw.children("admin")) == 1)
    def ready():
        try:
            return gw.admin("/readyz")[0] == 200
        except OSError:
            return False
    assert wait_until(ready)
    assert fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE


def test_systemd_is_told(make_gateway, tmp_path):
    path = str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(20 * g.PATIENCE)
        gw = make_gateway(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "500000"})

        def told():
            """The next word that is not the watchdog's, as sd_notify(3) writes it."""
            while (said := s.recv(1000).decode()) == "WATCHDOG=1":
                pass
            return dict(line.split("=", 1) for line in said.split("\n"))

        assert told() == {"READY": "1", "STATUS": "serving"}
        assert s.recv(1000) == b"WATCHDOG=1"
        for good, status in ((True, "serving"), (False, "serving; the last reload was refused, see the log")):
            before = time.monotonic_ns() // 1000
            if not good:
                gw.write("recipients.json", "{")
            assert gw.reload() == good
            said = told()
            assert (said["RELOADING"], said["STATUS"]) == ("1", "reloading")
            assert before <= int(said["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
            assert told() == {"READY": "1", "STATUS": status}
        assert gw.stop() == 0
        assert told() == {"STOPPING": "1", "STATUS": "draining"}


def test_several_listeners(make_gateway, found):
    """The ready line names every address, resolved; each has client certificates of its own."""
    certs = g.certificates()
    tls = {"certificate": str(certs / "gateway.pem"), "key": str(certs / "gateway.key")}
    gw = make_gateway(protected=["A012345678"], workers=2, config={"listen": [
        {"address": "127.0.0.1:0", "tls": tls},
        {"address": "127.0.0.1:0", "tls": {**tls, "client_ca": str(certs / "recipients-ca.pem"), "client_certificate": "required"}},
        {"address": "[::1]:0", "tls": tls}]})
    ready = next(line for line in gw.stderr().splitlines() if line.startswith("ready: ")).split()
    assert len(ready) == 6 and ready[3].startswith("https://[::1]:") and ready[4] == "admin"
    ports = [int(x.rsplit(":", 1)[1]) for x in ready[1:4]]
    assert len(set(ports)) == 3 and 0 not in ports
    assert fetch(ports[0], "/inspect/x", OFFICER).text == VISIBLE  # nobody asked there for a certificate
    assert fetch(ports[1], "/inspect/x", OFFICER).header("Section-1367") == "protected; records=1"
    for _ in range(5):
        assert fetch(ports[1], "/inspect/x", POLICE).text == VISIBLE


def test_who_reads_the_log_may_stop_reading(make_gateway, found):
    """The pipe fills up, and all goes on: the dead are replaced, signals are heard. What was lost is told when somebody reads again."""
    gw = make_gateway(start=False, protected=["A012345678"])
    out, pipe = os.pipe()
    gw.process = subprocess.Popen([gw.binary, "serve", "-c", "gate.json"], cwd=gw.dir, stderr=pipe, stdout=pipe, env={**os.environ, **gw.env})
    gw.log = open(os.devnull)
    try:
        said = b""
        while b"ready: " not in said or not said.endswith(b"\n"):
            said += os.read(out, 65536)
        gw.port, gw.admin_port = (int(x) for x in re.findall(rb"127\.0\.0\.1:(\d+)", said)[-2:])
        ours = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)  # theirs waits
        with pytest.raises(BlockingIOError):
            while True:
                os.write(ours, b"." * 4096)
        for role in ("worker", "scribe", "admin"):
            before = gw.children(role)
            os.kill(before[0], signal.SIGKILL)
            assert wait_until(lambda: gw.children(role) not in ([], before)), role
        assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).text == VISIBLE)
        os.set_blocking(out, False)
        with pytest.raises(BlockingIOError):
            while True:
                os.read(out, 65536)
        os.set_blocking(out, True)
        (gw.dir / "gate.json").write_text("{")
        gw.process.send_signal(signal.SIGHUP)
        said = b""
        while b"reload_refused" not in said:
            said += os.read(out, 65536)
        lost = [line for line in map(json.loads, said.decode().split("\n")[:-1]) if line["event"] == "log_lost"]
        assert [line["role"] for line in lost] == ["supervisor"] and lost[0]["lines"] >= 3
        with pytest.raises(BlockingIOError):
            while True:
                os.write(ours, b"." * 4096)
        os.close(ours)
        assert gw.stop() == 0
    finally:
        os.close(out)
        os.close(pipe)


@pytest.mark.whole("what the client has sent stands in the kernel, in whatever pieces")
@pytest.mark.parametrize("how", ["stop", "reload"])
def test_the_last_answer_arrives_whole(make_gateway, origin, how):
    """A worker ended with its last session: what its client had sent behind the request was unread, so that the kernel threw away what
    of the answer had not left yet."""
    gw = make_gateway()
    body = b"[" + b'"' + b"x" * 2_000_000 + b'"]'
    let_go = threading.Event()
    origin.respond = lambda r: (let_go.wait(20 * g.PATIENCE), answer(body))[1]
    with Client(gw.port, POLICE) as c:
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        old, = gw.children("worker")
        c.request("/inspect/x", headers=[("Connection", "close")])
        assert wait_until(lambda: len(origin.requests) == 1)
        c.socket.settimeout(1)
        try:
            c.send(b"z" * 600_000)  # more than anybody reads before the answer
        except TimeoutError:
            pass
        gw.process.send_signal(signal.SIGTERM if how == "stop" else signal.SIGHUP)
        assert wait_until(lambda: '"event":"draining"' in gw.stderr())
        let_go.set()
        c.socket.settimeout(20 * g.PATIENCE)
        r = c.response()
        assert r.complete and r.body == body and c.ended is None
    assert wait_until(lambda: not g.is_running(old))


NOBODY = 61367  # an account that nobody has


@pytest.mark.skipif(os.geteuid() != 0 or g.SANITIZED, reason="needs root to become somebody for whom limits hold; the sanitizer has a thread of its own")
def test_no_process_can_be_made(make_gateway, tmp_path):
    """It ended without a word."""
    gw = make_gateway(start=False)
    for name in ("gateway.pem", "gateway.key", "recipients-ca.pem"):
        shutil.copy(gw.certs / name, gw.dir)
    for pack in filter(os.path.isabs, gw.config["rules"]):
        shutil.copy(pack, gw.dir)
    gw.config["rules"] = [os.path.basename(pack) for pack in gw.config["rules"]]
    gw.config["listen"][0]["tls"].update(certificate="gateway.pem", key="gateway.key", client_ca="recipients-ca.pem")
    gw.write_config()
    binary = shutil.copy(g.BIN, tmp_path)
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_mode & 1 == 0 and str(place) != "/":
            place.chmod(place.stat().st_mode | 0o111)
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", gw.dir], check=True)
    said = dict.fromkeys(range(2, 12), "")
    for processes in said:  # supervisor, scribe and its two threads, admin, worker
        p = subprocess.Popen(["prlimit", f"--nproc={processes}", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", binary,
                              "serve", "-c", "gate.json"], cwd=gw.dir, text=True, stderr=subprocess.PIPE)
        line = ""
        while (line := p.stderr.readline()) and not line.startswith("ready:"):
            said[processes] += line
        if line.startswith("ready:"):
            p.terminate()
            assert p.wait(20) == 0 and processes > 5
            break
        assert p.wait(20) == 2
        assert '"reason":"' in said[processes], said[processes]
    assert any('"event":"no_process","wanted":"' in text for text in said.values())
