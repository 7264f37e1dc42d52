"""However a person's number is written, its record is withheld: in lists, as a lookup, as a member's name.

    #= 8USC1367 a(2)
"""
# ctest: timeout=600
import base64
import binascii
import json
import quopri

import pytest

import wire
from canary import Canaries
from cases import MISS, check_restricted, reply
from harness.gateway import SANITIZED
from worlds import Twins, person, request

A, PLAIN = "A012345678", "A917345628"
PEOPLE = [person(A, "S-1", receipt="EAC2190517346", ssn="219-57-9873", passport="G73521846", person_id=90217345),
          person(PLAIN, "S-2")]


def b64(s, url=False):
    return (base64.urlsafe_b64encode if url else base64.b64encode)(s.encode()).decode()


def percent(s):
    return "".join("%%%02X" % c for c in s.encode())


def hexa(s):
    return binascii.hexlify(s if isinstance(s, bytes) else s.encode()).decode()


def quoted(s):
    """As it is, but for what must be written otherwise, in lines of 76; and every character otherwise (behind a blank: what begins with
    "=" is JSON, see below)."""
    return quopri.encodestring(s.encode()).decode(), " " + "".join("=%02X" % c for c in s.encode())


def digits(zero, s):
    return "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in s)


# A name and a value that say A012345678 (or, bare, the other one): values as JSON text where they are str after "=".
LABELLED = ["A012345678", "A12345678", "a012345678", "012345678", "12345678", "A 012 345 678", "A-012-345-678",
            "A#012345678", "AZ12345678", "012-345-678", " 012345678 ",
            "=12345678", "=12345678.0", "=12345678.000", "=1.2345678e7", "=1.2345678E+7", "=1234567.8e1", "=12345678e0",
            "=123456780e-1", "=12345678.0e0", '="\\u0041012345678"', '="\\u00410\\u00312345678"',
            '="A012345\\u0036\\u0037\\u0038"']
ANYWHERE = [
    A, "A12345678", "see " + A + ".", "(" + A + ")", "No. A 012-345-678, filed", "Alien No. 012345678", "ARN/012345678",
    "USCIS# 012-345-678", "A-File No. 012-345-678", "x\n" + A + "\ty", "A 0123 45678",
    "012345678", "see 012345678 there", "=917345628", '="917345628"', "=917345628.0",
    # other letters, digits and signs
    "\uff21\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", digits("\u0660", A), digits("\u06f0", A),
    digits("\u0966", A), digits("\uff10", A), "\u0410012345678", "A\u200b0\u200c1\u200d2345678", "A0123\u2060\ufeff45678",
    "A\u00ad012345678", "\u200fA012345678\u200e", "A\u00a0012\u00a0345\u00a0678", "A\u2011012\u2011345\u2011678",
    "A\u2010012\u2010345\u2010678", "A\u2013012\u2013345\u2013678", "A\u2014012\u2014345\u2014678", "A.012.345.678",
    '="A\\u00a0012\\u2011345\\u00a0678"', '="\\uff21\\uff10\\uff11\\uff12\\uff13\\uff14\\uff15\\uff16\\uff17\\uff18"',
    # percent-encoding, once and twice
    percent(A), percent(A).lower(), percent(percent(A)), "A%3012345678", "q=A%2D012%2D345%2D678", "%41012345678",
    "%2541012345678", "A%20012%20345%20678", "https://h.example/p?id=" + percent(A),
    # base64, plain and for addresses, once and twice, at every alignment, and both together
    b64(A), b64(A).rstrip("="), b64("-" + A), b64("- " + A), b64('{"aNumber":"A012345678"}'), b64("\xff\xfe?" + A + "?>", True),
    b64(A + "\xff\xff\xff", True), b64(b64(A)), b64(b64("-" + A)), b64(b64("- " + A)), percent(b64(A)), b64(percent(A)),
    "token " + b64("id " + A) + " end", "Bearer eyJhbGciOiJub25lIn0." + b64('{"sub":"A012345678"}', True).rstrip("=") + ".",
    b64("012345678"), b64("number 012345678 on file"),
    percent(percent(percent(A))), "%252541012345678",
    # hexadecimal, by itself, in others and among other bytes
    hexa(A), hexa(A).upper(), "0x" + hexa(A), "\\x" + hexa(A), "7" + hexa(A), "(" + hexa("see " + A + " there") + ")", hexa(A + "\n"),
    hexa(b"\x08\x07\x12\x0a" + A.encode() + b"\x1a\x00\xff"), hexa("\uff21\uff10\uff11\uff12345678"), hexa(hexa(A)), hexa(b64(A)),
    b64(hexa(A)), percent(hexa(A)), hexa(percent(A)), hexa("012345678"), hexa("number 012345678 on file"),
    # UTF-16 in base64
    *(base64.b64encode(A.encode(code)).decode() for code in ("utf-16-le", "utf-16-be", "utf-16")),
    base64.b64encode("el caso A012345678 está".encode("utf-16-le")).decode(),
    # escapes of programs, one of which is JSON in JSON
    "".join(f"\\x{c:02x}" for c in A.encode()), "\\u0041\\u003012345678", json.dumps({"n": "A012345678"}).replace("A0", "\\u0041\\u0030"),
    "%u0041%u003012345678",
    # quoted-printable
    *quoted(A)[1:], "A=30=31=32345678", "no.=20=41012=2d345=2d678", "A0123=\r\n45678", "A0123=\n45678", quoted("días y días " * 5 + A + " él")[0],
    quoted(quoted(A)[1])[1], b64(quoted(A)[1]), hexa(quoted(A)[1]), quoted(hexa(A))[1], quoted(percent(A))[1], percent(quoted(A)[1]),
    "?n=12&alien=0123%345678",
    # the person's other numbers
    "EAC2190517346", "eac2190517346", "EAC-21-905-17346", "EAC 21 905 17346", b64("EAC2190517346"), hexa("EAC2190517346"), "219-57-9873",
    "219 57 9873", "SSN 219-57-9873.", "G73521846", "passport g73521846", b64("passport G73521846"),
]
OTHER_LABELS = [("ssn", '"219579873"'), ("ssn", "219579873"), ("socialSecurityNumber", '"219-57-9873"'),
                ("passportNumber", '"G73521846"'), ("passport", '"G 7352 1846"'), ("receipt", '"EAC2190517346"'),
                ("personId", "90217345"), ("personId", '"90217345"'), ("personId", "90217345.0"), ("personId", "9.0217345e7"),
                ("alien", '{"number": 12345678}'), ("alienNumber", '["12345678"]'), ("A_NUMBER", '"12345678"'),
                ("A Number", "12345678"), ("\\u0061Number", "12345678"), ("a\u200bNumber", "12345678"),
                ("hs:AlienIdentification", '{"rdf:value": "12345678"}'), ("x:aNumber", '"12345678"'),
                ("arn", '{"value": "12345678"}'), ("im:AlienNumberIdentification", '{"nc:IdentificationID": "12345678"}')]


def value_text(v):
    return v[1:] if v.startswith("=") else json.dumps(v, ensure_ascii=False)


RECORDS = ([f'{{"n": 1, "aNumber": {value_text(v)}}}' for v in LABELLED] +
           [f'{{"n": 1, "about": {value_text(v)}}}' for v in ANYWHERE] +
           [f'{{"n": 1, "{k}": {v}}}' for k, v in OTHER_LABELS] +
           [f'{{"n": 1, {value_text(v)}: true}}' for v in ANYWHERE + LABELLED[-3:] if value_text(v).startswith('"')] +
           [f'{{"n": [{{"deep": [{value_text(v)}]}}]}}' for v in ANYWHERE])
KEPT = '{"n": 2, "aNumber": "A011111111"}'
KEYS = {"person_id": ["$[*].personId"]}
DOCUMENTS = [{"path": "/list", "units": ["$[*]"], "keys": KEYS},
             {"path": "/record", "units": ["$"], "keys": {"person_id": ["$.personId"]}, "miss": MISS},
             {"path": "/lines", "units": ["$"], "keys": {"person_id": ["$.personId"]}}]
CANARY = Canaries(["012345678", "917345628", "EAC2190517346", "219-57-9873", "G73521846", "90217345"])


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    with Twins(tmp_path_factory.mktemp("spellings"), DOCUMENTS, PEOPLE) as t:
        yield t


def remaining(body):
    """Which of the records a recipient still got, for the message."""
    return [r for r in RECORDS if r.encode() in body]


def test_every_spelling_in_a_list(twins):
    with_all = "[" + ", ".join([KEPT, *RECORDS, KEPT]) + "]"
    wanted = f"[{KEPT}, {KEPT}]"
    twins.answer_with("/list", reply(with_all, "application/json"), reply(wanted, "application/json"))
    for kind in ("police", "officer on the public route"):
        stream = twins.seen_by(kind, ("at the origin", "knows"), request(kind, "/list", close=True))
        assert remaining(wire.answers(stream.raw)[0][2]) == []
    check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, wanted.encode()))
    got = wire.answers(twins.officer(request("officer", "/list", close=True)).raw)[0]
    assert got[2] == with_all.encode()
    assert b"\r\nSection-1367: protected; records=%d\r\n" % len(RECORDS) in got[1]


def test_every_spelling_a_line(twins):
    at = "\n".join([KEPT, *RECORDS, KEPT]) + "\n"
    wanted = f"{KEPT}\n{KEPT}\n"
    reply_of = lambda b: reply(b, "application/x-ndjson", "chunked")  # noqa: E731
    twins.answer_with("/lines", reply_of(at), reply_of(wanted))
    check_restricted(twins, CANARY, lambda kind: request(kind, "/lines"), (200, wanted.encode()))


MUCH = 20 if SANITIZED else 1  # sanitizers give each of many thousand pieces a block of its own
FILLER = "The quick brown fox, 1 2 3 555-0100. " * (6000 // MUCH)  # longer than any buffer on the way
LONG = {"at the end": FILLER + A, "at the start": A + " " + FILLER, "in the middle": FILLER + " " + A + " " + FILLER,
        "behind many others": " ".join(f"A{n:09}" for n in range(100000000, 100000000 + 20000 // MUCH)) + " " + A,
        "behind many bare ones": " ".join(str(n) for n in range(100000000, 100000000 + 20000 // MUCH)) + " 012345678",
        "in long base64": b64(FILLER + A + " " + FILLER), "in long base64 for addresses": b64("?>~" + FILLER + A, True),
        "in long base64 twice": b64(b64(FILLER + A)), "in long percent": percent(FILLER + A),
        "behind many base64 runs": " ".join(b64(f"nobody at all {n}") for n in range(3000 // MUCH)) + " " + b64("see " + A),
        "behind many escapes": "%41%42 " * (20000 // MUCH) + percent(A), "spread over lines": "\n".join([FILLER[:70]] * 999) + "\nA\t012345678"}


@pytest.mark.parametrize("name", LONG)
def test_in_long_values(twins, name):
    """Values longer than a block, a record of TLS, or a buffer; as text and with every character of it escaped."""
    for text in (json.dumps(LONG[name]), json.dumps(LONG[name]).replace("f", "\\u0066").replace("A", "\\u0041")):
        at = f'[{KEPT}, {{"memo": {text}}}, {KEPT}]'
        twins.answer_with("/list", reply(at, "application/json"), reply(f"[{KEPT}, {KEPT}]", "application/json"))
        check_restricted(twins, CANARY, lambda kind: request(kind, "/list"), (200, f"[{KEPT}, {KEPT}]".encode()))


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_each_spelling_alone(twins, framing):
    """One world after the other on kept-alive connections: the record, the miss, the miss."""
    gone = reply('{"error":"never heard of"}', "application/json", status=404)
    kinds = ("police", "anonymous", "conduit", "officer on the public route")
    for i, record in enumerate(RECORDS):
        if framing != "length" and i % 5:
            continue
        kind = kinds[i % 4]
        twins.answer_with("/record", reply(record, "application/json", framing), gone)
        stream = twins.compare(kind, request(kind, "/record", close=True))
        status, _, body = wire.answers(stream.raw)[0]
        assert (status, body.decode()) == (404, MISS["body"]), f"{kind}: {record}"
