"""A file's column names and the contract's in; which is which, and what to note of it, out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from perennial.contract.columns import Column
from perennial.data.masking import mask_contacts
from perennial.data.names import LINE, RAW, RECORD
from perennial.data.warnings import DataWarning
from perennial.errors import InputError, escape_line

_MOST_COLUMNS, _MOST_TIMES = (
    200,
    10,
)  # a file of that many columns, and so many times the declared ones, is another file
_SHOWN = 30
_TOTAL = (
    r"(?i)\A\s*(?:grand |sub-?)?(?:totals?|totale|totaal|sum|summe|gesamt(?:summe)?|insgesamt|somme|suma)\s*:?\s*\z"
)
_PLACE = {RECORD, LINE, RAW}
_NUMBERS = {"int", "decimal"}


class MatchedHeader(NamedTuple):
    """The names that the file has for columns that the contract knows, each with the contract's, and notes."""

    names: dict[str, str]
    notes: list[DataWarning]


def match_header(path: Path, written: Sequence[str], columns: Mapping[str, Column]) -> MatchedHeader:
    """Find each column of the contract by its name; where none has it letter for letter, by case, spaces and signs.

    Raises: InputError when a required column is missing, two could be it, or the file is far too wide.
    """
    header = [name.strip() for name in written]
    raw = {name: column.sources or (name,) for name, column in columns.items()}
    wanted = list(dict.fromkeys(one for names in raw.values() for one in names))
    if len(header) > max(_MOST_COLUMNS, _MOST_TIMES * len(wanted)):
        raise InputError(
            f"{path}: {len(header)} columns, where the contract describes {len(wanted)}; is this the right file?",
            code="too_many_columns",
        )
    names = {name: name for name in header if name in wanted}
    notes = []
    for one in wanted:
        if one not in names and (found := _alike(path, one, header, wanted)) is not None:
            names[found] = one
    for name, as_written in zip(header, written, strict=True):
        if names.get(name, as_written) != as_written:
            words = f"{path.name}: column {_told(as_written)} is read as {names[name]!r}"
            notes.append(DataWarning("header_spelling", words))
    _require(path, header, raw, set(names.values()), columns)
    unread = [name for name in header if name not in names]
    notes += [
        DataWarning("extra_column", f"{path.name}: column {_told(name)} is in no contract and is not read")
        for name in unread
    ]
    return MatchedHeader(names, notes)


def find_stray_rows(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.Series:
    """`record:repeated_header`, `record:totals_row`, or null, (n,)."""
    again, total = _repeats_header(rows), _is_total(rows, columns)
    return rows.select(
        pl.when(again).then(pl.lit("record:repeated_header")).when(total).then(pl.lit("record:totals_row"))
        .otherwise(pl.lit(None, dtype=pl.String)).alias("rule")
    ).to_series() if rows.height else pl.Series("rule", [], dtype=pl.String)  # fmt: skip


def _alike(path: Path, one: str, header: Sequence[str], wanted: Sequence[str]) -> str | None:
    found = [name for name in header if name not in wanted and _plain(name) == _plain(one)]
    if len(found) > 1:
        raise InputError(
            f"{path}: columns {', '.join(map(_told, found))} could each be {one!r}; rename one", code="duplicate_column"
        )
    return found[0] if found else None


def _plain(name: str) -> str:
    """Letters and digits of a name, whatever their case and form; all of it where it has none."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in folded if sign.isalnum()) or folded


def _require(
    path: Path, header: Sequence[str], raw: Mapping[str, Sequence[str]], there: set[str], columns: Mapping[str, Column]
) -> None:
    asked = [raw[name] for name, column in columns.items() if column.required and column.role != "ignore"]
    missing = [name for names in asked for name in names if name not in there]
    if missing:
        told = mask_contacts(", ".join(escape_line(name[:40]) for name in header[:_SHOWN]))
        hint = "lines before the header are declared as source.skip, a file without one as source.header"
        raise InputError(
            f"{path} lacks column {', '.join(missing)}; its header says: {told}; {hint}", code="missing_column"
        )


def _told(name: str) -> str:
    return repr(mask_contacts(name[:80]))


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
