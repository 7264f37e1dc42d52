"""Three worlds: the person at the origin and in the registry; not at the origin, in the registry; in neither. One origin
whose world is switched, one gateway that knows the person and one that does not, four kinds of restricted recipient.

    #= 8USC1367 a(2)
    #= ICE10036.2 2.1
"""
import dataclasses
import json
import pathlib
import shutil
import time

import wire
from harness.gateway import ROOT, Gateway
from harness.origin import Origin, answer

# name of the certificate, purpose, public route
KINDS = {
    "police": ("state-police", None, False),
    "anonymous": (None, None, False),
    "conduit": ("leis", "adjudication", False),
    "officer on the public route": ("uscis-officer", "adjudication", True),
}
OFFICER = ("uscis-officer", "adjudication", False)

AT, ABSENT = "at the origin", "not at the origin"
WORLDS = ((AT, "knows"), (ABSENT, "knows"), (ABSENT, "knows nobody"))

NOT_FOUND = b'{"type":"about:blank","title":"Not Found","status":404}'
REFUSAL = b'{"type":"about:blank","title":"Bad Gateway","status":502}'
PREFIXES = ("/api", "/inspect", "/post")


def person(number, subject=None, *, receipt=None, ssn=None, passport=None, person_id=None, status="pending", **more):
    """A line of the registry's source."""
    identifiers = [("alien_number", number), ("receipt_number", receipt), ("ssn", ssn), ("passport", passport)]
    listed = [{"kind": k, "value": v} for k, v in identifiers if v]
    if person_id:
        listed.append({"kind": "person_id", "value": str(person_id), "system": "earm"})
    return {"subject": subject or f"S-{number}", "identifiers": listed, **more,
            "cases": [{"id": f"C-{number}", "benefit": "U", "role": "principal", "status": status}]}


def routes():
    """Each route, and its public twin."""
    out = []
    for public in ("", "/public"):
        common = {"upstream": "records", "profile": "worlds", **({"public": True} if public else {})}
        out += [{"path": f"{public}/api/", **common},
                {"path": f"{public}/inspect/", "unprofiled": "inspect", **common},
                {"path": f"{public}/post/", "restricted_methods": ["GET", "HEAD", "POST"], **common}]
    return out


def pack(documents):
    """The documents under each prefix. Their paths are given without one."""
    listed = [{**d, "path": public + prefix + d["path"]}
              for public in ("", "/public") for prefix in ("/api", "/post") for d in documents]
    return {"format": 1, "pack": "worlds", "version": "1", "profiles": [
        {"id": "worlds", "title": "Three worlds", "system": "earm", "documents": listed}]}


NEXT = {"path": "/next", "units": ["$.items[*]"]}
NEXT_BODY = b'{"items":[{"personId":1,"note":"what is asked next on the same connection"}]}'


@dataclasses.dataclass
class Reply:
    """What the origin says for a path in one world: after so many seconds raw bytes, and what it does after them."""
    raw: bytes
    action: str = None
    wait: float = 0


class Hinting(Origin):
    """An origin that has a word before it reads a request's body: hint(head) is what it sends."""

    def __init__(self, respond, hint):
        self.hint = hint
        super().__init__(respond)

    def _read(self, s, n, data):
        while b"\r\n\r\n" not in data:
            got = self._more(s, n)
            if not got:
                return None, b""
            data += got
        s.sendall(self.hint(data))
        return super()._read(s, n, data)


class Twins:
    """The switched origin and the two gateways."""

    def __init__(self, directory, documents, protected, others=(), timeout=None, profiles=(), **options):
        self.replies = {}  # path without prefix: {AT: Reply, ABSENT: Reply}
        self.world = AT
        self.hints = {AT: b"", ABSENT: b""}  # what is sent to a POST before its body is read
        self.origin = Hinting(self._respond, lambda head: self.hints[self.world] if head.startswith(b"POST") else b"")
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.pack = directory / "worlds.json"
        made = pack([*documents, NEXT])
        made["profiles"] += profiles
        self.pack.write_text(json.dumps(made, ensure_ascii=False))
        common = {"packs": [str(ROOT / "rules/section-1367.json"), str(self.pack)], "routes": routes(), **options}
        if timeout:
            upstream = {"servers": [self.origin.url], "timeout": {"connect": "2s", "response": timeout}}
            common["config"] = {**options.get("config", {}), "upstreams": {"records": upstream}}
        self.gateways = {}
        try:
            for name, listed in (("knows", [*protected, *others]), ("knows nobody", list(others))):
                place = directory / name.replace(" ", "-")
                if self.gateways:  # one key for all worlds: pseudonyms in answers are made of it
                    place.mkdir(parents=True)
                    shutil.copy(self.gateways["knows"].dir / "ledger.key", place)
                self.gateways[name] = Gateway(directory / name.replace(" ", "-"), self.origin.url, protected=listed,
                                              **common)
        except BaseException:
            self.close()
            raise
        self.answer_with("/next", answer(NEXT_BODY), answer(NEXT_BODY))

    def answer_with(self, path, at, absent):
        to_reply = lambda r: r if isinstance(r, Reply) else Reply(*r) if isinstance(r, tuple) else Reply(r)  # noqa: E731
        self.replies[path] = {AT: to_reply(at), ABSENT: to_reply(absent)}

    def _respond(self, request):
        path = request.path.removeprefix("/public")
        for prefix in PREFIXES:
            path = path.removeprefix(prefix)
        reply = self.replies.get(path, {}).get(self.world)
        if reply is None:
            return answer(b'{"error":"no such path"}', status=404)
        if reply.wait:
            time.sleep(reply.wait)
        return (reply.raw, reply.action) if reply.action else reply.raw

    def close(self):
        for gw in self.gateways.values():
            gw.__exit__(None, None, None)
        self.origin.close()

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()

    # ---- asking

    def seen_by(self, kind, world, data, **how):
        """The stream that this kind of recipient gets in this world."""
        self.world, gateway = world
        name, _, _ = KINDS.get(kind, OFFICER)
        return wire.talk(self.gateways[gateway].port, name, data, **how)

    def compare(self, kind, data, **how):
        """The three streams, which must be one. Returns the one."""
        first, *others = [self.seen_by(kind, w, data, **how) for w in WORLDS]
        for world, other in zip(WORLDS[1:], others):
            raw, against = wire.normalised(first.raw), wire.normalised(other.raw)
            assert raw == against, f"{kind}: {WORLDS[0]} and {world} differ {wire.minimal_difference(raw, against)}"
            assert first.ended == other.ended, f"{kind}: {world} ended {other.ended}, not {first.ended}"
            assert first.records == other.records, f"{kind}: {world}: records {other.records}, not {first.records}"
        return first

    def officer(self, data, **how):
        """What an entitled recipient gets where the person is."""
        return self.seen_by("officer", WORLDS[0], data, **how)


def request(kind, path, method="GET", *, prefix="/api", headers=(), body=None, close=False, version="1.1"):
    """A raw request of that kind of recipient."""
    _, purpose, public = KINDS.get(kind, OFFICER)
    lines = [f"{method} {'/public' if public else ''}{prefix}{path} HTTP/{version}", "Host: localhost"]
    if purpose:
        lines.append(f"Purpose-Of-Use: {purpose}")
    lines += [f"{k}: {v}" for k, v in headers]
    if body is not None and not any(k.lower() in ("content-length", "transfer-encoding") for k, _ in headers):
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def followed(kind, data):
    """The request, the next on that connection, and one more that asks to close: no answer has to be waited for."""
    return data + request(kind, "/next") + request(kind, "/next", close=True)
