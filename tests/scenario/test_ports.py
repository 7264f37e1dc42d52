"""No local port is left for a connection to the origin (EADDRNOTAVAIL): the constant refusal at once, a log line, a metric, and all is
well again as soon as there is one. In a network namespace of its own, which has a handful of ports."""
import ctypes
import errno
import fcntl
import json
import os
import pathlib
import socket
import struct
import threading
import time

import pytest

from harness.client import ANONYMOUS, OFFICER, POLICE, fetch, wait_until
from harness.gateway import PATIENCE, Gateway
from harness.origin import Origin, answer

CLONE_NEWNET = 0x40000000
FIRST, LAST = 40000, 40019
REFUSAL = '{"type":"about:blank","title":"Bad Gateway","status":502}'


def lift_loopback():
    with socket.socket() as s:
        request = struct.pack("16sh14x", b"lo", 0x1)  # IFF_UP
        fcntl.ioctl(s, 0x8914, request)  # SIOCSIFFLAGS


def in_a_namespace(run):
    """A namespace belongs to a thread, and to what it starts."""
    failed = []

    def work():
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                pytest.skip("needs the right to make a network namespace")
            lift_loopback()
            pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(f"{FIRST} {LAST}")
            run()
        except BaseException as e:  # noqa: B036: told to the test's own thread
            failed.append(e)

    t = threading.Thread(target=work)
    t.start()
    t.join()
    if failed:
        raise failed[0]


def hold_ports(origin):
    """Connections to the origin until there is no port for another one. They end with a reset, which leaves no port waiting."""
    held = []
    while len(held) <= LAST - FIRST:
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            s.connect(("127.0.0.1", origin.port))
        except OSError as e:
            assert e.errno == errno.EADDRNOTAVAIL and held
            return held
        held.append(s)
    raise AssertionError("there is always another port")


def processor_time(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.whole("what is asked does not come so far")
def test_no_local_port_is_left(tmp_path):
    def run():
        with Origin(lambda r: answer([{"personId": 1}])) as origin, Gateway(tmp_path, origin.url, protected=["A012345678"]) as gw:
            worker, = gw.children("worker")
            held = hold_ports(origin)
            used = processor_time(worker)
            begun = time.monotonic()
            for who in (POLICE, OFFICER, ANONYMOUS):
                r = fetch(gw.port, "/inspect/x", who)
                assert (r.status, r.text) == (502, REFUSAL), who
            assert time.monotonic() - begun < 2 * PATIENCE and origin.requests == []
            time.sleep(0.5)
            assert processor_time(worker) - used < 0.5 * PATIENCE  # nobody tries again and again
            told = [json.loads(line) for line in gw.stderr().splitlines() if '"origin_unreachable"' in line]
            assert [(t["upstream"], t["server"], t["reason"]) for t in told] == [
                ("records", f"127.0.0.1:{origin.port}", "no local port is left")] * 2  # once for each class
            assert gw.metric("gate1367_origin_connects_failed_total") == 3
            for s in held:
                s.close()
            assert wait_until(lambda: fetch(gw.port, "/inspect/x", POLICE).status == 200, 5)
            assert gw.children("worker") == [worker] and gw.admin("/readyz")[0] == 200

    in_a_namespace(run)
