# ctest: release
"""The ready profiles of rules/profiles: sound, without advice against them, and their own tests hold.

    #= 10-domain 6.B
"""
import json

import jsonschema
import pytest

from harness.gateway import ROOT, run

pytestmark = pytest.mark.whole("files alone, nobody talks HTTP")
PROFILES = sorted((ROOT / "rules/profiles").glob("*.json"))


def test_there_are_some():
    assert {p.stem for p in PROFILES} >= {"json-server", "json-server-1", "postgrest", "odata", "fhir", "datatables"}


@pytest.mark.parametrize("path", PROFILES, ids=lambda p: p.stem)
def test_profile(path):
    pack = json.loads(path.read_text())
    jsonschema.Draft202012Validator(json.loads((ROOT / "rules/schema/rules.schema.json").read_text())).validate(pack)
    assert all(p["tests"] for p in pack["profiles"])
    tested = run("rules", "test", ROOT / "rules/section-1367.json", path)
    assert tested.returncode == 0 and " 0 failed" in tested.stdout + tested.stderr, tested.stdout + tested.stderr
    linted = run("rules", "lint", ROOT / "rules/section-1367.json", path)
    assert str(path) not in linted.stdout + linted.stderr, linted.stdout + linted.stderr
