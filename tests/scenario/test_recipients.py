"""Who is who (contract section 3), and what of their requests an origin sees."""
import copy
import re
import ssl
import subprocess

import pytest

from harness import gateway as g
from harness.client import ANONYMOUS, ATTORNEY, CONDUIT, OFFICER, POLICE, Client, fetch
from harness.clock import Clocks
from harness.origin import answer

PACKS = g.FEW
by_handshake = pytest.mark.whole("who it is the handshake tells; what is asked is one short line")

FOUND = [{"personId": 1}, {"aNumber": "A012345678"}]
ALL, VISIBLE = '[{"personId": 1}, {"aNumber": "A012345678"}]', '[{"personId": 1}]'
FORBIDDEN = '{"type":"about:blank","title":"Forbidden","status":403}'


@pytest.fixture
def found(origin):
    origin.respond = lambda r: answer(FOUND)
    return origin


def test_entitled_and_restricted(gateway, found, pieces):
    #= 8USC1367 a(2)
    for who, text in ((OFFICER, ALL), (("uscis-officer", "enforcement"), ALL), (ATTORNEY, ALL), (POLICE, VISIBLE),
                      (ANONYMOUS, VISIBLE), (CONDUIT, VISIBLE), ((None, "adjudication"), VISIBLE), (("state-police", "enforcement"), VISIBLE)):
        assert fetch(gateway.port, "/inspect/x", who, pieces=pieces).text == text, who


@pytest.mark.parametrize("purposes", [[], ["litigation"], ["adjudication", "enforcement"], ["adjudication", "adjudication"], [""],
                                      ["adjudication, enforcement"], ["Adjudication"], ["adjudication "], ["adjudicatio"]])
def test_a_purpose_is_one_of_the_recipients_own(gateway, found, purposes, pieces):
    """Anything but exactly one valid purpose is a misconfiguration that must not look like "no such person"."""
    r = fetch(gateway.port, "/inspect/x", ("uscis-officer", None), headers=[("Purpose-Of-Use", p) for p in purposes], pieces=pieces)
    if purposes == ["adjudication "]:
        assert r.text == ALL  # white space around a field's value is no part of it
    else:
        assert (r.status, r.text) == (403, FORBIDDEN)
        assert found.requests == []


def test_a_departmental_certificate_that_no_entry_matches(gateway, found, pieces):
    for purpose in (None, "adjudication"):
        r = fetch(gateway.port, "/inspect/x", ("unlisted", purpose), pieces=pieces)
        assert (r.status, r.text) == (403, FORBIDDEN)
    assert found.requests == []
    entries = [e for e in gateway.entries() if e["event"] == "refusal"]
    assert [(e["status"], e["outcome"]) for e in entries] == [(403, "refused")] * 2


def test_on_a_public_route_everybody_is_restricted(gateway, found, pieces):
    for who in (OFFICER, ATTORNEY, POLICE, ANONYMOUS, CONDUIT):
        r = fetch(gateway.port, "/public/x", who, pieces=pieces)
        assert r.text == VISIBLE and r.header("Section-1367") is None
        assert fetch(gateway.port, "/public/x", who, "DELETE", pieces=pieces).status == 405
    # Whether an officer names a purpose makes no difference there.
    assert fetch(gateway.port, "/public/x", OFFICER, purpose=False, pieces=pieces).text == VISIBLE


def test_headers_make_nobody_anybody(gateway, found, pieces):
    pem = (gateway.certs / "uscis-officer.pem").read_text()
    der = "".join(line for line in pem.splitlines() if "-" not in line)
    forged = [("Client-Cert", f":{der}:"), ("Client-Cert-Chain", f":{der}:"), ("X-Forwarded-Client-Cert", der),
              ("X-SSL-Client-Cert", der), ("X-Recipient", "uscis-officer"), ("Purpose-Of-Use", "adjudication")]
    for who in (POLICE, ANONYMOUS):
        assert fetch(gateway.port, "/inspect/x", who, headers=forged, pieces=pieces).text == VISIBLE
        assert b"Client-Cert" not in found.requests[-1].raw
    r = fetch(gateway.port, "/inspect/x", OFFICER, headers=forged[:2], pieces=pieces)
    assert r.text == ALL and b"Client-Cert" not in found.requests[-1].raw


def test_what_an_origin_sees_of_a_restricted_request(gateway, found, pieces):
    noise = [("Accept", "application/json"), ("Accept-Language", "en"), ("Cookie", "a=b"), ("Authorization", "Basic x"), ("User-Agent", "u"),
             ("Referer", "r"), ("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "for=1"), ("If-None-Match", "x"), ("Range", "bytes=0-1"),
             ("TE", "trailers"), ("Accept-Encoding", "gzip"), ("X-Forwarded-Thing", "t"), ("X_Under", "u"), ("Via", "1.0 y")]
    fetch(gateway.port, "/inspect/x", POLICE, headers=noise, pieces=pieces)
    seen = {k.lower(): v for k, v in found.requests[-1].headers}
    assert seen == {"host": "localhost", "accept": "application/json", "accept-language": "en", "accept-encoding": "identity"}
    fetch(gateway.port, "/post/x", POLICE, "POST", headers=noise + [("Content-Type", "application/json")], body=b"{}", pieces=pieces)
    seen = {k.lower(): v for k, v in found.requests[-1].headers}
    assert seen == {"host": "localhost", "accept": "application/json", "accept-language": "en", "accept-encoding": "identity",
                    "x-forwarded-thing": "t", "content-type": "application/json", "content-length": "2"}
    fetch(gateway.port, "/inspect/x", OFFICER, headers=noise, pieces=pieces)
    seen = {k.lower() for k, _ in found.requests[-1].headers}
    assert {"cookie", "authorization", "user-agent", "x-forwarded-thing"} <= seen
    assert not {"range", "te", "x_under"} & seen and found.requests[-1].header("Accept-Encoding") == ["identity"]


def test_hop_by_hop_fields_stay(gateway, found, pieces):
    #= RFC9110 7.6.1
    fetch(gateway.port, "/inspect/x", OFFICER, headers=[("Connection", "X-Hop, keep-alive"), ("X-Hop", "1"), ("Keep-Alive", "9"),
                                                        ("Proxy-Authorization", "z"), ("X-End", "1")], pieces=pieces)
    seen = {k.lower() for k, _ in found.requests[-1].headers}
    assert "x-end" in seen and not {"connection", "x-hop", "keep-alive", "proxy-authorization"} & seen


def fingerprint(name):
    out = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", g.certificates() / f"{name}.pem"],
                         capture_output=True, text=True, check=True).stdout
    return out.strip().split("=")[1].replace(":", "").lower()


def entry(match, **more):
    return {"id": "entry", "agency": "DHS", "standing": "employee", "purposes": ["adjudication"], "match": {"certificate": match}, **more}


@by_handshake
@pytest.mark.parametrize("match,wins", [
    ({"issuer": {"CN": "DHS CA4"}}, True), ({"issuer": {"CN": "DHS CA4", "OU": "Department of Homeland Security"}}, True),
    ({"issuer": {"CN": "DHS CA4"}, "subject": {"OU": "USCIS"}}, True), ({"issuer": {"CN": "DHS CA4"}, "subject": {"OU": "ICE"}}, False),
    ({"issuer": {"CN": "dhs ca4"}}, False), ({"issuer": {"CN": "DHS CA"}}, False), ({"fingerprint": "own"}, True),
    ({"fingerprint": "0" * 64}, False), ({"fingerprint": "own", "subject": {"CN": "Somebody Else"}}, False)])
def test_certificate_rules(make_gateway, found, match, wins):
    if match.get("fingerprint") == "own":
        match = {**match, "fingerprint": fingerprint("uscis-officer")}
    gw = make_gateway(protected=["A012345678"], recipients={"format": 1, "recipients": [entry(match)]})
    assert fetch(gw.port, "/inspect/x", OFFICER).text == (ALL if wins else VISIBLE)


def listed(gw, *names):
    text = "".join((g.certificates() / f"{n}.pem").read_text() for n in names)
    gw.write("cas.pem", text)
    gw.config["listen"][0]["tls"]["client_ca"] = "cas.pem"
    gw.write_config()


@by_handshake
def test_no_other_ca_goes_by_the_name_of_one_that_is_listed(gateway, found):
    """The state's CA, which is trusted for the state's people, names one below itself as the department's."""
    #= 8USC1367 a(2)
    try:
        assert fetch(gateway.port, "/inspect/x", ("would-be-officer", "adjudication")) is None
    except (ssl.SSLError, ConnectionError):  # refused before the request was out
        pass
    assert found.requests == []
    assert fetch(gateway.port, "/inspect/x", OFFICER).text == ALL
    assert fetch(gateway.port, "/inspect/x", POLICE).text == VISIBLE


@pytest.mark.whole("sessions are OpenSSL's; what is asked is one short line")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_a_handshake_would_refuse_no_session_brings_in(make_gateway, found, version):
    """Somebody by the state's CA below a CA that calls itself the department's, whom no entry concerned when his session began."""
    #= 8USC1367 a(2)
    police = g.RECIPIENTS["recipients"][-1]
    gw = make_gateway(protected=["A012345678"], recipients={"format": 1, "recipients": [police]})
    before = {}
    for who in (("would-be-officer", "adjudication"), OFFICER, POLICE):
        with Client(gw.port, who, version=version) as c:
            assert c.get("/inspect/x").text == VISIBLE
            before[who] = c.socket.session, c.context
    gw.write("recipients.json", g.RECIPIENTS)
    assert gw.reload()

    def again(who):
        session, context = before[who]
        return Client(gw.port, who, session=session, context=context)

    asked = len(found.requests)
    try:
        with again(("would-be-officer", "adjudication")) as c:
            assert c.get("/inspect/x") is None
    except (ssl.SSLError, OSError):  # refused before the request was out
        pass
    assert len(found.requests) == asked
    with again(OFFICER) as c:
        assert not c.socket.session_reused and c.get("/inspect/x").text == ALL
    with again(POLICE) as c:  # whose issuer is looked at by nobody: no reload shows him that entries were added
        assert c.socket.session_reused and c.get("/inspect/x").text == VISIBLE


@pytest.mark.whole("sessions are OpenSSL's; what is asked is one short line")
def test_a_session_is_not_renewed_for_ever(make_gateway, found, tmp_path):
    """With each session that is resumed TLS 1.3 sends a ticket for the next: an hour after the handshake they end together."""
    clocks = Clocks(tmp_path, tls=True)
    gw = make_gateway(env=clocks.env)
    with Client(gw.port, POLICE, version=ssl.TLSVersion.TLSv1_3) as c:
        assert c.get("/inspect/x").status == 200
        session, context = c.socket.session, c.context
    for minutes, resumed in ((25, True), (50, True), (65, False)):
        clocks.turn(day=minutes * 60)
        with Client(gw.port, POLICE, session=session, context=context) as c:
            assert c.get("/inspect/x").status == 200
            assert c.socket.session_reused is resumed, minutes
            session = c.socket.session


@by_handshake
@pytest.mark.parametrize("pin,cas,taken", [
    ({"CN": "DHS Field CA"}, ["dhs-ca"], True), ({"CN": "DHS Field CA"}, ["dhs-ca", "state-ca", "dhs-field-ca"], True),
    ({"O": "U.S. Government"}, ["dhs-ca", "state-ca"], True), ({"CN": "DHS Field CA"}, ["dhs-ca", "state-ca"], None)])
def test_an_issuer_below_a_ca(make_gateway, found, pin, cas, taken):
    gw = make_gateway(protected=["A012345678"], start=False, recipients={"format": 1, "recipients": [entry({"issuer": pin})]})
    listed(gw, *cas)
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 0 and ("bears the name" in done.stdout + done.stderr) == (taken is None)
    gw.start()
    assert fetch(gw.port, "/inspect/x", ("field-officer", "adjudication")).text == ALL


@pytest.mark.whole("a command alone, nobody talks HTTP")
def test_every_issuer_that_is_not_listed_is_told_at_once(make_gateway):
    """The contract's rule for problems: all of them in one run (section 1)."""
    pins = {"own": "DHS CA4", "field": "DHS Field CA", "other": "DHS Other CA", "state": None}
    entries = [entry({"issuer": {"CN": cn}} if cn else {"subject": {"CN": "sp-client"}}, id=name) for name, cn in pins.items()]
    entries[-1].update(agency="none", standing="none", purposes=[])
    gw = make_gateway(start=False, recipients={"format": 1, "recipients": entries})
    listed(gw, "dhs-ca", "state-ca")
    told = gw.command("check", "-c", "gate.json").stderr
    assert re.findall(r'issuer of "(\w+)"', told) == ["field", "other"], told


@by_handshake
def test_the_first_match_wins(make_gateway, found):
    table = copy.deepcopy(g.RECIPIENTS)
    table["recipients"].insert(0, {"id": "first", "agency": "none", "standing": "none",
                                   "match": {"certificate": {"subject": {"OU": "USCIS"}}}})
    gw = make_gateway(protected=["A012345678"], recipients=table)
    assert fetch(gw.port, "/inspect/x", OFFICER).text == VISIBLE
    assert [e["recipient"]["id"] for e in gw.entries() if e["event"] == "disclosure"] == ["first"]


@by_handshake
@pytest.mark.parametrize("agency,standing,conduit,entitled", [
    ("DHS", "sworn_officer", False, True), ("DOS", "employee", False, True), ("DOJ", "employee", False, True),
    ("DHS", "contractor", False, False), ("DHS", "system", False, False), ("DHS", "none", False, False),
    ("DHS", "employee", True, False), ("none", "employee", False, False), ("none", "sworn_officer", False, False)])
def test_who_is_entitled(make_gateway, found, agency, standing, conduit, entitled):
    #= 8USC1367 a(2)
    e = entry({"fingerprint": fingerprint("uscis-officer")}, agency=agency, standing=standing)
    if conduit:
        e["conduit"] = True
    if not entitled:
        e.pop("purposes")
    gw = make_gateway(protected=["A012345678"], recipients={"format": 1, "recipients": [e]})
    assert fetch(gw.port, "/inspect/x", OFFICER).text == (ALL if entitled else VISIBLE)


@by_handshake
@pytest.mark.parametrize("match", [{"subject": {"OU": "USCIS"}}, {"san": {"dns": "x.example"}}, {}])
def test_an_entry_that_entitles_must_pin_its_issuer(make_gateway, match):
    gw = make_gateway(start=False)
    gw.write("recipients.json", {"format": 1, "recipients": [entry(match)]})
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and "recipients.json:" in done.stderr
