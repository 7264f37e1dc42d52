"""The commands (contract section 1): exit codes, errors with their places, listings for machines, help."""
import json
import os
import pty
import re
import signal
import struct
import subprocess
import time

import pytest

from harness import gateway as g
from harness.client import POLICE, fetch, wait_until
from harness.origin import answer

pytestmark = pytest.mark.whole("commands alone, nobody talks HTTP")

PLACE = re.compile(r"^\S+:\d+:\d+: /\S*: \S.*; \S.*$")


@pytest.fixture
def gw(make_gateway):
    return make_gateway(start=False, protected=["A012345678"])


def check(gw, code=1):
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


def problems(text):
    return [line for line in text.splitlines() if re.match(r"\S+:\d+:\d+: ", line)]


def test_a_good_configuration(gw):
    gw.config["routes"] = [r for r in gw.config["routes"] if r.get("unprofiled") != "inspect"]
    gw.write_config()
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 0 and done.stderr == ""
    gw.config["routes"].append({"path": "/x/", "upstream": "records", "unprofiled": "inspect"})
    gw.write_config()
    done = gw.command("check", "-c", "gate.json", "--json")
    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(f["severity"], f["pointer"]) for f in found] == [("warning", f"/routes/{len(gw.config['routes']) - 1}/unprofiled")]


def test_check_says_what_needs_a_restart(gateway):
    """Beside a running gateway: what a reload would refuse, before it is asked."""
    assert "restart" not in check(gateway, 0)
    gateway.config["workers"] = 2
    gateway.config["ledger"]["room"] = {"warn": "200MiB", "shed": "100MiB"}
    gateway.write_config()
    assert re.findall(r"/(\w+): warning: .* needs a restart", check(gateway, 0)) == ["workers", "ledger"]
    assert not gateway.reload()
    gateway.stop()
    assert "restart" not in check(gateway, 0)  # nobody runs


def test_check_does_not_wait_for_a_gateway_that_hangs(gateway):
    """Stopped, or stuck: what it serves with is not known, and nobody waits for ever to hear that."""
    admin, = gateway.children("admin")
    os.kill(admin, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        text = check(gateway, 0)
        assert time.monotonic() - begun < 20 * g.PATIENCE and re.search(r"/admin/socket: warning: .*does not answer within 5 s", text), text
    finally:
        os.kill(admin, signal.SIGCONT)
    assert "does not answer" not in check(gateway, 0)


@pytest.mark.skipif(g.SANITIZED, reason="a minute's wait, which says nothing of memory")
def test_what_a_hanging_gateway_was_asked_it_may_yet_do(gateway):
    """A change that timed out was told as one that failed, and was in force a moment later."""
    gateway.write("c.jsonl", json.dumps({"op": "protect", "subject": "S-9", "cases": [{"status": "pending"}],
                                         "identifiers": [{"kind": "alien_number", "value": "A011111111"}]}) + "\n")
    admin, = gateway.children("admin")
    os.kill(admin, signal.SIGSTOP)
    try:
        done = gateway.command("registry", "apply", "-c", "gate.json", "c.jsonl", timeout=100)
        assert done.returncode == 2 and "may yet do what was asked" in done.stderr
    finally:
        os.kill(admin, signal.SIGCONT)

    def lookup():
        return gateway.command("registry", "lookup", "-c", "gate.json", "alien_number", "A011111111").stdout
    assert wait_until(lambda: lookup() == "protected\n", 10)


@pytest.mark.parametrize("body,says", [
    (None, "by what nobody is shown"), ("refuse", "the canonical not-found"), ("any", None), ("pages", "lists in pages do not take"),
    ("inspect", "no documents entry describes is answered whatever")])
def test_a_body_that_may_search(gw, body, says):
    """A route that lets POST through, before documents that say nothing of bodies, refuse them, or take them."""
    document = {"path": "/post/search", "units": ["$[*]"], **({"body": body} if body in ("refuse", "any") else {})}
    if body == "pages":
        document |= {"body": "any", "pages": {"style": "offset", "offset": "offset", "items": "$"}}
    gw.write("pack.json", {"format": 1, "pack": "p", "version": "1", "profiles": [{"id": "p", "title": "p", "documents": [document]}]})
    gw.config["rules"].append("pack.json")
    gw.config["routes"] = [{"path": "/post/", "upstream": "records", "profile": "p", "restricted_methods": ["GET", "POST"]}]
    if body == "inspect":
        gw.config["routes"] = [{"path": "/x/", "upstream": "records", "unprofiled": "inspect", "restricted_methods": ["GET", "POST"]}]
    gw.write_config()
    text = check(gw, 0)
    assert len(problems(text)) == (says is not None) + (body == "inspect")
    assert says is None or "/routes/0/restricted_methods: warning: lists POST" in text and says in text


def test_errors_name_their_place_all_in_one_run(gw):
    gw.config["routs"] = gw.config.pop("routes")
    gw.config["workers"] = "two"
    gw.config["pace"] = "ten"
    gw.config["upstreams"]["records"]["timeout"] = {"conect": "2s"}
    gw.write("recipients.json", {"format": 1, "recipients": [{"id": "x", "agency": "FBI", "standing": "employee", "match": {}}]})
    gw.write_config()
    text = check(gw)
    found = problems(text)
    assert len(found) >= 6 and all(PLACE.match(line) for line in found), text
    assert 'did you mean "routes"' in text and 'did you mean "connect"' in text
    assert {"gate.json", "recipients.json"} <= {os.path.basename(line.split(":")[0]) for line in found}
    lines = (gw.dir / "gate.json").read_text().splitlines()
    where = next(line for line in found if "routs" in line)
    number, column = (int(x) for x in where.split(":")[1:3])
    assert lines[number - 1][column - 1:].startswith('"routs"')


def test_addresses_that_cannot_both_be_had(gw):
    """serve would be refused the second socket; check says which line it is."""
    gw.config["listen"] = [dict(gw.config["listen"][0], address=a) for a in ("127.0.0.1:28443", "127.0.0.1:0", "127.0.0.1:28443", "127.0.0.1:0")]
    gw.config["listen"].append(dict(gw.config["listen"][0], address="[::1]:28443"))
    gw.config["admin"] = {"address": "[0:0::1]:28443", "socket": "x" * 200}
    gw.write_config()
    found = [line for line in problems(check(gw)) if "warning: " not in line]
    assert len(found) == 3, found
    for pointer, why in (("/listen/2/address", "earlier listener"), ("/listen/4/address", "admin address"), ("/admin/socket", "shorter path")):
        assert any(pointer + ": " in line and why in line for line in found), found


def test_a_path_that_no_system_takes_is_told(gw):
    gw.config["admin"]["socket"] = "x" * 70000
    gw.write_config()
    said = check(gw)
    assert "/admin/socket: xxx" in said and "more problems" not in said and max(map(len, said.splitlines())) < 17000
    gw.config["admin"]["socket"] = "admin.sock"
    gw.config["recipients"] = "y" * 5000
    gw.write_config()
    assert "File name too long" in check(gw)


def test_an_origin_is_not_waited_for_without_end(gw):
    gw.config["upstreams"]["records"]["timeout"] = {"connect": "0s", "response": "0ms"}
    gw.write_config()
    assert len([line for line in problems(check(gw)) if "use 1ms or more" in line]) == 2


def test_routes_are_told_apart_as_the_router_reads_them(gw):
    gw.config["routes"] = [{"path": p, "upstream": "records"} for p in ("/%61pi/", "/b;c/../", "/api/", "/x y")]
    gw.write_config()
    found = problems(check(gw))
    assert len(found) == 3, found  # a path that was refused is nobody's double
    assert '/routes/2: the path "/api/" has two routes' in "".join(found)


def test_one_pack_that_cannot_be_read_hides_nothing_of_the_others(gw):
    gw.write("broken.json", '{"format": 1,}')
    gw.write("wrong.json", {"format": 1, "pack": "w", "version": "1", "profiles": [{"id": "w", "title": "t", "documents": [{"path": "/a", "units": ["$["]}]}]})
    gw.config["rules"] = ["broken.json", "gone.json", "wrong.json"]
    gw.write_config()
    for text in (check(gw), gw.command("rules", "lint", "broken.json", "gone.json", "wrong.json").stderr):
        for name in gw.config["rules"]:
            assert name in text, text


def test_what_only_shows_when_it_is_tried_is_told_with_the_rest(gw):
    listener = gw.config["listen"][0]["tls"]
    listener["key"] = listener["key"].replace("gateway.key", "origin.key")
    gw.config["registry"]["key"] = "ledger.key"
    gw.config["ledger"]["origin"] = "another.example"
    gw.config["workers"] = "two"
    gw.write_config()
    text = check(gw)
    for pointer in ("/listen/0/tls: ", "/registry: ", "/ledger: ", "/workers: "):
        assert any(pointer in line for line in problems(text)), text


@pytest.mark.parametrize("text", ['{"format": 1', '{"format": 1,}', '{"format": 1, "format": 1}', "[]", "", '{"format": 2}', "\ufeff{}", "nul"])
def test_files_that_are_no_strict_json(gw, text):
    gw.write("gate.json", text)
    assert re.search(r"^gate.json:\d+:\d+: ", check(gw), re.M)


# Every part of the contract that is specified and not built: said so, never ignored.
TOP = {
    "grants": lambda c: c.update(grants={"directory": "grants", "approvers": "approvers.json"}),
    "statistical": lambda c: c["routes"].append({"path": "/s/", "upstream": "records", "statistical": {"minimum_cell": 11}}),
}
RECIPIENT = {"token": {"match": {"token": {"issuer": "https://i", "audience": "a", "claims": {}}}, "agency": "DOJ", "standing": "employee",
                       "purposes": ["litigation"]}}


@pytest.mark.parametrize("name", ["If-Match", "if-none-match", "IF-MODIFIED-SINCE", "If-Unmodified-Since", "If-Range", "Range"])
def test_a_condition_is_not_forwarded(gw, name):
    """"Not modified" and "precondition failed" would tell of what is stored."""
    gw.config["routes"][0]["forward"] = ["X-Fine", name]
    gw.write_config()
    assert re.search(r'/routes/0/forward/1: "%s" cannot be forwarded' % name, check(gw))


@pytest.mark.parametrize("name", TOP)
def test_not_built_in_the_configuration(gw, name):
    TOP[name](gw.config)
    gw.write_config()
    assert "not built yet" in check(gw)


@pytest.mark.parametrize("name", RECIPIENT)
def test_not_built_among_recipients(gw, name):
    gw.write("recipients.json", {"format": 1, "recipients": [{"id": "r", **RECIPIENT[name]}]})
    assert "not built yet" in check(gw)


def test_unknown_names_get_a_suggestion(gw):
    for args, meant in ((("serv",), "serve"), (("chek", "-c", "x"), "check"), (("log", "verfy", "-c", "gate.json"), "verify"),
                        (("check", "--jsn", "-c", "gate.json"), "--json"), (("registry", "aply"), "apply")):
        done = gw.command(*args)
        assert done.returncode == 2 and "did you mean" in done.stderr and meant in done.stderr, done.stderr
    gw.config["routes"][0]["profile"] = "person-api"
    gw.write_config()
    assert 'did you mean "persons-api"' in check(gw)


def test_commands_that_are_not_built_say_so(gw):
    for args in (("grant", "list"),):
        done = gw.command(*args)
        assert done.returncode == 2 and "not built yet" in done.stderr, args


def test_usage_is_2(gw):
    for args in ((), ("check",), ("check", "-c", "gate.json", "--json=no"), ("serve",), ("log",), ("registry",), ("registry", "build"), ("rules",), ("rules", "test"), ("rules", "replay"), ("log", "show"),
                 ("check", "-c"), ("check", "-c", "gate.json", "more"), ("log", "list", "-c", "gate.json", "--directory", "x"), ("nonsense",)):
        done = gw.command(*args)
        assert done.returncode == 2 and done.stderr, args


@pytest.mark.parametrize("verb", ["test", "lint", "explain", "replay", "print", "schema", "rotate", "recover", "schedule", "destroy"])
def test_an_unknown_option_names_a_help_that_there_is(gw, verb):
    done = gw.command("rules" if verb in ("test", "lint", "explain", "replay", "print", "schema") else "log", verb, "--jsn", "x")
    assert done.returncode == 2 and "there is no option --jsn" in done.stderr
    topic = re.search(r"see gate1367 help (\w+)", done.stderr).group(1)
    assert done.stderr.startswith(f"gate1367 {topic}: ")
    helped = gw.command("help", topic)
    assert helped.returncode == 0 and verb in helped.stdout


def test_help_and_version(gw):
    version = gw.command("--version")
    assert version.returncode == 0 and re.fullmatch(r"gate1367 \d+\.\d+\.\d+\S*\n", version.stdout)
    overview = gw.command("help")
    assert overview.returncode == 0
    for command in ("serve", "check", "demo", "scan", "registry", "log", "rules"):
        assert command in overview.stdout
        page, flag = gw.command("help", command), gw.command(command, "--help")
        assert page.returncode == flag.returncode == 0 and page.stdout == flag.stdout and "usage: gate1367 " + command in page.stdout
    assert gw.command("help", "srve").returncode == 2


def test_serve_without_a_ledger(make_gateway):
    gw = make_gateway(start=False, ledger=False)
    done = gw.command("serve", "-c", "gate.json")
    assert done.returncode == 2 and "log init" in done.stderr


def test_serve_with_a_bad_configuration(gw):
    gw.config["routes"][0]["upstream"] = "recods"
    gw.write_config()
    done = gw.command("serve", "-c", "gate.json")
    assert done.returncode == 1 and 'did you mean "records"' in done.stderr


def test_secrets_belong_to_their_owner(gw):
    for name in ("protected.key", "ledger.key"):
        path = gw.dir / name
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
        done = gw.command("check", "-c", "gate.json")
        assert done.returncode == 1 and name in done.stderr, name
        path.chmod(0o600)


def listed(path):
    """Root's, with a list that names one other account: systemd's way where the file system has lists."""
    entries = ((1, 4, 2**32 - 1), (2, 4, os.geteuid() + 1), (4, 0, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1))
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries))


def owned(path):
    """The other account's own: its way on a ramfs, which is Debian 12's."""
    path.chmod(0o400)
    os.chown(path, os.geteuid() + 1, -1)


@pytest.mark.parametrize("give", [listed, owned])
def test_a_credential_of_another_account_says_whose_it_is(gw, give):
    """What the operator is told who calls a command as root beside the service: chmod would take the key away from it."""
    try:
        give(gw.dir / "protected.key")
    except OSError:
        pytest.skip("no access control lists here, or we are not root")
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and "another account's" in done.stderr and "run this as that account" in done.stderr and "chmod" not in done.stderr


@pytest.mark.parametrize("args", [("help",), ("rules", "schema", "rules"), ("rules", "print", str(g.ROOT / "rules/section-1367.json"))])
def test_what_does_not_fit_on_the_disk_is_no_success(gw, args):
    """However much of it there is: the last piece, which is what is looked at when all is said, may well fit."""
    with open("/dev/full", "wb") as full:
        assert subprocess.run([g.BIN, *args], cwd=gw.dir, stdout=full).returncode == 2


def test_every_listing_has_json(make_gateway, origin):
    origin.respond = lambda r: answer([{"aNumber": "A012345678"}])
    gw = make_gateway(protected=["A012345678"])
    fetch(gw.port, "/inspect/x", POLICE)
    pack = str(g.ROOT / "rules/section-1367.json")
    for args in (("check", "-c", "gate.json"), ("log", "list", "-c", "gate.json"), ("log", "show", "0", "-c", "gate.json"),
                 ("log", "verify", "-c", "gate.json"), ("registry", "inspect", "protected.idx", "--key", "protected.key"),
                 ("registry", "lookup", "-c", "gate.json", "alien_number", "A012345678"), ("rules", "test", pack), ("rules", "lint", pack)):
        done = gw.command(*args, "--json")
        assert done.returncode == 0, (args, done.stderr)
        for line in done.stdout.splitlines():
            json.loads(line)


def on_terminal(gw, *args, **env):
    """What a command writes to a terminal."""
    main, other = pty.openpty()
    p = subprocess.Popen([g.BIN, *args], cwd=gw.dir, stdout=other, stderr=other, stdin=other, env={**os.environ, "TERM": "xterm", **env})
    os.close(other)
    out = b""
    while True:
        try:
            got = os.read(main, 65536)
        except OSError:
            break
        if not got:
            break
        out += got
    p.wait()
    os.close(main)
    return out


def test_what_an_action_does_not_look_at_is_refused(gw):
    for action, option, right in (("list", ("--format", "csv"), "export"), ("list", ("-o", "x"), "export prove"), ("follow", ("--index", "x"), "list"),
                                  ("verify", ("--since", "2026-10-01"), "list follow export"), ("list", ("--checkpoint", "x"), "verify"),
                                  ("verify", ("--unseal", "x"), "list show follow export")):
        done = gw.command("log", action, "-c", "gate.json", *option)
        assert done.returncode == 2 and f"{action} does not take" in done.stderr and f"belongs to: {right}" in done.stderr, done.stderr
    for args, says in ((("init", "--key", "x"), "leave --key and --origin out"), (("verify", "--origin", "x"), "leave --key and --origin out"),
                       (("export", "--format", "csv", "--json"), "--json says how an index")):
        done = gw.command("log", *args, "-c", "gate.json")
        assert done.returncode == 2 and says in done.stderr, done.stderr
    assert not (gw.dir / "x").exists()


def test_json_holds_whatever_a_path_is_called(gw):
    odd = 'a "ledger" \\ here'
    made = gw.command("log", "init", "--directory", odd, "--key", "odd.key", "--origin", 'odd"origin', "--segment", "1MiB", "--json")
    assert made.returncode == 0 and json.loads(made.stdout)["directory"] == odd, made.stderr
    vkey = json.loads(made.stdout)["verifier"]
    assert vkey.startswith('odd"origin+')
    index = gw.command("log", "export", "-c", "gate.json", "--format", "sqlite", "-o", 'in "dex"', "--json")
    assert index.returncode == 0 and json.loads(index.stdout)["index"] == 'in "dex"', index.stderr


def test_a_link_to_the_configuration_is_no_other_ledger(gw, tmp_path):
    """`serve` and `check` read paths relative to the file itself: so do all others."""
    tmp_path = tmp_path / "elsewhere"
    tmp_path.mkdir()
    (tmp_path / "gate.json").symlink_to(gw.dir / "gate.json")
    assert gw.command("check", "-c", tmp_path / "gate.json").returncode == 0
    for args in (("log", "verify"), ("log", "list"), ("log", "export"), ("report", "incidents")):
        done = gw.command(*args, "-c", tmp_path / "gate.json")
        assert done.returncode == 0, done.stderr
    assert gw.command("log", "init", "-c", tmp_path / "gate.json").returncode == 2  # it is there already
    assert [x.name for x in tmp_path.iterdir()] == ["gate.json"]


def test_colour_only_on_a_terminal_and_never_with_no_color(gw):
    gw.config["workers"] = "two"
    gw.write_config()
    assert b"\x1b[" not in gw.command("check", "-c", "gate.json").stderr.encode()
    assert b"\x1b[" in on_terminal(gw, "check", "-c", "gate.json")
    assert b"\x1b[" not in on_terminal(gw, "check", "-c", "gate.json", NO_COLOR="1")


def test_what_a_file_says_cannot_drive_a_terminal(gw):
    gw.config["routes"][0]["\x1b[31mevil"] = 1
    gw.write_config()
    assert "\x1b" not in check(gw)


def test_rules(gw):
    packs = [str(g.ROOT / "rules/section-1367.json"), str(g.ROOT / "rules/examples/persons-api.json")]
    assert gw.command("rules", "test", *packs).returncode == 0
    pack = {"format": 1, "pack": "p", "version": "1", "markers": [
        {"id": "m", "title": "t", "why": "w", "values": ["384"], "labels": ["coa"], "strength": "definitive",
         "tests": {"match": [{"room": "384"}], "ignore": [{"coa": "384"}]}}]}
    gw.write("p.json", pack)
    done = gw.command("rules", "test", "p.json")
    assert done.returncode == 1 and (done.stdout + done.stderr).count("p.json") >= 2
