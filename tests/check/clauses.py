"""Every clause that the code cites must be cited by a test: //= RFC9112 6.3 (in Python: #= RFC9112 6.3)."""
import re

import tree

CITATION = re.compile(r"(?://|#|\*)= *([A-Z0-9][\w.]*) +([\w.()-]*[\w)])")


def citations(paths):
    found = {}
    for path in paths:
        text = tree.read(path)
        for match in CITATION.finditer(text):
            found.setdefault(f"{match.group(1)} {match.group(2)}", f"{path}:{tree.line_of(text, match.start())}")
    return found


def main():
    code = citations(tree.sources("src", "include"))
    tests = [p.relative_to(tree.ROOT) for p in (tree.ROOT / "tests").rglob("*") if p.suffix in (".c", ".h", ".py")]
    held = citations(t for t in tests if t.parts[1] != "check")
    problems = [f"{where}: {clause} is cited here and by no test" for clause, where in sorted(code.items())
                if clause not in held]
    for clause in sorted(code):
        print(f"{clause}: {held.get(clause, 'no test')}")
    tree.finish("clauses", problems, len(code))


main()
