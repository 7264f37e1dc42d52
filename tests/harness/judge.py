"""What the shipped pack says of many values at once: each becomes a record of one list, which `rules explain` looks at."""
import json
import re

from harness import gateway as g

PROFILE = {"format": 1, "pack": "judged", "version": "1", "profiles": [
    {"id": "judged", "title": "Judged values", "documents": [{"path": "/judged", "units": ["$.items[*]"]}]}]}
SECTION = g.ROOT / "rules/section-1367.json"


def config(directory, people=()):
    """A gate.json with these people in its registry; nothing is started."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "judged.json").write_text(json.dumps(PROFILE))
    return g.Gateway(directory, "http://127.0.0.1:9", protected=people, packs=[str(SECTION), "judged.json"], ledger=False,
                     start=False, routes=[{"path": "/judged", "upstream": "records", "profile": "judged"}])


def judge(gateway, items):
    """For each item: {"definitive": rules, "suspected": rules, "registry": kinds, "other": …, "withheld": bool}."""
    (gateway.dir / "judged-list.json").write_text(json.dumps({"items": items}))
    done = g.run("rules", "explain", "judged-list.json", "-c", "gate.json", "--profile", "judged", "--recipient",
                 "state-police", "--json", cwd=gateway.dir, timeout=60)
    assert done.stdout, done.stderr
    seen = [{"definitive": set(), "suspected": set(), "registry": set(), "other": set(), "withheld": False} for _ in items]
    answer = json.loads(done.stdout)
    for finding in answer["findings"]:
        at = seen[int(re.match(r"\$\.items\[(\d+)\]", finding["unit"]).group(1))]
        origin = finding["origin"].split()[0]
        at[origin if origin in at else "other"].add(finding.get("kind") or finding.get("rule"))
    for withheld in answer.get("withheld", []):
        seen[int(re.match(r"\$\.items\[(\d+)\]", withheld["path"]).group(1))]["withheld"] = True
    return seen


def strength(seen):
    return "definitive" if seen["definitive"] else "suspected" if seen["suspected"] else "nothing"
