"""Lists that an origin gives page by page: each page holds as many visible units as if the withheld did not exist.

    #= ICE10036.2 2.1
    #= RFC8288 3
    #= RFC9110 14.4
    #= RFC9110 15.5.17
    #= NIST.SP800-38D 5.2
"""
import json
import re
import urllib.parse

import pytest

from harness.client import OFFICER, POLICE, Client, normalised
from harness.gateway import ROOT, Gateway
from harness.origin import Origin
from harness.pager import Pager, number, pack

HIDDEN = [3, 4, 11, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 57]
PEOPLE = list(range(1, 61))
VISIBLE = [n for n in PEOPLE if n not in HIDDEN]
ROUTE = {"path": "/api/", "upstream": "records", "profile": "paged"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    pager = Pager(PEOPLE)
    place = tmp_path_factory.mktemp("pages")
    with Origin(lambda r: pager.respond(r)) as origin:
        gw = Gateway(place, origin.url, protected=[number(n) for n in HIDDEN], start=False, routes=[ROUTE],
                     packs=[str(ROOT / "rules/section-1367.json"), "pack.json"])
        gw.write("pack.json", pack())
        gw.start()
        yield gw, origin, pager
        gw.__exit__(None, None, None)


@pytest.fixture
def paged(served):
    gw, origin, pager = served
    pager.people, pager.cap, pager.indent, pager.asked = PEOPLE, None, None, []
    return served


def ids(answer, *path):
    value = json.loads(answer.body)
    for name in path:
        value = value[name]
    return [r["id"] for r in value]


def test_offsets_count_what_is_visible(paged):
    gw, origin, pager = paged
    with Client(gw.port, POLICE) as c:
        for at, limit in ((0, 10), (10, 10), (20, 10), (5, 7), (39, 1), (46, 10), (40, 100), (100, 10), (0, 0), (3, 1)):
            r = c.get(f"/api/o?offset={at}&limit={limit}")
            wanted = VISIBLE[at:at + limit]
            if at + limit > 40 and len(VISIBLE) > 40:
                assert r.status == 404, (at, limit)  # further than scan
                continue
            assert r.status == 200 and ids(r, "items") == wanted, (at, limit)
            items = ",".join(pager.dump(pager.record(n)).decode() for n in wanted)
            assert r.body.decode() == '{"kind":"people","items":[%s]}' % items
    assert ids(Client(gw.port, POLICE).get("/api/o"), "items") == VISIBLE[:10]


def test_pages_are_numbered_by_what_is_visible(paged):
    gw, origin, pager = paged
    with Client(gw.port, POLICE) as c:
        for page in (1, 2, 3, 4):
            r = c.get(f"/api/p?page={page}&limit=10")
            wanted = VISIBLE[10 * page - 10:10 * page]
            value = json.loads(r.body)
            assert [x["id"] for x in value["data"]["people"]] == wanted
            assert value["data"]["next"] == page + 1
            links = value["links"]
            assert links["next"] == f"https://localhost/api/p?page={page + 1}&limit=10" and ("prev" in links) == (page > 1)
        assert c.get("/api/p?page=5").status == 404
        pager.people = PEOPLE[:20]
        r = json.loads(c.get("/api/p?page=2").body)
        assert [x["id"] for x in r["data"]["people"]] == VISIBLE[10:17] and r["data"]["next"] is None and "next" not in r["links"]


def walk(c, path, items, name, start):
    """All pages from one to the next: (ids, answers)."""
    found, answers = [], []
    while start is not None:
        answers.append(c.get(start))
        assert answers[-1].status == 200, (start, len(answers))
        value = json.loads(answers[-1].body)
        found.append([r["id"] for r in value[items]])
        start = value.get(name)
        if start is not None and name == "next":
            start = f"{path}&cursor={start}"
        elif start is not None:
            start = start.removeprefix("https://localhost")
    return found, answers


def cut(people, n):
    return [people[i:i + n] for i in range(0, len(people), n)]


@pytest.mark.parametrize("cap", [None, 7, 1])
def test_cursors_are_our_own(paged, cap):
    gw, origin, pager = paged
    pager.cap = cap
    with Client(gw.port, POLICE) as c:
        for limit in (10, 3):
            found, answers = walk(c, f"/api/c?limit={limit}", "items", "next", f"/api/c?limit={limit}")
            assert found == cut(VISIBLE, limit)
            tokens = [json.loads(a.body).get("next") for a in answers[:-1]]
            assert len({len(t) for t in tokens}) == 1 and len(set(tokens)) == len(tokens)
            assert list(json.loads(answers[0].body)) == ["items", "next", "kind"]
            assert "next" not in json.loads(answers[-1].body)


def test_links_are_our_own(paged):
    gw, origin, pager = paged
    with Client(gw.port, POLICE) as c:
        found, answers = walk(c, None, "value", "@next", "/api/l?q=x&limit=10")
        assert found == cut(VISIBLE, 10)
        for a in answers:
            assert b"origin.internal" not in a.body and b"after=" not in a.body
        second = json.loads(answers[1].body)
        assert second["@next"].startswith("https://localhost/api/l?q=x&page_token=") and second["@next"].endswith("&limit=10")
        back = c.get(second["@prev"].removeprefix("https://localhost"))
        assert ids(back, "value") == VISIBLE[:10]


def test_totals_of_what_is_visible(paged):
    gw, origin, pager = paged
    pager.people = PEOPLE[:40]
    visible = [n for n in VISIBLE if n <= 40]
    with Client(gw.port, POLICE) as c:
        r = json.loads(c.get("/api/w?offset=10&limit=10").body)
        assert r == {"total": len(visible), "items": [pager.record(n) for n in visible[10:20]], "last": 20, "count": len(visible)}
        r = c.get("/api/h?offset=20&limit=10")
        assert ids(r) == visible[20:] and r.header("X-Total-Count") == str(len(visible))
        assert r.header("Content-Range") == f"20-{len(visible) - 1}/{len(visible)}"
        link = re.findall(r'<https://localhost(/api/h\?offset=\d+&limit=10)>; rel="(\w+)"', r.header("Link"))
        assert link == [("/api/h?offset=0&limit=10", "first"), ("/api/h?offset=10&limit=10", "prev"), ("/api/h?offset=20&limit=10", "last")]
        pager.people = PEOPLE
        assert c.get("/api/w").status == 404  # more than scan: nobody can say how many


NOT_FOUND = b'{"type":"about:blank","title":"Not Found","status":404}'


def test_the_entitled_get_the_origins_own(paged):
    gw, origin, pager = paged
    with Client(gw.port, OFFICER) as c:
        for target in ("/api/o?offset=2&limit=3", "/api/c?limit=4", "/api/l?limit=4", "/api/w?limit=2&x=y", "/api/p?page=-1"):
            r = c.get(target)
            assert pager.asked[-1][0] == target.partition("?")[0] and len(pager.asked) == 1
            pager.asked.clear()
            assert r.body == origin.respond(origin.requests[-1]).partition(b"\r\n\r\n")[2]
            pager.asked.clear()
        assert c.get("/api/o?offset=2&limit=3").header("Section-1367") == "protected; records=2"


def test_a_search_in_pages(paged):
    """What a search leaves out is not there either, on whatever document of the origin it stands."""
    gw, origin, pager = paged
    pager.cap = 6
    wanted = [n for n in VISIBLE if "person 2" in f"person {n}"]
    with Client(gw.port, POLICE) as c:
        for at in (0, 3, 9):
            assert ids(c.get(f"/api/o?name=Person+2&offset={at}&limit=4"), "items") == wanted[at:at + 4]
        found, _ = walk(c, "/api/c?limit=4&name=Person+2", "items", "next", "/api/c?limit=4&name=Person+2")
        assert found == cut(wanted, 4)


def test_a_number_that_is_none_is_nobodys(paged):
    gw, origin, pager = paged
    with Client(gw.port, POLICE) as c:
        for query in ("offset=-1", "offset=1&offset=2", "limit=", "limit=1e1", "limit=%31", "offset=+1", "cursor=7", "page=1", "limit", "offset=1;limit=2"):
            assert (c.get(f"/api/o?{query}").status, pager.asked) == (404, []), query
        assert c.get("/api/p?page=0").body == NOT_FOUND and c.get("/api/c?offset=1").body == NOT_FOUND
        assert c.get("/api/o?q=a&offset=0&q=b").status == 200  # what is no page's goes on as it came
        assert pager.asked[-1][1]["q"] == "b" and c.get("/api/o", "HEAD").body == b""


def test_a_foreign_cursor_is_nobodys(paged):
    """Altered, the origin's own, another query's, another path's, somebody else's: one answer, and the origin is not asked."""
    gw, origin, pager = paged
    with Client(gw.port, POLICE) as c, Client(gw.port) as nobody:
        token = json.loads(c.get("/api/c?q=1&limit=5").body)["next"]
        link = json.loads(c.get("/api/l?q=1&limit=5").body)["@next"]
        other = urllib.parse.parse_qs(urllib.parse.urlparse(link).query)["page_token"][0]
        assert ids(c.get(f"/api/c?q=1&limit=7&cursor={token}"), "items") == VISIBLE[5:12]
        pager.asked.clear()
        answers = [c.get(f"/api/c?q={q}&limit=5&cursor={t}") for q, t in (
            ("2", token), ("1", token[:-1]), ("1", token + "A"), ("1", "B" + token[1:]), ("1", token[:40] + ("A" if token[40] != "A" else "B") + token[41:]),
            ("1", "cm93OjU="), ("1", ""), ("1", other), ("1&q=1", token))]
        answers += [nobody.get(f"/api/c?q=1&limit=5&cursor={token}"), c.get(f"/api/c?limit=5&cursor={token}"),
                    c.get(f"/api/c?cursor={token}&q=1&cursor={token}"), c.get(f"/public/c?q=1&cursor={token}")]
        assert {(r.status, r.body) for r in answers} == {(404, NOT_FOUND)} and pager.asked == []
        assert gw.metric('gate1367_failures_total{row="cursor"}') >= 9


def test_one_entry_covers_all_that_was_read(paged):
    gw, origin, pager = paged
    pager.cap = 8
    before, read = gw.metric("gate1367_page_trips_total"), gw.metric("gate1367_page_units_total")
    with Client(gw.port, POLICE) as c:
        r = c.get("/api/o?offset=3&limit=10")
    entries = [e for e in gw.entries() if e["request"] == r.header("Request-Id") and e["event"] == "disclosure"]
    trips = len(pager.asked)
    seen = PEOPLE[:8 * trips]
    withheld = len([n for n in seen if n in HIDDEN])
    assert trips == 3 and gw.metric("gate1367_page_trips_total") == before + trips - 1
    assert gw.metric("gate1367_page_units_total") == read + len(seen)
    assert [(e["outcome"], e["records"]["seen"], e["records"]["withheld"], len(e["subjects"])) for e in entries] == \
        [("withheld", len(seen), withheld, withheld)]


@pytest.mark.whole("the origin's requests are counted")
def test_a_withheld_unit_costs_no_further_request(tmp_path):
    """At 5 % withheld: how often the origin is asked for a page, and how often in the world where they do not exist."""
    asked = {}
    for world in ("at", "absent"):
        people = [n for n in range(1, 401) if world == "at" or n % 20]
        pager = Pager(people)
        with Origin(lambda r: pager.respond(r)) as origin, Gateway(tmp_path / world, origin.url, start=False, routes=[ROUTE],
                protected=[number(n) for n in range(20, 401, 20)], packs=[str(ROOT / "rules/section-1367.json"), "pack.json"]) as gw:
            gw.write("pack.json", pack(scan=10000))
            gw.start()
            with Client(gw.port, POLICE) as c:
                for at in range(0, 350, 10):
                    assert len(ids(c.get(f"/api/o?offset={at}"), "items")) == 10
                offsets = len(pager.asked)
                found, _ = walk(c, "/api/c?limit=10", "items", "next", "/api/c?limit=10")
                asked[world] = (offsets / 35, (len(pager.asked) - offsets) / len(found))
    assert asked["at"] == asked["absent"] == (1, 2), asked


class Odd:
    """An origin with ways of its own behind the first answer."""

    def __init__(self, pager, then):
        self.pager, self.then, self.count = pager, then, 0

    def respond(self, request):
        self.count += 1
        return self.pager.respond(request) if self.count == 1 else self.then(request)


def test_what_comes_next_decides(paged):
    gw, origin, pager = paged
    respond = origin.respond
    pager.people, pager.cap = PEOPLE[:10], 10
    first = VISIBLE[:len([n for n in VISIBLE if n <= 10])]
    from harness.origin import answer
    cases = [
        (lambda r: answer(b"", status=416), 200), (lambda r: answer(b"", status=404), 200), (lambda r: answer(b"", status=500), 404),
        (lambda r: answer(b'{"items":[]}'), 200), (lambda r: answer(b'{"items":['), 404), (lambda r: answer(b"{}"), 200),
        (lambda r: pager.respond(type("R", (), {"query": "limit=10", "path": "/api/o"})), 200),  # the same again: it clamps
        (lambda r: answer(b'{"items":[]}', content_type="application/x-ndjson"), 404), (lambda r: (b"", "close"), 502)]
    try:
        for i, (then, status) in enumerate(cases):
            odd = Odd(pager, then)
            origin.respond = odd.respond
            with Client(gw.port, POLICE) as c:
                r = c.get("/api/o?limit=20")
            assert r.status == status and odd.count >= 2, (i, r.raw)
            assert status != 200 or ids(r, "items") == first, i
    finally:
        origin.respond = respond


def test_a_link_that_leads_elsewhere_is_not_followed(paged):
    from harness.origin import answer
    gw, origin, pager = paged
    respond = origin.respond
    try:
        for link in ("/api/other?after=1", "http://elsewhere/api/l/7?after=1", "https://x/y", "after=1", "?"):
            origin.respond = lambda r: answer(('{"@next":"%s","value":[{"id":1}]}' % link).encode())
            with Client(gw.port, POLICE) as c:
                assert c.get("/api/l").body == NOT_FOUND, link
        for link in ("?after=1", "l?after=1", "/api/l?after=1", "//h/api/l?after=1", "https://h:80/api/l?after=1", "/api/l?after=b c", "//h/api/l?after=\\u0000"):
            origin.respond = lambda r: answer(('{"@next":"%s","value":[{"id":1}]}' % link if "after" not in r.query else '{"value":[{"id":2}]}').encode())
            with Client(gw.port, POLICE) as c:
                assert ids(c.get("/api/l"), "value") == [1, 2], link
            #= RFC3986 2.1
            assert origin.requests[-1].query == urllib.parse.quote(json.loads(f'"{link}"').partition("?")[2], safe="="), link
    finally:
        origin.respond = respond


def test_a_query_that_links_would_not_hold_is_nobodys_wherever_the_list_ends(paged):
    """Else who lengthens his query learns whether anything, withheld or not, comes behind what he sees."""
    #= ICE10036.2 2.1
    from harness.origin import answer
    gw, origin, pager = paged
    respond = origin.respond

    def repeats(r):
        more = ',"@next":"/api/l?%s&after=1"' % urllib.parse.quote(urllib.parse.unquote(r.query), safe="=&")
        return answer(('{"value":[{"id":1}]%s}' % ("" if last or "after" in r.query else more)).encode())
    try:
        origin.respond = repeats
        for last in (True, False):
            with Client(gw.port, POLICE) as c:
                for q, fits in (("x" * 100, True), ("x" * 126, True), ("x" * 127, False), ("*" * 42, True), ("*" * 43, False), ("x" * 500, False)):
                    assert (c.get("/api/l?q=" + q).status == 200) == fits, (q, last)
    finally:
        origin.respond = respond


def fhir(request):
    """A FHIR server's search, which says what comes next in an array of relations."""
    q = dict(urllib.parse.parse_qsl(request.query))
    at, n = int(q.get("_getpagesoffset", 0)), int(q.get("_count", 20))
    link = [{"relation": "self", "url": f"http://hapi:8080/fhir/Patient?{request.query}"}]
    if at + n < len(PEOPLE):
        link.append({"url": f"http://hapi:8080/fhir/Patient?_getpages=7f&_getpagesoffset={at + n}&_count={n}", "relation": "next"})
    entry = [{"fullUrl": f"urn:{i}", "resource": {"resourceType": "Patient", "id": str(i), "identifier": [{"value": number(i)}]}}
             for i in PEOPLE[at:at + n]]
    return {"resourceType": "Bundle", "id": "7f", "type": "searchset", "total": len(PEOPLE), "link": link, "entry": entry}


def postgrest(request):
    q = dict(urllib.parse.parse_qsl(request.query))
    at, n = int(q["offset"]), min(int(q["limit"]), 1000)
    return [{"id": i, "a_number": number(i)} for i in PEOPLE[at:at + n]]


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """The ready profiles before origins that speak as those do that they are for."""
    from harness.origin import answer
    names = ["fhir", "postgrest", "datatables"]

    def respond(r):
        if r.path == "/fhir/Patient":
            return answer(fhir(r), content_type="application/fhir+json")
        if r.path == "/persons":
            rows = postgrest(r)
            return answer(rows, headers=[("Content-Range", f"{r.query.count('x')}-9/*")])
        q = dict(urllib.parse.parse_qsl(r.query))
        rows = [{"a_number": number(i), "id": i} for i in PEOPLE[int(q["start"]):int(q["start"]) + int(q["length"])]]
        return answer({"draw": int(q["draw"]), "recordsTotal": 60, "recordsFiltered": 60, "data": rows})
    routes = [{"path": p, "upstream": "records", "profile": n} for p, n in (("/fhir/", "fhir"), ("/persons", "postgrest"), ("/arrests", "datatables"))]
    packs = [str(ROOT / "rules/section-1367.json")] + [str(ROOT / f"rules/profiles/{n}.json") for n in names]
    with Origin(respond) as origin, Gateway(tmp_path_factory.mktemp("ready"), origin.url, protected=[number(n) for n in HIDDEN],
                                            routes=routes, packs=packs) as gw:
        yield gw


def test_fhir(ready):
    with Client(ready.port, POLICE) as c:
        target, pages = "/fhir/Patient?_count=10", []
        while target:
            r = c.get(target)
            bundle = json.loads(r.body)
            pages.append([int(e["resource"]["id"]) for e in bundle["entry"]])
            links = {x["relation"]: x["url"].removeprefix("https://localhost") for x in bundle["link"]}
            assert list(bundle) == ["resourceType", "type", "entry", "link"] and links["self"] == target and b"hapi" not in r.body
            assert r.header("Content-Type") == "application/fhir+json"
            target = links.get("next")
        assert pages == cut(VISIBLE, 10) and links["first"].startswith("/fhir/Patient?_page_token=")


def test_postgrest(ready):
    with Client(ready.port, POLICE) as c:
        for at in (0, 10, 40, 60):
            r = c.get(f"/persons?offset={at}&limit=10")
            wanted = VISIBLE[at:at + 10]
            assert [x["id"] for x in json.loads(r.body)] == wanted
            assert r.header("Content-Range") == (f"{at}-{at + len(wanted) - 1}/*" if wanted else "*/*")


def test_datatables(ready):
    with Client(ready.port, POLICE) as c:
        for draw, start in ((1, 0), (2, 40), (3, 10)):
            r = json.loads(c.get(f"/arrests?draw={draw}&start={start}&length=10").body)
            assert [x["id"] for x in r["data"]] == VISIBLE[start:start + 10]
            assert "draw" not in r and (r["recordsTotal"], r["recordsFiltered"]) == (len(VISIBLE), len(VISIBLE))
        assert c.get("/arrests?draw=1&start=0&length=10&columns%5B9%5D%5Bsearch%5D%5Bvalue%5D=%5E384$").status == 404


def test_who_is_known_by_a_marker_is_missing_from_the_first_page_on(paged):
    """The marker stands on one of the origin's documents, the same person without it on another: the page is refilled once more."""
    from harness.origin import answer
    gw, origin, pager = paged
    respond, pager.cap = origin.respond, 5
    marked = {"id": 70, "aNumber": "A077777777", "coa": "384", "name": "Somebody new"}
    people = {n: pager.record(n) for n in range(40, 60) if n != 57} | {44: marked, 49: {**marked, "id": 71}, 53: {**marked, "id": 72}}
    del people[49]["coa"], people[53]["coa"]
    people[51] = {"id": 73, "aNumber": "A066666666", "coa": "384"}  # known by the document that is asked for because of the first
    people[41] = {"id": 74, "aNumber": "A066666666"}
    rows = list(people.values())

    def listed(r):
        q = dict(urllib.parse.parse_qsl(r.query))
        at = int(q["offset"])
        return answer(pager.dump({"items": rows[at:at + 5], "more": True}))
    origin.respond = listed
    try:
        with Client(gw.port, POLICE) as c:
            wanted = [n for n in people if n not in (41, 44, 49, 51, 53)]
            assert ids(c.get("/api/o?limit=10"), "items") == wanted[:10]
            assert ids(c.get("/api/o?limit=10&offset=10"), "items") == wanted[10:]
    finally:
        origin.respond = respond


@pytest.mark.whole("the sizes of what is asked for matter")
def test_a_deep_page_of_a_mean_origin(paged):
    """One unit at a time: asked as often as it takes, and decided only when it can be enough."""
    gw, origin, pager = paged
    pager.cap = 1
    with Client(gw.port, POLICE) as c:
        assert ids(c.get("/api/o?offset=35&limit=5"), "items") == VISIBLE[35:40]
    # to the visible unit behind the page at least, and an eighth further or so
    needed = PEOPLE.index(VISIBLE[40]) + 1
    assert needed <= len(pager.asked) <= min(len(PEOPLE), needed + needed // 4) + 1
