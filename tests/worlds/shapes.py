"""Random document shapes and populations. A shape is what a profile declares (units at random paths, nesting, counts,
uniform members, texts, allow, null for absent); a document is a tree of that shape, written in one of three ways:

    with     everybody in it: each planted record holds something protected
    without  as the same origin writes it where the planted do not exist
    wanted   what a restricted recipient must get of either: contract section 5, Edits

`wanted` is made by leaving things out of the tree while writing it, never by editing text.
"""
import base64
import json
import random

WITH, WITHOUT, WANTED = "with", "without", "wanted"
NAMES = ["id", "name", "city", "nota", "größe", "a b", "x.y", "q\"t", "Ort", "ref", "tag", "zip", "memo", "kind2", "w", "v1"]
LISTS = ["items", "people", "rows", "results", "data", "associates", "children", "hits", "entries", "links"]
WORDS = ["alpha", "beta gamma", "Springfield", "żółć", "名前", "O'Brien \\ Sons", "tab\there", "", "x" * 40, "1367", "A-1", "2026-01-15"]


class Random(random.Random):
    """The same chance with less ado: most of the time that a document takes to be made goes into it."""

    def choice(self, seq):
        return seq[int(self.random() * len(seq))]

    def randrange(self, start, stop=None):
        return int(self.random() * start) if stop is None else start + int(self.random() * (stop - start))


class Population:
    """Protected people and how they may be written. Nobody else's values come near."""

    def __init__(self, rng, n):
        self.rng = rng
        self.people = [{"aNumber": f"A{rng.randrange(90000000, 99999999) * 10 + 3:09}", "receipt": f"EAC21{rng.randrange(10**7, 10**8):08}",
                        "ssn": f"{rng.randrange(101, 600)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",
                        "passport": f"G{rng.randrange(10**7, 10**8)}", "personId": 70000000 + i * 137} for i in range(n)]

    def canaries(self):
        return [v for p in self.people for v in (p["aNumber"][1:], p["receipt"], p["ssn"], p["passport"], str(p["personId"]))]

    def spelling(self):
        """A JSON string that is somebody under any name."""
        r, p = self.rng, self.rng.choice(self.people)
        a = p["aNumber"]
        grouped = f"A {a[1:4]}-{a[4:7]}-{a[7:]}"
        wide = "".join(chr(ord(c) + 0xFEE0) for c in a)
        plain = r.choice([a, a[1:], grouped, "see " + a + ".", wide, "A\u200b" + a[1:], grouped.replace("-", "\u2011"),
                          "".join("%%%02X" % ord(c) for c in a), "".join("%%25%02X" % ord(c) for c in a),
                          base64.b64encode(b"number " + a.encode()).decode(),
                          base64.b64encode(base64.b64encode(a.encode())).decode(),
                          p["receipt"], p["receipt"].lower(), p["ssn"], "SSN " + p["ssn"], p["passport"],
                          "form I-918 filed", "continued presence granted"])
        text = json.dumps(plain, ensure_ascii=r.random() < 0.5)
        return "".join("\\u%04x" % ord(c) if c.isalnum() and c.isascii() and r.random() < 0.1 else c
                       for c in text) if "\\" not in text and r.random() < 0.3 else text

    def name(self):
        """Somebody, as a member's name."""
        return self.rng.choice(self.people)[self.rng.choice(["aNumber", "receipt", "passport"])]

    def member(self):
        """(name, JSON text) of a member that is somebody."""
        r, p = self.rng, self.rng.choice(self.people)
        return r.choice([("personId", str(p["personId"])), ("aNumber", str(int(p["aNumber"][1:]))),
                         ("aNumber", str(int(p["aNumber"][1:])) + ".0"), ("ssn", json.dumps(p["ssn"].replace("-", ""))),
                         ("coa", '"384"'), (r.choice(NAMES), self.spelling()), (r.choice(NAMES), self.spelling())])


# ---- what a profile declares

class Shape:
    """members: {name: what}. what: "plain", "count LIST", "uniform", "text", "hidden", or (kind, Shape) with kind "list",
    "map", "member" (a unit that is dropped), "null" (a unit written null)."""

    def __init__(self, rng, depth, allow):
        self.members = {}
        names, lists = rng.sample(NAMES, len(NAMES)), rng.sample(LISTS, len(LISTS))
        for _ in range(rng.randrange(1, 4)):
            self.members[names.pop()] = "plain"
        if rng.random() < 0.5:
            self.members[names.pop()] = "hidden" if allow else "uniform"
        if rng.random() < 0.5:
            self.members[names.pop()] = "text"
        for _ in range(rng.randrange(1, 3) if depth > 0 else 0):
            kind = rng.choices(["list", "map", "member", "null"], [6, 2, 1, 1])[0]
            name = lists.pop()
            self.members[name] = (kind, Shape(rng, depth - 1, allow))
            if kind in ("list", "map") and rng.random() < 0.6:
                self.members[names.pop()] = "count " + name

    def declare(self, path, out):
        step = lambda name: f"{path}['{name}']" if not name.isascii() or not name.isalnum() else f"{path}.{name}"  # noqa: E731
        out["keys"].append(path + ".personId")
        visible = []
        for name, what in self.members.items():
            at = step(name)
            if isinstance(what, tuple):
                kind, inner = what
                below = at + {"list": "[*]", "map": ".*"}.get(kind, "")
                out["units"].append({"path": below, "absent": "null"} if kind == "null" else below)
                inner.declare(below, out)
            elif what.startswith("count "):
                listed = what[6:]
                out["counts"][at] = step(listed) + {"list": "[*]", "map": ".*"}[self.members[listed][0]]
                visible.append(at)
            elif what == "plain":
                visible.append(at)
            elif what != "hidden":
                out[{"uniform": "uniform", "text": "texts"}[what]].append(at)
        out["allow"] += visible


class Document:
    """A profile's document: a shape, and how its root is written."""

    def __init__(self, rng, number):
        self.rng, self.number = rng, number
        self.root = rng.choice(["object", "object", "list", "lines", "unit"])
        self.allow = rng.random() < 0.25
        self.complete = rng.random() < 0.7
        self.shape = Shape(rng, rng.choice([0, 1, 1, 2, 2, 3]) if self.root != "object" else rng.choice([1, 2, 3]), self.allow)
        self.miss = rng.choice([None, (404, '{"error":"none"}'), (200, "[]")])

    @property
    def content_type(self):
        return "application/x-ndjson" if self.root == "lines" else "application/json"

    def declaration(self):
        out = {"units": [], "keys": [], "counts": {}, "uniform": [], "texts": [], "allow": []}
        start = "$[*]" if self.root == "list" else "$"
        if self.root != "object":
            out["units"].append(start)
        self.shape.declare(start, out)
        made = {"path": f"/shape{self.number}/{{n}}", "units": out["units"], "keys": {"person_id": out["keys"]}}
        for name in ("counts", "uniform", "texts"):
            if out[name]:
                made[name] = out[name]
        if out["counts"] and self.complete:
            made["complete"] = True
        if self.allow:
            made["allow"] = out["allow"]
        if self.miss:
            made["miss"] = {"status": self.miss[0], "type": "application/json", "body": self.miss[1]}
        return made

    def missed(self):
        canonical = (404, '{"type":"about:blank","title":"Not Found","status":404}')
        status, body = self.miss or canonical
        return status, body.encode()


# ---- a tree of that shape

class Node:
    """Children of a container: [(key text or None, colon, node, what, planted)]."""

    def __init__(self, kind, text=None):
        self.kind, self.text, self.children = kind, text, []
        self.count_of = None   # the container whose visible children it counts
        self.quoted = False
        self.lies = None       # what an origin says instead of the right count


class Manner:
    """The white space of one document. A container's own: opening, before and behind each comma, closing."""

    def __init__(self, rng):
        self.style = rng.choice(["compact", "spaced", "pretty", "pretty", "wild"])
        self.rng = rng
        self.newline = rng.choice(["\n", "\n", "\r\n"])
        self.indent = rng.choice(["  ", "\t", "    "])

    def wild(self):
        return "".join(self.rng.choice(" \t\n\r") for _ in range(self.rng.choice([0, 0, 0, 1, 2, 3])))

    def colon(self):
        return {"compact": ":", "spaced": ": ", "pretty": ": "}.get(self.style) or self.wild() + ":" + self.wild()

    def container(self, depth):
        """(opening, closing)"""
        if self.style == "pretty":
            return self.newline + self.indent * (depth + 1), self.newline + self.indent * depth
        return (self.wild(), self.wild()) if self.style == "wild" else ("", "")

    def separator(self, depth):
        if self.style == "pretty":
            return "," + self.newline + self.indent * (depth + 1)
        return {"compact": ",", "spaced": ", "}.get(self.style) or self.wild() + "," + self.wild()


class Builder:
    def __init__(self, document, population, rng):
        self.document, self.population, self.rng = document, population, rng
        self.manner = Manner(rng)
        self.budget = rng.choice([6, 12, 25, 60])
        self.found = 0        # units with a finding, as the entitled are told
        self.lines = document.root == "lines"
        self.bodies = {}
        if self.lines:
            self.manner.style = rng.choice(["compact", "spaced"])

    def scalar(self):
        r = self.rng
        return r.choice(["true", "false", "null", "0", "-1.5e3", str(r.randrange(100000)), '"\\u00e9\\n"', '""'] +
                        [json.dumps(r.choice(WORDS), ensure_ascii=r.random() < 0.5)] * 4)

    def plain(self, depth, plant=None):
        """A value that declares nothing; somewhere in it stands `plant`, a JSON text."""
        if depth <= 0 or self.rng.random() < 0.5:
            return Node("scalar", plant or self.scalar())
        node = Node(self.rng.choice(["list", "object"]))
        node.fixed = True  # not a place where anything may vanish
        n = self.rng.randrange(1, 4)
        at = self.rng.randrange(n) if plant else -1
        for i in range(n):
            key = json.dumps(f"k{i}") if node.kind == "object" else None
            node.children.append((key, self.plain(depth - 1, plant if i == at else None), "plain", False))
        return node

    def removed(self, planted_here):
        """A member that no restricted recipient sees."""
        return self.plain(2, self.population.spelling() if planted_here else None)

    def record(self, shape, depth, planted):
        """An object of that shape. planted: it holds something protected of its own."""
        r, node = self.rng, Node("object")
        members = [m for m in shape.members.items() if r.random() < 0.9]
        r.shuffle(members)
        containers = {}
        how = r.choice(["member", "plain", "deep", "uniform", "name"]) if planted else None
        own_text = False
        for name, what in members:
            key = self.key(name)
            if isinstance(what, tuple):
                child = self.units(what[0], what[1], depth + 1)
                if child is None:
                    continue
                child, is_planted = child
                containers[name] = child
                node.children.append((key, child, what[0], is_planted))
                continue
            if what.startswith("count "):
                child = Node("scalar")
                child.count_of = (containers, what[6:])
                child.quoted = r.random() < 0.15
                child.lies = r.randrange(100) if r.random() < 0.1 else None
                what = "count"
            elif what in ("uniform", "hidden"):
                child = self.removed(how == "uniform")
                how = None if how == "uniform" else how
            elif what == "text":
                mention = r.random() < 0.3
                own_text |= mention
                child = self.removed(mention)
                node.children.append((key, child, "text", mention and r.random() < 0.5))
                continue
            elif how in ("plain", "deep"):
                child = self.plain(0 if how == "plain" else 4, self.population.spelling())
                how = None
            else:
                child = self.plain(r.choice([0, 0, 0, 2]))
            node.children.append((key, child, what, False))
        if how:  # nothing took it: a member of its own, which is hidden where there is an allow
            if how == "name":
                key, text = self.key(self.population.name()), "true"
            else:
                name, text = self.population.member()
                key = json.dumps(name)
            if how != "name" and name in shape.members:  # declared as something else
                key = self.key(self.population.name())
            node.children.insert(r.randrange(len(node.children) + 1), (key, Node("scalar", text), "plain" if not self.document.allow else "hidden", False))
        elif not planted and not node.children:
            node.fixed = False
        if planted or own_text:
            self.found += 1
        return node

    def key(self, name):
        text = json.dumps(name, ensure_ascii=self.rng.random() < 0.7)
        return text

    def units(self, kind, shape, depth):
        """(node, planted) of a place where units stand; None: this document has none there."""
        r = self.rng
        if kind in ("member", "null"):
            planted = r.random() < 0.5
            if not planted and r.random() < 0.2:
                return (Node("scalar", "null"), False) if kind == "null" else None
            return self.record(shape, depth, planted), planted
        node = Node("list" if kind == "list" else "object")
        n = r.choice([0, 1, 2, 3, 5, 8]) if self.budget > 0 else 0
        self.budget -= n
        share = r.choice([0, 0.3, 0.5, 1])
        for i in range(n):
            planted = r.random() < share
            key = None
            if kind == "map":
                key = json.dumps(self.population.name() if planted and r.random() < 0.5 else f"key{i}")
                if key in {k for k, *_ in node.children}:
                    continue
            node.children.append((key, self.record(shape, depth + 1, planted), "unit", planted))
        return node, False

    def build(self):
        d, r = self.document, self.rng
        if d.root in ("object", "unit"):
            self.planted = d.root == "unit" and r.random() < 0.3
            self.tree = self.record(d.shape, 0, self.planted)
        else:
            self.planted = False
            self.budget += 5
            self.tree, _ = self.units("list", d.shape, 0)
            if r.random() < 0.05:  # many: more pieces than leave in one go
                self.tree.children *= 40
        self.decorate(self.tree, 0)
        self.opening = r.choice(["", "", " \n"]) if self.manner.style == "wild" else ""
        self.end = r.choice(["", "\n"])
        self.line_end = r.choice(["\n", "\n", "\r\n"])
        self.last_end = r.random() < 0.8
        if d.root in ("list", "lines") and len(self.tree.children) >= 40:
            self.found = None
        return self

    def decorate(self, node, depth):
        """White space is drawn once, so that each way of writing has the same."""
        node.open, node.close = self.manner.container(depth)
        node.separators = [self.manner.separator(depth) for _ in node.children]
        node.colons = [self.manner.colon() for _ in node.children]
        for _, child, _, _ in node.children:
            if not hasattr(child, "open"):
                self.decorate(child, depth + 1)

    # ---- writing

    def visible(self, node, way):
        """The children that are written: their ordinals."""
        if node is None:
            return []
        out = []
        for i, (_, child, what, planted) in enumerate(node.children):
            if way != WITH and planted and what != "null":
                continue
            if way == WANTED and what in ("uniform", "text", "hidden"):
                continue
            if way == WANTED and what == "count" and not self.document.complete:
                continue
            out.append(i)
        return out

    def is_place(self, node):
        """Whether something may vanish from it: an empty one is then written without the space inside."""
        return not getattr(node, "fixed", False)

    def write(self, node, way, planted=False, what=None):
        if planted and what == "null" and way != WITH:
            return "null"
        if node.kind == "scalar":
            return self.count(node, way) if node.count_of else node.text
        brackets = "[]" if node.kind == "list" else "{}"
        parts = []
        for i in self.visible(node, way):
            key, child, what, is_planted = node.children[i]
            text = self.write(child, way, is_planted, what)
            parts.append((node.separators[i] if parts else "") + (key + node.colons[i] if key else "") + text)
        if not parts and (way == WANTED or not node.children):
            return brackets
        return brackets[0] + node.open + "".join(parts) + node.close + brackets[1]

    def count(self, node, way):
        containers, name = node.count_of
        n = len(self.visible(containers.get(name), way))
        if way != WANTED and node.lies is not None:
            n = node.lies
        return f'"{n}"' if node.quoted else str(n)

    def body(self, way):
        if way not in self.bodies:  # asked for in every world, by every kind
            self.bodies[way] = self.made(way)
        return self.bodies[way]

    def made(self, way):
        if not self.lines:
            return (self.opening + self.write(self.tree, way) + self.end).encode()
        shown = [self.write(self.tree.children[i][1], way) for i in self.visible(self.tree, way)]
        if not shown:
            return b""
        return (self.line_end.join(shown) + (self.line_end if self.last_end else "")).encode()


def documents(seed, count):
    rng = Random(seed)
    return [Document(rng, i) for i in range(count)]
