"""Markers against tables written down from 10-domain 2.3 to 2.7, not from the pack: each value in the spellings of 2.2,
each trap, and every code of NIEM's list."""
import base64
import json
import re
import unicodedata
import urllib.parse

import pytest

from harness import gateway as g
from harness.judge import config, judge, strength

pytestmark = pytest.mark.whole("the rules alone, nobody talks HTTP")

# 10-domain 2.3: the table of codes, and its trap list
COA = {"definitive": "384 DAS T1 T2 T3 T4 T5 T6 U1 U2 U3 U4 U5 ST6 ST7 ST8 ST9 ST0 SU6 SU7 SU8 SU9 SU0 SU3 SU4 SU5 IB1 IB2 "
                     "IB3 IB6 IB7 IB8 IB5 IB0 B11 B12 B16 B17 B20 B21 B22 B23 B24 B25 B26 B27 B28 B29 B31 B32 B33 B36 B37 B38 "
                     "BX1 BX2 BX3 BX6 BX7 BX8 Z14".split(), "suspected": ["SU2"]}
COA_TRAPS = "B1 B2 T21 T28 T41 T58 T1D T2D T3D T1M T2M T3M U1M U2M 1B1 ST STC TD TN1 UU CP Z11 Z13 Z15 SL1 SL6 DA DED".split()

# 2.4
EAD = {"definitive": ["A16", "A19", "A20", "C25", "C40", "C31", "A25", "C27", "C28", "C29", "C30"], "suspected": ["C14", "C11"],
       "nothing": [f"C{n:02}" for n in range(1, 41) if n not in (11, 14, 25, 27, 28, 29, 30, 31, 40)] +
                  [f"A{n:02}" for n in range(1, 25) if n not in (16, 19, 20)]}

# 2.5
FORMS = {"definitive": ["I-914", "I-914 Supplement A", "I-914, Supplement B", "I-918", "I-918 Supp. A", "I-918B", "I-929", "I-765V",
                        "EOIR-42B with VAWA", "EOIR-42B under § 240A(b)(2)", "Continued Presence", "HHS Certification Letter",
                        "OTIP Child Eligibility Letter"],
         "suspected": ["I-360", "I-751", "I-485", "I-192", "I-539", "EOIR-40", "EOIR-42B", "I-881", "I-912", "I-246"],
         "nothing": ["I-765", "I-589", "I-130", "I-140", "I-9", "I-94", "I-9140", "I-9180", "EOIR-42A", "EOIR-28", "N-400", "WI 918",
                     "G-28", "DS-160", "W-2"]}

# 2.6
FIELDS = [("definitive", "note", "CUI//BATT"), ("definitive", "note", "CUI//SP-IVIC//FED ONLY"), ("suspected", "note", "CUI//LVIC"),
          ("suspected", "note", "CUI//CVIC"), ("suspected", "note", "CUI//SP-SCV"), ("nothing", "note", "CUI//SP-PRVCY//FED ONLY"),
          ("nothing", "note", "CUI//FEDCON"), ("definitive", "cui:BasicCategoryMarkingCode", "BATT"),
          ("suspected", "cui:BasicCategoryMarkingCode", "SCV"), ("definitive", "appealIssueCode", "10"),
          ("definitive", "appealIssueCode", "5b"), ("definitive", "appealIssueCode", "C1"), ("nothing", "appealIssueCode", "5a"),
          ("nothing", "appealIssueCode", "100"), ("suspected", "caseIdentifier", "PO"), ("suspected", "motionType", "MP"),
          ("suspected", "motionType", "VP"), ("suspected", "ADJ_RSN", "44"), ("nothing", "ADJ_RSN", "45"),
          ("suspected", "APPL_CODE", "42B"), ("suspected", "APPL_CODE", "216"), ("suspected", "APPL_CODE", "SUSP"),
          ("nothing", "APPL_CODE", "ASYL"), ("suspected", "SPECIAL_VULNERABILITY", "Victim of human trafficking"),
          ("nothing", "SPECIAL_VULNERABILITY", "Pregnant"), ("definitive", "hs:HumanTraffickingVictim", {"@id": "P1"}),
          ("definitive", "hs:IdentifiedAsVictimIndicator", True), ("nothing", "hs:IdentifiedAsVictimIndicator", False),
          ("definitive", "https://docs.oasis-open.org/niemopen/ns/model/domains/hs/6.0/HumanTraffickingVictim", {"@id": "P1"}),
          ("suspected", "j:PersonProtectionOrderPetitionerIndicator", "true"), ("definitive", "address", "c/o safe address"),
          ("definitive", "line", "ATTN: 1367"), ("suspected", "offense", "HUMAN_TRAFFICKING-COMMERCIAL_SEX_ACTS"),
          ("definitive", "narrative", "I certify that, to the best of my knowledge and belief, I have complied with the "
                                      "provisions of 8 U.S.C. § 1367.")]

# 2.7
PHRASES = {
    "definitive": """8 U.S.C. 1367|8 u s c 1367|section 1367|§ 1367|1367 protected|1367 protections|1367 covered|1367 flag|1367 hit|1367
 case|1367 banner|vawa self petition|VAWA self-petitioner|vawa case|vawa petition|vawa applicant|vawa beneficiary|vawa cancellation|vawa
 confidentiality|vawa unit|t visa|u visa|T-visa|U-visa|t nonimmigrant|u nonimmigrant|t-1 visa|t 1 status|t-1 nonimmigrant|u 1 visa|u-1
 status|u 1 nonimmigrant|bona fide determination|continued presence|i 914|i 918|i 929|u cert|u certification|law enforcement
 certification|supplement b|battered spouse|battered child|battered parent|battery or extreme cruelty|subjected to extreme cruelty|victim
 of a severe form of trafficking|victim of severe forms of human trafficking|240A(b)(2)|101(a)(15)(T)|101(a)(15)(U)|101(a)(51)|
204(a)(1)(A)(iii)|204(a)(1)(A)(iv)|204(a)(1)(A)(vii)|coa 384|visa t|visa u|estatus t de no inmigrante|estatus u de no inmigrante|no
 inmigrante t|no inmigrante u|víctima de trata|victimas de la trata de personas|formas graves de trata|forma grave de la
 trata|autopetición vawa|autopeticionaria de vawa|autopeticion|ley de violencia contra las mujeres|ley de violencia contra la
 mujer|presencia continua|presencia continuada|estatus de continua presencia|crueldad extrema|cónyuge maltratada|cónyuge
 abusado|cancelación de la deportación bajo vawa|certificación de la agencia que hace cumplir la ley|visa de tipo u|cancelacion de expulsion por la ley vawa|certificación de la agencia del orden|
certificación de las agencias que hacen cumplir la ley|suplemento b|not a victim of a severe form of trafficking|denied any U visa|
SEC. 240A(b) BATTERED|CANCELLATION -SEC 240(A)(b)/BATTERED|1367 information|protected under 1367|28 U.S.C. § 1331 and 8 U.S.C. § 1367|Title 8 of the United States Code, Section
 1367|8 United States Code 1367|8 U.S. Code § 1367|under federal law, section 1367 bars disclosure|immigration law § 1367|section 1367 of the United States Code|section 1367 of the US Code|Sections 1367 and 1229(e)|1367(a)(2)|confidential
 under 1367|Sect. 1367|certification under 8 U.S.C. 1229(e)|U petition|battery and/or extreme cruelty|204(a)(1)(B)(ii)|petición VAWA|cónyuges
 maltratados|certificaciones de agencias del orden|visado U""",
    "suspected": """trafficking victim|victim of human trafficking|victim of sex trafficking|victim of labor trafficking|domestic violence
 victim|family violence victim|abused by her husband|abuse by his wife|abused by their partner|order of protection|restraining
 order|women's shelter|womens shelter|dv shelter|safe house|rape crisis|family justice center|cooperating victim|victim assistance
 coordinator|victim assistance specialist|forced labor|debt bondage|involuntary servitude|confidential address|safe address|address
 confidentiality program|violencia doméstica|víctima de abuso|víctima de maltrato|víctima de crimen|víctima de delito|orden de
 protección|orden de alejamiento|orden de restricción|refugio para mujeres|albergue de víctimas|trabajo forzado|trabajos forzados|
explotación sexual|explotación laboral|casa segura|tratantes|supplement B of I-485|I-485 Supplement B|victims of trafficking|order for
 protection|protective order|shelter for battered women|domestic violence shelter|víctima de un delito|órdenes de protección|casas seguras""",
    "nothing": """T-shirt|FRAU visa|U.S. visa|US visa|u. s. visa|Visa USA|Visa U.S.|visa u otro documento|1367|case number 1367|28 U.S.C. §
 1367|18 U.S.C. § 1367|26 U.S.C. § 1367|section 1367 of title 28|IRC section 1367|I.R.C. § 1367|supplemental jurisdiction under § 1367|28 U.S.C. § 1331 and § 1367|
Title 28 of the United States Code, section 1367|28 United States Code 1367|Penal Code § 1367|Penal Law § 1367|
title 28 section 1367|Section 1367.5|section 1367 PC|protective custody|órdenes de compra|
charge code 1367|supplement B-12|Supplement B (Form I-589)|COA-B2|I-130 supplement B|supplement B of I-130|coyote|visa
 application|B-2 visa|VISA DEBIT|permanent resident|order of removal|shelter in place|abused substances|certification|birth
 certificate|presence of drugs|bona fide marriage|the victim|trata de llegar|asylum applicant|TN visa|drug trafficking"""}
PHRASES = {k: [p.strip() for p in v.replace("\n", "").split("|")] for k, v in PHRASES.items()}


LONG = "Seen at the office in the morning and asked to return with the papers that the clerk had named to the family."  # more than 96


def spellings(text):
    """10-domain 2.7: case, diacritics, white space and hyphens do not count; 2.2: nor do look-alikes and codings."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    if "supplement" not in text.lower():  # what form it is of is not undone before it is looked for: that withholds more
        yield text.replace("-", "&#8209;")
    yield from {text, text.upper(), text.lower(), plain, unicodedata.normalize("NFD", text), f"It says: {text}, since May.",
                text.replace(" ", "\u00a0"), text.replace(" ", "-"), "\u200b".join(text), text.replace(" ", "\n"), text.replace(" ", "\t"),
                text.replace(" ", " \r\n  "), text.replace(" ", "&nbsp;"), f"{LONG} {text.replace(' ', chr(10))}. {LONG}",
                "".join(chr(ord(c) + 0xfee0) if "0" <= c <= "9" or "A" <= c.upper() <= "Z" and ord(c) < 128 else c for c in text)}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    return config(tmp_path_factory.mktemp("markers"))


def check(gateway, rows):
    """rows: (expected strength, item)."""
    wrong = []
    for (expected, item), seen in zip(rows, judge(gateway, [item for _, item in rows])):
        alone = len(seen["suspected"]) < 2
        if strength(seen) != expected or (seen["withheld"] != (expected == "definitive") and alone):
            wrong.append((item, expected, seen))
    assert not wrong, [(w[0], w[1]) for w in wrong[:10]]


def test_codes_of_admission(gateway):
    rows = [(s, {"coa": spelt}) for s, codes in {**COA, "nothing": COA_TRAPS}.items() for code in codes
            for spelt in (code, code.lower(), f" {code} ")]
    rows += [(s, {"classOfAdmission": re.sub(r"^([A-Z]+)(\d)", r"\1-\2", code)}) for s, codes in COA.items() for code in codes]
    check(gateway, rows + [("nothing", {"room": code}) for codes in COA.values() for code in codes])
    check(gateway, [("definitive", {name: code}) for code in ("384", "U1", "SU6") for name in
                    ("COA_CD", "coaDesc", "coa_at_entry", "currentCOA", "entryCoa", "initialClassOfAdmission", "lprClassOfAdmission")] +
          [("definitive", {"visa": "U-1"}), ("nothing", {"visa": {"id": 384}}), ("definitive", {"cardCategory": "SU6"}), ("definitive", {"I94ClassOfAdmission": "U1"}),
           ("definitive", {"EAD_CAT": "C31"})])


def test_every_code_of_niem(gateway):
    listed = g.SUITES / "niem-coa/class-of-admission.txt"
    if not listed.exists():
        pytest.skip("no suite")
    lines = [line.split(" | ") for line in listed.read_text().splitlines() if " | " in line]
    codes = [code for code, _ in lines]
    assert len(codes) == 993
    of = {code: s for s, listed_ in COA.items() for code in listed_}
    check(gateway, [(of.get(code, "nothing"), {name: code}) for code in codes
                    for name in ("coa", "im:ImmigrationStatusCode", "scr:ClassOfAdmissionCode")])
    pairs = [lambda code: {"key": "classOfAdmission", "value": code}, lambda code: {"code": code, "codeType": "COA"}]
    check(gateway, [(of.get(code, "nothing"), pair(code)) for code in codes for pair in pairs])
    check(gateway, [("nothing", {"name": "coa", "id": "384"}), ("nothing", {"key": "room", "value": "384"}), ("nothing", {"type": "status", "value": "T1"})])
    said = [{"key": "humanTraffickingVictim", "value": v} for v in (True, "Y", "1", 1)]
    check(gateway, [("definitive", v) for v in [*said, {"value": True, "field": "identifiedAsVictim"}, {"type": "form", "number": "918"}, {"type": "form", "code": 914}]])
    tables = [{"columns": ["n", "coa"], "data": [["x", "U1"], ["y", "B2"]]}, {"data": [[384]], "columns": [{"name": "classOfAdmission"}]}, {"values": [["coa"], ["B2"], ["T1"]]},
              {"fields": ["humanTraffickingVictim"], "records": [[True]]}, {"type": {"text": "class of admission"}, "values": ["U1"]}]
    check(gateway, [("definitive", v) for v in tables])
    others = [{"columns": ["coa", "room"], "data": [["B2", "384"]]}, {"fields": ["humanTraffickingVictim"], "records": [[False]]}, {"type": {"text": "form"}, "ids": [918]}]
    check(gateway, [("nothing", v) for v in others])
    rows = [{"type": "form", "id": "918"}, {"id": 914, "type": "form"}, {"type": "form", "identifier": 929}]
    cards = [{"type": "visa", "number": "4111111111111111"}, {"type": "VISA", "id": "4111111111111111"}, {"category": "passport", "id": 12}]
    check(gateway, [("nothing", v) for v in [*rows, *cards, {"key": "humanTraffickingVictim", "value": False}, {"key": "humanTraffickingVictim", "value": "N"}]])
    kinds = ("SSN passport visa visaNumber FBI FIN SID I94 license phone VIN COA form address EAD CUI appealIssue caseId motionType adjRsn").split()
    seen = judge(gateway, [{f"{i}type": kind for i, kind in enumerate(kinds[:n])} | {f"{i}kind": "SSN" for i in range(40)} for n in (8, 16, 17, 20)])
    assert [s["withheld"] for s in seen] == [False, False, True, True]
    told = {code: s for code, s in of.items() if code != "SU2"}  # NIEM means the sugar cane worker
    check(gateway, [(told.get(code, "nothing"), {"coaDescription": meaning}) for code, meaning in lines])


def test_work_permit_categories(gateway):
    rows = [(s, {name: spelt}) for s, codes in EAD.items() for code in codes for name in ("eadCategory", "ead_code")
            for spelt in (code, code.lower(), f"({code[0].lower()})({int(code[1:])})", f"({code[0]}) ({int(code[1:])})",
                          f"{code[0]} {int(code[1:])}", f"{code[0]}-{int(code[1:])}")]
    check(gateway, rows + [("nothing", {"room": code}) for codes in EAD.values() for code in codes])


def test_forms(gateway):
    check(gateway, [(s, {"note": spelt}) for s, forms in FORMS.items() for form in forms for spelt in spellings(form)])


def test_fields_of_other_systems(gateway):
    check(gateway, [(s, {name: value}) for s, name, value in FIELDS])


def test_phrases(gateway):
    check(gateway, [(s, {"narrative": spelt}) for s, phrases in PHRASES.items() for phrase in phrases
                    for spelt in spellings(phrase)])


def test_what_stands_around_and_codings(gateway):
    """Quotation marks, JSON in JSON, a form's query, a path: by json, urllib.parse and base64."""
    phrases = ["T visa", "U visa", "visa U", "visa T", "continued presence", "VAWA petition", "8 U.S.C. 1367", "section 1367", "battered spouse", "law enforcement certification"]
    rows = [{"note": spelt} for p in phrases for spelt in (
        f"'{p}'", f"\u2018{p}\u2019", f"\u201c{p}\u201d", f"granted.{p}, see", json.dumps({"n": f"first line\n{p}\nnext"}),
        json.dumps({"n": json.dumps([f"a\t{p}"])}), urllib.parse.urlencode({"q": p + " holder", "page": 2}),
        "https://example.org/find?" + urllib.parse.urlencode({"a": 1, "q": p}, quote_via=urllib.parse.quote) + "&z=1",
        "/files/" + base64.b64encode(p.encode()).decode() + "/x.pdf")]
    rows += [{"note": text} for text in ("visa U o visa T", "su visa U otorgada en mayo", "T&U visas", "told him.8 U.S.C. 1367", "'T' visa")]
    missed = ["can't visa", "AT&T Visa card", "S&T Visa", "visa T&C", "visa u otra tarjeta", "visa u hoja", "E.U. certification", "12.8 U.S.C. 1367"]
    check(gateway, [("definitive", r) for r in rows] + [("nothing", {"note": text}) for text in missed])


def test_what_is_only_suspected_needs_company(gateway):
    alone = [{"note": "order of protection"}, {"note": "order of protection; restraining order"}, {"note": "I-485 and I-539"}]
    two = [{"note": "order of protection", "form": "I-485"}, {"coa": "SU2", "note": "trafficking victim"}]
    assert [s["withheld"] for s in judge(gateway, alone + two)] == [False] * 3 + [True] * 2
