"""Which units are withheld, from what is found in them: contract 6."""
import re
import unicodedata

from . import columns, graph, names
from .columns import Column, spoken
from .paths import Paths, lies, meets
from .reader import MAPS, NUMBERS, STRINGS, WORDS, Broken, document, lines
from .search import Search

A_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:A([0-9]{7,9})|([0-9]{9}))(?![0-9A-Za-z])")
PARENTS = {"value", "number", "id", "text", "identificationid", "code", "category"}  # members that take their parent's label too
NOBODY = {"DESCONOCIDO", "NA", "NAN", "NIL", "NINGUNA", "NINGUNO", "NOBODY", "NONE", "NOTAPPLICABLE", "NOTAVAILABLE", "NOTKNOWN",
          "NOTPROVIDED", "NULL", "UNDEFINED", "UNK", "UNKNOWN", "UNSPECIFIED"}
ALL = "the document"  # what is no unit: a finding there withholds all
GONE_FOR_ALL = ("uniform", "texts", "cursors")
DEFINITIVE, SUSPECTED = "definitive", "suspected"


class Undeliverable(Exception):
    """Nothing of it may be delivered."""


def key_of(text):
    """As the registry writes surrogate keys."""
    return text.strip().upper().lstrip("0")


def names_nobody(text):
    said = "".join(c for c in text.upper() if c.isalnum() or (c > "\x7f" and unicodedata.category(c)[0] not in "ZC"))
    return not said.strip("0") or said in NOBODY or text.strip() == "-1"


class World:
    """Who is protected, and what is a marker. `expressions`: [(compiled, rule, strength)]; `codes`: {(label, value): (rule, strength)}"""

    def __init__(self, numbers, keys, expressions, codes, suspects=False):
        self.suspects = suspects  # the gateway does, the library does not
        self.numbers, self.keys, self.expressions, self.codes = set(numbers), {k: set(map(key_of, v)) for k, v in keys.items()}, expressions, codes

    def markers(self, text, labels, is_row=False):
        out = [(rule, strength) for expression, rule, strength in self.expressions if expression.search(text)]
        return out + [self.codes[label, text] for label in labels if (label, text) in self.codes]

    def identifiers(self, text, labels, is_number, is_row=False):
        return ["A" + "".join(digits).zfill(9) for digits in A_NUMBER.findall(text)]

    def labels(self, name, around):
        """What a member's name makes of its value; around: what it stands in."""
        own = re.sub(r"[^a-z0-9]", "", name.lower())
        return around | {own} if own in PARENTS else frozenset([own])

    def said(self, node):
        """{member or element of one: [(labels, whether digits alone are no code)]} that members of an object give each other; None: too many."""
        return {}


class Profile:
    """One entry of `documents`, ready to be followed."""
    LISTED = ("links", "uniform", "texts", "allow", "cursors", "pseudonyms")

    def __init__(self, entry, on_finding="withhold", lines=False, record=4 << 20, document=64 << 20, depth=256, asked=()):
        self.entry, self.on_finding, self.lines = entry, on_finding, lines
        self.record, self.whole, self.depth = record, document, depth
        self.keyed = False  # the gateway has a key for pseudonyms, the library has none
        self.complete, self.inspects = entry.get("complete", False), False  # inspects: nobody declared its units
        self.shows_found = on_finding in ("redact", "mask", "pseudonym", "report")
        self.has_allow, self.graph = "allow" in entry, entry.get("graph")
        units = self.units = [u if isinstance(u, dict) else {"path": u} for u in entry.get("units", [])]
        texts, self.roles = [], []
        self.nulls = set()
        for u in units:
            if u.get("absent") == "null":
                self.nulls.add(len(texts))
            self.add(texts, "units", u["path"])
        for role in self.LISTED:
            for path in entry.get(role, []):
                self.add(texts, role, path)
        for kind, listed in entry.get("keys", {}).items():
            for path in listed:
                self.add(texts, "keys " + kind, path)
        self.unit_paths = range(len(units))
        self.counts = []
        for path, counted in entry.get("counts", {}).items():
            self.counts.append((len(texts), next(i for i, u in enumerate(units) if u["path"] == counted)))
            self.add(texts, "counts", path)
        self.searches = []
        for path, values in entry.get("only", {}).items():
            self.searches.append(Search({"paths": [path], "match": "equals", "repeated": "any"}, [len(texts)], self, [str(v) for v in values]))
            self.add(texts, "only", path)
        for name, declared in entry.get("query", {}).items():
            declared = {"paths": declared} if isinstance(declared, list) else declared
            if "paths" in declared:
                listed = range(len(texts), len(texts) + len(declared["paths"]))
                self.searches.append(Search(declared, listed, self, [v for n, v in asked if n == name]))
                for path in declared["paths"]:
                    self.add(texts, "query", path)
        self.speak(texts, spoken(entry, asked))
        self.paths = Paths(texts)
        self.searches = [s for s in self.searches if s.values]
        self.by_state = {}

    def speak(self, texts, asked):
        declared = self.entry.get("columns", {"paths": {}})
        paths = {name: len(texts) + i for i, name in enumerate(declared["paths"])}
        for path in declared["paths"].values():
            self.add(texts, "query", path)
        try:
            self.searches += [Column(paths, ways, self) for ways in columns.conditions(declared, asked)] if asked else []
        except columns.Refused:
            pass  # is_refused() says so

    def add(self, texts, role, path):
        self.roles.append(role)
        texts.append(path)

    def roles_at(self, state):
        """{role: paths} of a node."""
        if state not in self.by_state:
            out = {}
            for p in sorted(self.paths.at(state)):
                out.setdefault(self.roles[p], []).append(p)
            self.by_state[state] = out
        return self.by_state[state]

    def shows(self, node, allowed):
        """"allowed", or "" where nobody is shown it, whoever is withheld"""
        roles = self.roles_of(node)
        if any(r in roles for r in GONE_FOR_ALL) or ("counts" in roles and not (self.complete and node.kind in (NUMBERS, STRINGS))):
            return ""
        if "pseudonyms" in roles and node.is_container:
            return ""
        if not self.has_allow or allowed or "allow" in roles:
            return "allowed"
        on = any(self.roles[p] == "allow" for p, _, _ in self.paths.next(node.state))
        nulls = roles.get("units", [None])[0] in self.nulls and node.kind == WORDS and node.value == "null"
        return "on the way" if on and (node.is_container or nulls) else ""

    def left_out(self, search):
        """Which units a search speaks of: those that may hold what it searches and stand in no other that may."""
        parts = self.paths.segments
        around = [u for u in self.unit_paths if parts[u] and any(meets(parts[u], parts[p]) for p in search.paths)]
        return [u for u in around if not any(lies(parts[u], parts[o]) and not lies(parts[o], parts[u]) for o in around)]

    def roles_of(self, node):
        return self.roles_at(node.state)


class Judge:
    """What is found in one tree (in NDJSON: in one line). `gone`: the units that are withheld, ALL among them where all is."""

    def __init__(self, profile, world, root):
        self.profile, self.world, self.root = profile, world, root
        self.gone, self.touched, self.suspicions, self.known = set(), set(), {}, set()
        self.values, self.linked, self.numbers, self.marked, self.told = {}, {}, [], set(), {}
        self.units, self.found, self.named, self.deepest = [], [], set(), 0
        self.declared, self.things, self.waiting, self.itself, self.dangles = set(), None, [], set(), False
        self.finds, self.suspected, self.shown, self.people = [], [], set(), set()  # people: values about somebody registered
        self.mark(root, profile.paths.start, ALL, False, frozenset())
        if profile.graph:
            self.things = graph.Things(self, profile.graph)
            self.place()

    # ---- where everything stands

    def mark(self, node, state, unit, in_text, labels, said=()):
        """said: [(further labels, whether digits alone are no code)] by what stands beside it."""
        node.state = state
        roles = self.profile.roles_at(state)
        if "units" in roles:
            unit = node
            self.units.append(node)
            self.declared.add(node)
        elif self.profile.graph and node.kind == MAPS:
            unit = node  # a place at first: whose, is known when all of it has been read
        node.unit, node.in_text = unit, in_text or "texts" in roles or "cursors" in roles
        if node.name is not None:
            labels = self.world.labels(node.name, labels)
            before = len(self.found)
            self.look(node.name, (), unit, node.in_text)
            self.flaw(node.name_flaw, unit, node.in_text)
            if len(self.found) > before:
                self.named.add(node)
        self.flaw(node.flaw, unit, node.in_text)
        if not node.is_container:
            return self.scalar(node, roles, [(labels, False), *said])
        self.deepest = max(self.deepest, node.depth)
        step = self.profile.paths.step
        for one, readings in self.beside(node).items():
            self.told.setdefault(one, []).extend(readings)
        for child in node.children:
            self.mark(child, step(state, child.name if child.index is None else child.index), unit, node.in_text, labels, self.told.get(child, ()))

    def beside(self, node):
        """In a document of independent units only in these, or in lines."""
        if node.kind != MAPS or (node.unit is ALL and self.profile.entry.get("independent") and not self.profile.lines):
            return {}
        said = self.world.said(node)
        self.flaw(said is None, node.unit, node.in_text)
        return said or {}

    def is_null(self, node):
        """Whether it would be written null: a member only, and only where its name may stay."""
        units = self.profile.roles_of(node).get("units")
        return bool(units) and units[0] in self.profile.nulls and node.name is not None and node not in self.named

    def flaw(self, flaw, unit, in_text):
        if flaw:
            self.find(unit, in_text)

    def find(self, unit, in_text, node=None):
        """node: the value in which it stands, if something may take its place."""
        self.found.append(unit)
        shown = self.profile.shows_found and node is not None
        if shown:
            self.shown.add(node)
            in_text = True
        if self.profile.graph and unit is not ALL:
            return self.find_at(unit, in_text)
        self.touched.add(unit)
        if not in_text:
            self.gone.add(unit)

    # ---- graphs: what is found in an object that has no id waits for what becomes of it

    def find_at(self, place, in_text):
        if self.things is None:
            return self.finds.append((place, in_text))
        owner = self.owner(place)
        if owner is not place:
            return self.waiting.append((place, in_text))
        self.blame(owner, in_text)

    def blame(self, owner, in_text):
        self.touched.add(owner)
        if in_text:
            return
        if owner is not ALL and owner in self.things.bare and owner not in self.gone:
            self.itself.add(owner)
        self.gone.add(owner)

    def owner(self, place):
        return place if place is ALL or not self.things else self.things.owner(place) or ALL

    def place(self):
        things = self.things
        self.units = [n for n in self.all(self.root) if things.is_unit(n)]
        for place, in_text in self.finds:
            self.find_at(place, in_text)
        self.values = self.owned(self.values)
        self.linked = self.owned(self.linked)
        suspicions, self.suspicions = self.suspicions, {}
        for place, rules in suspicions.items():
            for rule, stood in rules.items():
                self.suspicions.setdefault(self.owner(place), {}).setdefault(rule, set()).update(stood)
        self.marked = {self.owner(place) for place in self.marked}

    def all(self, node):
        yield node
        for child in node.children:
            yield from self.all(child)

    def owned(self, kept):
        return {key: {self.owner(place) for place in places} for key, places in kept.items()}

    def settle(self):
        """What is found where nobody is goes with what goes anyway, else it is found in what is around."""
        for place, in_text in self.waiting:
            owner = self.owner(place)
            while place is not None and place is not owner and place not in self.gone:
                place = graph.around(place)
            self.blame(ALL if place is None else place, in_text)

    def look(self, text, labels, unit, in_text, node=None, is_row=False):
        for number in self.world.identifiers(text, labels, node is not None and node.kind == NUMBERS, is_row):
            self.numbers.append((number, unit, in_text, node))
            if number in self.world.numbers:
                self.people.add(node)
                self.find(unit, in_text, node)
        for rule, strength in self.world.markers(text, labels, is_row):
            self.marker(rule, strength, unit, in_text, node)

    def marker(self, rule, strength, unit, in_text, node):
        if strength == DEFINITIVE:
            self.find(unit, in_text, node)
            if not in_text:
                self.marked.add(unit)
        else:
            self.suspected.append((unit, in_text, node))
        self.suspicions.setdefault(unit, {}).setdefault(rule, set()).add(in_text)

    def scalar(self, node, roles, readings):
        for labels, is_row in readings:
            self.look(node.value, labels, node.unit, node.in_text, node, is_row)
        if node.kind not in (STRINGS, NUMBERS):
            return
        for role in roles:
            if role.startswith("keys "):
                self.key(node, role[5:], self.values)
        if "links" in roles:
            self.key(node, None if any(r.startswith("keys ") for r in roles) else "person_id", self.linked)

    def key(self, node, kind, kept):
        """kind: None where another path says what it is."""
        text = names.integer(node.value) if node.kind == NUMBERS else node.value
        key = key_of(text)
        if key in self.world.keys.get(kind, ()):
            self.people.add(node)
            self.find(node.unit, node.in_text, node)
        if not node.in_text and not names_nobody(text):
            kept.setdefault(key, set()).add(node.unit)

    # ---- what follows

    def decide(self):
        outside = {unit for unit, *_ in self.suspected if self.owner(unit) is ALL}
        for unit, in_text, node in self.suspected:
            if len(self.rules(self.owner(unit), in_text)) > 1:
                self.find(unit, in_text, node)
        self.suspected = [one for one in self.suspected if one[0] in outside]
        self.base = set(self.gone), set(self.itself)
        return self

    def rules(self, unit, in_text):
        """Of the markers in it, in texts or outside."""
        return {rule for rule, stood in self.suspicions.get(unit, {}).items() if in_text in stood}

    def own_numbers(self):
        """Those of units that a definitive marker shows; eleven digits alone may be anybody's telephone."""
        owned = ((n, self.owner(unit)) for n, unit, in_text, _ in self.numbers if not in_text)
        return {n for n, unit in owned if unit is not ALL and unit in self.marked and not n.startswith("i94 ")}

    def find_numbers(self, shown):
        for number, place, in_text, node in self.numbers:
            if number in shown:
                self.people.add(node)
                self.find(place, in_text, node)
        self.base = set(self.gone), set(self.itself)

    def find_outside(self, in_text):
        for place, stood, node in self.suspected:
            if stood == in_text:
                self.find(place, in_text, node)
        self.base = set(self.gone), set(self.itself)

    def find_long(self, unit):
        """Begins anew: what was found waits again for what becomes of its place."""
        if not self.profile.graph:
            return self.find(unit, False)
        self.base[0].add(unit)
        self.gone, self.itself = set(self.base[0]), set(self.base[1])


def suspect(profile, judges, world):
    """Whom a marker shows is protected from then on, in this very answer too, but for units that do not refer to each other."""
    shown = {n for j in judges for n in j.own_numbers()} - world.numbers
    for judge in judges if not profile.entry.get("independent") else ():
        judge.find_numbers(shown)
    world.numbers |= shown


def follow(judges):
    """What goes with whom, over all of a document."""
    if not judges or not judges[0].profile.graph:
        return links(judges)
    following = graph.Following(judges)
    following.run(lambda: links(judges))
    for judge in judges:
        judge.settle()
    following.run(lambda: links(judges))
    judges[0].dangles = following.dangles()


def links(judges):
    """To a fixed point. True: some went."""
    some = False
    while True:
        taken = {key for j in judges for kept in (j.values, j.linked) for key, units in kept.items() if (units & j.gone) - {ALL}}
        more = [(j, units - j.gone) for j in judges for key, units in j.linked.items() if key in taken and units - j.gone]
        if not more:
            return some
        some = True
        for judge, units in more:
            judge.gone |= units


def read(profile, raw):
    """[(begin, end, tree or None)]: one, or the lines."""
    if profile.lines:
        return lines(raw)
    try:
        root = document(raw)
    except Broken:
        raise Undeliverable("malformed") from None
    return [(root.begin, root.end, root)]


def judged(profile, world, raw):
    """[(begin, end, Judge or None: a line that does not parse)]"""
    parts = [(b, e, Judge(profile, world, tree).decide() if tree else None) for b, e, tree in read(profile, raw)]
    judges = [j for _, _, j in parts if j]
    if len(raw) > 2 * profile.whole or any(j.deepest > 2 * profile.depth for j in judges):
        raise Undeliverable("raw bound")
    for in_text in (False, True):  # outside every unit is one place, however many lines
        if len({rule for j in judges for rule in j.rules(ALL, in_text)}) > 1:
            for judge in judges:
                judge.find_outside(in_text)
    if world.suspects and not profile.inspects:
        suspect(profile, judges, world)
    follow(judges)
    return parts
