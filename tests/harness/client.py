"""A raw TLS client that sees every byte, and how the connection ended."""
import re
import socket
import ssl
import time

from . import gateway as g

# name of the certificate, purpose; None: no certificate
OFFICER = ("uscis-officer", "adjudication")
ATTORNEY = ("doj-attorney", "litigation")
POLICE = ("state-police", None)
CONDUIT = ("leis", "adjudication")
ANONYMOUS = (None, None)
RESTRICTED = {"police": POLICE, "anonymous": ANONYMOUS, "conduit": CONDUIT}


class Response:
    def __init__(self, head, body, complete, raw):
        self.head, self.body, self.complete, self.raw = head, body, complete, raw
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = [(k, v.strip()) for k, _, v in (line.partition(":") for line in lines[1:])]

    def header(self, name):
        found = [v for k, v in self.headers if k.lower() == name.lower()]
        return found[0] if found else None

    @property
    def text(self):
        return self.body.decode()


def normalised(raw: bytes) -> bytes:
    """Without the two values that may differ between worlds."""
    raw = re.sub(rb"(?m)^Date: [^\r]*", b"Date: -", raw)
    return re.sub(rb"(?m)^Request-Id: [^\r]*", b"Request-Id: -", raw)


PIECES = None  # of every client, where a test names no size of its own (fixtures.pieces)


def split(data, size, first=4096):
    """In pieces of that size; behind the first bytes, which hold every head, in larger ones."""
    at = 0
    while at < len(data):
        n = size if at < first else max(size, 1021)
        yield data[at:at + n]
        at += n


class Client:
    def __init__(self, port, who=ANONYMOUS, *, pieces=None, session=None, context=None, version=None,
                 timeout=10, between=None):
        """between: done after the connection is made, before the handshake."""
        self.name, self.purpose = who
        self.pieces = pieces or PIECES  # send in pieces of so many bytes
        certs = g.certificates()
        self.context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not context:
            self.context.load_verify_locations(certs / "gateway-ca.pem")
            self.context.options &= ~0x80  # SSL_OP_IGNORE_UNEXPECTED_EOF: Python takes a connection cut off for one that ended
        if version:
            self.context.minimum_version = self.context.maximum_version = version
        if self.name and not context:  # a session is resumed with the context that it came from
            self.context.load_cert_chain(certs / f"{self.name}.pem", certs / f"{self.name}.key")
        plain = socket.create_connection(("127.0.0.1", port), timeout=timeout * g.PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if between:
            between()
        self.socket = self.context.wrap_socket(plain, server_hostname="localhost", session=session,
                                               suppress_ragged_eofs=False)
        self.buffered = b""
        self.ended = None  # None: open; "clean": close_notify; "cut": without; "reset"

    def send(self, data, pieces=None):
        size = pieces or self.pieces or len(data) or 1
        for piece in split(data, size):
            self.socket.sendall(piece)

    def receive(self):
        """More bytes into the buffer; False at the end."""
        if self.ended:
            return False
        try:
            got = self.socket.recv(65536)
        except ssl.SSLEOFError:
            self.ended = "cut"
            return False
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError) as e:
            self.ended = "cut" if "UNEXPECTED_EOF" in str(e) else "reset"
            return False
        if not got:
            self.ended = "clean"
            return False
        self.buffered += got
        return True

    def read_all(self, seconds=2):
        """Everything until the end or silence of so long."""
        self.socket.settimeout(seconds * g.PATIENCE)
        try:
            while self.receive():
                pass
        except (socket.timeout, TimeoutError):
            pass
        return self.buffered

    def response(self, head=False):
        """The next final response; complete False where the connection ended inside it. None: it ended before one."""
        while b"\r\n\r\n" not in self.buffered:
            if not self.receive():
                return None
        start, _, rest = self.buffered.partition(b"\r\n\r\n")
        status = int(start.split(b" ")[1])
        low = {k.strip().lower(): v.strip() for k, _, v in (x.partition(b":") for x in start.split(b"\r\n")[1:])}
        if 100 <= status < 200:
            self.buffered = rest
            return self.response(head)
        complete, body, used = True, b"", 0
        if head or status in (204, 304):
            pass
        elif low.get(b"transfer-encoding") == b"chunked":
            body, used, complete = self._chunks(len(start) + 4)
        elif b"content-length" in low:
            used = int(low[b"content-length"])
            while len(self.buffered) < len(start) + 4 + used and self.receive():
                pass
            body = self.buffered[len(start) + 4:len(start) + 4 + used]
            complete = len(body) == used
        else:
            while self.receive():
                pass
            body = self.buffered[len(start) + 4:]
            used, complete = len(body), self.ended == "clean"
        raw = self.buffered[:len(start) + 4 + used]
        self.buffered = self.buffered[len(raw):]
        return Response(start, body, complete, raw)

    def _chunks(self, at):
        body, first = b"", at
        while True:
            while b"\r\n" not in self.buffered[at:]:
                if not self.receive():
                    return body, len(self.buffered) - first, False
            line = self.buffered[at:].split(b"\r\n", 1)[0]
            size = int(line, 16)
            end = at + len(line) + 2 + size + 2
            while len(self.buffered) < end:
                if not self.receive():
                    return body, len(self.buffered) - first, False
            body += self.buffered[at + len(line) + 2:end - 2]
            at = end
            if size == 0:
                return body, at - first, True

    def request(self, path, method="GET", headers=(), body=None, version="HTTP/1.1", purpose=True, host="localhost"):
        lines = [f"{method} {path} {version}", f"Host: {host}"]
        if self.purpose and purpose:
            lines.append(f"Purpose-Of-Use: {self.purpose}")
        lines += [f"{k}: {v}" for k, v in headers]
        if body is not None and not any(k.lower() in ("content-length", "transfer-encoding") for k, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    def get(self, path, method="GET", **more):
        self.request(path, method, **more)
        return self.response(head=method == "HEAD")

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()


def fetch(port, path, who=ANONYMOUS, method="GET", **more):
    """One request on a connection of its own."""
    options = {k: more.pop(k) for k in ("pieces", "version_tls") if k in more}
    with Client(port, who, pieces=options.get("pieces"), version=options.get("version_tls")) as c:
        return c.get(path, method, **more)


def wait_until(condition, seconds=10, every=0.02):
    deadline = time.monotonic() + seconds * g.PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(every)
    return False
