# ctest: release
"""The ready profile for DataTables before the library that its authors give to servers (Editor's, which answers `serverSide` tables),
over PostgreSQL: pages, searches and orders, as in a world where those who are withheld never were.

    #= ICE10036.2 2.1
"""
import glob
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from urllib.parse import urlencode

import pytest

from harness.origin import free_port
from programs import Running, find, npm_package
from test_paged import HIDDEN, NUMBERS, VISIBLE, served

SERVER = """
import Editor, {Field} from "datatables.net-editor-server";
import qs from "qs";
import http from "http";
import knex from "knex";
const db = knex({client: "pg", connection: {host: %s, user: "nobody", database: %s}});
http.createServer(async (q, s) => {
  const table = new Editor(db, "arrests", "id").fields(...["id", "a_number", "name", "city", "booked"].map((n) => new Field(n)));
  await table.process(qs.parse(q.url.split("?")[1], {arrayLimit: 100}));
  s.setHeader("Content-Type", "application/json");
  s.end(JSON.stringify(table.data()));
}).listen(%d, "127.0.0.1");
"""
CITIES = ["Arcadia", "Bethel", "Corinth"]
COLUMNS = ["id", "a_number", "name", "city"]


def rows(there):
    return [(n, NUMBERS[n], f"Person {n:02}", CITIES[n % 3], f"2026-01-{n % 28 + 1:02}") for n in NUMBERS if there or n not in HIDDEN]


@pytest.fixture(scope="module")
def postgres():
    """PostgreSQL on a socket of its own, as nobody: it does not run as root."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not programs or os.geteuid() != 0:
        pytest.skip("PostgreSQL is not installed, or nobody cannot be had")
    place, bin_ = pathlib.Path(tempfile.mkdtemp(prefix="gate1367-pg-")), os.path.dirname(programs[-1])  # pytest's own is root's alone
    shutil.chown(place, "nobody")
    as_nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    run = lambda *a, **more: subprocess.run([*as_nobody, *map(str, a)], check=True, capture_output=True, text=True, cwd=place, **more)
    run(f"{bin_}/initdb", "-D", place / "data", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
    try:
        run(f"{bin_}/pg_ctl", "-D", place / "data", "-w", "-l", place / "log", "-o", f"-c listen_addresses= -k {place} -F", "start")
        for name, there in (("there", True), ("absent", False)):
            run(f"{bin_}/createdb", "-h", place, name)
            values = ",".join(f"({n},'{a}','{p}','{c}','{b}')" for n, a, p, c, b in rows(there))
            run(f"{bin_}/psql", "-h", place, name, "-c",
                f"create table arrests (id int, a_number text, name text, city text, booked text); insert into arrests values {values}")
        yield place
    finally:
        subprocess.run([*as_nobody, f"{bin_}/pg_ctl", "-D", place / "data", "-m", "immediate", "stop"], capture_output=True, cwd=place)
        shutil.rmtree(place)


def asked(start, length, search="", order="id", way="asc"):
    """What the table sends, brackets and all."""
    q = [("draw", 1), ("start", start), ("length", length), ("search[value]", search), ("search[regex]", "false"),
         ("order[0][column]", COLUMNS.index(order)), ("order[0][dir]", way)]
    for i, name in enumerate(COLUMNS):
        q += [(f"columns[{i}]{k}", v) for k, v in (("[data]", name), ("[name]", ""), ("[searchable]", "true"), ("[orderable]", "true"),
                                                   ("[search][value]", ""), ("[search][regex]", "false"))]
    return "/arrests?" + urlencode(q)


def test_datatables(make_gateway, tmp_path, postgres):
    node, package = find("node"), npm_package("datatables.net-editor-server", "3.1.0", "knex@3.2.9", "pg@8.16.3", "qs@6.14.0")

    def start(there):
        port, script = free_port(), package.parents[0].parent / f"table{there}-{os.getpid()}.mjs"
        script.write_text(SERVER % (json.dumps(str(postgres)), json.dumps("there" if there else "absent"), port))
        return Running([node, script], port, cwd=package.parents[0].parent)

    in_bethel = [n for n in VISIBLE if n % 3 == 1]
    cases = [(asked(0, 10), VISIBLE[:10], VISIBLE), (asked(10, 10), VISIBLE[10:20], VISIBLE), (asked(30, 10), VISIBLE[30:], VISIBLE),
             (asked(0, 5, order="name", way="desc"), VISIBLE[:-6:-1], VISIBLE), (asked(0, 10, search="bethel"), in_bethel[:10], in_bethel),
             (asked(0, 10, search=NUMBERS[HIDDEN[0]]), [], [])]
    got = served(make_gateway, tmp_path, start, "datatables", "/", lambda c: [c.get(path) for path, _, _ in cases])
    for script in package.parents[0].parent.glob(f"table*-{os.getpid()}.mjs"):
        script.unlink()
    for r, (path, page, found) in zip(got, cases):
        said = json.loads(r.body)
        assert [x["id"] for x in said["data"]] == page, (path, said)
        assert said["recordsTotal"] == said["recordsFiltered"] == str(len(found)), (path, said)  # the driver's, texts as they came
