"""SQL source: run a query per table and write its rows as one JSONL file each, in the order of the query.

SQLite comes with Python; PostgreSQL needs psycopg (`pip install perennial-ml[sql]`). Rows stream; null stays null.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from perennial.contract.columns import Column
from perennial.contract.model import Contract
from perennial.data.io.cast import time_format
from perennial.errors import ConfigError, InputError, ServiceError
from perennial.files.durable import open_replacement

_ROWS = 10_000  # at a time
_KINDS = "sqlite:///PATH, or postgresql://USER@HOST/DATABASE"


def export_queries(contract: Contract, folder: Path, root: Path) -> None:
    """Run the query of each table and write its rows to `folder`; the database is only read.

    Raises: ConfigError for an address that is missing or of no known kind, ServiceError when no database answers,
    InputError for a query that fails.
    """
    query = contract.source.query
    assert query is not None
    queries = query if isinstance(query, dict) else {next(iter(contract.tables)): query}
    url = _read_address(contract)
    for table, text in queries.items():
        pattern, columns = contract.tables[table]
        with _open_rows(url, text, root, table) as rows:
            _write_rows(folder / pattern, rows, columns, table)


def _read_address(contract: Contract) -> str:
    """No message shows the address: it may hold a password."""
    source = contract.source
    if source.url is not None:
        return source.url
    assert source.url_env is not None
    url = os.environ.get(source.url_env, "")
    if not url:
        raise ConfigError(f"the variable {source.url_env} is not set: it holds the address, {_KINDS}")
    return url


def _open_rows(url: str, text: str, root: Path, table: str) -> AbstractContextManager[Iterator[Sequence[object]]]:
    """The names of the columns, then the rows."""
    match urlsplit(url).scheme:
        case "sqlite":
            return _query_sqlite(root / url.removeprefix("sqlite:///"), text, table)
        case "postgresql" | "postgres":
            return _query_postgresql(url, text, table)
        case kind:
            raise ConfigError(f"a database of kind {kind!r} is not known; give {_KINDS}")


@contextmanager
def _query_sqlite(path: Path, text: str, table: str) -> Iterator[Iterator[Sequence[object]]]:
    if not path.is_file():
        raise InputError(f"{path}: there is no such SQLite database", code="unreadable_file")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield _iterate(connection.execute(text))
    except sqlite3.Error as error:
        raise _query_error(table, error) from error
    finally:
        connection.close()


@contextmanager
def _query_postgresql(url: str, text: str, table: str) -> Iterator[Iterator[Sequence[object]]]:
    try:
        import psycopg
    except ImportError as error:
        raise ConfigError("PostgreSQL is read by psycopg: pip install 'perennial-ml[sql]'") from error
    try:
        connection = psycopg.connect(url, connect_timeout=10)
    except psycopg.Error as error:
        host = urlsplit(url).hostname or "the local machine"
        raise ServiceError(
            f"the database on {host} does not answer ({type(error).__name__}): is it up, is the password right?"
        ) from None
    try:
        with connection:
            connection.read_only = True
            with connection.cursor(name="rows") as cursor:
                cursor.itersize = _ROWS
                cursor.execute(text.encode())
                yield _iterate(cursor)
    except psycopg.Error as error:
        raise _query_error(table, error) from error


def _query_error(table: str, error: Exception) -> InputError:
    return InputError(f"the query of table {table} fails ({' '.join(str(error).split())}); correct source.query", code="query")


def _iterate(cursor: Any) -> Iterator[Sequence[object]]:  # of sqlite3 or psycopg
    yield [column[0] for column in cursor.description or ()]
    while rows := cursor.fetchmany(_ROWS):
        yield from rows


def _write_rows(path: Path, rows: Iterator[Sequence[object]], columns: dict[str, Column], table: str) -> None:
    names = [str(name) for name in next(rows)]
    if len(set(names)) < len(names) or not names:
        raise InputError(f"the query of table {table} gives columns {names}: name each once, with AS", code="query")
    by_raw = {raw: column for name, column in columns.items() for raw in column.sources or (name,)}
    typed = [(name, by_raw.get(name)) for name in names]
    with open_replacement(path) as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        for row in rows:
            record = {name: _to_json(value, column, name) for (name, column), value in zip(typed, row, strict=True)}
            packed.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def _to_json(value: object, column: Column | None, name: str) -> str | bool | None:
    """A value as text: numbers in full, times as the contract writes them, in its zone."""
    match value:
        case None | bool() | str():
            return value
        case bytes() | bytearray() | memoryview():
            raise InputError(f"the query gives bytes in {name!r}: leave it out, or encode it as text", code="query")
        case dt.datetime():
            zone = ZoneInfo(column.tz if column else "UTC")
            local = value if value.tzinfo is None else value.astimezone(zone)
            if column is not None and column.cell_type == "datetime":
                form = time_format(column)
                if "%f" in form or not local.microsecond:
                    return local.strftime(form)
            return local.replace(tzinfo=None).isoformat(" ")
        case dt.date():
            if column is not None and column.cell_type == "date":
                return value.strftime(time_format(column))
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)
