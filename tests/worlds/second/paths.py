"""RFC 9535 JSONPath limited to names, indices, wildcards and descendants; many of them followed at once down a tree."""
import re

SEGMENT = re.compile(r"""(\.\.)?(?:\.?(?P<name>[^\W\d][\w]*)|\.?(?P<star>\*)|\[\s*(?:(?P<any>\*)|(?P<index>\d+)|'(?P<one>(?:[^'\\]|\\.)*)'|"(?P<two>(?:[^"\\]|\\.)*)")\s*\])""")


def parse(path):
    """[(descends, name or index or None: any)]"""
    assert path[0] == "$", path
    out, at = [], 1
    while at < len(path):
        found = SEGMENT.match(path, at)
        assert found, path
        quoted = found["one"] if found["one"] is not None else found["two"]
        what = found["name"] if found["name"] is not None else re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else None
        out.append((found[1] is not None, int(found["index"]) if found["index"] is not None else what))
        at = found.end()
    return out


def fits(wanted, label):
    return wanted is None or (wanted == label and isinstance(wanted, str) == isinstance(label, str))


def meets(outer, inner):
    """Whether something of the one, or in it, may stand in something of the other, or be that."""
    return not outer or not inner or any(meets(o, i) for o, i in further(outer, inner))


def lies(inner, outer):
    """Whether something of the one may stand in something of the other."""
    return bool(inner) and (not outer or any(lies(i, o) for o, i in further(outer, inner)))


def further(outer, inner):
    """What may be left of both after one more step."""
    (down, wanted), (below, label) = outer[0], inner[0]
    if wanted is None or label is None or (wanted == label and isinstance(wanted, str) == isinstance(label, str)):
        yield outer[1:], inner[1:]
    if down:
        yield outer, inner[1:]
    if below:
        yield outer[1:], inner


class Paths:
    """States are sets of (path, how many of its segments are behind): where one stands at a node."""

    def __init__(self, texts):
        self.texts, self.segments = texts, [parse(t) for t in texts]
        self.start = frozenset((i, 0) for i in range(len(texts)))
        self.known, self.ended, self.open = {}, {}, {}

    def step(self, state, label):
        key = state, label
        if key not in self.known:
            self.known[key] = frozenset(self._steps(state, label))
        return self.known[key]

    def _steps(self, state, label):
        for path, done in state:
            if done < len(self.segments[path]):
                descends, wanted = self.segments[path][done]
                if descends:
                    yield path, done
                if fits(wanted, label):
                    yield path, done + 1

    def at(self, state):
        """The paths that name this very node."""
        if state not in self.ended:
            self.ended[state] = frozenset(p for p, done in state if done == len(self.segments[p]))
        return self.ended[state]

    def next(self, state):
        """[(path, segments left, name or index or None)] that may name something in this node."""
        if state not in self.open:
            self.open[state] = [(p, len(self.segments[p]) - done, self.segments[p][done][1])
                                for p, done in state if done < len(self.segments[p])]
        return self.open[state]
