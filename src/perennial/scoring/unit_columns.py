"""Unit columns: a table that somebody else built, its columns in the types that the model was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from perennial.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def to_units(table: pd.DataFrame, example: pl.DataFrame) -> pl.DataFrame:
    """The columns of `example` in its types; other columns are left out, NaN is null.

    Raises: InputError naming the columns that are missing, or the first value that is not of its column's type.
    """
    if absent := [name for name in example.columns if name not in table.columns]:
        present = ", ".join(map(str, table.columns[:12])) or "none"
        message = f"the columns {', '.join(absent)} are missing; there are: {present}"
        raise InputError(f"{message}. The model takes unit columns, as perennial.load_table has them")
    return pl.DataFrame([_cast(name, table[name], dtype) for name, dtype in example.schema.items()])


def _cast(name: str, values: pd.Series[Any], dtype: pl.DataType) -> pl.Series:
    """A whole number where whole numbers stand is itself whether it came as 3, 3.0 or "3"."""
    rows = [None if value is None or value != value else value for value in values.tolist()]
    if dtype == pl.Binary:
        return pl.Series(name, rows, dtype=pl.Binary)
    try:
        series = pl.Series(name, rows)
    except (TypeError, pl.exceptions.PolarsError):
        series = pl.Series(name, [None if value is None else str(value) for value in rows])
    if dtype == pl.String and series.dtype.is_float() and (series == series.round()).all():
        series = series.cast(pl.Int64)
    cast = series.cast(dtype, strict=False)
    is_rounded = series.dtype.is_numeric() and dtype.is_integer()
    is_exact = cast.cast(series.dtype, strict=False) == series if is_rounded else cast.is_not_null()
    wrong = series.is_not_null() & ~is_exact.fill_null(value=False)
    if not wrong.any():
        return cast
    row = wrong.arg_max()
    assert row is not None
    raise InputError(f"column {name}, row {row + 1} of {len(rows)}: {rows[row]!r} is not of the type {dtype}")
