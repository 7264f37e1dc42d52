"""Reader, and reader with matching."""
from harness import micro, people, place


def run(quick):
    report = place.Report("parts", ("libvectorscan-dev", "libpcre2-dev"))
    report.say("One core; the best of many rounds, in CPU time of the process where others could be in the way. The reader "
               "alone builds no tree and gives every event; matching looks up every candidate.", "")
    reader = micro.run("doc_reader")
    micro.show(report, "bench_doc_reader", reader)
    persons = 100_000 if quick else people.PERSONS
    match = micro.run("match_list", "--persons", persons, "--runs", 20 if quick else 100)
    micro.show(report, f"bench_match_list --persons {persons}", match)
    micro.bars(report, [(f"reader and matching, GB/s, 1.2 MB, {persons} persons",
                         micro.figure(match, r"^reader \+ matching\s+([\d.]+) GB/s"), 1.5, 3.0, False)])
    report.close()
    return 0
