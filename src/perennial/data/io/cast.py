"""Typed columns from text cells, with one reason for each cell that does not fit its type.

The shape of the text decides, never the engine's cast: engines disagree on ` 1`, `1_000`, `24:00` and `1d`.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

import polars as pl

from perennial.contract.columns import Column
from perennial.data.hashing import hash_ids
from perennial.data.io.cell_checks import check_cells
from perennial.data.io.normalise import normalise_cells
from perennial.errors import PerennialError

INT = r"\A[+-]?[0-9]{1,18}\z"
DECIMAL = r"\A[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?\z"
_MOST = 2.0**53  # beyond it a decimal loses its last digits, and cents their place in 64 bits
_PARTS = {
    "%Y": "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[2-9])",  # no year 0, and none that a time zone leads to it
    "%y": "[0-9]{2}",
    "%m": "[0-9]{2}",
    "%d": "[0-9]{2}",
    "%-m": "[0-9]{1,2}",
    "%-d": "[0-9]{1,2}",
    "%b": "(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    "%B": "(?i:January|February|March|April|May|June|July|August|September|October|November|December)",
    "%I": "(?:0[1-9]|1[0-2])",
    "%-I": "(?:0?[1-9]|1[0-2])",
    "%p": "(?:AM|PM|am|pm)",
    "%H": "(?:[01][0-9]|2[0-3])",
    "%-H": "(?:[01]?[0-9]|2[0-3])",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
    "%f": "[0-9]{1,9}",
    "%z": "(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])",
}
_NULL, _BETWEEN = "\x00", "\x1f"
_ESCAPED = {"\x1e": "\x1e0", _BETWEEN: "\x1e1", _NULL: "\x1e2"}  # so that no cell can look like two, or like null


class CastRows(NamedTuple):
    """`frame` keeps every row; `reasons` names the first cell of a row that does not fit, null where all do.

    `rules` is the stable name of that reason, such as `cell:age`.
    """

    frame: pl.DataFrame
    reasons: pl.Series
    rules: pl.Series


def cast_columns(rows: pl.DataFrame, columns: dict[str, Column]) -> CastRows:
    """Apply normal form, null codes, maps and types, in this order; rows with a reason hold null in that cell."""
    texts = normalise_cells(rows, columns)
    typed: list[pl.Series] = []
    nothing = pl.Series([None] * rows.height, dtype=pl.String)
    reasons, rules = nothing.rename("reason"), nothing.rename("rule")
    for name, column in columns.items():
        cells, why = _cast_column(texts[name], column)
        typed.append(cells)
        for check, problems in (*check_cells(texts[name], cells, column), ("cell", why)):
            reasons, rules = add_problems(reasons, rules, f"{check}:{name}", problems)
    return CastRows(pl.DataFrame(typed), reasons, rules)


def add_problems(reasons: pl.Series, rules: pl.Series, rule: str, problems: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Add the problems of one check (n,), named `check:column`, to the rows that have no reason yet."""
    if problems.null_count() == len(problems):
        return reasons, rules
    _, _, column = rule.partition(":")
    rules = rules.zip_with(reasons.is_not_null() | problems.is_null(), rule + problems.str.head(0))
    reasons = pl.select(pl.coalesce(reasons, f"{column}: " + problems)).to_series()
    return reasons.rename("reason"), rules.rename("rule")


def hash_records(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.Series:
    """Hash each record's canonical text with md5: the normalised cells of the declared columns, in the contract's order."""
    canonical = normalise_cells(rows, columns).select(pl.all().str.replace_many(_ESCAPED).fill_null(_NULL))
    joined = canonical.select(pl.concat_str(pl.all(), separator=_BETWEEN)).to_series()
    digests = [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in joined]
    return pl.Series("_content", digests, dtype=pl.String)


def time_format(column: Column) -> str:
    """The format of a column's dates or times: the contract's, else the ISO form."""
    return column.format or ("%Y-%m-%d" if column.cell_type == "date" else "%Y-%m-%d %H:%M:%S")


def _cast_column(cells: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """The typed cells and, for each that does not fit, the reason (null where it fits)."""
    if isinstance(column.values, dict):
        codes = pl.Int64 if column.is_coded else pl.String
        out = cells.replace_strict(column.values, default=None, return_dtype=codes)
        return out, _explain(cells, out.is_not_null(), f"is none of {', '.join(column.values)}")
    match column.cell_type:
        case "text":
            if column.hashed:
                cells = hash_ids(cells)
            return cells, _explain(cells, pl.Series([True] * len(cells), dtype=pl.Boolean), "")
        case "int":
            cells, given = _plain_number(cells, column), cells
            fits = cells.str.contains(INT)
            why = _explain(given, fits, "is not a whole number of at most 18 digits")
            return _cast_number(cells, fits, pl.Int64()), why
        case "decimal":
            cells, given = _plain_number(cells, column), cells
            fits = cells.str.contains(DECIMAL)
            out = _cast_number(cells, fits, pl.Float64())
            is_small = (out.abs() <= _MOST).fill_null(True)
            why, why_vast = (_explain(given, fits, "is not a number"), _explain(given, is_small, "is a number beyond 2^53"))
            return out.set(~is_small, None), why.zip_with(is_small, why_vast)
        case "date" | "datetime":
            return _cast_time(cells, column)


def _plain_number(cells: pl.Series, column: Column) -> pl.Series:
    """Rewrite numbers as 1234.5 where the column has another notation; thousands stand in groups of three, or it is no number."""
    if not column.is_written:
        return cells
    for sign in column.strip:
        cells = cells.str.strip_chars(" ").str.strip_prefix(sign).str.strip_suffix(sign)
    cells = cells.str.strip_chars(" ") if column.strip else cells
    if column.thousands:
        parted = rf"\A[+-]?[0-9]{{1,3}}(?:{re.escape(column.thousands)}[0-9]{{3}})+(?:{re.escape(column.decimal)}[0-9]*)?\z"
        joined = cells.str.replace_all(column.thousands, "", literal=True)
        cells = joined.zip_with(cells.str.contains(parted).fill_null(False), cells)
    if column.decimal == ",":  # a point would be read as what the column says it is not
        cells = cells.set(cells.str.contains(".", literal=True).fill_null(False), "no number")
        cells = cells.str.replace(",", ".", literal=True)
    return cells


def _cast_number(cells: pl.Series, fits: pl.Series, dtype: pl.DataType) -> pl.Series:
    shaped = cells.set(~fits.fill_null(True), None)
    out = shaped.cast(dtype, strict=False)
    if out.null_count() != shaped.null_count():
        raise PerennialError(f"column {cells.name}: a cell has the shape of {dtype} and was not cast; please report it")
    return out


def _cast_time(cells: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """Cast to dates, or to times in UTC; impossible and ambiguous ones get a reason."""
    form = time_format(column)
    fits = cells.str.contains(_pattern_of(form))
    shaped = cells.set(~fits.fill_null(True), None)
    why = _explain(cells, fits, f"is not written as {form}")
    if not re.search("%-?d", form):  # a month becomes its first day
        shaped, form = shaped.str.replace(r"\A", "1 "), f"%d {form}"
    form = form.replace("%-", "%").replace(".%f", "%.f")  # chrono's notation, which takes one digit or two
    if column.cell_type == "date":
        out = shaped.str.to_date(form, strict=False)
        missing = "is a date that does not exist"
    else:
        if "%z" in form:  # the offset decides, not tz
            shaped = shaped.str.replace(r"Z\z", "+0000")
            out = shaped.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        else:
            naive = shaped.str.to_datetime(form, strict=False, time_unit="us")
            zoned = naive.dt.replace_time_zone(column.tz, ambiguous="null", non_existent="null")
            out = zoned.dt.convert_time_zone("UTC")
        missing = f"is a time that does not exist, or exists twice, in {column.tz}"
    exists = shaped.is_null() | out.is_not_null()
    return out, why.zip_with(exists, _explain(cells, exists, missing))


def _pattern_of(form: str) -> str:
    pieces = re.split("(%-?.)", form)
    return rf"\A{''.join(_PARTS.get(piece) or re.escape(piece) for piece in pieces)}\z"


def _explain(cells: pl.Series, fits: pl.Series, problem: str) -> pl.Series:
    """The reason for each cell that does not fit, quoting its first 40 characters."""
    text = pl.lit("'") + pl.lit(cells).str.slice(0, 40) + pl.lit(f"' {problem}")
    bad = pl.lit(cells).is_not_null() & ~pl.lit(fits).fill_null(False)
    return pl.select(pl.when(bad).then(text).otherwise(None).alias(cells.name)).to_series()
