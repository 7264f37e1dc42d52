"""The disk itself: a sector that cannot be written, and a cache that loses or tears what was never flushed. Below the gateway
stands a whole file system on a disk whose every write is known (tests/harness/block.py)."""
# ctest: release timeout=600
import os
import random
import shutil
import subprocess

import pytest

from harness import block
from harness.client import OFFICER, POLICE, Client, wait_until
from harness.gateway import SANITIZED, Gateway
from harness.origin import Origin, answer

POINTS = int(os.environ.get("GATE1367_BLOCK_POINTS", "5"))
SEED = int(os.environ.get("GATE1367_SEED", "1367"))
WHY = block.missing()
PEOPLE = [{"personId": 1}, {"aNumber": "A012345678"}]
pytestmark = pytest.mark.skipif(SANITIZED or WHY is not None, reason=WHY or "needs no sanitizers")


@pytest.fixture(scope="module")
def people():
    with Origin(lambda r: answer(PEOPLE)) as origin:
        yield origin


@pytest.fixture(scope="module")
def base(tmp_path_factory, people):
    """An image with an empty ledger on it, and the gateway's other files beside it."""
    place = tmp_path_factory.mktemp("disk")
    block.format_image(place / "image")
    with block.Mounted(place / "image", place / "mnt"):
        config = {"ledger": {"directory": "../mnt/ledger", "key": "ledger.key", "origin": "gate1367.example/test"}}
        gw = Gateway(place / "gw", people.url, protected=["A012345678"], config=config, ledger=False, start=False)
        made = gw.command("log", "init", "-c", "gate.json", "--segment", "1MiB")
        assert made.returncode == 0, made.stderr
        gw.vkey = made.stdout.strip().splitlines()[-1]
    return place, gw


def here(base, tmp_path, faults=None):
    """A copy of it all, for one test to break; the gateway is not started."""
    place, made = base
    for name in ("gw", "image"):
        (shutil.copytree if name == "gw" else shutil.copy)(place / name, tmp_path / name)
    gw = Gateway.__new__(Gateway)
    gw.__dict__.update(made.__dict__, dir=tmp_path / "gw", env={"GATE1367_FAULTS": faults} if faults else {}, process=None)
    return gw


def ask(gw, who=POLICE):
    """Id and status of one answer."""
    with Client(gw.port, who) as c:
        r = c.get("/inspect/x")
    return r.header("Request-Id"), r.status


def asked(gw, n):
    """Ids of that many answers, which all arrive; both kinds of recipient."""
    answers = [ask(gw, (POLICE, OFFICER)[i % 2]) for i in range(n)]
    assert {status for _, status in answers} == {200}, gw.stderr()
    return [name for name, _ in answers]


def on_record(gw):
    return {e["request"] for e in gw.entries() if e["event"] in ("disclosure", "refusal")}


def verify(gw):
    said = gw.command("log", "verify", "-c", "gate.json")
    assert said.returncode == 0, (said.stdout, said.stderr)


def end_of_frames(segment):
    data = segment.read_bytes().rstrip(b"\0")
    return (len(data) + 4095) // 4096 * 4096


def serve_until_it_breaks(gw):
    """(ids of what was released, status of all after the first that was not)."""
    released, after = [], []
    for _ in range(200):
        name, status = ask(gw)
        (released if status == 200 and not after else after).append(name if status == 200 and not after else status)
        if len(after) == 10:
            break
    return released, after


# `direct@scribe`: the file system refuses O_DIRECT, so that frames go through the page cache and fdatasync
@pytest.mark.parametrize("faults", [None, "direct@scribe:1+"])
def test_a_sector_that_cannot_be_written(base, tmp_path, faults):
    """After one EIO nothing is released any more; the restart believes the disk and not what the page cache shows."""
    gw = here(base, tmp_path, faults)
    mnt, segment = tmp_path / "mnt", tmp_path / "mnt/ledger/wal/00000000000000000000.wal"
    with block.Mounted(tmp_path / "image", mnt):
        gw.start()
        first = asked(gw, 3)
        assert gw.stop() == 0
        broken = block.sector_of(segment, end_of_frames(segment) + 8 * 4096)
    with block.Disk(tmp_path / "image", broken=[broken]) as export:
        with block.Mounted(export, mnt):
            gw.start()
            released, after = serve_until_it_breaks(gw)
            assert released and after == [502] * 10, "after the error not one answer more"
            assert gw.stop() == 74
            held = on_record(gw)
            assert set(first + released) <= held
            # The disk is as broken as before: it starts, for what it reads is whole, and its first write there is its last again.
            gw.start(wait=False)
            assert wait_until(lambda: gw.process.poll() is not None or "\nready: " in gw.stderr()[gw.before:])
            if gw.process.poll() is None:
                gw.wait_ready()
                again, then = serve_until_it_breaks(gw)
                assert then[-1:] == [502] and set(again) <= on_record(gw)
                released += again
            assert gw.stop() == 74
    with block.Mounted(tmp_path / "image", mnt):  # no cache of that time is left
        held = on_record(gw)
        assert set(first + released) <= held
        verify(gw)
        gw.start()
        assert ask(gw)[1] == 200
        assert gw.stop() == 0
        verify(gw)


def logged_life(gw, tmp_path):
    """[(id, bytes of the log when the answer was there)]"""
    log, released = tmp_path / "writes", []
    with block.Disk(tmp_path / "image", log=log) as export:
        with block.Mounted(export, tmp_path / "mnt"):
            gw.start()
            for _ in range(40):
                released += [(name, log.stat().st_size) for name in asked(gw, 1)]
            assert gw.stop() == 0
    return log, released


@pytest.mark.parametrize("faults", [None, "direct@scribe:1+"])
def test_a_cache_that_loses_what_was_not_flushed(base, tmp_path, faults):
    """The power fails when an answer has just arrived, and the disk's own cache loses all, keeps some, or keeps all of what it was
    not told to flush: every answer that arrived is on record, the ledger is sound, and the gateway goes on."""
    gw = here(base, tmp_path, faults)
    shutil.copy(tmp_path / "image", tmp_path / "before")
    log, released = logged_life(gw, tmp_path)
    chance = random.Random(SEED)
    points = sorted(chance.sample(range(len(released)), min(POINTS, len(released))))
    for n in points:
        writes = block.read_log(log, released[n][1])
        share = chance.choice((0, 0.5, 1))
        block.replay(tmp_path / "before", writes, tmp_path / "image", lambda w: chance.random() < share)
        with block.Mounted(tmp_path / "image", tmp_path / "mnt"):
            gone = {name for name, _ in released[:n + 1]} - on_record(gw)
            assert not gone, (SEED, n, share, len(writes), gone)
            verify(gw)
            if n == points[-1] or n == points[0]:
                gw.start()
                asked(gw, 1)
                assert gw.stop() == 0
                verify(gw)


ROOMY = """
#include <string.h>
#include <sys/statvfs.h>
int statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    memset(out, 0, sizeof *out);
    out->f_bsize = out->f_frsize = 4096;
    out->f_blocks = out->f_bfree = out->f_bavail = 1 << 20;
    return 0;
}
"""


@pytest.fixture
def ramfs(tmp_path):
    """A file system that refuses O_DIRECT, and a library that says for it that there is room: it does not say itself."""
    if shutil.which("strace") is None or shutil.which("gcc") is None:
        pytest.skip("needs strace and gcc")
    (tmp_path / "roomy.c").write_text(ROOMY)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", tmp_path / "roomy.so", tmp_path / "roomy.c"], check=True)
    mnt = tmp_path / "mnt"
    mnt.mkdir()
    subprocess.run(["mount", "-t", "ramfs", "none", mnt], check=True)
    yield mnt
    subprocess.run(["umount", "-l", mnt], check=True)


def test_a_file_system_that_has_no_direct_io(people, ramfs, tmp_path):
    """Every frame is followed by fdatasync, and one that fails is the end: what was answered stands, and nothing after it."""
    with pytest.raises(OSError, match="Invalid argument"):
        os.close(os.open(ramfs / "x", os.O_CREAT | os.O_RDWR | os.O_DIRECT))
    config = {"ledger": {"directory": str(ramfs / "ledger"), "key": "ledger.key", "origin": "gate1367.example/test"}}
    with Gateway(tmp_path / "gw", people.url, protected=["A012345678"], config=config, env={"LD_PRELOAD": str(tmp_path / "roomy.so")}) as gw:
        released = asked(gw, 5)
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                                   "inject=fdatasync:error=EIO:syscall=getpid:when=3+", "-p", str(gw.children("scribe")[0])])
        more, after = serve_until_it_breaks(gw)
        tracer.terminate()
        tracer.wait(20)
        assert after == [502] * 10 and set(released + more) <= on_record(gw)
        assert gw.stop() == 74
        verify(gw)
        gw.start()
        released += more + asked(gw, 1)
        assert gw.stop() == 0 and set(released) <= on_record(gw)
        verify(gw)
