"""The prober against running gateways, where it judges times: what it says of one that keeps its word, and that it catches each
way of leaking that a gateway built for it can be told to have. The same switches do nothing in the program that is shipped. What
needs no quiet machine is in test_probe_bytes.py.

    #= ICE10036.2 2.1   acknowledging that a record exists is a disclosure
"""
# ctest: serial
import json
import time
import xml.dom.minidom

import pytest

from harness import gateway as g
from harness.origin import Origin, answer

pytestmark = pytest.mark.whole("the prober is the client, and TLS records are what it looks at")

HER, NOBODY = "A012345678", "A099999999"
MISS = {"status": 404, "type": "application/json", "body": '{"error":"nobody"}\n'}
PACK = {"format": 1, "pack": "probed", "version": "1", "profiles": [{"id": "probed", "title": "Probed", "documents": [
    {"path": "/api/person/{id}", "units": ["$"], "miss": MISS, "query": {"v": "any"}},
    {"path": "/api/list", "units": ["$.items[*]"], "query": {"name": "any"}},
    {"path": "/api/pages", "units": ["$.items[*]"], "query": {"name": "any"},
     "pages": {"style": "offset", "offset": "offset", "limit": "limit", "items": "$.items", "default_limit": 10, "scan": 100}}]}]}
ROUTES = [{"path": "/api/", "upstream": "records", "profile": "probed"}]
BREAKS = {"break-extra-header": "header field that only one has", "break-etag": "header field that only one has",
          "break-header-order": "order of header fields", "break-second-record": "sizes of TLS records",
          "break-status": "status line", "break-short-page": "bytes of the body", "break-close": "header field that only one has"}
# by pace: a neighbour is held up over a step of the grid
LATE = {"break-early-answer": ("40ms", {"warm", "cold"}), "break-no-pace": ("40ms", {"warm", "cold"}), "break-late-next": ("40ms", {"next"}),
        "break-neighbour": ("10ms", {"neighbour"})}
PAGED = []  # what was asked of it page by page
BREAKABLE = g.BUILD / "gate1367-breakable"


def respond(request):
    """Her record takes the origin a while, and says so in its head."""
    if request.path == "/api/person/" + HER:
        time.sleep(0.008)
        return answer({"aNumber": HER, "pad": "x" * 3000}, headers=[("ETag", '"7"')])
    if request.path == "/api/pages":
        PAGED.append(request)
        people = [{"n": i} for i in range(30)]
        people[3:3] = [{"aNumber": HER, "n": i} for i in range(60 if "Vic" in request.query else 0)]
        if "Max" in request.query:
            people = people[:3] + [{"aNumber": HER, "n": i} for i in range(int(request.query.partition("Max")[2][:3]))]
        asked = dict(p.split("=") for p in request.query.split("&"))
        at, n = int(asked.get("offset", 0)), int(asked.get("limit", 10))
        return answer({"items": people[at:at + n]})
    if request.path in ("/api/person/401", "/api/person/503"):
        return answer(b"{}", status=int(request.path[-3:]))
    if request.path == "/api/list":
        return answer({"items": [{"aNumber": HER}] if "Vic" in request.query else []}, headers=[("ETag", '"8"')])
    return answer(b'{"no":1}', status=404)


def write_pairs(gw, **more):
    made = {"format": 1, "clients": {"police": {"certificate": str(gw.certs / "state-police.pem"),
                                                "key": str(gw.certs / "state-police.key")}},
            "next": "/api/list", "pairs": [
                {"name": "look-up", "as": "police", "absent": f"/api/person/{NOBODY}", "withheld": f"/api/person/{HER}"},
                {"name": "page", "ways": ["warm"], "absent": "/api/pages?name=Nat&limit=10", "withheld": "/api/pages?name=Vic&limit=10"},
                {"name": "list", "absent": "/api/list?name=Nat", "withheld": "/api/list?name=Vic", "ways": ["warm", "next"]}]}
    made.update(more)
    (gw.dir / "pairs.json").unlink(missing_ok=True)
    (gw.dir / "pairs.json").touch(0o600)
    return gw.write("pairs.json", made)


def probe(gw, *arguments, binary=None, **more):
    made = write_pairs(gw, **more)
    return gw.command("probe", "-c", "gate.json", "--pairs", made, "--listener", f"127.0.0.1:{gw.port}", "--rate", 0, *arguments)


def judged(gw, wanted, *arguments, **more):
    """What it says, as an object, where times are judged: a machine that does something else may make one sample noisy, not three.
    Bytes are equal each time. `wanted`: the ways whose times differ."""
    for seed in (1, 2, 3):
        done = probe(gw, "--json", "--seed", seed, *arguments, **more)
        said = json.loads(done.stdout)
        assert all(s["differences"] == [] and s["unanswered"] == 0 for s in said["series"]), done.stdout
        noisy = {s["way"] for s in said["series"] if s["times"] and not s["times"]["equal"]}
        assert done.returncode == (1 if noisy else 0) and said["verdict"] == ("DIFFERENT" if noisy else "equal"), done.stdout
        if noisy == wanted:
            return said
    raise AssertionError(f"three times: {noisy} differ, not {wanted}: {done.stdout}")


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    running = []
    with Origin(respond) as origin:
        def start(pace="0ms", **options):
            at = tmp_path_factory.mktemp("probed")
            (at / "probed.json").write_text(json.dumps(PACK))
            gw = g.Gateway(at, origin.url, protected=[HER], packs=[g.FEW[0], "probed.json"],
                           routes=ROUTES, pace=pace, **options)
            running.append(gw)
            return gw
        yield start
        for gw in running:
            gw.__exit__(None, None, None)


@pytest.fixture(scope="module")
def sound(make):
    return make(pace="40ms")


def test_a_sound_gateway(sound, tmp_path):
    picture = tmp_path / "times.svg"
    count = 20 if g.SANITIZED else 100  # too few for times: under sanitizers they say nothing
    said = judged(sound, set(), "--count", count, "--connections", 16, "--svg", picture)
    assert len(said["series"]) == 7
    for series in said["series"]:
        assert series["pairs"] == count
        assert series["statuses"] == {"absent": [404], "withheld": [404]} if series["name"] == "look-up" else True
    drawn = xml.dom.minidom.parse(str(picture))
    assert len(drawn.getElementsByTagName("path")) == 14 and "look-up (warm)" in picture.read_text()
    for times in [s["times"] for s in said["series"] if not g.SANITIZED]:
        assert times["ks"]["p"] > times["ks"]["limit"] and abs(times["welch"]["t"]) < 4.5
        assert times["p50"][0] >= 0.0399 and times["median_difference"]["low"] <= times["median_difference"]["high"]


@pytest.mark.skipif(g.SANITIZED, reason="times under sanitizers say nothing")
@pytest.mark.parametrize("switch", LATE)
def test_each_leak_in_time_is_caught(make, switch):
    pace, ways = LATE[switch]
    gw = make(pace=pace, faults=f"{switch}@worker:1+", binary=BREAKABLE)
    only = [{"name": "look-up", "absent": f"/api/person/{NOBODY}", "withheld": f"/api/person/{HER}", "ways": sorted(ways)}]
    judged(gw, ways, "--count", 100, "--connections", 1 if switch == "break-neighbour" else 4, pairs=only)
