"""The index of protected persons at size."""
from harness import micro, place


def run(quick):
    report = place.Report("registry")
    persons, lookups = (1_000_000, 500_000) if quick else (10_000_000, 2_000_000)
    report.say("Best of seven rounds, in CPU time of the thread. \"floor\" is what memory alone costs: one random line of the "
               "same table, prefetched.", "")
    text = micro.run("registry_probe", "--persons", persons, "--keys", 4, "--lookups", lookups)
    micro.show(report, f"bench_registry_probe --persons {persons} --keys 4 --lookups {lookups}", text)
    ns = r"\s+([\d.]+) ns a look-up"
    micro.bars(report, [
        ("bytes a key", micro.figure(text, r"([\d.]+) bytes a key"), 16, 12, True),
        ("a miss, ns, in batches of 16", micro.figure(text, "^miss, batch 16" + ns), 40, 15, True),
        ("a hit, ns, in batches of 16", micro.figure(text, "^hit, batch 16" + ns), 120, 120, True)])
    report.close()
    return 0
