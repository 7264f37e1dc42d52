"""Whether a value shows up in bytes that left, in any of the forms in which a reader could recognise it."""
import base64
import re


def base64_forms(value: bytes, encode):
    """The characters that only the value decides, at each of the three alignments."""
    forms = []
    for shift in range(3):
        text = encode(b"\0" * shift + value + b"\0\0").decode()
        first = -(-shift * 8 // 6)
        last = (shift + len(value)) * 8 // 6
        forms.append(text[first:last].encode())
    return forms


def forms(value: str):
    """{form: bytes}. Escapes are taken as whole as they can be: every character escaped."""
    raw = value.encode()
    out = {"plain": raw, "lower": value.lower().encode(), "upper": value.upper().encode()}
    for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for i, text in enumerate(base64_forms(raw, encode)):
            out[f"{name} at {i}"] = text
            for k, twice in enumerate(base64_forms(text, base64.b64encode)):
                out[f"{name} at {i} twice at {k}"] = twice
    out["hex"] = raw.hex().encode()
    out["HEX"] = raw.hex().upper().encode()
    out["percent"] = b"".join(b"%%%02x" % c for c in raw)
    out["PERCENT"] = b"".join(b"%%%02X" % c for c in raw)
    out["percent twice"] = b"".join(b"%%25%02x" % c for c in raw)
    out["json"] = b"".join(b"\\u%04x" % ord(c) for c in value)
    out["JSON"] = b"".join(b"\\u%04X" % ord(c) for c in value)
    out["decimal entity"] = b"".join(b"&#%d;" % ord(c) for c in value)
    out["hex entity"] = b"".join(b"&#x%x;" % ord(c) for c in value)
    out["HEX entity"] = b"".join(b"&#x%X;" % ord(c) for c in value)
    out["utf-16"] = value.encode("utf-16-le")
    out["reversed"] = raw[::-1]
    return out


def is_chance(data: bytes, at: int, form: bytes, name: str):
    """Eight digits stand by chance in one of some thousand nonces and pseudonyms: 32 hexadecimal digits in quotation marks, no
    more and no fewer. What somebody hides there as hexadecimal has another form, which is looked for as everywhere."""
    around = re.search(rb'"([0-9a-f]{32})"', data[max(0, at - 33):at + len(form) + 33])
    return len(form) <= 10 and form.isdigit() and "hex" not in name.lower() and around is not None and form in around.group(1)


class Canaries:
    """Looks for all forms of all values at once: by their first bytes, which few other places have."""

    FIRST = 8

    def __init__(self, values):
        self.by_first = {}
        for value in values:
            assert len(value) >= self.FIRST, "too short to be nobody else's"
            for name, form in forms(value).items():
                self.by_first.setdefault(form[:self.FIRST], {})[form] = f"{value} ({name})"

    def found(self, data: bytes):
        """What of them stands in data: a list of descriptions, with the place."""
        data = re.sub(rb"\0{64,}", b"\0", data)  # segments made ahead are zeros
        out, by_first, n = [], self.by_first, self.FIRST
        for at in range(len(data) - n + 1):
            if data[at:at + n] in by_first:
                out += [f"{name} at {at}: …{data[max(0, at - 30):at + len(form) + 30]!r}…"
                        for form, name in by_first[data[at:at + n]].items()
                        if data.startswith(form, at) and not is_chance(data, at, form, name)]
        return out

    def assert_none(self, data: bytes, where: str):
        found = self.found(data)
        assert not found, f"{len(found)} in {where}: {found[:5]}"
