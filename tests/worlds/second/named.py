"""Random documents in which names say what values are: labels, what inherits them, and members that say it of those beside them."""
import re

from . import generate

# kind: (names and texts that say it, who is registered, spellings of anybody)
SAID = {
    "alien_number": (["aNumber", "ANumber", "a_number_2", "alienNo", "ARN", "A#", "im:AlienNumber", "uscis no", "Alien Number", "x.y.aNumber"],
                     ["12345678", "087654321", "230145678"], ["{}"] * 3 + ["A{}"]),
    "ssn": (["ssn", "SSN", "ssn_1", "SSN#", "ssn[0]", "nc:SSN", "Social Security Number", "http://hl7.org/fhir/sid/us-ssn", "socialSecurityNo", "ss"],
            ["219098765", "230145678", "078051120"], ["{}"] * 3 + ["dashed"]),
    "i94": (["i94", "I-94 Number", "i94_no", "person.i94"], ["12345678901", "94123456789"], ["{}"]),
    "fin": (["fin", "FIN", "fin_number", "person.fin", "fingerprintIdentificationNumber"], ["1100223344", "654321", "230145678"], ["{}"]),
    "sid": (["sid", "SID", "state_id"], ["MA1234567"], ["{}"]),
    "driver_license": (["dl", "DL#", "driverLicenseNumber", "license"], ["S12345678", "230145678"], ["{}"]),
    "passport": (["passport", "Passport No.", "travelDocumentNumber"], ["G73521846", "S12345678", "735218461"], ["{}"]),
}
FOREIGN = [("2", 8), ("1", 7), ("941", 8), ("11", 8), ("MA", 7), ("G", 8)]  # nobody's
CODES = {"nothing": ([], ["none"]), "coa": (["coa", "COA", "class_of_admission", "visaType", "coa_code"], ["384", "U1", "u-3", "B2", "DAS", "3840"]),
         "form": (["form", "formNumber", "Form#", "form_no"], ["918", "I-918", "914B", "90", "I-90"])}
INHERIT = ["value", "number", "id", "text", "identificationID", "code", "category", "nc:IdentificationID", "Value", "ID", "x.value", "value_1", "ssn.value", "id[0]", "identifier.0.value"]
OTHERS = ["idNumber", "idNumber2", "idValue", "identifier", "identifierValue", "identificationNumber", "documentNumber"]
SAYERS = ["type", "kind", "idType", "nc:IdentificationCategoryText", "system", "scheme", "typeCode", "typeName", "documentKind", "Type", "kindText", "type_1", "x.type"]
NAMERS = ["name", "key", "field", "label", "attribute", "property", "fieldName", "Key"]
PLAIN = ["city", "note", "room", "a b", "ids", "town", "w"]


def labels(kinds):
    return [n for one in [*(SAID[k] for k in kinds), *CODES.values()] for n in one[0]]


def names(kinds):
    return labels(kinds) + INHERIT * 4 + OTHERS + SAYERS * 3 + NAMERS * 2 + PLAIN * 3


class Entry(generate.Entry):
    kinds, codes = list(SAID), list(CODES)  # of what stands in documents
    names = names(SAID)
    foreign, odd = FOREIGN, r"\d-|-\d"
    speaking = False

    def shape(self, rng):
        """Mostly a list of records, so that one tells nothing of another."""
        made = generate.Schema(rng, rng.choice([1, 2, 3]), self.names)
        while made.kind != generate.RECORD:
            made = generate.Schema(rng, rng.choice([1, 2, 3]), self.names)
        self.is_list = rng.random() < 0.8
        if not self.is_list:
            return made
        out = generate.Schema(rng, 0, self.names)
        out.kind, out.inner = generate.LIST, made
        return out

    def declare(self):
        super().declare()
        self.declared.pop("pseudonyms", None)

    def units(self):
        return generate.distinct([*super().units(), "$[*]"]) if self.is_list else super().units()


SCALAR = generate.Schema(generate.Random(0), 0, PLAIN)


class Maker(generate.Maker):
    """What a member is called says something of its value, mostly."""
    name = None

    def member(self, name, schema, depth):
        before, self.name = self.name, name
        out = super().member(name, schema, depth)
        self.name = before
        return out

    def chosen(self, members):
        """And now and then something that is said of something."""
        out, rng = super().chosen(members), self.rng
        if rng.random() < 0.4:
            for pool in (SAYERS + NAMERS, INHERIT + OTHERS):
                name = rng.choice(pool)
                if not any(n == name for n, _ in out):
                    out.insert(rng.randrange(len(out) + 1), (name, SCALAR))
        return out

    def scalar(self):
        rng = self.rng
        chance = rng.random()
        if self.name in SAYERS or self.name in NAMERS or self.name in ("code", "category"):
            if chance < 0.8:
                return self.quoted(rng.choice(self.labels) if rng.random() < 0.9 else rng.choice(PLAIN))
        if chance < 0.6:
            return self.code() if rng.random() < 0.2 else self.somebodys()
        out = super().scalar()
        while re.search(self.entry.odd, out):  # what a label makes of digits in odd groups is not the matter here
            out = super().scalar()
        return out

    def somebodys(self):
        rng = self.rng
        kind = rng.choice(self.entry.kinds)
        value = rng.choice(SAID[kind][1]) if rng.random() < self.hot else self.stranger()
        how = rng.choice(SAID[kind][2])
        if how == "dashed" and len(value) == 9 and value.isdigit():
            value = f"{value[:3]}-{value[3:5]}-{value[5:]}"
        elif how == "A{}" and value.isdigit() and 7 <= len(value) <= 9:
            value = "A" + value
        if value.isdigit() and value[0] != "0" and rng.random() < 0.5:
            return rng.choice([value, value, value, value + ".0", value[0] + "." + value[1:] + "e" + str(len(value) - 1)])
        return self.quoted(rng.choice([value, value, value, f" {value}", value + "\t"]))

    def stranger(self):
        """In a document that leaves in parts somebody else each time: whom a marker shows may have left already."""
        i = self.rng.randrange(len(self.entry.foreign))
        some, digits = self.entry.foreign[i]
        return f"{some}{self.rng.randrange(10 ** digits):0{digits}}" if "independent" in self.entry.declared else self.foreign[i]

    def code(self):
        value = self.rng.choice(CODES[self.rng.choice(self.entry.codes)][1])
        return value if value.isdigit() and self.rng.random() < 0.4 else self.quoted(value)

    def __init__(self, rng, *more):
        super().__init__(rng, *more)
        self.labels = labels(self.entry.kinds)
        self.foreign = [f"{some}{rng.randrange(10 ** digits):0{digits}}" for some, digits in self.entry.foreign]
        self.hot = rng.choice([0.02, 0.1, 0.3, 1])


Entry.maker = Maker
REGISTERED = [(kind, value) for kind, (_, values, _) in SAID.items() for value in values]
