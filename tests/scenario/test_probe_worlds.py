"""probe --worlds: an operator's own fixture in three worlds. It says equal where the profile holds, shows the difference where it
does not, and takes no credit for worlds in which nobody was ever found.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
import json

import pytest

from harness import gateway as g

pytestmark = pytest.mark.whole("the prober is the client, and its origin its own")

HER = {"subject": "S-1", "cases": [{"id": "C-1", "benefit": "U", "role": "principal", "status": "pending"}],
       "identifiers": [{"kind": "alien_number", "value": "A012345678"}]}
VIC, ANN = {"aNumber": "A012345678", "name": "Vic"}, {"aNumber": "A011111111", "name": "Ann"}
MISS = {"status": 404, "type": "application/json", "body": '{"error":"not found"}\n'}
PACK = {"format": 1, "pack": "tool", "version": "1", "profiles": [{"id": "tool", "title": "A site's", "documents": [
    {"path": "/api/persons", "units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True, "query": {"name": "any"}},
    {"path": "/api/persons/{id}", "units": ["$"], "miss": MISS}, {"path": "/api/export.ndjson", "units": ["$"]},
    {"path": "/api/search", "units": ["$.items[*]"], "texts": ["$.asked"], "body": "any"}]}]}
QUERIES = """# every document
/api/persons
/api/persons?name=a/b
GET /api/persons/1007
HEAD /api/persons/1007
/api/persons/1008

/api/export.ndjson
POST /api/search @asked.json
DELETE /api/persons/1007
/nowhere
"""


def listed(*people):
    return json.dumps({"total": len(people), "items": people})


@pytest.fixture
def site(make_gateway, tmp_path):
    """(gateway that is not started, the fixture's directory)"""
    gw = make_gateway(start=False, packs=[str(g.ROOT / "rules/section-1367.json"), "tool.json"], pace="0ms",
                      routes=[{"path": "/api/", "upstream": "records", "profile": "tool", "restricted_methods": ["GET", "HEAD", "POST"]}])
    gw.write("tool.json", PACK)
    where = tmp_path / "worlds"
    files = {
        "protected.jsonl": json.dumps(HER) + "\n", "queries.txt": QUERIES, "asked.json": '{"q":"Vic"}',
        "present/api/persons.json": listed(VIC, ANN), "absent/api/persons.json": listed(ANN),
        "present/api/persons?name=a%2Fb.json": listed(VIC), "absent/api/persons?name=a%2Fb.json": listed(),
        "present/api/persons/1007.json": json.dumps(VIC), "present/api/persons/1007.json.head": 'ETag: "7"\nX-Total-Count: 1\n',
        "present/api/persons/1008.json": json.dumps(ANN), "absent/api/persons/1008.json": json.dumps(ANN),
        "present/api/export.ndjson": f"{json.dumps(VIC)}\n{json.dumps(ANN)}\n", "absent/api/export.ndjson": json.dumps(ANN) + "\n",
        "present/api/search.json": json.dumps({"asked": "Vic", "items": [VIC]}), "absent/api/search.json": json.dumps({"asked": "Vic", "items": []}),
        "absent/404.json": '{"sorry":1}', "absent/404.json.head": "410\nETag: x\n",
    }
    for name, text in files.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text)
    return gw, where


def worlds(gw, where, *more):
    return gw.command("probe", "-c", "gate.json", "--worlds", where, *more)


def test_a_site_that_holds(site):
    gw, where = site
    done = worlds(gw, where, "--certificate", gw.certs / "state-police.pem", "--key", gw.certs / "state-police.key")
    assert done.returncode == 2 and "proves nothing" in done.stdout, done.stdout + done.stderr  # the 405 is nobody's
    (where / "queries.txt").write_text(QUERIES.replace("DELETE /api/persons/1007\n", ""))
    for who in ((), ("--certificate", gw.certs / "state-police.pem", "--key", gw.certs / "state-police.key")):
        done = worlds(gw, where, *who)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "somebody protected was found in" in done.stdout and "DIFFERENT" not in done.stdout
    assert gw.entries() == []  # nothing of the running system was touched


def test_a_profile_that_does_not(site):
    """A total that nobody declared, and a mention outside every unit."""
    gw, where = site
    (where / "present/api/search.json").write_text(json.dumps({"asked": "Vic", "hits": 1, "items": [VIC]}))
    (where / "absent/api/search.json").write_text(json.dumps({"asked": "Vic", "hits": 0, "items": []}))
    (where / "present/api/persons.json").write_text(json.dumps({"total": 1, "items": [ANN], "last": "A012345678"}))
    (where / "queries.txt").write_text("/api/persons\nPOST /api/search @asked.json\n/api/persons/1008\n")
    done = worlds(gw, where, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    said = json.loads(done.stdout)
    wrong = {s["name"].split(":")[0]: {d["kind"] for d in s["differences"]} for s in said["series"] if s["verdict"] == "DIFFERENT"}
    assert wrong == {"GET /api/persons": wrong["GET /api/persons"], "POST /api/search": {"bytes of the body"}}
    assert {"status line", "bytes of the body"} <= wrong["GET /api/persons"] and said["verdict"] == "DIFFERENT"


def test_worlds_without_anybody_prove_nothing(site):
    gw, where = site
    (where / "queries.txt").write_text("/api/persons/1008\n")
    done = worlds(gw, where)
    assert done.returncode == 2 and "nobody protected was found" in done.stderr, done.stdout + done.stderr
    assert done.stdout.endswith("nobody protected was found in any answer, which proves nothing\n")
    said = json.loads(worlds(gw, where, "--json").stdout)
    assert said["verdict"] == "proves nothing" and "nobody" in said["nothing"]


def test_what_is_wrong_with_a_fixture(site):
    gw, where = site
    for name, text, says in (("queries.txt", "\n# none\n", "no query"), ("queries.txt", "/api/persons\nGET persons\n", "queries.txt:2:1: /: this is no request"),
                             ("queries.txt", "POST /api/search @gone.json\n", "queries.txt:1:1: /: its body cannot be read"),
                             ("protected.jsonl", '{"subject":1}\n', "protected.jsonl:1:")):
        before = (where / name).read_text()
        (where / name).write_text(text)
        done = worlds(gw, where)
        assert done.returncode == 2 and says in done.stderr, (says, done.stdout, done.stderr)
        (where / name).write_text(before)
    (where / "absent").rename(where / "gone")
    done = worlds(gw, where)
    assert done.returncode == 2 and "worlds/absent: is not there" in done.stderr, done.stderr
    done = worlds(gw, where, "--certificate", "x.pem")
    assert done.returncode == 2 and "go together" in done.stderr
