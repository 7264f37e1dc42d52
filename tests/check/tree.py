"""What the checks share: where the project is, what is in it, and C text without comments and literals."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def sources(*folders):
    """C files and headers below the folders, sorted, as paths relative to the project."""
    found = []
    for folder in folders:
        found += [p.relative_to(ROOT) for p in (ROOT / folder).rglob("*.[ch]")]
    return sorted(found)


def tracked():
    """Files under version control; all files where there is no repository (a released archive)."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    try:
        out = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        names = [name for name in out.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith("build/")]
    return [pathlib.Path(name) for name in names if (ROOT / name).is_file()]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


_TOKENS = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def code_only(text):
    """The text with comments and literals blanked; every line stays where it is."""

    def blank(match):
        kept = re.sub(r"[^\n]", " ", match.group())
        return '""'.ljust(len(kept)) if match.group()[0] == '"' and len(kept) >= 2 else kept

    return _TOKENS.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(name, problems, looked_at):
    """Prints the problems and ends the program; a check that looked at nothing has failed."""
    for problem in problems:
        print(problem)
    print(f"{name}: {looked_at} looked at, {len(problems)} wrong")
    sys.exit(1 if problems or not looked_at else 0)
