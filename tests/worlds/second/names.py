"""What a value is by its name, by what it stands in, and by what stands beside it: docs/rules.md, "Identifiers"."""
import decimal
import re

INHERIT = {"value", "number", "id", "text", "identificationid", "code", "category", "ss"}  # members that take their parent's label, too
WRAP = re.compile(r".*values?|values?.+|key|identifier|display")                           # and those that are no label otherwise
OF_ALL = INHERIT | {"idnumber", "idvalue", "identifier", "identifiervalue", "identificationnumber", "documentnumber"}
SAYS_INSIDE = {"text", "display", "name", "code", "title", "label", "value"}               # of a type that is an object
DEEPEST, LARGEST = 6, 16 << 10  # of an object that something is said of
LISTED = 64  # elements of a list that a name is looked for because of, at most
SAYS_ALL = re.compile(r"(?:.*(?:type|kind|category)(?:code|name|text)?|system|scheme)")
SAYS_VALUE = re.compile(r"name|key|code|label|(?:field|attribute|property)(?:name)?")
OF_VALUE = re.compile(r"number|text|.*values?|values?.+")
ASKED = re.compile(r"number|.*values?|values?.+")  # one of these has to be there
FIELD = re.compile(r"(?:field|attribute|property)(?:name)?")  # these are hardly there for anything else
MOST = 16  # different things that an object may say

A_NUMBER = re.compile(r"(?<![0-9A-Za-z])A[ -]?([0-9]{7,9})(?![0-9A-Za-z])")
NINE = re.compile(r"(?<![0-9A-Za-z])([0-9]{9})(?![0-9A-Za-z])")
ELEVEN = re.compile(r"(?<![0-9A-Za-z])([0-9]{11})(?![0-9A-Za-z])")
SSN = re.compile(r"(?<![0-9A-Za-z])([0-9]{3})-([0-9]{2})-([0-9]{4})(?![0-9A-Za-z])")
NO_SSN = re.compile(r"000|666|9|...00|.{5}0000")
PASSPORT = re.compile(r"(?<![0-9A-Za-z])([A-Z][0-9]{8})(?![0-9A-Za-z])")
# kind: its labels in the shipped pack (those that are used here), and what digits or letters alone may be under one
LABELS = {
    "alien_number": (r"anumber.*|anum|ano|alien.*|arn|uscis.*|afile.*", r"0*[1-9][0-9]{0,8}"),
    "ssn": (r"ssn|ssnnumber.*|ssnno|ssnid|ssnvalue|socialsecurity.*|ussn|usssn|ss|personssn.*", r"[0-9]{1,9}"),
    "i94": (r"i94|i94number|i94no|admissionnumber|admissionid", r"[0-9]{11}"),
    "fin": (r"fin|finnumber|finno|finid|fingerprintidentification.*|fingerprintid", r"[0-9]{6,10}"),
    "sid": (r"sid|sidnumber|stateid.*", r"[A-Z]{2}[0-9]{7}"),
    "driver_license": (r"dl|dlnumber|driverlicense.*|license|licensenumber", r"[A-Z][0-9]{8}|[0-9]{7,9}"),
    "passport": (r"passport.*|traveldocument.*", r"[A-Z][0-9]{8}|[0-9]{6,9}"),
}
PATTERNED = {"sid"}  # of which digits alone are none
OF_COA, OF_FORM = r"coa|coacode|coatype|classofadmission.*|visatype.*|visaclass.*", r"form|formnumber|formno|formid|formcode|formtype|formname"
COA, FORM = re.compile(r"(?<![0-9A-Za-z])(?:384|U-?[1-5]|DAS)(?![0-9A-Za-z])", re.I), re.compile(r"(?:I-?)?(?:914|918|929)[AB]?", re.I)


def folded(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


def parts(name):
    """Names in a name, the outer first: `items[0].ssn.value`."""
    return [f for f in map(folded, re.split(r"[.:#\[/]", name)) if f and not re.fullmatch(r"[0-9]{1,2}", f)]


def spellings(name):
    """What a name may be a label by."""
    out = {folded(name), *parts(name)[-1:]}
    out |= {re.sub(r"[0-9]{1,2}$", "", one) for one in out}
    if name.rstrip().endswith("#") and not any(is_label(one) for one in out):
        out |= {one + "number" for one in out}
    return out - {""}


def is_label(one):
    return any(re.fullmatch(e, one) for e in [*(e for e, _ in LABELS.values()), OF_COA, OF_FORM])


def labels_of(name, around):
    """around: those of what it stands in."""
    own = spellings(name)
    if not own & INHERIT and not wraps(name):
        return frozenset(own)
    whole = own | {one for before in parts(name)[:-1][-1:] for one in spellings(before)}
    if any(map(is_label, whole - INHERIT)):
        return frozenset(whole)
    return frozenset(own | around)


def wraps(name):
    return any(WRAP.fullmatch(one) for one in spellings(name))


# ---- what members of one object say of each other

class Said:
    """Of an object, a node of the reader."""

    def __init__(self, node):
        self.of_all, self.of_value, self.out = [], [], {}
        self.asked = any(ASKED.fullmatch(one) for c in node.children for one in spellings(c.name) if says(c))
        for child in node.children:
            self.collect(child)
        self.asked |= any(labels_by(text) for _, text in self.of_all)
        self.too_many = len({text for _, text in self.of_all + self.of_value}) > MOST
        for child in node.children:
            self.tell(child)

    def collect(self, child):
        own = spellings(child.name)
        of_all, field = any(SAYS_ALL.fullmatch(one) for one in own), any(FIELD.fullmatch(one) for one in own)
        inside = [c for c in child.children if spellings(c.name) & SAYS_INSIDE] if child.kind == "map" and (of_all or field) else [child]
        if child.kind == "list" and not of_all:
            inside = child.children[-1:]
        said = [(c, c.value) for c in inside if c.kind == "string"]
        if of_all:
            self.of_all += said
        elif any(SAYS_VALUE.fullmatch(one) for one in own):
            self.of_value += said
            self.asked |= field and any(labels_by(text) for _, text in said)

    def tell(self, child):
        name, listed = child.name, child.kind == "list"
        told = self.of(name, child)
        if listed and not told and name[-1:] == "s":
            name = name[:-1]
            told = self.of(name, child)
        for text, by in told:
            labels = labels_of(name, spellings(text)) if inherits(name) else spellings(name) | spellings(text)
            self.tell_value(child, name, frozenset(labels), by, 0)

    def tell_value(self, child, name, labels, by, depth):
        if child.kind not in ("list", "map"):
            if any(map(is_label, labels)):
                self.out.setdefault(child, []).append((labels, by == "kind" and ends_as_id(name)))
        elif depth < DEEPEST and child.end - child.begin - 2 <= LARGEST:
            for each in child.children:
                if child.kind == "list":
                    self.tell_value(each, name, labels, by, depth + 1)
                elif inherits(each.name):
                    self.tell_value(each, each.name, labels_of(each.name, labels), by, depth + 1)

    def of(self, name, child):
        own = spellings(name)
        out = [(text, "kind") for other, text in self.of_all if other is not child] if own & OF_ALL or wraps(name) else []
        if self.asked and any(OF_VALUE.fullmatch(one) for one in own):
            out += [(text, "name") for other, text in self.of_value if other is not child]
        return out


def says(node):
    """A list of many is a series, and nobody's numbers."""
    if node.kind == "list":
        return 0 < len(node.children) <= LISTED
    return bool(node.children) or (node.kind in ("string", "number") and node.value != "") or node.value == "true"


def labels_by(text):
    return any(map(is_label, spellings(text)))


def inherits(name):
    return bool(spellings(name) & INHERIT) or wraps(name)


def ends_as_id(name):
    return bool(spellings(name) & {"id", "identifier", "key"})


# ---- what may stand in a value

def kinds(labels):
    return {kind for kind, (listed, _) in LABELS.items() if any(re.fullmatch(listed, one) for one in labels)}


def canonical(kind, text):
    if kind == "alien_number":
        return "A" + text.lstrip("0").zfill(9)
    return f"{kind} {text.lstrip('0') if kind == 'fin' else text.zfill(9) if kind == 'ssn' else text}"


def identifiers(text, labels, is_number):
    """Whose it may be."""
    said = kinds(labels)
    yield from (canonical("alien_number", d) for d in A_NUMBER.findall(text))
    yield from ("ssn " + d for d in map("".join, SSN.findall(text)) if not NO_SSN.match(d))
    if "driver_license" not in said:
        yield from ("passport " + d for d in PASSPORT.findall(text))
    whole = integer(text) if is_number else text.strip(" \t")
    whole = whole.strip() if re.search("[0-9]{6}", whole) else whole  # fewer digits in a text are a number of something
    if not said - PATTERNED:
        yield from (canonical("alien_number", d) for d in NINE.findall(whole if is_number else text))
        yield from ("i94 " + d for d in ELEVEN.findall(text) if not is_number)
    if "alien_number" in said and SSN.fullmatch(whole):
        yield canonical("alien_number", whole.replace("-", ""))
    for kind in said:
        if re.fullmatch(LABELS[kind][1], whole) and (kind != "ssn" or not NO_SSN.match(whole.zfill(9))):
            yield canonical(kind, whole)


def integer(text):
    value = decimal.Decimal(text)
    return str(int(value)) if 0 <= value < 10 ** 18 and value == int(value) else text


def markers(text, labels, digits_alone=True):
    """digits_alone: whether they may be a code."""
    text = text.strip()
    if not digits_alone and text.isdigit():
        return
    if any(re.fullmatch(OF_COA, one) for one in labels) and COA.search(text):
        yield "coa", "definitive"
    if any(re.fullmatch(OF_FORM, one) for one in labels) and FORM.fullmatch(text):
        yield "form-field", "definitive"


class Named:
    """Beside a world (judge.World), what names say."""

    def labels(self, name, around):
        return labels_of(name, around)

    def identifiers(self, text, labels, is_number, is_row=False):
        return set() if is_row and not kinds(labels) and text.isdigit() else set(identifiers(text, labels, is_number))

    def markers(self, text, labels, is_row=False):
        return [*super().markers(text, ()), *markers(text, labels, not is_row)]

    def said(self, node):
        out = Said(node)
        return None if out.too_many else out.out
