"""A file's column names and the contract's in; which is which, and what to note of it, out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from perennial.contract.columns import Column
from perennial.data.masking import masked
from perennial.data.warnings import Note
from perennial.errors import InputError, one_line

_MOST_COLUMNS, _MOST_TIMES = (
    200,
    10,
)  # a file of that many columns, and so many times the declared ones, is another file
_SHOWN = 30


class Matched(NamedTuple):
    """The names that the file has for columns that the contract knows, each with the contract's, and notes."""

    names: dict[str, str]
    notes: list[Note]


def matched(path: Path, written: Sequence[str], columns: Mapping[str, Column]) -> Matched:
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
            notes.append(Note("header_spelling", words))
    _require(path, header, raw, set(names.values()), columns)
    unread = [name for name in header if name not in names]
    notes += [
        Note("extra_column", f"{path.name}: column {_told(name)} is in no contract and is not read") for name in unread
    ]
    return Matched(names, notes)


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
        told = masked(", ".join(one_line(name[:40]) for name in header[:_SHOWN]))
        hint = "lines before the header are declared as source.skip, a file without one as source.header"
        raise InputError(
            f"{path} lacks column {', '.join(missing)}; its header says: {told}; {hint}", code="missing_column"
        )


def _told(name: str) -> str:
    return repr(masked(name[:80]))
