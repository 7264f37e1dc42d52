"""An origin that gives lists page by page, in each of the four styles, and what of them a page should hold."""
import base64
import json
import urllib.parse

from .origin import answer

PACKED = {"separators": (",", ":")}


def number(n):
    return f"A{910000000 + n}"


class Pager:
    """`people`: numbers of the list, in order. respond() answers for /o (offset), /p (page), /c (cursor), /l (link), /w (the
    whole is told: offset with totals), /h (a bare array, totals and links in the head)."""

    def __init__(self, people=(), cap=None, indent=None):
        self.people, self.cap, self.indent = list(people), cap, indent
        self.override = None  # an answer to everything
        self.keyed = False  # cursors name the last unit of the page before, else how many came before
        self.asked = []
        self.families = {}  # of whom: names of what they share with others

    def dump(self, value):
        return json.dumps(value, indent=self.indent, **({} if self.indent else PACKED)).encode()

    def record(self, n):
        return {"id": n, "aNumber": number(n), "name": f"Person {n}", **({"family": self.families[n]} if n in self.families else {})}

    def slice(self, at, limit):
        if self.cap:
            limit = min(limit, self.cap)
        return [self.record(n) for n in self.people[at:at + limit]]

    def respond(self, request):
        q = dict(urllib.parse.parse_qsl(request.query))
        self.asked.append((request.path, q))
        self.path = urllib.parse.unquote(request.path)  # as it knows its own
        if self.override:
            return self.override
        limit = int(q.get("limit", 10))
        return getattr(self, "_" + self.path.rsplit("/", 1)[1])(q, limit)

    def _o(self, q, limit):
        return answer(self.dump({"kind": "people", "items": self.slice(int(q.get("offset", 0)), limit), "more": True}))

    def _p(self, q, limit):
        if self.cap:
            limit = min(limit, self.cap)
        return answer(self.dump({"data": {"people": self.slice((int(q.get("page", 1)) - 1) * limit, limit)}, "ok": 1}))

    def _follow(self, q, limit, name):
        at = int(base64.urlsafe_b64decode(q[name]).decode().split(":")[1]) if name in q else 0
        if self.keyed and name in q:
            at = self.people.index(at) + 1
        items = self.slice(at, limit)
        on = at + len(items)
        key = self.people[on - 1] if self.keyed and items else on
        return items, base64.urlsafe_b64encode(b"row:%d" % key).decode() if on < len(self.people) else None

    def _c(self, q, limit):
        items, on = self._follow(q, limit, "cursor")
        return answer(self.dump({"items": items, "next": on, "kind": "people"}))

    def _l(self, q, limit):
        items, on = self._follow(q, limit, "after")
        more = {"@next": f"http://origin.internal{self.path}?{'q=' + q['q'] + '&' if 'q' in q else ''}after={on}&limit={limit}"} if on else {}
        return answer(self.dump({**more, "value": items}))

    def _w(self, q, limit):
        items = self.slice(int(q.get("offset", 0)), limit)
        return answer(self.dump({"total": len(self.people), "items": items, "count": len(self.people)}))

    def _h(self, q, limit):
        at = int(q.get("offset", 0))
        items = self.slice(at, limit)
        head = [("X-Total-Count", str(len(self.people))), ("Content-Range", f"{at}-{at + len(items) - 1}/{len(self.people)}")]
        return answer(self.dump(items), headers=head)


def documents(prefix="/api", scan=40, **more):
    """The profile's documents for it."""
    def document(path, items, pages, **rest):
        return {"path": f"{prefix}/{path}", "units": [f"{items}[*]"], "query": {"q": "any", "name": [f"{items}[*].name"]},
                "pages": {"items": items, "scan": scan, "default_limit": 10, "limit": "limit", **pages, **more}, **rest}
    return [
        document("o", "$.items", {"style": "offset", "offset": "offset"}, uniform=["$.more"]),
        document("p", "$.data.people", {"style": "page", "page": "page"}, cursors=[
            {"path": "$.data.next", "as": "number", "absent": "null"}, {"path": "$.links.prev"}, {"path": "$.links.next"}]),
        document("c", "$.items", {"style": "cursor", "cursor": "cursor"}, cursors=["$.next"]),
        document("l", "$.value", {"style": "link", "cursor": "page_token"}, cursors=["$['@next']", "$['@prev']"]),
        document("w", "$.items", {"style": "offset", "offset": "offset"}, counts={"$.total": "$.items[*]", "$.count": "$.items[*]"},
                 complete=True, cursors=[{"path": "$.last", "as": "number"}]),
        document("h", "$", {"style": "offset", "offset": "offset", "total": "X-Total-Count", "link": "Link", "range": "Content-Range"},
                 complete=True),
    ]


def pack(**more):
    return {"format": 1, "pack": "paged", "version": "1",
            "profiles": [{"id": "paged", "title": "Lists in pages", "system": "earm", "documents": documents(**more)}]}
