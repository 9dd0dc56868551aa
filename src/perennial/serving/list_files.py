"""Files of a list: where it may be written, and how a spreadsheet reads it safely."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from perennial.data.masking import mask_contacts
from perennial.data.names import ROW_ID, describe_place
from perennial.data.quality.quarantine import format_raw
from perennial.errors import ConfigError
from perennial.files.durable import write_bytes
from perennial.files.tables import write_table

WORKBOOK = ".xlsx"
_RISKY = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is run as a formula by spreadsheets


def check_output(source: Path, output: Path, suffixes: Sequence[str] = (".csv", ".parquet")) -> Path:
    """The neighbour of the list that takes the rejected rows; a workbook has a sheet for them.

    Raises: ConfigError when either cannot be written, or would take the place of what is read.
    """
    if output.suffix not in suffixes:
        raise ConfigError(f"--output {output}: end it in {' or '.join(suffixes)}")
    rejects = output.with_name(f"{output.stem}.rejected{output.suffix}")
    read = {path.resolve() for path in (source, *(source.iterdir() if source.is_dir() else ()))}
    for path in (output, rejects)[: 1 if output.suffix == WORKBOOK else 2]:
        if path.is_dir():
            raise ConfigError(f"--output {output}: {path} is a folder; name a file")
        if read.intersection((path.resolve(), *path.resolve().parents)):
            raise ConfigError(f"--output {output}: {path} is part of the input {source}; name a file elsewhere")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output {output}: its folder cannot be made ({error.strerror})") from error
    if not os.access(output.parent, os.W_OK):
        raise ConfigError(f"--output {output}: {output.parent} may not be written to")
    return rejects


def write_list(path: Path, table: pl.DataFrame, digits: Mapping[str, int] | None = None) -> None:
    """Write a list: CSV for people, numbers with their `digits` behind the point; Parquet for programs, numbers exact."""
    if path.suffix == ".parquet":
        write_table(path, table)
    else:
        write_bytes(path, _csv(table, digits or {}).encode())


def format_rejected(rejected: pl.DataFrame) -> pl.DataFrame:
    """Where each rejected row stands, the reason, and its raw text, contact data masked; row_id last."""
    cells = {
        "row": [describe_place(source, line) for source, line in rejected.select("source", "line").iter_rows()],
        "reason": [mask_contacts(reason) for reason in rejected["reason"]],
        "raw": [format_raw(raw) for raw in rejected["raw"]],
    }
    return pl.DataFrame({**cells, ROW_ID: rejected[ROW_ID]}, schema=dict.fromkeys((*cells, ROW_ID), pl.String))


def _csv(table: pl.DataFrame, digits: Mapping[str, int]) -> str:
    """CSV that a spreadsheet opens as data: text that begins like a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    forms = [f".{digits[name]}f" if name in digits else None for name in table.columns]
    for row in table.iter_rows():
        writer.writerow([_format_cell(cell, form) for cell, form in zip(row, forms, strict=True)])
    return out.getvalue()


def _format_cell(cell: object, form: str | None) -> object:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_RISKY) else cell
    return cell if cell is None or form is None else format(cell, form)
