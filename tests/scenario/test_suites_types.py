"""Content types and codings of other projects' suites: what cannot be read does not reach a restricted recipient, and does
reach an entitled one byte for byte."""
import json

import pytest

import suites
from harness import gateway as g
from harness.client import OFFICER, POLICE, Client
from harness.origin import answer

pytestmark = pytest.mark.whole("hundreds of vectors of another suite, which are about types and values")

NUMBER = b"A012345678"
BODIES = [b'[{"aNumber":"A012345678"},{"n":1}]', b'{"aNumber":"A012345678"}', b'{"aNumber":"A012345678"}\n{"n":1}\n', b"aNumber\r\nA012345678\r\n"]


def answers_of(gw, origin, raw):
    origin.respond = lambda r: raw
    with Client(gw.port, POLICE) as c:
        restricted = c.get("/inspect/x")
    with Client(gw.port, OFFICER) as c:
        return restricted, c.get("/inspect/x")


def judge(gw, origin, fields, body):
    raw = b"HTTP/1.1 200 OK\r\n" + b"".join(f + b"\r\n" for f in fields) + b"Content-Length: %d\r\n\r\n" % len(body) + body
    restricted, entitled = answers_of(gw, origin, raw)
    assert NUMBER not in restricted.raw and restricted.complete, (fields, restricted.raw)
    assert restricted.status in (200, 404) and restricted.body in (b'[{"n":1}]', b'{"n":1}\n', restricted.body if restricted.status == 404 else b"")
    assert entitled.body == body or entitled.status == 502, (fields, entitled.raw)
    return restricted, entitled


def test_content_types(gateway, origin):
    if not (g.SUITES / "wpt-content-type").exists():
        pytest.skip("no suite")
    types = [[x["input"]] for x in json.loads((g.SUITES / "wpt-content-type/mime-types.json").read_text())]
    types += [x["input_header_values"] for x in json.loads((g.SUITES / "wpt-content-type/content-types.json").read_text())]
    for values in types + [["application/json"], ["application/json", "application/json"], ["application/json", "text/plain"], []]:
        fields = [b"Content-Type: " + v.encode("latin-1", "replace") for v in values]
        if any(b"\r" in f or b"\n" in f or b"\0" in f for f in fields):
            continue
        for body in BODIES:
            judge(gateway, origin, fields, body)


def test_charset_labels(gateway, origin):
    """The canonical body in each charset that a reader might be told of; only UTF-8 and ASCII are read."""
    path = g.SUITES / "wpt-content-type/encoding-labels.json"
    if not path.exists():
        pytest.skip("no suite")
    for name, labels in json.loads(path.read_text()).items():
        for label in labels:
            restricted, _ = judge(gateway, origin, [b"Content-Type: application/json; charset=" + label.encode()], BODIES[0])
            assert restricted.status == 404 or name in ("utf-8", "windows-1252"), label  # ASCII is a label of windows-1252
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037"):
        restricted, _ = judge(gateway, origin, [b"Content-Type: application/json"], BODIES[0].decode().encode(codec))
        assert restricted.status == 404 or codec == "utf-7"


def test_codings(gateway, origin):
    todo = [v for v in suites.vectors("coding-bodies") if len(v.bytes) < 2_000_000]
    for v in todo:
        coding = v.name.split("/")[1]
        raw = answer(v.bytes, headers=[("Content-Encoding", {"brotli": "br"}.get(coding, coding))])
        restricted, entitled = answers_of(gateway, origin, raw)
        assert restricted.status == 404 and restricted.header("Content-Type") == "application/problem+json", v.name
        assert entitled.body == v.bytes and entitled.complete, v.name
        assert v.bytes == b"" or entitled.header("Section-1367") == "uninspected", v.name
