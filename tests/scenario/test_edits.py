"""The edit grammar (contract section 5), byte for byte. P stands for somebody protected, Q and R for others."""
import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch
from harness.origin import answer

P, Q, R = '{"aNumber":"A012345678"}', '{"aNumber":"A011111111"}', '{"n":1}'
MISS = '{"type":"about:blank","title":"Not Found","status":404}'


def units(path, units, **more):
    return {"path": f"/e/{path}", "title": path, "units": units, **more}


PACK = {"format": 1, "pack": "edits", "version": "1", "profiles": [{"id": "edits", "title": "edits", "system": "earm", "documents": [
    units("list", ["$[*]"]), units("whole", ["$"]), units("items", ["$.items[*]"]), units("map", ["$.map.*"]),
    units("nested", ["$.items[*]", "$.items[*].friends[*]"]), units("null", [{"path": "$.person", "absent": "null"}]),
    units("counts", ["$.items[*]"], counts={"$.total": "$.items[*]"}, complete=True),
    units("partial", ["$.items[*]"], counts={"$.total": "$.items[*]"}, complete=False),
    units("uniform", ["$[*]"], uniform=["$[*].notes"]), units("texts", ["$[*]"], texts=["$[*].story"]),
    units("allow", ["$.items[*]"], allow=["$.items[*].n", "$.kind"]), units("deep", ["$..people[*]"]),
    units("lines", ["$"]), units("keys", ["$[*]"], keys={"person_id": ["$[*].id"]}),
    units("miss", ["$"], miss={"status": 200, "type": "application/json", "body": "{\"found\":false}\n"}),
]}]}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from harness.gateway import Gateway
    from harness.origin import Origin
    person = {"subject": "S", "cases": [{"status": "pending"}], "identifiers": [
        {"kind": "alien_number", "value": "A012345678"}, {"kind": "person_id", "value": "77", "system": "earm"}]}
    with Origin() as origin:
        place = tmp_path_factory.mktemp("edits")
        gw = Gateway(place, origin.url, protected=[person], start=False, packs=[str(g.ROOT / "rules/section-1367.json"), "pack.json"],
                     routes=[{"path": "/e/", "upstream": "records", "profile": "edits"},
                             {"path": "/i/", "upstream": "records", "unprofiled": "inspect"}])
        gw.write("pack.json", PACK)
        gw.start()
        yield gw, origin
        gw.__exit__(None, None, None)


EDITS = [
    # opening white space stays; before each kept element its own separator; closing white space stays
    ("list", f"[{P},{Q}]", f"[{Q}]"), ("list", f"[{Q},{P}]", f"[{Q}]"), ("list", f"[{Q},{P},{R}]", f"[{Q},{R}]"),
    ("list", f"[ {P} , {Q} ]", f"[ {Q} ]"), ("list", f"[ {Q} , {P} ]", f"[ {Q} ]"), ("list", f"[ {Q} ,\t{P}\n, {R} ]", f"[ {Q}\n, {R} ]"),
    ("list", f"[\n  {P},\n  {Q},\n  {R}\n]\n", f"[\n  {Q},\n  {R}\n]\n"), ("list", f"[\n  {Q},\n  {P},\n  {R}\n]\n", f"[\n  {Q},\n  {R}\n]\n"),
    ("list", f"[\n  {Q},\n  {R},\n  {P}\n]\n", f"[\n  {Q},\n  {R}\n]\n"), ("list", f"[{P},{P},{Q},{P},{R},{P}]", f"[{Q},{R}]"),
    # nothing left, and an origin's own emptiness
    ("list", f"[{P}]", "[]"), ("list", f"[\n  {P}\n]\n", "[]\n"), ("list", "[ ]", "[]"), ("list", "[]", "[]"), ("list", f"  [ {P} ]  ", "  []  "),
    # untouched bodies leave byte for byte
    ("list", f'\ufeff[ {Q} ,{R} , 1.50e+1, "\\u00e9\\/" ]\r\n', f'\ufeff[ {Q} ,{R} , 1.50e+1, "\\u00e9\\/" ]\r\n'),
    ("items", f'{{"items":[{P},{Q}],"x":1}}', f'{{"items":[{Q}],"x":1}}'), ("items", f'{{"items":[{P}],"x":[ ]}}', '{"items":[],"x":[ ]}'),
    ("items", '{"items": [ ] , "x":1}', '{"items": [] , "x":1}'),
    # members of a map
    ("map", f'{{"map":{{"a":{P},"b":{Q}}}}}', f'{{"map":{{"b":{Q}}}}}'), ("map", f'{{"map":{{ "b" : {Q} , "a" : {P} }}}}', f'{{"map":{{ "b" : {Q} }}}}'),
    ("map", f'{{"map":{{"a":{P}}}}}', '{"map":{}}'), ("map", '{"map":{"A012345678":{"n":1},"b":{"n":2}}}', '{"map":{"b":{"n":2}}}'),
    ("map", '{"map":{ }}', '{"map":{}}'),
    # a finding belongs to the innermost unit around it
    ("nested", f'{{"items":[{{"n":1,"friends":[{P},{Q}]}},{Q}]}}', f'{{"items":[{{"n":1,"friends":[{Q}]}},{Q}]}}'),
    ("nested", f'{{"items":[{{"aNumber":"A012345678","friends":[{Q}]}},{Q}]}}', f'{{"items":[{Q}]}}'),
    ("null", f'{{"person":{P},"n":1}}', '{"person":null,"n":1}'), ("null", f'{{"person":{Q},"n":1}}', f'{{"person":{Q},"n":1}}'),
    # counts
    ("counts", f'{{"total":2,"items":[{P},{Q}]}}', f'{{"total":1,"items":[{Q}]}}'), ("counts", f'{{"items":[{P}],"total": 1 }}', '{"items":[],"total": 0 }'),
    ("partial", f'{{"total":900,"items":[{P},{Q}]}}', f'{{"items":[{Q}]}}'), ("partial", f'{{"items":[{Q}],"total":900}}', f'{{"items":[{Q}]}}'),
    # uniform members go from every record, texts too; a finding in a text is about somebody else
    ("uniform", '[{"n":1,"notes":"x"},{"notes":"y","n":2},{"notes":1}]', '[{"n":1},{"n":2},{}]'),
    ("uniform", '[{"n":1,"notes":"A012345678"},{"n":2}]', '[{"n":2}]'),
    ("texts", '[{"n":1,"story":"met A012345678"},{"story":"x","n":2}]', '[{"n":1},{"n":2}]'),
    # projection
    ("allow", '{"kind":"x","secret":1,"items":[{"n":1,"m":2},{"aNumber":"A012345678","n":2},{"m":1,"n":3}]}',
     '{"kind":"x","items":[{"n":1},{"n":3}]}'),
    ("deep", f'{{"a":{{"people":[{P},{Q}]}},"b":[{{"people":[{P}]}}]}}', f'{{"a":{{"people":[{Q}]}},"b":[{{"people":[]}}]}}'),
    ("keys", '[{"id":77},{"id":"77"},{"id":78},{"n":77}]', '[{"id":78},{"n":77}]'),
]


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_edits(served, framing):
    gw, origin = served
    with Client(gw.port, POLICE) as police, Client(gw.port, OFFICER) as officer:
        for path, body, kept in EDITS:
            origin.respond = lambda r: (answer(body.encode(), framing=framing), "close" if framing == "close" else None)
            r = police.get(f"/e/{path}")
            assert (r.status, r.text) == (200, kept), (path, body)
            assert r.header("Content-Length") == str(len(kept.encode()))
            assert officer.get(f"/e/{path}").text == body


def test_edits_in_pieces_of_one_byte(served):
    gw, origin = served
    with Client(gw.port, POLICE, pieces=1) as c:
        for path, body, kept in EDITS:
            raw = body.encode()
            chunks = b"".join(b"1\r\n" + raw[i:i + 1] + b"\r\n" for i in range(len(raw))) + b"0\r\n\r\n"
            origin.respond = lambda r: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
            assert c.get(f"/e/{path}").text == kept, body


@pytest.mark.parametrize("path,body,left", [
    ("whole", P, (404, MISS)), ("whole", '{"x":{"y":["(A012345678)"]}}', (404, MISS)), ("miss", P, (200, '{"found":false}\n')),
    ("items", f'{{"items":[{Q}],"who":"A012345678"}}', (404, MISS)),  # outside every unit
    ("items", f'{{"items":[{Q}],"items":[{R}]}}', (404, MISS)), ("list", f'[{{"a":1,"a":2}},{Q}]', (200, f"[{Q}]")),
    ("list", f'[{{"s":"\\ud800"}},{Q}]', (200, f"[{Q}]")), ("list", f'[{{"a\\u0000":1}},{Q}]', (200, f"[{Q}]")), ("list", f"[{Q},", (404, MISS)),
    ("list", f"[{Q}] x", (404, MISS)), ("miss", "{", (200, '{"found":false}\n'))])
def test_documents_and_findings(served, path, body, left):
    gw, origin = served
    origin.respond = lambda r: answer(body.encode())
    r = fetch(gw.port, f"/e/{path}", POLICE)
    assert (r.status, r.text) == left


@pytest.mark.parametrize("body,kept", [
    (f"{P}\n{Q}\n", f"{Q}\n"), (f"{Q}\n{P}\n{R}\n", f"{Q}\n{R}\n"), (f"{P}\n", ""), ("", ""), (f"{Q}\n{{broken\n{R}\n", f"{Q}\n{R}\n"),
    (f"{Q}\n{R}", f"{Q}\n{R}"), (f"{Q}\r\n{P}\r\n{R}\r\n", f"{Q}\r\n{R}\r\n")])
def test_lines(served, body, kept):
    gw, origin = served
    origin.respond = lambda r: answer(body.encode(), content_type="application/x-ndjson")
    r = fetch(gw.port, "/e/lines", POLICE)
    assert (r.status, r.text) == (200, kept)
    assert fetch(gw.port, "/e/lines", OFFICER).text == body


@pytest.mark.parametrize("spelling", [
    '"A 012-345-678"', '"a012345678"', '"A12345678"', '"012345678"', "12345678", "12345678.0", "1.2345678e7", '"\uff21\uff10\uff11\uff12345678"',
    '"A0123\u200b45678"', '"A%3012345678"', '"QTAxMjM0NTY3OA=="', '"\\u0041012345678"', '"see A#012345678."'])
def test_spellings(served, spelling):
    gw, origin = served
    origin.respond = lambda r: answer(('[{"aNumber":%s},%s]' % (spelling, R)).encode())
    assert fetch(gw.port, "/e/list", POLICE).text == f"[{R}]"


def test_unprofiled_inspect(served):
    """The element of a root array, the line; anything else the document."""
    gw, origin = served
    for kind, body, left in (("application/json", f"[{P},{Q}]", (200, f"[{Q}]")), ("application/json", f'{{"items":[{P},{Q}]}}', (404, MISS)),
                             ("application/x-ndjson", f"{P}\n{Q}\n", (200, f"{Q}\n")), ("application/json", Q, (200, Q)),
                             ("application/problem+json", f"[{P}]", (200, "[]")), ("text/plain", "x", (404, MISS))):
        origin.respond = lambda r: answer(body.encode(), content_type=kind)
        r = fetch(gw.port, "/i/x", POLICE)
        assert (r.status, r.text) == left, (kind, body)
