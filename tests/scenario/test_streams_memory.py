"""A list and lines without end take no more memory than a record and what is on its way: 64 MiB here, 1 GiB with
GATE1367_STREAM_MIB=1024 (or bench/run stream)."""
# ctest: release
import os
import ssl
import socket
import time

import pytest

from harness import gateway as g
from harness.client import POLICE, Client
from harness.origin import Origin
from test_streams import make

pytestmark = pytest.mark.whole("memory over 64 MiB and more: what it is sent in does not matter")

MIB = int(os.environ.get("GATE1367_STREAM_MIB", 64))
ABOVE_IDLE = 16 << 10  # KiB


def block(path, comma):
    """About 1 MiB of records, one in a hundred hers."""
    records = []
    for i in range(9000):
        number = b"A012345678" if i % 100 == 7 else b"A%09d" % (100000000 + i)
        records.append(b'{"personId":%d,"aNumber":"%s","name":"Somebody Else","address":{"city":"Springfield","zip":"01101"},"n":1}' % (i, number))
    return (b"\n" if path == "lines" else b",").join(records) + comma


def send(path):
    def run(s, out):
        kind = b"application/x-ndjson" if path == "lines" else b"application/json"
        s.sendall(b"HTTP/1.1 200 X\r\nContent-Type: %s\r\nConnection: close\r\n\r\n" % kind + (b"" if path == "lines" else b"["))
        data, sent = block(path, b"\n" if path == "lines" else b","), 0
        while sent < MIB << 20:
            s.sendall(data)
            sent += len(data)
        s.sendall(b"" if path == "lines" else b"1]")
        s.shutdown(socket.SHUT_WR)
    return run


def status(pid, name):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(name):
            return int(line.split()[1])


def drink(port, path):
    """Reads all of it and keeps nothing."""
    got, end = 0, b""
    with Client(port, POLICE, timeout=60) as c:
        c.request(path)
        while not end.endswith(b"0\r\n\r\n"):
            data = c.socket.recv(1 << 18)
            if not data:
                break
            got += len(data)
            end = (end + data)[-5:]
    assert end == b"0\r\n\r\n"
    return got


@pytest.mark.parametrize("path", ["list", "lines"])
def test_memory_is_bounded_by_a_record(tmp_path, path):
    with Origin(lambda r: b"") as origin:
        gw = make(tmp_path, origin, config={"limits": {}})
        try:
            pid, = gw.children("worker")
            origin._send = lambda s, out: s.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")
            with Client(gw.port, POLICE) as c:
                c.get("/s/list")
            idle = status(pid, "VmRSS")
            origin._send = send(path)
            begun = time.monotonic()
            got = drink(gw.port, f"/s/{path}")
            peak = status(pid, "VmHWM")
            print(f"\n{path}: {got >> 20} MiB out in {time.monotonic() - begun:.1f} s, {(peak - idle) / 1024:.1f} MiB above idle ({idle >> 10} MiB)")
            assert got > (MIB << 20) * 0.9
            assert peak - idle <= ABOVE_IDLE, f"{(peak - idle) >> 10} MiB above idle"
        finally:
            gw.__exit__(None, None, None)
