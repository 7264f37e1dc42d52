"""A scripted origin on loopback: stores what it was sent, byte for byte, and answers as it is told."""
import json
import pathlib
import random
import socket
import ssl
import threading
import time

PIECES = None  # of every origin (fixtures.pieces)


def split(data, size, first=1024):
    """In pieces of that size; behind the first bytes in larger ones."""
    at = 0
    while at < len(data):
        n = size if at < first else max(size, 1021)
        yield data[at:at + n]
        at += n


def free_port():
    """For a program that takes no socket. None of those that the kernel hands out: such a one would be somebody else's before it listens."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.SystemRandom().randrange(10000, first) if first > 12000 else 0
        try:
            with socket.create_server(("127.0.0.1", port)) as s:
                return s.getsockname()[1]
        except OSError:
            pass


class Request:
    """One parsed request. `raw` is its head as it came."""

    def __init__(self, raw, method, target, headers, body):
        self.raw, self.method, self.target, self.headers, self.body = raw, method, target, headers, body
        self.path, _, self.query = target.partition("?")

    def header(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]


def answer(body=b"", status=200, content_type="application/json", headers=(), reason="X", framing="length"):
    """A whole response. framing: length, chunked (7-byte chunks), close, none."""
    if not isinstance(body, (bytes, bytearray)):
        body = json.dumps(body, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status} {reason}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{k}: {v}" for k, v in headers]
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        pieces = [body[i:i + 7] for i in range(0, len(body), 7)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
    elif framing == "close":
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Origin:
    """respond(request) returns bytes to send, or (bytes, action): action "close" ends the connection after them,
    "reset" breaks it, "hang" keeps it open without more. dribble: seconds between single bytes."""

    def __init__(self, respond=None, tls=None, dribble=None):
        self.respond = respond or (lambda r: answer(b"[]"))
        self.tls, self.dribble = tls, dribble
        self.requests, self.connections, self.raw = [], 0, []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.open = set()
        self.closing = False
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def _accept(self):
        while not self.closing:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.raw.append(bytearray())
                n = len(self.raw) - 1
            threading.Thread(target=self._serve, args=(s, n), daemon=True).start()

    def _serve(self, s, n):
        broken = False
        try:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            with self.lock:
                self.open.add(s)
            buffered = b""
            while True:
                request, buffered = self._read(s, n, buffered)
                if request is None:
                    return
                with self.lock:
                    self.requests.append(request)
                out = self.respond(request)
                out, action = out if isinstance(out, tuple) else (out, None)
                self._send(s, out)
                if action == "close":
                    return
                if action == "reset":
                    broken = True
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    return
                if action == "hang":
                    time.sleep(30)
                    return
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(s)
            try:
                if self.tls and hasattr(s, "unwrap") and not broken:
                    s.unwrap()
            except (OSError, ValueError):
                pass
            s.close()

    def _send(self, s, out):
        if not self.dribble:
            for piece in split(out, PIECES or len(out) or 1):
                s.sendall(piece)
            return
        for i in range(len(out)):
            s.sendall(out[i:i + 1])
            time.sleep(self.dribble)

    def _more(self, s, n):
        got = s.recv(65536)
        with self.lock:
            self.raw[n] += got
        return got

    def _read(self, s, n, data):
        while b"\r\n\r\n" not in data:
            got = self._more(s, n)
            if not got:
                return None, b""
            data += got
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = [(k, v.strip()) for k, _, v in (line.partition(":") for line in lines[1:])]
        low = {k.lower(): v for k, v in headers}
        body = b""
        if low.get("transfer-encoding", "").lower() == "chunked":
            while True:
                while b"\r\n" not in rest:
                    got = self._more(s, n)
                    if not got:
                        return None, b""
                    rest += got
                size, _, rest = rest.partition(b"\r\n")
                want = int(size, 16) + 2
                while len(rest) < want:
                    got = self._more(s, n)
                    if not got:
                        return None, b""
                    rest += got
                body, rest = body + rest[:want - 2], rest[want:]
                if want == 2:
                    break
        else:
            want = int(low.get("content-length", 0))
            while len(rest) < want:
                got = self._more(s, n)
                if not got:
                    return None, b""
                rest += got
            body, rest = rest[:want], rest[want:]
        return Request(head, method, target, headers, body), rest

    def close(self):
        self.closing = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # else a thread that waits in accept() waits on, and once interrupted by the number
        except OSError:                               # of a descriptor that is another origin's by then
            pass
        self.accepting.join(10)
        self.listener.close()
        with self.lock:
            for s in list(self.open):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()
