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
