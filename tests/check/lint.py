"""Runs clang-tidy or cppcheck over the sources, several at a time. What a file's verdict depends on (its text, the
project headers it reaches, the options) is hashed; a file that passed once with the same hash is not looked at again.

usage: lint.py clang-tidy|cppcheck BUILD_DIRECTORY"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
CPPCHECK = ["cppcheck", "--quiet", "--error-exitcode=1", "--std=c11", "--enable=warning,performance,portability",
            "--inline-suppr", "--library=posix", "--library=gnu", "--suppress=missingIncludeSystem",
            "--suppress=normalCheckLevelMaxBranches", "--suppress=shiftTooManyBitsSigned",
            "--include=tests/check/cppcheck.h", "--suppress=toomanyconfigs", "-D__x86_64__=1", "-D_GNU_SOURCE=1",
            "-D__GNUC__=12", "-DGATE1367_VERSION=\"0\"", "-Isrc", "-Iinclude"]
# How far the analyzer follows one function: a quarter of its own bound finds nearly all that the whole does, in a third of
# the time. `./dev check` looks all the way.
BUDGET = [] if os.environ.get("GATE1367_DEEP") else [
    f"--extra-arg={a}" for a in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=60000")]


def reached(path, seen):
    """The file and every project header below it."""
    if path in seen:
        return
    seen[path] = tree.read(path)
    for name in INCLUDE.findall(seen[path]):
        for folder in ("src", "include", str(path.parent)):
            if (tree.ROOT / folder / name).is_file():
                reached(pathlib.Path(folder) / name, seen)
                break


def fingerprint(path, command, version):
    seen = {}
    reached(path, seen)
    digest = hashlib.sha256(json.dumps([command, version]).encode())
    for name in sorted(seen):
        digest.update(f"\0{name}\0{seen[name]}".encode())
    digest.update(tree.read(".clang-tidy" if command[0] == "clang-tidy" else "tests/check/cppcheck.h").encode())
    return digest.hexdigest()


def plain(command):
    """Without what guides gcc by a profile (cmake/profile.cmake), which clang does not know: the verdict is on the sources."""
    return re.sub(r" (-fprofile-\S+|-Wno-error|-Wno-missing-profile|-Wno-coverage-mismatch|-Wno-format-truncation)(?= )", "", command)


def commands(tool, build):
    """What to run for each source file, and what its verdict depends on besides."""
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        entries = [{**e, "command": plain(e["command"])} for e in json.load(file)
                   if "breakable.dir" not in e["command"]]  # sources that were looked at already
    once = build / "check"
    once.mkdir(exist_ok=True)
    (once / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
    for entry in entries:
        path = pathlib.Path(entry["file"])
        if tree.ROOT / "src" not in path.parents or not path.is_file():
            continue
        path = path.relative_to(tree.ROOT)
        if tool == "clang-tidy":
            yield path, ["clang-tidy", "--quiet", "-p", str(once), *BUDGET, str(path)], entry["command"].split(" -o ")[0]
        else:
            yield path, CPPCHECK + [str(path)], ""


def look(job):
    path, command, cached = job
    if cached.exists():
        return path, None, ""
    done = subprocess.run(command, cwd=tree.ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.touch()
    lines = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r": (error|warning): ", line)]
    return path, done.returncode, "\n".join(lines)


def main(tool, build):
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    cache = build.parent / "check" / tool
    jobs = [(path, command, cache / fingerprint(path, command, version + extra))
            for path, command, extra in commands(tool, build)]
    problems, fresh = [], 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for path, code, output in pool.map(look, jobs):
            fresh += code is not None
            if code:
                problems.append(output or f"{path}: {tool} ended with {code}")
    print(f"{fresh} files looked at afresh")
    tree.finish(tool, problems, len(jobs))


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]).resolve())
