"""What the tables of cases share: the people, the case, and how one is held against the three worlds."""
import dataclasses
import json

import wire
from harness.origin import answer
from worlds import KINDS, NEXT_BODY, NOT_FOUND, followed, person, request

P = {"aNumber": "A917345628", "receipt": "EAC2190517346", "ssn": "219-57-9873", "passport": "G73521846",
     "personId": 90217345}
ALIAS = "A917345629"      # P's second number
DERIVATIVE = "A923456781"  # P's child, protected through the case alone
RELEASED = "A934567812"    # denied, appeals exhausted: nobody's secret
OTHER = "A555000111"       # protected in every world, and at no origin

PROTECTED = [
    person(P["aNumber"], "S-1", receipt=P["receipt"], ssn=P["ssn"], passport=P["passport"], person_id=P["personId"]),
    person(ALIAS, "S-1b"),
    {"subject": "S-2", "cases": [{"id": "C-2", "benefit": "U", "role": "derivative", "status": "denied_appealable"}],
     "identifiers": [{"kind": "alien_number", "value": DERIVATIVE}]},
]
OTHERS = [person(OTHER), person(RELEASED, status="denied_final")]
CANARIES = [P["aNumber"][1:], P["receipt"], P["ssn"], P["ssn"].replace("-", ""), P["passport"], str(P["personId"]),
            ALIAS[1:], DERIVATIVE[1:]]

MISS = {"status": 404, "type": "application/json", "body": '{"error":"nobody"}\n'}


def text(value):
    """As it stands, or written as this origin writes."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()


@dataclasses.dataclass
class Case:
    """`at`, `absent`: the origin's bodies (or whole Replies). `expect`: what every restricted recipient gets, or None:
    the document's miss. `found`: units with a finding, for the entitled."""
    name: str
    document: dict
    at: object
    absent: object
    expect: object
    found: int = 1
    content_type: str = "application/json"
    path: str = None       # where the document's path is a template
    prefix: str = "/api"
    number: int = 0

    @property
    def base(self):
        return f"/case{self.number}"

    def documents(self):
        return [] if self.document is None else [{**self.document, "path": self.base + self.document.get("path", "")}]

    def target(self):
        return self.base + (self.path or "")

    def wanted(self):
        """(status, body) for restricted recipients."""
        if self.expect is not None:
            return 200, text(self.expect)
        miss = (self.document or {}).get("miss")
        return (miss["status"], miss["body"].encode()) if miss else (404, NOT_FOUND)


def numbered(table):
    for i, case in enumerate(table):
        case.number = i
    assert len({c.name for c in table}) == len(table)
    return table


def check_head(head: bytes, close: bool):
    """Contract section 5: exactly these fields, in one order."""
    names = [line.split(b":")[0].decode() for line in head.split(b"\r\n")[1:]]
    wanted = ["Date", "Content-Type", "Content-Length", "Cache-Control", "Request-Id"]
    if "Transfer-Encoding" in names:  # in chunks, where the whole was not known
        wanted[2] = "Transfer-Encoding"
    assert names == wanted + (["Connection"] if close else []), names
    assert b"\r\nCache-Control: private, no-store\r\n" in head


def check_restricted(twins, canaries, data_of, wanted, kinds=KINDS, **how):
    """The three worlds are one for each kind of recipient, and it is the wanted one. data_of(kind) is the request."""
    status, body = wanted
    for kind in kinds:
        stream = twins.compare(kind, followed(kind, data_of(kind)), **how)
        got = wire.answers(stream.raw)
        assert got[0][0] == status and got[0][2] == body, \
            f"{kind}: {got[0][0]} {wire.minimal_difference(got[0][2], body)}"
        assert [(s, b) for s, _, b in got[1:]] == [(200, NEXT_BODY)] * 2, kind
        for i, (_, head, _) in enumerate(got):
            check_head(head, i == 2)
        assert stream.ended == "clean", f"{kind}: {stream.ended}"
        canaries.assert_none(stream.raw, kind)


def check_officer(twins, case, reply=None, found=None):
    """An entitled recipient gets the origin's bytes, and is told."""
    got = wire.answers(twins.officer(followed("officer", request("officer", case.target(), prefix=case.prefix))).raw)
    status, head, body = got[0]
    assert (status, body) == (200, text(case.at)), wire.minimal_difference(body, text(case.at))
    section = wire.re.search(rb"(?m)^Section-1367: ([^\r]*)", head).group(1)
    assert section == (b"protected; records=%d" % case.found if case.found else b"none"), section
    assert (b"\r\nWarning-Notice: " in head) == bool(case.found)


def reply(body, content_type, framing="length", **more):
    made = answer(text(body), content_type=content_type, framing=framing, **more)
    return (made, "close") if framing == "close" else made
