"""docs/recognised.md says what the shipped pack recognises, and is made from it; with --write it is made anew."""
import json
import sys

import tree

PAGE = tree.ROOT / "docs/recognised.md"
HEAD = """# What the shipped pack recognises

Made from `rules/section-1367.json` by `tests/check/recognised.py --write`, and checked against it. Every spelling below is a test
of its rule, and so is every trap; `docs/rules.md` explains the members. All of it stands also in capitals or small letters, with
accents or without, in fullwidth or other digits, with invisible characters inside, with character references (`&nbsp;`),
percent-encoded, in base64, in hexadecimal or quoted-printable.

"""


def code(sample):
    text = sample if isinstance(sample, str) else json.dumps(sample, ensure_ascii=False)
    text = text.replace("\r\n", "⏎").replace("\n", "⏎").replace("\r", "⏎").replace("|", "\\|").replace("\u200b", "")
    return f"`{text}`"


def samples(rule, which, most):
    listed = [s for s in rule["tests"][which] if not (isinstance(s, dict) and set(s) == {"todo"})]
    return ", ".join(code(s) for s in listed[:most])


def under(rule):
    labels = rule.get("labels", [])
    said = ", ".join(f"`{label}`" for label in labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
    anywhere = rule.get("syntax") or (rule.get("pattern") and rule.get("where") != "labelled" and (not labels or "kind" in rule))
    return ("anywhere; " if anywhere and labels else "anywhere" if anywhere else "") + (said if labels else "")


def table(columns, rows):
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def page(pack):
    kinds = sorted({r["kind"] for r in pack["identifiers"]}, key=[r["kind"] for r in pack["identifiers"]].index)
    yield HEAD + "## Identifiers\n"
    yield ("Looked up in the registry. `person_id`, `event_number` and `case_number` stand where a profile's `keys` says; `address`, "
           "`location` and `organization` are not\nrecognised in documents yet.\n")
    rows = [(f"`{k}`", f"`{r['id']}`", r["title"], under(r), samples(r, "match", 4), samples(r, "ignore", 3))
            for k in kinds for r in pack["identifiers"] if r["kind"] == k]
    yield from table(("kind", "rule", "what", "where", "recognised", "not"), rows)
    for strength, what in (("definitive", "A finding by itself."), ("suspected", "A finding only beside another marker of its unit.")):
        yield f"\n## Markers: {strength}\n\n{what}\n"
        rows = [(f"`{r['id']}`", r["title"], r["why"], under(r) or "anywhere", samples(r, "match", 5), samples(r, "ignore", 4))
                for r in pack["markers"] if r["strength"] == strength]
        yield from table(("rule", "what", "serves", "where", "recognised", "not"), rows)


def main():
    text = "\n".join(page(json.loads(tree.read("rules/section-1367.json")))) + "\n"
    if "--write" in sys.argv:
        PAGE.write_text(text)
    problems = [] if PAGE.exists() and PAGE.read_text() == text else [
        "docs/recognised.md: is not what rules/section-1367.json recognises; python3 tests/check/recognised.py --write"]
    tree.finish("recognised", problems, 1)


main()
