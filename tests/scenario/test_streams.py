"""Documents whose units leave one by one (contract section 6, `independent`): bytes, framing, entries, limits.

    #= 8USC1367 a(2)
"""
import contextlib
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import gateway as g
from harness.changes import apply, protect
from harness.client import OFFICER, POLICE, Client, fetch, wait_until
from harness.gateway import Gateway
from harness.origin import Origin, answer

P = {"aNumber": "A012345678"}
CHUNK = 16384
MISS = b'{"type":"about:blank","title":"Not Found","status":404}'
LINES = "application/x-ndjson"


def documents():
    common = {"title": "stream", "independent": True}
    return [{"path": "/s/list", "units": ["$[*]"], **common}, {"path": "/s/items", "units": ["$.items[*]"], "uniform": ["$.notes"], **common},
            {"path": "/s/lines", "units": ["$"], **common},
            {"path": "/s/headed", "units": ["$[*]"], "headers": ["X-Region"], **common},
            {"path": "/s/nested", "units": ["$.groups[*].items[*]", "$.groups[*].items[*].kin[*]"], **common}]


def pack():
    return {"format": 1, "pack": "streams", "version": "1", "profiles": [{"id": "streams", "title": "streams", "documents": documents()}]}


def make(place, origin, **more):
    config = {"limits": {"record": "64KiB", "document": "256KiB"}, **more.pop("config", {})}
    gw = Gateway(place, origin.url, protected=["A012345678"], start=False, config=config,
                 packs=[str(g.ROOT / "rules/section-1367.json"), "pack.json"],
                 routes=[{"path": "/s/", "upstream": "records", "profile": "streams"}], **more)
    gw.write("pack.json", pack())
    return gw.start()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Origin() as origin:
        gw = make(tmp_path_factory.mktemp("streams"), origin)
        yield gw, origin
        gw.__exit__(None, None, None)


def people(n, every=0, pad=100):
    """n records; each `every`-th is hers."""
    return [dict(P, n=i) if every and i % every == 0 else {"n": i, "text": "x" * pad} for i in range(n)]


def render(path, records, indent=None):
    if path == "lines":
        return "".join(json.dumps(r) + "\n" for r in records).encode()
    whole = {"list": records, "items": {"kind": "list", "items": records, "end": 1},
             "nested": {"groups": [{"items": records[i:i + 10]} for i in range(0, len(records), 10)]}}[path]
    return json.dumps(whole, indent=indent).encode()


def visible(records):
    return [r for r in records if "aNumber" not in r]


def typed(path, body, **more):
    return answer(body, content_type=LINES if path == "lines" else "application/json", **more)


def told_of(gw, r):
    """The entries of an answer, once the last one is there."""
    def mine():
        return [e for e in gw.entries() if e["request"] == r.header("Request-Id")]
    assert wait_until(lambda: mine()[-1:] and mine()[-1]["event"] == "completion"), mine()
    return mine()


def chunk_sizes(raw):
    at, sizes = raw.index(b"\r\n\r\n") + 4, []
    while True:
        line = raw[at:raw.index(b"\r\n", at)]
        sizes.append(int(line, 16))
        at += len(line) + 2 + sizes[-1] + 2
        if sizes[-1] == 0:
            return sizes


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("path", ["list", "items", "lines"])
def test_units_leave_in_chunks(served, path, framing):
    gw, origin = served
    records = people(3000, every=7)
    origin.respond = lambda r: (typed(path, render(path, records), framing=framing), "close" if framing == "close" else None)
    r = fetch(gw.port, f"/s/{path}", POLICE)
    assert r.status == 200 and r.complete and r.body == render(path, visible(records))
    sizes = chunk_sizes(r.raw)
    assert set(sizes[:-2]) == {CHUNK} and 0 < sizes[-2] <= CHUNK
    assert [k for k, _ in r.headers] == ["Date", "Content-Type", "Transfer-Encoding", "Cache-Control", "Request-Id"]


@pytest.mark.parametrize("every,indent", [(1, None), (1, 2), (2, 2), (2999, 1), (0, 3)])
@pytest.mark.parametrize("path", ["list", "items", "nested"])
def test_pretty_compact_first_last_and_all(served, path, every, indent):
    gw, origin = served
    records = people(600, every=every, pad=50)
    origin.respond = lambda r: typed(path, render(path, records, indent), framing="chunked")
    r = fetch(gw.port, f"/s/{path}", POLICE)
    if path != "nested":
        wanted = render(path, visible(records), indent)
    else:
        whole = json.loads(render(path, records))
        wanted = json.dumps({"groups": [{"items": visible(x["items"])} for x in whole["groups"]]}, indent=indent).encode()
    assert r.complete and r.body == wanted


def test_small_documents_are_like_any_other(served):
    gw, origin = served
    for body, wanted in ((b"[]", b"[]"), (json.dumps([P]).encode(), b"[]"), (b"[1 , 2]", b"[1 , 2]"), (b"[1", None), (b"", None)):
        origin.respond = lambda r, b=body: answer(b)
        r = fetch(gw.port, "/s/list", POLICE)
        assert r.body == (MISS if wanted is None else wanted) and r.status == (404 if wanted is None else 200)
        assert r.header("Content-Length") == str(len(r.body))


def test_exact_chunks(served):
    gw, origin = served
    for n in (CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK):
        body = json.dumps(["x" * 90] * 100 + ["y"])[:-2].encode() + b"z" * (n - len(json.dumps(["x" * 90] * 100 + ["y"]))) + b'"]'
        assert len(body) == n
        origin.respond = lambda r, b=body: answer(b)
        r = fetch(gw.port, "/s/list", POLICE)
        assert r.body == body and (r.header("Transfer-Encoding") == "chunked") == (n >= CHUNK)


def test_every_part_has_an_entry_before_it_leaves(served):
    gw, origin = served
    records = people(60000, every=50, pad=60)
    origin.respond = lambda r: typed("lines", render("lines", records))
    r = fetch(gw.port, "/s/lines", POLICE)
    assert r.body == render("lines", visible(records))
    mine = told_of(gw, r)
    parts = [e for e in mine if e["event"] == "disclosure"]
    assert len(parts) > 1 and [e["part"] for e in parts] == list(range(1, len(parts) + 1))
    assert [e["last"] for e in parts] == [False] * (len(parts) - 1) + [True]
    assert sum(e["records"]["seen"] for e in parts) == 60000 and sum(e["records"]["withheld"] for e in parts) == 1200
    assert sum(e["records"]["disclosed"] for e in parts) == 58800 and all(e["outcome"] == "withheld" for e in parts[:-1])
    assert mine[-1]["event"] == "completion" and mine[-1]["aborted"] is False


def test_entitled_recipients_get_it_byte_for_byte(served):
    gw, origin = served
    for n, value in ((3, "protected; records=1"), (5000, "unknown")):
        body = render("items", people(n, every=3))
        for framing in ("length", "chunked"):
            origin.respond = lambda r: answer(body, framing=framing)
            r = fetch(gw.port, "/s/items", OFFICER)
            assert r.complete and r.body == body and r.header("Section-1367") == value
            assert (r.header("Content-Length") == str(len(body))) == (framing == "length" or n == 3)
    assert told_of(gw, r)[-2]["outcome"] == "disclosed"


def test_entitled_recipients_are_not_served_less(served):
    gw, origin = served
    good = render("list", people(3000, every=3))[:-1]
    for body in (good + b",}" + b"y" * 100000, good + b', "' + b"z" * 200000 + b'"]', b"}" + b"y" * 50000):
        origin.respond = lambda r: answer(body)
        r = fetch(gw.port, "/s/list", OFFICER)
        assert r.body == body and r.complete
        assert told_of(gw, r)[-2]["outcome"] == "uninspected"


def test_what_was_found_before_it_passed_unread_is_on_record(served):
    gw, origin = served
    origin.respond = lambda r: answer(render("list", people(3000, every=3))[:-1] + b",}" + b"y" * 100000)
    r = fetch(gw.port, "/s/list", OFFICER)
    assert r.complete and r.header("Warning-Notice")
    parts = [e for e in gw.entries() if e["request"] == r.header("Request-Id") and e["event"] == "disclosure"]
    assert parts[-1]["outcome"] == "uninspected" and sum(e["records"]["protected"] for e in parts) == 1000
    assert len({s for e in parts for s in e["subjects"]}) == 1


def broken(kind, body):
    out = answer(body, framing="chunked")
    return {"malformed": answer(body[:-1] + b"}", framing="chunked"), "cut": (out[:-200], "close"), "reset": (out[:-200], "reset"),
            "framing": (out[:-5] + b"zz\r\n", "close"), "outside": answer(body[:-1] + b"\n", framing="chunked")}[kind]


@pytest.mark.parametrize("kind", ["malformed", "cut", "reset", "framing"])
def test_what_breaks_after_release_is_broken_off(served, kind):
    gw, origin = served
    body = render("list", people(2000, every=9))
    wanted = render("list", visible(people(2000, every=9)))
    origin.respond = lambda r: broken(kind, body)
    with Client(gw.port, POLICE) as c:
        r = c.get("/s/list")
        c.read_all()
        assert not r.complete and c.ended == "cut"
    assert r.status == 200 and wanted.startswith(r.body) and 0 < len(r.body) < len(wanted)
    mine = told_of(gw, r)
    assert mine[-1]["aborted"] is True and mine[-2]["outcome"] == "failed_closed" and mine[-2]["last"] is True


def test_a_finding_outside_the_units(served):
    gw, origin = served
    long, short = people(2000), people(2)
    for records, complete in ((long, False), (short, True)):
        origin.respond = lambda r: answer({"items": records, "more": "A012345678"})
        with Client(gw.port, POLICE) as c:
            r = c.get("/s/items")
        assert r.complete == complete and b"A0123" not in r.raw
        assert (r.status, r.body) == (404, MISS) if complete else r.status == 200


def test_records_over_the_limit(served):
    gw, origin = served
    for size, outcome in ((70000, "withheld"), (140000, "broken")):
        records = people(500) + [{"n": "x" * size}] + people(500)
        origin.respond = lambda r: answer(records)
        with Client(gw.port, POLICE) as c:
            r = c.get("/s/list")
        if outcome == "withheld":
            assert r.complete and r.body == json.dumps(people(500) + people(500)).encode()
        else:
            assert not r.complete
    assert '"event":"over_limit","row":"record"' in gw.stderr()


def test_head_is_get_without_the_body(served):
    gw, origin = served
    for records in (people(3, every=2), people(3000, every=2)):
        origin.respond = lambda r: answer(records)
        with Client(gw.port, POLICE) as c:
            get, head = c.get("/s/list"), c.get("/s/list", "HEAD")
            again = c.get("/s/list")
        names = [(k, v) for k, v in head.headers if k not in ("Date", "Request-Id")]
        assert names == [(k, v) for k, v in get.headers if k not in ("Date", "Request-Id")] and head.body == b""
        assert again.body == get.body


def test_http_1_0_knows_no_chunks(served):
    gw, origin = served
    records = people(3000, every=4)
    origin.respond = lambda r: answer(records)
    with Client(gw.port, POLICE) as c:
        r = c.get("/s/list", version="HTTP/1.0")
        assert r.body == json.dumps(visible(records)).encode() and c.ended == "clean"
    origin.respond = lambda r: answer(json.dumps(records).encode()[:-1] + b"}")
    with Client(gw.port, POLICE) as c:
        r = c.get("/s/list", version="HTTP/1.0")
        assert not r.complete and c.ended in ("cut", "reset")


def test_pieces_of_one_byte(served):
    gw, origin = served
    records = people(220, every=3, pad=100)
    with Origin(lambda r: answer(records)) as slow:
        slow._send = lambda s, out: [s.send(out[i:i + 1]) for i in range(len(out))]
        gw2 = make(gw.dir.parent / f"bytes-{time.monotonic_ns()}", slow)
        r = fetch(gw2.port, "/s/list", POLICE)
        gw2.__exit__(None, None, None)
    assert r.body == json.dumps(visible(records)).encode()


def test_the_next_request_on_the_connection(served):
    gw, origin = served
    bodies = {"/s/list": people(3000, every=5), "/s/items": {"items": people(2)}}
    origin.respond = lambda r: answer(bodies[r.path])
    with Client(gw.port, POLICE) as c:
        for _ in range(3):
            assert c.get("/s/list").body == json.dumps(visible(bodies["/s/list"])).encode()
            assert c.get("/s/items").body == json.dumps(bodies["/s/items"]).encode()


class Endless:
    """An origin's answer without end: `more` says when to go on."""

    def __init__(self):
        self.sent, self.stop = 0, False
        self.go = threading.Semaphore(0)

    def __call__(self, s, out):
        s.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not self.stop:
            self.go.acquire()
            data = b"".join(b'{"n":%d,"text":"%s"}\n' % (i, b"x" * 100) for i in range(400))
            self.sent += len(data)
            s.sendall(b"%x\r\n%s\r\n" % (len(data), data))
        s.sendall(b"0\r\n\r\n")

    @contextlib.contextmanager
    def flowing(self):
        """Meanwhile it goes on by itself, ten times a second."""
        enough = threading.Event()

        def flow():
            while not enough.wait(0.1):
                self.go.release()
        going = threading.Thread(target=flow)
        going.start()
        try:
            yield
        finally:
            enough.set()
            going.join()


@pytest.fixture
def endless(tmp_path):
    with Origin(lambda r: b"") as origin:
        origin._send = e = Endless()
        gw = make(tmp_path / "endless", origin)
        yield gw, e
        e.stop = True
        for _ in range(100):
            e.go.release()
        gw.__exit__(None, None, None)


def test_a_client_that_leaves(endless):
    gw, e = endless
    with Client(gw.port, POLICE) as c:
        c.request("/s/lines")
        e.go.release()
        c.receive()
    e.go.release()
    e.go.release()
    assert wait_until(lambda: any(x["event"] == "completion" and x["aborted"] for x in gw.entries()))


def test_a_reload_and_a_drain_while_it_flows(endless):
    """However long the reload takes: the origin never pauses, so that nothing but the reload could break it off."""
    gw, e = endless
    with Client(gw.port, POLICE) as c, ThreadPoolExecutor(1) as reader:
        c.request("/s/lines")
        e.go.release()
        whole = reader.submit(c.response)
        with e.flowing():
            assert gw.reload()
            behind = e.sent
            assert wait_until(lambda: e.sent > behind)  # from the old worker, which drains
            e.stop = True
            r = whole.result()
    assert r.complete and len(r.body) == e.sent


def test_a_scribe_that_dies_while_it_flows(endless):
    import os
    import signal
    gw, e = endless
    with Client(gw.port, POLICE) as c:
        c.request("/s/lines")
        e.go.release()
        c.receive()
        for pid in gw.children("scribe"):
            os.kill(pid, signal.SIGSTOP)
        e.go.release()
        time.sleep(0.1)
        for pid in gw.children("scribe"):
            os.kill(pid, signal.SIGKILL)
        r = c.response()
        assert not r.complete and c.ended in ("cut", "reset")
    e.stop = True
    for _ in range(3):
        e.go.release()
    assert wait_until(lambda: fetch(gw.port, "/s/lines", POLICE).status == 200)


def test_back_pressure(endless):
    gw, e = endless
    for _ in range(5000):
        e.go.release()
    with Client(gw.port, POLICE) as c:
        c.request("/s/lines")
        c.receive()
        seen = []

        def rests():  # the sockets' buffers and a part are full: nobody reads more than leaves
            seen.append(e.sent)
            return len(seen) > 3 and seen[-1] == seen[-4] > 0
        assert wait_until(rests, 20, every=0.3) and e.sent < 48 << 20


def lines(n):
    return b"".join(b'{"n":%d,"text":"%s"}\n' % (i, b"x" * 100) for i in range(n))


@pytest.mark.whole("times, which pieces of one byte only blur")
def test_parts_leave_on_the_grid(tmp_path):
    """Whatever the origin sends meanwhile: what wakes the gateway makes nobody's answer leave sooner."""
    #= ICE10036.2 2.1
    piece, pace, bounds = lines(400), 0.4, (0.0, 0.1, 0.5, 0.6)

    def send(s, out):
        began = time.monotonic()
        s.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in bounds:
            time.sleep(max(0, began + at - time.monotonic()))
            s.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        s.sendall(b"0\r\n\r\n")
    with Origin(lambda r: b"") as origin:
        origin._send = send
        gw = make(tmp_path / "grid", origin, pace="400ms")
        came = []  # when, and how much by then
        with Client(gw.port, POLICE) as c:
            began = time.monotonic()
            c.request("/s/lines")
            while b"0\r\n\r\n" not in c.buffered and c.receive():
                came.append((time.monotonic() - began, len(c.buffered)))
            assert c.response().body == piece * len(bounds)
        gw.__exit__(None, None, None)
    assert came[0][0] >= pace
    assert max((n for t, n in came if t < 2 * pace), default=0) < 2.5 * len(piece), came


@pytest.mark.whole("times, which pieces of one byte only blur")
def test_how_long_a_stream_takes_says_nothing_of_whom_it_leaves_out(tmp_path):
    """As many steps of the grid for the same bytes, however many more were read for them. Once each step held what was read while the
    gateway waited for it, so that each 64 KiB of withheld records made the answer one step longer."""
    #= ICE10036.2 2.1
    records = people(12000)
    hers = [x for i, r in enumerate(records) for x in ([r, dict(P, text="y" * 400)] if i % 4 == 0 else [r])]
    bodies, took = {"gone": render("lines", records), "there": render("lines", hers)}, {"gone": [], "there": []}
    with Origin(lambda r: typed("lines", bodies[world])) as origin:
        gw = make(tmp_path / "long", origin, pace="100ms")
        for _ in range(30):  # a busy machine may be late now and then
            for world in bodies:
                with Client(gw.port, POLICE) as c:
                    began = time.monotonic()
                    assert c.get("/s/lines").body == bodies["gone"]
                    took[world].append(time.monotonic() - began)
            if abs(min(took["gone"]) - min(took["there"])) < 0.05:
                break
        gw.__exit__(None, None, None)
    assert abs(min(took["gone"]) - min(took["there"])) < 0.05 or g.SANITIZED, took


@pytest.mark.parametrize("ends", ["malformed", "cut"])
def test_what_waits_behind_a_long_record_leaves_before_it_breaks_off(served, ends):
    gw, origin = served
    body = render("list", people(40) + [{"text": "x" * 60000}] * 30)
    with Client(gw.port, POLICE) as c:
        origin.respond = lambda r: broken(ends, body)
        r = c.get("/s/list")
        c.read_all()
        assert not r.complete and c.ended == "cut"
    assert body.startswith(r.body) and len(r.body) > 25 * 60000
    def parts():
        return [e for e in gw.entries() if e["request"] == r.header("Request-Id") and e["event"] == "disclosure"]
    assert wait_until(lambda: parts()[-1]["last"]) and [e["last"] for e in parts()].count(True) == 1
    assert parts()[-1]["outcome"] == "failed_closed"


@pytest.mark.whole("the size of what leaves at once")
def test_a_record_as_large_as_the_limit(tmp_path):
    """It is one part, which leaves in one go, whatever stands before it."""
    long = b'{"text":"%s"}\n' % (b"x" * ((4 << 20) - 20))
    body = lines(5000) + long + lines(9) + long
    with Origin(lambda r: answer(body, content_type=LINES)) as origin:
        gw = make(tmp_path / "long", origin, config={"limits": {"record": "4MiB", "document": "64MiB"}})
        for who in (POLICE, OFFICER):
            r = fetch(gw.port, "/s/lines", who)
            assert r.complete and r.body == body
        gw.__exit__(None, None, None)


def test_each_answer_is_counted(served):
    """What becomes a miss, too, before anything has left."""
    gw, origin = served

    def counted(outcome):
        return gw.metric('gate1367_answers_total{class="restricted",outcome="%s"}' % outcome)
    for body, outcome in ((b"[1", "failed_closed"), (b"[1]", "clear"), (json.dumps({"items": [], "more": "A012345678"}).encode(), "withheld")):
        origin.respond = lambda r, b=body: answer(b)
        before = counted(outcome)
        fetch(gw.port, "/s/items" if outcome == "withheld" else "/s/list", POLICE)
        assert counted(outcome) == before + 1, outcome


@pytest.mark.whole("the size of what is held at once")
@pytest.mark.parametrize("before", [9, 3000])
@pytest.mark.parametrize("path", ["lines", "items"])
def test_entitled_recipients_pass_when_memory_ends_while_reading(tmp_path, path, before):
    """A record that is larger than all that a worker may hold: the rest passes unread, and on record."""
    body = render(path, people(before) + [{"text": "x" * 3900000}] + people(9))
    with Origin(lambda r: typed(path, body)) as origin:
        gw = make(tmp_path / "memory", origin, config={"limits": {"record": "4MiB", "document": "1MiB", "memory": "3MiB"}})
        r = fetch(gw.port, f"/s/{path}", OFFICER)
        assert r.status == 200 and r.complete and r.body == body
        entries = [e for e in told_of(gw, r) if e["event"] == "disclosure"]
        assert entries[-1]["outcome"] == "uninspected" and entries[-1]["last"]
        gw.__exit__(None, None, None)


@pytest.mark.parametrize("size", [3, 2000])
def test_fields_of_the_head(served, size):
    """They stand in the head of a stream too, and a finding in one withholds all of it before anything has left."""
    gw, origin = served
    body = render("list", people(size, every=3))
    for value, found in (("west", False), ("A012345678", True)):
        origin.respond = lambda request: answer(body, headers=[("X-Region", value)])
        r = fetch(gw.port, "/s/headed", POLICE)
        if found:
            assert (r.status, r.body, r.header("x-region")) == (404, MISS, None)
        else:
            assert (r.status, r.header("x-region")) == (200, "west") and len(json.loads(r.body)) == size - len(range(0, size, 3))
        assert fetch(gw.port, "/s/headed", OFFICER).header("x-region") == value


@pytest.mark.parametrize("kind", ["application/json", None])
def test_the_entitled_are_told_what_a_head_without_a_body_holds(served, kind, pieces):
    gw, origin = served
    for value, found in (("west", False), ("A012345678", True)):
        origin.respond = lambda r: answer(b"", content_type=kind, headers=[("X-Region", value)], framing="length")
        r = fetch(gw.port, "/s/headed", OFFICER, pieces=pieces)
        assert (r.status, r.body, r.header("x-region"), r.header("content-length")) == (200, b"", value, "0")
        assert r.header("section-1367") == ("protected; records=1" if found else "none")
        assert (r.header("warning-notice") is not None) == found
        of_it = [e for e in gw.entries() if e["request"] == r.header("Request-Id") and e["event"] == "disclosure"]
        assert [(e["outcome"], e["records"]["protected"]) for e in of_it] == ([("disclosed", 1)] if found else [])


@pytest.mark.whole("where the origin pauses is the matter")
@pytest.mark.parametrize("place", [2, 395], ids=["before a chunk was full", "behind whole chunks"])
def test_somebody_protected_while_her_unit_waits_for_more(tmp_path, place):
    """Decided before `apply`, and less than a chunk: it must not leave behind it, however long the origin takes."""
    #= 8USC1367 a(2)
    records = people(800)
    records[place]["aNumber"], records[place + 1]["aNumber"] = "A011111111", "A099999998"
    body, half, go_on = typed("lines", render("lines", records)), threading.Event(), threading.Event()
    stop = body.index(b"A099999998") + 300

    def send(s, out):
        s.sendall(out[:stop])
        half.set()
        go_on.wait(20 * g.PATIENCE)
        s.sendall(out[stop:])
    with Origin(lambda r: body) as origin:
        origin._send = send
        with make(tmp_path, origin) as gw:
            seen = []
            for number in ("A022222222", "A011111111", None):
                half.clear(), go_on.clear()
                with Client(gw.port, POLICE, timeout=20) as c:
                    c.request("/s/lines")
                    assert half.wait(10 * g.PATIENCE)
                    time.sleep(1.5)  # what is whole has left
                    if number:
                        apply(gw, protect("S-" + number, number))
                    go_on.set()
                    seen.append(c.response())
            assert seen[0].complete and b"A011111111" in seen[0].body  # another's change cuts nothing
            assert b"A011111111" not in seen[1].raw and (seen[1].status == 502 if place == 2 else not seen[1].complete)
            assert seen[2].complete and seen[2].body == render("lines", records[:place] + records[place + 1:])
            last = [e for e in gw.entries() if e["event"] != "completion" and e.get("outcome") == "failed_closed"]
            assert len(last) == 1
