# ctest: release
"""Origins that are not ours, with somebody who must not be seen: as in a world where they never were."""
import json
import os

import pytest

from harness import gateway as g
from harness.client import OFFICER, POLICE, Client, fetch, normalised
from harness.origin import free_port

from programs import find, nginx, npm_package, Running

HER, OTHER = "A012345678", "A999999999"
PEOPLE = [{"id": 1, "aNumber": OTHER, "name": "Grace"}, {"id": 2, "aNumber": HER, "name": "Ada"},
          {"id": 3, "aNumber": "A888888888", "name": "Édith"}]


def pack(directory, documents):
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "site.json"
    path.write_text(json.dumps({"format": 1, "pack": "site", "version": "1",
                                "profiles": [{"id": "p", "title": "P", "documents": documents}]}))
    return [str(g.ROOT / "rules/section-1367.json"), str(path)]


def worlds(make_gateway, tmp_path, start, documents, paths):
    """What the police see of each path, in the three worlds: she is there and registered; only registered; neither."""
    seen = []
    for there, registered in ((True, True), (False, True), (False, False)):
        with start(there) as origin:
            gw = make_gateway(f"http://127.0.0.1:{origin.port}", protected=[HER] if registered else [],
                              routes=[{"path": "/", "upstream": "records", "profile": "p"}], packs=pack(tmp_path / "pack", documents))
            with Client(gw.port, POLICE) as c:
                seen.append([normalised(c.get(p, m).raw) for p in paths for m in ("GET", "HEAD")])
            if there:
                officer = [fetch(gw.port, p, OFFICER) for p in paths]
            gw.stop()
    return seen, officer


def same_everywhere(seen):
    for i, answers in enumerate(zip(*seen)):
        assert len(set(answers)) == 1, answers
        assert HER[1:].encode() not in answers[0]


@pytest.fixture
def json_server(tmp_path):
    node, package = find("node"), npm_package("json-server", "0.17.4")

    def start(there):
        port = free_port()
        db = tmp_path / f"db{port}.json"
        db.write_text(json.dumps({"persons": [p for p in PEOPLE if there or p["aNumber"] != HER]}))
        return Running([node, package / "lib/cli/bin.js", "--quiet", "--host", "127.0.0.1", "--port", port, db], port, cwd=tmp_path)
    return start


def test_json_server(make_gateway, tmp_path, json_server):
    """Pretty-printed lists, chunks, ETags, X-Total-Count, 404s with a body: nothing of it tells of her."""
    documents = [{"path": "/persons", "units": ["$[*]"], "query": {"_sort": "any"}},
                 {"path": "/persons/{id}", "units": ["$"],
                  "miss": {"status": 404, "type": "application/json; charset=utf-8", "body": "{}"}}]
    paths = ["/persons", "/persons/1", "/persons/2", "/persons/9", "/persons?_sort=name", "/persons?name=Ada", "/persons?name=Grace",
             "/persons?_page=1", "/persons/", "/db"]
    seen, officer = worlds(make_gateway, tmp_path, json_server, documents, paths)
    same_everywhere(seen)
    assert [p["id"] for p in json.loads(seen[0][0].partition(b"\r\n\r\n")[2])] == [1, 3]
    assert json.loads(officer[0].text) == PEOPLE and officer[0].header("Section-1367") == "protected; records=1"
    assert json.loads(officer[2].text) == PEOPLE[1] and officer[1].header("Section-1367") == "none"
    assert officer[0].header("X-Powered-By") == "Express"  # an entitled recipient gets what the origin said


@pytest.fixture
def autoindex(tmp_path):
    find("nginx")

    def start(there):
        port = free_port()
        files = tmp_path / f"files{port}"
        for name in (f"{OTHER}.pdf", f"{HER}.pdf", "notes.txt") if there else (f"{OTHER}.pdf", "notes.txt"):
            (files / "cases").mkdir(parents=True, exist_ok=True)
            (files / "cases" / name).write_text("x" * 10)
            os.utime(files / "cases" / name, (1_700_000_000, 1_700_000_000))
        return nginx(tmp_path / f"nginx{port}", f"server {{ listen 127.0.0.1:{port}; root {files}; autoindex on; "
                                                "autoindex_format json; }", port)
    return start


def test_nginx_autoindex(make_gateway, tmp_path, autoindex):
    """A directory listing in JSON: who stands in a file's name is not listed, and cannot be fetched."""
    documents = [{"path": "/cases/", "units": ["$[*]"]}]
    paths = ["/cases/", "/cases", f"/cases/{HER}.pdf", f"/cases/{OTHER}.pdf", "/cases/none.pdf"]
    seen, officer = worlds(make_gateway, tmp_path, autoindex, documents, paths)
    same_everywhere(seen)
    assert [f["name"] for f in json.loads(seen[0][0].partition(b"\r\n\r\n")[2])] == [f"{OTHER}.pdf", "notes.txt"]
    assert len(json.loads(officer[0].text)) == 3 and officer[0].header("Section-1367") == "protected; records=1"


def test_nginx_mirrors_to_a_mirror(make_gateway, tmp_path, json_server):
    """nginx's own `mirror` directive: the client gets nginx's answer, the mirror asks for itself."""
    find("nginx")
    with json_server(True) as origin:
        documents = [{"path": "/persons", "units": ["$[*]"]}, {"path": "/persons/{id}", "units": ["$"]}]
        gw = make_gateway(f"http://127.0.0.1:{origin.port}", protected=[HER], arguments=["--mirror"],
                          routes=[{"path": "/", "upstream": "records", "profile": "p"}], packs=pack(tmp_path / "pack", documents))
        certs, port = gw.certs, free_port()
        server = f"""server {{ listen 127.0.0.1:{port};
          location / {{ mirror /gate; mirror_request_body off; proxy_pass http://127.0.0.1:{origin.port}; }}
          location = /gate {{ internal; proxy_pass https://127.0.0.1:{gw.port}$request_uri; proxy_pass_request_body off;
            proxy_set_header Content-Length ""; proxy_set_header Host localhost; proxy_http_version 1.1;
            proxy_ssl_certificate {certs}/state-police.pem; proxy_ssl_certificate_key {certs}/state-police.key;
            proxy_ssl_trusted_certificate {certs}/gateway-ca.pem; proxy_ssl_verify on; proxy_ssl_name localhost; }} }}"""
        import urllib.request
        with nginx(tmp_path / "front", server, port):
            for path in ("/persons", "/persons/1", "/persons/2", "/persons/2"):
                assert HER in urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read().decode() or path == "/persons/1"
            request = urllib.request.Request(f"http://127.0.0.1:{port}/persons", b'{"aNumber": "A777777777"}',
                                             {"Content-Type": "application/json"}, method="POST")
            assert urllib.request.urlopen(request, timeout=10).status == 201
            from harness.client import wait_until

            def facts():
                return json.loads(gw.admin("/mirror")[1])["documents"]
            assert wait_until(lambda: sum(d["answers"] for d in facts()) == 4 and any(d["not_asked"] for d in facts()))
        found = {d["document"]: d for d in facts()}
        assert (found["/persons"]["records_withheld"], found["/persons"]["not_asked"]) == (1, {"POST": 1})
        assert (found["/persons/{id}"]["answers"], found["/persons/{id}"]["not_found"]) == (3, 2)
        # Nothing was done twice: one new person, not two.
        assert len(json.loads(urllib.request.urlopen(f"http://127.0.0.1:{origin.port}/persons", timeout=10).read())) == 4
