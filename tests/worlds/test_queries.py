"""Queries in three worlds: an origin that searches everything it has, also what nobody restricted is shown. Who stays is what
a second implementation of looking, in Python, finds in what is shown. GATE1367_SEED, GATE1367_CASES as elsewhere.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
    #= 10-domain 6.L18
    #= 10-domain 6.L19
    #= 10-domain 6.L22
"""
import os
import random
import unicodedata
import urllib.parse

from canary import Canaries
from cases import CANARIES, OTHERS, P, PROTECTED
from harness.gateway import SANITIZED
from harness.origin import answer
from worlds import AT, KINDS, NEXT_BODY, NOT_FOUND, WORLDS, Twins, request
import wire
import json

CASES = int(os.environ.get("GATE1367_CASES", 40 if SANITIZED else 150))
SEED = int(os.environ.get("GATE1367_SEED", 1))
CANARY = Canaries(CANARIES)
HER = "Vicenta Quispe Mamani"
PATHS = {"name": "contains", "given": "prefix", "city": "equals", "who": "words", "with": "words", "q": "contains", "age": "equals"}
LISTED = {
    "units": ["$.items[*]", "$.items[*].associates[*]"], "counts": {"$.total": "$.items[*]"}, "complete": True,
    "uniform": ["$.items[*].notes", "$.items[*].score"], "texts": ["$.items[*].narrative", "$.asked"],
    "query": {
        "name": ["$.items[*].name"], "given": {"paths": ["$.items[*].name"], "match": "prefix"},
        "city": {"paths": ["$.items[*].city"], "match": "equals", "repeated": "any"},
        "who": {"paths": ["$.items[*].name", "$.items[*].city"], "match": "words"},
        "with": {"paths": ["$.items[*].associates[*].name"], "match": "words"},
        "q": ["$.items[*]"], "age": {"paths": ["$.items[*].age"], "match": "equals", "empty": "any"},
        "sort": {"sorts": {"name": "$.items[*].name", "age": "$.items[*].age"}}, "format": "any"}}
DOCUMENTS = [{"path": "/people", **LISTED}, {"path": "/lines", "units": ["$"], "query": {"name": ["$.name"], "q": ["$"]}, "uniform": ["$.notes"]},
             {"path": "/stream", "units": ["$"], "independent": True, "query": {"name": ["$.name"]}, "uniform": ["$.notes"]},
             {"path": "/one", "units": ["$"], "query": {"name": ["$.name"]}, "uniform": ["$.notes"]},
             {"path": "/batch", "units": ["$.responses[*]"], "only": {"$.responses[*].status": [200]}},
             {"path": "/marked", "units": ["$.items[*]"], "query": {"name": ["$.items[*].name"]}, "uniform": ["$.items[*].notes"],
              "pseudonyms": ["$.items[*].id"]},
             {"path": "/found", "units": ["$.hits[*]"], "counts": {"$.total": "$.hits[*]"}, "complete": True, "query": {"q": ["$.hits[*].name"]},
              "uniform": ["$.max_score", "$.suggest", "$.facets", "$.hidden", "$.hits[*]._score", "$.hits[*].rank", "$.hits[*].highlight"]},
             {"path": "/groups/{n}", "units": ["$.groups[*]", "$.groups[*].people[*]"], "counts": {"$.groups[*].size": "$.groups[*].people[*]"},
              "complete": True, "query": {"q": {"paths": ["$.groups[*]"], "match": "equals"}}},
             {"path": "/multi", "units": ["$.results[*]"], "only": {"$.results[*].status": [200]}, "query": {"id": "any"}},
             {"path": "/graph", "units": [{"path": "$.data.*", "absent": "null"}, "$.data.*.persons[*]"], "texts": ["$.errors", "$.extensions"]}]


def somebody(n, rng):
    given = rng.choice(["María José", "Jürgen", "O’Brien", "Anna-Lena", "Иван", "Wei", "Noor"])
    surname = rng.choice(["García López", "Müller", "Smith", "Quispe", "Ødegård", "Петров", "de la Cruz"])
    return {"personId": n, "name": f"{given} {surname}", "city": rng.choice(["Springfield", "São Paulo", "Nuuk 12", "New York"]),
            "age": rng.choice([30, 30.0, 7, 41]), "notes": rng.choice(["seen in Lima", HER, "Garcia", ""]), "score": rng.random(),
            "narrative": "", "associates": [{"name": rng.choice(["Ann Other", "Bea García", "Kim"])} for _ in range(rng.randrange(3))]}


def population(rng):
    """Everybody without her, and what of her stands in whose record where she is."""
    people = [somebody(n, rng) for n in range(1, 13)]
    hers = {n: rng.choice(["narrative", "associates"]) for n in rng.sample(range(1, 13), 5)}
    return people, hers


def with_her(people, hers):
    mention = {"name": HER, "aNumber": P["aNumber"], "city": "Cuzco"}
    out = [dict(p) for p in people]
    for p in out:
        if hers.get(p["personId"]) == "narrative":
            p["narrative"] = f"{HER} of Cuzco, {P['aNumber']}, aged 30"
        elif p["personId"] in hers:
            p["associates"] = [mention] + p["associates"]
    return out[:4] + [{"personId": P["personId"], "age": 30, "notes": "", "narrative": "", "associates": [], **mention}] + out[4:]


# ---- looking, once more

LOOKALIKES = str.maketrans("АВЕКМНОРСТХ", "ABEKMHOPCTX")  # Cyrillic capitals drawn like Latin ones


def fold(text):
    decomposed = unicodedata.normalize("NFKD", text.replace("Ø", "O").replace("ø", "o"))
    return "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c)).upper().translate(LOOKALIKES)


def squeeze(text):
    return fold(text).replace(" ", "")


def holds(how, value, texts):
    if how == "words":
        return all(any(w.startswith(v) for t in texts for w in fold(t).split()) for v in fold(value).split())
    test = {"contains": lambda t: squeeze(value) in t, "equals": lambda t: squeeze(value) == t,
            "prefix": lambda t: t.startswith(squeeze(value))}[how]
    return any(test(squeeze(t)) for t in texts)


def texts_of(record, name, hidden):
    own = [str(record["personId"]), record["name"], record["city"], str(record["age"]), str(int(record["age"]))]
    friends = [a["name"] for a in record["associates"]]
    secret = [record["notes"], record["narrative"]] + [a.get("aNumber", "") for a in record["associates"]] if hidden else []
    places = {"name": own[1:2], "given": own[1:2], "city": own[2:3], "who": own[1:3], "with": friends, "age": own[3:], "q": own + friends}
    return places[name] + secret


def finds(record, asked, hidden):
    for name in {k for k, _ in asked if k in PATHS}:
        values = [v for k, v in asked if k == name and v]
        looked = [holds(PATHS[name], v, texts_of(record, name, hidden)) for v in values]
        if looked and not (any if name == "city" else all)(looked):
            return False
    return True


def written(people):
    return json.dumps({"asked": "?", "total": len(people), "items": people}, ensure_ascii=False, separators=(",", ":")).encode()


def shown(people):
    kept = [{k: v for k, v in p.items() if k not in ("notes", "score", "narrative")} for p in people]
    return json.dumps({"total": len(kept), "items": kept}, ensure_ascii=False, separators=(",", ":")).encode()


class Searching(Twins):
    """An origin that searches hidden members too."""

    def people(self, rng):
        self.everybody, self.hers = population(rng)

    def _respond(self, r):
        if not r.path.endswith("/people"):
            return super()._respond(r)
        asked = urllib.parse.parse_qsl(r.query, keep_blank_values=True)
        here = with_her(self.everybody, self.hers) if self.world == AT else self.everybody
        return answer(written([p for p in here if finds(p, asked, True)]))


ASKED = ["name=Garc%C3%ADa", "name=GARCIA", "name=gar", "name=arcia+lop", "name=obrien", "name=O%E2%80%99Brien", "given=mar", "given=gar",
         "city=sao+paulo", "city=sao", "city=Nuuk+12&city=New+York", "who=york+wei", "who=wei+york+x", "with=garc+bea", "with=vicenta",
         "with=Quispe", "q=vicenta", "q=quispe", "q=Lima", "q=Cuzco", "q=917345628", "age=30", "age=30.0", "age=", "age=3", "name=%D0%B8%D0%B2%D0%B0%D0%BD",
         "sort=-name&name=a", "sort=age,name%20desc", "format=x&q=30", "name=a&name=e", "n%61me=wei", "name=Smith&city=springfield", ""]
REFUSED = ["name=", "name", "name=%2a", "name=+", "name=%ff", "sort=notes", "sort=name,notes", "sort=", "sort=names", "x=1",
           "name=a;b", "alias=Quispe", "q=" + "+".join(["a"] * 10) + "&who=" + "+".join("abcdefgh" * 9)]


def pipeline(kind, paths):
    return b"".join(request(kind, p, close=p == paths[-1]) for p in paths)


def check(twins, wanted):
    """wanted: path to (status, body). Three worlds, all kinds."""
    paths = list(wanted)
    for kind in KINDS:
        streams = [twins.seen_by(kind, world, pipeline(kind, paths)) for world in WORLDS]
        for path, (status, _, body) in zip(paths, wire.answers(streams[0].raw), strict=True):
            assert (status, body) == wanted[path], f"{path} {kind}: {body.decode()}\nwanted {wanted[path][1].decode()}"
        for stream in streams[1:]:
            assert stream.seen() == streams[0].seen(), f"{kind}: the streams differ"
        CANARY.assert_none(streams[0].raw, kind)


def expected(twins, query):
    asked = urllib.parse.parse_qsl(query, keep_blank_values=True)
    return 200, shown([p for p in twins.everybody if finds(p, asked, False)])


def test_nobody_is_found_by_what_is_not_seen(tmp_path):
    rng = random.Random(SEED)
    with Searching(tmp_path, DOCUMENTS, PROTECTED, OTHERS) as twins:
        twins.people(rng)
        check(twins, {f"/people?{q}" if q else "/people": expected(twins, q) for q in ASKED})
        check(twins, {f"/people?{q}": (404, NOT_FOUND) for q in REFUSED})
        for _ in range(CASES // 25):
            twins.people(rng)
            check(twins, {f"/people?{q}": expected(twins, q) for q in {random_query(rng) for _ in range(25)}})
        others(twins)


def random_query(rng):
    words = ["María", "garc", "LÓPEZ", "brien", "12", "são", "paulo", "Vicenta", "Quispe", "Lima", "anna-lena", "30", "noor", "петр", "a", "de la"]
    pick = lambda: " ".join(rng.sample(words, rng.choice([1, 1, 2])))  # noqa: E731
    return urllib.parse.urlencode([(rng.choice(sorted(PATHS)), pick()) for _ in range(rng.choice([1, 1, 2, 3]))])


def others(twins):
    """Lines, streams, a document that is one record, batches and GraphQL answers."""
    line = lambda **m: json.dumps(m).encode() + b"\n"  # noqa: E731
    mine, found = line(name="Ann Smith", n=1), line(name="Bea", notes="Smith", n=2)
    lines = lambda *them: answer(b"".join(them), content_type="application/x-ndjson")  # noqa: E731
    her = line(name="Smith", aNumber=P["aNumber"])
    for path in ("/lines", "/stream"):
        twins.answer_with(path, lines(her, mine, found), lines(mine, found))
    twins.answer_with("/one", answer(found[:-1]), answer(found[:-1]))
    ok = lambda i, **body: {"id": i, "status": 200, "body": body}  # noqa: E731
    no = {"id": 2, "status": 404, "body": {"error": "no such person"}}
    twins.answer_with("/batch", answer({"responses": [ok(1, name="Ann"), ok(2, aNumber=P["aNumber"]), ok(3, name="Bea")]}),
                      answer({"responses": [ok(1, name="Ann"), no, ok(3, name="Bea")]}))
    ann = {"persons": [{"name": "Ann"}]}
    graph = lambda *data, **more: answer({"data": dict(zip(["a1", "b2", "c"], data)), **more})  # noqa: E731
    twins.answer_with("/graph", graph({"persons": [{"name": "Ann"}, {"aNumber": P["aNumber"]}]}, {"aNumber": P["aNumber"]}, {"n": 1}),
                      graph(ann, None, {"n": 1}, errors=[{"path": ["b2"], "message": "not found"}]))
    # what tells of others that were found: scores of all, what was meant, how many, a rank with a gap
    hit = lambda name, score, rank, **more: {"name": name, "_score": score, "rank": rank, "highlight": f"<b>{name}</b>", **more}  # noqa: E731
    found_ = lambda top, total, suggest, *hits: answer({"total": total, "max_score": top, "suggest": suggest, "facets": {"Lima": total}, "hidden": 0, "hits": hits})  # noqa: E731
    twins.answer_with("/found", found_(9.5, 3, ["vicenta"], hit("Vicenta Smith", 9.5, 1, aNumber=P["aNumber"]), hit("Ann Smith", 3.0, 2), hit("Bea Smith", 1.5, 3)),
                      found_(4.0, 2, [], hit("Ann Smith", 4.0, 1), hit("Bea Smith", 2.0, 2)))
    # a search that finds a group by how many are in it, with her and without
    group = lambda n, *her: {"name": "F-1", "size": n, "people": [*her, {"name": "Ann"}, {"name": "Bea"}]}  # noqa: E731
    with_, without = group(3, {"aNumber": P["aNumber"]}), group(2)
    groups = lambda *them: answer({"groups": list(them)})  # noqa: E731
    twins.answer_with("/groups/3", groups(with_), groups())
    twins.answer_with("/groups/2", groups(), groups(without))
    twins.answer_with("/groups/1", groups(with_), groups(without))
    # a batch in one answer: hers forbidden, without a body or with one of another shape; all the same as nobody's
    each = lambda *them: answer({"results": list(them)})  # noqa: E731
    twins.answer_with("/multi", each(ok(1, name="Ann"), {"id": 2, "status": 403, "aNumber": P["aNumber"]}, {"id": 3, "status": 200, "aNumber": P["aNumber"]}),
                      each(ok(1, name="Ann"), {"id": 2, "status": 404, "error": {"path": ["results", 1]}}, {"id": 3, "status": 404, "body": None}))
    seen = [{"name": "Ann Smith"}, {"name": "Bea", "notes": "Smith"}]
    marked = {"name": "Smith", "aNumber": "A977777771", "coa": "384"}  # known by a marker alone: the answer is decided twice
    twins.answer_with("/marked", answer({"items": [marked, *seen]}), answer({"items": seen}))
    body = lambda v: (200, json.dumps(v, ensure_ascii=False).encode())  # noqa: E731
    check(twins, {
        "/lines?name=smith": (200, mine), "/lines?q=ann": (200, mine), "/lines": (200, mine + line(name="Bea", n=2)), "/lines?name=x": (200, b""),
        "/stream?name=smith": (200, mine), "/stream": (200, mine + line(name="Bea", n=2)), "/one?name=smith": (404, NOT_FOUND),
        "/one?name=bea": (200, line(name="Bea", n=2)[:-1]), "/batch": body({"responses": [ok(1, name="Ann"), ok(3, name="Bea")]}),
        "/found?q=smith": body({"total": 2, "hits": [{"name": "Ann Smith"}, {"name": "Bea Smith"}]}), "/found": body({"total": 2, "hits": [{"name": "Ann Smith"}, {"name": "Bea Smith"}]}),
        "/multi": body({"results": [ok(1, name="Ann")]}), "/multi?id=1&id=2": body({"results": [ok(1, name="Ann")]}),
        "/groups/3?q=3": body({"groups": []}), "/groups/2?q=2": body({"groups": []}), "/groups/1?q=f-1": body({"groups": [without]}),
        "/marked?name=smith": body({"items": [{"name": "Ann Smith"}]}), "/graph": body({"data": {"a1": ann, "b2": None, "c": {"n": 1}}}), "/next": (200, NEXT_BODY)})


def test_a_body_that_asks(tmp_path):
    """What a restricted recipient's POST holds is not read: it is refused where the profile says so."""
    documents = [{"path": "/closed", "units": ["$.items[*]"], "body": "refuse"}, {"path": "/open", "units": ["$.items[*]"], "body": "any"}]
    documents.append({"path": "/unsaid", "units": ["$.items[*]"]})
    at, absent = answer({"items": [{"aNumber": P["aNumber"]}, {"n": 1}]}), answer({"items": [{"n": 1}]})
    with Twins(tmp_path, documents, PROTECTED, OTHERS) as twins:
        for path in ("/closed", "/open", "/unsaid"):
            twins.answer_with(path, at, absent)
        seen = (200, b'{"items": [{"n": 1}]}')
        for path, wanted in (("/closed", (404, NOT_FOUND)), ("/open", seen), ("/unsaid", seen)):
            for kind in KINDS:
                stream = twins.compare(kind, request(kind, path, "POST", prefix="/post", body=b'{"spouse":"x"}', close=True))
                assert [(s, b) for s, _, b in wire.answers(stream.raw)] == [wanted], kind
        assert twins.officer(request("officer", "/closed", "POST", body=b"{}", close=True)).raw.startswith(b"HTTP/1.1 200")
        asked = [r.path for r in twins.origin.requests if "closed" in r.path]
        assert asked == ["/api/closed"], "a refused body reached the origin"
