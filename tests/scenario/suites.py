"""Runs the suites of other projects' messages through a whole gateway, and judges what came out at both ends.

A lane is a gateway with an origin of its own that plays one vector after the other, so that whatever its origin saw
belongs to one vector; several lanes run at once."""
import contextlib
import csv
import re
import threading
import time

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client
from harness.gateway import Gateway
from harness.origin import Origin, answer

LANES = 4
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
PROTECTED = "A012345678"


class Vector:
    def __init__(self, suite, row):
        self.name = f"{suite}/{row['file']}"
        self.path = g.SUITES / suite / row["file"]
        self.verdict, self.side = row["strict_verdict"], row.get("side", "body")
        self.flags = (row.get("lint_flags") or "").split()
        steps = sorted(self.path.parent.glob(self.path.name + ".step*")) + \
            sorted(self.path.parent.glob(self.path.name + ".seg*"))
        self.writes = [p.read_bytes() for p in steps] or [self.path.read_bytes()]
        self.bytes = b"".join(self.writes)


def vectors(suite, side=None):
    manifest = g.SUITES / suite / "manifest.tsv"
    if not manifest.exists():
        pytest.skip(f"no suite at {manifest.parent.name}")
    with open(manifest, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = [Vector(suite, row) for row in rows]
    return [v for v in found if side in (None, v.side)]


# ---- a reader of requests that takes nothing but the one strict form ---------------------------------------------------

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[\x21-\x7e]*|\*) HTTP/1\.1\Z")
VALUE = re.compile(rb"[\x20-\x7e\t\x80-\xff]*\Z")


class NotStrict(Exception):
    pass


def strict_head(head):
    lines = head.split(b"\r\n")
    first = LINE.match(lines[0])
    if not first or any(c in head.replace(b"\r\n", b"") for c in b"\r\n\0"):
        raise NotStrict(lines[0])
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name) or b"_" in name or not VALUE.match(value):
            raise NotStrict(line)
        fields.setdefault(name.lower(), []).append(value.strip(b" \t"))
    framed = fields.get(b"content-length", []) + fields.get(b"transfer-encoding", [])
    if len(framed) > 1 or len(fields.get(b"host", [])) > 1:
        raise NotStrict(head)
    return first.group(1), first.group(2), fields


def strict_chunks(data):
    """(body, rest) or None where it is not all there."""
    body = b""
    while True:
        line, found, rest = data.partition(b"\r\n")
        if not found:
            return None
        if not re.match(rb"[0-9A-Fa-f]{1,16}\Z", line):
            raise NotStrict(line)
        size = int(line, 16)
        if len(rest) < size + 2:
            return None
        if rest[size:size + 2] != b"\r\n":
            raise NotStrict(rest[size:size + 2])  # trailers too: the gateway sends none
        if size == 0:
            return body, rest[2:]
        body, data = body + rest[:size], rest[size + 2:]


def strict_requests(data):
    """Complete requests of a connection: [(method, target, body)]; an incomplete one at the end counts as none."""
    seen = []
    while data:
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            return seen
        method, target, fields = strict_head(head)
        body = b""
        if b"transfer-encoding" in fields:
            if fields[b"transfer-encoding"] != [b"chunked"]:
                raise NotStrict(head)
            got = strict_chunks(rest)
            if got is None:
                return seen
            body, rest = got
        elif b"content-length" in fields:
            text = fields[b"content-length"][0]
            if not re.match(rb"[0-9]+\Z", text):
                raise NotStrict(text)
            if len(rest) < int(text):
                return seen
            body, rest = rest[:int(text)], rest[int(text):]
        seen.append((method, target, body))
        data = rest
    return seen


# ---- what a vector asks for, by a plain reading of it (used only where its verdict calls it good) ----------------------

def asked_for(data):
    wanted = []
    while data.strip(b"\r\n"):
        if wanted and data.startswith(b"\r\n"):
            data = data[2:]
        head, found, rest = data.partition(b"\r\n\r\n")
        if not found:
            break
        lines = head.split(b"\r\n")
        method, target, _ = lines[0].split(b" ", 2)
        low = [(k.strip().lower(), v.strip(b" \t")) for k, _, v in (x.partition(b":") for x in lines[1:])]
        low = dict(low)
        body = b""
        if low.get(b"transfer-encoding", b"").lower() == b"chunked":
            while True:
                line, found, rest = rest.partition(b"\r\n")
                if not found:
                    return wanted
                size = int(line.split(b";")[0].strip(), 16)
                if size == 0:
                    break
                if len(rest) < size + 2:
                    return wanted
                body, rest = body + rest[:size], rest[size + 2:]
            while True:  # trailers
                line, found, rest = rest.partition(b"\r\n")
                if not line or not found:
                    break
        elif b"content-length" in low:
            size = int(low[b"content-length"])
            if len(rest) < size:
                return wanted
            body, rest = rest[:size], rest[size:]
        target = re.sub(rb"\Ahttps?://[^/?]*", b"", target, flags=re.I) or b"/"
        if target.startswith(b"?"):
            target = b"/" + target
        wanted.append((b"GET" if method == b"HEAD" else method, target, body))
        data = rest
    return wanted


# ---- lanes ------------------------------------------------------------------------------------------------------------

class Lane:
    def __init__(self, directory, body, response="2s", **options):
        self.origin = Origin(lambda r: answer(body))
        upstreams = {"records": {"servers": [self.origin.url], "timeout": {"connect": "2s", "response": response}}}
        self.gateway = Gateway(directory, self.origin.url, protected=[PROTECTED], config={"upstreams": upstreams}, routes=[
            {"path": "/", "upstream": "records", "unprofiled": "inspect", "restricted_methods": METHODS}], **options)
        self.workers = self.gateway.children("worker")
        self.problems = []

    def close(self):
        self.origin.close()
        self.gateway.__exit__(None, None, None)


@contextlib.contextmanager
def lanes(directory, body, **options):
    made = [None] * LANES
    def make(i):
        made[i] = Lane(directory / f"lane{i}", body, **options)
    threads = [threading.Thread(target=make, args=(i,)) for i in range(LANES)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert all(made), "a lane's gateway did not start"
    try:
        yield made
    finally:
        for lane in made:
            lane.close()


def play(made, todo, one):
    """one(lane, item) returns what is wrong, or None; each lane takes the next item when it is free."""
    todo, lock, problems = list(todo)[::-1], threading.Lock(), []

    def work(lane):
        while True:
            with lock:
                if not todo:
                    return
                item = todo.pop()
            try:
                wrong = one(lane, item)
            except Exception as e:  # a lane must not end in silence
                wrong = f"{type(e).__name__}: {e}"
            if wrong:
                with lock:
                    problems.append(f"{getattr(item, 'name', item)}: {wrong}")

    threads = [threading.Thread(target=work, args=(lane,)) for lane in made]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sorted(problems)


# ---- requests ---------------------------------------------------------------------------------------------------------

def writes_of(data, way):
    if way == "whole":
        return data
    if way == "bytes":
        return [x[i:i + 1] for x in data for i in range(len(x))]
    return [p for x in data for p in re.split(rb"(?<=\r\n)", x) if p]


def with_purpose(writes):
    first, end, rest = writes[0].partition(b"\r\n")
    return [first + end + b"Purpose-Of-Use: adjudication\r\n" + rest] + writes[1:]


def silence(v):
    """For how long nothing may come before all that comes has come. Where an answer or the end must come, it ends the waiting itself."""
    if v.verdict in ("FORWARD", "FIRST-ONLY") or (v.verdict == "REJECT" and not any(f.startswith("incomplete-") for f in v.flags)):
        return 10
    return 0.4 if v.verdict == "INCOMPLETE" else 1.0


def send_request(lane, v, way):
    """(statuses of whole answers, how it ended)"""
    wanted = asked_for(v.bytes) if v.verdict == "FORWARD" else []
    unknown = any(m.decode() not in METHODS for m, _, _ in wanted)
    who = OFFICER if unknown else POLICE
    with Client(lane.gateway.port, who) as c:
        writes = writes_of(with_purpose(v.writes) if unknown else v.writes, way)
        try:
            for i, data in enumerate(writes):
                if i > 0 and len(v.writes) > 1 and way == "whole":
                    time.sleep(0.3)
                c.send(data)
        except OSError:
            pass  # it may answer and close before it has heard everything
        heads = [b"HEAD" in x for x in v.bytes.split(b"\r\n") if b" HTTP/" in x]
        statuses, bodies = [], []
        c.socket.settimeout(silence(v) * g.PATIENCE)
        try:
            while True:
                head = heads[len(statuses)] if len(statuses) < len(heads) else False
                if wanted and len(statuses) == len(wanted):
                    break
                r = c.response(head=head)
                if r is None:
                    break
                statuses.append(r.status)
                bodies.append(r.body)
        except (TimeoutError, OSError):
            pass
        return wanted, statuses, bodies, c.ended, c.buffered


def judge_request(v, wanted, statuses, ended, seen):
    good = [s for s in statuses if s < 400]
    if v.verdict == "FORWARD":
        if seen != wanted:
            return f"forwarded {seen}, asked for {wanted}; answers {statuses}"
        return None if statuses == [200] * len(wanted) else f"answers {statuses} for {len(wanted)} requests"
    if v.verdict == "REJECT":
        if seen or good:
            return f"forwarded {seen}, answered {statuses}"
        waits = any(f.startswith("incomplete-") for f in v.flags)  # what is wrong may still be to come
        return None if (statuses and ended) or waits else f"not refused: answers {statuses}, {ended}"
    if v.verdict == "INCOMPLETE":
        return f"forwarded {seen}, answered {statuses}" if seen or good else None
    if v.verdict == "FIRST-ONLY":
        if len(seen) > 1 or len(good) > 1:
            return f"forwarded {seen}, answered {statuses}"
        return None if ended else f"still open after {statuses}"
    if v.verdict == "EITHER":
        return None if len(good) == len(seen) else f"forwarded {seen}, answered {statuses}"
    return f"a verdict nobody knows: {v.verdict}"


def run_request(lane, v, way):
    before = len(lane.origin.requests)
    wanted, statuses, bodies, ended, rest = send_request(lane, v, way)
    seen = [(r.method.encode(), r.target.encode("latin-1"), r.body) for r in lane.origin.requests[before:]]
    wrong = judge_request(v, wanted, statuses, ended, seen)
    if rest:
        wrong = f"bytes behind the last answer: {rest[:80]!r}"
    with Client(lane.gateway.port, POLICE) as c:
        r = c.get("/")
        if r is None or r.status != 200 or r.body != b"[]":
            wrong = f"the good request after it failed: {r and r.raw}"
    return wrong


def check_invariants(lane):
    """What holds whatever a verdict says."""
    assert lane.gateway.children("worker") == lane.workers, "a worker died"
    strict = sum(len(strict_requests(bytes(raw))) for raw in lane.origin.raw)
    assert strict == len(lane.origin.requests), "the origin's reader and the strict one disagree"
    assert lane.gateway.stop() == 0
    recorded = [e for e in lane.gateway.entries()
                if e["event"] in ("disclosure", "refusal") and e["upstream_status"] is not None]
    assert len(recorded) == strict, f"{strict} requests at the origin, {len(recorded)} in the ledger"


def run_requests(directory, suite, way):
    todo = vectors(suite, "request")
    if g.SANITIZED:  # each vector once, in one of the three ways: the others are the same code in the same states
        todo = todo[["whole", "bytes", "crlf"].index(way)::3]
    # A restricted recipient is never shown the protected number; an entitled one's answers are recorded because of it.
    with lanes(directory, f'["{PROTECTED}"]'.encode()) as made:
        problems = play(made, todo, lambda lane, v: run_request(lane, v, way))
        assert not problems, f"{len(problems)} of {len(todo)}:\n" + "\n".join(problems)
        for lane in made:
            check_invariants(lane)


# ---- responses --------------------------------------------------------------------------------------------------------

def delivered_by(data):
    """(status, body, framing) of a good vector's final response, by a plain reading; None where it has none."""
    while True:
        head, found, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if not found:
            return None
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        if status >= 200 or status == 101:
            break
        data = rest
    low = dict((k.strip().lower(), v.strip(b" \t")) for k, _, v in (x.partition(b":") for x in lines[1:]))
    if status in (204, 304):
        return status, b"", "none"
    if low.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = b""
        while True:
            line, _, rest = rest.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            if size == 0:
                return status, body, "chunked"
            body, rest = body + rest[:size], rest[size + 2:]
    if b"content-length" in low:
        return status, rest[:int(low[b"content-length"])], "length"
    return status, rest, "close"


def ask(lane, who, method):
    with Client(lane.gateway.port, who) as c:
        try:
            r = c.get("/x", method)
            c.read_all(0.05 if r is not None and r.complete else 0.5)
        except (TimeoutError, OSError, ValueError, IndexError) as e:
            return None, f"broken: {type(e).__name__}", b""
        return r, c.ended, c.buffered


def judge_response(v, way, method, r, ended, rest):
    if rest:
        return f"bytes behind the answer: {rest[:60]!r}"
    if r is None and (ended is None or ended.startswith("broken")):
        return f"no answer within the limits ({ended})"
    refused = r is None and ended or r is not None and r.status == 502
    broken = refused or r is not None and not r.complete
    if v.verdict == "PASS" or v.verdict == "FIRST-ONLY" and not refused:
        status, body, framing = delivered_by(v.bytes)
        if framing == "close" and way == "open":
            return None if broken or method == "HEAD" and r.status == status else "an answer without an end was ended"
        if r is None:
            return f"not delivered ({ended})"
        wanted = b"" if method == "HEAD" else body
        same = r.status == status and r.body == wanted and r.complete
        return None if same else f"delivered {r.status} {r.body[:60]!r} {r.complete}, the origin said {status} {wanted[:60]!r}"
    if v.verdict == "WITHHOLD":
        # What breaks inside a chunked body cannot be withheld from a reader of a stream: it breaks off, for all to see.
        late = any("chunk" in f or "trailer" in f for f in v.flags)
        if refused or late and (broken or method == "HEAD"):
            return None
        return f"delivered {r and r.raw[:200]} ({ended})"
    if v.verdict == "ABORT":
        return None if broken or method == "HEAD" else f"ended cleanly: {r.raw[:200]}"
    return None if v.verdict in ("EITHER", "FIRST-ONLY") else f"a verdict nobody knows: {v.verdict}"


def run_response(lane, v, way):
    action = "close" if way != "open" else None

    def respond(request):
        if request.target == "/x":
            return (v.bytes, action) if action else v.bytes
        return answer(f'["{PROTECTED}"]'.encode())

    lane.origin.respond = respond
    lane.origin.dribble = 0.0002 if way == "dribble" else None
    wrong = []
    for method in ("GET", "HEAD"):
        w = judge_response(v, way, method, *ask(lane, OFFICER, method))
        if w:
            wrong.append(f"{method}: {w}")
    r, ended, rest = ask(lane, POLICE, "GET")
    # None of these bodies is a document that a restricted recipient could be given.
    if r is None or rest or r.status not in (404, 502) or not r.body.startswith(b'{"type":"about:blank"') or not r.complete:
        wrong.append(f"restricted: {r and r.raw} {ended} {rest}")
    lane.origin.dribble = None
    with Client(lane.gateway.port, OFFICER) as c:
        r = c.get("/")
        if r is None or r.status != 200 or r.text != f'["{PROTECTED}"]':
            wrong.append(f"the good request after it failed: {r and r.raw}")
    return "; ".join(wrong)


def run_responses(directory, suite, way):
    todo = vectors(suite, "response")
    with lanes(directory, b"[]", response="600ms" if way == "open" else "5s") as made:
        problems = play(made, todo, lambda lane, v: run_response(lane, v, way))
        assert not problems, f"{len(problems)} of {len(todo)}:\n" + "\n".join(problems)
        for lane in made:
            assert lane.gateway.children("worker") == lane.workers, "a worker died"
            assert lane.gateway.stop() == 0
