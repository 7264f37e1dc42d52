"""A disk of our own below a mounted file system, whose every write is known and any sector of which can be broken.

    image ── file ── blkdebug ── blklogwrites ── FUSE export ── loop device ── ext4

qemu-storage-daemon is all above the image. Its export (seen in 7.2) mixes up writes that it is asked for two at a time: so the
loop device has no direct I/O, which writes one after the other, each through to the export, and there is no read-ahead. Mounting
needs root, /dev/fuse and a free loop device; where they are missing `missing()` says which."""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import time

SECTOR = 512
TOOLS = ("qemu-storage-daemon", "mkfs.ext4", "losetup", "mount", "umount", "filefrag")


def _find(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _run(tool, *args):
    return subprocess.run([_find(tool), *map(str, args)], check=True, capture_output=True, text=True).stdout.strip()


def _can_mount():
    """A container may be root and yet not be let: only trying tells."""
    place = tempfile.mkdtemp(prefix="gate1367-mount-")
    try:
        image = os.path.join(place, "image")
        with open(image, "wb") as f:
            f.truncate(1 << 20)
        loop = _run("losetup", "-f", "--show", image)
        _run("losetup", "-d", loop)
        _run("mount", "-t", "ramfs", "none", place)
        _run("umount", place)
        return None
    except subprocess.CalledProcessError as e:
        return e.stderr.strip() or "mounting is refused"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def missing(tools=TOOLS):
    """Why no disk can be made here; None: it can."""
    absent = [t for t in tools if _find(t) is None]
    if absent:
        return f"{', '.join(absent)} not installed"
    if os.geteuid() != 0:
        return "mounting needs root"
    if "qemu-storage-daemon" in tools and not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    return _can_mount()


def format_image(path, size=40 << 20):
    with open(path, "wb") as f:
        f.truncate(size)
    _run("mkfs.ext4", "-q", "-F", "-b", 4096, "-E", "lazy_itable_init=0,lazy_journal_init=0", path)


class Mounted:
    """with Mounted(image, where): a plain loop mount. `through` a Disk, the disk's export is mounted."""

    def __init__(self, image, where, kind="ext4"):
        self.image, self.where, self.kind = image, pathlib.Path(where), kind

    def __enter__(self):
        self.where.mkdir(exist_ok=True)
        self.loop = _run("losetup", "-f", "--show", self.image)
        try:
            _run("mount", "-t", self.kind, self.loop, self.where)
        except subprocess.CalledProcessError:
            _run("losetup", "-d", self.loop)
            raise
        return self.where

    def __exit__(self, *failure):
        for _ in range(50):  # whoever was killed a moment ago may still hold it
            if subprocess.run([_find("umount"), self.where], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        else:
            _run("umount", "-l", self.where)
        _run("losetup", "-d", self.loop)


class Disk:
    """with Disk(image, broken=[sector], log=file) as device: writes to those sectors fail, and every write is logged."""

    def __init__(self, image, broken=(), log=None):
        self.image, self.broken, self.log = pathlib.Path(image), broken, log

    def __enter__(self):
        self.export = self.image.with_suffix(".export")
        self.export.touch()
        rules = [{"event": "none", "iotype": "write", "errno": 5, "sector": s, "once": False} for s in self.broken]
        nodes = [{"driver": "file", "node-name": "disk", "filename": str(self.image)},
                 {"driver": "blkdebug", "node-name": "top", "image": "disk", **({"inject-error": rules} if rules else {})}]
        if self.log:
            pathlib.Path(self.log).write_bytes(b"")
            nodes += [{"driver": "file", "node-name": "log", "filename": str(self.log)},
                      {"driver": "blklogwrites", "node-name": "logged", "file": "top", "log": "log"}]
        args = [a for n in nodes for a in ("--blockdev", json.dumps(n))]
        self.process = subprocess.Popen([_find("qemu-storage-daemon"), *args, "--export",
                                         f"type=fuse,id=e,node-name={nodes[-1]['node-name']},mountpoint={self.export},writable=on"],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        deadline = time.monotonic() + 20
        while self.export.stat().st_size != self.image.stat().st_size:
            assert self.process.poll() is None and time.monotonic() < deadline, self.process.stdout.read()
            time.sleep(0.02)
        device = self.export.stat().st_dev
        pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb").write_text("0")
        return self.export

    def __exit__(self, *failure):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


def sector_of(file, offset):
    """Where on its disk that byte of a file lies, by blocks of 4096."""
    text = _run("filefrag", "-v", "-b4096", file)
    for first, last, physical in re.findall(r"^ *\d+: +(\d+)\.\. +(\d+): +(\d+)\.\.", text, re.M):
        if int(first) <= offset // 4096 <= int(last):
            return (int(physical) + offset // 4096 - int(first)) * 8 + offset % 4096 // SECTOR
    raise AssertionError(text)


# ---- the log of writes, as the kernel's dm-log-writes has it ----------------------------------------------------------

FLUSH, FUA, DISCARD = 1, 2, 4


class Write:
    def __init__(self, sector, flags, data):
        self.sector, self.flags, self.data = sector, flags, data


def read_log(path, upto=None):
    """Every write in the log's first `upto` bytes, in order."""
    raw = pathlib.Path(path).read_bytes()[:upto]
    magic, version, _, size = struct.unpack_from("<QQQI", raw)
    assert magic == 0x6A736677736872 and version == 1
    at, writes = size, []
    while at + size <= len(raw):
        sector, sectors, flags, _ = struct.unpack_from("<QQQQ", raw, at)
        at += size
        length = 0 if flags & DISCARD else sectors * size
        if at + length > len(raw) or (sectors == 0 and flags == 0):
            break
        writes.append(Write(sector * size, flags, raw[at:at + length]))
        at += length
    return writes


def replay(base, writes, out, keeps):
    """What a disk holds after them: everything that was flushed, and of what came after the last flush what `keeps` says."""
    last = max((i for i, w in enumerate(writes) if w.flags & FLUSH), default=-1)
    shutil.copy(base, out)
    with open(out, "r+b") as f:
        for i, w in enumerate(writes):
            if i <= last or w.flags & FUA or keeps(w):
                f.seek(w.sector)
                f.write(w.data)
