"""A query against a database fills the raw folder: SQLite always, PostgreSQL where a server can be started."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from perennial.data.names import ROW_ID
from perennial.errors import ConfigError, ContractError, DataStopped, InputError, ServiceError
from perennial.files.tables import read_table
from perennial.sources import fetch as fetching
from perennial.sources.fetch import fetch
from tests.conftest import Toy
from tests.integration.test_bad_inputs import Case, contract_of, lines, shop

pytestmark = pytest.mark.integration
QUERY = "SELECT who, joined, age, town, spend, y FROM people ORDER BY who"
CREATE = "CREATE TABLE people (who text, joined {date}, age integer, town text, spend numeric, y text)"


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "record_raw", lambda *_: None)


def with_source(toy: Toy, **source: Any) -> None:
    result = contract_of(Case(section="", name="", data=b"", expected={}))
    result["source"] = {"kind": "sql", "query": QUERY, **source}
    toy.project.contract("shop").write_text(yaml.safe_dump(result))


def a_shop(root: Path, **source: Any) -> Toy:
    toy = shop(Case(section="", name="", data=b"", expected={}), root)
    with_source(toy, **source)
    return toy


def fill(path: Path, rows: list[list[str | None]]) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE IF EXISTS people")
        connection.execute(CREATE.format(date="text"))
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()


def rows() -> list[list[str | None]]:
    result: list[list[str | None]] = [list(row.split(",")) for row in lines()]
    result[3][3], result[4][3] = None, ""
    return result


def read_rows(toy: Toy) -> list[dict[str, Any]]:
    (path,) = toy.project.raw("shop").iterdir()
    assert path.name == "main.jsonl.gz"
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_sqlite_fills_the_raw_folder_and_null_is_no_empty_text(tmp_path: Path) -> None:
    toy = a_shop(tmp_path / "p", url="sqlite:///shop.db")
    fill(toy.root / "shop.db", rows())
    fetch(toy.project, "shop")
    result = read_rows(toy)
    assert [row["who"] for row in result] == [f"W{i:04d}" for i in range(60)], "in the order of the query"
    assert (result[3]["town"], result[4]["town"]) == (None, "")
    assert (result[0]["age"], result[0]["spend"]) == ("20", "0.5")
    before = next(toy.project.raw("shop").iterdir()).read_bytes()
    fetch(toy.project, "shop")
    assert next(toy.project.raw("shop").iterdir()).read_bytes() == before, "the same rows are the same bytes"
    toy.run("ingest", "validate", "clean")
    assert read_table(toy.out("clean", "main.parquet"), [ROW_ID]).height == 60


def test_a_database_is_only_read_and_a_query_that_fails_is_told(tmp_path: Path) -> None:
    toy = a_shop(tmp_path / "p", url="sqlite:///shop.db")
    with pytest.raises(InputError, match=r"shop\.db: there is no such SQLite database"):
        fetch(toy.project, "shop")
    fill(toy.root / "shop.db", rows())
    cases = {
        "SELECT wealth FROM people": r"the query of table main fails \(no such column: wealth\); correct source.query",
        "DELETE FROM people": r"attempt to write a readonly database",
        "SELECT who, who FROM people": r"gives columns \['who', 'who'\]: name each once, with AS",
        "SELECT x'00ff' AS who": r"gives bytes in 'who': leave it out, or encode it as text",
    }
    for text, words in cases.items():
        with_source(toy, url="sqlite:///shop.db", query=text)
        with pytest.raises(InputError, match=words) as caught:
            fetch(toy.project, "shop")
        assert caught.value.code == "query"
    assert len(cases) == 4
    assert not toy.project.raw("shop").exists()


def test_an_address_with_a_password_stands_in_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = a_shop(tmp_path / "p", url="postgresql://ann:secret@db/shop")
    with pytest.raises(ContractError, match="holds a password: put the address into a variable") as caught:
        fetch(toy.project, "shop")
    assert "secret" not in str(caught.value)
    with_source(toy, url_env="SHOP_DB")
    monkeypatch.delenv("SHOP_DB", raising=False)
    with pytest.raises(ConfigError, match="the variable SHOP_DB is not set: it holds the address, sqlite:///PATH, or"):
        fetch(toy.project, "shop")
    monkeypatch.setenv("SHOP_DB", "oracle://ann:secret@db/shop")
    with pytest.raises(ConfigError, match="a database of kind 'oracle' is not known") as describe:
        fetch(toy.project, "shop")
    assert "secret" not in str(describe.value)
    contradictions = {
        "says its address once": {},
        "also says query": {"url": "sqlite:///x", "query": None},
        "is kept as jsonl, not as csv": {"url": "sqlite:///x", "format": "csv"},
        "the tables are main": {"url": "sqlite:///x", "query": {"people": "SELECT 1"}},
    }
    for words, source in contradictions.items():
        with_source(toy, **source)
        with pytest.raises(ContractError, match=words):
            fetch(toy.project, "shop")
    assert len(contradictions) == 4


def test_a_table_that_lost_or_won_far_too_many_rows_stops(tmp_path: Path) -> None:
    toy = a_shop(tmp_path / "p", url="sqlite:///shop.db")
    many = [list(row.split(",")) for row in lines(1000)]
    fill(toy.root / "shop.db", [list[str | None](row) for row in many])
    fetch(toy.project, "shop")
    for n in (100, 10_000):
        fill(toy.root / "shop.db", [[f"{i}", *many[i % 1000][1:]] for i in range(n)])
        with pytest.raises(DataStopped, match=rf"{n} records arrive, where 1000 were before.*fetch shop --any-size") as c:
            fetch(toy.project, "shop")
        assert c.value.code == "row_count_history"
        assert len(read_rows(toy)) == 1000, "the raw folder stays as it was"
    fill(toy.root / "shop.db", [[f"{i}", *many[i][1:]] for i in range(150)])
    fetch(toy.project, "shop")
    fill(toy.root / "shop.db", [[f"{i}", *many[i][1:]] for i in range(15)])
    fetch(toy.project, "shop", any_size=True)
    assert len(read_rows(toy)) == 15


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'perennial-ml[sql]'")
    result = [*sorted(Path("/usr/lib/postgresql").glob("*/bin")), *(Path(p).parent for p in [shutil.which("initdb")] if p)]
    if not result:
        pytest.skip("no PostgreSQL server is installed")
    room = tmp_path_factory.mktemp("pg")
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:  # it does not run as root
        as_user = {"user": "nobody"}
        for folder in (room, *list(room.parents)[:3]):
            folder.chmod(0o755)
        shutil.chown(room, "nobody")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (room / "password").write_text("secret")
    (room / "password").chmod(0o644)
    words = [result[-1] / "initdb", "-D", room / "data", "-U", "ann", "--pwfile", room / "password", "-A", "md5", "--no-sync"]
    built = subprocess.run(words, capture_output=True, text=True, check=False, cwd=room, **as_user)
    if built.returncode:
        pytest.skip(f"PostgreSQL cannot be set up: {built.stderr.strip()[-200:]}")
    start = [result[-1] / "postgres", "-D", room / "data", "-p", str(port), "-k", room, "-c", "listen_addresses=127.0.0.1"]
    log = (room.parent / "pg.log").open("wb")
    process = subprocess.Popen(start, cwd=room, stdout=log, stderr=log, **as_user)
    try:
        yield _up(f"postgresql://ann:secret@127.0.0.1:{port}/postgres")
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _up(url: str) -> str:
    import psycopg

    for _ in range(100):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return url
    pytest.skip("PostgreSQL does not come up")


def test_postgresql_fills_the_raw_folder(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    with psycopg.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE.format(date="date").encode())
        cursor.executemany("INSERT INTO people VALUES (%s, %s, %s, %s, %s, %s)", rows())
    monkeypatch.setenv("SHOP_DB", server)
    toy = a_shop(tmp_path / "p", url_env="SHOP_DB")
    fetch(toy.project, "shop")
    result = read_rows(toy)
    assert len(result) == 60
    assert (result[3]["town"], result[4]["town"]) == (None, "")
    assert (result[9]["joined"], result[9]["spend"]) == ("2025-01-19", "9.5")
    toy.run("ingest", "validate", "clean")
    assert read_table(toy.out("clean", "main.parquet"), [ROW_ID]).height == 60
    for text in ("SELECT nothing FROM people", "DELETE FROM people"):
        with_source(toy, url_env="SHOP_DB", query=text)
        with pytest.raises(InputError, match="the query of table main fails") as caught:
            fetch(toy.project, "shop")
        assert "secret" not in str(caught.value)
    monkeypatch.setenv("SHOP_DB", server.replace("secret", "wrong"))
    with pytest.raises(ServiceError, match=r"the database on 127\.0\.0\.1 does not answer") as refused:
        fetch(toy.project, "shop")
    assert "wrong" not in str(refused.value)
