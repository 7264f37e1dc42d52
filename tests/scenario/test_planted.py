"""What a recipient's own people can write (`writable_by`), who asks for one person again and again, and who walks through
numbers: told to insiders, and to nobody else.

    #= 8USC1367 a(2)
    #= ICE10036.2 5.6(1)
"""
import json

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch, normalised, wait_until
from harness.origin import answer

N, OTHER = "A912345678", "A911111111"
DOCUMENTS = [{"path": "/api/tips", "units": ["$.items[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True,
              "writable_by": {"state-police": ["$.items[*].tip", "$.items[*].about"]}},
             {"path": "/api/person/{n}", "units": ["$"], "query": {"format": "any"}}]
TESTS = [{"path": "/api/tips", "recipient": "restricted", "as": "state-police", "protected": [N],
          "body": {"total": 2, "items": [{"n": 1, "tip": f"I know {N}"}, {"n": 2}]}, "expect": {"total": 2, "items": [{"n": 1}, {"n": 2}]}},
         {"path": "/api/tips", "recipient": "restricted", "protected": [N], "body": {"total": 1, "items": [{"n": 1, "tip": N}]},
          "expect": {"total": 0, "items": []}}]


def pack(**more):
    return {"format": 1, "pack": "p", "version": "1", "profiles": [{"id": "p", "title": "t", "documents": DOCUMENTS, "tests": TESTS, **more}]}


def make(make_gateway, origin, **options):
    gw = make_gateway(start=False, protected=[N, OTHER], routes=[{"path": "/api/", "upstream": "records", "profile": "p"}], **options)
    gw.write("p.json", pack())
    gw.config["rules"] = [str(g.ROOT / "rules/section-1367.json"), "p.json"]
    gw.write_config()
    origin.respond = respond
    return gw


def respond(r):
    n = r.path.rpartition("/")[2]
    tips = {"total": 2, "items": [{"n": 1, "tip": f"it is {N}", "about": {"aNumber": N}}, {"n": 2, "tip": "it is A900000009"}]}
    people = {"1": {"aNumber": N}, "2": {"aNumber": OTHER}, "3": {"aNumber": "A900000009"}}
    return answer(tips) if n == "tips" else answer(people[n]) if n in people else answer({"error": "none"}, status=404)


def incidents(gw):
    return [e for e in gw.entries() if e["event"] == "incident"]


def test_what_was_planted_tells_nothing(make_gateway, origin):
    gw = make(make_gateway, origin).start()
    assert json.loads(fetch(gw.port, "/api/tips", POLICE).text) == {"total": 2, "items": [{"n": 1}, {"n": 2}]}
    others = json.loads(fetch(gw.port, "/api/tips").text)  # nobody in particular: what was found there counts, as everywhere
    assert others == {"total": 1, "items": [{"n": 2, "tip": "it is A900000009"}]}
    assert fetch(gw.port, "/api/tips", OFFICER).header("Section-1367") == "protected; records=1"
    tested = g.run("rules", "test", str(g.ROOT / "rules/section-1367.json"), "p.json", cwd=gw.dir)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    gw.write("tips.json", {"total": 1, "items": [{"n": 1, "tip": N}]})
    how = ("tips.json", "-c", "gate.json", "--profile", "p", "--path", "/api/tips", "--json", "--recipient")
    assert [json.loads(gw.command("rules", "explain", *how, who).stdout)["verdict"] for who in ("state-police", "anonymous")] == ["changed", "withheld"]
    scanned = [gw.command("scan", "-c", "gate.json", "--route", "/api/tips", "--recipient", who, "tips.json") for who in ("state-police", "anonymous")]
    assert [s.returncode for s in scanned] == [0, 1], [s.stdout for s in scanned]


def test_a_misspelt_recipient_is_told(make_gateway, origin):
    gw = make(make_gateway, origin)
    wrong = pack()
    wrong["profiles"][0]["documents"][0]["writable_by"]["state-polcie"] = ["$.items[*].n"]
    gw.write("p.json", wrong)
    assert "/writable_by/state-polcie: warning: is no recipient of recipients.json" in gw.command("check", "-c", "gate.json").stderr


def test_asking_again_and_again_is_told_to_insiders(make_gateway, origin):
    gw = make(make_gateway, origin).start()
    with Client(gw.port, POLICE) as c:
        seen = {normalised(c.get("/api/person/1").raw) for _ in range(12)} | {normalised(c.get("/api/person/77").raw)}
    assert len(seen) == 1, "an alert changed an answer"
    fetch(gw.port, "/api/person/2", POLICE)
    for _ in range(11):
        fetch(gw.port, "/api/person/3", POLICE)  # nobody's secret
        fetch(gw.port, "/api/person/1", OFFICER)
    assert wait_until(lambda: len(incidents(gw)) == 1)
    told, = incidents(gw)
    mine = [e for e in gw.entries() if e["event"] == "refusal" and e["subjects"]]
    assert told["rules"] == {"asked-repeatedly": 10} and told["subjects"] == mine[0]["subjects"] and told["recipient"]["id"] == "state-police"
    for _ in range(10):
        fetch(gw.port, "/api/tips", POLICE)  # what he planted
    assert wait_until(lambda: len(incidents(gw)) == 1)  # … about her too: told once an hour
    text = gw.admin("/metrics")[1]
    assert "\ngate1367_alerts_total 1\n" in text


def test_who_walks_through_numbers_is_counted(make_gateway, origin):
    gw = make(make_gateway, origin).start()
    for n in range(1, 8):
        fetch(gw.port, f"/api/person/{n}", POLICE)
    fetch(gw.port, "/api/person/3?x=1", POLICE)
    fetch(gw.port, "/api/person/3")

    def counted(who):
        lines = [line for line in gw.admin("/metrics")[1].splitlines() if line.startswith("gate1367_recipient_") and f'"{who}"' in line]
        return [int(line.rpartition(" ")[2]) for line in lines]
    assert wait_until(lambda: counted("state-police") == [8, 7, 1, 2, 0]), counted("state-police")
    assert wait_until(lambda: counted("anonymous") == [1, 0, 0, 0, 0]) and counted("uscis-officer") == [0] * 5
