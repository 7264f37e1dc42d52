"""A TLS client over memory: sees the whole plaintext of a connection, how it ended, and the sizes of the records that
carried it (anybody on the wire sees those too)."""
import dataclasses
import functools
import re
import socket
import ssl

from harness import gateway as g

APPLICATION_DATA = 23
SEALED = 17  # what TLS 1.3 adds to each record: its tag, and the kind of record


@dataclasses.dataclass
class Stream:
    raw: bytes      # everything that was decrypted
    records: list   # sizes of the records that carried application data, as on the wire
    ended: str      # "clean": close_notify; "cut": TCP ended without; "reset"; "open": silence
    sent_all: bool  # False: the peer was gone before everything was sent

    def seen(self):
        """What a recipient can tell, without the two values that differ by nature."""
        return normalised(self.raw), self.ended, self.records


def normalised(raw: bytes) -> bytes:
    raw = re.sub(rb"(?m)^Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r$", b"Date: -\r", raw)
    return re.sub(rb"(?m)^Request-Id: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\r$", b"Request-Id: -\r", raw)


@functools.lru_cache(maxsize=None)
def context(name, version=None):
    certs = g.certificates()
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.load_verify_locations(certs / "gateway-ca.pem")
    c.options &= ~0x80  # SSL_OP_IGNORE_UNEXPECTED_EOF: a connection that was cut off is not one that ended
    if version:
        c.minimum_version = c.maximum_version = version
    if name:
        c.load_cert_chain(certs / f"{name}.pem", certs / f"{name}.key")
    return c


class Wire:
    def __init__(self, port, name=None, version=None, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout * g.PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(name, version).wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.cipher = b""
        self.raw, self.ended = b"", None
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if not self._receive():
                    raise ConnectionError("the handshake was broken off")
        self._flush()
        self.handshake = len(self.cipher) - self.incoming.pending

    def _flush(self):
        data = self.outgoing.read()
        if data:
            self.socket.sendall(data)

    def _receive(self):
        got = self.socket.recv(262144)
        if not got:
            self.incoming.write_eof()
            return False
        self.cipher += got
        self.incoming.write(got)
        return True

    def send(self, data, pieces=None):
        """False: the peer no longer takes it."""
        size = pieces or len(data) or 1
        try:
            for i in range(0, len(data), size):
                self.tls.write(data[i:i + size])
                self._flush()
        except (OSError, ssl.SSLError):
            return False
        return True

    def _read(self):
        try:
            data = self.tls.read(262144)
        except ssl.SSLWantReadError:
            self._receive()
            return True
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as e:
            self.ended = "clean" if isinstance(e, ssl.SSLZeroReturnError) else "cut"
            return False
        except ssl.SSLError as e:
            self.ended = "cut" if "UNEXPECTED_EOF" in str(e) else "broken"
            return False
        if not data:
            self.ended = "clean"
            return False
        self.raw += data
        return True

    def read_to_end(self, silence=None):
        """Until the connection ends, or for so many seconds of silence."""
        if silence:
            self.socket.settimeout(silence * g.PATIENCE)
        try:
            while self._read():
                pass
        except ConnectionResetError:
            self.ended = "reset"
        except TimeoutError:
            if silence is None:
                raise
            self.ended = "open"
        return self

    def read_until(self, length):
        while len(self.raw) < length and self._read():
            pass
        return self

    def records(self):
        """Sizes of the records that carried what was decrypted, and of the closing alert. Those of TLS 1.3's session
        tickets before them are left out: a random number in a ticket has its own length."""
        at, sizes = self.handshake, []
        while at + 5 <= len(self.cipher):
            size = int.from_bytes(self.cipher[at + 3:at + 5], "big")
            if self.cipher[at] == APPLICATION_DATA:
                sizes.append(size)
            at += 5 + size
        if self.tls.version() != "TLSv1.3":
            return sizes
        carried, first = len(self.raw) + (2 if self.ended == "clean" else 0), len(sizes)
        while carried > 0 and first > 0:
            first -= 1
            carried -= sizes[first] - SEALED
        return sizes[first:] if carried == 0 else [*sizes, f"{carried} bytes short"]

    def close(self):
        self.socket.close()


def talk(port, name, data, *, pieces=None, version=None, silence=None, least=0):
    """One connection: sends data, reads to the end; silence counts once so much has come."""
    w = Wire(port, name, version)
    try:
        sent = w.send(data, pieces)
        w.read_until(least)
        w.read_to_end(silence)
        return Stream(w.raw, w.records(), w.ended, sent)
    finally:
        w.close()


def answers(raw: bytes, heads=()):
    """Splits a stream into (status, head, body); `heads`: ordinals of answers to HEAD. Raises ValueError on nonsense."""
    out = []
    while raw:
        head, found, rest = raw.partition(b"\r\n\r\n")
        if not found:
            raise ValueError(f"cut inside a head: {raw[:200]!r}")
        status = int(head.split(b" ")[1])
        length = re.search(rb"(?mi)^content-length: (\d+)\r?$", head)
        size = 0 if len(out) in heads else int(length.group(1)) if length else 0
        if re.search(rb"(?mi)^transfer-encoding: chunked", head) and len(out) not in heads:
            body = b""
            while True:
                line, _, rest = rest.partition(b"\r\n")
                n = int(line, 16)
                body, rest = body + rest[:n], rest[n + 2:]
                if n == 0:
                    break
        else:
            if len(rest) < size:
                raise ValueError("cut inside a body")
            body, rest = rest[:size], rest[size:]
        out.append((status, head, body))
        raw = rest
    return out


def minimal_difference(a: bytes, b: bytes, around=60):
    """Where two byte strings part, and where they meet again."""
    n = min(len(a), len(b))
    i = next((k for k in range(n) if a[k] != b[k]), n)
    j = 0
    while j < n - i and a[len(a) - 1 - j] == b[len(b) - 1 - j]:
        j += 1
    show = lambda s: s[max(0, i - around):len(s) - j + around]  # noqa: E731
    return f"at byte {i} of {len(a)} and {len(b)}:\n  {show(a)!r}\n  {show(b)!r}"
