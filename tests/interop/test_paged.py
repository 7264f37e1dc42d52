# ctest: release
"""The ready profiles (rules/profiles) before the programs that they are for: every page as in a world where those who are withheld
never were.

    #= ICE10036.2 2.1
"""
import json
import re

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, normalised
from harness.origin import free_port
from programs import Running, find, npm_package

HIDDEN = [2, 3, 11, 20, 21, 22, 23, 24, 37]
NUMBERS = {n: f"A{810000000 + n}" for n in range(1, 41)}
VISIBLE = [n for n in NUMBERS if n not in HIDDEN]


def people(there):
    return [{"id": n, "aNumber": NUMBERS[n], "name": f"Person {n}"} for n in NUMBERS if there or n not in HIDDEN]


def served(make_gateway, tmp_path, start, profile, prefix, ask):
    """What `ask(client)` gives in the three worlds; the answers of the first, and what an officer gets of `first`."""
    packs = [str(g.ROOT / "rules/section-1367.json"), str(g.ROOT / f"rules/profiles/{profile}.json")]
    name = json.loads((g.ROOT / f"rules/profiles/{profile}.json").read_text())["profiles"][0]["id"]
    seen = []
    for there, registered in ((True, True), (False, True), (False, False)):
        with start(there) as origin:
            gw = make_gateway(f"http://127.0.0.1:{origin.port}", protected=[NUMBERS[n] for n in HIDDEN] if registered else ["A999999999"],
                              routes=[{"path": prefix, "upstream": "records", "profile": name}], packs=packs)
            with Client(gw.port, POLICE) as c:
                seen.append(ask(c))
            gw.stop()
    plain = [[normalised(r.raw) for r in answers] for answers in seen]
    assert plain[0] == plain[1] == plain[2]
    for number in HIDDEN:
        assert not any(NUMBERS[number][1:].encode() in raw for raw in plain[0])
    return seen[0]


def json_server(tmp_path, version, *arguments):
    node, package = find("node"), npm_package("json-server", version)
    program = package / ("lib/cli/bin.js" if version.startswith("0") else "lib/bin.js")

    def start(there):
        port = free_port()
        db = tmp_path / f"db{port}.json"
        rows = people(there)
        db.write_text(json.dumps({"persons": rows if version.startswith("0") else [{**r, "id": str(r["id"])} for r in rows]}))
        return Running([node, program, *arguments, "--host", "127.0.0.1", "--port", port, db], port, cwd=tmp_path)
    return start


def test_json_server(make_gateway, tmp_path):
    start = json_server(tmp_path, "0.17.4", "--quiet")
    paths = ["/persons?_page=1&_limit=10", "/persons?_page=2&_limit=10", "/persons?_page=4&_limit=10", "/persons?_page=9&_limit=10", "/persons",
             "/persons?_page=1&_limit=1000", "/persons?_page=3"]
    got = served(make_gateway, tmp_path, start, "json-server", "/", lambda c: [c.get(p) for p in paths])
    pages = [[r["id"] for r in json.loads(a.body)] for a in got]
    assert pages == [VISIBLE[:10], VISIBLE[10:20], VISIBLE[30:], [], VISIBLE[:10], VISIBLE, VISIBLE[20:30]]
    assert {a.header("X-Total-Count") for a in got} == {str(len(VISIBLE))}
    assert re.findall(r'_page=(\d+)&_limit=10>; rel="(\w+)"', got[1].header("Link")) == [("1", "first"), ("1", "prev"), ("3", "next"), ("4", "last")]


def test_json_server_1(make_gateway, tmp_path):
    start = json_server(tmp_path, "1.0.0-beta.3")
    paths = [f"/persons?_page={n}&_per_page=10" for n in (1, 2, 4, 5)]
    got = served(make_gateway, tmp_path, start, "json-server-1", "/", lambda c: [c.get(p) for p in paths])
    pages = [json.loads(a.body) for a in got]
    assert [[int(r["id"]) for r in p["data"]] for p in pages] == [VISIBLE[:10], VISIBLE[10:20], VISIBLE[30:], []]
    assert [(p["items"], p["first"], p["prev"], p["next"], p["last"]) for p in pages[:3]] == [
        (len(VISIBLE), 1, None, 2, 4), (len(VISIBLE), 1, 1, 3, 4), (len(VISIBLE), 1, 3, None, 4)]


ODATA = """
const ODataServer = require("simple-odata-server"), Adapter = require("simple-odata-server-nedb"), Datastore = require("nedb");
const http = require("http"), rows = %s, db = new Datastore({inMemoryOnly: true});
const model = {namespace: "records", entityTypes: {Person: {_id: {type: "Edm.String", key: true}, n: {type: "Edm.Int32"},
  aNumber: {type: "Edm.String"}, name: {type: "Edm.String"}}}, entitySets: {Persons: {entityType: "records.Person"}}};
const odata = ODataServer("http://127.0.0.1:%d").model(model).adapter(Adapter((name, done) => done(null, db)));
db.insert(rows, () => http.createServer((q, s) => { q.url += (q.url.includes("?") ? "&" : "?") + "$orderby=n"; odata.handle(q, s); }).listen(%d, "127.0.0.1"));
"""


def test_odata(make_gateway, tmp_path):
    node, package = find("node"), npm_package("simple-odata-server-nedb", "1.0.0", "simple-odata-server@1.2.2")

    port = free_port()  # it stands in every answer

    def start(there):
        rows = [{"_id": f"p{r['id']:03}", "n": r["id"], "aNumber": r["aNumber"], "name": r["name"]} for r in people(there)]
        script = package.parents[0].parent / f"server{there}.js"
        script.write_text(ODATA % (json.dumps(rows), port, port))
        return Running([node, script], port, cwd=package.parents[0].parent)

    paths = ["/Persons?$top=10", "/Persons?$top=10&$skip=10", "/Persons?$skip=30&$top=5&$count=true", "/Persons?%24top=7&$skip=28", "/Persons"]
    got = served(make_gateway, tmp_path, start, "odata", "/", lambda c: [c.get(p) for p in paths])
    pages = [json.loads(a.body) for a in got]
    assert [[r["n"] for r in p["value"]] for p in pages] == [VISIBLE[:10], VISIBLE[10:20], VISIBLE[30:35], VISIBLE[28:35], VISIBLE]
    assert all("@odata.count" not in p for p in pages)
    assert pages[0]["@odata.nextLink"] == "https://localhost/Persons?$skip=10&$top=10" and "@odata.nextLink" not in pages[2]
