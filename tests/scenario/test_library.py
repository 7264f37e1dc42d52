# ctest: release
"""libgate1367 as another program uses it: the shared library, its header's structs, nothing else of us."""
import ctypes as c
import subprocess

import pytest

from harness.gateway import ROOT, run
from harness.library import LIBRARY, Document, Pack, Run

pytestmark = pytest.mark.whole("the library alone, nobody talks HTTP")


def load():
    lib = c.CDLL(str(LIBRARY))
    for name in ("gate1367_rules_load", "gate1367_registry_open", "gate1367_inspector_new"):
        getattr(lib, name).restype = c.c_void_p
    return lib


def inspect(lib, inspector, registry, body, entitled):
    d = Document(registry, b"persons-api", b"/api/persons", b"application/json", None, None, entitled, 0, 0, 0, 0)
    assert lib.gate1367_open(c.c_void_p(inspector), c.byref(d)) == 1
    for i in range(len(body)):
        lib.gate1367_feed(c.c_void_p(inspector), body[i:i + 1], c.c_size_t(1))
    verdict = lib.gate1367_finish(c.c_void_p(inspector), 1)
    out, piece = b"", Run()
    while lib.gate1367_output(c.c_void_p(inspector), c.byref(piece)):
        out += c.string_at(piece.bytes, piece.len)
    lib.gate1367_close(c.c_void_p(inspector))
    return verdict, out


def test_inspects_a_document(tmp_path):
    (tmp_path / "s.jsonl").write_text('{"subject":"S","cases":[{"status":"pending"}],"identifiers":'
                                      '[{"kind":"alien_number","value":"A012345678"}]}\n')
    assert run("registry", "build", "s.jsonl", "-o", "i.idx", "--key", "k", cwd=tmp_path).returncode == 0
    lib = load()
    texts = [(ROOT / p).read_bytes() for p in ("rules/section-1367.json", "rules/examples/persons-api.json")]
    packs = (Pack * 2)(*[Pack(b"pack", c.cast(c.c_char_p(t), c.c_void_p), len(t)) for t in texts])
    rules = lib.gate1367_rules_load(packs, c.c_size_t(2), None)
    index = (tmp_path / "i.idx").read_bytes()
    aligned = c.create_string_buffer(index, len(index))
    key = bytes.fromhex((tmp_path / "k").read_text().strip())
    registry = lib.gate1367_registry_open(aligned, c.c_size_t(len(index)), key, None)
    inspector = lib.gate1367_inspector_new(c.c_void_p(rules))
    assert rules and registry and inspector
    body = b'{"total": 2, "items": [{"aNumber": "A012345678"}, {"aNumber": "A111111111"}]}'
    assert inspect(lib, inspector, registry, body, 0) == (0, b'{"total": 1, "items": [{"aNumber": "A111111111"}]}')
    assert inspect(lib, inspector, registry, body, 1) == (0, body)
    lib.gate1367_inspector_free(c.c_void_p(inspector))
    lib.gate1367_registry_close(c.c_void_p(registry))
    lib.gate1367_rules_free(c.c_void_p(rules))


def test_exports_nothing_else():
    listed = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], text=True, capture_output=True, check=True).stdout
    names = [line.split()[-1] for line in listed.splitlines()]
    assert "gate1367_open" in names and all(n.startswith("gate1367_") for n in names)
