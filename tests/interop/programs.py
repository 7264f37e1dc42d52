"""Programs that are not ours: found, started on loopback, stopped; absent ones are skipped with the reason."""
import fcntl
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from harness import gateway as g

PATH = os.environ["PATH"] + ":/usr/sbin"


def find(name):
    program = shutil.which(name, path=PATH)
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


class Running:
    """A server that accepts on its port; ended with the block."""

    def __init__(self, command, port, **options):
        self.process = subprocess.Popen([str(x) for x in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
        self.port = port
        deadline = time.monotonic() + 20 * g.PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.process.kill()
        raise AssertionError(self.process.communicate()[1].decode(errors="replace"))

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


def nginx(directory, server, port):
    """nginx with this server block, in the foreground."""
    program = find("nginx")
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths = " ".join(f"{x}_temp_path {directory}/{x};" for x in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (directory / "nginx.conf").write_text(
        f"daemon off; pid {directory}/pid; error_log {directory}/error.log;\nevents {{}}\n"
        f"http {{ access_log off; {paths}\n{server} }}\n")
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    return Running([program, "-e", directory / "error.log", "-c", directory / "nginx.conf", *user], port)


def npm_package(name, version, *more):
    """Its directory in the build, installed there where it is missing; not a byte of it is in the repository."""
    npm = find("npm")
    place = g.BUILD / "npm" / f"{name}-{version}"
    installed = place / "node_modules" / name
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w") as held:  # several tests want it at once
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (place / "done").exists():
            done = subprocess.run([npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", place, f"{name}@{version}", *more],
                                  capture_output=True, text=True, timeout=120)
            if done.returncode != 0:
                pytest.skip(f"npm does not install {name}: {done.stderr.strip().splitlines()[-1:]}")
            (place / "done").touch()
    return installed
