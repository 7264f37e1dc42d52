"""The watchman is watched: the canaries are found in every form, and not where they are not."""
import base64
import html
import json
import random
import urllib.parse

import pytest

from canary import Canaries

VALUE = "A917345628"
WATCH = Canaries([VALUE, "EAC2190517346"])

PLACES = {
    "plain": lambda v: f"x{v}y", "in JSON": lambda v: json.dumps({"a": v}), "lower": lambda v: v.lower(),
    "hex": lambda v: v.encode().hex(), "hex in capitals": lambda v: "q" + v.encode().hex().upper(),
    "percent": lambda v: "".join(f"%{ord(c):02x}" for c in v),
    "percent twice": lambda v: urllib.parse.quote("".join(f"%{ord(c):02x}" for c in v)),
    "JSON escapes": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "entities": lambda v: "".join(f"&#{ord(c)};" for c in v), "hex entities": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "UTF-16": lambda v: v.encode("utf-16-le").decode("latin-1"), "reversed": lambda v: v[::-1],
    **{f"base64 behind {n}": lambda v, n=n: base64.b64encode(b"z" * n + v.encode() + b"tail").decode() for n in range(7)},
    **{f"base64 for addresses behind {n}": lambda v, n=n: base64.urlsafe_b64encode(b"\xff" * n + v.encode()).decode()
       for n in range(4)},
    **{f"base64 twice behind {n}": lambda v, n=n: base64.b64encode(base64.b64encode(b"z" * n + v.encode() + b"tail")).decode()
       for n in range(7)},
}


@pytest.mark.parametrize("place", PLACES)
def test_found(place):
    for value in (VALUE, "EAC2190517346"):
        assert any(value in f for f in WATCH.found(PLACES[place](value).encode("latin-1"))), place


def test_not_found_where_it_is_not():
    rng = random.Random(1)
    assert WATCH.found(rng.randbytes(300000)) == []
    assert WATCH.found(b"\0" * 1000 + html.escape("A917345629 EAC2190517347 <nobody>").encode() + b"\0" * 1000) == []
    with pytest.raises(AssertionError):
        WATCH.assert_none(VALUE.encode(), "here")
