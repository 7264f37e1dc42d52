"""Certificates and time: they end while connections live, between a handshake and the session that would resume it, at the gateway and at
the origin."""
import datetime
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import gateway as g
from harness.client import ANONYMOUS, OFFICER, POLICE, Client, fetch
from harness.clock import Clocks
from harness.origin import Origin, answer

pytestmark = pytest.mark.whole("what is asked is one short line; time is what differs")
PACKS = g.FEW
ALL = '[{"personId": 1}, {"aNumber": "A012345678"}]'
MONTH = 31 * 86400  # what the tests' certificates are made for, and a day
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def late(make_gateway, origin, tmp_path):
    """A gateway whose clock can be turned."""
    origin.respond = lambda r: answer([{"personId": 1}, {"aNumber": "A012345678"}])
    clocks = Clocks(tmp_path, tls=True)
    gw = make_gateway(protected=["A012345678"], env=clocks.env, start=False)
    gw.config["registry"]["max_age"] = "0s"
    gw.write_config()
    gw.start()
    gw.clocks = clocks
    return gw


def is_refused(gw, who, **more):
    try:
        with Client(gw.port, who, **more) as c:
            return c.get("/inspect/x") is None
    except (ssl.SSLError, OSError):
        return True


@pytest.mark.parametrize("who", [OFFICER, POLICE])
def test_a_certificate_that_ends_while_its_connection_lives(late, origin, who):
    #= 8USC1367 a(2)
    with Client(late.port, who) as c, Client(late.port, ANONYMOUS) as nobody:
        assert c.get("/inspect/x").status == 200 and nobody.get("/inspect/x").status == 200
        late.clocks.turn(day=MONTH)
        asked = len(origin.requests)
        assert c.get("/inspect/x") is None and c.ended == "clean"  # as whoever was idle for too long; a new handshake tells why
        assert len(origin.requests) == asked and is_refused(late, who)
        assert nobody.get("/inspect/x").status == 200  # who showed none goes on
    assert late.metric("gate1367_connections_expired_total") == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_resumed_session_ends_with_the_certificate_too(late, version):
    with Client(late.port, OFFICER, version=version) as first:
        assert first.get("/inspect/x").text == ALL
        with Client(late.port, OFFICER, session=first.socket.session, context=first.context) as c:
            assert c.socket.session_reused and c.get("/inspect/x").text == ALL
            late.clocks.turn(day=MONTH)
            assert c.get("/inspect/x") is None


def authority(name, until):
    """A CA, its key, and a certificate of an officer below it that is good for a month."""
    now = datetime.datetime.utcnow()
    made = []
    for subject, end in ((name, until), (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")]), datetime.timedelta(days=30))):
        key = ec.generate_private_key(ec.SECP256R1())
        made.append((x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(key.public_key())
                     .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                     .not_valid_after(now + end).add_extension(x509.BasicConstraints(subject == name, None), True)
                     .sign(made[0][1] if made else key, hashes.SHA256()), key))
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_no_session_outlives_the_ca_of_its_chain(late, tmp_path, version):
    pem = serialization.Encoding.PEM
    (ca, _), (leaf, key) = authority(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Brief CA")]), datetime.timedelta(minutes=20))
    late.write("brief-ca.pem", ca.public_bytes(pem).decode())
    late.write("leaf.pem", leaf.public_bytes(pem).decode() + key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode())
    late.config["listen"][0]["tls"]["client_ca"] = "brief-ca.pem"
    late.write_config()
    late.write("recipients.json", {"format": 1, "recipients": [
        {"id": "o", "agency": "DHS", "standing": "employee", "purposes": ["adjudication"], "match": {"certificate": {"issuer": {"CN": "Brief CA"}}}}]})
    assert late.reload()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(late.certs / "gateway-ca.pem")
    context.load_cert_chain(late.dir / "leaf.pem")
    context.maximum_version = version
    late.clocks.turn(day=-60)
    with Client(late.port, (None, "adjudication"), context=context) as c:
        assert c.get("/inspect/x").text == ALL
        session = c.socket.session
    late.clocks.turn(day=25 * 60)
    assert is_refused(late, (None, "adjudication"), context=context)
    assert is_refused(late, (None, "adjudication"), context=context, session=session)


def test_the_gateways_own_certificate_ends(late):
    """Who stands still rescues nobody: it goes on, clients say what they think of it, and whoever watches was told before."""
    ends = []
    for name in ("gateway", "dhs-ca", "doj-ca", "state-ca", "edge-ca"):
        text = subprocess.run(["openssl", "x509", "-noout", "-enddate", "-in", late.certs / f"{name}.pem"], capture_output=True, text=True).stdout
        ends.append(datetime.datetime.strptime(text.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=datetime.timezone.utc).timestamp())
    assert late.metric("gate1367_certificate_end_seconds") == min(ends)
    late.clocks.turn(day=MONTH)
    assert fetch(late.port, "/inspect/x", ANONYMOUS).status == 200 and late.admin("/readyz")[0] == 200
    told = late.command("check", "-c", "gate.json", env=late.env)
    assert told.returncode == 0 and "/listen/0/tls/certificate: warning: a certificate in it ended " in told.stderr
    assert late.reload() and fetch(late.port, "/inspect/x", ANONYMOUS).status == 200


def test_a_certificate_counts_from_the_reload_that_reads_it(late):
    """The metric is of what is in force, not of what has been put in its place."""
    ends = []
    late.config["listen"][0]["tls"]["client_ca"] = "brief-ca.pem"
    late.write_config()
    for minutes in (20, 40):
        (ca, _), _ = authority(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Brief CA")]), datetime.timedelta(minutes=minutes))
        late.write("brief-ca.pem", ca.public_bytes(serialization.Encoding.PEM).decode())
        ends.append(ca.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp())
        if minutes == 40:
            assert late.metric("gate1367_certificate_end_seconds") == ends[0]
        assert late.reload()
        assert late.metric("gate1367_certificate_end_seconds") == ends[-1]


def test_the_origins_certificate_ends(make_gateway, tmp_path):
    clocks = Clocks(tmp_path, tls=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certs = g.certificates()
    context.load_cert_chain(certs / "origin.pem", certs / "origin.key")
    once = [("Connection", "close")]  # what is kept has been trusted when it began
    with Origin(lambda r: answer([{"personId": 1}], headers=once), tls=context) as origin:
        gw = make_gateway(at=origin.url, env=clocks.env, start=False)
        gw.config["registry"]["max_age"] = "0s"
        gw.config["upstreams"]["records"]["tls"] = {"ca": str(certs / "origin-ca.pem")}
        gw.write_config()
        gw.start()
        assert fetch(gw.port, "/inspect/x", ANONYMOUS).status == 200
        clocks.turn(day=MONTH)
        assert {fetch(gw.port, "/inspect/x", ANONYMOUS).status for _ in range(2)} == {502}
        assert '"event":"origin_unreachable","upstream":"records"' in gw.stderr() and '"reason":"certificate has expired"' in gw.stderr()
