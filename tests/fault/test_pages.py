"""The n-th malloc fails while a page is put together out of several of the origin's documents, for every n: the page is whole, or
nobody's, or visibly broken off; never short, and never somebody who is withheld.

    #= ICE10036.2 2.1
"""
# ctest: timeout=600
import json
import ssl

import pytest

from harness.client import POLICE, Client
from harness.gateway import FEW, SANITIZED, Gateway
from harness.origin import Origin
from harness.pager import Pager, number, pack
from test_nth import Switch

HIDDEN = [2, 3, 9, 10]
VISIBLE = [n for n in range(1, 26) if n not in HIDDEN]
MISS = (404, b'{"type":"about:blank","title":"Not Found","status":404}')
REFUSAL = (502, b'{"type":"about:blank","title":"Bad Gateway","status":502}')
WANTED = {"/api/c?limit=9": ["items"], "/api/p?page=2&limit=6": ["data", "people"], "/api/w?offset=3&limit=4": ["items"]}


def expected(path):
    return {"c": VISIBLE[:9], "p": VISIBLE[6:12], "w": VISIBLE[3:7]}[path[5]]


def judge(path, r):
    if r.status != 200:
        assert (r.status, r.body) in (MISS, REFUSAL), r.raw
        return False
    value = json.loads(r.body)
    for name in WANTED[path]:
        value = value[name]
    assert [x["id"] for x in value] == expected(path), r.raw
    return True


@pytest.mark.parametrize("path", WANTED)
def test_nth_malloc(tmp_path, path):
    pager, switch = Pager(range(1, 26), cap=5), Switch(tmp_path / "switch")
    with Origin(lambda r: pager.respond(r)) as origin, Gateway(
            tmp_path / "gw", origin.url, start=False, protected=[number(n) for n in HIDDEN], env={"GATE1367_FAULT_SWITCH": str(switch.path)},
            routes=[{"path": "/api/", "upstream": "records", "profile": "paged"}],
            packs=[FEW[0], "pack.json"]) as gw:
        gw.write("pack.json", pack())
        gw.start()
        n, step = 0, 3 if SANITIZED else 1
        with Client(gw.port, POLICE) as c:
            assert judge(path, c.get(path))
        while True:
            n += step
            switch.arm("malloc", "worker", n)
            try:
                with Client(gw.port, POLICE, timeout=20) as c:
                    r = c.get(path)
                    assert r is None or not r.complete or judge(path, r) in (True, False)
            except (ssl.SSLError, ConnectionError):
                pass
            thrown = switch.thrown
            switch.disarm()
            if not thrown:
                break
        assert n > 20
        with Client(gw.port, POLICE) as c:
            assert judge(path, c.get(path))
        assert '"child_ended"' not in gw.stderr() and "AddressSanitizer" not in gw.stderr()
