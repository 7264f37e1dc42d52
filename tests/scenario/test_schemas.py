# ctest: release
"""The JSON Schemas against the loaders, both ways: what a loader takes the schema takes, and what the schema refuses the
loader refuses. What only a loader can know (files, names that refer to each other) is told apart by hand."""
import copy
import json

import jsonschema
import pytest

from harness.gateway import FEW, RECIPIENTS, ROOT, run

pytestmark = pytest.mark.whole("files alone, nobody talks HTTP")
PACKS = FEW

GATE = json.loads((ROOT / "schema/gate.schema.json").read_text())
PEOPLE = json.loads((ROOT / "schema/recipients.schema.json").read_text())
PAIRS = json.loads((ROOT / "schema/pairs.schema.json").read_text())
SOURCE = json.loads((ROOT / "schema/registry-source.schema.json").read_text())


def valid(schema, value):
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def changed(value, path, new):
    """A copy with the value at the path replaced, or removed where new is ...; a path may lead to a new member."""
    value = copy.deepcopy(value)
    at = value
    for step in path[:-1]:
        at = at[step]
    if new is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return value


@pytest.mark.parametrize("schema", [GATE, PEOPLE, SOURCE, PAIRS], ids=["gate", "recipients", "registry", "pairs"])
def test_schemas_are_schemas(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


GATE_CHANGES = [
    ((["format"], 2)), (["format"], ...), (["listen"], ...), (["listen"], []), (["listen", 0, "address"], ...),
    (["listen", 0, "address"], "nowhere"), (["listen", 0, "tls", "key"], 7), (["listen", 0, "tls", "client_certificate"], "yes"),
    (["listen", 0, "cert"], "x"), (["workers"], -1), (["workers"], "2"), (["upstreams"], {}), (["upstreams", "records", "servers"], []),
    (["upstreams", "records", "servers", 0], "ftp://x"), (["upstreams", "records", "servers", 0], "http://127.0.0.1:9/path"),
    (["upstreams", "records", "keepalive"], "many"), (["upstreams", "records", "timeout"], {"connect": "2"}),
    (["upstreams", "records", "timeout"], {"connect": "3s"}), (["routes"], []), (["routes", 0, "path"], "api"),
    (["routes", 0, "unprofiled"], "maybe"), (["routes", 0, "public"], "yes"), (["routes", 0, "restricted_methods"], ["TRACE"]),
    (["routes", 0, "restricted_methods"], ["GET", "POST"]), (["routes", 0, "forward"], ["a b"]), (["routes", 0, "forward"], ["x-a"]),
    (["routes", 0, "statistical"], {"minimum_cell": 11}), (["rules"], []), (["rules"], "x.json"), (["registry", "max_age"], "7d"),
    (["registry", "max_age"], "0s"), (["registry", "max_age"], "a week"), (["registry", "max_age"], 7),
    (["registry", "key"], ...), (["grants"], {"directory": "g", "approvers": "a"}), (["ledger", "origin"], "a b"),
    (["ledger", "auditors"], []), (["ledger", "auditors"], "a.pem"), (["ledger", "auditors"], [7]), (["limits"], {"memory": "512MiB"}), (["limits"], {"requests": 0}), (["limits"], {"connections": 5}), (["limits"], {"connections": 524289}), (["limits"], {"depth": 0}),
    (["limits"], {"depth": 64, "record": "1MiB", "header": 4096}), (["limits"], {"record": "1 MB"}), (["pace"], "10"), (["pace"], "20ms"), (["pace"], {"floor": "80ms", "grid": "20ms"}), (["pace"], {"floor": "80ms"}), (["pace"], 10),
    (["pace"], {"floor": "80ms", "grid": "20ms", "step": "1ms"}), (["routes", 0, "pace"], "0ms"), (["routes", 0, "pace"], "soon"),
    (["routes", 0, "pace"], {"floor": "80ms", "grid": "20"}), (["routes", 0, "pace"], {"floor": "80ms", "grid": "80ms"}),
    (["cursors"], {"expiry": "2h"}), (["cursors"], {"expiry": "0s"}), (["cursors"], {"expiry": "900ms"}), (["cursors"], {"keys": "x"}),
    (["cursors"], {"key": 7}), (["cursors"], []), (["admin"], {"address": "127.0.0.1:0", "sockt": "x"}), (["$schema"], "schema/gate.schema.json"), (["comment"], "x"),
    (["format"], 1.0), (["workers"], 1.0), (["workers"], 1.5), (["limits"], {"depth": 64.0, "header": 4096.0}), (["limits"], {"record": "1048576"}),
    (["listen", 0, "tls", "client_ca"], ...), (["admin"], {"address": "127.0.0.1:0", "socket": ""}),
    (["upstreams", "records", "timeout"], {"connect": "0s"}), (["upstreams", "records", "timeout"], {"response": "000ms"}),
]


def test_gate_json(make_gateway):
    gw = make_gateway(start=False)
    base = copy.deepcopy(gw.config)
    for path, new in [([], None)] + GATE_CHANGES:
        gw.config = changed(base, path, new) if path else base
        gw.write_config()
        taken = gw.command("check", "-c", "gate.json").returncode == 0
        assert taken == valid(GATE, gw.config), (path, new, taken)


PEOPLE_CHANGES = [
    (["format"], 0), (["recipients"], ...), (["recipients", 0, "id"], ...), (["recipients", 0, "agency"], "FBI"),
    (["recipients", 0, "standing"], "officer"), (["recipients", 0, "conduit"], "no"), (["recipients", 0, "match"], {}),
    (["recipients", 0, "match"], {"token": {"issuer": "i", "audience": "a"}}), (["recipients", 0, "trusted_proxy"], True),
    (["recipients", 0, "trusted_proxy"], False),
    (["recipients", 3], {"id": "edge", "trusted_proxy": True, "match": {"certificate": {"issuer": {"CN": "Edge CA"}}}}),
    (["recipients", 3], {"id": "edge", "trusted_proxy": True, "match": {"certificate": {"subject": {"CN": "Edge CA"}}}}),
    (["recipients", 3], {"id": "edge", "trusted_proxy": True, "agency": "DHS", "match": {"certificate": {"issuer": {"CN": "E"}}}}),
    (["recipients", 3], {"id": "edge", "match": {"certificate": {"issuer": {"CN": "Edge CA"}}}}),
    (["recipients", 0, "match", "certificate", "fingerprint"], "12"), (["recipients", 0, "match", "certificate", "policy"], "x"),
    (["recipients", 0, "match", "certificate", "policy"], "1.2.3"), (["recipients", 0, "match", "certificate", "san"], {"ip": "x"}),
    (["recipients", 0, "purposes"], "adjudication"), (["recipients", 0, "colour"], "red"), (["departmental_issuers"], [{}]),
    (["departmental_issuers"], ...), (["recipients", 3, "address"], 7),
    (["recipients", 0, "match", "certificate", "san"], {"dns": ""}), (["recipients", 0, "purposes"], ["adjudication", "adjudication"]),
    (["recipients", 0, "purposes"], ["a" * 129]), (["recipients", 0, "id"], "a" * 129), (["recipients", 0, "id"], "anonymous"),
    (["departmental_issuers"], [{"$schema": "x"}]), (["departmental_issuers"], [{"2.5.4.3": "x"}]), (["departmental_issuers"], [{"commonName": "x"}]),
]


def test_recipients_json(make_gateway):
    gw = make_gateway(start=False)
    for path, new in [([], None)] + PEOPLE_CHANGES:
        people = changed(RECIPIENTS, path, new) if path else RECIPIENTS
        gw.write("recipients.json", people)
        taken = gw.command("check", "-c", "gate.json").returncode == 0
        assert taken == valid(PEOPLE, people), (path, new, taken)


ASKED = {"format": 1, "clients": {"police": {"certificate": "state-police.pem", "key": "state-police.key", "headers": {"Accept": "a/b"}}},
         "next": "/n?x=1", "pairs": [{"name": "n", "as": "police", "ways": ["warm"], "absent": "/a",
                                      "withheld": {"path": "/b", "method": "POST", "headers": {"X": "y"}, "body": "z"}}]}
PAIR = ["pairs", 0]
ASKED_CHANGES = [
    (["format"], 2), (["gateway"], {"name": "localhost"}), (["gateway"], {"host": "x"}), (["gateway"], {"ca": 1}), (["clients"], []),
    (["clients", "police", "key"], ...), (["clients", "police", "purpose"], "adjudication"), (["clients", "police", "purpose"], "a b"),
    (["clients", "police", "headers", "Accept"], "a\tb"), (["clients", "police", "headers", "Accept"], "a\nb"),
    (["clients", "police", "headers", "Host"], "x"), (["clients", "police", "headers", "connection"], "close"), (["next"], "n"),
    (["next"], ...), (["pairs"], []), (["pairs"], ...), (PAIR + ["name"], ...), (PAIR + ["as"], ...), (PAIR + ["ways"], []),
    (PAIR + ["ways"], ["hot"]), (PAIR + ["ways"], ...), (PAIR + ["ways"], ["cold", "next", "neighbour"]), (PAIR + ["absent"], ...),
    (PAIR + ["absent"], "a"), (PAIR + ["absent"], "/a b"), (PAIR + ["absent"], "/a#b"), (PAIR + ["absent"], "/é"), (PAIR + ["absent"], 7),
    (PAIR + ["withheld", "path"], ...), (PAIR + ["withheld", "method"], "CONNECT"), (PAIR + ["withheld", "method"], "P UT"),
    (PAIR + ["withheld", "method"], "HEAD"), (PAIR + ["withheld", "headers"], {"a b": "c"}), (PAIR + ["withheld", "headers"], {"A": 1}),
    (PAIR + ["withheld", "body"], ["x"]), (PAIR + ["withheld", "cookie"], "x"), (["comment"], "x"), (["$schema"], "pairs.schema.json"),
]


def test_pairs_file(make_gateway):
    """Taken: the prober goes on, and finds nobody on that port."""
    gw = make_gateway(start=False)
    for name in ("state-police.pem", "state-police.key"):
        (gw.dir / name).write_bytes((gw.certs / name).read_bytes())
        (gw.dir / name).chmod(0o600)
    for path, new in [([], None)] + ASKED_CHANGES:
        asked = changed(ASKED, path, new) if path else ASKED
        (gw.dir / "pairs.json").touch(0o600)
        gw.write("pairs.json", asked)
        done = gw.command("probe", "-c", "gate.json", "--pairs", "pairs.json", "--listener", "127.0.0.1:1", "--count", 1)
        assert done.returncode in (1, 2) and ("connect failed" in done.stderr) == (done.returncode == 2), done.stderr
        assert (done.returncode == 2) == valid(PAIRS, asked), (path, new, done.stderr)


def test_what_the_pairs_schema_cannot_know(make_gateway):
    gw = make_gateway(start=False)
    for path, new, why in ((PAIR + ["as"], "polce", 'there is no client "polce"; did you mean "police"?'),
                           (["clients", "police", "certificate"], "gone.pem", "gone.pem: No such file"),
                           (["gateway"], {"name": "a b"}, "no host name")):
        asked = changed(ASKED, path, new)
        for key in ("certificate", "key"):
            if asked["clients"]["police"][key].startswith("state"):
                asked["clients"]["police"][key] = str(gw.certs / asked["clients"]["police"][key])
        (gw.dir / "pairs.json").touch(0o600)
        gw.write("pairs.json", asked)
        done = gw.command("probe", "-c", "gate.json", "--pairs", "pairs.json", "--listener", "127.0.0.1:1")
        assert done.returncode == 1 and why in done.stderr and "pairs.json:" in done.stderr, done.stderr


PERSON = {"subject": "S-1", "cases": [{"id": "C-1", "benefit": "U", "role": "principal", "status": "pending", "recorded": "2026-10-01"}],
          "names": [{"given": "Ada", "surname": "Test"}], "dob": "1987-03-04",
          "identifiers": [{"kind": "alien_number", "value": "A012345678"}]}
PERSON_CHANGES = [
    (["subject"], ...), (["subject"], ""), (["cases", 0, "status"], ...), (["cases", 0, "status"], "unheard_of"),
    (["cases", 0, "benefit"], "X"), (["cases", 0, "role"], "friend"), (["cases"], {}), (["identifiers", 0, "kind"], "number"),
    (["identifiers", 0, "value"], ...), (["identifiers", 0, "confidential"], "yes"), (["identifiers", 0, "value"], 12345678),
    (["names", 0, "nick"], "x"), (["dob"], 1987), (["age"], 30),
    (["$schema"], "registry-source.schema.json"), (["dob"], "4 March 1987"), (["dob"], "1987-13-04"), (["cases", 0, "recorded"], ""),
    (["identifiers", 0], {"kind": "person_id", "value": "17"}), (["identifiers", 0], {"kind": "person_id", "value": "17", "system": " "}),
    (["identifiers", 0], {"kind": "person_id", "value": "17", "system": "earm"}), (["identifiers", 0, "system"], "earm"),
    (["identifiers", 0], {"kind": "event_number", "value": "17", "system": "s" * 65}),
]


def test_registry_source(tmp_path):
    for i, (path, new) in enumerate([([], None)] + PERSON_CHANGES):
        person = changed(PERSON, path, new) if path else PERSON
        (tmp_path / "s.jsonl").write_text(json.dumps(person) + "\n")
        taken = run("registry", "build", "s.jsonl", "-o", f"{i}.idx", "--key", "k", cwd=tmp_path).returncode == 0
        assert taken == valid(SOURCE, person), (path, new, taken)


PACK = json.loads((ROOT / "rules/schema/rules.schema.json").read_text())
RULES = {"format": 1, "pack": "x", "version": "1",
         "identifiers": [{"id": "a", "title": "t", "why": "w", "kind": "alien_number", "bare": "labelled", "width": 9, "labels": ["alien"],
                          "tests": {"match": [{"alien": "012345678"}], "ignore": ["x"]}}],
         "markers": [{"id": "m", "title": "t", "why": "w", "values": ["384"], "labels": ["coa"], "strength": "definitive",
                      "tests": {"match": [{"coa": "384"}], "ignore": ["x"]}},
                     {"id": "f", "title": "t", "why": "w", "pattern": "I-?918", "literals": ["918"], "strength": "suspected",
                      "tests": {"match": ["I-918"], "ignore": ["x"]}}],
         "profiles": [{"id": "p", "title": "t", "documents": [
             {"path": "/a", "units": ["$.i[*]"], "uniform": ["$.u"], "links": ["$.i[*].l"], "headers": ["X-A"], "only": {"$.i[*].s": [200]},
              "miss": {"status": 404, "type": "a/b", "body": ""}},
             {"path": "/g", "units": ["$"], "graph": {"id": ["@id"]}}]}]}
DOCUMENT = ["profiles", 0, "documents", 0]
RULES_CHANGES = [
    (["format"], 1.0), (["identifiers", 0, "width"], 9.0), (["identifiers", 0, "width"], 9.5), (["identifiers", 0, "labels"], ["alien", "alien"]),
    (["identifiers", 0, "labels"], ["a" * 128]), (["identifiers", 0, "labels"], ["a" * 129]), (["identifiers", 0, "labels"], ["a-" * 128 + "*"]),
    (["markers", 0, "values"], ["384", "384"]), (["markers", 0, "values"], ["3" * 65]), (["markers", 1, "literals"], ["918", "918"]),
    (DOCUMENT + ["units"], ["$.i[*]", "$.i[*]"]), (DOCUMENT + ["uniform"], ["$.u", "$.u"]), (DOCUMENT + ["links"], ["$.i[*].l"] * 2),
    (DOCUMENT + ["headers"], ["X-A", "X-A"]), (["profiles", 0, "documents", 1, "graph", "id"], ["@id", "@id"]), (DOCUMENT + ["only", "$.i[*].s"], [200.0]),
    (DOCUMENT + ["only", "$.i[*].s"], [200.5]), (DOCUMENT + ["miss", "status"], 404.0),
]


def test_rules(tmp_path):
    for path, new in [([], None)] + RULES_CHANGES:
        pack = changed(RULES, path, new) if path else RULES
        (tmp_path / "p.json").write_text(json.dumps(pack))
        done = run("rules", "print", "p.json", cwd=tmp_path)
        assert (done.returncode == 0) == valid(PACK, pack), (path, new, done.stderr)
