"""Trusted proxies (contract section 3, RFC 9440): who asks is what each request hands on, and nothing else."""
import base64
import copy
import os
import shutil
import socket
import subprocess
import time

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch
from harness.origin import answer, free_port

PACKS = g.FEW

FOUND = [{"personId": 1}, {"aNumber": "A012345678"}]
ALL, VISIBLE = '[{"personId": 1}, {"aNumber": "A012345678"}]', '[{"personId": 1}]'
EDGE = ("edge", None)
ENTRY = {"id": "edge", "trusted_proxy": True, "match": {"certificate": {"issuer": {"CN": "Edge CA"}}}}
PURPOSE = ("Purpose-Of-Use", "adjudication")


def der(name):
    pem = (g.certificates() / f"{name}.pem").read_text().partition("-----END")[0]  # the first of a chain
    return base64.b64decode("".join(line for line in pem.splitlines() if "-" not in line))


def cert(name, field="Client-Cert"):
    return (field, ":" + base64.b64encode(der(name)).decode() + ":")


@pytest.fixture
def edged(make_gateway, origin):
    origin.respond = lambda r: answer(FOUND)
    people = copy.deepcopy(g.RECIPIENTS)
    people["recipients"].insert(0, ENTRY)
    people["recipients"].append({"id": "server", "agency": "none", "standing": "none",
                                 "match": {"certificate": {"subject": {"CN": "localhost"}}}})
    return make_gateway(protected=["A012345678"], recipients=people)


def recorded(gw):
    return [(e["recipient"]["id"], e["recipient"].get("via")) for e in gw.entries() if e["event"] in ("disclosure", "refusal")]


def test_each_request_is_classified_by_what_it_hands_on(edged, origin, pieces):
    #= RFC9440 2.2
    #= 8USC1367 a(2)
    with Client(edged.port, EDGE, pieces=pieces) as c:
        for headers, status, text in (
                ([cert("uscis-officer"), PURPOSE], 200, ALL), ([cert("state-police"), PURPOSE], 200, VISIBLE),
                ([PURPOSE], 200, VISIBLE), ([cert("uscis-officer"), PURPOSE], 200, ALL), ([cert("uscis-officer")], 403, None),
                ([cert("unlisted"), PURPOSE], 403, None), ([cert("leis"), PURPOSE], 200, VISIBLE)):
            r = c.get("/inspect/x", headers=headers)
            assert (r.status, r.text if text else None) == (status, text), headers
            assert (r.header("Section-1367") is not None) == (text == ALL)
    assert recorded(edged) == [(i, "edge") for i in ("uscis-officer", "state-police", "anonymous", "uscis-officer", "uscis-officer",
                                                     "anonymous", "leis")]
    assert not any(k.lower().startswith("client-cert") for r in origin.requests for k, _ in r.headers)
    # The connections to the origin are kept apart by class, though one connection brought all the requests.
    assert origin.connections == 2
    e = next(e for e in edged.entries() if e["event"] == "disclosure")
    assert e["client"] == "127.0.0.1" and "Test Officer" in e["recipient"]["identity"]
    assert list(e["recipient"])[-1] == "via"


@pytest.mark.parametrize("fields", [
    [], ["uscis-officer", "uscis-officer"], ["uscis-officer", "state-police"], ["stranger"], ["edge"]], ids=str)
def test_absent_or_twice_or_nobody_s_is_anonymous(edged, fields):
    r = fetch(edged.port, "/inspect/x", EDGE, headers=[cert(f) for f in fields] + [PURPOSE])
    assert (r.status, r.text, r.header("Section-1367")) == (200, VISIBLE, None)
    assert recorded(edged) == [("anonymous", "edge")]
    assert [e["recipient"]["fingerprint"] for e in edged.entries() if e["event"] == "disclosure"] == [None]


def test_what_cannot_be_read_is_anonymous(edged):
    good = cert("uscis-officer")[1]
    values = ["", ":", "::", good[1:-1], good[:-1], good + ";a=1", good + ", " + good, good[:40] + "!" + good[41:], good[:-9] + ":",
              ":" + base64.b64encode(der("uscis-officer") + b"\0").decode() + ":", '"' + good + '"',
              ":" + base64.b64encode((g.certificates() / "uscis-officer.pem").read_bytes()).decode() + ":"]
    with Client(edged.port, EDGE) as c:
        for value in values:
            r = c.get("/inspect/x", headers=[("Client-Cert", value), PURPOSE])
            assert (r.status, r.text) == (200, VISIBLE), value
        assert c.get("/inspect/x", headers=[("Client-Cert", good), ("Client-Cert-Chain", "::"), PURPOSE]).text == VISIBLE
        assert c.get("/inspect/x", headers=[("Client-Cert", good), cert("dhs-ca", "Client-Cert-Chain"), PURPOSE]).text == ALL


def test_a_certificate_for_servers_is_no_client_s(make_gateway, origin, edged):
    """The proxy should not have taken it; the gateway does not either."""
    both = edged.dir / "both.pem"
    both.write_text((edged.certs / "recipients-ca.pem").read_text() + (edged.certs / "gateway-ca.pem").read_text())
    edged.config["listen"][0]["tls"]["client_ca"] = str(both)
    edged.write_config()
    assert edged.reload()
    fetch(edged.port, "/inspect/x", EDGE, headers=[cert("gateway"), PURPOSE])
    fetch(edged.port, "/inspect/x", EDGE, headers=[cert("state-police"), PURPOSE])
    assert recorded(edged) == [("anonymous", "edge"), ("state-police", "edge")]


def test_from_anyone_else_the_fields_are_dropped(edged, origin):
    for who, text, name in ((POLICE, VISIBLE, "state-police"), ((None, None), VISIBLE, "anonymous"), (OFFICER, ALL, "uscis-officer")):
        headers = [cert("doj-attorney"), cert("doj-ca", "Client-Cert-Chain")] + ([] if who == OFFICER else [PURPOSE])
        assert fetch(edged.port, "/inspect/x", who, headers=headers).text == text
        assert recorded(edged)[-1] == (name, None)
        assert b"lient-cert" not in origin.requests[-1].raw.lower()


def test_nobody_behind_it_goes_by_the_name_of_a_listed_ca(edged):
    headers = [cert("would-be-officer"), cert("would-be-dhs-ca", "Client-Cert-Chain"), PURPOSE]
    r = fetch(edged.port, "/inspect/x", EDGE, headers=headers)
    assert r.text == VISIBLE and recorded(edged) == [("anonymous", "edge")]


def test_a_proxy_is_nobody_on_a_public_route_too(edged):
    r = fetch(edged.port, "/public/x", EDGE, headers=[cert("uscis-officer"), PURPOSE])
    assert r.text == VISIBLE and r.header("Section-1367") is None


@pytest.mark.parametrize("change,words", [
    ({"match": {"certificate": {"subject": {"CN": "edge"}}}}, 'pin "issuer" or "fingerprint"'),
    ({"agency": "DHS"}, "a trusted proxy is nobody itself"), ({"purposes": ["x"]}, "a trusted proxy is nobody itself")])
def test_check_refuses(make_gateway, change, words):
    gw = make_gateway(start=False)
    gw.write("recipients.json", {"format": 1, "recipients": [{**ENTRY, **change}]})
    done = gw.command("check", "-c", "gate.json")
    assert done.returncode == 1 and words in done.stderr and "recipients.json:" in done.stderr


HAPROXY = """
global
  stats socket {dir}/haproxy.sock
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend edge
  bind 127.0.0.1:{port} ssl crt {dir}/edge-server.pem ca-file {certs}/recipients-ca.pem verify optional
  http-request del-header Client-Cert
  http-request del-header Client-Cert-Chain
  http-request set-header Client-Cert :%[ssl_c_der,base64]: if {{ ssl_c_used }}
  default_backend gateway
backend gateway
  http-reuse always
  server gateway 127.0.0.1:{gateway} ssl crt {dir}/edge-client.pem ca-file {certs}/gateway-ca.pem verify required verifyhost localhost
"""


@pytest.fixture
def haproxy(edged):
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
    if program is None:
        pytest.skip("haproxy is not installed")
    certs = edged.certs
    for name, parts in (("edge-server.pem", "gateway"), ("edge-client.pem", "edge")):
        (edged.dir / name).write_text((certs / f"{parts}.pem").read_text() + (certs / f"{parts}.key").read_text())
    port = free_port()
    config = edged.write("haproxy.cfg", HAPROXY.format(dir=edged.dir, certs=certs, port=port, gateway=edged.port))
    running = subprocess.Popen([program, "-db", "-f", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10 * g.PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    assert running.poll() is None
    yield port
    running.terminate()
    running.wait(10)


def test_haproxy_as_the_trusted_proxy(edged, haproxy, origin):
    """A proxy that is not ours, with one shared connection to the gateway."""
    forged = [cert("uscis-officer"), cert("dhs-ca", "Client-Cert-Chain"), PURPOSE]
    for _ in range(2):
        assert fetch(haproxy, "/inspect/x", OFFICER).text == ALL
        assert fetch(haproxy, "/inspect/x", POLICE, headers=forged).text == VISIBLE
        assert fetch(haproxy, "/inspect/x", headers=forged).text == VISIBLE
        assert fetch(haproxy, "/inspect/x", OFFICER, purpose=False).status == 403
    assert recorded(edged) == [(i, "edge") for i in ("uscis-officer", "state-police", "anonymous", "uscis-officer")] * 2
    assert edged.metric("gate1367_connections_total") < 8
