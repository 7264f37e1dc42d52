"""The main job: a protected person is not in the answer, and the ledger can prove it."""
from harness.client import ANONYMOUS, OFFICER, POLICE, fetch
from harness.origin import answer

PEOPLE = {"total": 2, "items": [{"personId": 1, "aNumber": "A011111111"}, {"personId": 2, "aNumber": "A012345678"}]}


def test_police_and_officer(gateway, origin, pieces):
    #= 8USC1367 a(2)
    origin.respond = lambda r: answer(PEOPLE)
    for who in (POLICE, ANONYMOUS):
        got = fetch(gateway.port, "/api/persons", who, pieces=pieces)
        assert got.status == 200 and got.text == '{"total": 1, "items": [{"personId": 1, "aNumber": "A011111111"}]}'
    got = fetch(gateway.port, "/api/persons", OFFICER, pieces=pieces)
    assert got.body == answer(PEOPLE).partition(b"\r\n\r\n")[2]
    assert got.header("Section-1367") == "protected; records=1"
    outcomes = [(e["event"], e["recipient"]["id"], e["outcome"]) for e in gateway.entries() if e["event"] == "disclosure"]
    assert outcomes == [("disclosure", "state-police", "withheld"), ("disclosure", "anonymous", "withheld"),
                        ("disclosure", "uscis-officer", "disclosed")]
    assert b"012345678" not in gateway.raw_ledger()
