# ctest: release
"""Clients that are not ours, with somebody who must not be seen by one of them."""
import http.client
import json
import os
import re
import ssl
import subprocess

import pytest

from harness.client import wait_until
from harness.origin import answer

from programs import find

FOUND = [{"personId": 1, "name": "Édith"}, {"aNumber": "A012345678"}]
ALL, VISIBLE = json.dumps(FOUND, ensure_ascii=False), json.dumps(FOUND[:1], ensure_ascii=False)
LARGE = [{"personId": i, "text": "x" * 100} for i in range(20_000)] + FOUND


@pytest.fixture
def gw(make_gateway, origin):
    def respond(request):
        if request.method == "POST":
            return answer({"got": len(request.body)})
        if request.path == "/inspect/gone":
            return answer({}, status=404)
        return answer(LARGE if request.path == "/inspect/large" else FOUND, headers=[("ETag", '"1"'), ("Vary", "Accept-Encoding")])
    origin.respond = respond
    return make_gateway(protected=["A012345678"])


def run(*command, **more):
    return subprocess.run([str(x) for x in command], capture_output=True, timeout=60, **more)


def certificate(gw, name):
    return ["--cert", gw.certs / f"{name}.pem", "--key", gw.certs / f"{name}.key"]


def test_curl(gw):
    curl = [find("curl"), "-sS", "--cacert", gw.certs / "gateway-ca.pem"]
    police, officer = certificate(gw, "state-police"), certificate(gw, "uscis-officer") + ["-H", "Purpose-Of-Use: adjudication"]
    base = f"https://localhost:{gw.port}"
    for more in ([], ["--compressed"], ["--http1.0"], ["--tlsv1.2", "--tls-max", "1.2"], ["--http2"], ["-H", "Range: bytes=0-3"],
                 ["-H", 'If-None-Match: "1"'], ["-H", "Expect: 100-continue"]):
        for who, text in ((police, VISIBLE), (officer, ALL), ([], VISIBLE)):
            done = run(*curl, *more, *who, f"{base}/inspect/x")
            assert (done.returncode, done.stdout.decode()) == (0, text), (more, who, done.stderr)
    # Two on one connection, a large one among them, and how many connections it took.
    done = run(*curl, *police, "-w", "%{num_connects} %{http_code}\n", *[x for p in ("x", "large", "gone") for x in (f"{base}/inspect/{p}", "-o", gw.dir / f"out-{p}")])
    assert done.stdout.decode().split("\n")[:3] == ["1 200", "0 200", "0 404"], done
    assert json.loads((gw.dir / "out-large").read_text()) == LARGE[:-1]
    # A head, a method that is not allowed, a body that is sent.
    head = run(*curl, *police, "-I", f"{base}/inspect/x").stdout.decode()
    assert head.startswith("HTTP/1.1 200") and f"Content-Length: {len(VISIBLE.encode())}" in head and "ETag" not in head
    assert b"405" in run(*curl, *police, "-X", "DELETE", "-o", "/dev/null", "-w", "%{http_code}", f"{base}/inspect/x").stdout
    assert run(*curl, *officer, "-d", "a" * 100_000, f"{base}/inspect/x").stdout == b'{"got": 100000}'
    assert run(*curl, *officer, "-H", "Transfer-Encoding: chunked", "-d", "a" * 5000, f"{base}/inspect/x").stdout == b'{"got": 5000}'


def test_python(gw):
    def context(name=None):
        c = ssl.create_default_context(cafile=gw.certs / "gateway-ca.pem")
        if name:
            c.load_cert_chain(gw.certs / f"{name}.pem", gw.certs / f"{name}.key")
        return c
    for name, headers, text in (("state-police", {}, VISIBLE), ("uscis-officer", {"Purpose-Of-Use": "adjudication"}, ALL), (None, {}, VISIBLE)):
        c = http.client.HTTPSConnection("localhost", gw.port, context=context(name), timeout=20)
        for _ in range(3):
            c.request("GET", "/inspect/x", headers=headers)
            r = c.getresponse()
            assert (r.status, r.read().decode()) == (200, text)
        c.request("HEAD", "/inspect/x", headers=headers)
        assert c.getresponse().read() == b""
        c.request("GET", "/inspect/large", headers=headers)
        assert json.loads(c.getresponse().read()) == (LARGE if name == "uscis-officer" else LARGE[:-1])
        c.close()


NODE = """
const https = require('node:https'), fs = require('node:fs');
const [port, certs] = [process.argv[2], process.argv[3]];
const read = n => fs.readFileSync(`${certs}/${n}`);
function ask(path, name, headers, agent) {
  return new Promise((yes, no) => https.get({ host: 'localhost', port, path, headers, agent, ca: read('gateway-ca.pem'),
    cert: name && read(name + '.pem'), key: name && read(name + '.key') }, r => {
      let text = ''; r.setEncoding('utf8'); r.on('data', d => text += d); r.on('end', () => yes([r.statusCode, text])); }).on('error', no));
}
(async () => {
  const out = [];
  for (const path of ['/inspect/x', '/inspect/x', '/inspect/gone', '/inspect/large']) {
    const r = await fetch(`https://localhost:${port}${path}`, { headers: { 'accept-encoding': 'gzip, deflate, br' } });
    out.push([r.status, await r.text()]);
  }
  const agent = new https.Agent({ keepAlive: true });
  out.push(await ask('/inspect/x', 'state-police', {}, agent));
  out.push(await ask('/inspect/x', 'uscis-officer', { 'Purpose-Of-Use': 'adjudication' }, new https.Agent({ keepAlive: false })));
  const many = await Promise.all(Array.from({ length: 20 }, () => fetch(`https://localhost:${port}/inspect/x`).then(r => r.text())));
  out.push([200, [...new Set(many)].join('|')]);
  agent.destroy();
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e); process.exit(1); });
"""


def test_node(gw):
    """fetch (undici) knows no client certificates: anonymous; node:https as the others."""
    node = find("node")
    gw.write("client.js", NODE)
    done = run(node, gw.dir / "client.js", gw.port, gw.certs, env={**os.environ, "NODE_EXTRA_CA_CERTS": str(gw.certs / "gateway-ca.pem")})
    assert done.returncode == 0, done.stderr.decode()
    got = json.loads(done.stdout)
    assert got[:2] == [[200, VISIBLE]] * 2 and got[2][0] == 404 and json.loads(got[3][1]) == LARGE[:-1]
    assert got[4:] == [[200, VISIBLE], [200, ALL], [200, VISIBLE]]


JAVA = """
import java.io.FileInputStream; import java.net.URI; import java.net.http.*; import java.security.KeyStore; import java.util.*;
import javax.net.ssl.*;
public class Client {
  static KeyStore store(String path) throws Exception {
    KeyStore s = KeyStore.getInstance("PKCS12"); try (var in = new FileInputStream(path)) { s.load(in, "secret".toCharArray()); } return s; }
  static HttpClient client(String ca, String own) throws Exception {
    var trust = TrustManagerFactory.getInstance("PKIX"); KeyStore s = KeyStore.getInstance("PKCS12"); s.load(null, null);
    try (var in = new FileInputStream(ca)) { s.setCertificateEntry("ca", java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in)); }
    trust.init(s); KeyManager[] keys = null;
    if (own != null) { var k = KeyManagerFactory.getInstance("PKIX"); k.init(store(own), "secret".toCharArray()); keys = k.getKeyManagers(); }
    var c = SSLContext.getInstance("TLS"); c.init(keys, trust.getTrustManagers(), null);
    return HttpClient.newBuilder().sslContext(c).build(); }
  public static void main(String[] a) throws Exception {
    var base = "https://localhost:" + a[0] + "/inspect/";
    for (String who : new String[] {"state-police", "uscis-officer", ""}) {
      var c = client(a[1], who.isEmpty() ? null : a[2] + "/" + who + ".p12");
      for (String path : new String[] {"x", "x", "gone", "large"}) {
        var b = HttpRequest.newBuilder(URI.create(base + path)); if (who.equals("uscis-officer")) b.header("Purpose-Of-Use", "adjudication");
        var r = c.send(b.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(who + " " + path + " " + r.version() + " " + r.statusCode() + " " + (path.equals("large") ? r.body().length() : r.body())); }
      var p = HttpRequest.newBuilder(URI.create(base + "x")).POST(HttpRequest.BodyPublishers.ofString("b".repeat(70000)));
      if (who.equals("uscis-officer")) p.header("Purpose-Of-Use", "adjudication");
      System.out.println(who + " post " + c.send(p.build(), HttpResponse.BodyHandlers.ofString()).statusCode()); } } }
"""


def test_java(gw):
    """HttpClient asks for HTTP/2 by ALPN and takes HTTP/1.1."""
    java, openssl = find("java"), find("openssl")
    for name in ("state-police", "uscis-officer"):
        done = run(openssl, "pkcs12", "-export", "-in", gw.certs / f"{name}.pem", "-inkey", gw.certs / f"{name}.key", "-out",
                   gw.dir / f"{name}.p12", "-passout", "pass:secret")
        assert done.returncode == 0, done.stderr
    gw.write("Client.java", JAVA)
    done = run(java, "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", gw.dir / "Client.java", gw.port,
               gw.certs / "gateway-ca.pem", gw.dir, env={**os.environ, "LC_ALL": "C.UTF-8"})
    if b"compiler" in done.stderr.lower():
        pytest.skip("java has no compiler here")
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.decode().splitlines()
    large = json.dumps(LARGE, ensure_ascii=False), json.dumps(LARGE[:-1], ensure_ascii=False)
    expected = []
    for who, text, length, posted in (("state-police", VISIBLE, len(large[1]), 405), ("uscis-officer", ALL, len(large[0]), 200), ("", VISIBLE, len(large[1]), 405)):
        gone = "{}" if who == "uscis-officer" else '{"type":"about:blank","title":"Not Found","status":404}'
        expected += [f"{who} x HTTP_1_1 200 {text}"] * 2 + [f"{who} gone HTTP_1_1 404 {gone}", f"{who} large HTTP_1_1 200 {length}", f"{who} post {posted}"]
    assert lines == expected


def test_wrk(gw):
    before = gw.metric("gate1367_requests_total")
    done = run(find("wrk"), "-t1", "-c8", "-d1s", f"https://localhost:{gw.port}/inspect/x").stdout.decode()
    requests = int(re.search(r"(\d+) requests in", done).group(1))
    assert requests > 10 and "Socket errors" not in done and "Non-2xx" not in done, done
    read = wait_until(lambda: gw.metric("gate1367_requests_total") - before >= requests)
    assert read and gw.metric("gate1367_records_withheld_total") >= requests


def test_h2load_with_http_1(gw):
    done = run(find("h2load"), "--h1", "-n", "200", "-c", "8", f"https://localhost:{gw.port}/inspect/x").stdout.decode()
    assert "200 succeeded, 0 failed, 0 errored, 0 timeout" in done and "200 2xx" in done, done
