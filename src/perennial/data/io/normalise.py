"""Normal form of text cells: visible characters in NFC, joined parts, mapped spellings, null codes.

Invisible characters make one town two towns: they are removed, but for those that words of a text are written with.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from perennial.contract.columns import Column

_CONTROL = r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}]"  # ANSI sequences, then signs by themselves
_UNSEEN = r"[\x{ad}\x{34f}\x{61c}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{2066}-\x{206f}\x{feff}]"
_SPACES = r"[\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"
_WRITTEN_WORDS = {"text", "ignore"}  # joiners shape letters there, and a wide space is a matter of taste


def normalise_cells(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.DataFrame:
    """Normalise the declared columns, (n,) each: visible characters, NFC, parts joined, codes mapped, null tokens null."""
    non_ascii = _find_non_ascii(rows, columns)
    return rows.select(_normalise(rows, name, column, non_ascii) for name, column in columns.items())


def count_changes(rows: pl.DataFrame, columns: dict[str, Column]) -> Counter[str]:
    """Count the cells that each step changes, as `step:column`."""
    non_ascii = _find_non_ascii(rows, columns)
    counts = [
        count.alias(f"{step}:{name}")
        for name, column in columns.items()
        if set(_raw_names(name, column)) <= set(rows.columns)
        for step, count in _count_steps(name, column, non_ascii).items()
    ]
    totals: dict[str, int] = rows.select(counts).row(0, named=True) if counts and rows.height else {}
    return Counter({key: count for key, count in totals.items() if count})


def _find_non_ascii(rows: pl.DataFrame, columns: dict[str, Column]) -> set[str]:
    """The columns with a character beyond printable ASCII: all others are in normal form already."""
    raw = {one for name, column in columns.items() for one in _raw_names(name, column)} & set(rows.columns)
    has_odd_sign = rows.select(pl.col(sorted(raw)).str.contains("[^ -~]").any()).row(0, named=True) if raw else {}
    return {name for name, is_odd in has_odd_sign.items() if is_odd}


def _count_steps(name: str, column: Column, non_ascii: set[str]) -> dict[str, pl.Expr]:
    raw = [pl.col(one) for one in _raw_names(name, column)]
    steps: dict[str, pl.Expr] = {}
    if non_ascii & set(_raw_names(name, column)):
        visible = [_strip_unseen(one, column) for one in raw]
        composed = [one.str.normalize("NFC") for one in visible]
        steps["unseen_signs"] = pl.any_horizontal(a != b for a, b in zip(raw, visible, strict=True))
        steps["composed"] = pl.any_horizontal(a != b for a, b in zip(visible, composed, strict=True))
    cell = pl.concat_str((_compose(one, column, non_ascii) for one in _raw_names(name, column)), separator="-")
    if column.map:
        steps["map"] = cell.is_in(list(column.map))
    if column.null:
        steps["null"] = cell.replace(column.map).is_in(column.null)
    if column.is_written:
        steps["number"] = cell.str.contains("[^0-9+-]")
    return {step: changed.sum() for step, changed in steps.items()}


def _normalise(rows: pl.DataFrame, name: str, column: Column, non_ascii: set[str]) -> pl.Expr:
    raw = _raw_names(name, column)
    if not set(raw) <= set(rows.columns):
        return pl.lit(pl.Series(name, [None] * rows.height, dtype=pl.String))
    cell = pl.concat_str([_compose(one, column, non_ascii) for one in raw], separator="-")
    if column.map:
        cell = cell.replace(column.map)
    return pl.when(cell.is_in(["", *column.null])).then(None).otherwise(cell).alias(name)


def _compose(one: str, column: Column, non_ascii: set[str]) -> pl.Expr:
    return _strip_unseen(pl.col(one), column).str.normalize("NFC") if one in non_ascii else pl.col(one)


def _strip_unseen(cell: pl.Expr, column: Column) -> pl.Expr:
    cell = cell.str.replace_all(_CONTROL, "")
    if column.role in _WRITTEN_WORDS:
        return cell
    return cell.str.replace_all(_UNSEEN, "").str.replace_all(_SPACES, " ")


def _raw_names(name: str, column: Column) -> tuple[str, ...]:
    return column.sources or (name,)
