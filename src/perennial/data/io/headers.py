"""Header matching: which column of a file is which of the contract, and which records are no data rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from perennial.contract.columns import Column
from perennial.data.masking import mask_contacts
from perennial.data.names import LINE, RAW, RECORD
from perennial.errors import InputError, escape_line
from perennial.results.summary import DataWarning

_MOST_COLUMNS, _MOST_TIMES = 200, 10  # a file of more columns, and more times the declared ones, is another file
_SHOWN = 30
_TOTAL = r"(?i)\A\s*(?:grand |sub-?)?(?:totals?|totale|totaal|sum|summe|gesamt(?:summe)?|insgesamt|somme|suma)\s*:?\s*\z"
_PLACE = {RECORD, LINE, RAW}
_NUMBERS = {"int", "decimal"}


class MatchedHeader(NamedTuple):
    """The file's names of declared columns, each with the contract's name, and warnings about the header."""

    names: dict[str, str]
    warnings: list[DataWarning]


def match_header(path: Path, written: Sequence[str], columns: Mapping[str, Column]) -> MatchedHeader:
    """Find each column of the contract by its exact name, else by the same letters and digits in any case.

    Raises: InputError when a required column is missing, two could be it, or the file is far too wide.
    """
    header = [name.strip() for name in written]
    raw = {name: column.sources or (name,) for name, column in columns.items()}
    declared = list(dict.fromkeys(one for names in raw.values() for one in names))
    if len(header) > max(_MOST_COLUMNS, _MOST_TIMES * len(declared)):
        raise InputError(
            f"{path}: {len(header)} columns, where the contract describes {len(declared)}; is this the right file?",
            code="too_many_columns",
        )
    names = {name: name for name in header if name in declared}
    warnings = []
    for one in declared:
        if one not in names and (similar := _find_similar(path, one, header, declared)) is not None:
            names[similar] = one
    for name, as_written in zip(header, written, strict=True):
        if names.get(name, as_written) != as_written:
            message = f"{path.name}: column {_quote(as_written)} is read as {names[name]!r}"
            warnings.append(DataWarning(code="header_spelling", message=message))
    _require_columns(path, header, raw, set(names.values()), columns)
    unread = [name for name in header if name not in names]
    warnings += [
        DataWarning(code="extra_column", message=f"{path.name}: column {_quote(name)} is in no contract and is not read")
        for name in unread
    ]
    return MatchedHeader(names, warnings)


def find_stray_rows(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.Series:
    """Find records that repeat the header or total a column: `record:repeated_header`, `record:totals_row`, or null, (n,)."""
    repeated = pl.when(_repeats_header(rows)).then(pl.lit("record:repeated_header"))
    return rows.with_columns(rule=repeated.when(_is_total(rows, columns)).then(pl.lit("record:totals_row")))["rule"]


def _find_similar(path: Path, one: str, header: Sequence[str], declared: Sequence[str]) -> str | None:
    similar = [name for name in header if name not in declared and _fold_name(name) == _fold_name(one)]
    if len(similar) > 1:
        raise InputError(
            f"{path}: columns {', '.join(map(_quote, similar))} could each be {one!r}; rename one", code="duplicate_column"
        )
    return similar[0] if similar else None


def _fold_name(name: str) -> str:
    """The letters and digits of a name, case-folded; the whole name where it has none."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in folded if sign.isalnum()) or folded


def _require_columns(
    path: Path, header: Sequence[str], raw: Mapping[str, Sequence[str]], there: set[str], columns: Mapping[str, Column]
) -> None:
    required = [raw[name] for name, column in columns.items() if column.required and column.role != "ignore"]
    missing = [name for names in required for name in names if name not in there]
    if missing:
        shown = mask_contacts(", ".join(escape_line(name[:40]) for name in header[:_SHOWN]))
        hint = "lines before the header are declared as source.skip, a file without one as source.header"
        raise InputError(f"{path} lacks column {', '.join(missing)}; its header says: {shown}; {hint}", code="missing_column")


def _quote(name: str) -> str:
    return repr(mask_contacts(name[:80]))


def _repeats_header(rows: pl.DataFrame) -> pl.Expr:
    names = [name for name in rows.columns if name not in _PLACE]
    if len(names) < 2:
        return pl.lit(False)
    same = [pl.col(name).str.strip_chars().str.to_lowercase() == name.strip().lower() for name in names]
    return pl.all_horizontal(same)


def _is_total(rows: pl.DataFrame, columns: dict[str, Column]) -> pl.Expr:
    """A word for total in the column that names the row, or in a row whose other text cells are mostly empty."""
    words = [
        name
        for name, column in columns.items()
        if column.role != "text" and column.cell_type not in _NUMBERS and name in rows.columns
    ]
    totals = []
    for name in words:
        others = [pl.col(other) == "" for other in words if other != name]
        names_row = columns[name].role in {"id", "entity"}
        if others or names_row:
            empty = pl.sum_horizontal(others) * 2 >= len(others) if others else pl.lit(True)
            totals.append(pl.col(name).str.contains(_TOTAL) & empty)
    return pl.any_horizontal(totals) if totals else pl.lit(False)
