"""Writes the man pages beside it from what the program says of itself and from the manuals:

    python3 docs/man/make.py build/release/gate1367
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCS = HERE.parent


def escape(text):
    """Characters that roff would take for its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^\.", r"\\&.", text)


def inline(text):
    """`code` and **bold** in bold, links as their text."""
    text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
    out = []
    for i, part in enumerate(re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text)):
        if i % 2:
            out.append("\\fB" + escape(part.strip("`") if part.startswith("`") else part.strip("*")) + "\\fR")
        else:
            out.append(escape(part))
    text = "".join(out)
    return "\\&" + text if text[:1] in (".", "'") else text


def verbatim(lines):
    return [".PP", ".RS 4", ".EX", *("\\&" + escape(line) if line[:1] in (".", "'") else escape(line) for line in lines), ".EE", ".RE"]


def cells(line):
    return [c.strip() for c in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def table(rows):
    """The first cell is the tag, the others say what it means; the heading tells what a middle one is."""
    out, heading = [], rows[0]
    for row in rows[2:]:
        middle = [f"{heading[i]}: {row[i]}." for i in range(1, len(row) - 1) if row[i] and heading[i]]
        out += [".TP", inline(row[0]), inline(" ".join([*(m[0].upper() + m[1:] for m in middle), row[-1]]).strip()) or "\\&"]
    return out


def markdown(text, level=0):
    """Roff lines of the subset that the manuals use."""
    out, lines, i = [], text.splitlines(), 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("```"):
            end = next(k for k in range(i + 1, len(lines)) if lines[k].startswith("```"))
            out += verbatim(lines[i + 1:end])
            i = end
        elif line.startswith("#"):
            depth = len(line) - len(line.lstrip("#")) - level
            out.append((".SH " if depth <= 2 else ".SS ") + '"' + inline(line.lstrip("# ")).replace('"', "\\(dq") + '"')
        elif line.startswith("|"):
            end = next((k for k in range(i, len(lines)) if not lines[k].startswith("|")), len(lines))
            out += table([cells(row) for row in lines[i:end]])
            i = end - 1
        elif line.startswith("- "):
            item = [line[2:]]
            while i + 1 < len(lines) and lines[i + 1].startswith("  "):
                i += 1
                item.append(lines[i].strip())
            out += [".IP \\(bu 2", inline(" ".join(item))]
        elif line.strip():
            paragraph = [line]
            while i + 1 < len(lines) and lines[i + 1].strip() and not re.match(r"```|#|\||- ", lines[i + 1]):
                i += 1
                paragraph.append(lines[i])
            out += [".PP", inline(" ".join(paragraph))]
        i += 1
    return out


def sections(text, *names):
    """The named second-level sections of a manual."""
    found = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    return "\n".join(f"## {name}\n{found[name]}" for name in names)


def page(name, section, title, lines, see):
    head = ['.\\" Written by docs/man/make.py from the manuals and the program\'s own help.', f'.TH {name.upper()} {section} "" "gate1367" "gate1367"',
            ".SH NAME", f"{escape(name)} \\- {escape(title)}"]
    return "\n".join([*head, *lines, '.SH "SEE ALSO"', ", ".join(f"\\fB{escape(n)}\\fR({s})" for n, s in see)]) + "\n"


# ---- gate1367(1)

def say(program, *args):
    return subprocess.run([program, *args], capture_output=True, text=True, check=True).stdout


def commands(program):
    return re.findall(r"^  (\w+) +\S", say(program, "help").split("\n\n", 2)[2].split("\n\n")[0], re.M)


def options(block):
    """"  --name VALUE   what it does", more of it below."""
    out = []
    for line in block.splitlines():
        found = re.match(r"  (-\S.*?) {2,}(\S.*)$", line)
        if found:
            out += [".TP", "\\fB" + escape(found.group(1)) + "\\fR", escape(found.group(2))]
        elif out:
            out.append(inline(line.strip()))
    return out


def command(program, name):
    out = [f'.SS "{name}"']
    for block in re.split(r"\n\n", say(program, "help", name).strip("\n")):
        if block.startswith("usage: "):
            out += verbatim([line[7:] for line in block.splitlines()])
        elif re.match(r"  -", block):
            out += options(block)
        else:
            out += [".PP", inline(" ".join(block.splitlines()))]
    return out


def gate1367(program):
    lines = [".SH SYNOPSIS", "\\fBgate1367\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]", ".SH DESCRIPTION",
             inline("A TLS reverse proxy that makes people protected by 8 U.S.C. 1367 absent from what record APIs answer: restricted "
                    "recipients cannot tell a protected person's records from records that do not exist; entitled ones get them "
                    "with a notice; every disclosure stands in a signed ledger before it leaves."), ".SH COMMANDS"]
    for name in commands(program):
        lines += command(program, name)
    lines += markdown("""## EXIT STATUS
Errors go to standard error as FILE:LINE:COLUMN: /json/pointer: what is wrong; what would be right.

| status | meaning |
|---|---|
| 0 | done, all well |
| 1 | it ran, and what it checked does not hold |
| 2 | usage, or the environment lacks something |
| 74 | the ledger could not be written |

## ENVIRONMENT
| name | meaning |
|---|---|
| `NO_COLOR` | no colour, on terminals too |
| `GATE1367_CPU` | `portable` or `avx2`: use less than the processor offers |
""")
    return page("gate1367", 1, "keeps protected people out of what record APIs answer", lines, SEE["gate1367"])


SEE = {"gate1367": [("gate1367.json", 5), ("gate1367-rules", 5)], "gate1367.json": [("gate1367", 1), ("gate1367-rules", 5)],
       "gate1367-rules": [("gate1367", 1), ("gate1367.json", 5)]}


def main(program, where=HERE):
    operate, rules = ((DOCS / name).read_text() for name in ("operate.md", "rules.md"))
    described = [*markdown(sections(operate, "gate.json", "Recipients", "The registry of protected persons"))]
    pages = {
        "gate1367.1": gate1367(program),
        "gate1367.json.5": page("gate1367.json", 5, "the gateway's configuration, recipients and registry", described, SEE["gate1367.json"]),
        "gate1367-rules.5": page("gate1367-rules", 5, "what is recognised, and what documents are made of",
                                 [".SH DESCRIPTION", *markdown(rules.split("\n", 1)[1])], SEE["gate1367-rules"]),
    }
    for name, text in pages.items():
        (pathlib.Path(where) / name).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
