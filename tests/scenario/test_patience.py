"""How slow a client may be: 60 s for each piece of a body, in either direction, and no longer for less than a piece."""
# ctest: timeout=400
import socket
import time

import pytest

from harness.client import OFFICER, POLICE, Client, fetch
from harness.gateway import ROOT, Gateway
from harness.origin import Origin, answer

pytestmark = pytest.mark.whole("minutes, whatever the size of the pieces")
RECORD = 12 << 20
LINES = b'{"text":"%s"}\n' % (b"x" * RECORD)


def respond(request):
    return answer(LINES, content_type="application/x-ndjson") if request.path == "/s/lines" else answer([1])


@pytest.fixture
def gw(tmp_path):
    pack = {"format": 1, "pack": "streams", "version": "1", "profiles": [{"id": "streams", "title": "streams", "documents": [
        {"path": "/s/lines", "title": "stream", "independent": True, "units": ["$"]}]}]}
    routes = [{"path": "/s/", "upstream": "records", "profile": "streams"},
              {"path": "/inspect/", "upstream": "records", "unprofiled": "inspect"}]
    with Origin(respond) as origin, Gateway(tmp_path, origin.url, start=False, routes=routes,
                                            config={"limits": {"record": "16MiB", "document": "64MiB", "memory": "160MiB"}},
                                            packs=[str(ROOT / "rules/section-1367.json"), "pack.json"]) as made:
        made.write("pack.json", pack)
        yield made.start()


def test_who_is_slow_and_who_is_none(gw):
    """A body of a byte now and then holds its place for a minute and no longer: else some hundred of them would hold all there
    are. Who takes a long record slowly, but takes it, is not cut off inside."""
    crowd = [Client(gw.port, POLICE, timeout=100) for _ in range(160)]
    reader = Client(gw.port, POLICE, timeout=100)
    reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # else the system takes it for us
    reader.request("/s/lines")
    time.sleep(1)
    for c in crowd:
        c.send(b"GET /inspect/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
    begun, refused = time.monotonic(), 0
    while time.monotonic() - begun < 75:
        for c in crowd:
            try:
                c.send(b"x")
            except OSError:
                pass  # it has been told
        refused += fetch(gw.port, "/inspect/y", OFFICER).status == 502
        for _ in range(16):  # 256 KiB: in a minute much less than the record
            reader.receive()
        time.sleep(5)
    assert refused > 0 and fetch(gw.port, "/inspect/y", OFFICER).status == 200
    assert {c.response().status for c in crowd} <= {408, 502}
    assert reader.response().body == LINES
