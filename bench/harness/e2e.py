"""The whole gateway beside its peers, on the same work in one run."""
import resource
import select
import shutil
import statistics
import subprocess
import time

from harness import load, micro, people, place, servers

PEERS = [servers.Plain, servers.HAProxy, servers.Lua, servers.ModSecurity]
LABEL = {1: "1 KB", 4: "4 KB", 60: "60 KB", 1200: "1.2 MB"}


class World:
    """Origin, gateway and peers, stopped whatever happens."""

    def __init__(self, peers):
        self.dir = place.WORK / "e2e"
        shutil.rmtree(self.dir, ignore_errors=True)
        self.dir.mkdir(parents=True)
        self.certs = self.dir / "certs"
        self.running = []
        self.kinds = peers

    def __enter__(self):
        load.build()
        subprocess.run(["sh", place.ROOT / "certs/make-test-certs.sh", self.certs], check=True, capture_output=True)
        try:
            self.origin = self.keep(servers.Origin(self.dir))
            self.gate = self.keep(servers.Gateway(self.origin, self.certs, self.dir))
            self.peers = [self.keep(kind(self.origin, self.certs, self.dir)) for kind in self.kinds]
        except BaseException:
            self.__exit__()
            raise
        return self

    def keep(self, server):
        self.running.append(server)
        return server

    def __exit__(self, *_):
        for server in reversed(self.running):
            server.stop()
        shutil.rmtree(self.dir / "gate1367/ledger", ignore_errors=True)

    def ask(self, server, size, seconds, **more):
        options = {"path": f"/api/persons?format=p{size}-%u", "paths": people.SIZES[size], "connections": 16}
        return load.run(server, self.certs, seconds=seconds, **{**options, **more})


def median(results, key):
    return statistics.median(r[key] for r in results)


def ratio(of, name, peer, key="cpu_us"):
    """The median over the rounds of each round's own ratio to the peer: what the machine did meanwhile hit both."""
    return statistics.median(a[key] / b[key] for a, b in zip(of[name], of[peer]))


OFFICER = {"who": "uscis-officer", "header": "Purpose-Of-Use: adjudication"}


def end(process):
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def measure_requests(world, seconds, rounds):
    """figures[size][name]: results of each round, the contestants taking turns."""
    contestants = [("restricted", world.gate, {}), ("entitled", world.gate, OFFICER)]
    contestants += [(p.name, p, {}) for p in world.peers]
    figures = {size: {name: [] for name, _, _ in contestants} for size in people.SIZES}
    for size in people.SIZES:
        for n in range(rounds):
            for name, server, more in contestants if n % 2 == 0 else reversed(contestants):
                figures[size][name].append(world.ask(server, size, seconds, **more))
    return figures


def show_requests(report, figures):
    names = list(next(iter(figures.values())))
    titles = {"restricted": "gate1367, restricted", "entitled": "gate1367, entitled"}
    rows = []
    for size, of in figures.items():
        for name in names:
            cpu = median(of[name], "cpu_us")
            per_second = statistics.median(r["requests"] / r["seconds"] for r in of[name])
            body = of[name][0]["body_bytes"] / of[name][0]["requests"]
            rows.append([LABEL[size], titles.get(name, name), f"{cpu:.0f}", f"{ratio(of, name, 'nginx plain'):.2f}",
                         f"{ratio(of, 'nginx + Lua', name):.2f}",
                         f"{per_second:.0f}", f"{body:.0f}", f"{median(of[name], 'p99_us') / 1000:.1f}"])
    report.say("## CPU a request and requests a second, 16 connections kept alive", "")
    report.table(["document", "proxy", "CPU µs a request", "÷ nginx plain", "nginx + Lua ÷", "requests/s",
                  "body bytes sent", "p99 ms"], rows)


def measure_handshakes(world, seconds, rounds):
    contestants = [world.gate] + [p for p in world.peers if p.name in ("nginx plain", "HAProxy")]
    figures = {c.name: [] for c in contestants}
    for n in range(rounds):
        for c in contestants if n % 2 == 0 else reversed(contestants):
            figures[c.name].append(load.run(c, world.certs, seconds=seconds, handshakes=True, connections=16))
    return figures


def show_handshakes(report, figures):
    report.say("## Full TLS 1.3 handshakes with a client certificate, each with one request that no route has", "")
    for of in figures.values():
        for r in of:
            r["rate"] = r["requests"] / r["seconds"]
    report.table(["proxy", "handshakes/s", "÷ nginx plain", "CPU µs a handshake", "÷ nginx plain"],
                 [[name, f"{median(of, 'rate'):.0f}", f"{ratio(figures, name, 'nginx plain', 'rate'):.2f}", f"{median(of, 'cpu_us'):.0f}",
                   f"{ratio(figures, name, 'nginx plain'):.2f}"] for name, of in figures.items()])
    return ratio(figures, "gate1367", "nginx plain", "rate")


def measure_latency(world, figures, seconds, rounds):
    """At half of what the gateway can do, nginx at the same rate beside it; what the gateway adds is the difference."""
    plain = world.peers[0]
    rows, added = [], {}
    for size in (4, 60):
        most = statistics.median(r["requests"] / r["seconds"] for r in figures[size]["restricted"])
        rate = max(int(most / 2), 16)
        of = {world.gate.name: [], plain.name: []}
        for n in range(rounds):
            for c in (world.gate, plain) if n % 2 == 0 else (plain, world.gate):
                of[c.name].append(world.ask(c, size, seconds, rate=rate))
        for name, results in of.items():
            rows.append([LABEL[size], name, rate] + [f"{median(results, k) / 1000:.2f}"
                                                     for k in ("p50_us", "p90_us", "p99_us", "p999_us")])
        added[size] = [statistics.median(a[k] - b[k] for a, b in zip(of[world.gate.name], of[plain.name])) / 1000
                       for k in ("p50_us", "p99_us")] + [median(of[plain.name], "p99_us") / 1000]
    return rows, added


SECONDS_TO_CONNECT = 180


def measure_idle(world, most):
    """nginx and HAProxy are not told here to hold more than a few thousand."""
    rows = []
    for c, count in [(world.gate, most)] + [(p, min(most, 3000)) for p in world.peers[:2]]:
        before = c.memory()
        holder = subprocess.Popen(load.arguments(c, world.certs, connections=count, idle=True),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            ready, _, _ = select.select([holder.stdout], [], [], SECONDS_TO_CONNECT)
            if not ready or holder.stdout.readline().strip() != "idle":
                raise RuntimeError(f"{c.name}: {count} connections could not be made")
            time.sleep(0.5)
            each = (c.memory() - before) / count
        finally:
            holder.stdin.close()
            end(holder)
        rows.append([c.name, count, f"{each / 1024:.1f}"])
    return rows


def most_idle():
    """The gateway keeps two descriptors for a connection: its own, and one to an origin."""
    return min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 500)


def latency_bar(added, size):
    """Where nginx alone is over the bar, the machine was measured and not the gateway."""
    name, (_, p99, floor) = f"latency added, p99 ms at half load, {LABEL[size]}", added[size]
    if floor > 3:
        return f"{name} (machine too busy: nginx alone {floor:.1f})", None, 3, 1, True
    return name, p99, 3, 1, True


def show_bars(report, figures, handshakes, added, idle_kib):
    def cpu(size, a, b):
        return ratio(figures[size], a, b)
    bars = [(f"CPU a request ÷ nginx plain, {LABEL[s]}", cpu(s, "restricted", "nginx plain"), first, goal, True)
            for s, first, goal in ((4, 1.6, 1.0), (60, 1.9, 1.2), (1200, 2.0, 1.3))]
    bars[:0] = [(f"CPU a request ÷ nginx plain, {LABEL[1]} (that of 4 KB)", cpu(1, "restricted", "nginx plain"), 1.6, 1.0, True)]
    bars += [(f"CPU a request, nginx + Lua ÷ ours, {LABEL[s]}", cpu(s, "nginx + Lua", "restricted"), 3, 8, False)
             for s in (60, 1200)]
    bars += [("full TLS handshakes/s ÷ nginx", handshakes, 0.9, 1.0, False),
             latency_bar(added, 4), latency_bar(added, 60),
             ("memory an idle TLS connection, KiB", idle_kib, 40, 20, True)]
    micro.bars(report, bars)


def run(quick):
    seconds, rounds = (0.5, 3) if quick else (1.5, 5)
    report = place.Report("e2e", ("nginx", "haproxy", "libnginx-mod-http-lua", "lua-cjson",
                                  "libnginx-mod-http-modsecurity"))
    report.say(f"Keep-alive TLS 1.3 (TLS_AES_256_GCM_SHA384, X25519) on loopback, one worker each, 16 connections, origin: "
               f"nginx over plain HTTP; registry of {people.PERSONS} persons, one record in a hundred protected; ledger "
               f"durable; pace 0. CPU: user and system time of all processes of a proxy. Medians of {rounds} rounds of "
               f"{seconds} s, the proxies taking turns; a ratio is the median of the rounds' own. "
               "nginx + ModSecurity can only block; nginx and HAProxy inspect nothing. What the gateway sends is "
               "smaller: narratives are removed from every record.", "")
    with World(PEERS) as world:
        idle = measure_idle(world, 500 if quick else most_idle()) # first: later ones would fill room that others left
        figures = measure_requests(world, seconds, rounds)
        show_requests(report, figures)
        handshakes = show_handshakes(report, measure_handshakes(world, 1, rounds + 1))
        rows, added = measure_latency(world, figures, seconds, rounds)
        report.say("## Latency at half of the gateway's own most", "")
        report.table(["document", "proxy", "requests/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms"], rows)
        for size, (p50, p99, _) in added.items():
            report.say(f"Added at {LABEL[size]}: p50 {p50:.2f} ms, p99 {p99:.2f} ms.")
        report.say("", "## Memory of idle TLS connections (private memory, one request each before)", "")
        report.table(["proxy", "connections", "KiB each"], idle)
        show_bars(report, figures, handshakes, added, float(idle[0][2]))
    report.close()
    return 0
