"""rules replay: captured answers under new packs beside those in force."""
import json

import pytest

from harness import gateway as g

pytestmark = pytest.mark.whole("commands alone, nobody talks HTTP")
SECTION = str(g.ROOT / "rules/section-1367.json")
HER = "A912345678"
BODY = {"items": [{"aNumber": HER}, {"name": "Ann", "mentions": [{"aNumber": HER}]}, {"name": "Bea", "notes": "x"}]}


def pack(**document):
    return {"format": 1, "pack": "p", "version": "1", "profiles": [{"id": "p", "title": "t", "documents": [
        {"path": "/api/list", "units": ["$.items[*]"], "query": {"name": ["$.items[*].name"]}, **document}]}]}


def lines(*exchanges):
    return "".join(json.dumps(e) + "\n" for e in exchanges)


def har(*exchanges):
    return json.dumps({"log": {"entries": [
        {"request": {"method": "GET", "url": "https://x" + e["target"]},
         "response": {"status": e.get("status", 200), "content": {"mimeType": "application/json", "text": json.dumps(e["body"])}}} for e in exchanges]}})


EXCHANGES = [{"target": "/api/list", "body": BODY}, {"target": "/api/list?name=ann", "body": {"items": BODY["items"][1:2]}},
             {"target": "/api/list?x=1", "body": BODY}, {"target": "/api/list", "status": 404, "body": {}}, {"target": "/nowhere", "body": BODY}]


def replay(gw, new, *more, capture=lines(*EXCHANGES), name="capture.jsonl"):
    gw.write(name, capture)
    gw.write("new.json", new)
    return gw.command("rules", "replay", name, "-c", "gate.json", "--rules", f"{SECTION},new.json", *more)


def test_what_neither_delivers_shows_no_more(make_gateway):
    """Withheld whole under one, described by nothing under the other: nobody sees anything of it."""
    gw = make_gateway(start=False, protected=[HER], routes=[{"path": "/api/", "upstream": "records", "profile": "p"}])
    gw.write("site.json", pack(units=["$"]))
    gw.config["rules"] = [SECTION, "site.json"]
    gw.write_config()
    done = replay(gw, {"format": 1, "pack": "site", "version": "1"}, "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and {"not_found", "undeliverable"} == {v for t in told for v in (t["in_force"]["verdict"], t["new"]["verdict"])} - {
        "unchanged", "changed"}
    assert [t["shows"] for t in told] == ["other" if t["in_force"]["verdict"] == "not_found" else "less" for t in told], told


def test_replay(make_gateway):
    gw = make_gateway(start=False, protected=[HER], routes=[{"path": "/api/", "upstream": "records", "profile": "p"}])
    gw.write("site.json", pack())
    gw.config["rules"] = [SECTION, "site.json"]
    gw.write_config()
    same = replay(gw, pack())
    assert (same.returncode, same.stdout) == (0, "5 exchanges, 3 judged: 0 show more under the new rules, 0 less, 0 otherwise differ\n"), same.stderr
    # Mentions are units now: the record around one stays. Both formats tell the same.
    finer = pack(units=["$.items[*]", "$.items[*].mentions[*]"])
    for capture, name, first, second in ((lines(*EXCHANGES), "c.jsonl", "c.jsonl:1", "c.jsonl:2"),
                                         (har(*EXCHANGES), "c.har", "c.har:/log/entries/0", "c.har:/log/entries/1")):
        done = replay(gw, finer, "--json", capture=capture, name=name)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 1 and [(t["exchange"], t["shows"]) for t in told] == [(first, "other"), (second, "other")], done.stdout + done.stderr
        assert told[0]["in_force"] == {"verdict": "withheld", "units": 3, "withheld": 2} and told[0]["new"] == {"verdict": "withheld", "units": 4, "withheld": 2}
    # Without its rules everything is shown; with a member less, less of nobody is withheld.
    bare = replay(gw, pack(texts=["$.items[*].mentions", "$.items[*].aNumber"]), "--json")
    assert [json.loads(line)["shows"] for line in bare.stdout.splitlines()] == ["more", "more"]
    assert "otherwise differ" in replay(gw, pack(uniform=["$.items[*].notes"])).stdout and HER[1:] not in bare.stdout
    # Where nothing was judged nothing can be said to be the same.
    for capture in ("", lines(*EXCHANGES[3:])):
        for more in ((), ("--json",)):
            none = replay(gw, pack(), *more, capture=capture)
            assert none.returncode == 2 and "no exchange was judged" in none.stderr, none.stderr
    assert replay(gw, pack(unitz=[])).returncode == 1 and replay(gw, pack(), capture="{broken").returncode == 1
    assert gw.command("rules", "replay", "c.har", "-c", "gate.json").returncode == 2
