"""A source of kind sql in, its rows as one JSONL file for each table out, in the order in which the query gives them.

SQLite comes with Python; PostgreSQL needs psycopg (`pip install perennial-ml[sql]`). Rows stream; null stays null.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


def query(contract: Contract, folder: Path, root: Path) -> None:
    """Run the query of each table and write its rows; the database is only read.

    Raises: ConfigError for an address that is missing or of no known kind, ServiceError when no database answers,
    InputError for a query that fails.
    """
    told = contract.source.query
    assert told is not None
    queries = told if isinstance(told, dict) else {next(iter(contract.tables)): told}
    url = _address(contract)
    for table, text in queries.items():
        pattern, columns = contract.tables[table]
        with _rows(url, text, root, table) as rows:
            _write(folder / pattern, rows, columns, table)


def _address(contract: Contract) -> str:
    """The address itself is never told: it may hold a password."""
    source = contract.source
    if source.url is not None:
        return source.url
    assert source.url_env is not None
    url = os.environ.get(source.url_env, "")
    if not url:
        raise ConfigError(f"the variable {source.url_env} is not set: it holds the address, {_KINDS}")
    return url


@contextmanager
def _rows(url: str, text: str, root: Path, table: str) -> Iterator[Iterator[Sequence[Any]]]:
    """The names of the columns, then the rows."""
    match urlsplit(url).scheme:
        case "sqlite":
            path = root / url.removeprefix("sqlite:///")
            with _sqlite(path, text, table) as rows:
                yield rows
        case "postgresql" | "postgres":
            with _postgresql(url, text, table) as rows:
                yield rows
        case kind:
            raise ConfigError(f"a database of kind {kind!r} is not known; give {_KINDS}")


@contextmanager
def _sqlite(path: Path, text: str, table: str) -> Iterator[Iterator[Sequence[Any]]]:
    if not path.is_file():
        raise InputError(f"{path}: there is no such SQLite database", code="unreadable_file")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield _fetched(connection.execute(text))
    except sqlite3.Error as error:
        raise _failed(table, error) from error
    finally:
        connection.close()


@contextmanager
def _postgresql(url: str, text: str, table: str) -> Iterator[Iterator[Sequence[Any]]]:
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
                yield _fetched(cursor)
    except psycopg.Error as error:
        raise _failed(table, error) from error


def _failed(table: str, error: Exception) -> InputError:
    return InputError(
        f"the query of table {table} fails ({' '.join(str(error).split())}); mend source.query", code="query"
    )


def _fetched(cursor: Any) -> Iterator[Sequence[Any]]:
    yield [column[0] for column in cursor.description or ()]
    while rows := cursor.fetchmany(_ROWS):
        yield from rows


def _write(path: Path, rows: Iterator[Sequence[Any]], columns: dict[str, Column], table: str) -> None:
    names = [str(name) for name in next(rows)]
    if len(set(names)) < len(names) or not names:
        raise InputError(f"the query of table {table} gives columns {names}: name each once, with AS", code="query")
    by_raw = {raw: column for name, column in columns.items() for raw in column.sources or (name,)}
    described = [by_raw.get(name) for name in names]
    with open_replacement(path) as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        for row in rows:
            told = {n: _told(value, c, n) for n, value, c in zip(names, row, described, strict=True)}
            packed.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")


def _told(value: Any, column: Column | None, name: str) -> str | bool | None:
    """A value as text: numbers in full, times as the contract writes them, in its zone."""
    match value:
        case None | bool() | str():
            return value
        case bytes() | bytearray() | memoryview():
            raise InputError(f"the query gives bytes in {name!r}: leave it out, or encode it as text", code="query")
        case dt.datetime():
            zone = ZoneInfo(column.tz if column else "UTC")
            local = value if value.tzinfo is None else value.astimezone(zone)
            is_time = (
                column is not None
                and column.cell_type == "datetime"
                and not (local.microsecond and "%f" not in time_format(column))
            )
            return local.strftime(_strftime(column)) if is_time else local.replace(tzinfo=None).isoformat(" ")
        case dt.date():
            return value.strftime(_strftime(column)) if column and column.cell_type == "date" else value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)


def _strftime(column: Column | None) -> str:
    assert column is not None
    return time_format(column)
