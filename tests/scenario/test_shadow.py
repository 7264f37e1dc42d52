"""Profiles in shadow (contract section 6): evaluated beside the rules in force, which alone decide."""
import json

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch, normalised
from harness.origin import answer

ANA = "A912345678"
BODY = {"total": 2, "items": [{"aNumber": ANA, "note": "x"}, {"aNumber": "A900000001", "mentions": [{"aNumber": ANA}], "note": "y"}]}


def pack(shadow, *more):
    force = {"id": "now", "title": "t", "documents": [
        {"path": "/api/list", "units": ["$.items[*]", "$.items[*].mentions[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True},
        {"path": "/api/notes/{id}", "units": ["$"], "texts": ["$.text"]}, {"path": "/api/lines", "units": ["$"]}, {"path": "/api/other"}]}
    next_ = {"id": "next", "title": "t", "mode": "shadow", "documents": [
        {"path": "/api/list", "units": ["$.items[*]"]}, {"path": "/api/notes/{id}", "units": ["$"]}, {"path": "/api/lines", "units": ["$"]}]}
    return {"format": 1, "pack": "site", "version": "1", "profiles": [force, *([next_] if shadow else []), *more]}


ROUTES = [{"path": "/api/", "upstream": "records", "profile": "now"}]


@pytest.fixture
def make(make_gateway, origin):
    def one(shadow=True, *more, **options):
        gw = make_gateway(start=False, protected=[ANA], routes=ROUTES, **options)
        gw.write("site.json", pack(shadow, *more))
        gw.config["rules"] = [str(g.ROOT / "rules/section-1367.json"), "site.json"]
        gw.write_config()
        return gw
    return one


def serve_all(origin):
    pages = {"/api/list": BODY, "/api/notes/7": {"name": "Bob", "text": f"met {ANA}"}, "/api/notes/8": {"name": "Eve"},
             "/api/other": {"a": 1}}
    lines = b'{"aNumber":"%s"}\n{"b":1}\n' % ANA.encode()
    origin.respond = lambda r: answer(lines, content_type="application/x-ndjson") if r.path == "/api/lines" else answer(pages[r.path])


PATHS = ["/api/list", "/api/notes/7", "/api/notes/8", "/api/lines", "/api/other", "/api/list?x=1"]


def test_the_bytes_are_the_same_with_and_without(make, origin):
    serve_all(origin)
    seen = []
    for shadow in (False, True):
        gw = make(shadow).start()
        with Client(gw.port, POLICE) as c:
            seen.append([normalised(c.get(path).raw) for path in PATHS])
    assert seen[0] == seen[1]


def test_a_finding_on_something_released_opens_a_review(make, origin):
    serve_all(origin)
    gw = make().start()
    for path in PATHS:
        fetch(gw.port, path, POLICE)
    fetch(gw.port, "/api/notes/7", OFFICER)
    entries = gw.entries()
    reviews = [e for e in entries if e["outcome"] == "shadow"]
    # the list's second record stays (only the mention goes), and the note is released without its text
    assert [(e["event"], e["target"], e["rules"].get("next")) for e in reviews] == [
        ("incident", "/api/list", 1), ("incident", reviews[1]["target"], 1)]
    assert reviews[1]["target"].startswith("/api/notes/") and all(e["rules"]["a-number"] >= 1 and e["subjects"] for e in reviews)
    for review in reviews:
        at = entries.index(review)
        own = entries[at + 1]
        assert own["request"] == review["request"] and own["event"] == "disclosure" and own["subjects"] == review["subjects"][:1]
    assert gw.metric("gate1367_shadow_reviews_total") == 2 and gw.metric("gate1367_shadow_unread_total") == 0
    assert ANA.encode() not in gw.raw_ledger()
    listed = gw.command("log", "list", "-c", "gate.json", "--outcome", "shadow", "--json").stdout.splitlines()
    assert [json.loads(line)["entry"] for line in listed] == reviews


def test_a_shadow_that_would_replace(make, origin):
    serve_all(origin)
    gw = make(False, {"id": "next", "title": "t", "mode": "shadow", "on_finding": "mask", "visible_redaction": "trial",
                      "documents": [{"path": "/api/notes/{id}", "units": ["$"]}, {"path": "/api/list", "units": ["$.items[*]"]}]}).start()
    bodies = [fetch(gw.port, path, POLICE).body for path in ("/api/notes/7", "/api/list")]
    assert b"****" not in bodies[0] + bodies[1] and json.loads(bodies[0]) == {"name": "Bob"}
    # what it would replace in the note is gone for everybody, and in the list with its units
    assert [e for e in gw.entries() if e["outcome"] == "shadow"] == []


def test_no_memory_for_the_shadow_changes_nothing(make, origin):
    """Whatever goes wrong beside the rules in force: the answer is theirs."""
    serve_all(origin)
    plain, hurt = make(False).start(), make(faults="shadow@worker:1+").start()
    for path in PATHS[:4]:
        assert normalised(fetch(plain.port, path, POLICE).raw) == normalised(fetch(hurt.port, path, POLICE).raw)
    assert hurt.metric("gate1367_shadow_unread_total") >= 3


def test_a_route_cannot_name_it(make):
    gw = make()
    gw.config["routes"] = [{"path": "/api/", "upstream": "records", "profile": "next"}]
    gw.write_config()
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and "/routes/0/profile: profile \"next\" is in shadow" in done.stderr


STREAMED = {  # path: (in force, in shadow)
    "/lines": ({"units": ["$"], "texts": ["$.text"]}, {"units": ["$"]}),
    "/units": ({"units": ["$.items[*]", "$.items[*].mentions[*]"], "texts": ["$.items[*].text"]}, {"units": ["$.items[*]"]}),
    "/inner": ({"units": ["$.items[*]"]}, {"units": ["$.items[*]", "$.items[*].mentions[*]"]}),
    "/small": ({"units": ["$.items[*]"], "texts": ["$.items[*].text"]}, {"units": ["$.items[*]"]}),
    "/outside": ({"units": ["$.items[*]"], "texts": ["$.note"]}, {"units": ["$.items[*]"]}),
    "/whole": ({"units": ["$.items[*]"], "texts": ["$.items[*].text"]}, {"units": ["$.items[*]"], "independent": False})}


def streamed_pack(independent):
    def profile(which, **more):
        return {"title": "t", **more, "documents": [{"path": "/api" + path, "independent": independent, **both[which]} for path, both in STREAMED.items()]}
    return {"format": 1, "pack": "site", "version": "1", "profiles": [profile(0, id="now"), profile(1, id="next", mode="shadow")]}


def streamed(path):
    """Records of which some are hers, some mention her in a unit, and some in a text."""
    def record(n):
        return {"n": n, "fill": "x" * (n % 700), **({"aNumber": ANA} if n % 11 == 0 else {}), **({"text": f"met {ANA}"} if n % 7 == 0 else {}),
                **({"mentions": [{"n": 1}, {"aNumber": ANA}, {"n": 2}]} if n % 13 == 0 else {})}
    rows = [record(n) for n in range(1, 20 if path == "/small" else 900)]
    if path == "/lines":
        return b"".join(json.dumps({k: v for k, v in r.items() if k != "mentions"}).encode() + b"\n" for r in rows), "application/x-ndjson"
    return json.dumps({"items": rows, "note": f"of {ANA}" if path == "/outside" else ""}).encode(), "application/json"


def test_streams(make, origin):
    """Beside a document that leaves in parts: the bytes stay the same, and as much is found as beside the document decided whole."""
    origin.respond = lambda r: answer(streamed(r.path.removeprefix("/api"))[0], content_type=streamed(r.path.removeprefix("/api"))[1])
    seen, found = {}, {}
    for name, independent, shadow in (("plain", True, False), ("parts", True, True), ("whole", False, True)):
        gw = make(shadow)
        pack_ = streamed_pack(independent)
        gw.write("site.json", pack_ if shadow else {**pack_, "profiles": pack_["profiles"][:1]})
        gw.start()
        seen[name] = [normalised(fetch(gw.port, "/api" + path, POLICE).raw) for path in STREAMED]
        entries = gw.entries()
        found[name] = {p: sum(e["rules"].get("next", 0) for e in entries if e["outcome"] == "shadow" and e["target"] == "/api" + p) for p in STREAMED}
        found[name]["unread"] = gw.metric("gate1367_shadow_unread_total")
        if name == "parts":
            own = [e for e in entries if e["event"] == "disclosure" and e["target"] == "/api/lines"]
            assert len(own) > 1 and all(entries[entries.index(e) + 1]["request"] == e["request"] for e in entries if e["outcome"] == "shadow")
            assert all(e["rules"]["a-number"] >= 1 and e["subjects"] for e in entries if e["outcome"] == "shadow")
    assert seen["plain"] == seen["parts"]
    numbers = range(1, 900)
    hers, told, mentions = ({n for n in numbers if n % k == 0} for k in (11, 7, 13))
    assert found["parts"]["/lines"] == len(told - hers) and found["parts"]["/units"] == len((told | mentions) - hers)
    assert {p: found["parts"][p] for p in STREAMED if p != "/whole"} == {p: found["whole"][p] for p in STREAMED if p != "/whole"}
    assert found["parts"]["/small"] == 2 and found["parts"]["/outside"] == 1 and found["parts"]["/inner"] == 0
    assert (found["plain"]["unread"], found["parts"]["unread"], found["parts"]["/whole"]) == (0, 1, 0)


def test_no_memory_for_the_shadow_of_a_stream_changes_nothing(make, origin):
    origin.respond = lambda r: answer(streamed("/lines")[0], content_type="application/x-ndjson")
    raws = []
    for faults in (None, "shadow@worker:1+"):
        gw = make(faults=faults) if faults else make()
        gw.write("site.json", streamed_pack(True))
        gw.start()
        raws.append(normalised(fetch(gw.port, "/api/lines", POLICE).raw))
    assert raws[0] == raws[1] and gw.metric("gate1367_shadow_unread_total") == 1


def test_a_stream_whose_first_part_cannot_be_recorded(make, origin):
    """The canonical refusal, of a worker that goes on: nothing has left, however much is decided."""
    origin.respond = lambda r: answer(streamed("/lines")[0], content_type="application/x-ndjson")
    gw = make(faults="ledger@worker:1")
    gw.write("site.json", streamed_pack(True))
    gw.start()
    with Client(gw.port, POLICE) as c:
        assert c.get("/api/lines").status == 502
    assert fetch(gw.port, "/api/lines", POLICE).status == 200 and '"child_ended"' not in gw.stderr()
