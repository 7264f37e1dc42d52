"""`columns`: docs/rules.md, "Columns", and of PostgREST's lists how it reads them itself. What is asked of a record, as conditions that all
must hold: each a list of ways, of which one is enough; a way is [(column, how, value)], and one without any holds of every record."""
import re

from .search import Search, squeezed, words

MOST = 64  # values and words, columns
SAID = re.compile(r"columns\[(?P<n>0|[1-9]\d?)\]\[(?:(?P<of>data|name|searchable|orderable)|search\]\[(?P<search>value|regex))\]"
                  r"|order\[(?P<o>0|[1-9]\d?)\]\[(?P<by>column|dir|name)\]|search\[(?P<all>value|regex)\]")
LOOKED_FOR, RANGES = {"eq", "like", "ilike", "in", "is"}, {"gt", "gte", "lt", "lte", "neq"}


class Refused(Exception):
    pass


def conditions(declared, asked):
    out = {"datatables": datatables, "postgrest": postgrest}[declared["dialect"]](declared, asked)
    if len(out) > MOST or sum(map(len, out)) > MOST or sum(len(way) for ways in out for way in ways) > MOST:
        raise Refused
    return out


def need(said):
    if not said:
        raise Refused


# ---- DataTables

def datatables(declared, asked):
    said = {}
    for name, value in asked:
        need(SAID.fullmatch(name) and name not in said)
        said[name] = value
    check_values(said)
    listed, columns = declared["paths"], []
    while f"columns[{len(columns)}][data]" in said and len(columns) < MOST:
        columns.append(said[f"columns[{len(columns)}][data]"])
    for name, value in said.items():
        found = SAID.fullmatch(name)
        need(found["n"] is None or int(found["n"]) < len(columns))
        if found["by"] == "column":
            need(int(value) < len(columns) and columns[int(value)] in listed)
        if (found["of"] == "name" and columns[int(found["n"])] in listed) or found["by"] == "name":
            need(value in ("", *listed))
    out = []
    for i, column in enumerate(columns):
        if said.get(f"columns[{i}][search][value]"):
            need(column in listed)
            out += over(declared, [column], said[f"columns[{i}][search][value]"], said.get(f"columns[{i}][search][regex]"))
    if said.get("search[value]"):
        searched = [c for i, c in enumerate(columns) if c in listed and said.get(f"columns[{i}][searchable]") == "true"]
        out += over(declared, searched, said["search[value]"], said.get("search[regex]"))
    return out


def check_values(said):
    kinds = {"searchable": ("true", "false"), "orderable": ("true", "false"), "regex": ("true", "false"), "dir": ("asc", "desc", "")}
    for name, value in said.items():
        found = SAID.fullmatch(name)
        what = found["of"] or found["search"] or found["by"] or found["all"]
        need(what not in kinds or value in kinds[what])
        need(what != "column" or re.fullmatch(r"0|[1-9]\d?", value))
        need(int(found["o"] or 0) < MOST)


def over(declared, columns, value, regex):
    how = declared.get("match", "contains")
    need(regex != "true" and squeezed(value) and columns)
    return [[[(c, how, v)] for c in columns] for v in (words(value).split() if how == "words" else [value])]


# ---- PostgREST

def postgrest(declared, asked):
    out = []
    for name, value in asked:
        if name == "order":
            for item in value.split(","):
                column, *how = item.split(".")
                need(column in declared["paths"] and all(h in ("asc", "desc", "nullsfirst", "nullslast") for h in how))
        elif name in ("or", "and"):
            listed = List(declared, value).conditions()
            out += listed if name == "and" else [[way for ways in listed for way in ways]]
        else:
            need(name in declared["paths"])
            operator, _, rest = value.partition(".")
            is_list = operator == "in"
            need(_)
            if operator == "not":
                operator, _, rest = rest.partition(".")
                out.append(condition(declared, name, True, operator, [rest]))
            else:
                out.append(condition(declared, name, False, operator, List(declared, rest).alone() if is_list else [rest]))
    return out


def condition(declared, column, negated, operator, values):
    """Its ways."""
    nulls = operator == "is" and values[0] in ("null", "not_null")
    need(operator in LOOKED_FOR | RANGES)
    if negated or nulls or operator in RANGES:
        need(declared.get("ranges") == "any")
        return [[]]
    need(operator != "is" or values[0] in ("true", "false"))
    if operator in ("like", "ilike"):
        pieces = [p for p in re.split(r"[*%_]", values[0]) if squeezed(p)]
        need(pieces and "\\" not in values[0])
        return [[(column, "contains", p) for p in pieces]]
    need(all(map(squeezed, values)))
    return [[(column, "equals", v)] for v in values]


class List:
    """PostgREST's own grammar: a value in quotes, or whatever it is up to the next comma or closing parenthesis An array in braces goes on to
    its end, for which there is no need here: values with braces are refused."""

    listed = False  # of conditions: there a value must be one for every release

    def __init__(self, declared, text):
        self.declared, self.text, self.at = declared, text, 0

    def take(self, expression):
        found = re.compile(expression, re.S).match(self.text, self.at)
        need(found)
        self.at = found.end()
        return found

    def conditions(self):
        self.listed = True
        out = [self.one(self.take(r"\("))]
        while self.take(r"[,)]")[0] == ",":
            out.append(self.one())
        need(self.at == len(self.text))
        return out

    def one(self, _=None):
        column, negated, operator = self.take(r"([^.,()\"]+)\.(not\.)?([a-z]+)\.").groups()
        need(column in self.declared["paths"])
        return condition(self.declared, column, negated is not None, operator, self.values() if operator == "in" else [self.value()])

    def values(self):
        out = [self.value(self.take(r"\("))]
        while self.take(r"[,)]")[0] == ",":
            out.append(self.value())
        return out

    def alone(self):
        out = self.values()
        need(self.at == len(self.text))
        return out

    def value(self, _=None):
        quoted, bare = self.take(r'"((?:[^"\\]|\\.)*)"(?=[,)])|([^,)]*)').groups()
        if quoted is None:
            need(not re.search(r'["\\\\(){}]', bare) if self.listed else '"' not in bare)
            return bare
        need(not (self.listed and "\\" in quoted))
        return re.sub(r"\\(.)", r"\1", quoted, flags=re.S)


# ---- of a request


class Column:
    """One condition of `columns`; parts: the ways in which it holds, each all of some searches of one value in one column."""
    unit = None

    def __init__(self, paths, ways, profile):
        self.paths, self.values = list(paths.values()), ways
        self.parts = [[Search({"match": how}, [paths[column]], profile, [value]) for column, how, value in way] for way in ways]


def spoken(entry, asked):
    """What is not of `query`, where there are `columns`."""
    return [(n, v) for n, v in asked if n not in entry.get("query", {})] if "columns" in entry else []


def is_refused(entry, asked):
    """By the request alone."""
    others = spoken(entry, asked)
    try:
        conditions(entry.get("columns"), others) if others else None
    except Refused:
        return True
    for name, value in [one for one in asked if one not in others]:
        declared = entry.get("query", {}).get(name)
        if declared is None:
            return True
        declared = {"paths": declared} if isinstance(declared, list) else declared
        if "paths" in declared and not squeezed(value) and not (value == "" and declared.get("empty") == "any"):
            return True
    return False
