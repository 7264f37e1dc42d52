"""`limits.requests` and `limits.memory`: whom they turn away, and that they tell nothing."""
import threading
import time

import pytest

from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch, wait_until
from harness.gateway import FEW, PATIENCE
from harness.origin import answer

PACKS = FEW

REFUSAL = b'{"type":"about:blank","title":"Bad Gateway","status":502}'
DOCUMENT = 1 << 20


def burst(port, who, n, path="/api/persons"):
    with Client(port, who) as c:
        return [c.get(path).status for _ in range(n)]


def pressed(gw):
    """Until it is too much, however slow this machine is; connections fall on either worker."""
    got = []
    while (429 not in got or len(got) < 60) and len(got) < 1200:
        got += burst(gw.port, POLICE, 10)
    return got


def test_requests_are_counted_over_all_workers_and_reloads(make_gateway):
    gw = make_gateway(workers=2, config={"limits": {"requests": 20}})
    begun = time.monotonic()
    got = pressed(gw)
    most = 20 + 20 * (time.monotonic() - begun) + 1
    assert 20 <= got.count(200) <= most and set(got) == {200, 429}
    assert burst(gw.port, ANONYMOUS, 3) == [200] * 3 == burst(gw.port, OFFICER, 3)  # each recipient for itself
    assert gw.reload()
    begun = time.monotonic()
    got = pressed(gw)
    assert 1 <= got.count(200) <= 20 + 20 * (time.monotonic() - begun) + 1 and 429 in got
    assert wait_until(lambda: fetch(gw.port, "/api/persons", POLICE).status == 200)


def test_no_limit_is_none(gateway):
    assert set(burst(gateway.port, POLICE, 300)) == {200}


@pytest.fixture
def small(make_gateway):
    """Room for a document of twice 1 MiB, and two exchanges beside it."""
    return make_gateway(protected=["A012345678"], config={"limits": {"document": "1MiB", "memory": "5MiB"}})


def held(gw, origin, n, body):
    """n exchanges that wait in the middle of their answers."""
    let_go = threading.Event()

    def send(s, out):
        s.sendall(out[:-10])
        let_go.wait(20 * PATIENCE)
        s.sendall(out[-10:])
    origin._send = send
    origin.respond = lambda r: answer(body)
    clients = [Client(gw.port, POLICE) for _ in range(n)]
    for i, c in enumerate(clients):
        c.request("/api/persons")
        assert wait_until(lambda: len(origin.requests) > i)
    time.sleep(0.2)
    return clients, let_go


@pytest.mark.parametrize("who", [POLICE, OFFICER, ANONYMOUS])
def test_memory_is_admitted_before_the_origin_is_asked(small, origin, who):
    clients, let_go = held(small, origin, 5, b"[]")
    asked = len(origin.requests)
    r = fetch(small.port, "/api/persons", who)
    assert (r.status, r.body) == (502, REFUSAL) and len(origin.requests) == asked
    told, = [e for e in small.entries() if e["request"] == r.header("Request-Id") and e["event"] != "completion"]
    assert told["outcome"] in ("failed_closed", "refused")
    let_go.set()
    assert [c.response().body for c in clients] == [b"[]"] * 5
    del origin._send
    assert fetch(small.port, "/api/persons", who).status == 200


@pytest.mark.parametrize("number", ["A012345678", "A099999999"])
def test_what_is_found_is_not_counted(small, origin, number):
    """As many are admitted beside a document full of her as beside one without her."""
    clients, let_go = held(small, origin, 1, {"items": [{"aNumber": number}] * 30000})
    more, let_go_too = held(small, origin, 4, b"[]")
    r = fetch(small.port, "/api/persons", POLICE)
    assert r.status == 502
    let_go.set(), let_go_too.set()
    assert [c.response().status for c in clients + more] == [200] * 5


def test_entitled_recipients_pass_when_memory_ends_while_reading(small, origin):
    """Never an empty 200: what cannot be held passes unread."""
    body = b"[" + b'{"n":1},' * 100000 + b"1]"
    clients, let_go = held(small, origin, 4, body)
    let_go.set()
    got = [c.response() for c in clients]
    assert all(r.status in (200, 404) for r in got)
    del origin._send
    clients, let_go = held(small, origin, 3, b"[]")
    origin.respond = lambda r: answer(b"[" + b"1," * 1500000 + b"1]")
    origin._send = lambda s, out: s.sendall(out)
    r = fetch(small.port, "/api/persons", OFFICER)
    assert r.complete and len(r.body) == 3000003 and r.header("Section-1367") == "uninspected"
    let_go.set()


def test_what_is_over_is_not_counted_any_more(make_gateway, origin):
    """A crowd that held all memory and went away takes nobody's place."""
    gw = make_gateway(config={"limits": {"document": "1MiB", "memory": "5MiB"}, "pace": "2s"})
    origin.respond = lambda r: answer(b"[" + b"1," * 200000 + b"1]")
    crowd = [Client(gw.port, POLICE) for _ in range(30)]
    for c in crowd:  # decided, and waiting for their time: what they hold is their bodies alone
        c.request("/api/persons")
        time.sleep(0.01)
    assert 502 in [c.response().status for c in crowd]
    for c in crowd:
        c.close()
    assert fetch(gw.port, "/api/persons", POLICE).status == 200


@pytest.mark.parametrize("limits,said", [({"memory": "1MiB"}, "do not hold a document"), ({"requests": -1}, "0"), ({"requests": "5"}, "integer")])
def test_check(make_gateway, limits, said):
    gw = make_gateway(config={"limits": limits}, start=False, ledger=False)
    r = gw.command("check", "-c", "gate.json")
    assert r.returncode == 1 and said in r.stderr
