"""Whole answers of well-known kinds, in three worlds: a search, a scan, histories of changes, forms, logs and files in which one record is
hers by bare digits, with what says so beside it as that kind writes it. What is withheld leaves no trace in what stays."""
import pytest

from canary import Canaries
from cases import CANARIES, MISS, OTHERS, PROTECTED, P, Case, check_restricted, numbered
from harness.origin import answer
from worlds import Twins, request

SSN, OTHER = P["ssn"].replace("-", ""), "111223333"


def case(name, units, around, record, counts=None):
    """`record` of somebody's number, in `around` of a list of records."""
    document = {"path": "/list", "units": [units], "miss": MISS, "complete": True, **({"counts": counts} if counts else {})}
    without = around([record(OTHER)])
    return Case(name, document, around([record(OTHER), record(SSN)]), without, without, path="/list")


CASES = numbered([
    case("Elasticsearch", "$.hits.hits[*]", lambda r: {"took": 3, "hits": {"total": {"value": len(r), "relation": "eq"}, "hits": r}},
         lambda n: {"_index": "p", "_source": {"ssn": int(n)}, "fields": {"ssn.keyword": [n]}, "highlight": {"ssn.keyword": [f"<em>{n}</em>"]}}, {"$.hits.total.value": "$.hits.hits[*]"}),
    case("DynamoDB", "$.Items[*]", lambda r: {"Items": r, "Count": len(r)}, lambda n: {"name": {"S": "Ana"}, "ssn": {"N": n}}, {"$.Count": "$.Items[*]"}),
    case("MongoDB", "$.documents[*]", lambda r: {"documents": r}, lambda n: {"name": "Ana", "ssn": {"$numberLong": n}}),
    case("JSON Patch", "$[*]", lambda r: r, lambda n: {"op": "replace", "path": "/persons/7/ssn", "value": n}),
    case("Jira", "$.values[*]", lambda r: {"values": r, "total": len(r)},
         lambda n: {"created": "2021-03-01T10:22:33Z", "items": [{"field": "SSN", "fieldtype": "custom", "from": None, "fromString": "", "to": None, "toString": n}]}, {"$.total": "$.values[*]"}),
    case("Salesforce", "$.records[*]", lambda r: {"records": r, "totalSize": len(r), "done": True}, lambda n: {"attributes": {"type": "Contact"}, "SSN__c": n},
         {"$.totalSize": "$.records[*]"}),
    case("FHIR answers", "$.entry[*]", lambda r: {"resourceType": "Bundle", "total": len(r), "entry": r},
         lambda n: {"resource": {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "1", "text": "SSN", "answer": [{"valueString": n}]}]}}, {"$.total": "$.entry[*]"}),
    case("OpenTelemetry", "$.logRecords[*]", lambda r: {"logRecords": r},
         lambda n: {"severityText": "INFO", "body": {"stringValue": "looked up"}, "attributes": [{"key": "ssn", "value": {"stringValue": n}}]}),
    case("errors that repeat", "$.errors[*]", lambda r: {"errors": r}, lambda n: {"type": "pattern", "loc": ["body", "ssn"], "msg": "no", "input": n}),
    case("files", "$.files[*]", lambda r: {"files": r}, lambda n: {"name": "p.csv", "text": f"name,ssn,dob\nAna,{n},1990-01-02\n"}),
])


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    documents = [d for c in CASES for d in c.documents()]
    with Twins(tmp_path_factory.mktemp("styles"), documents, PROTECTED, OTHERS, pace="0ms") as t:
        yield t


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_three_worlds(twins, case):
    twins.answer_with(case.target(), answer(case.at), answer(case.absent))
    check_restricted(twins, Canaries(CANARIES), lambda kind: request(kind, case.target()), case.wanted())
