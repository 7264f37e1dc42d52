"""Runs the micro benches and finds figures in what they print."""
import re
import subprocess

from harness import place


class Unmeasured(RuntimeError):
    pass


def run(name, *args, cwd=place.ROOT, timeout=900):
    program = place.need(place.BUILD / f"bench_{name}")
    command = [str(program), *map(str, args)]
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unmeasured(f"bench_{name} did not end within {timeout} s") from late
    if done.returncode != 0:
        raise Unmeasured(f"bench_{name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def figure(text, pattern):
    """The last group that matched, as a number; None: the bench did not say."""
    found = re.search(pattern, text, re.M)
    return float(found.group(1)) if found else None


def show(report, command, text):
    report.say(f"`{command}`:", "", "```", *text.strip().splitlines(), "```", "")


def bars(report, rows):
    """(name, figure, first bar, goal, at most?)"""
    def sign(at_most):
        return "≤" if at_most else "≥"
    report.say("## Against the bars", "")
    report.table(["figure", "measured", "first bar", "going to", ""],
                 [[name, "—" if f is None else f"{f:.2f}", f"{sign(most)} {first}", f"{sign(most)} {goal}",
                   place.verdict(f, first, goal, most)] for name, f, first, goal, most in rows])
