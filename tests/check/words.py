"""What no tracked file may hold: the paths and hosts of somebody's workplace, notes to oneself, private keys; and which folders there are, so
that nobody's build is added by chance."""
import re

import tree

EVERYWHERE = {
    r"(?<![\w.])/work/": "a path of one machine",
    r"(?<![\w.])/home/[a-z]|(?<![\w.])/root/": "a path of one machine",
    r"\bissue\s*#?\d+\b": "an issue's number",
    r"\b(docker\.io|ghcr\.io|quay\.io|gcr\.io|registry\.npmjs|pypi\.org|files\.pythonhosted|proxy\.golang|"
    r"static\.crates|index\.crates|deb\.debian\.org|artifactory)\b": "a registry's host",
    r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY-----": "a private key",
}
IN_CODE = {r"\b(TODO|FIXME|XXX|HACK)\b": "a note to oneself: do it, or say it in the documents"}
# This file must spell what it looks for; a parser's test vectors come from elsewhere as they are.
EXEMPT = re.compile(r"^tests/check/words\.py$|^tests/corpus/")


FOLDERS = {".ci", "bench", "certs", "cmake", "contrib", "docs", "include", "rules", "schema", "src", "tests"}


def check(path, text, rules):
    for pattern, what in rules.items():
        for match in re.finditer(pattern, text, re.I if "issue" in pattern else 0):
            yield f"{path}:{tree.line_of(text, match.start())}: \"{match.group()}\" is {what}"


def main():
    problems, files = [], [p for p in tree.tracked() if not EXEMPT.search(str(p))]
    problems += [f"{p}: no folder of the project is called {p.parts[0]}" for p in files if len(p.parts) > 1 and p.parts[0] not in FOLDERS]
    for path in files:
        text = tree.read(path)
        problems += check(path, text, EVERYWHERE)
        if path.parts[0] in ("src", "include") or path.suffix in (".c", ".h", ".py", ".sh"):
            problems += check(path, text, IN_CODE)
    tree.finish("words", problems, len(files))


main()
