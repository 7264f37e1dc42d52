"""The load generator, built when its source is newer."""
import json
import subprocess

from harness import place

PROGRAM = place.WORK / "load"
SOURCE = place.ROOT / "bench/load.c"


def build():
    place.WORK.mkdir(parents=True, exist_ok=True)
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < SOURCE.stat().st_mtime:
        subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-o", PROGRAM, SOURCE, "-lssl", "-lcrypto"], check=True)


def arguments(server, certs, who="state-police", path="/none", **options):
    args = [PROGRAM, "--port", server.port, "--path", path]
    if who:
        args += ["--certificate", certs / f"{who}.pem", "--key", certs / f"{who}.key"]
    for name, value in options.items():
        args += [f"--{name}"] if value is True else [f"--{name}", value]
    return [str(a) for a in args]


def run(server, certs, **options):
    """The load's own figures, and `cpu_us`: what the server's processes used for a request."""
    before = server.cpu()
    done = subprocess.run(arguments(server, certs, **options), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{server.name}: {done.stderr.strip()}")
    result = json.loads(done.stdout)
    if result["errors"] or result["requests"] == 0:
        raise RuntimeError(f"{server.name}: {result}")
    result["cpu_us"] = (server.cpu() - before) * 1e6 / result["requests"]
    return result
