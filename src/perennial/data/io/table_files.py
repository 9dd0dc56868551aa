"""Files of a table: which files belong to it, how they are written, and their records under the contract's names."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import NamedTuple, assert_never

from perennial.contract.columns import Column
from perennial.contract.model import MAIN, Contract
from perennial.contract.source import Format
from perennial.data.io.csv_header import Dialect
from perennial.data.io.jsonl import read_keys, read_objects
from perennial.data.io.parquet import ReadColumns, read_parquet_blocks, read_parquet_header
from perennial.data.io.read import Block, open_csv
from perennial.data.io.workbook import open_sheet
from perennial.errors import InputError
from perennial.files.archives import is_workbook
from perennial.results.summary import DataWarning

_TEXT_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".txt")


@dataclass(frozen=True, kw_only=True)
class TableFormat:
    """How the files of a table are written, and which column holds the entity of a row."""

    table: str
    format: Format
    dialect: Dialect
    entity: str | None
    allow_empty: bool
    sheet: str | None = None  # of a workbook; by default the only one with rows

    @classmethod
    def of(cls, contract: Contract, table: str) -> TableFormat:
        """The format that the contract declares for one of its tables."""
        source, (_, columns) = contract.source, contract.tables[table]
        dialect = Dialect(
            delimiter=source.delimiter,
            encoding=source.encoding,
            names=source.header,
            quoting=source.quoting == "double",
            skip=source.skip,
            trim=source.trim,
        )
        owner = next((name for role in ("entity", "id") for name, c in columns.items() if c.role == role), None)
        return cls(
            table=table,
            format=source.format,
            dialect=dialect,
            entity=owner,
            allow_empty=source.allow_empty,
            sheet=source.sheet if table == MAIN else None,
        )

    def for_file(self, path: Path) -> TableFormat:
        """The format of one file: whether it is a workbook or text is seen, as people send now one and now the other.

        What the contract says of lines and header is then of the other kind.
        """
        if is_workbook(path) == (self.format == "workbook"):
            return self
        kind: Format = "workbook" if is_workbook(path) else "csv"
        return replace(self, format=kind, dialect=replace(self.dialect, names=None, skip=0))


def is_file_of(name: str, pattern: str) -> bool:
    """Whether a file belongs to the table whose files are named `pattern`: a workbook also where that is of text files."""
    names = [name, *(name.removesuffix(Path(name).suffix) + suffix for suffix in _TEXT_SUFFIXES if is_workbook(Path(name)))]
    return any(fnmatch(one, pattern) for one in names)


def assign_files(files: Sequence[Path], patterns: dict[str, str]) -> dict[str, list[Path]]:
    """Assign each file to a table by the table's name pattern.

    Raises: InputError when a file belongs to no table, or a table has no file.
    """
    by_table: dict[str, list[Path]] = {table: [] for table in patterns}
    for path in sorted(files):
        table = next((name for name, pattern in patterns.items() if is_file_of(path.name, pattern)), None)
        if table is None:
            raise InputError(
                f"{path} belongs to no table: the contract knows {', '.join(patterns.values())}; remove it", code="no_table"
            )
        by_table[table].append(path)
    for table, paths in by_table.items():
        if not paths:
            raise InputError(
                f"table {table}: no file named {patterns[table]} among {', '.join(p.name for p in files) or 'no files'}",
                code="missing_file",
            )
    return by_table


class OpenTable(NamedTuple):
    """A file whose column names are read as they are written; `read` gives its records under the contract's names.

    `source` names it in a row's place; `warn` says what is wrong with its cells.
    """

    names: list[str]
    read: Callable[[dict[str, str], dict[str, Column]], Iterator[Block]]
    source: str
    warn: Callable[[dict[str, str], dict[str, Column]], list[DataWarning]] = lambda _, __: []


def open_table(path: Path, form: TableFormat) -> OpenTable:
    """Open a file of a table (raises as `ingest`). A CSV file is opened once for its header and its records."""
    form = form.for_file(path)
    match form.format:
        case "csv":
            names, blocks = open_csv(path, form.dialect)
            return OpenTable(names, lambda names, _: _rename_blocks(blocks, names), path.name)
        case "parquet":
            return OpenTable(read_parquet_header(path), partial(_read_parquet, path), path.name)
        case "jsonl":
            encoding = form.dialect.encoding
            return OpenTable(read_keys(path, encoding), partial(_read_objects, path, encoding), path.name)
        case "workbook":
            return _open_sheet(path, form)
        case _:
            assert_never(form.format)


def _open_sheet(path: Path, form: TableFormat) -> OpenTable:
    sheet = open_sheet(path, form.sheet, form.dialect)

    def warn(names: dict[str, str], columns: dict[str, Column]) -> list[DataWarning]:
        return sheet.warn({name: column for name, (_, column) in _pair_columns(names, columns).items()})

    return OpenTable(
        names=sheet.written,
        read=lambda names, columns: sheet.read(_pair_columns(names, columns), trim=form.dialect.trim),
        source=sheet.source,
        warn=warn,
    )


def _rename_blocks(blocks: Iterator[Block], names: dict[str, str]) -> Iterator[Block]:
    for block in blocks:
        yield replace(block, rows=block.rows.rename(_map_names(block.rows.columns, names)))


def _read_parquet(path: Path, names: dict[str, str], columns: dict[str, Column]) -> Iterator[Block]:
    return read_parquet_blocks(path, _pair_columns(names, columns))


def _pair_columns(names: dict[str, str], columns: dict[str, Column]) -> ReadColumns:
    read = {raw: column for name, column in columns.items() for raw in column.sources or (name,)}
    return {name: (one, read[one]) for name, one in names.items()}


def _read_objects(path: Path, encoding: str, names: dict[str, str], columns: dict[str, Column]) -> Iterator[Block]:
    loose = {raw for n, c in columns.items() if c.role == "ignore" for raw in c.sources or (n,)}
    return read_objects(path, encoding, names, {name for name, one in names.items() if one in loose})


def _map_names(header: Sequence[str], names: dict[str, str]) -> dict[str, str]:
    """Map a header to the contract's names; another column that has one of them already gets a space in front."""
    taken = {one for name, one in names.items() if name != one}
    return {name: names.get(name, f" {name}" if name in taken else name) for name in header}


def warn_of_form(path: Path, form: TableFormat) -> list[DataWarning]:
    """Warnings about a byte order mark and an encoding other than UTF-8."""
    form = form.for_file(path)
    with open(path, "rb") as file:
        messages = {"byte_order_mark": "its byte order mark is taken off"} if file.read(3) == codecs.BOM_UTF8 else {}
    if form.format in {"csv", "jsonl"} and form.dialect.encoding != "utf-8":
        messages["encoding"] = f"read as {form.dialect.encoding}, as the contract says"
    return [DataWarning(code=code, message=f"{path.name}: {message}") for code, message in messages.items()]
