"""Documents of things that are joined, at random, and a second implementation of what goes with whom: decided on the parsed
tree, by rounds over everything until nothing changes."""
import json
import unicodedata

A_NUMBERS = [f"A9{i:08}" for i in range(4)]
KEYS = ["7001", "7002"]
PEOPLE = "".join(json.dumps({"subject": f"S-{v}", "cases": [{"status": "pending"}], "identifiers": [i]}) + "\n" for v, i in
                 [(v, {"kind": "alien_number", "value": v}) for v in A_NUMBERS] +
                 [(v, {"kind": "person_id", "value": v, "system": "earm"}) for v in KEYS])


def compact(v):
    return json.dumps(v, separators=(",", ":"), ensure_ascii=False).encode()


# ---- links

class Raw:
    """A value and how it is spelt."""

    def __init__(self, text):
        self.text, self.value = text, json.loads(text)


def spell(rng, key):
    wide = "".join(chr(ord(ch) + 0xFEE0) for ch in key)
    return Raw(rng.choice([key, f'"{key}"', f'"00{key}"', f'" {key} "', f'"{wide}"', f"{key}.0", f'"\\u003{key[0]}{key[1:]}"']
                          if key.isdigit() else [f'"{key}"', f'"{key.lower()}"', f'"{key}\\u200b"']))


def canonical(value):
    """Nothing and zeros are nobody's key."""
    text = str(int(value)) if isinstance(value, (int, float)) else value
    text = "".join(ch for ch in unicodedata.normalize("NFKC", text) if unicodedata.category(ch) != "Cf").strip().upper()
    return text.lstrip("0") if text.isdigit() else text


def link_unit(rng, names, nested):
    unit = {"id": spell(rng, rng.choice(names))}
    if rng.random() < 0.5:
        unit["spouse"] = rng.choice([spell(rng, rng.choice(names)), Raw("null"), Raw('""'), Raw("0"), Raw('"000"')])
    if rng.random() < 0.4:
        unit["family"] = [spell(rng, rng.choice(names)) for _ in range(rng.randrange(3))]
    if rng.random() < 0.1:
        unit["aNumber"] = Raw(f'"{rng.choice(A_NUMBERS)}"')
    if nested and rng.random() < 0.5:
        unit["with"] = [link_unit(rng, names, False) for _ in range(rng.randrange(1, 3))]
    return unit


def write(v):
    if isinstance(v, Raw):
        return v.text
    if isinstance(v, dict):
        return "{" + ",".join(f'"{k}":{write(x)}' for k, x in v.items()) + "}"
    return "[" + ",".join(write(x) for x in v) + "]"


def link_document(rng):
    names = [str(n) for n in rng.sample(range(1000, 1060), rng.randrange(4, 40))] + ["AB1", "X-9"]
    names += KEYS * (rng.random() < 0.3)
    items = [link_unit(rng, names, True) for _ in range(rng.randrange(1, 12))]
    return {"n": Raw(str(len(items))), "items": items}


def units_of(document):
    for unit in document["items"]:
        yield unit
        yield from unit.get("with", [])


def links_of(unit):
    raw = [unit["spouse"]] if "spouse" in unit else []
    return {canonical(r.value) for r in raw + unit.get("family", []) if r.value not in (None, "")} - {""}


def linked(document):
    """Units that go, by identity."""
    gone = {id(u) for u in units_of(document) if "aNumber" in u or canonical(u["id"].value) in KEYS or
            links_of(u) & set(KEYS)}
    while True:
        told = set().union(*([links_of(u) | {canonical(u["id"].value)} for u in units_of(document) if id(u) in gone] or [()]))
        more = {id(u) for u in units_of(document) if links_of(u) & told} - gone
        if not more:
            return gone
        gone |= more


def without(document, gone):
    kept = [{**u, **({"with": [w for w in u["with"] if id(w) not in gone]} if "with" in u else {})}
            for u in document["items"] if id(u) not in gone]
    return {"n": Raw(str(len(kept))), "items": kept}


# ---- graphs

ASIDES = {"@type", "@context", "@language", "@direction", "@index", "@list", "@set", "xsi:nil", "@xsi:nil",
          "structures:metadata", "@structures:metadata"}
GRAPH = {"id": ["@id", "structures:id"], "ref": ["structures:ref", "roleOf"], "orphans": ["charge"]}
LINKED = {"units": ["$.items[*]", "$.items[*].with[*]"],
          "keys": {"person_id": ["$.items[*].id", "$.items[*].with[*].id"]},
          "links": ["$..spouse", "$..family[*]"], "counts": {"$.n": "$.items[*]"}, "complete": True}
UNITS = ["$..license", "$..subjects[*]"]


class Thing:
    """An object of the tree, or a value that is declared a unit."""

    def __init__(self, up, name, value, element):
        self.up, self.name, self.value = up, name, value
        self.declared = name == "license" if not element else name == "subjects"
        self.at_ref, self.at_id = name in GRAPH["ref"], name in GRAPH["id"]
        self.ids, self.refs, self.says, self.found = [], [], 0, False


def scalars(v):
    for one in v if isinstance(v, list) else [v]:
        if isinstance(one, dict):
            for k in ("rdf:value", "@value"):
                yield from ([one[k]] if isinstance(one.get(k), str) else [])
        elif isinstance(one, str):
            yield one


class Tree:
    def __init__(self, root):
        self.things = []
        self.document_found = False
        self.walk(None, None, root, False)

    def walk(self, up, name, value, element):
        t = up
        declared = (name == "license" and not element) or (name == "subjects" and element)
        if isinstance(value, dict) or declared:
            t = Thing(up, name, value, element)
            self.things.append(t)
        if isinstance(value, dict):
            if up and t.at_ref:
                up.says += 1
            for k, v in value.items():
                if k in GRAPH["id"]:
                    t.ids += [x.removeprefix("#") for x in scalars(v)]
                elif k in GRAPH["ref"]:
                    t.refs += [x.removeprefix("#") for x in scalars(v)]
                elif k not in ASIDES:
                    t.says += 1
                self.walk(t, k, v, False)
        elif isinstance(value, list):
            for v in value:
                self.walk(t, name, v, True)
        elif isinstance(value, str) and value in A_NUMBERS:
            t.found = True

    def is_reference(self, t):
        return isinstance(t.value, dict) and t.says == 0

    def owns(self, t):
        """Whether a finding in it is its own: a unit, what has an id, a reference."""
        return t.declared or not isinstance(t.value, dict) or bool(t.ids and not t.at_id) or self.is_reference(t)

    def pointing(self, t):
        """{thing: ids} that goes when an id of the set goes, because of what stands in t."""
        out = [(t, t.ids + t.refs)]
        outwards = t
        while not outwards.declared and (self.is_reference(outwards) or (outwards is t and t.at_ref)):
            outwards = outwards.up
            out.append((outwards, t.ids + t.refs))
            if outwards is None:
                break
        return out

    def inside(self, t, gone):
        while t is not None and t not in gone:
            t = t.up
        return t is not None

    def close(self, gone):
        pointing = [p for t in self.things if not t.at_id for p in self.pointing(t)]
        while True:
            told = {i for t in gone if t is not None for i in t.ids}
            more = {t for t, ids in pointing if told & set(ids)} - gone
            more |= self.orphans(gone) - gone
            if not more:
                return gone
            gone = gone | more

    def standing(self, gone):
        """(ids that are defined, ids that are referred to) by what stays."""
        here = [t for t in self.things if not self.inside(t, gone)]
        defined = {i for t in here if not self.is_reference(t) for i in t.ids}
        referred = {i for t in here for i in t.refs + (t.ids if self.is_reference(t) else [])}
        return defined, referred

    def orphans(self, gone):
        before, now = self.standing(set())[1], self.standing(gone)[1]
        return {t for t in self.things if t.name == "charge" and not self.is_reference(t) and
                set(t.ids) & (before - now)}

    def decide(self):
        """What goes; a set with None or the root in it: the document."""
        gone = self.close({t for t in self.things if t.found and self.owns(t)})
        late = set()
        for t in self.things:
            if t.found and not self.owns(t):
                while t is not None and not self.owns(t) and t not in gone:
                    t = t.up
                late.add(t)
        gone = self.close(gone | late)
        defined, referred = self.standing(gone)
        if (self.standing(set())[0] - defined) & referred:
            gone = gone | {None}
        return gone

    def without(self, value, gone):
        dropped = {id(t.value) for t in gone if t is not None and isinstance(t.value, dict)}

        def keep(name, v, element):
            if isinstance(v, dict):
                return id(v) not in dropped
            declared = (name == "license" and not element) or (name == "subjects" and element)
            return not (declared and any(t.value is v for t in gone if t is not None))

        def copy(name, v):
            if isinstance(v, dict):
                return {k: copy(k, x) for k, x in v.items() if keep(k, x, False)}
            if isinstance(v, list):
                return [copy(name, x) for x in v if keep(name, x, True)]
            return v
        return copy(None, value)


class Grower:
    def __init__(self, rng):
        self.rng = rng
        self.names = [f"P{i}" for i in range(rng.randrange(2, 9))]
        self.serial = 0

    def unique(self, text):
        """A string of its own identity, so that the tree can tell declared scalars apart."""
        return "".join(list(text))

    def reference(self):
        r, name = self.rng, self.rng.choice(self.names)
        return r.choice([lambda: {"@id": name}, lambda: {"structures:ref": name}, lambda: {"structures:ref": "#" + name},
                         lambda: {"@id": name, "@type": "nc:Person"}, lambda: {"@list": [{"@id": name}]},
                         lambda: {"@id": {"rdf:value": name}}, lambda: {"structures:ref": [name, r.choice(self.names)]}])()

    def thing(self, depth):
        r, out = self.rng, {}
        parts = []
        if r.random() < 0.45:
            parts.append((r.choice(GRAPH["id"]), r.choice(self.names)))
        if r.random() < 0.06:
            parts.append(("aNumber", r.choice(A_NUMBERS)))
        if r.random() < 0.2:
            parts.append(("structures:ref", r.choice(self.names)))
        if r.random() < 0.2:
            parts.append(("license", r.choice([self.unique("x" + str(r.random()))] * 3 + [self.unique(r.choice(A_NUMBERS))])))
        if r.random() < 0.3:
            parts.append(("name", "somebody"))
        if r.random() < 0.15:
            parts.append(("subjects", [r.choice([self.reference, lambda: self.thing(0)])() for _ in range(r.randrange(3))]))
        for _ in range(r.randrange(4) if depth > 0 else 0):
            name = r.choice(["person", "role", "roleOf", "charge", "assoc", "@graph"])
            made = r.choice([self.reference, lambda: self.thing(depth - 1), lambda: self.thing(depth - 1)])
            parts.append((name, made() if r.random() < 0.6 else [made() for _ in range(r.randrange(3))]))
        r.shuffle(parts)
        for k, v in parts:
            out.setdefault(k, v)
        return out

    def document(self):
        out = {"@context": "c", "head": "h"}
        for k in range(self.rng.randrange(2, 7)):
            out[f"m{k}"] = self.thing(3) if self.rng.random() < 0.7 else [self.thing(2) for _ in range(3)]
        return out
