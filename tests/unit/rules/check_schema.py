"""Reads lines of JSON {"pack": text, "loader": bool, "agree": bool, "name": …} and holds the schema against the loader:
what the loader takes, the schema takes; what the loader refuses, the schema refuses where "agree" says so. Exit 1 where
it does not hold, 77 without python3-jsonschema."""
import json
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = seen = 0
    for line in sys.stdin:
        case = json.loads(line)
        taken = validator.is_valid(json.loads(case["pack"]))
        seen += 1
        if case["loader"] != taken and (case["loader"] or case["agree"]):
            wrong += 1
            print(f"{case['name']}: loader {case['loader']}, schema {taken}: {case['pack'][:400]}")
    print(f"{seen} packs, {wrong} disagreements")
    return 1 if wrong or not seen else 0


sys.exit(main())
