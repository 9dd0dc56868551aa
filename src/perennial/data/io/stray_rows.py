"""Rows of text cells in, the rule under which some are no rows at all (totals, the header once more) out."""

from __future__ import annotations

import polars as pl

from perennial.contract.columns import Column
from perennial.data.names import LINE, RAW, RECORD

_TOTAL = (
    r"(?i)\A\s*(?:grand |sub-?)?(?:totals?|totale|totaal|sum|summe|gesamt(?:summe)?|insgesamt|somme|suma)\s*:?\s*\z"
)
_PLACE = {RECORD, LINE, RAW}
_NUMBERS = {"int", "decimal"}


def stray(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.Series:
    """`record:repeated_header`, `record:totals_row`, or null, (n,)."""
    again, total = _repeats_header(rows), _is_total(rows, columns)
    return rows.select(
        pl.when(again).then(pl.lit("record:repeated_header")).when(total).then(pl.lit("record:totals_row"))
        .otherwise(pl.lit(None, dtype=pl.String)).alias("rule")
    ).to_series() if rows.height else pl.Series("rule", [], dtype=pl.String)  # fmt: skip


def _repeats_header(rows: pl.DataFrame) -> pl.Expr:
    names = [name for name in rows.columns if name not in _PLACE]
    if len(names) < 2:
        return pl.lit(False)
    same = [pl.col(name).str.strip_chars().str.to_lowercase() == name.strip().lower() for name in names]
    return pl.all_horizontal(same)


def _is_total(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.Expr:
    """The word for a total where a row is named, or where nothing else that is no number is told."""
    words = [
        name for name, column in columns.items()
        if column.role != "text" and column.cell_type not in _NUMBERS and name in rows.columns
    ]  # fmt: skip
    found = []
    for name in words:
        others = [pl.col(other) == "" for other in words if other != name]
        named = columns[name].role in {"id", "entity"}
        if others or named:
            empty = pl.sum_horizontal(others) * 2 >= len(others) if others else pl.lit(True)
            found.append(pl.col(name).str.contains(_TOTAL) & empty)
    return pl.any_horizontal(found) if found else pl.lit(False)
