"""The demo as a newcomer runs it: everything holds, nothing stays behind; --keep runs until Ctrl-C."""
import os
import re
import signal
import subprocess

from harness.gateway import BIN, PATIENCE


def environment(tmp_path):
    return {**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "140"}


def test_all_of_it_holds(tmp_path):
    done = subprocess.run([BIN, "demo"], text=True, capture_output=True, env=environment(tmp_path), timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("all of it held")
    assert "the same bytes" in done.stdout and "sound:" in done.stdout and "NOT SOUND" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_police_columns_never_hold_her(tmp_path):
    shown = subprocess.run([BIN, "demo"], text=True, capture_output=True, env=environment(tmp_path), timeout=60 * PATIENCE).stdout
    number = re.search(r'"personId": 1007,.*?"aNumber": "(A[0-9-]+)"', shown, re.S).group(1)
    rows = [line.split("│") for line in shown.splitlines() if line.count("│") == 3]
    assert any(number in row[0] for row in rows)
    assert not any(number in cell or "1007" in cell for row in rows for cell in row[2:])


def test_keep_runs_until_interrupted(tmp_path):
    kept = subprocess.Popen([BIN, "demo", "--keep"], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=environment(tmp_path))
    try:
        lines = []
        for line in kept.stdout:
            lines.append(line)
            if "log follow" in line:
                break
        curl = next(line for line in lines if "police.pem" in line).split("curl ", 1)[1].split()
        got = subprocess.run(["curl", "-s", *[x.strip("'") for x in curl]], text=True, capture_output=True, timeout=20 * PATIENCE)
        assert got.returncode == 0 and "200 OK" in got.stdout and "Section-1367" not in got.stdout
    finally:
        kept.send_signal(signal.SIGINT)
        assert kept.wait(timeout=30 * PATIENCE) == 0
    assert list(tmp_path.iterdir()) == []
