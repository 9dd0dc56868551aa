"""A table is one file or several with the same columns: their format, their names, and all of their rows.

Files with other columns are never joined unasked: which one is meant, a person must say.
"""

from __future__ import annotations

import datetime as dt
import glob
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.source import Format, Source
from perennial.data.io.csv_header import Dialect
from perennial.data.io.jsonl import read_keys, read_objects
from perennial.data.io.parquet import read_parquet_blocks, read_parquet_schema
from perennial.data.io.read import Block, read_blocks
from perennial.data.io.workbook import open_sheet, read_top
from perennial.data.names import RAW
from perennial.discovery.dialect import detect_dialect, detect_sheet
from perennial.discovery.names import has_topic, remove_keyword
from perennial.errors import InputError
from perennial.files.archives import WORKBOOKS, is_archive, is_workbook, unpack

_TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz", *WORKBOOKS)
_SHEET_ROWS = 400  # in which a sheet's header is looked for
_OTHER_SUFFIXES = (".txt", ".data", ".dat", ".json", ".txt.gz", ".test", ".all", ".json.gz")  # of tables, maybe


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """Files with the same columns, how they are written, and the dates whose parts stand in several columns."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    source: Source
    notes: tuple[str, ...] = ()
    dialect: Dialect | None = None  # of text with a delimiter
    typed: Mapping[str, Column] | None = None  # how the typed cells of a Parquet file or a workbook are read
    nested: frozenset[str] = frozenset()  # keys of JSON that hold lists or objects somewhere
    numbers: frozenset[str] = frozenset()  # columns of a workbook with cells that are numbers

    @property
    def date_parts(self) -> dict[str, tuple[str, ...]]:
        """A name for each date in parts → its columns."""
        return find_date_parts(self.names)

    def read_blocks(self) -> Iterator[Block]:
        """All records, with a column more for each date in parts."""
        dates = [pl.concat_str(parts, separator="-").alias(name) for name, parts in self.date_parts.items()]
        for path in self.paths:
            for block in self._read_file(path):
                yield Block(rows=block.rows.with_columns(dates), rejects=block.rejects)

    def _read_file(self, path: Path) -> Iterator[Block]:
        if self.typed is not None:
            return self._read_typed(path, self.typed)
        return read_blocks(path, self.dialect) if self.dialect is not None else self._read_objects(path)

    def _read_typed(self, path: Path, typed: Mapping[str, Column]) -> Iterator[Block]:
        columns = {name: (name, column) for name, column in typed.items()}
        if self.dialect is None:
            return read_parquet_blocks(path, columns)
        return open_sheet(path, self.source.sheet, self.dialect).read(columns, trim=self.dialect.trim)

    def _read_objects(self, path: Path) -> Iterator[Block]:
        """A key with a list or an object anywhere has no cell: as a column it would set those rows aside."""
        empty = [pl.lit("").alias(name) for name in self.nested]
        for block in read_objects(path, "utf-8", {name: name for name in self.names}, set(self.names)):
            yield Block(rows=block.rows.with_columns(empty), rejects=block.rejects)


def list_files(data: Path) -> list[Path]:
    """The file, or the files of the folder.

    Raises: InputError where there are none.
    """
    if not data.exists():
        raise InputError(f"--data {data}: there is no such file or folder")
    paths = [data] if data.is_file() else sorted(path for path in data.iterdir() if not path.name.startswith("."))
    if not paths:
        raise InputError(f"--data {data}: the folder is empty")
    return paths


def unpack_tables(paths: Sequence[Path], folder: Path) -> list[Path]:
    """The files themselves, or those that look like tables of the one archive, unpacked into `folder`.

    Raises: InputError for an archive without a table or with one that cannot be trusted.
    """
    if len(paths) != 1 or not paths[0].is_file() or not is_archive(paths[0]):
        return list(paths)
    try:
        _unpack(paths[0], folder, _TABLE_SUFFIXES)
    except InputError as error:
        if error.code != "no_table":
            raise
        _unpack(paths[0], folder, _OTHER_SUFFIXES)
    return sorted(folder.iterdir())


def _unpack(archive: Path, folder: Path, suffixes: tuple[str, ...]) -> None:
    unpack(archive, folder, lambda name: not name.startswith(".") and name.lower().endswith(suffixes))


def describe_table(paths: Sequence[Path], sheet: str | None = None) -> SourceTable:
    """How all of the files are written; `sheet` is that of workbooks, by default the only one with rows.

    Raises: InputError when their columns differ, or one is no table.
    """
    first, *others = [_describe_file(path, sheet) for path in paths]
    for other in others:
        if (other.names, other.source.format, other.dialect) != (first.names, first.source.format, first.dialect):
            tables = (first, *others)
            sizes = ", ".join(f"{table.paths[0].name} ({len(table.names)} columns)" for table in tables)
            raise InputError(f"the files differ in their columns: {sizes}. Which one is it? Give that file by --data")
    return replace(
        first,
        paths=tuple(paths),
        source=first.source.model_copy(update={"files": _find_pattern(paths)}),
        nested=first.nested.union(*(other.nested for other in others)),
        numbers=first.numbers.union(*(other.numbers for other in others)),
    )


def _describe_file(path: Path, sheet: str | None) -> SourceTable:
    if is_workbook(path):
        return _describe_sheet(path, sheet)
    if sheet is not None:
        raise InputError(f"--sheet {sheet}: {path.name} is no workbook, by its name")
    with open(path, "rb") as raw:
        is_parquet = raw.read(4) == b"PAR1"
    if is_parquet:
        schema = read_parquet_schema(path)
        columns = {name: _read_as(dtype) for name, dtype in schema.items()}
        return replace(_describe_typed(path, "parquet", tuple(schema)), typed=columns)
    # by its name; what begins like one object a line and is called otherwise, the CSV reader refuses with words
    if path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json")):
        names = tuple(read_keys(path, "utf-8"))
        return replace(_describe_typed(path, "jsonl", names), nested=_find_nested(path, names))
    detected = detect_dialect(path)
    return SourceTable(
        paths=(path,), names=detected.names, source=detected.to_source(path.name), notes=detected.notes, dialect=detected.dialect
    )


def _describe_typed(path: Path, form: Format, names: tuple[str, ...]) -> SourceTable:
    source = Source(kind="file", files=path.name, format=form)
    return SourceTable(paths=(path,), names=names, source=source, notes=(f"it is written as {form}",))


def _describe_sheet(path: Path, name: str | None) -> SourceTable:
    detected = detect_sheet(read_top(path, name, _SHEET_ROWS))
    sheet, dialect = open_sheet(path, name, detected.dialect), detected.dialect
    types = sheet.find_types()
    source = Source(
        kind="file", files=path.name, format="workbook", sheet=name, skip=dialect.skip, trim=dialect.trim, header=dialect.names
    )
    merged = sheet.find_merged()
    notes = [f"merged cells {', '.join(merged)}: the first has the value, the others are empty"] if merged else []
    return SourceTable(
        paths=(path,),
        names=detected.names,
        source=source,
        notes=(f"it is sheet {sheet.cells.name} of a workbook", *detected.notes, *notes),
        dialect=dialect,
        typed={column: _read_cells_as(cells) for column, cells in types.items()},
        numbers=frozenset(column for column, cells in types.items() if cells & {int, float}),
    )


def _read_cells_as(types: set[type]) -> Column:
    """Days as dates and moments as times where a column has nothing else, each cell in the one form."""
    if types and types <= {dt.date, dt.datetime}:
        return Column(role="time", type="datetime" if dt.datetime in types else "date")
    return Column(role="categorical")


def _find_nested(path: Path, names: Sequence[str]) -> frozenset[str]:
    nested: set[str] = set()
    for block in read_objects(path, "utf-8", {name: name for name in names}, set(names)):
        for raw in block.rows[RAW]:
            if b"[" in raw or raw.count(b"{") > 1:
                nested |= {key for key, value in json.loads(raw).items() if isinstance(value, list | dict)}
    return frozenset(nested)


def _read_as(dtype: pl.DataType) -> Column:
    """Moments as text in the one form, what cannot be a cell as empty, the rest by its shortest text."""
    if dtype.is_nested() or dtype == pl.Binary:
        return Column(role="ignore", why="lists, objects or bytes")
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return Column(role="time", type="date" if dtype == pl.Date else "datetime")
    return Column(role="categorical")


def _find_pattern(paths: Sequence[Path]) -> str:
    """The name of the one file, or what the names of several end with."""
    if len(paths) == 1:
        return glob.escape(paths[0].name)
    suffix = "".join(paths[0].suffixes)
    return f"*{glob.escape(suffix)}" if all("".join(path.suffixes) == suffix for path in paths) else "*"


def find_date_parts(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A name for each date that columns called year, month (and day) make together → those columns in this order."""
    dates: dict[str, tuple[str, ...]] = {}
    for year in (name for name in names if has_topic(name, "year")):
        stem = remove_keyword(year, "year")
        month, day = (_find_part(names, topic, stem) for topic in ("month", "day_of_month"))
        if month is not None:
            titles = (f"{stem or 'the'}_day", f"{stem or 'the'}_moment")
            title = next(title for title in titles if title not in names)
            dates[title] = (year, month) if day is None else (year, month, day)
    return dates


def _find_part(names: Sequence[str], topic: str, stem: str) -> str | None:
    """The column that is a part of the date whose name is `stem` without it."""
    return next((name for name in names if has_topic(name, topic) and remove_keyword(name, topic) == stem), None)
