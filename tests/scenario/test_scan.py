"""scan (contract section 1): what the gateway would do with files, directories and stdin."""
import binascii
import json
import os
import pathlib
import pty
import re
import subprocess
import tempfile

import pytest

from harness import gateway as g
from harness.changes import apply, protect
from harness.client import POLICE, fetch, wait_until
from harness.origin import answer
from test_commands import on_terminal

pytestmark = pytest.mark.whole("files alone; its one gateway is only compared with")

ANA, BEN = "A912345678", "A923456789"
PERSON = {"total": 2, "items": [{"personId": 1, "aNumber": ANA, "name": "Ana"}, {"personId": 2, "name": "Bob"}]}
LINES = '{"personId":1,"aNumber":"%s"}\n{"personId":2}\n' % ANA
FILES = {
    "persons": (json.dumps(PERSON), "withheld"),
    "export.ndjson": (LINES, "withheld"),
    "persons/17": (json.dumps({"personId": 17, "aNumber": ANA}), "not_found"),
    "persons/18": (json.dumps({"personId": 18, "officerNotes": "x"}), "changed"),
    "persons/19": ('{ "personId" : 19 }\n', "unchanged"),
    "persons/20": ('{"personId":', "undeliverable"),
    "associates/3": ("[1,2", "undeliverable"),
    "elsewhere": ("{}", "undeliverable"),
}


@pytest.fixture(scope="module")
def gw(tmp_path_factory):
    made = g.Gateway(tmp_path_factory.mktemp("scan") / "gw", "http://127.0.0.1:9", protected=[ANA], start=False)
    return made


@pytest.fixture
def tree(gw, tmp_path):
    for name, (text, _) in FILES.items():
        path = tmp_path / "in" / name
        if name == "persons":
            path = tmp_path / "in" / "persons.list"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "in"


def scan(gw, *args, recipient="state-police", **more):
    return gw.command("scan", "-c", "gate.json", "--recipient", recipient, *args, **more)


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


#= 10-domain L36
@pytest.mark.parametrize("text", [
    binascii.hexlify(ANA.encode()).decode(), "0x" + binascii.hexlify(b"file " + ANA.encode()).decode().upper(), "A=39=31=32345678", "A9123=\n45678",
    "\\x41912345678", "%252541912345678"])
def test_what_is_coded_is_found(gw, tmp_path, text):
    (tmp_path / "persons.json").write_text(json.dumps({"total": 2, "items": [{"personId": 1, "name": text}, {"personId": 2, "name": "Bob"}]}))
    done = scan(gw, "--route", "/api/persons", "--type", "application/json", "--json", tmp_path / "persons.json")
    assert lines(done)[0]["rules"] == {"a-number": 1}, done.stdout + done.stderr
    told = gw.command("rules", "explain", str(tmp_path / "persons.json"), "-c", "gate.json", "--profile", "persons-api", "--path", "/api/persons", "--recipient", "state-police", "--json")
    assert told.stdout, told.stderr
    assert [f["rule"] for f in json.loads(told.stdout)["findings"]] == ["a-number"], told.stdout + told.stderr


#= ICE10036.2 4.6(3)
def test_a_directory_is_what_the_routes_would_answer(gw, tree):
    (tree / "persons.list").unlink()
    done = scan(gw, "--route", "/api/", "--json", "--jobs", "3", "--type", "application/json", f"{tree}//")
    assert "//" not in done.stdout.replace("://", "")  # however it was named
    got = {os.path.relpath(f["file"], tree): f for f in lines(done)}
    assert done.returncode == 1 and list(got) == sorted(got), done.stderr
    want = {name: verdict for name, (_, verdict) in FILES.items() if name != "persons"}
    want["export.ndjson"] = "undeliverable"  # that is no JSON
    assert {name: f["verdict"] for name, f in got.items()} == want
    assert got["persons/17"]["document"] == "/api/persons/{id}" and got["persons/17"]["rules"] == {"a-number": 1}
    assert got["elsewhere"]["reason"] == "unprofiled" and got["persons/20"]["reason"] == "malformed"


def test_files_of_one_path_and_what_would_be_written(gw, tree, tmp_path):
    done = scan(gw, "--route", "/api/persons", "--type", "application/json", "--write", tmp_path / "out", "--json", tree / "persons.list")
    (got,) = lines(done)
    assert done.returncode == 1 and got["verdict"] == "withheld" and got["withheld"] == [
        {"path": "$.items[0]", "reason": "something was found in it"}] and got["units"] == {"seen": 2, "protected": 1, "withheld": 1}
    assert json.loads((tmp_path / "out/persons.list").read_text()) == {"total": 1, "items": [{"personId": 2, "name": "Bob"}]}
    again = scan(gw, "--route", "/api/persons", "--type", "application/json", "--write", tmp_path / "out", tree / "persons.list")
    assert again.returncode == 2 and "is there already" in again.stdout


#= ICE10036.2 4.9
def test_what_is_written_is_what_a_client_gets(make_gateway, origin, tmp_path):
    """The same documents over the wire, byte for byte; what is withheld whole leaves no file."""
    names = ["persons/17", "persons/18", "export.ndjson"]
    kind = lambda name: "application/x-ndjson" if name.endswith("ndjson") else "application/json"  # noqa: E731
    origin.respond = lambda r: answer(FILES[r.path[len("/api/"):]][0].encode(), content_type=kind(r.path))
    gw = make_gateway(protected=[ANA])
    source = tmp_path / "in"
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(FILES[name][0])
        done = scan(gw, "--route", "/api/" + name, "--type", kind(name), "--write", tmp_path / "out", source / name)
        got, path = fetch(gw.port, "/api/" + name, POLICE), tmp_path / "out" / os.path.basename(name)
        assert done.returncode == (1 if FILES[name][1] in ("withheld", "not_found") else 0), done.stdout
        assert (path.read_bytes() if path.exists() else None) == (got.body if got.status == 200 else None), name


def test_without_a_route_what_nothing_describes_is_inspected(gw, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"x": ANA}, {"x": 1}]))
    (tmp_path / "b.jsonl").write_text(LINES)
    (tmp_path / "c.json").write_text(json.dumps({"x": ANA}))
    (tmp_path / "d.json").write_text("{}")
    done = scan(gw, tmp_path, "--json")
    assert [f["verdict"] for f in lines(done)] == ["withheld", "withheld", "not_found", "unchanged"]
    assert [w["path"] for f in lines(done) for w in f.get("withheld", [])] == ["$[0]", "line 1: $", "$"]
    clean = scan(gw, tmp_path / "d.json")
    assert clean.returncode == 0 and "delivered as they are" in clean.stdout


def test_stdin_and_recipients(gw):
    text = json.dumps([{"x": ANA}])
    for who, status in (("anonymous", 1), ("leis", 1)):
        done = scan(gw, "-", "--type", "application/json", recipient=who, input=text)
        assert done.returncode == status, (who, done.stdout, done.stderr)
    done = scan(gw, "-", "--type", "application/json", recipient="uscis-officer", input=text)
    assert done.returncode == 0 and "a-number" in done.stdout and "for uscis-officer (entitled)" in done.stdout
    assert "--type application/json, if it is" in scan(gw, "-", input=text).stdout
    public = scan(gw, "-", "--type", "application/json", "--route", "/public/x", recipient="uscis-officer", input=text)
    assert public.returncode == 1


def test_live_changes_count(make_gateway, tmp_path):
    gw = make_gateway(protected=[ANA])
    (tmp_path / "x.json").write_text(json.dumps([{"x": BEN}]))
    assert scan(gw, tmp_path / "x.json").returncode == 0
    apply(gw, protect("S", BEN))
    assert scan(gw, tmp_path / "x.json").returncode == 1
    before = gw.entries()
    scan(gw, tmp_path / "x.json")
    assert gw.entries() == before  # nothing leaves, nothing is recorded


def test_what_cannot_be_read(gw, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.txt").write_text("hello")
    unsupported = scan(gw, tmp_path, "--json")
    assert unsupported.returncode == 1 and [(f["verdict"], f.get("reason")) for f in lines(unsupported)] == [
        ("unchanged", None), ("undeliverable", "format")]
    (tmp_path / "c.json").write_text('{"a":')
    (tmp_path / "d.json").write_text("[" * 300 + "]" * 300)
    told = scan(gw, tmp_path / "c.json", tmp_path / "d.json").stdout  # what it means, not the row's name alone
    assert "malformed (the document's structure is broken)" in told and "depth (nested over limits.depth)" in told
    for name in ("c.json", "d.json"):
        (tmp_path / name).unlink()
    (tmp_path / "gone.json").symlink_to("nowhere")
    named = scan(gw, tmp_path / "gone.json")
    assert named.returncode == 2 and "gone.json: No such file" in named.stderr
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "l\x1b.json").symlink_to("a.json")
    below = scan(gw, tmp_path)  # only files are files, and what is left out is said
    assert below.returncode == 1 and "2 files" in below.stdout and "\x1b" not in below.stderr
    assert [re.search(r"([^/]*\.json: is [^;]*read)", line)[1] for line in below.stderr.splitlines()] == [
        "gone.json: is a link and not read", "l?.json: is a link and not read", "pipe.json: is no file and not read"]
    assert lines(scan(gw, tmp_path / "a.json", "--json"))[0]["verdict"] == "unchanged"


def test_a_link_that_leads_elsewhere_is_not_all_of_it(gw, tmp_path):
    """Whoever copies or serves what a link leads to gives away what nobody looked at; what stands in the directory was looked at."""
    here, there = tmp_path / "here", tmp_path / "here and there"
    (here / "sub").mkdir(parents=True)
    there.mkdir()
    (here / "a.json").write_text("{}")
    (there / "her.json").write_text(json.dumps({"aNumber": ANA}))
    (here / "again.json").symlink_to("a.json")
    (here / "sub" / "up").symlink_to("..")
    (here / "loop").symlink_to("loop")
    (here / "gone").symlink_to("nowhere")
    for named in (here, f"{here}/"):
        assert scan(gw, named).returncode == 0
    for link in ("her.json", "there"):
        (here / "sub" / link).symlink_to(there if link == "there" else there / link)
        done = scan(gw, here)
        assert done.returncode == 2 and f"sub/{link}: is a link that leads elsewhere" in done.stderr, done.stderr
        assert re.search("1 +places that were not read: the scan is not complete", done.stdout)
        (here / "sub" / link).unlink()


def test_nothing_is_written_over(gw, tmp_path):
    """Two files of one name would be one below --write: which of them, chance would say."""
    for place, text in (("a", "[1]"), ("b", "[2]")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "p.json").write_text(text)
    out = tmp_path / "out"
    done = scan(gw, "--write", out, tmp_path / "a/p.json", tmp_path / "b")
    assert done.returncode == 2 and "/a/p.json" in done.stderr and "b/p.json: would be written to the same file" in done.stderr
    assert not list(out.iterdir())
    before = os.umask(0o027)
    done = scan(gw, "--write", out, tmp_path / "a/p.json")
    os.umask(before)
    assert done.returncode == 0 and (out / "p.json").stat().st_mode & 0o777 == 0o640  # as the umask says


def test_no_memory_in_a_worker_is_no_clean_scan(gw, tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.json").write_text("[1]")
    text = (g.ROOT / "rules/examples/persons-api.json").read_text()
    (tmp_path / "3.json").write_text(text)
    seen = set()
    for n in (1, 2400):
        done = scan(gw, "--jobs", "1", tmp_path, env={"GATE1367_FAULTS": f"malloc:{n}"})
        assert done.returncode in (0, 1, 2) and (done.returncode or "fault:" not in done.stderr or "4 files" in done.stdout)
        seen.add(done.returncode)
    assert 2 in seen


def test_usage(gw, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    for args, said in ((("--recipient", "anonymous"), "give -c"), (("-c", "gate.json"), "--recipient"),
                       (("-c", "gate.json", "--recipient", "anonymous"), "name files"),
                       (("-c", "gate.json", "--recipient", "state-polise", tmp_path), 'did you mean "state-police"'),
                       (("-c", "gate.json", "--recipient", "anonymous", "--route", "/nowhere", tmp_path), "no route"),
                       (("-c", "gate.json", "--recipient", "anonymous", "--jobs", "0", tmp_path), "--jobs"),
                       (("-c", "gate.json", "--recipient", "anonymous", "nothing-there"), "nothing-there")):
        done = gw.command("scan", *args)
        assert done.returncode == 2 and said in done.stderr, (args, done.stderr)


def test_a_directory_without_files_is_no_clean_scan(gw, tmp_path):
    (tmp_path / "empty/below").mkdir(parents=True)
    done = gw.command("scan", "-c", "gate.json", "--recipient", "anonymous", tmp_path / "empty")
    assert done.returncode == 2 and "there was no file to scan" in done.stderr


def test_a_name_cannot_drive_a_terminal(gw, tmp_path):
    (tmp_path / "\x1b[31mx\x9b.json").write_text(json.dumps([{"x": ANA, "\u001b[31my": ANA}]))
    done = scan(gw, tmp_path)
    assert done.returncode == 1 and "\x1b" not in done.stdout and "\x9b" not in done.stdout
    out = on_terminal(gw, "scan", "-c", "gate.json", "--recipient", "anonymous", str(tmp_path))
    assert b"\x1b[31m" not in out and b"?[31mx?.json" in out
    assert ANA[1:] not in done.stdout and re.search(r"1 +records withheld", done.stdout)


def test_no_file_is_missing_for_its_name(gw, tmp_path):
    """One object for every file: names that are no UTF-8 are told with the bytes that they have."""
    os.makedirs(tmp_path / "in")
    with open(os.fsencode(tmp_path / "in") + b"/b\xff.json", "w") as f:
        f.write(json.dumps([{"x": ANA}, {"x": 1}]))
    done = scan(gw, "--json", tmp_path / "in")
    assert done.returncode == 1 and [(f["file"], f["verdict"]) for f in lines(done)] == [(f"{tmp_path}/in/b\\xFF.json", "withheld")]


def test_a_directory_may_go_deep(gw, tmp_path):
    """Almost as deep as a path can be written; somebody else may have made it."""
    root = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))  # short: the path is what is limited
    here = os.open(root, os.O_DIRECTORY)
    for _ in range(1980):
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    with open(os.open("x.json", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=here), "w") as f:
        f.write(json.dumps([{"x": ANA}]))
    os.close(here)
    done = scan(gw, "--json", root)
    subprocess.run(["rm", "-rf", root], check=True)
    assert done.returncode == 1 and [f["verdict"] for f in lines(done)] == ["withheld"], done


def test_what_cannot_be_listed_costs_nothing_else(gw, tmp_path):
    """One directory that nobody can read (here: deeper than a path can be) in a large tree: the rest is told, and that it is not all."""
    (tmp_path / "z.json").write_text(json.dumps([{"x": ANA}]))
    here = os.open(tmp_path, os.O_DIRECTORY)
    for _ in range(20):
        os.mkdir("a" * 250, dir_fd=here)
        below = os.open("a" * 250, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    done, told = scan(gw, "--json", tmp_path), scan(gw, tmp_path)
    subprocess.run(["rm", "-rf", tmp_path / ("a" * 250)], check=True)
    assert done.returncode == told.returncode == 2 and [f["verdict"] for f in lines(done)] == ["withheld"]
    assert "aaa: File name too long" in done.stderr and re.search("1 +places that were not read: the scan is not complete", told.stdout)


def test_progress_on_a_terminal_only(gw):
    """Of work that takes more than two seconds: here it is the input that does."""
    for terminal in (True, False):
        main, other = pty.openpty()
        p = subprocess.Popen([g.BIN, "scan", "-c", "gate.json", "--recipient", "anonymous", "--type", "application/json", "-"], cwd=gw.dir,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=other if terminal else subprocess.PIPE)
        os.close(other)
        seen = os.read(main, 100) if terminal else b""
        out, err = p.communicate(b"[1]")
        os.close(main)
        assert p.returncode == 0 and b"1 files" in out and b"scanning" not in out + (err or b"")
        assert (b"scanning: " in seen) == terminal


# ---- documents of independent units

STREAM = {"format": 1, "pack": "s", "version": "1", "profiles": [{"id": "s", "title": "t", "documents": [
    {"path": "/s/lines", "units": ["$"], "independent": True}, {"path": "/s/list", "units": ["$.items[*]"], "independent": True}]}]}


@pytest.fixture(scope="module")
def streams(tmp_path_factory):
    gw = g.Gateway(tmp_path_factory.mktemp("streams") / "gw", "http://127.0.0.1:9", protected=[ANA], start=False, ledger=False,
                   packs=[str(g.ROOT / "rules/section-1367.json"), "s.json"], routes=[{"path": "/s/", "upstream": "records", "profile": "s"}],
                   config={"limits": {"document": "1MiB", "record": "64KiB"}})
    gw.write("s.json", STREAM)
    return gw


def test_a_large_file_of_independent_lines(streams, tmp_path):
    """Far over limits.document: each line is a document of its own, and memory is bounded by a record."""
    wanted = []
    with open(tmp_path / "in.ndjson", "w") as f:
        for i in range(30000):
            line = json.dumps({"personId": i, "aNumber": ANA if i % 1000 == 7 else f"A{900000000 - i:09}", "note": "x" * 300}) + "\n"
            f.write(line)
            wanted += [] if i % 1000 == 7 else [line]
    args = ("--route", "/s/lines", "--write", tmp_path / "out", "--json", tmp_path / "in.ndjson")
    done = scan(streams, *args)
    (got,) = lines(done)
    assert done.returncode == 1 and got["verdict"] == "withheld" and got["rules"] == {"a-number": 30}, done.stderr
    assert got["units"] == {"seen": 30000, "protected": 30, "withheld": 30} and got["bytes"] == os.path.getsize(tmp_path / "in.ndjson")
    assert (tmp_path / "out/in.ndjson").read_text() == "".join(wanted)
    assert os.listdir(tmp_path / "out") == ["in.ndjson"]


def test_what_of_independent_units_is_delivered(streams, tmp_path):
    cases = [('{"items":[{"a":1},{"a":"%s"},{"a":2}]}' % ANA, "withheld", '{"items":[{"a":1},{"a":2}]}'),
             ('{"items":[{"a":1}]}', "unchanged", '{"items":[{"a":1}]}'), ('{"items":[{"a":1}],"x":"%s"}' % ANA, "not_found", None),
             ('{"items":[{"a":1}', "undeliverable", None), ("", "undeliverable", None)]
    names = [f"{i}.json" for i in range(len(cases))]
    for name, (text, _, _) in zip(names, cases):
        (tmp_path / name).write_text(text)
    paths = [tmp_path / name for name in names]
    done = scan(streams, "--route", "/s/list", "--json", "--write", tmp_path / "out", *paths)
    assert [f["verdict"] for f in lines(done)] == [verdict for _, verdict, _ in cases], done.stderr
    written = {p.name: p.read_text() for p in (tmp_path / "out").iterdir()}
    assert written == {name: out for name, (_, _, out) in zip(names, cases) if out is not None}  # and nothing half-written
    officer = scan(streams, "--route", "/s/list", "--write", tmp_path / "officer", *paths, recipient="uscis-officer")
    assert officer.returncode == 0
    assert {p.name: p.read_text() for p in (tmp_path / "officer").iterdir()} == {n: c[0] for n, c in zip(names, cases)}


def test_whoever_ends_it_finds_whole_files_or_none(streams, tmp_path):
    """What is half-written bears no name that somebody could publish, or stumble over in the next scan."""
    out = tmp_path / "out"
    scanning = subprocess.Popen([g.BIN, "scan", "-c", "gate.json", "--recipient", "state-police", "--route", "/s/lines", "--type", "application/x-ndjson",
                                 "--write", out, "-"], cwd=streams.dir, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    scanning.stdin.write(b'{"personId":1}\n' * 40000)
    scanning.stdin.flush()

    def holds():
        sizes = [os.stat(fd).st_size for fd in pathlib.Path(f"/proc/{scanning.pid}/fd").iterdir() if str(out) in os.readlink(fd)]
        return sizes and sizes[0] > 100000
    assert wait_until(holds)
    scanning.kill()
    scanning.wait()
    scanning.stdin.close()
    assert os.listdir(out) == []
