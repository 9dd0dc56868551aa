"""Workbook reader: a sheet of an .xlsx or .ods file becomes blocks of text rows, as a CSV file would hold them.

The typed cell is the truth, not how it is shown: a number formatted 00000 is read as 1011. Whole numbers are written without
a point up to 2^53; beyond it they were rounded when they were stored, so they keep an exponent or a point, by which
`cell_checks` knows that digits are lost. Of merged cells the first holds the value. A record's number is its row of the sheet.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from perennial.contract.columns import Column
from perennial.data.io.byte_source import open_regular
from perennial.data.io.cast import time_format
from perennial.data.io.csv_header import PLACE_SCHEMA, Dialect, check_names
from perennial.data.io.error_cells import find_error_cells
from perennial.data.io.parquet import ReadColumns
from perennial.data.io.read import Block
from perennial.data.names import SHEET
from perennial.errors import InputError
from perennial.files.archives import check_expansion
from perennial.results.summary import DataWarning

SHEET_WARNINGS = {"id_as_number", "merged_cells", "error_cells"}  # of `Sheet.warn`
BATCH_ROWS = 20_000  # rows
_EXACT = 2**53  # the whole numbers below it are exact in a cell
_OLD = b"\xd0\xcf\x11\xe0"  # an .xls, and an .xlsx that is encrypted
NAMES_SOMEONE = {"id", "entity", "basket"}  # roles
Cell = str | int | float | bool | dt.date | dt.time | dt.timedelta  # dt.datetime is a dt.date


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet with its column names, as they are `written` and trimmed; its header is in row `header_row` (0: none)."""

    path: Path
    written: list[str]
    header_row: int
    cells: CalamineSheet

    @property
    def names(self) -> list[str]:
        return [name.strip() for name in self.written]

    @property
    def source(self) -> str:
        """The file and the sheet, as a row's place names them."""
        return f"{self.path.name}{SHEET}{self.cells.name}"

    def iter_rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """The rows below the header that hold something, with their number in the sheet."""
        for number, cells in enumerate(self.cells.iter_rows(), start=1):
            if number > self.header_row and any(cell != "" for cell in cells):
                yield number, cells

    def read(self, columns: ReadColumns, *, trim: bool = False) -> Iterator[Block]:
        """Read batches of text cells; the raw text of a row is all of its cells as JSON. At least one block."""
        names = self.names
        wanted = [(names.index(name), one, _date_form(column)) for name, (one, column) in columns.items()]
        schema = {**{one: pl.String() for _, one, _ in wanted}, **PLACE_SCHEMA}
        rows: list[tuple[object, ...]] = []
        is_read = False
        for number, cells in self.iter_rows():
            texts = [format_cell(cells[i], form) for i, _, form in wanted]
            rows.append((*([text.strip(" ") for text in texts] if trim else texts), number, number, _dump(names, cells)))
            if len(rows) == BATCH_ROWS:
                yield Block(rows=pl.DataFrame(rows, schema=schema, orient="row"), rejects=[])
                rows, is_read = [], True
        if rows or not is_read:
            yield Block(rows=pl.DataFrame(rows, schema=schema, orient="row"), rejects=[])

    def find_types(self) -> dict[str, set[type]]:
        """The types of the cells of each column that are not empty."""
        names = self.names
        types: dict[str, set[type]] = {name: set() for name in names}
        for _, cells in self.iter_rows():
            for name, cell in zip(names, cells, strict=True):
                if cell != "":
                    types[name].add(type(cell))
        return types

    def warn(self, columns: Mapping[str, Column]) -> list[DataWarning]:
        """Warnings about merged and error cells, and about ids stored as numbers (`columns`: by the file's names)."""
        ids = [name for name, column in columns.items() if column.role in NAMES_SOMEONE]
        types = self.find_types() if ids else {}
        numbers = [name for name in ids if types[name] & {int, float}]
        messages = [("id_as_number", describe_number_id(name)) for name in numbers]
        if merged := self.find_merged():
            messages.append(("merged_cells", f"merged cells {', '.join(merged)}: the first has the value, the others are empty"))
        if errors := find_error_cells(self.path, self.cells.name):
            messages.append(
                ("error_cells", f"{len(errors)} cells, such as {errors[0]}, hold errors (#N/A, …) and are read as empty")
            )
        return [DataWarning(code=code, message=f"{self.source}: {message}") for code, message in messages]

    def find_merged(self) -> list[str]:
        """The ranges of merged cells below the header, such as B2:B5 (an .ods does not say them)."""
        ranges = self.cells.merged_cell_ranges or []
        return [f"{_cell_name(*first)}:{_cell_name(*last)}" for first, last in ranges if last[0] >= self.header_row]


def open_sheet(path: Path, sheet: str | None, dialect: Dialect) -> Sheet:
    """Open a sheet by its name, or the only visible one with rows; its header is the first row after `dialect.skip`.

    Raises: InputError for no workbook that can be read, no such sheet, several with rows, or no header.
    """
    cells = _choose_sheet(path, _open_workbook(path), sheet)
    if dialect.names is not None:
        width = len(dialect.names)
        if cells.width != width:
            message = f"sheet {cells.name} has {cells.width} columns, the contract's header names {width}"
            raise InputError(f"{path}: {message}", code="field_count")
        return Sheet(path=path, written=list(dialect.names), header_row=dialect.skip, cells=cells)
    for number, row in enumerate(cells.iter_rows(), start=1):
        if number > dialect.skip and any(cell != "" for cell in row):
            names = [format_cell(cell, None) if cell != "" else f"column_{i + 1}" for i, cell in enumerate(row)]
            check_names(path, [name.strip() for name in names], None)
            return Sheet(path=path, written=names, header_row=number, cells=cells)
    raise InputError(f"{path}: sheet {cells.name} has no row after the {dialect.skip} to skip", code="no_header")


def read_top(path: Path, sheet: str | None, n: int) -> list[list[str]]:
    """The first `n` rows of a sheet as text, empty ones too (raises as `open_sheet`)."""
    cells = _choose_sheet(path, _open_workbook(path), sheet)
    return [[format_cell(cell, None) for cell in row] for _, row in zip(range(n), cells.iter_rows(), strict=False)]


def count_rows(path: Path, sheet: str | None) -> int:
    """About how many rows a sheet has (raises as `open_sheet`)."""
    return _choose_sheet(path, _open_workbook(path), sheet).height


def format_cell(cell: Cell, form: str | None) -> str:
    """The text that a CSV file would hold: numbers by their shortest text, times in the column's format, else as ISO."""
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
        case dt.date():
            return cell.strftime(form) if form is not None else str(cell)
        case _:
            return str(cell)


def describe_number_id(name: str) -> str:
    """What is lost of an id that a workbook stores as a number."""
    lost = "leading zeros are lost in the workbook, and digits beyond the 15th"
    return f"id column {name} is stored as numbers: {lost}; store it as text"


def _dump(names: Sequence[str], cells: Sequence[Cell]) -> bytes:
    row = {name: format_cell(cell, None) for name, cell in zip(names, cells, strict=True)}
    return json.dumps(row, ensure_ascii=False).encode()


def _date_form(column: Column) -> str | None:
    return time_format(column) if column.cell_type in {"date", "datetime"} else None


def _cell_name(row: int, column: int) -> str:
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"


def _open_workbook(path: Path) -> CalamineWorkbook:
    with open_regular(path) as raw:
        is_old = raw.read(4) == _OLD
    if is_old:
        message = "protected by a password, or of an old kind (.xls); save it as .xlsx, without a password"
        raise InputError(f"{path}: {message}", code="other_format")
    check_expansion(path)
    try:
        return python_calamine.load_workbook(path)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _unreadable_error(path, error) from error


def _unreadable_error(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200]
    return InputError(f"{path} is no readable workbook ({reason}); is it complete, and an .xlsx or .ods?", code="broken_workbook")


def _choose_sheet(path: Path, workbook: CalamineWorkbook, sheet: str | None) -> CalamineSheet:
    """The sheet of that name, also a hidden one; else the only visible one with more than a header."""
    if sheet is not None and sheet not in workbook.sheet_names:
        raise InputError(f"{path} has no sheet {sheet!r}; it has: {', '.join(workbook.sheet_names)}", code="no_sheet")
    try:
        visible = [one.name for one in workbook.sheets_metadata if one.visible == SheetVisibleEnum.Visible]
        sheets = [workbook.get_sheet_by_name(name) for name in ([sheet] if sheet is not None else visible)]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _unreadable_error(path, error) from error
    filled = [one for one in sheets if one.height > 1] or [one for one in sheets if one.height]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        raise InputError(f"{path}: {f'sheet {sheet} has no' if sheet else 'no visible sheet has'} rows", code="empty_file")
    names = ", ".join(one.name for one in filled)
    raise InputError(f"{path}: {len(filled)} sheets have rows: {names}; name one: --sheet {filled[0].name!r}", code="no_sheet")
