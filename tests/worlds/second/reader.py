"""Strict I-JSON into a tree that knows where each value, name and bracket stands. What breaks the structure raises Broken; what makes
readers disagree is noted where it stands (`flaws`)."""
import re

BOM = b"\xef\xbb\xbf"
SPACE = re.compile(rb"[ \t\n\r]*")
STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"')
SCALAR = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null")
ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))", re.S)
ESCAPED = {b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}
STRINGS, NUMBERS, WORDS, LISTS, MAPS = "string", "number", "word", "list", "map"


class Broken(Exception):
    """No reader can make a tree of it."""


class Node:
    """A value. `name` and `name_at` (offset) where it is a member, `index` where it is an element; `begin` and `end` of the value alone;
    `whole` is where it begins with its name. `value`: a decoded string, or the text of a number or word."""
    __slots__ = ("kind", "begin", "end", "whole", "name", "index", "value", "children", "parent", "name_flaw", "flaw", "state", "unit",
                 "in_text", "depth")

    def __init__(self, kind, begin, parent):
        self.kind, self.begin, self.parent, self.whole = kind, begin, parent, begin
        self.children, self.name, self.index, self.value = [], None, None, None
        self.name_flaw = self.flaw = None
        self.depth = 1 if parent is None else parent.depth + 1

    @property
    def is_container(self):
        return self.kind in (LISTS, MAPS)


def decoded(raw):
    """(text, what is wrong with it) of a string without its quotes. Two escapes are one character only side by side."""
    if b"\\" not in raw:
        return plain(raw)
    units, flaw, at = [], None, 0
    for found in ESCAPE.finditer(raw):
        text, wrong = plain(raw[at:found.start()])
        units += [text, chr(int(found[1], 16)) if found[1] else ESCAPED.get(found[2]) or found[2].decode()]
        flaw, at = flaw or wrong, found.end()
    text, wrong = plain(raw[at:])
    whole = "".join([*units, text])
    try:
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le"), flaw or wrong
    except UnicodeDecodeError:
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), "lone surrogate"


def plain(raw):
    try:
        return raw.decode(), None
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), "invalid UTF-8"


class Reader:
    def __init__(self, raw, at, end):
        self.raw, self.at, self.end = raw, at, end

    def space(self):
        self.at = SPACE.match(self.raw, self.at, self.end).end()

    def byte(self):
        return self.raw[self.at:self.at + 1] if self.at < self.end else b""

    def take(self, pattern):
        found = pattern.match(self.raw, self.at, self.end)
        if not found:
            raise Broken(self.at)
        self.at = found.end()
        return found[0]

    def value(self, parent):
        first = self.byte()
        if first in (b"[", b"{"):
            return self.container(Node(LISTS if first == b"[" else MAPS, self.at, parent))
        node = Node(STRINGS, self.at, parent)
        if first == b'"':
            node.value, node.flaw = decoded(self.take(STRING)[1:-1])
        else:
            node.value = self.take(SCALAR).decode()
            node.kind = WORDS if node.value[0] in "tfn" else NUMBERS
        node.end = self.at
        return node

    def container(self, node):
        close, names = (b"]", None) if node.kind == LISTS else (b"}", set())
        self.at += 1
        self.space()
        while self.byte() != close:
            if node.children:
                self.expect(b",")
                self.space()
            self.child(node, names)
            self.space()
        self.at += 1
        node.end = self.at
        return node

    def child(self, node, names):
        at = self.at
        name = flaw = None
        if names is not None:
            name, flaw = decoded(self.take(STRING)[1:-1])
            flaw = flaw or ("NUL in a name" if "\0" in name else "duplicate name" if name in names else None)
            names.add(name)
            self.space()
            self.expect(b":")
            self.space()
        made = self.value(node)
        made.whole, made.name, made.name_flaw, made.index = at, name, flaw, None if names is not None else len(node.children)
        node.children.append(made)

    def expect(self, what):
        if self.byte() != what:
            raise Broken(self.at)
        self.at += 1


def document(raw):
    """The tree of a JSON document."""
    return text(raw, len(BOM) if raw.startswith(BOM) else 0, len(raw))


def text(raw, begin, end):
    reader = Reader(raw, begin, end)
    reader.space()
    node = reader.value(None)
    reader.space()
    if reader.at != end:
        raise Broken(reader.at)
    return node


def lines(raw):
    """[(begin, end, tree or None)] of the lines of NDJSON that are not blank. The space on a line is the line's."""
    out, at = [], len(BOM) if raw.startswith(BOM) else 0
    while at < len(raw):
        found = raw.find(b"\n", at)
        end = len(raw) if found < 0 else found - (found > at and raw[found - 1] == 13)
        if SPACE.match(raw, at, end).end() < end:
            out.append((at, end, line(raw, at, end)))
        at = len(raw) if found < 0 else found + 1
    return out


def line(raw, begin, end):
    try:
        return text(raw, begin, end)
    except Broken:
        return None
