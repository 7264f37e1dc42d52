"""Where things are, what the machine is, and how results are told."""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("GATE1367_BUILD", ROOT / "build/release")).resolve()
GATE = BUILD / "gate1367"
WORK = ROOT / "build/bench"
RESULTS = ROOT / "bench/results"


class Missing(RuntimeError):
    pass


def need(path):
    if not path.exists():
        raise Missing(f"{path} is not there; ./dev bench builds it")
    return path


def remove(directory):
    shutil.rmtree(directory, ignore_errors=True)


def fresh(directory):
    remove(directory)
    directory.mkdir(parents=True)


def output(*args):
    try:
        done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=30, check=False)
        return (done.stdout + done.stderr).strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def package(name):
    version = output("dpkg-query", "-W", "-f=${Version}", name)
    return f"{name} {version}" if version and "no packages" not in version else f"{name} (not installed)"


def processor():
    found = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found.group(1) if found else platform.machine()


def revision():
    commit = output("git", "-C", ROOT, "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", ROOT, "status", "--porcelain", "--", "src")
    return commit + (" with changes" if changed else "")


def guided():
    """Whether a profile guided the compiler (cmake/profile.cmake)."""
    commands = BUILD / "compile_commands.json"
    there = commands.exists() and "-fprofile-use=" in commands.read_text()
    return "built with a profile" if there else "built without a profile"


class Report:
    """Lines to the screen and to bench/results/NAME.md."""

    def __init__(self, name, packages=()):
        self.name = name
        self.lines = []
        self.load = [os.getloadavg()[0]]
        self.started = time.monotonic()
        self.say(f"# {name}", "")
        self.say(f"- {time.strftime('%Y-%m-%d %H:%M:%S %z')}, {os.cpu_count()} cores of {processor()}, "
                 f"Linux {platform.release()}, load average {self.load[0]:.1f} before")
        self.say(f"- gate1367 {revision()}, {guided()}; " + ", ".join(package(p) for p in ("openssl", *packages)), "")

    def say(self, *lines):
        for line in lines:
            print(line, flush=True)
            self.lines.append(line)

    def table(self, head, rows):
        self.say("| " + " | ".join(head) + " |", "|" + "---|" * len(head))
        for row in rows:
            self.say("| " + " | ".join(str(c) for c in row) + " |")
        self.say("")

    def close(self):
        self.say(f"Took {time.monotonic() - self.started:.0f} s; load average {os.getloadavg()[0]:.1f} after. "
                 f"Again: `bench/run {self.name}`.", "")
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{self.name}.md").write_text("\n".join(self.lines) + "\n")


def verdict(figure, first, goal, at_most):
    """How a figure stands to its bar."""
    if figure is None:
        return "not measured"
    def holds(bar):
        return figure <= bar if at_most else figure >= bar
    return "at the goal" if holds(goal) else "first bar met" if holds(first) else "**short**"
