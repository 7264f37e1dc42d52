"""The report as a page in a browser: drawn whole, light and dark, wide and narrow, without a word on its console."""
# ctest: release
import pathlib
import re
import shutil
import struct
import subprocess
import zlib

import pytest

from harness.client import ANONYMOUS, OFFICER, POLICE, fetch
from harness.gateway import PATIENCE
from harness.origin import answer

pytestmark = pytest.mark.whole("a page is looked at, nobody talks HTTP")
BROWSER = shutil.which("chromium")


def browse(page, *args):
    done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
                           "--enable-logging=stderr", f"--user-data-dir={page.parent / 'profile'}", *args, page.as_uri()],
                          capture_output=True, text=True, timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "CONSOLE" not in done.stderr, re.findall(r".*CONSOLE.*", done.stderr)
    return done.stdout


def pixels(png):
    """Width, height and the lines of a PNG of eight bits a sample (the filters of PNG, section 9)."""
    raw, at, data = png.read_bytes(), 8, b""
    width, height, depth, kind = struct.unpack(">IIBB", raw[16:26])
    assert depth == 8
    while at < len(raw):
        n, = struct.unpack(">I", raw[at:at + 4])
        data += raw[at + 8:at + 8 + n] if raw[at + 4:at + 8] == b"IDAT" else b""
        at += n + 12
    step, plain, before, lines = {2: 3, 6: 4}[kind], zlib.decompress(data), bytearray(width * {2: 3, 6: 4}[kind]), []
    for y in range(height):
        line = bytearray(plain[y * (len(before) + 1) + 1:(y + 1) * (len(before) + 1)])
        how = plain[y * (len(before) + 1)]
        for i in range(len(line) if how else 0):
            a, b, c = line[i - step] if i >= step else 0, before[i], before[i - step] if i >= step else 0
            p = a + b - c
            paeth = a if abs(p - a) <= abs(p - b) and abs(p - a) <= abs(p - c) else b if abs(p - b) <= abs(p - c) else c
            line[i] = line[i] + (0, a, b, (a + b) // 2, paeth)[how] & 255
        lines.append([bytes(line[i:i + 3]) for i in range(0, len(line), step)])
        before = line
    return width, height, lines


@pytest.mark.skipif(not BROWSER, reason="chromium is not installed")
def test_the_quarterly_page(make_gateway, origin, tmp_path):
    origin.respond = lambda r: answer([{"aNumber": "A012345678"}, {"x": 1}])
    gw = make_gateway(protected=["A012345678"])
    for who in (OFFICER, POLICE, POLICE, ANONYMOUS):
        fetch(gw.port, "/inspect/x", who)
    page = tmp_path / "q.html"
    assert gw.command("report", "quarterly", "-c", "gate.json", "--format", "html", "-o", page).returncode == 0
    dom = browse(page, "--dump-dom")
    assert len(re.findall(r"<svg[^>]*role=\"img\"", dom)) == 3 and dom.count("<table>") == 4
    seen = {}
    for name, size, more in (("light", "600,900", ()), ("dark", "600,900", ("--force-dark-mode", "--blink-settings=preferredColorScheme=0"))):
        shot = tmp_path / f"{name}.png"
        browse(page, f"--screenshot={shot}", f"--window-size={size}", *more)
        width, height, lines = pixels(shot)
        assert (width, height) == tuple(int(x) for x in size.split(","))
        colours = {}
        for line in lines:
            for c in line:
                colours[c] = colours.get(c, 0) + 1
        seen[name] = max(colours, key=colours.get)
        assert len(colours) > 20 and colours[seen[name]] < 0.95 * width * height, name  # there is something on it
    assert sum(seen["light"]) > 700 and sum(seen["dark"]) < 200, seen
