"""Workbook of a list: a sheet with the list, one that says what it means, one with the rejected rows.

Every text is written as text, ids too: nothing is run as a formula, and leading zeros stay.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from perennial.errors import ConfigError
from perennial.files.durable import write_bytes

_MAX_ROWS = 1_048_576  # of a sheet, and
_MAX_SIGNS = 32_767  # of a cell
_NUMBERS = {0: "0", 2: "#,##0.00", 3: "0.000"}  # by the digits behind the point
_MIN_WIDTH, _MAX_WIDTH = 8, 100  # of a column, in signs


def write_workbook(
    path: Path,
    table: pl.DataFrame,
    digits: Mapping[str, int],
    meaning: Sequence[tuple[str, str]],
    rejected: pl.DataFrame,
    date: dt.date,
) -> None:
    """Write the three sheets; the same content gives the same bytes.

    Raises: ConfigError for more rows than a sheet holds.
    """
    if max(table.height, rejected.height) >= _MAX_ROWS:
        message = f"{max(table.height, rejected.height):,} rows are more than a sheet holds ({_MAX_ROWS - 1:,})"
        raise ConfigError(f"--output {path}: {message}; end it in .csv or .parquet")
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"created": dt.datetime.combine(date, dt.time())})  # else it is the time of writing
        head = book.add_format({"bold": True, "bottom": 1})
        right = book.add_format({"bold": True, "bottom": 1, "align": "right"})
        forms = {n: book.add_format({"num_format": _NUMBERS[n]}) for n in sorted(set(digits.values()))}
        rounded = table.with_columns(pl.col(name).round(n) for name, n in digits.items() if name in table.columns)
        sheet = _fill(book.add_worksheet("List"), rounded, head, right, {name: forms[n] for name, n in digits.items()})
        sheet.autofilter(0, 0, max(table.height, 1), table.width - 1)
        explained = pl.DataFrame(list(meaning), schema=["entry", "what it means"], orient="row")
        _fill(book.add_worksheet("What it means"), explained, head, right, {})
        _fill(book.add_worksheet("Rejected rows"), rejected, head, right, {})
    write_bytes(path, out.getvalue())


def _fill(sheet: Worksheet, table: pl.DataFrame, head: Format, right: Format, forms: Mapping[str, Format]) -> Worksheet:
    """Write a table with a frozen header (`right` over numbers); printed, it is as wide as the page and repeats its header."""
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    if table.height:  # Excel would mark each id as a number stored as text
        sheet.ignore_errors(
            {"number_stored_as_text": f"A1:{xlsxwriter.utility.xl_rowcol_to_cell(table.height, table.width - 1)}"}
        )
    for j, name in enumerate(table.columns):
        cells, form, is_number = table[name].to_list(), forms.get(name), table[name].dtype.is_numeric()
        sheet.write_string(0, j, name, right if is_number else head)
        sheet.set_column(j, j, _find_width(name, cells, is_number=is_number))
        for i, cell in enumerate(cells, start=1):
            if isinstance(cell, int | float):
                sheet.write_number(i, j, cell, form)
            elif cell:
                sheet.write_string(i, j, str(cell)[:_MAX_SIGNS], form)
    return sheet


def _find_width(name: str, cells: Sequence[object], *, is_number: bool) -> int:
    widest = 0 if is_number else max((len(str(cell)) for cell in cells if cell is not None), default=0)
    return min(max(widest, len(name) + 3, _MIN_WIDTH), _MAX_WIDTH)
