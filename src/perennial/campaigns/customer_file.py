"""Customer file: read the ids of opt-outs, or the outcomes of a campaign, from a file that a CRM exported."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.source import Format
from perennial.data.io.csv_header import DELIMITERS, Dialect
from perennial.data.io.ingest import ingest
from perennial.data.io.read import read_header
from perennial.data.io.table_files import TableFormat, open_table
from perennial.data.io.workbook import SHEET_WARNINGS
from perennial.data.names import describe_place
from perennial.errors import InputError
from perennial.files.archives import is_workbook

log = logging.getLogger("perennial")


def read_customers(path: Path, columns: dict[str, Column], key: str, sheet: str | None = None) -> pl.DataFrame:
    """The typed rows of a file about customers, with whichever delimiter its header names the key.

    Raises: InputError when there is no such file, it lacks a column, or one of its cells cannot be read.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    read = ingest([path], columns, _detect_format(path, (key, *columns[key].sources), sheet))
    for warning in read.warnings:
        if warning.code in SHEET_WARNINGS:
            log.warning("%s", warning.message)
    if read.rejects.height:
        first = read.rejects.row(0, named=True)
        raise InputError(
            f"{path}: {read.rejects.height} of {read.rejects.height + read.rows.height} rows cannot be read, the first is "
            f"{describe_place(first['source'], first['line'])}: {first['reason']}; correct them, or these customers would be "
            "missing"
        )
    return read.rows.select(list(columns))


def find_key_column(path: Path, key: str, column: Column | None, sheet: str | None = None) -> Column:
    """How a file identifies customers: by `key` as the list does, or by the address whose digest the key is (`column`)."""
    plain = Column(role="id", type="text")
    if column is None or not column.hashed or not path.is_file():
        return plain
    if key in open_table(path, _detect_format(path, (key, *column.sources), sheet)).names:
        return plain
    return plain.model_copy(update={"source": column.source or key, "hashed": True})


def check_one_row_each(keys: pl.Series, where: str) -> None:
    """Raises: InputError when an id has several rows."""
    repeated = keys.filter(keys.is_duplicated()).unique(maintain_order=True)
    if repeated.len():
        examples = ", ".join(repeated.head(3))
        raise InputError(f"{where}: {repeated.len()} ids have several rows, such as {examples}; give one row each")


def check_leading_zeros(path: Path, ids: pl.Series, known_ids: pl.Series) -> None:
    """Raises: InputError when some ids match known ones only without their leading zeros, which spreadsheets cut."""
    bare = pl.DataFrame({"id": known_ids, "bare": known_ids.str.strip_chars_start("0")}).filter(pl.col("id") != pl.col("bare"))
    cut = ids.filter(~ids.is_in(known_ids.to_list()) & ids.is_in(bare["bare"].to_list()))
    if cut.len():
        example = str(cut.min())
        whole = bare.filter(pl.col("bare") == example)["id"][0]
        raise InputError(
            f"{path}: {cut.len():,} ids have lost their leading zeros, such as {example} for {whole}: export ids as text"
        )


def _detect_format(path: Path, keys: Sequence[str], sheet: str | None) -> TableFormat:
    """The format of a file that may identify customers by one of `keys`."""
    form: Format = "parquet" if path.suffix == ".parquet" else "workbook" if is_workbook(path) else "csv"
    dialect = _detect_dialect(path, keys) if form == "csv" else Dialect()
    return TableFormat(table=path.name, format=form, dialect=dialect, entity=None, allow_empty=True, sheet=sheet)


def _detect_dialect(path: Path, keys: Sequence[str]) -> Dialect:
    """The delimiter with which the header has one of `keys`; else a comma, and ingest will say which columns it found."""
    for dialect in (Dialect(delimiter=sign) for sign in DELIMITERS):
        try:
            if not set(keys).isdisjoint(read_header(path, dialect)):
                return dialect
        except InputError:  # another delimiter
            continue
    return Dialect()
