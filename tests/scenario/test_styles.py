"""The record of a protected person as answers of well-known kinds write it: change histories, search engines, typed and converted documents,
pairs of a name and a value, errors that repeat what was sent, lines of logs and tables in texts. What stands beside the value says plainly what
it is; each must be found as that kind. Beside them what such answers hold of nobody."""
import base64
import json

import pytest

from harness.judge import config, judge, strength

pytestmark = pytest.mark.whole("the rules alone, nobody talks HTTP")

SSN, PASSPORT, ALIEN, LICENCE = "219098765", "735218946", "12345678", "S12345678"
PERSON = {"subject": "S", "cases": [{"id": "C", "benefit": "U", "role": "principal", "status": "pending"}], "identifiers": [
    {"kind": "alien_number", "value": "A012345678"}, {"kind": "ssn", "value": "219-09-8765"}, {"kind": "passport", "value": PASSPORT},
    {"kind": "driver_license", "value": LICENCE}]}


def jwt(claims):
    """RFC 7515, 3.1."""
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "HS256"}, claims)) + ".c2lnbmF0dXJl"


CHANGES = [  # RFC 6902; Jira, Salesforce, ServiceNow, JaVers and others as their manuals show them
    {"op": "replace", "path": "/ssn", "value": SSN}, {"op": "add", "path": "/persons/0/ssn", "value": int(SSN)},
    {"op": "replace", "path": "urn:x:2.0:User:ssn", "value": SSN}, {"field": "SSN", "oldValue": SSN, "newValue": "1"},
    {"field": "ssn", "old_value": None, "new_value": SSN}, {"field": "SSN", "fieldtype": "custom", "from": None, "fromString": SSN, "toString": ""},
    {"Field": "SSN__c", "OldValue": None, "NewValue": SSN}, {"fieldname": "u_ssn", "oldvalue": "", "newvalue": SSN},
    {"changeType": "ValueChange", "property": "ssn", "left": None, "right": SSN}, {"propertyName": "ssn", "before": SSN, "after": None},
    {"column": "ssn", "old": SSN, "new": "1"}, {"attribute": "ssn", "from": SSN, "to": ""}, {"fieldPath": "person.ssn", "previousValue": SSN},
    {"ssn": {"from": SSN, "to": "1"}}, {"ssn": {"old": "1", "new": SSN}}, {"ssn": {"before": SSN, "after": None}}, {"ssn": {"previous": "", "current": SSN}},
    {"values_changed": {"root['ssn']": {"new_value": SSN, "old_value": "x"}}}, {"ssn": {"value": "x", "versions": [{"value": SSN}]}}]
SEARCHES = [
    {"fields": {"ssn.keyword": [SSN]}}, {"highlight": {"ssn.keyword": ["<em>219098765</em>"]}}, {"ssn": {"buckets": [{"key": SSN, "doc_count": 1}]}},
    {"ssn": {"buckets": [{"key": int(SSN), "doc_count": 1}]}}, {"ssn": {"buckets": [{"val": SSN, "count": 1}]}}, {"ssn": {"raw": SSN}},
    {"field": "ssn", "snippet": "<mark>219098765</mark>"}, {"ssn_txt": [SSN]}, {"ssn_raw": SSN}, {"filter": {"ssn": {"$in": [SSN]}}}]
TYPED = [  # MongoDB's extended JSON, DynamoDB, Firestore, XML as JSON, Avro, Azure, .NET
    {"ssn": {"$numberLong": SSN}}, {"ssn": {"$numberInt": SSN}}, {"ssn": {"$numberDecimal": SSN}}, {"ssn": {"$numberDouble": SSN + ".0"}},
    {"ssn": {"S": SSN}}, {"ssn": {"N": SSN}}, {"ssn": {"NS": [SSN]}}, {"ssn": {"L": [{"S": SSN}]}}, {"NewImage": {"ssn": {"S": SSN}}},
    {"fields": {"ssn": {"integerValue": SSN}}}, {"fields": {"ssn": {"stringValue": SSN}}}, {"ssn": {"arrayValue": {"values": [{"stringValue": SSN}]}}},
    {"ssn": {"$": SSN}}, {"ssn": [{"_": SSN, "$": {"x": "y"}}]}, {"ssn": {"$t": SSN}}, {"ssn": {"_value_1": SSN}}, {"ssn": {"string": SSN}}, {"ssn": {"long": int(SSN)}},
    {"SSN": {"type": "string", "valueString": SSN, "content": SSN}}, {"ssns": {"$type": "x", "$values": [SSN]}}, {"ssn": {"0": SSN}}, {"ssn": {"display": SSN}},
    {"ssn": {"unmasked": SSN, "masked": "***-**-8765"}}, {"ssn": {"formatted": SSN}}, {"ssn": {"identifier": SSN}},
    {"nc:PersonSSNIdentification": {"nc:IdentificationID": {"$": SSN}}}]
PAIRS = [
    {"title": "SSN", "value": SSN}, {"title": "SSN:", "value": SSN}, {"question": "Social Security Number", "answer": SSN}, {"tabLabel": "SSN", "value": SSN},
    {"name": "ssn", "valueString": SSN}, {"url": "http://example.org/ssn", "valueString": SSN}, {"type": "ssn", "mentionText": SSN}, {"field": "ssn", "val": SSN},
    {"fieldName": "ssn", "fieldValue": SSN}, {"k": "ssn", "v": SSN}, {"id": "ssn", "value": SSN}, {"header": "SSN", "value": SSN}, {"variable": "ssn", "value": SSN},
    {"caption": "SSN", "text": SSN}, {"description": "SSN", "value": SSN}, {"schemeId": "SSN", "content": SSN}, {"@schemeName": "SSN", "#text": SSN},
    {"qualifier": "SSN", "value": SSN}, {"ID": {"_": SSN, "schemeID": "SSN"}}, {"idType": "SSN", "idNo": SSN},
    # the value is an object or a list: OpenTelemetry, XML-RPC, FHIR, SAML, Typeform
    {"key": "ssn", "value": {"stringValue": SSN}}, {"key": "enduser.ssn", "value": {"intValue": SSN}}, {"name": "ssn", "value": {"string": SSN}}, {"name": "ssn", "values": [SSN]},
    {"key": "ssn", "value": {"arrayValue": {"values": [{"stringValue": SSN}]}}}, {"linkId": "1", "text": "SSN", "answer": [{"valueString": SSN}]},
    {"name": "ssn", "valueIdentifier": {"value": SSN}}, {"type": "ssn", "normalizedValue": {"text": SSN}}, {"field": {"ref": "ssn"}, "type": "number", "number": int(SSN)}]
ERRORS = [
    {"type": "x", "loc": ["body", "ssn"], "msg": "m", "input": SSN}, {"kind": "E", "path": ["ssn"], "lhs": SSN, "rhs": "x"},
    {"field": "ssn", "rejectedValue": SSN, "defaultMessage": "must match"}, {"instancePath": "/ssn", "keyword": "pattern", "data": SSN},
    {"pointer": "#/ssn", "value": SSN}, {"param": "ssn", "msg": "Invalid", "value": SSN}, {"message": f"Variable \"$ssn\" got invalid value \"{SSN}\"; Expected Int"},
    {"message": f"\"ssn\" with value \"{SSN}\" fails to match the required pattern"}, {"message": f"Duplicate entry '{SSN}' for key 'person.ssn'"}]
TEXTS = [
    "SSN of the subject is " + SSN, "SSN provided: " + SSN, "SSN ............. " + SSN, SSN + " (SSN)", f"SSN (last verified 2021-01-02): {SSN}",
    f"name,ssn,dob\nLopez,{SSN},1990-01-02\n", f"name;dob;ssn\nA;1990-01-02;111223333\nLopez;1990-01-02;{SSN}\n", f"name\tssn\nLopez\t{SSN}\n",
    f"ssns:\n  - {SSN}\n", f"| name | ssn |\n|---|---|\n| Ana | {SSN} |", f"<tr><th>name</th><th>SSN</th></tr><tr><td>Ana</td><td>{SSN}</td></tr>",
    f"<th scope=\"row\">SSN</th><td class=\"num\">{SSN}</td>", f"<input name=\"ssn\" type=\"text\" value=\"{SSN}\">", f"ssn eq \"{SSN}\"", f"ssn=in=({SSN},219098766)",
    f"SELECT * FROM p WHERE ssn IN ('{SSN}')", f"INSERT INTO person (id, ssn, name) VALUES (7, '{SSN}', 'Ana')", f"/p?filter[ssn][eq]={SSN}", f"/p?ssn=eq.{SSN}",
    f"PID|1||{SSN}^^^USA^SS||LOPEZ^MARIA", f"NM1*IL*1*LOPEZ*MARIA~REF*SY*{SSN}~", f"NM1*QC*1*LOPEZ*MARIA****34*{SSN}~",
    json.dumps({"ssn": {"S": SSN}}), json.dumps({"ssn": {"stringValue": int(SSN)}}), json.dumps({"employee_ssn": SSN})]
NAMES = [{"SSN__c": SSN}, {"u_ssn": {"display_value": SSN}}, {"new_ssn": SSN}, {"strSSN": SSN}, {"userSsn": SSN}, {"employee_ssn": SSN}, {"ssnFull": SSN}, {"ssn_old": SSN},
         {"oldSsn": SSN}, {"customerSSN": int(SSN)}, {"SSN/ITIN": SSN}, {"SSN (required)": SSN}, {"Your SSN": SSN}]
OTHERS = [("passport", x) for x in (
    {"op": "replace", "path": "/passportNumber", "value": PASSPORT}, {"passport": {"SS": [PASSPORT]}}, {"passport": {"no": PASSPORT}}, {"document_type": "passport", "document_no": PASSPORT},
    {"docType": "passport", "docNo": PASSPORT}, {"idClass": "passport", "value": PASSPORT}, "Mexican passport with number " + PASSPORT, f"Passport (Mexico): {PASSPORT}",
    f"name,passport\nLopez,{PASSPORT}\n", "pasaporte mexicano " + PASSPORT, {"workerPassportNumber": PASSPORT}, {"us_passport": PASSPORT})]
OTHERS += [("alien_number", x) for x in (
    {"op": "replace", "path": "/aNumber", "value": ALIEN}, {"aNumber": {"N": ALIEN}}, {"userANumber": ALIEN}, f"name,a_number\nLopez,{ALIEN}\n", "A-number of the subject: " + ALIEN,
    "alien registration no for subject - " + ALIEN)]
OTHERS += [("driver_license", x) for x in (f"@\n\x1e\rANSI 636002090002DL00410278DLDAQ{LICENCE}\nDCSLOPEZ\n",)]
IDENTIFIERS = [("ssn", x) for x in CHANGES + SEARCHES + TYPED + PAIRS + ERRORS + TEXTS + NAMES] + OTHERS

MARKERS = [
    {"op": "replace", "path": "/coa", "value": "U1"}, {"field": "Class of admission", "fromString": "B2", "toString": "U1"}, {"COA__c": "U1"}, {"coa": {"S": "U1"}},
    {"coa": {"$numberInt": "384"}}, {"fields": {"coa": {"stringValue": "T2"}}}, {"coa": {"string": "U1"}}, {"coa": {"buckets": [{"key": "U1", "doc_count": 3}]}},
    {"u_class_of_admission": "U1"}, {"eadCategory": {"old": "C09", "new": "(c)(31)"}}, {"question": "EAD category", "answer": "A16"},
    {"attributes": [{"key": "coa", "value": {"stringValue": "U1"}}]}, {"linkId": "2", "text": "COA", "answer": [{"valueCoding": {"code": "T1"}}]},
    json.dumps({"coa": "U1"}), json.dumps({"person": {"classOfAdmission": "U1"}}), json.dumps({"coaCode": 384}), json.dumps({"visaType": "U1"}), json.dumps({"immigrationStatus": "T1"}),
    json.dumps({"eadCategory": "A16"}), json.dumps({"form": "918"}), json.dumps({"humanTraffickingVictim": True}), json.dumps({"alertCode": "1367"}),
    "<classOfAdmission>U1</classOfAdmission>", "<im:ImmigrationClassOfAdmissionCategoryCode>384</im:ImmigrationClassOfAdmissionCategoryCode>", "/p?classOfAdmission=U1",
    "{'class_of_admission': 'U1'}", "<coa>U1</coa>", jwt({"sub": "x", "coa": "U1"}), base64.b64encode(json.dumps({"coa": {"S": "U1"}}).encode()).decode()]

HARMLESS = [  # as such answers hold them of nobody
    {"relationships": {"form": {"data": {"type": "forms", "id": "918"}}}}, {"form": {"items": [{"id": "918"}]}}, {"form": {"elements": [{"number": 914}]}}, {"type": "form", "id": "918"},
    {"type": "form", "key": "918"}, {"type": "form", "v": 918}, {"coa": {"n": 384}}, {"coa": {"buckets": [{"key": "B2", "doc_count": 384}]}}, {"title": "Visa", "text": "T1"},
    {"field": "form", "count": 918}, {"name": "form", "count": 918, "value": "x"}, {"visaType": {"options": [{"code": "U1", "label": "U-1"}]}}, {"key": "visa", "doc_count": 914},
    {"op": "replace", "path": "/coa", "value": "B2"}, {"field": "coa", "fromString": "B1", "toString": "F1"}, {"path": "/gates/T1", "value": "T1"}, {"question": "Terminal", "answer": "T1"},
    {"ssn": {"old": "111-22-3333", "new": None}}, {"field": "SSN", "oldValue": "111223333", "newValue": "111223334"}, {"ssn": {"$numberLong": "111223333"}},
    "name,ssn\nLopez,111223333\n", "form=918&step=2", "/form/918", "gate T1, visa on arrival", "SELECT form FROM f WHERE id = 918", json.dumps({"coa": "B2", "gate": "U1"}),
    json.dumps({"visaType": "H1B", "class": "T1"}), json.dumps({"platform": "918"}), "<visaType>F1</visaType><gate>T1</gate>", "{'status': 'U1'}", "coast=U1", "code='T1'",
    jwt({"sub": "918", "iat": 1516239022, "scope": "form:918"}), "lookups_total{form=\"x\"} 918", f"alien of the film, {20210304}", "passport renewed 20210304",
    {"name": "form", "value": {"id": "918", "name": "intake"}}, {"field": {"id": 918, "name": "form"}, "value": {"id": 914}}, {"loc": ["body", "form", 0], "input": 918},
    {"attributes": [{"key": "http.status_code", "value": {"intValue": "914"}}, {"key": "form", "value": {"stringValue": "intake"}}]}]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    return config(tmp_path_factory.mktemp("styles"), [PERSON])


def test_identifiers(gateway):
    seen = judge(gateway, [{"record": x} for _, x in IDENTIFIERS])
    missed = [x for (kind, x), s in zip(IDENTIFIERS, seen) if kind not in s["registry"] or not s["withheld"]]
    assert not missed


def test_markers(gateway):
    seen = judge(gateway, [{"record": x} for x in MARKERS])
    assert not [x for x, s in zip(MARKERS, seen) if strength(s) != "definitive" or not s["withheld"]]


def test_harmless(gateway):
    seen = judge(gateway, [{"record": x} for x in HARMLESS])
    assert not [(x, s) for x, s in zip(HARMLESS, seen) if s["withheld"] or strength(s) != "nothing"]
