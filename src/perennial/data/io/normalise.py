"""Text cells as they were read in, their normal form out, and how often it differs from what was written.

Signs that nobody sees make one town two towns: they are taken off, but for those that words of a text are written with.
"""

from __future__ import annotations

from collections import Counter

import polars as pl

from perennial.contract.columns import Column

_CONTROL = (
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}]"  # ANSI sequences, then signs by themselves
)
_UNSEEN = r"[\x{ad}\x{34f}\x{61c}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{2066}-\x{206f}\x{feff}]"
_SPACES = r"[\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"
_WRITTEN_WORDS = {"text", "ignore"}  # joiners shape letters there, and a wide space is a matter of taste


def normalise_cells(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.DataFrame:
    """The declared columns, (n,) each: visible signs, NFC, parts joined, codes mapped, null tokens null."""
    odd = _odd(rows, columns)
    return rows.select(_normal(rows, name, column, odd) for name, column in columns.items())


def count_changes(rows: pl.DataFrame, columns: dict[str, Column]) -> Counter[str]:
    """How many cells each step changed, as `step:column`."""
    odd = _odd(rows, columns)
    counts = [
        count.alias(f"{step}:{name}")
        for name, column in columns.items()
        if set(_sources(name, column)) <= set(rows.columns)
        for step, count in _counted(name, column, odd).items()
    ]
    found: dict[str, int] = rows.select(counts).row(0, named=True) if counts and rows.height else {}
    return Counter({key: count for key, count in found.items() if count})


def _odd(rows: pl.DataFrame, columns: dict[str, Column]) -> set[str]:
    """The columns with a sign beyond printable ASCII: the others are in normal form as they are."""
    raw = {one for name, column in columns.items() for one in _sources(name, column)} & set(rows.columns)
    found = rows.select(pl.col(sorted(raw)).str.contains("[^ -~]").any()).row(0, named=True) if raw else {}
    return {name for name, is_odd in found.items() if is_odd}


def _counted(name: str, column: Column, odd: set[str]) -> dict[str, pl.Expr]:
    raw = [pl.col(one) for one in _sources(name, column)]
    steps: dict[str, pl.Expr] = {}
    if odd & set(_sources(name, column)):
        seen = [_visible(one, column) for one in raw]
        composed = [one.str.normalize("NFC") for one in seen]
        steps["unseen_signs"] = pl.any_horizontal(a != b for a, b in zip(raw, seen, strict=True))
        steps["composed"] = pl.any_horizontal(a != b for a, b in zip(seen, composed, strict=True))
    cell = pl.concat_str((_formed(one, column, odd) for one in _sources(name, column)), separator="-")
    if column.map:
        steps["map"] = cell.is_in(list(column.map))
    if column.null:
        steps["null"] = cell.replace(column.map).is_in(column.null)
    if column.is_written:
        steps["number"] = cell.str.contains("[^0-9+-]")
    return {step: changed.sum() for step, changed in steps.items()}


def _normal(rows: pl.DataFrame, name: str, column: Column, odd: set[str]) -> pl.Expr:
    raw = _sources(name, column)
    if not set(raw) <= set(rows.columns):
        return (
            pl.lit(None, dtype=pl.String).alias(name) if rows.height else pl.lit(pl.Series(name, [], dtype=pl.String))
        )
    cell = pl.concat_str([_formed(one, column, odd) for one in raw], separator="-")
    if column.map:
        cell = cell.replace(column.map)
    return pl.when(cell.is_in(["", *column.null])).then(None).otherwise(cell).alias(name)


def _formed(one: str, column: Column, odd: set[str]) -> pl.Expr:
    return _visible(pl.col(one), column).str.normalize("NFC") if one in odd else pl.col(one)


def _visible(cell: pl.Expr, column: Column) -> pl.Expr:
    cell = cell.str.replace_all(_CONTROL, "")
    if column.role in _WRITTEN_WORDS:
        return cell
    return cell.str.replace_all(_UNSEEN, "").str.replace_all(_SPACES, " ")


def _sources(name: str, column: Column) -> tuple[str, ...]:
    return column.sources or (name,)
