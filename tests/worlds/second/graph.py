"""Things that point to each other by id: contract 6, `graph`, and docs/rules.md, "What goes with whom"."""
import re

from .names import integer
from .reader import MAPS, NUMBERS, STRINGS

ASIDES = {"@type", "@context", "@language", "@direction", "@index", "@list", "@set", "xsi:nil", "@xsi:nil", "structures:metadata", "@structures:metadata"}
INSIDE = {"rdf:value": "v", "@value": "w", "@list": "s", "@set": "s"}
WRITTEN = re.compile(r"e{0,2}|e?[vws]e?|e?sew")  # elements and members between a member and the value that it holds
LISTED = re.compile(r"e?[vws]e")


def behind(node, names):
    """(member, how its value is written down to this one) where it is such a member's, else None"""
    steps = ""
    while node.parent is not None:
        if node.name in names and WRITTEN.fullmatch(steps):
            return node, steps
        steps = (INSIDE.get(node.name, "?") if node.index is None else "e") + steps
        if len(steps) > 3 or "?" in steps:
            return None
        node = node.parent
    return None


def around(node):
    """The innermost object or declared unit around it."""
    node = node.parent
    while node is not None and node.unit is not node:
        node = node.parent
    return node


class Things:
    """Of one tree. `ids`: what an object is called; `bare`: objects that say nothing else; `defined`, `points`: [(where it stands, id, whether
    anybody may see it)] of those that say more, and of references."""

    def __init__(self, judge, declared):
        self.judge, self.id, self.ref, self.orphan = judge, declared["id"], declared.get("ref", []), declared.get("orphans", [])
        self.objects, self.ids, self.refs, self.says = [], {}, [], {}
        called = []
        self.walk(judge.root, judge.profile.shows(judge.root, False), called)
        self.bare = {o for o in self.objects if not self.says.get(o)}
        self.points = self.refs + [one for one in called if one[0] in self.bare]
        self.defined = [one for one in called if one[0] not in self.bare]
        self.naming = {place for place, *_ in self.points}

    def walk(self, node, shown, called):
        is_object = node.kind == MAPS
        self.say(node, is_object)
        if is_object:
            self.objects.append(node)
        if node.kind in (STRINGS, NUMBERS) and not node.in_text:
            self.name(node, bool(shown), called)
        for child in node.children:
            self.walk(child, shown and self.judge.profile.shows(child, shown == "allowed"), called)

    def say(self, node, is_object):
        """What a member says of the object that it stands in: a reference that is an object has a part of its own."""
        place, ref = around(node), behind(node, self.ref)
        if place is None:
            return
        own = node.name is not None and not (ref or behind(node, self.id) or node.name in ASIDES)
        if own or (is_object and ref and not LISTED.fullmatch(ref[1])):
            self.says[place] = self.says.get(place, 0) + 1

    def name(self, node, shown, called):
        text = integer(node.value) if node.kind == NUMBERS else node.value.strip(" \t\n\r\v\f")
        member = behind(node, self.id)
        if member:
            place = member[0].parent
            while behind(place, self.id):
                place = behind(place, self.id)[0].parent
            self.ids.setdefault(place, set()).update(named([text]))
            called += [(place, i, shown) for i in named([text])]
        elif behind(node, self.ref):
            place = node if node.unit is node else around(node)
            self.refs += [(place, i, shown) for i in named([text, *text.split()])]

    def is_unit(self, node):
        return node in self.judge.declared or (bool(self.ids.get(node)) and node not in self.bare)

    def owner(self, place):
        """Of what is found there: the innermost unit, or reference."""
        while place is not None and not self.is_unit(place) and not (place in self.bare and place in self.naming):
            place = around(place)
        return place

    def edges(self):
        """[(who goes, with which id)]: a reference takes along what holds it; where that is a reference itself, what holds that."""
        out = []
        for place, i, _ in self.points + self.defined:
            out.append((place, i))
            on = place in self.bare or behind(place, self.ref)
            while on and place not in self.judge.declared and around(place) is not None:
                place = around(place)
                out.append((place, i))
                on = place in self.bare
        return out

    def orphans(self):
        return {o for o in self.objects if o not in self.bare and behind(o, self.orphan)}


def named(texts):
    return {t[1:] if t.startswith("#") and len(t) > 1 else t for t in texts if t}


def is_in(node, gone):
    while node is not None and node not in gone:
        node = node.parent
    return node is not None


class Following:
    """All trees of a document."""

    def __init__(self, judges):
        self.judges = judges
        self.edges = [(j, place, i) for j in judges for place, i in j.things.edges()]
        self.orphans = {o for j in judges for o in j.things.orphans()}
        self.defined, self.pointed = self.standing("defined"), self.standing("points", True)

    def standing(self, what, unseen=False, now=False):
        """Ids that something is called, or that something points to."""
        return {i for j in self.judges for place, i, shown in getattr(j.things, what) if (shown or unseen) and not (now and is_in(place, j.gone))}

    def run(self, links):
        """From what is gone now to what goes with it."""
        while True:
            told = {i for j in self.judges for place in j.gone & set(j.things.ids) for i in j.things.ids[place]}
            told |= {i for j in self.judges for place, i, _ in j.things.refs if place in j.itself}
            more = [(j, place) for j, place, i in self.edges if i in told and place not in j.gone] + self.lost()
            for judge, place in more:
                judge.gone.add(place)
            if not links() and not more:
                return

    def lost(self):
        """Who had a reference, seen or not, and has none."""
        left = self.pointed - self.standing("points", True, True)
        return [(j, o) for j in self.judges for o in j.things.orphans() if o not in j.gone and j.things.ids.get(o, set()) & left]

    def dangles(self):
        """Whether something is seen that points to what is not there any more."""
        return bool((self.defined - self.standing("defined", False, True)) & self.standing("points", False, True))
