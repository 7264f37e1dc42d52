"""What the training's origin answers: made from a seed, of several shapes and sizes. Nothing of it is measured anywhere: bench/ has
documents of its own, with other values."""
import json
import random

PACKED = {"separators": (",", ":"), "ensure_ascii": False}
SURNAMES = ["Okafor", "Ivanova", "Núñez Prado", "Tran", "Diallo", "Petrosyan", "Müller-Ruiz", "Haddad", "Silva", "Özdemir", "Chen", "de la Cruz"]
GIVEN = ["Amina", "Pavel", "Inés", "Quang", "Mariam", "Aram", "Karl", "Noor", "João", "Elif", "Wei", "Rosa María", "Samuel"]
TEXT = ("the applicant arrived at the office with a cousin and asked about the status of the request. papers were copied, "
        "an interpreter was present by telephone; nothing further was said. next appointment in spring").split()
COUNTRIES = ["MEXI", "HOND", "UKR", "SENE", "TURK", "BRAZ", "PHIL"]


class Maker:
    """Records of people: one in `every` stands in the registry."""

    def __init__(self, seed, protected, every=30):
        self.roll, self.protected, self.every = random.Random(seed), protected, every

    def number(self):
        r = self.roll
        return r.choice(self.protected) if r.randrange(self.every) == 0 else f"A{r.randrange(3, 9)}{r.randrange(10**8):08}"

    def name(self):
        return {"surname": self.roll.choice(SURNAMES), "given": self.roll.choice(GIVEN)}

    def day(self):
        return f"{self.roll.randrange(1955, 2024)}-{self.roll.randrange(1, 13):02}-{self.roll.randrange(1, 29):02}"

    def words(self, least, most):
        return " ".join(self.roll.choice(TEXT) for _ in range(self.roll.randrange(least, most)))

    def person(self, whole):
        """As the shipped pack's own examples have it; not `whole`: with members that are there now and not then."""
        r = self.roll
        p = {"personId": r.randrange(10**6, 10**8), "aNumber": self.number(), "fins": [f"{r.randrange(10**9, 10**10)}"],
             "name": {**self.name(), "middle": r.choice("ABCDEFG")}, "aka": [self.name()], "dob": self.day(),
             "cob": r.choice(COUNTRIES), "coc": r.choice(COUNTRIES), "coa": r.choice(["B1", "F1", "EWI", "PAR"]),
             "alerts": [{"code": "NCX", "text": self.words(1, 4)}], "encounters": [self.encounter()],
             "detentions": [{"facilityCode": f"EPC{r.randrange(99):02}", "bookIn": self.day(), "bookOut": None, "bond": r.randrange(90) * 50.5}],
             "associates": [{"personId": r.randrange(10**6, 10**8), "role": r.choice(["SPOUSE", "SIBLING"])}], "active": r.random() < .7,
             "narrative": self.words(10, 60), "officerNotes": self.words(1, 9), "remarks": self.words(4, 30),
             "docs": [{"id": f"D-{r.randrange(999)}", "name": f"scan_{r.randrange(9999)}.tif"} for _ in range(2)]}
        if whole:
            return p
        p["encounters"] = [self.encounter() for _ in range(r.randrange(3))]
        p["associates"] = [{"personId": r.randrange(10**6, 10**8), "aNumber": self.number(), "role": "PARENT"} for _ in range(r.randrange(4))]
        p["aka"] *= r.randrange(3)
        for left in r.sample(["cob", "alerts", "detentions", "docs", "remarks", "fins", "active"], r.randrange(4)):
            del p[left]
        if r.random() < .5:
            p["contact"] = {"phone": f"+1 915 555 {r.randrange(10**4):04}", "mail": f"{r.choice(GIVEN)}@example.org", "since": self.day()}
        return p

    def encounter(self):
        r = self.roll
        return {"eventNumber": f"ELP{r.randrange(15, 26)}{r.randrange(10**8):08}", "landmark": r.choice(["BRIDGE", "COURT HOUSE"]),
                "address": {"street": f"{r.randrange(1, 999)} Elm Ave", "city": r.choice(["El Paso", "Yuma"]), "state": "AZ", "zip": f"8{r.randrange(10**4):04}"},
                "date": f"{self.day()}T{r.randrange(24):02}:{r.randrange(60):02}:07Z"}

    def case(self):
        """Of another system: other names, numbers spelled with hyphens, codes, long hexadecimal keys, nested lists."""
        r, a = self.roll, self.number()
        return {"uuid": f"{r.getrandbits(128):032x}", "alienFileNumber": f"{a[:4]}-{a[4:7]}-{a[7:]}", "receipt": f"IOE09{r.randrange(10**8):08}",
                "applicant": {"last_name": r.choice(SURNAMES).upper(), "first_name": r.choice(GIVEN).upper(), "born": self.day()},
                "form": r.choice(["I-130", "I-485", "N-400", "I-765"]), "fee_paid": r.random() * 1000, "priority": r.randrange(9),
                "history": [{"at": f"{self.day()} 08:{r.randrange(60):02}", "by": f"u{r.randrange(500)}", "did": self.words(2, 9)} for _ in range(r.randrange(6))],
                "flags": [r.random() < .2, None, r.randrange(3)], "digest": f"{r.getrandbits(256):064x}", "memo": self.words(0, 25)}


def dump(value, spaced=False):
    return json.dumps(value, **({"indent": 2} if spaced else PACKED)).encode()


def lines(records):
    return b"".join(dump(r) + b"\n" for r in records)
