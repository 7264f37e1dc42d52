"""What an origin's head may say to whom."""
from harness.client import OFFICER, POLICE, fetch
from harness.origin import answer

ITEMS = {"total": 1, "items": [{"personId": 1, "aNumber": "A011111111"}]}


def test_a_media_type_carries_no_number(gateway, origin):
    origin.respond = lambda r: answer(ITEMS, content_type="application/vnd.a012345678+json")
    assert fetch(gateway.port, "/api/persons", POLICE).status == 404
    origin.respond = lambda r: answer(ITEMS, content_type="application/vnd.persons.v2+json")
    got = fetch(gateway.port, "/api/persons", POLICE)
    assert (got.status, got.header("Content-Type")) == (200, "application/vnd.persons.v2+json")


def test_reads_are_answered_in_full_writes_keep_their_precondition(gateway, origin):
    origin.respond = lambda r: answer(ITEMS)
    conditions = [("If-None-Match", '"x"'), ("If-Modified-Since", "Sat, 21 Nov 2026 10:00:00 GMT"), ("If-Match", '"y"')]
    fetch(gateway.port, "/api/persons", OFFICER, headers=conditions)
    fetch(gateway.port, "/api/persons", OFFICER, "PUT", headers=conditions, body=b"{}")
    read, write = origin.requests
    assert not read.header("If-None-Match") and not read.header("If-Modified-Since") and read.header("If-Match")
    assert write.header("If-None-Match") and write.header("If-Match")


def test_over_a_limit_raises_an_alarm_once(make_gateway, origin):
    gw = make_gateway(config={"limits": {"document": 2048}})
    origin.respond = lambda r: answer({"total": 0, "items": [], "pad": "x" * 5000})
    for _ in range(3):
        assert fetch(gw.port, "/api/persons", POLICE).status == 404
    assert gw.stderr().count('"event":"over_limit","row":"document"') == 1


def test_an_endless_error_page_ends(make_gateway, origin):
    gw = make_gateway(config={"limits": {"document": 4096}})
    origin.respond = lambda r: (answer(b"x" * 60000, status=500)[:-1000], "hang")
    assert fetch(gw.port, "/api/persons/7", POLICE).status == 404
