"""Parquet reader: blocks of text rows, as a CSV file would hold them; every page is checked as it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from perennial.contract.columns import Column
from perennial.data.io.byte_source import open_regular
from perennial.data.io.cast import time_format
from perennial.data.io.read import Block
from perennial.data.names import LINE, RAW, RECORD
from perennial.errors import InputError

_BATCH = 65_536  # rows
ReadColumns = dict[str, tuple[str, Column]]  # a column of the file → its name and description in the contract


def read_parquet_header(path: Path) -> list[str]:
    """Read the column names (raises InputError when it is no Parquet file that can be read)."""
    return [str(name) for name in _open_parquet(path).schema_arrow.names]


def read_parquet_schema(path: Path) -> dict[str, pl.DataType]:
    """Read the columns and their types (raises as `read_parquet_header`)."""
    schema = pl.DataFrame(pl.from_arrow(_open_parquet(path).schema_arrow.empty_table())).schema
    return dict(schema)


def read_parquet_blocks(path: Path, read: ReadColumns) -> Iterator[Block]:
    """Read batches as text cells; a record's raw text is its declared cells as JSON, its line is its record number.

    Raises: InputError when a page is damaged, or a column holds neither text, numbers nor times.
    """
    record = 1
    for cells in _read_batches(path, read):
        frame = cells.select(_to_text(path, cells[name], *read[name]) for name in cells.columns)
        numbers = pl.int_range(record, record + frame.height, eager=True, dtype=pl.Int64)
        raw = [json.dumps(row, ensure_ascii=False).encode() for row in frame.to_dicts()]
        place = {RECORD: numbers, LINE: numbers, RAW: pl.Series(raw, dtype=pl.Binary)}
        yield Block(rows=frame.with_columns(**place), rejects=[])
        record += frame.height


def _open_parquet(path: Path) -> pq.ParquetFile:
    with open_regular(path):  # a pipe or a device would be waited for
        pass
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable_error(path, error) from error


def _unreadable_error(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} is no readable Parquet file ({error}); is it complete, and is `format` right?", code="broken_parquet"
    )


def _read_batches(path: Path, read: ReadColumns) -> Iterator[pl.DataFrame]:
    file = _open_parquet(path)
    try:
        for batch in file.iter_batches(_BATCH, columns=[name for name in file.schema_arrow.names if name in read]):
            yield pl.DataFrame(pl.from_arrow(batch))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable_error(path, error) from error


def _to_text(path: Path, cells: pl.Series, name: str, column: Column) -> pl.Series:
    """Cells as a CSV would hold them: times in the column's own format and zone, the rest by its shortest text."""
    if cells.dtype.is_nested() or cells.dtype == pl.Binary:
        if column.role == "ignore":
            return pl.Series(name, [""] * len(cells), dtype=pl.String)
        raise InputError(f"{path}: column {cells.name} holds {cells.dtype}, neither text, numbers nor times", code="nested")
    if isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None:
        cells = cells.dt.convert_time_zone(column.tz)
    if cells.dtype.is_temporal() and column.cell_type in {"date", "datetime"}:
        return cells.dt.to_string(time_format(column)).fill_null("").alias(name)
    return cells.cast(pl.String).fill_null("").alias(name)
