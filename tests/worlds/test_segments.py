"""What anybody on the wire sees beside records: in how many pieces, and of which sizes, an answer goes into the socket. For a document
that is decided whole they are the same, however many were cut out of it and wherever.

    #= ICE10036.2 2.1
"""
# ctest: release
import json
import random
import re
import shutil
import subprocess

import pytest

import wire
from cases import MISS, OTHERS, P, PROTECTED
from harness.client import wait_until
from harness.origin import answer
from worlds import WORLDS, Twins, request

HERS = {"aNumber": P["aNumber"], "pad": "h" * 700}
DOCUMENTS = [{"path": "/list", "units": ["$.items[*]"]}, {"path": "/one", "units": ["$"], "miss": MISS}]


def listed(n, hidden):
    rng = random.Random(n)
    items = [{"i": i, "pad": "x" * rng.randrange(20, 900)} for i in range(n)]
    for _ in range(hidden):
        items.insert(rng.randrange(len(items) + 1), HERS)
    return answer({"items": items})


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Twins(tmp_path_factory.mktemp("segments"), DOCUMENTS, PROTECTED, OTHERS, pace="10ms") as t:
        yield t


def written(twins, world, path, log):
    """Sizes of the writes to the client behind its handshake, whose own vary with the signature."""
    twins.world, gateway = world
    gw = twins.gateways[gateway]
    calls = "trace=write,writev,sendto,sendmsg"
    tracer = subprocess.Popen(["strace", "-f", "-p", str(gw.children("worker")[0]), "-e", calls, "-o", log], stderr=subprocess.PIPE, text=True)
    assert "attached" in tracer.stderr.readline()
    w = wire.Wire(gw.port, "state-police")
    w.send(request("police", path) + request("police", "/next", close=True))
    w.read_to_end()
    sizes = {}
    def of_the_client():
        sizes.clear()
        for fd, size in re.findall(r"(?:write|writev|sendto|sendmsg)\((\d+),.* = (\d+)$", log.read_text(), re.M):
            sizes.setdefault(fd, []).append(int(size))
        return [s for s in sizes.values() if sum(s) == len(sent)]
    sent = w.cipher
    assert wait_until(of_the_client), (sizes, len(sent))
    tracer.terminate()
    tracer.wait()
    w.close()
    found, at = of_the_client()[0], 0
    while at < w.handshake:
        at += found.pop(0)
    return found


@pytest.mark.parametrize("path, n, hidden", [("/list", 40, 5), ("/list", 200, 60), ("/list", 400, 1), ("/one", 1, 0)])
def test_writes_to_the_socket(twins, tmp_path, path, n, hidden):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    at, absent = listed(n, hidden), listed(n, 0)
    if path == "/one":
        at, absent = answer({**HERS, "more": ["y" * 1000] * 100}), answer(b"{}", status=404)
    twins.answer_with(path, at, absent)
    seen = [written(twins, world, path, tmp_path / f"log{i}") for i, world in enumerate(WORLDS)]
    assert seen[0] == seen[1] == seen[2] and len(seen[0]) >= 3, seen
    print(json.dumps(seen[0]))
