"""Help, completion and man pages say the same as the program does: none of them can be left behind."""
# ctest: release
import json
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from harness import gateway as g

pytestmark = pytest.mark.whole("texts alone, nobody talks HTTP")

COMPLETION = g.ROOT / "contrib/completion/gate1367.bash"
MAN = g.ROOT / "docs/man"
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*(?![\w])")


def said(*args):
    done = g.run("help", *args)
    assert done.returncode == 0
    return done.stdout


def commands():
    return re.findall(r"^  ([a-z]+) +\S", said().split("usage: ")[1].split("\n\n")[1], re.M)


def verbs(command):
    """What stands first in the usage lines, where it is a word in small letters or several with | between."""
    words = re.findall(rf"^(?:usage:|      ) gate1367 {command} ([a-z][a-z|]*)(?= |$)", said(command), re.M)
    return [verb for word in words for verb in word.split("|")] if command in ("rules", "registry", "log", "grant", "report", "witness") else []


def completed(*words):
    """What bash offers for the last word."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gate1367; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", COMPLETION, "gate1367", *words], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return set(done.stdout.split())


def test_every_option_of_the_program_stands_in_its_help():
    text = said() + "".join(said(c) for c in commands())
    helped = set(OPTION.findall(text))
    for source in (g.ROOT / "src/cli").glob("*.c"):
        for name in re.findall(r'\{"(--?[a-z-]+)", (?:NULL|&)', source.read_text()):
            assert name in helped, f"{source.name}: {name}"


def test_completion_offers_commands_verbs_and_options():
    listed = commands()
    assert completed("") == {*listed, "--help", "--version"} and completed("help", "") == set(listed)
    for command in listed:
        found = verbs(command)
        if found:
            assert completed(command, "") == {*found, "--help"}, command
        offered = set()
        for place in [(command, v) for v in found] or [(command,)]:
            offered |= completed(*place, "-")
        helped = set(OPTION.findall(said(command)))
        assert offered - {"--help"} == helped, command


def test_completion_offers_what_the_program_takes(tmp_path):
    for command in commands():
        for place in [(command, v) for v in verbs(command)] or [(command,)]:
            for option in completed(*place, "-") - {"--help"}:
                done = g.run(*place, option, *(["x"] if option != "--json" else []), "--nothing", cwd=tmp_path)
                assert done.returncode == 2 and f"no option {option}" not in done.stderr, (place, option, done.stderr)


def test_completion_offers_files_only_where_a_file_is_meant():
    """What help calls neither a file nor a directory, key, pack, statement or index is no place for the files that lie about."""
    for command in commands():
        for option, means in re.findall(r"(?:^  |, )(--[a-z-]+) ([A-Z]+)(?![a-z])", said(command), re.M):
            place = (command, verbs(command)[0]) if verbs(command) else (command,)
            if means not in ("FILE", "DIR", "KEY", "PACK"):
                assert "README.md" not in completed(*place, option, ""), (command, option, means)


def test_completion_of_values_and_files(tmp_path):
    (tmp_path / "gate.json").touch()
    (tmp_path / "x.idx").touch()
    (tmp_path / "list.ndjson").touch()
    here = f"{tmp_path}/"
    assert completed("check", "-c", here) == {f"{tmp_path}/gate.json"}
    assert completed("scan", "-c", "gate.json", here + "l") == {f"{tmp_path}/list.ndjson"}
    assert "alien_number" in completed("registry", "lookup", "alien")
    kinds = json.loads(g.run("rules", "schema").stdout)["$defs"]["person"]["oneOf"][1]["properties"]["kind"]["enum"]
    assert completed("registry", "lookup", "") == set(kinds)
    assert "shadow" in completed("log", "list", "--outcome", "")


def plain(name):
    """The page without roff."""
    text = (MAN / name).read_text()
    return re.sub(r"\\f[BR]", "", text).replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\").replace("\\&", "")


def test_man_page_of_the_program():
    text = plain("gate1367.1")
    for command in commands():
        assert f'.SS "{command}"' in text
        for option in OPTION.findall(said(command)):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), f"{command} {option}: run docs/man/make.py"
        for verb in verbs(command):
            assert re.search(rf"gate1367 {command} [a-z|]*\b{verb}\b", text), f"{command} {verb}: run docs/man/make.py"


@pytest.mark.parametrize("page, manual", [("gate1367.json.5", "operate.md"), ("gate1367-rules.5", "rules.md")])
def test_man_pages_of_files(page, manual):
    """Every key that the manual's tables and the schema have."""
    text = plain(page)
    keys = set(re.findall(r"^\| `([a-z_]+)`", (g.ROOT / "docs" / manual).read_text(), re.M)) if page == "gate1367-rules.5" else set()
    schema = json.loads(g.run("rules", "schema", "rules" if "rules" in page else "gate").stdout)
    keys |= set(schema["properties"]) | (set(schema["$defs"]["document"]["properties"]) if "rules" in page else set())
    for key in keys - {"$schema", "format", "title", "pack", "version", "identifiers", "markers", "profiles"}:
        assert re.search(rf"\b{key}\b", text), f"{key}: run docs/man/make.py"


def test_man_pages_say_what_the_manuals_say(tmp_path):
    sys.path.insert(0, str(MAN))
    import make
    make.main(g.BIN, tmp_path)
    behind = [p.name for p in tmp_path.iterdir() if p.read_text() != (MAN / p.name).read_text()]
    assert not behind, f"{behind}: run docs/man/make.py"


def test_man_pages_are_sound_and_new(tmp_path):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    sys.path.insert(0, str(MAN))
    import make
    make.main(g.BIN, tmp_path)
    for page in sorted(p.name for p in tmp_path.iterdir()):
        for path in (MAN / page, tmp_path / page):
            done = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z", path], capture_output=True, text=True)
            assert done.returncode == 0 and done.stderr == "", done.stderr[:2000]
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in MAN.glob("*.[15]")}


def test_an_editor_may_name_the_schema_in_every_file(make_gateway):
    """"$schema" is passed over by every loader."""
    gw = make_gateway(start=False)
    files = {"recipients.json": json.loads((gw.dir / "recipients.json").read_text())}
    gw.write("recipients.json", {"$schema": "x/recipients.schema.json", **files["recipients.json"]})
    packs = []
    for i, path in enumerate(gw.config["rules"]):
        packs.append(f"{i}.json")
        gw.write(packs[-1], {"$schema": "x/rules.schema.json", **json.loads(pathlib.Path(path).read_text())})
    gw.config = {"$schema": "x/gate.schema.json", **gw.config, "rules": packs}
    gw.write_config()
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 0, done.stderr
