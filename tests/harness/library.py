"""libgate1367 as a fast way to ask what would be delivered of a document: no gateway, no network."""
import ctypes as c

import pytest

from harness.gateway import BUILD, SANITIZED, run

LIBRARY = BUILD / "libgate1367.so"
DELIVER, NOT_FOUND, UNREADABLE = 0, 1, 2


class Pack(c.Structure):
    _fields_ = [("name", c.c_char_p), ("text", c.c_void_p), ("len", c.c_size_t)]


class Document(c.Structure):
    _fields_ = [("registry", c.c_void_p), ("profile", c.c_char_p), ("path", c.c_char_p), ("media_type", c.c_char_p),
                ("charset", c.c_char_p), ("content_encoding", c.c_char_p), ("entitled", c.c_int), ("inspect", c.c_int),
                ("depth", c.c_uint32), ("record", c.c_uint64), ("document", c.c_uint64)]


class Run(c.Structure):
    _fields_ = [("bytes", c.c_void_p), ("len", c.c_size_t)]


class Records(c.Structure):
    _fields_ = [("seen", c.c_uint64), ("protected", c.c_uint64), ("withheld", c.c_uint64), ("disclosed", c.c_uint64)]


class Inspector:
    """Packs (texts) and a registry (source lines), and an inspector of them."""

    def __init__(self, directory, packs, people):
        if SANITIZED:
            pytest.skip("the library is not built with sanitizers")
        self.lib = c.CDLL(str(LIBRARY))
        for name in ("rules_load", "registry_open", "inspector_new"):
            getattr(self.lib, "gate1367_" + name).restype = c.c_void_p
        self.lib.gate1367_counts.restype = Records
        (directory / "s.jsonl").write_text(people)
        built = run("registry", "build", "s.jsonl", "-o", "i.idx", "--key", "k", cwd=directory)
        assert built.returncode == 0, built.stderr
        self.texts = [p.encode() if isinstance(p, str) else p for p in packs]
        listed = (Pack * len(packs))(*[Pack(b"pack", c.cast(c.c_char_p(t), c.c_void_p), len(t)) for t in self.texts])
        problems = c.c_char_p()
        self.rules = self.lib.gate1367_rules_load(listed, c.c_size_t(len(packs)), c.byref(problems))
        assert self.rules, problems.value
        index = (directory / "i.idx").read_bytes()
        self.index = c.create_string_buffer(index, len(index))
        key = bytes.fromhex((directory / "k").read_text().strip())
        self.registry = self.lib.gate1367_registry_open(self.index, c.c_size_t(len(index)), key, None)
        self.inspector = c.c_void_p(self.lib.gate1367_inspector_new(c.c_void_p(self.rules)))
        assert self.registry and self.inspector

    def ask(self, profile, path, body, entitled=False, media="application/json", limits=(0, 0, 0)):
        """(verdict, what leaves, records). limits: depth, record, document; 0: the usual one."""
        d = Document(self.registry, profile.encode(), path.encode(), media.encode(), None, None, entitled, 0, *limits)
        assert self.lib.gate1367_open(self.inspector, c.byref(d)) == 1
        self.lib.gate1367_feed(self.inspector, body, c.c_size_t(len(body)))
        verdict = self.lib.gate1367_finish(self.inspector, 1)
        out, piece = b"", Run()
        while self.lib.gate1367_output(self.inspector, c.byref(piece)):
            out += c.string_at(piece.bytes, piece.len)
        records = self.lib.gate1367_counts(self.inspector)
        self.lib.gate1367_close(self.inspector)
        return verdict, out, records

    def close(self):
        self.lib.gate1367_inspector_free(self.inspector)
        self.lib.gate1367_registry_close(c.c_void_p(self.registry))
        self.lib.gate1367_rules_free(c.c_void_p(self.rules))

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()
