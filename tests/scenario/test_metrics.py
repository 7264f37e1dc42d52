"""What /metrics counts, and the files in contrib/ that stand on it."""
import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, fetch, wait_until
from harness.origin import answer

PACKS = g.FEW


def values(gw):
    """{name with labels: value}"""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in gw.admin("/metrics")[1].splitlines() if line[0] != "#"}


def test_what_was_decided_is_counted(make_gateway, origin):
    """Every answer once in its outcome and in the distributions, which add up as Prometheus reads them."""
    gw = make_gateway(protected=["A012345678"], pace="20ms")
    origin.respond = lambda r: answer([{"personId": 1}, {"aNumber": "A012345678"}, {"aNumber": "A012345678"}])
    for _ in range(3):
        fetch(gw.port, "/inspect/x", POLICE)
        fetch(gw.port, "/inspect/x", OFFICER)
    fetch(gw.port, "/inspect/x", POLICE, "DELETE")
    fetch(gw.port, "/nowhere", POLICE)
    assert wait_until(lambda: values(gw)["gate1367_answer_seconds_count"] == 7)
    v = values(gw)
    outcomes = {k: n for k, n in v.items() if k.startswith("gate1367_answers_total") and n}
    assert outcomes == {'gate1367_answers_total{class="restricted",outcome="withheld"}': 3,
                        'gate1367_answers_total{class="entitled",outcome="disclosed"}': 3,
                        'gate1367_answers_total{class="restricted",outcome="refused"}': 1}
    assert [v[f"gate1367_records_{x}_total"] for x in ("protected", "withheld", "disclosed")] == [12, 6, 6]
    assert v["gate1367_records_seen_total"] == sum(e["records"]["seen"] for e in gw.entries() if e["event"] == "disclosure")
    for name in ("decision", "commit", "answer"):
        buckets = [(k.split('"')[1], n) for k, n in v.items() if k.startswith(f"gate1367_{name}_seconds_bucket")]
        counts, bounds = [n for _, n in buckets], [float(le) for le, _ in buckets]
        assert buckets[-1] == ("+Inf", 7) and v[f"gate1367_{name}_seconds_count"] == 7
        assert counts == sorted(counts) and bounds == sorted(bounds)
        least = sum(low * (n - below) for low, n, below in zip([0] + bounds, counts, [0] + counts))
        assert least <= v[f"gate1367_{name}_seconds_sum"] < 60 * g.PATIENCE  # not below what the buckets hold
    # Restricted answers wait for the grid; their verdicts do not.
    assert v["gate1367_answer_seconds_sum"] > v["gate1367_decision_seconds_sum"]
    assert v["gate1367_ledger_waiting"] == 0 and v["gate1367_ready"] == 1 and v["gate1367_workers"] == 1
    assert abs(v["gate1367_start_time_seconds"] - time.time()) < 120 * g.PATIENCE


def test_processes_are_counted(gateway):
    os.kill(gateway.children("worker")[0], signal.SIGKILL)
    assert wait_until(lambda: '"event":"child_ended"' in gateway.stderr() and len(gateway.children("worker")) == 1)
    ended, = [json.loads(line) for line in gateway.stderr().splitlines() if '"event":"child_ended"' in line]
    assert (ended["who"], ended["code"]) == ("worker", -signal.SIGKILL)
    assert gateway.reload()
    gateway.write("recipients.json", "{")
    assert not gateway.reload()

    def counted():
        v = values(gateway)
        return (v['gate1367_restarts_total{role="worker"}'], v['gate1367_restarts_total{role="scribe"}'],
                v['gate1367_reloads_total{result="taken"}'], v['gate1367_reloads_total{result="refused"}'])
    assert wait_until(lambda: counted() == (1, 0, 1, 1)), counted()


def test_the_dashboard_asks_for_what_there_is(gateway):
    """Every metric and label of every query exists; every panel has a title, a unit and a description."""
    board = json.loads((g.ROOT / "contrib/grafana/gate1367.json").read_text())
    text = gateway.admin("/metrics")[1]
    names = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    labels = set(re.findall(r"[{,]([a-z_]+)=", text)) | {"instance"}
    panels = [p for p in board["panels"] if p["type"] != "row"]
    asked = set()
    for p in panels:
        assert p["title"] and p["description"] and p["fieldConfig"]["defaults"]["unit"], p["title"]
        for target in p["targets"]:
            asked |= set(re.findall(r"gate1367_\w+", target["expr"]))
            used = {x for u in re.findall(r"by \(([a-z_, ]+)\)", target["expr"]) for x in u.split(", ")}
            used |= set(re.findall(r"[{,]([a-z_]+)=~?\"", target["expr"]))
            assert used <= labels, target["expr"]
            assert target["expr"].count("(") == target["expr"].count(")")
    assert asked <= names, asked - names
    # Nothing that is counted is missing from it.
    counted = {re.sub("_(bucket|sum|count)$", "", name) for name in names}
    assert counted == {re.sub("_(bucket|sum|count)$", "", name) for name in asked}
    ids = [p["id"] for p in board["panels"]]
    assert len(ids) == len(set(ids)) and len(panels) >= 12


@pytest.mark.whole("texts alone, nobody talks HTTP")
def test_every_event_of_the_log_stands_in_the_manual():
    sources = "".join(p.read_text() for p in sorted((g.ROOT / "src").rglob("*.c")))
    calls = re.findall(r'proxy_log\("[a-z]+", ([^;]*?), (?:NULL|"|\n)', sources) + re.findall(r'on_word\(c, ("[a-z_]+")', sources)
    events = {e for call in calls for e in re.findall(r'"([a-z_]+)"', call)} | {"log_lost"}
    manual = set(re.findall(r"`([a-z_]+)`", (g.ROOT / "docs/operate.md").read_text()))
    assert len(events) > 20 and events <= manual, events - manual


@pytest.mark.whole("texts alone, one gateway is asked for its metrics")
def test_every_metric_stands_in_the_manual(gateway):
    text = (g.ROOT / "docs/operate.md").read_text()
    table = text[text.index("| metric | tells |"):].split("\n\n")[0]
    told = set()
    for row in table.splitlines()[2:]:
        first = ""
        for name in re.findall(r"`([a-z_]+)(?:\{[a-z,]+\})?`", row.split("|")[1]):  # "requests_total", "_restricted_"
            told.add(f"{first}{name}total" if name.startswith("_") else name)
            first = first if name.startswith("_") else name.split("_")[0]
    names = {re.sub("^gate1367_|_(bucket|sum|count)$", "", re.split(r"[{ ]", line)[0])
             for line in gateway.admin("/metrics")[1].splitlines() if not line.startswith("#")}
    assert names <= told, names - told
    assert {name for name in told - names if not name.startswith(("witness_", "mirror_"))} == {"recipient"}


def promtool(*arguments, said):
    """Prometheus's own checker, where it is installed (Debian's prometheus)."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(["promtool", "check", *arguments], input=said, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_finds_nothing_wrong_with_the_metrics(gateway):
    fetch(gateway.port, "/api/persons", POLICE)
    promtool("metrics", said=gateway.admin("/metrics")[1])


def test_prometheus_reads_every_query_of_the_dashboard(tmp_path):
    """Each as a rule that records: so it is parsed, and its types are looked at."""
    board = json.loads((g.ROOT / "contrib/grafana/gate1367.json").read_text())
    asked = [t["expr"].replace("$__rate_interval", "5m") for p in board["panels"] for t in p.get("targets", [])]
    assert len(asked) > 50
    rules = {"groups": [{"name": "board", "rules": [{"record": f"board:{n}", "expr": e} for n, e in enumerate(asked)]}]}
    (tmp_path / "rules.json").write_text(json.dumps(rules))  # which is YAML
    promtool("rules", tmp_path / "rules.json", said=None)


UNIT = g.ROOT / "contrib/systemd/gate1367.service"


@pytest.fixture
def unit(tmp_path):
    """The unit with this build's program in the place of the installed one."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = UNIT.read_text().replace("/usr/bin/gate1367", str(g.BIN)).replace("man:gate1367(1)", "https://gate1367.example/")
    path = tmp_path / "gate1367.service"
    path.write_text(text)
    return path


def test_the_unit_is_one_that_systemd_takes(unit):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_unit_is_hardened(unit):
    """systemd's own measure: below 2 is what it calls OK; a line that is taken out is noticed."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=15", unit], capture_output=True, text=True)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze judges no files")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_unit_allows_what_the_program_calls(make_gateway, origin, unit, tmp_path):
    """Start, reload, traffic and stop under strace: every system call is in the unit's lists."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    if g.SANITIZED:
        pytest.skip("sanitizers call more")
    listed = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True)
    sets, name = {}, None
    for line in listed.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            name = word
            sets[name] = []
        elif name and word and not word.startswith("#"):
            sets[name].append(word)

    def expand(words):
        out = set()
        for w in words:
            out |= expand(sets[w]) if w.startswith("@") else {w}
        return out
    allowed = set()
    for value in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.M):
        allowed = allowed - expand(value[1:].split()) if value[0] == "~" else allowed | expand(value.split())
    gw = make_gateway(protected=["A012345678"], start=False)
    trace = tmp_path / "trace"
    gw.env["TRACED"] = "1"
    traced = tmp_path / "traced"
    traced.write_text(f'#!/bin/sh\nexec strace -f -qq -o {trace} {gw.binary} "$@"\n')
    traced.chmod(0o755)
    gw.binary = traced
    gw.start()
    origin.respond = lambda r: answer([{"aNumber": "A012345678"}])
    fetch(gw.port, "/inspect/x", POLICE)
    fetch(gw.port, "/inspect/x", OFFICER)
    serving = int(subprocess.run(["ps", "--ppid", str(gw.process.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()[0])
    os.kill(serving, signal.SIGHUP)
    assert wait_until(lambda: '"event":"reloaded"' in gw.stderr())
    os.kill(serving, signal.SIGTERM)
    assert gw.process.wait(30 * g.PATIENCE) == 0
    called = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text(), re.M))
    assert {"accept4", "prctl", "pwrite64"} <= called
    assert called <= allowed, called - allowed
