"""Origin, peers and gateway: each with one worker, TLS 1.3 with the same certificate, on a free port of loopback."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from harness import people, place

SECONDS_TO_START = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, name):
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{name} does not start")


def descendants(pid):
    """The process and all that it started, from /proc."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def cpu_of(pid):
    """Seconds (user, system) of one process, its finished threads included."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / tick, int(fields[12]) / tick


class Server:
    """A process with children; `cpu` and `memory` are sums over all of them."""
    name = ""
    process = None
    port = 0

    def spawn(self, args, cwd, wait=True):
        self.log = open(cwd / "stderr.log", "wb")
        self.process = subprocess.Popen([str(a) for a in args], cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        if wait:
            wait_port(self.port, self.process, self.name)
            time.sleep(0.1)
        self.pids = descendants(self.process.pid)

    def cpu(self):
        return sum(sum(cpu_of(p)) for p in self.pids)

    def cpu_by_process(self):
        return {p: cpu_of(p) for p in self.pids}

    @staticmethod
    def memory_of(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", text, re.M)) * 1024

    def memory(self):
        """Bytes of private memory."""
        return sum(self.memory_of(p) for p in self.pids)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for p in reversed(descendants(self.process.pid)):
                os.kill(p, signal.SIGKILL)
            self.process.wait()
        self.log.close()


NGINX = """
daemon off; master_process on; worker_processes 1; worker_rlimit_nofile 16384; user root;
pid {dir}/nginx.pid; error_log {dir}/error.log {level};
{modules}
events {{ worker_connections 8192; }}
http {{
  access_log off; default_type application/json; sendfile on; tcp_nopush off; tcp_nodelay on;
  keepalive_timeout 120; keepalive_requests 1000000000; server_tokens off;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  {http}
}}
"""
TLS = """
    listen 127.0.0.1:{port} ssl; server_name localhost;
    ssl_certificate {certs}/gateway.pem; ssl_certificate_key {certs}/gateway.key; ssl_protocols TLSv1.3;
    ssl_client_certificate {certs}/recipients-ca.pem; ssl_verify_client optional; ssl_buffer_size 16k;
    location = /none {{ default_type application/json; return 404 '{{"status":404}}'; }}
"""
# A whole document of 1.2 MB stays in memory: nginx's default would write it to a file first.
UPSTREAM = """
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;
  proxy_buffer_size 16k; proxy_buffers 96 16k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;
"""


class Nginx(Server):
    modules = ""
    level = "error"

    def __init__(self, origin, certs, directory):
        self.dir = directory / self.name.replace(" ", "")
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.origin = origin
        self.certs = certs
        text = NGINX.format(dir=self.dir, level=self.level, modules=self.modules, http=self.http())
        (self.dir / "nginx.conf").write_text(text)
        self.spawn(["nginx", "-p", self.dir, "-c", self.dir / "nginx.conf"], self.dir)

    def upstream(self):
        return UPSTREAM.format(origin=self.origin.port)

    def tls(self):
        return TLS.format(port=self.port, certs=self.certs)


class Origin(Nginx):
    name = "origin"

    def __init__(self, directory):
        self.documents = directory / "documents"
        people.write_documents(self.documents)
        super().__init__(None, None, directory)

    def http(self):
        return (f"open_file_cache max=1000 inactive=600s; server {{ listen 127.0.0.1:{self.port}; root {self.documents};"
                " location = /api/persons { try_files /$arg_format.json =404; } }")


class Plain(Nginx):
    name = "nginx plain"

    def http(self):
        return self.upstream() + f"server {{ {self.tls()} location / {{ proxy_pass http://origin; }} }}"


LUA = """
  lua_shared_dict unused 64k;
  init_by_lua_block {
    cjson = require "cjson"
    protected = {}
    for line in io.lines("NUMBERS") do protected[line] = true end
  }
"""
LUA_SERVER = """
    location /origin/ { internal; proxy_pass http://origin/; }
    location / { content_by_lua_block {
      local r = ngx.location.capture("/origin" .. ngx.var.uri, { args = ngx.var.args })
      if r.status ~= 200 then return ngx.exit(404) end
      local d = cjson.decode(r.body)
      local kept, n = {}, 0
      for _, p in ipairs(d.items) do
        if not protected[p.aNumber] then n = n + 1; kept[n] = p end
      end
      if n == 0 then kept = cjson.empty_array end
      d.items = kept; d.total = n
      local out = cjson.encode(d)
      ngx.header["Content-Type"] = "application/json"
      ngx.header["Content-Length"] = #out
      ngx.print(out)
    } }
"""


class Lua(Nginx):
    """Its table holds ten thousand numbers, those of the documents among them: kinder than the million that we hold."""
    name = "nginx + Lua"
    modules = ("load_module /usr/lib/nginx/modules/ndk_http_module.so;\n"
               "load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;")

    def http(self):
        shown = set()
        for path in self.origin.documents.iterdir():
            shown.update(re.findall(r'"aNumber":"(A\d{9})"', path.read_text()))
        numbers = people.protected_numbers()
        table = [n for n in numbers if n in shown] + numbers[:10_000]
        (self.dir / "numbers").write_text("\n".join(table[:10_000]) + "\n")
        return (self.upstream() + LUA.replace("NUMBERS", str(self.dir / "numbers"))
                + f"server {{ {self.tls()} {LUA_SERVER} }}")


MODSECURITY = r"""
SecRuleEngine On
SecRequestBodyAccess Off
SecResponseBodyAccess On
SecResponseBodyMimeType application/json
SecResponseBodyLimit 8388608
SecResponseBodyLimitAction Reject
SecAuditEngine Off
SecRule RESPONSE_BODY "@rx \x22coa\x22\s*:\s*\x22(?:384|DAS|T[1-6]|U[1-5])\x22" "id:1,phase:4,deny,status:404"
SecRule RESPONSE_BODY "@rx (?i)(?<![0-9A-Z])I-?(?:914|918)(?![0-9])" "id:2,phase:4,deny,status:404"
"""


class ModSecurity(Nginx):
    name = "nginx + ModSecurity"
    modules = "load_module /usr/lib/nginx/modules/ngx_http_modsecurity_module.so;"

    def http(self):
        (self.dir / "rules.conf").write_text(MODSECURITY)
        return (self.upstream() + f"server {{ {self.tls()} modsecurity on; modsecurity_rules_file {self.dir}/rules.conf;"
                " location / { proxy_pass http://origin; } }")


HAPROXY = """
global
  nbthread 1
  maxconn 8000
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout http-keep-alive 120s
  http-reuse always
frontend tls
  bind 127.0.0.1:{port} ssl crt {dir}/gateway.pem ca-file {certs}/recipients-ca.pem verify optional alpn http/1.1
  http-request return status 404 content-type application/json string "{{}}" if {{ path /none }}
  default_backend origin
backend origin
  server origin 127.0.0.1:{origin} pool-max-conn 64
"""


class HAProxy(Server):
    name = "HAProxy"

    def __init__(self, origin, certs, directory):
        self.dir = directory / self.name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        pem = self.dir / "gateway.pem"
        pem.touch(0o600)
        pem.write_text((certs / "gateway.pem").read_text() + (certs / "gateway.key").read_text())
        (self.dir / "haproxy.cfg").write_text(
            HAPROXY.format(port=self.port, dir=self.dir, certs=certs, origin=origin.port))
        self.spawn(["haproxy", "-db", "-f", self.dir / "haproxy.cfg"], self.dir)


RECIPIENTS = """{ "format": 1, "departmental_issuers": [{ "CN": "DHS CA4" }], "recipients": [
  { "id": "uscis-officer", "agency": "DHS", "component": "USCIS", "standing": "employee",
    "match": { "certificate": { "issuer": { "CN": "DHS CA4" }, "subject": { "OU": "USCIS" } } }, "purposes": ["adjudication"] },
  { "id": "state-police", "agency": "none", "standing": "none", "organization": "Springfield State Police",
    "match": { "certificate": { "subject": { "CN": "sp-client" } } } } ] }
"""
GATE = """{{ "format": 1,
  "listen": [{{ "address": "127.0.0.1:0", "tls": {{ "certificate": "{certs}/gateway.pem", "key": "{certs}/gateway.key",
    "client_ca": "{certs}/recipients-ca.pem", "client_certificate": "optional" }} }}],
  "admin": {{ "address": "127.0.0.1:0", "socket": "admin.sock" }}, "workers": 1,
  "upstreams": {{ "records": {{ "servers": ["http://127.0.0.1:{origin}"], "keepalive": 64 }} }},
  "routes": [{{ "path": "/api/", "upstream": "records", "profile": "persons-api" }}],
  "recipients": "recipients.json",
  "rules": ["{root}/rules/section-1367.json", "{root}/rules/examples/persons-api.json"],
  "registry": {{ "index": "{index}", "key": "{key}" }},
  "ledger": {{ "directory": "ledger", "key": "ledger.key", "origin": "gate1367.example/bench" }}, "pace": "0ms" }}
"""


class Gateway(Server):
    """Everything on: restricted recipients, a million persons, a durable ledger on the disk that holds the build."""
    name = "gate1367"

    def __init__(self, origin, certs, directory):
        self.dir = directory / self.name
        self.dir.mkdir(parents=True, exist_ok=True)
        index, key = people.registry()
        (self.dir / "recipients.json").write_text(RECIPIENTS)
        (self.dir / "gate.json").write_text(
            GATE.format(certs=certs, origin=origin.port, root=place.ROOT, index=index, key=key))
        self.configure()
        subprocess.run([place.need(place.GATE), "log", "init", "-c", "gate.json"], cwd=self.dir, check=True,
                       capture_output=True)
        self.spawn([place.GATE, "serve", "-c", "gate.json"], self.dir, wait=False)
        self.wait_ready()
        self.pids = descendants(self.process.pid)

    def configure(self):
        """For who measures something else: the directory stands, nothing runs yet."""

    def wait_ready(self):
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and self.process.poll() is None:
            text = (self.dir / "stderr.log").read_text()
            found = re.search(r"^ready: https://127\.0\.0\.1:(\d+)", text, re.M)
            if found:
                self.port = int(found.group(1))
                return
            time.sleep(0.02)
        raise RuntimeError("the gateway does not start:\n" + (self.dir / "stderr.log").read_text())

    def worker(self):
        """The process that does the work: the one with the connections."""
        sockets = {p: len([f for f in pathlib.Path(f"/proc/{p}/fd").iterdir()]) for p in self.pids}
        return max(sockets, key=sockets.get)
