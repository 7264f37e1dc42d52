"""What a restricted recipient gets of a document: contract 5, Edits."""
from .columns import Column
from .judge import ALL, GONE_FOR_ALL, Undeliverable, follow, judged
from .reader import LISTS, NUMBERS, STRINGS, WORDS
from .search import integers

PSEUDONYM = b'"%s"' % (b"~" * 32)  # where there is a key: 32 hexadecimal digits
SOME = "some"  # of a line that does not parse, what stands before it breaks may have been read


class Writer:
    """One tree."""

    def __init__(self, judge, raw):
        self.judge, self.profile, self.raw, self.deepest = judge, judge.profile, raw, 0
        self.shown = {}
        self.all = [self]

    def begin_again(self):
        self.hidden, self.nobodies, self.numbers, self.lost = set(), set(), {}, set()
        self.hide(self.judge.root, False)
        if self.profile.searches:
            self.lose()
            self.hide(self.judge.root, False)

    def is_gone(self, node):
        return node.unit is node and (node in self.judge.gone or node in self.lost)

    # ---- who is only there with what is asked for, or with one of some values

    def lose(self):
        """All at once: what one search leaves out is not hidden from another."""
        lost = {u for u in self.judge.units if not self.is_gone(u) and any(self.holds(u, s) and not self.finds(u, s) for s in self.profile.searches)}
        self.lost |= {u for u in lost if not lost & set(units_around(u))}

    def finds(self, unit, search):
        if isinstance(search, Column):
            return any(all(self.finds(unit, part) for part in way) for way in search.parts)
        around = any(self.is_at(search, node) for node in ancestors(unit))
        return search.finds(list(self.texts(unit, search, around)))

    def is_at(self, search, node):
        return not self.profile.paths.at(node.state).isdisjoint(search.paths)

    def texts(self, node, search, below):
        """What stands at such a place and below, for everybody to see as it was written."""
        if node in self.hidden or node in self.nobodies or (self.is_gone(node) and self.judge.is_null(node)):
            return
        roles, replaced = self.profile.roles_of(node), node in self.judge.shown and self.profile.on_finding != "report"
        if replaced or "counts" in roles or "pseudonyms" in roles:
            return
        below = below or self.is_at(search, node)
        if below and (node.kind in (STRINGS, NUMBERS) or node.value in ("true", "false")):
            yield node.value
            yield from integers(node.value) if node.kind == NUMBERS else ()
        for child in node.children:
            yield from self.texts(child, search, below)

    def holds(self, unit, search):
        """The outermost unit around the paths, the document aside where there is a smaller one; of lines, the line; or what is said."""
        roles = self.profile.roles_of(unit)
        own = roles["units"][0] if "units" in roles else None
        if search.unit is not None:
            return own == search.unit and not any(self.holds(a, search) for a in units_around(unit))
        if self.profile.lines and any(not self.profile.paths.segments[u] for u in self.profile.unit_paths):
            return unit.parent is None
        smaller = self.profile.left_out(search)
        if unit.parent is None:
            return not smaller
        return own in smaller and not any(self.holds(a, search) for a in units_around(unit) if a.parent is not None)

    # ---- who is not there

    def hide(self, node, allowed):
        roles = self.profile.roles_of(node)
        allowed = allowed or "allow" in roles
        if self.is_hidden(node, roles, allowed):
            (self.nobodies if self.says_nobody(node, roles) else self.hidden).add(node)
            return
        for child in node.children:
            self.hide(child, allowed)

    def is_hidden(self, node, roles, allowed):
        if self.is_gone(node) and not self.judge.is_null(node):
            return True
        if any(r in roles for r in GONE_FOR_ALL) or ("pseudonyms" in roles and node.is_container):
            return True
        if "counts" in roles and (not self.profile.complete or not is_count(node)):
            return True
        return self.profile.has_allow and not allowed and not self.leads_on(node)

    def says_nobody(self, node, roles):
        """A value alone on the way to what is allowed, where null stands for nobody: an origin's own null stays there."""
        gone = any(r in roles for r in GONE_FOR_ALL) or "counts" in roles
        return not gone and self.judge.is_null(node) and self.awaits(node, "allow")

    def leads_on(self, node):
        """On the way to what is allowed."""
        if not self.awaits(node, "allow"):
            return False
        return node.is_container or self.is_nobody(node) or (self.is_gone(node) and self.judge.is_null(node))

    def is_nobody(self, node):
        """An origin's own null, where a profile writes it for who is withheld."""
        units = self.profile.roles_of(node).get("units")
        return bool(units) and units[0] in self.profile.nulls and node.kind == WORDS and node.value == "null"

    def awaits(self, node, role):
        return any(self.profile.roles[p] == role for p, _, _ in self.profile.paths.next(node.state))

    # ---- counts

    def count(self):
        for path, unit in self.profile.counts:
            counted = [n for n in self.seen(self.judge.root, unit) if self.is_counted(n, unit)]
            around = {a for w in self.all for a in w.holding(unit)}
            for node in self.seen(self.judge.root, path):
                scope = next((a for a in units_around(node) if self.declaration(a) in around), self.judge.root)
                self.numbers.setdefault(node, sum(1 for n in counted if n is not scope and is_in(n, scope)))

    def holding(self, unit):
        """What kinds of units hold one of these that is seen."""
        counted = [n for n in self.seen(self.judge.root, unit) if self.is_counted(n, unit)]
        return {self.declaration(a) for n in counted for a in units_around(n)} - {None}

    def declaration(self, unit):
        """Where several paths name one unit, the first speaks."""
        declared = self.profile.roles_of(unit).get("units")
        return declared[0] if declared else "graph" if self.judge.things and self.judge.things.is_unit(unit) else None

    def is_counted(self, node, unit):
        return self.declaration(node) == unit and self.is_there(node)

    def is_there(self, node):
        return node not in self.nobodies and not self.is_nobody(node) and not (self.is_gone(node) and self.judge.is_null(node))

    def seen(self, node, path):
        """What a path names and nothing hides."""
        if node in self.hidden or node in self.nobodies:
            return
        if path in self.profile.paths.at(node.state):
            yield node
        if not (self.is_gone(node) and self.judge.is_null(node)):
            for child in node.children:
                yield from self.seen(child, path)

    # ---- writing

    def document(self):
        """None: all of it is withheld. A mere value that is not allowed is null, but for a line."""
        root, self.deepest = self.judge.root, 0
        if root not in self.hidden:
            return self.write(root)
        return None if self.is_gone(root) or root.is_container or self.profile.lines else b"null"

    def write(self, node):
        if node in self.nobodies or (self.is_gone(node) and self.judge.is_null(node)):
            return b"null"
        self.deepest = max(self.deepest, node.depth if node.is_container else 0)
        if node in self.numbers:
            return (b'"%d"' if node.kind == STRINGS else b"%d") % self.numbers[node]
        if "pseudonyms" in self.profile.roles_of(node) and node.kind in (STRINGS, NUMBERS) and node.value.strip(" \t"):
            return PSEUDONYM if self.profile.keyed else b'"[redacted]"'
        if node in self.judge.shown and self.profile.on_finding != "report":
            return self.instead(node)
        if not node.is_container:
            return self.raw[node.begin:node.end]
        kept = [i for i, child in enumerate(node.children) if child not in self.hidden]
        if not kept and (node.children or self.is_place(node)):
            return b"[]" if node.kind == LISTS else b"{}"
        return self.joined(node, kept)

    def joined(self, node, kept):
        if not node.children:
            return self.raw[node.begin:node.end]
        out = [self.raw[node.begin:node.children[0].whole]]
        for i in kept:
            child = node.children[i]
            if i != kept[0]:
                out.append(self.raw[node.children[i - 1].end:child.whole])
            out += [self.raw[child.whole:child.begin], self.write(child)]
        return b"".join([*out, self.raw[node.children[-1].end:node.end]])

    def instead(self, node):
        if self.profile.on_finding == "mask":
            return b'"********"'
        if self.profile.on_finding == "pseudonym" and self.profile.keyed and node in self.judge.people:
            return PSEUDONYM
        return b'"[redacted]"' if node.kind == STRINGS else b"null"

    def is_place(self, node):
        """Whether something may vanish from it: an empty one is then written without the space inside."""
        for path, left, wanted in self.profile.paths.next(node.state):
            role = self.profile.roles[path]
            if left == 1 and (role in (*GONE_FOR_ALL, "pseudonyms") or (role == "counts" and not self.profile.complete) or
                              (role == "units" and (path not in self.profile.nulls or not isinstance(wanted, str)))):
                return True
        return bool(self.profile.graph) or (self.profile.has_allow and not self.is_allowed(node))

    def is_allowed(self, node):
        while node is not None and "allow" not in self.profile.roles_of(node):
            node = node.parent
        return node is not None

    # ---- limits

    def size(self, unit, around):
        """What stays of it, with its name; of a line, with the space around."""
        return len(self.write(unit)) + unit.begin - unit.whole + (around if unit.parent is None else 0)

    def oversized(self, around):
        """Units that are too long in what is left of them and hold none that is."""
        out, around_one = [], set()
        for unit in reversed(self.judge.units):
            if not self.is_lost(unit) and self.size(unit, around) > self.profile.record:
                if unit not in around_one:
                    out.append(unit)
                around_one |= set(units_around(unit))
        return out

    def is_lost(self, node):
        """With all that it stands in: what is not seen has no size."""
        while node is not None and node not in self.hidden and node not in self.nobodies and not self.is_gone(node):
            node = node.parent
        return node is not None

    def too_long(self, around):
        return any(u.end - u.whole + (around if u.parent is None else 0) > 2 * self.profile.record for u in self.judge.units)


def is_count(node):
    return node.kind in (NUMBERS, STRINGS)


def ancestors(node):
    """From the innermost on."""
    while node.parent is not None:
        node = node.parent
        yield node


def units_around(node):
    return (a for a in ancestors(node) if a.unit is a)


def is_in(node, scope):
    while node is not scope and node.parent is not None:
        node = node.parent
    return node is scope


def begin(writers):
    for writer in writers:
        writer.all = writers
        writer.begin_again()
    for writer in writers:
        writer.count()


def too_long_a_line(profile, parts):
    """A line that is a record, though no reader can make anything of it."""
    whole = profile.lines and any(not profile.paths.segments[u] for u in profile.unit_paths)
    return whole and any(e - b > 2 * profile.record for b, e, judge in parts if judge is None)


def withhold_the_long(profile, parts, writers):
    """Judged on what stays visible, so that each that goes may let others in. False: one is undeliverable as it came."""
    read = [p for p in parts if p[2]]
    around = {w: e - b - (w.judge.root.end - w.judge.root.begin) if profile.lines else 0 for w, (b, e, _) in zip(writers, read)}
    if any(w.too_long(around[w]) for w in writers) or too_long_a_line(profile, parts):
        return False
    while True:
        found = [(w, u) for w in writers for u in w.oversized(around[w])]
        if not found:
            return True
        for writer, unit in found:
            writer.judge.find_long(unit)
        follow([w.judge for w in writers])
        begin(writers)


def count_found(parts, judges):
    """Units that something was found in, or that go with one; what stands outside all of them is one more."""
    if len(judges) < len(parts):
        return SOME
    return sum(len(records(j)) for j in judges) + any(ALL in j.touched | j.gone for j in judges)


def records(judge):
    """Units, and who only a reference names; an object that goes without being anybody's is none."""
    found = (judge.touched | judge.gone) - {ALL}
    if not judge.things:
        return found
    itself = {n for n in judge.touched - {ALL} if n in judge.things.bare and n in judge.things.naming}
    return {n for n in found if judge.things.is_unit(n) or n in itself or n.parent is None and judge.profile.lines}


def delivered(profile, world, raw):
    """(bytes or None: the document's miss, how many units something was found in; None: it cannot be read)"""
    profile.outside = False
    try:
        parts = judged(profile, world, raw)
    except Undeliverable:
        return None, None
    judges = [j for _, _, j in parts if j]
    writers = [Writer(j, raw) for j in judges]
    begin(writers)
    found = count_found(parts, judges)
    if len(raw) > profile.record and not withhold_the_long(profile, parts, writers):
        return None, found
    profile.outside = any(ALL in j.touched | j.gone for j in judges)
    if any(ALL in j.gone or j.dangles for j in judges) or (profile.on_finding == "block" and (found == SOME or any(j.gone for j in judges))):
        return None, found
    return (lines if profile.lines else whole)(profile, raw, parts, writers), found


def begun(profile, world, raw):
    """What leaves of a document in parts begins so, wherever it is broken off. None: that is not known."""
    try:
        parts = judged(profile, world, raw)
    except Undeliverable:
        return None
    writers = [Writer(j, raw) for *_, j in parts if j]
    begin(writers)
    if len(raw) > profile.record and not withhold_the_long(profile, parts, writers):
        return None
    return (lines if profile.lines else whole)(profile, raw, parts, writers)


def shown(profile, world, raw):
    """What the entitled get: all of it, but for what a profile has something else for. None: it cannot be read, or not all of it."""
    try:
        parts = judged(profile, world, raw)
    except Undeliverable:
        return None
    if profile.on_finding in ("withhold", "block", "report"):
        return raw
    if any(j is None for *_, j in parts):
        return None
    out, at = [], 0
    for writer in [Writer(j, raw) for *_, j in parts]:
        for node in sorted(writer.judge.shown, key=lambda n: n.begin):
            out += [raw[at:node.begin], writer.instead(node)]
            at = node.end
    return b"".join([*out, raw[at:]])


def whole(profile, raw, parts, writers):
    begin, end, _ = parts[0]
    written = writers[0].document()
    return None if written is None else bounded(profile, raw[:begin] + written + raw[end:], writers)


def lines(profile, raw, parts, writers):
    by_judge = {w.judge: w for w in writers}
    written = [by_judge[j].document() if j else None for _, _, j in parts]
    kept = [i for i, text in enumerate(written) if text is not None]
    if not kept:
        return b""
    out = [raw[:parts[0][0]]]
    for i in kept:
        begin, end, judge = parts[i]
        out += [raw[parts[i - 1][1]:begin] if i != kept[0] else b"", raw[begin:judge.root.begin], written[i], raw[judge.root.end:end]]
    return bounded(profile, b"".join(out) + raw[parts[-1][1]:], writers)


def bounded(profile, out, writers):
    return out if len(out) <= profile.whole and all(w.deepest <= profile.depth for w in writers) else None
