"""Durable decisions: each released only after its signed frame is on the disk that holds the build."""
import shutil

from harness import micro, place


def run(quick):
    report = place.Report("ledger")
    report.say("Two producers and a scribe, real processes, a real directory; a decision counts when its producer has seen "
               "it durable. At a steady rate the clock runs from when an entry was due. The bars' latency is that of the first row at "
               "30,000/s; the last row has the same rate while what the rows between left behind is still being published.", "")
    directory = place.WORK / "ledger"
    shutil.rmtree(directory, ignore_errors=True)
    place.WORK.mkdir(parents=True, exist_ok=True)
    try:
        text = micro.run("ledger_commit", directory, timeout=300)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    micro.show(report, "bench_ledger_commit", text)
    steady = r"^\|[^|]*\| 30000/s \| (?:\d+) \| "
    def thousandth(us):
        return None if us is None else us / 1000
    most = [float(row.split("|")[3]) for row in text.splitlines() if "| max |" in row]
    micro.bars(report, [
        ("decisions a second, thousands", max(most) / 1000 if most else None, 30, 100, False),
        ("latency at 30,000/s, p50 ms", thousandth(micro.figure(text, steady + r"(\d+)")), 1, 0.5, True),
        ("latency at 30,000/s, p99 ms", thousandth(micro.figure(text, steady + r"\d+ \| (\d+)")), 3, 1, True),
        ("verify, M leaves/s", micro.figure(text, r"([\d.]+) M leaves/s"), 0.5, 2, False),
        ("disk ÷ (1.15 × leaf + 33 B), segments recycled", micro.figure(text, r"leaf of [\d.]+ bytes, ([\d.]+) of"), 1, 1, True)])
    report.close()
    return 0
