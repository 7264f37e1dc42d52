"""Adds up CTest's JUnit files and ends with one plain line: N passed, N failed, N skipped."""
import sys
import xml.etree.ElementTree as xml


def verdict(case):
    """A test that could not even start is a failure, however CTest words it."""
    status = case.get("status")
    if status == "run":
        return "passed"
    skipped = case.find("skipped")
    if status in ("notrun", "disabled") and skipped is not None and "SKIP_" in skipped.get("message", ""):
        return "skipped"
    return "failed"


def main(paths):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        try:
            cases = xml.parse(path).getroot().iter("testcase")
        except (OSError, xml.ParseError) as error:
            print(f"{path}: no results: {error}")
            counts["failed"] += 1
            continue
        for case in cases:
            kind = verdict(case)
            counts[kind] += 1
            if kind != "passed":
                print(f"{kind}: {case.get('name')} ({path.split('/')[-2]})")
    print(", ".join(f"{n} {kind}" for kind, n in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
