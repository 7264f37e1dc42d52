"""Random profiles and random documents that hardly fit them: everybody planted anywhere. What comes of them is for judges to say; the
generator knows nothing of it."""
import json
import random

from .paths import parse

NAMES = ["id", "name", "city", "nota", "größe", "a b", "x.y", "q\"t", "Ort", "ref", "tag", "zip", "memo", "w", "v1", "o'k", "items", "people", "rows",
         "hits", "coa", "\\", "Z", "0"]
WORDS = ["alpha", "beta gamma", "Springfield", "żółć", "名前", "O'Brien \\ Sons", "tab\there", "", "x" * 40, "1367", "A-1", "2026-01-15", "😀", "a/b",
         "\x7f\u2028", "\0"]
FILLERS = ["", "unknown", "N/A", "-1", "0", "000-00", "None", "?"]
NUMBERS = [f"A0917345{i:02}" for i in range(20)]            # registered
KEYS = [str(70000001 + i) for i in range(12)]               # registered, in this system
EVENTS = ["EV-2019-17", "EV 88 B", "81500001"]              # registered, confidential
CASES = ["C/2020/4", "case-77a", "00082600002"]             # registered
FOREIGN = ["83700001", "EV-2019-18", "81500009"]            # of another system, or an event that is nobody's secret
SURROGATES = {"person_id": KEYS, "event_number": EVENTS, "case_number": CASES}
STRANGERS = [f"A0655000{i:02}" for i in range(20)]          # nobody's, until a marker stands beside one
FREE = ["F-1", "F-2", "F-3", "11", "12", "13"]              # what links join that are nobody's keys
IDS = ["P1", "P2", "P3", "P4", "C1", "C2", "11", "A091734501"]
FIRST, SECOND = "zqxone", "zqxtwo"                          # of suspected markers


class Random(random.Random):
    """The same chance with less ado: most of the time goes into it."""

    def choice(self, seq):
        return seq[int(self.random() * len(seq))]

    def randrange(self, start, stop=None):
        return int(self.random() * start) if stop is None else start + int(self.random() * (stop - start))


# ---- a schema, and what a profile declares of it

SCALAR, LIST, MAP, RECORD = "scalar", "list", "map", "record"


class Schema:
    """members of a record; inner of a list or map."""

    def __init__(self, rng, depth, names):
        self.members, self.inner = {}, None
        kinds = [SCALAR] if depth <= 0 else [SCALAR, SCALAR, LIST, RECORD, RECORD, MAP]
        self.kind = rng.choice(kinds)
        if self.kind in (LIST, MAP):
            self.inner = Schema(rng, depth - 1, names)
        elif self.kind == RECORD:
            self.members = {n: Schema(rng, depth - 1, names) for n in rng.sample(names, rng.randrange(1, 6))}

    def paths(self, at=()):
        """[(segments, schema)] of everything in it; None is any."""
        yield at, self
        if self.inner:
            yield from self.inner.paths((*at, None))
        for name, member in self.members.items():
            yield from member.paths((*at, name))


def scalars_of(schema):
    return [n for n, s in schema.members.items() if s.kind == SCALAR]


def schema(rng, names):
    while True:
        made = Schema(rng, rng.choice([2, 3, 4, 5]), names)
        if made.kind != SCALAR and len(list(made.paths())) > 4:
            return made


def spelled(rng, segments):
    """A path that names it, and perhaps more."""
    out, at = "$", 0
    if len(segments) > 1 and segments[-1] is not None and rng.random() < 0.08:
        at = rng.randrange(1, len(segments))
        return out + ".." + member(rng, segments[at]).removeprefix(".") + "".join(map(lambda s: member(rng, s), segments[at + 1:]))
    for s in segments:
        s = None if rng.random() < 0.03 else rng.choice([0, 1]) if s is None and rng.random() < 0.05 else s
        out += member(rng, s)
    return out


def member(rng, s):
    if s is None:
        return rng.choice(["[*]", ".*"])
    if isinstance(s, int):
        return f"[{s}]"
    if s.isidentifier() and rng.random() < 0.7:
        return "." + s
    return "['%s']" % s.replace("\\", "\\\\").replace("'", "\\'")


def distinct(texts):
    """Without those that are another one in other letters."""
    return list({repr(parse(t)): t for t in texts}.values())


class Entry:
    """One of `documents`, at random. `declared` as a pack has it."""
    speaking = True  # whether requests may speak of `columns`
    names = NAMES    # of members

    def __init__(self, rng, number, like=None):
        """like: an entry that describes the same answers."""
        self.rng, self.number = rng, number
        self.schema, self.lines = (like.schema, like.lines) if like else (self.shape(rng), rng.random() < 0.2)
        self.all = list(self.schema.paths())
        self.below = [p for p in self.all if p[0]]
        self.declared = {"path": f"/d{number}/{{n}}", "query": {"x": "any"}}
        self.on_finding = rng.choice(["withhold"] * 10 + ["block", "redact", "mask", "pseudonym", "report"])
        self.declare()
        self.example = example(rng, self) if rng.random() < 0.4 else None

    def shape(self, rng):
        return schema(rng, self.names)

    @property
    def is_each(self):
        """Of lines: whether what stood in one before it broke is only of that line."""
        return "$" in self.declared.get("units", ()) and "links" not in self.declared and "graph" not in self.declared

    def declare(self):
        rng, out = self.rng, self.declared
        units = self.units()
        if units:
            out["units"] = [{"path": u, "absent": "null"} if rng.random() < 0.1 and u != "$" else u for u in units]
        scalars = [p for p, s in self.below if s.kind == SCALAR] or [p for p, _ in self.below]
        pick = lambda listed, n: distinct(spelled(rng, rng.choice(listed)) for _ in range(n))  # noqa: E731
        kinds = [k for k, chance in (("person_id", 0.7), ("event_number", 0.25), ("case_number", 0.25)) if rng.random() < chance]
        if kinds:
            out["keys"] = {k: pick(scalars, rng.randrange(1, 4)) for k in kinds}
        if rng.random() < 0.4:
            out["links"] = pick(scalars, rng.randrange(1, 3))
        anything = [p for p, _ in self.below]
        for name, chance in (("uniform", 0.35), ("texts", 0.35), ("cursors", 0.08), ("pseudonyms", 0.1)):
            if rng.random() < chance:
                out[name] = pick(anything if rng.random() < 0.5 else scalars, rng.randrange(1, 3))
        if rng.random() < 0.2:
            out["allow"] = pick(anything, rng.randrange(1, 6))
        if units and rng.random() < 0.5:
            self.counts(units, scalars)
        if rng.random() < 0.4:
            out["miss"] = {"status": 404, "type": "application/json", "body": "{}"}
        if units and rng.random() < 0.08:
            self.only(units)
        if units and rng.random() < 0.5:
            self.searches(units)
        if self.speaking and rng.random() < 0.5:
            self.columns()
        if rng.random() < 0.2:
            self.graph()
        if "graph" not in out and self.on_finding == "withhold" and rng.random() < 0.2:
            out["independent"] = True
            for name in ("counts", "complete", "links", "cursors", "pseudonyms"):
                out.pop(name, None)

    def graph(self):
        """Things with ids; a list of references may have elements that go alone."""
        rng = self.rng
        out = {"id": rng.choice([["@id"], ["@id"], ["structures:id", "@id"], ["id", "@id"]])}
        if rng.random() < 0.7:
            out["ref"] = rng.choice([["ref"], ["structures:ref"], ["structures:ref", "ref"], ["ref", "value"]])
        if rng.random() < 0.3:
            out["orphans"] = rng.sample(NAMES[9:16], rng.randrange(1, 3))
        self.declared["graph"] = out
        self.declared.pop("only", None)
        self.declared.pop("columns", None)
        self.declared["query"] = {"x": "any"}
        if rng.random() < 0.3:
            listed = self.declared.setdefault("units", [])
            listed.append(f"$..{member(rng, rng.choice(NAMES[16:20] + ['ref'])).removeprefix('.')}[*]")
            self.declared["units"] = [u for u in listed if isinstance(u, dict)] + distinct([u for u in listed if isinstance(u, str)])

    def units(self):
        rng = self.rng
        inner = [(*p, None) for p, s in self.all if s.kind in (LIST, MAP)]
        listed = [p for p, s in self.below if s.kind != SCALAR] + inner * 3
        out = {spelled(rng, rng.choice(listed)) for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4]))} if listed else set()
        if rng.random() < (0.6 if self.lines else 0.15):
            out.add("$")
        return distinct(sorted(out))

    def only(self, units):
        """One member of the only kind of unit."""
        rng = self.rng
        around = [u for u in units if u != "$"]
        if len(around) == 1 and not self.lines:
            self.declared["only"] = {around[0] + member(rng, rng.choice(NAMES[:10])): ["F-1", 11, 12, "Springfield", "true"][:rng.randrange(1, 6)]}

    def searches(self, units):
        """Parameters that search what stands in some unit."""
        rng = self.rng
        for name in rng.sample(["q", "name", "with"], rng.randrange(1, 4)):
            around = [rng.choice(units) for _ in range(rng.choice([1, 1, 2]))]
            inside = [u + "".join(member(rng, s) for s in rng.choice([(), (rng.choice(NAMES),), rng.choice(self.below)[0][-2:]])) for u in around]
            asked = {"paths": distinct(inside), "match": rng.choice(["contains", "contains", "equals", "prefix", "words"])}
            if rng.random() < 0.4:
                asked["repeated"] = rng.choice(["all", "any"])
            if rng.random() < 0.2:
                asked["empty"] = "any"
            if rng.random() < 0.15:
                asked["unit"] = around[0]
            self.declared["query"][name] = asked

    def columns(self):
        """Members of one kind of record, by names of their own."""
        rng, records = self.rng, self.records()
        if not records:
            return
        at, members = rng.choice(records)
        unit = "$" + "".join(member(rng, s) for s in at)
        units = self.declared.setdefault("units", [])
        if repr(parse(unit)) not in [repr(parse(u if isinstance(u, str) else u["path"])) for u in units]:
            units.append(unit)
        names = rng.sample([n for n in NAMES if n not in self.declared["query"] and not set(n) & set('.,()"')], rng.randrange(1, 5))
        tables = rng.random() < 0.5
        self.declared["columns"] = {"dialect": "datatables" if tables else "postgrest", "paths": {n: unit + member(rng, rng.choice(members)) for n in names}}
        if rng.random() < 0.6:
            self.declared["columns"] |= {"match": rng.choice(["contains", "equals", "prefix", "words"])} if tables else {"ranges": "any"}

    def records(self):
        """[(where, names of its values)]"""
        return [(p, names) for p, s in self.below if p[-1] is None and (names := scalars_of(s))]

    def counts(self, units, scalars):
        rng, out = self.rng, {}
        for _ in range(rng.randrange(1, 3)):
            counted = rng.choice(units)
            if counted != "$":
                out[spelled(rng, rng.choice(scalars))] = counted
        self.declared["counts"] = {path: out[path] for path in distinct(out)}
        if rng.random() < 0.7:
            self.declared["complete"] = True


# ---- documents

class Manner:
    """White space: opening, between, closing."""

    def __init__(self, rng, lines):
        self.rng = rng
        self.style = rng.choice(["compact", "compact", "spaced", "wild"] if lines else ["compact", "spaced", "pretty", "pretty", "wild"])
        self.newline, self.indent = rng.choice(["\n", "\n", "\r\n"]), rng.choice(["  ", "\t"])
        self.blanks = " \t" if lines else " \t\n\r"

    def wild(self):
        return "".join(self.rng.choice(self.blanks) for _ in range(self.rng.choice([0, 0, 0, 1, 2, 3])))

    def colon(self):
        return {"compact": ":", "spaced": ": ", "pretty": ": "}.get(self.style) or self.wild() + ":" + self.wild()

    def joined(self, brackets, parts, depth):
        opening, between, closing = "", "," if self.style == "compact" else ", ", ""
        if self.style == "pretty" and (parts or self.rng.random() < 0.3):
            opening = self.newline + self.indent * (depth + 1)
            between, closing = "," + opening, self.newline + self.indent * depth
        if self.style != "wild":
            return brackets[0] + opening + between.join(parts) + closing + brackets[1]
        out = [brackets[0], self.wild()]
        for i, p in enumerate(parts):
            out += [self.wild() + "," + self.wild() if i else "", p]
        return "".join([*out, self.wild(), brackets[1]])


class Maker:
    """One document of a schema. `planted`: how often somebody stands in it."""

    def __init__(self, rng, entry, strangers=STRANGERS, stretched=0):
        self.rng, self.entry, self.strangers, self.stretched = rng, entry, strangers, stretched
        self.manner, self.long = Manner(rng, entry.lines), stretched > 0
        self.planted = rng.choice([0, 0.005, 0.02, 0.05, 0.2])
        self.strange = rng.choice([0, 0, 0, 0.01, 0.05])    # values that are no such thing
        self.flawed = rng.choice([0] * 6 + [0.01, 0.03])
        self.missing = rng.choice([0, 0, 0.1, 0.4])
        self.linking = rng.choice([0.1, 0.5, 0.9])
        self.many = rng.choice([2, 3, 6, 6, 12])
        self.budget = rng.choice([20, 60, 200, 400])
        self.graph = entry.declared.get("graph")
        self.naming, self.pointing = rng.choice([0.2, 0.5, 0.8]), rng.choice([0.02, 0.1, 0.3])
        self.known = rng.sample(IDS, rng.randrange(2, len(IDS) + 1))
        if stretched:
            self.budget, self.missing, self.planted = 40 * stretched, rng.choice([0, 0.02]), rng.choice([0, 0.0005, 0.005])
        elif rng.random() < 0.03:  # many records alike: what the reader has learnt of one it knows of the next
            self.many, self.budget, self.missing, self.planted = rng.choice([40, 150]), 4000, rng.choice([0, 0.02]), min(self.planted, 0.005)

    def text(self):
        if not self.entry.lines:
            return self.around(self.value(self.entry.schema, 0))
        rows = [self.value(self.entry.schema, 0) for _ in range(self.stretched or self.rng.choice([0, 1, 2, 3, 5, 9, 20, min(self.budget // 5, 200)]))]
        for i in range(len(rows)):
            if self.rng.random() < self.flawed:
                rows[i] = self.rng.choice(['{"a":', "x", "\0", "[1,]"] if not self.entry.is_each else
                                          [rows[i][:-1], rows[i] + "}", '{"a":', rows[i] + " " + rows[i], "x", '"' + NUMBERS[0]])
        ends = self.rng.choice(["\n", "\n", "\r\n", "\n\n", " \n\t"])
        return self.around("", ends.join(rows) + (ends if self.rng.random() < 0.7 else ""))

    def around(self, *parts):
        rng = self.rng
        bom = "\ufeff" if rng.random() < 0.03 else ""
        blank = self.manner.wild() if self.manner.style == "wild" else ""
        return bom + blank + "".join(parts) + rng.choice(["", "\n", blank])

    def value(self, schema, depth):
        rng = self.rng
        self.budget -= 1
        kind = schema.kind if rng.random() >= self.strange else rng.choice([SCALAR, LIST, RECORD, "null"])
        if kind == "null":
            return "null"
        if self.graph and rng.random() < self.pointing * (2 if kind != SCALAR else 0.3):
            return self.thing(schema, depth)
        if kind == SCALAR:
            return self.scalar()
        if kind == LIST:
            inner = schema.inner or schema
            return self.manner.joined("[]", [self.value(inner, depth + 1) for _ in range(self.size())], depth)
        members = schema.members.items()
        if kind == MAP:
            members = [(f"k{i}", schema.inner) for i in range(self.size())]
        return self.manner.joined("{}", [self.member(n, s, depth) for n, s in self.chosen(members)], depth)

    # ---- graphs

    def thing(self, schema, depth):
        """A reference, or what is hardly more."""
        rng, names = self.rng, self.graph["id"] + self.graph.get("ref", [])
        name = rng.choice(names)
        parts = [(name, self.naming_value())]
        if rng.random() < 0.15:
            parts.append((rng.choice(names), self.naming_value()))
        if rng.random() < 0.2:
            parts.append((rng.choice(["@type", "@language", "xsi:nil", "structures:metadata"]), self.scalar()))
        if rng.random() < 0.1 and schema.members:
            n, s = rng.choice(list(schema.members.items()))
            parts.append((n, self.value(s, depth + 1)))
        rng.shuffle(parts)
        made = self.manner.joined("{}", [self.quoted(n) + self.manner.colon() + v for n, v in dict(parts).items()], depth)
        return made if rng.random() < 0.85 else f'{{"@list":[{made}]}}' if rng.random() < 0.5 else f"[{made}]"

    def naming_value(self):
        rng, one = self.rng, self.identity()
        return rng.choice([one] * 12 + [f"[{one},{self.identity()}]", f'{{"rdf:value":{one}}}', f'{{"@value":{one}}}', f'{{"@list":[{one}]}}',
                                        f'{{"@set":[{{"@value":{one}}}]}}', f"[[{one}]]", f'{{"other":{one}}}', f'{{"@id":{one}}}', "null", "[]", "{}",
                                        f'[{{"rdf:value":{one}}}]', f'{{"rdf:value":[{one}],"@type":"t"}}', f'{{"@id":{one},"name":"x"}}', f"[[[{one}]]]"])

    def identity(self):
        rng, one = self.rng, self.rng.choice(self.known)
        if self.planted and rng.random() < self.planted / 4:
            one = rng.choice(NUMBERS)
        if one.isdigit() and rng.random() < 0.5:
            return one
        return rng.choice([f'"{one}"'] * 6 + [f'"#{one}"', f'" {one}\\t"', f'"\\r{one}\\n"', f'"{one} {rng.choice(self.known)}"', '""', '"#"'])

    def size(self):
        if self.stretched and not self.entry.lines:
            many, self.stretched = self.stretched, 0
            return many
        if self.budget < 0:
            return 0
        return self.many if self.many > 20 and self.rng.random() < 0.5 else self.rng.randrange(min(self.many, 20) + 1)

    def chosen(self, members):
        """What is there of a record, and what should not be."""
        rng = self.rng
        out = [(n, s) for n, s in members if not self.missing or rng.random() >= self.missing]
        for key, chance in (("id", self.naming), ("ref", self.pointing)) if self.graph else ():
            name = rng.choice(self.graph.get(key, [""]))
            if name and rng.random() < chance and not any(n == name for n, _ in out):
                out.insert(rng.randrange(len(out) + 1), (name, None))
        if self.planted and rng.random() < self.planted / 2:
            out.insert(rng.randrange(len(out) + 1), (rng.choice(NUMBERS), self.entry.schema if rng.random() < 0.02 else rng.choice(self.entry.all)[1]))
        if self.flawed and rng.random() < self.flawed and out:
            out.insert(rng.randrange(len(out) + 1), (rng.choice([rng.choice(out)[0], "n\0n", "l\ud800", "u\udcff"]), rng.choice(self.entry.all)[1]))
        return out

    def member(self, name, schema, depth):
        return self.quoted(name) + self.manner.colon() + (self.naming_value() if schema is None else self.value(schema, depth + 1))

    def scalar(self):
        rng, chance = self.rng, self.rng.random()
        if chance < self.planted:
            return rng.choice([self.somebody, self.somebody, self.key, self.key, self.marker])()
        if chance > 1 - self.flawed:
            return self.quoted(rng.choice(["u\udcffx", "l\ud83d", "\udc00", "see \udcc0\udc80 it"]))
        if rng.random() < 0.25 * self.linking:
            return self.link()
        return rng.choice(["true", "false", "null", "0", "-1.5e3", str(rng.randrange(1000)), f'"{rng.randrange(20)}"'] +
                          [self.quoted(rng.choice(WORDS))] * 3 + [f'"{self.strangers[0]}"'] * (rng.random() < 0.2))

    def somebody(self):
        number = self.rng.choice(NUMBERS)
        return self.quoted(self.rng.choice([number, number, "see " + number + ".", f"({number})", number + " " + self.rng.choice(self.strangers)]))

    def key(self):
        key = self.rng.choice(self.rng.choice([KEYS, KEYS, KEYS, EVENTS, CASES, FOREIGN]))
        if not key.isdigit() or key[0] == "0":
            return self.quoted(self.rng.choice([key, key, key.lower(), f"\t{key} "]))
        return self.rng.choice([key, key, f'"{key}"', f'"00{key}"', f'" {key}\\n"'])

    def marker(self):
        stranger = self.rng.choice(self.strangers)
        return self.rng.choice(['"384"', '"384"', f'"{FIRST}"', f'"a {SECOND}."', f'"{FIRST} {stranger}"', f'"{stranger}"', '"Form I-918 filed"'])

    def link(self):
        rng = self.rng
        value = rng.choice([rng.choice(FREE), rng.choice(FREE), rng.choice(FILLERS), rng.choice(KEYS)] if rng.random() < 0.3 * bool(self.planted) else [*FREE, *FILLERS])
        if value.isdigit() and value[0] != "0" and rng.random() < 0.5:
            return value
        return self.quoted(rng.choice([value, value, value.lower(), f" {value}\n", "0" + value if value.isdigit() and not self.long else value]))

    def quoted(self, text):
        """As JSON; what stands for bytes that are no UTF-8 stays to be encoded."""
        rng = self.rng
        if text.isalnum() and text.isascii() and rng.random() < 0.95:
            return f'"{text}"'
        if any("\udc80" <= c <= "\udcff" for c in text):
            return f'"{text}"'
        out = json.dumps(text, ensure_ascii=rng.random() < 0.5 or not encodable(text))
        if rng.random() < 0.1 and "\\" not in out:
            out = '"' + "".join("\\u%04x" % ord(c) if c.isalnum() and ord(c) < 128 and rng.random() < 0.2 else c for c in out[1:-1]) + '"'
        return out


def encodable(text):
    return not any("\ud800" <= c <= "\udfff" for c in text)


def broken(rng, raw):
    """Something of its structure taken away or put in."""
    if not raw:
        return b"?"
    at = rng.randrange(len(raw))
    while at and raw[at - 1:at + 1].isalnum():  # a number is whole or not there: how it is read is not the matter here
        at -= 1
    return rng.choice([raw[:at], raw[:at] + raw[at + 1:], raw[:at] + rng.choice([b",", b"]", b"}", b"\x01", b"x", b"\\", b'"', b"\xff", b"0"]) + raw[at:],
                       raw + rng.choice([b",", b"{}", b"0", b"\0"])])


Entry.maker = Maker


def example(rng, entry):
    """An answer as the origin writes it."""
    maker = entry.maker(rng, entry)
    maker.flawed = maker.strange = 0
    maker.budget = min(maker.budget, 200)
    return maker.text()


def body(rng, entry, strangers=STRANGERS, stretched=0):
    """stretched: so many elements, members or lines where there can be many."""
    raw = entry.maker(rng, entry, strangers, stretched).text().encode("utf-8", "surrogateescape")
    return broken(rng, raw) if rng.random() < 0.02 and (entry.is_each or not entry.lines) else raw


def asked(rng, entry):
    """[(name, value)] of a request: mostly of what may be asked, and of what stands in documents."""
    if "columns" in entry.declared and rng.random() < 0.7:
        return {"datatables": asked_of_table, "postgrest": asked_of_rows}[entry.declared["columns"]["dialect"]](rng, list(entry.declared["columns"]["paths"]))
    known = [n for n in entry.declared["query"] if n != "x"]
    if not known or rng.random() < 0.3:
        return [("x", rng.choice(NUMBERS))] if rng.random() < 0.3 else []
    out = [(rng.choice(known), sought(rng)) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    return out + [("y", "1")] * (rng.random() < 0.02)


SOUGHT = [*WORDS[:-2], *FILLERS, *FREE, "true", "null", "0", "-1500", "-1.5e3", "384", "springfield", "a", "1", "12", "beta", "Ko", "zolc", "ZOLC 1",
          "obrien", FIRST, STRANGERS[0], "see", "redacted"]


def sought(rng):
    return rng.choice([*SOUGHT, str(rng.randrange(20)), str(rng.randrange(20)), rng.choice(NUMBERS)])


def asked_of_table(rng, listed):
    """As DataTables does, and now and then as it never does."""
    odd = rng.random() < 0.15
    shown = rng.sample([*listed, "secret", "w v"], rng.randrange(1, len(listed) + 3))
    out = []
    for i, name in enumerate(shown):
        n = rng.choice([i, i + 1, f"0{i}"]) if odd and rng.random() < 0.1 else i
        parts = [("[data]", name), ("[name]", rng.choice(["", name, "secret"] if odd else ["", name])), ("[searchable]", rng.choice(["true", "true", "false"])),
                 ("[orderable]", "true"), ("[search][value]", sought(rng) if name in listed and rng.random() < 0.2 or odd and rng.random() < 0.1 else ""),
                 ("[search][regex]", rng.choice(["false", "true"] if odd else ["false"]))]
        out += [(f"columns[{n}]{what}", value) for what, value in parts]
    if rng.random() < 0.5:
        by = [i for i, name in enumerate(shown) if name in listed or odd]
        out += [(f"order[{k}][{what}]", value) for k, i in enumerate(by[:2]) for what, value in (("column", str(i)), ("dir", rng.choice(["asc", "desc"])))]
    out += [("search[value]", sought(rng) if rng.random() < 0.5 else ""), ("search[regex]", rng.choice(["false", "true"] if odd else ["false"]))]
    return out + ([rng.choice([("search[fixed]", ""), out[0], ("searchBuilder[logic]", "AND")])] if odd and rng.random() < 0.3 else [])


def asked_of_rows(rng, listed):
    """As PostgREST's clients do, and now and then as they never do."""
    out = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        what = rng.choice(["one", "one", "one", "or", "and", "order"])
        if what == "order":
            out.append(("order", ",".join(column(rng, listed) + rng.choice(["", ".asc", ".desc.nullslast"]) for _ in range(rng.randrange(1, 3)))))
        elif what == "one":
            out.append((column(rng, listed), compared(rng, lambda: rng.choice([f'"{v}"', v]) if not set(v := sought(rng)) & set('\\",()') else "a", sought)))
        else:
            value = lambda _=None: in_list(rng)  # noqa: E731
            out.append((what, "(" + ",".join(column(rng, listed) + "." + compared(rng, value, value) for _ in range(rng.randrange(1, 4))) + ")"))
    return out


def column(rng, listed):
    return rng.choice(listed) if rng.random() < 0.97 else "secret"


def in_list(rng):
    value = sought(rng)
    if rng.random() < 0.1:
        value = rng.choice(['a"b', "a(b", "a)b", 'a"', '"a"b"', "a\\b", '"a\\"b"', "a,secret.eq.b", '"a,secret.eq.b', 'b"', '"(x"', '"a,b)"', "(a)", "a)", "{a", "b}",
                            "{a,b}", "{a,secret.eq.b}"])
        return value
    return f'"{value}"' if set(value) & set(",()") or rng.random() < 0.3 else value


def compared(rng, item, value):
    operator = rng.choice(["eq", "eq", "like", "ilike", "in", "is", "gt", "lte", "neq", "fts"]) if rng.random() < 0.7 else rng.choice(["eq", "in"])
    negated = "not." if rng.random() < 0.1 else ""
    if operator == "in":
        return f"{negated}in.({','.join(item() for _ in range(rng.randrange(1, 4)))})"
    if operator == "is":
        return negated + "is." + rng.choice(["true", "false", "null", "not_null", "unknown"])
    text = value(rng)
    if operator.endswith("like") and not set(text) & set('"\\'):
        text = rng.choice([f"*{text}*", f"{text}*", text, f"%{text}_*", "*"])
    return f"{negated}{operator}.{text}"
