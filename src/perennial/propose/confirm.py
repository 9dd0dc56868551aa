"""A draft and all rows of its file in, the guesses that hold out: what would set aside too many rows is taken back.

What the rows that stay hold becomes soft rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from perennial.contract.columns import Column
from perennial.data.io.cast import cast_columns
from perennial.data.io.normalise import normalise_cells
from perennial.data.io.read import Block
from perennial.data.masking import mask_contacts
from perennial.propose.expected import Guess, Seen
from perennial.propose.kinds import Keys
from perennial.propose.profile import Looked

MOST = 0.01  # of all rows that guesses may set aside
_ROUNDS = 8
_FIXED = {"time", "outcome", "entity", "id", "treatment", "split"}  # without which there is no question
_FEW = 10  # different cells that may stand for nothing
_ADDRESS = "\0"  # in place of a cell that holds one, which is never repeated
_WORDS = 3  # a cell, from which it is a text


class Confirmed(NamedTuple):
    """What is set aside even so, in words (empty where nothing is), and soft rules on what is not."""

    lost: str
    rules: list[Guess]


class _Round(NamedTuple):
    """One look at every row: how many do not fit, which cells of which column they are, and what the others hold."""

    rows: int
    lost: int
    cells: dict[str, Counter[str]]
    seen: Seen


def confirm(
    columns: dict[str, Keys], why: dict[str, str], looked: Looked, blocks: Callable[[], Iterator[Block]]
) -> Confirmed:
    """Every row is cast as the contract would; until at most MOST are set aside, the worst column's type is taken back."""
    found = _look(columns, blocks())
    for _ in range(_ROUNDS - 1):
        if found.lost <= MOST * max(found.rows, 1) or not _take_back(columns, why, looked, found.cells):
            break
        found = _look(columns, blocks())
    words = f"{found.lost:,} of {found.rows:,} rows have a cell that does not fit, and are set aside"
    return Confirmed(words if found.lost else "", found.seen.guesses())


def _look(columns: dict[str, Keys], blocks: Iterator[Block]) -> _Round:
    declared = {name: Column.model_validate(keys) for name, keys in columns.items() if keys["role"] != "ignore"}
    lost = n_rows = 0
    cells: dict[str, Counter[str]] = {}
    seen = Seen(declared)
    for block in blocks:
        told = cast_columns(block.rows, declared)
        n_rows += block.rows.height
        is_bad = told.reasons.is_not_null()
        seen.add(told.frame.filter(~is_bad))
        if not is_bad.any():
            continue
        texts = normalise_cells(block.rows, declared).filter(is_bad)
        lost += texts.height
        for rule, row in zip(told.rules.filter(is_bad), texts.iter_rows(named=True), strict=True):
            kind, _, name = rule.partition(":")
            cells.setdefault(name, Counter())[_ADDRESS if kind == "contact" else row[name] or ""] += 1
    return _Round(n_rows, lost, cells, seen)


def _take_back(columns: dict[str, Keys], why: dict[str, str], looked: Looked, cells: dict[str, Counter[str]]) -> bool:
    """Of the worst column that may be otherwise: few different cells become null codes, else it is read as text."""
    free = [name for name in cells if columns[name]["role"] not in _FIXED]
    if not free:
        return False
    worst = max(free, key=lambda name: cells[name].total())
    odd, keys = cells[worst], dict(columns[worst])
    if odd[_ADDRESS]:
        is_free = looked.columns[worst].words >= _WORDS * looked.columns[worst].told
        keys = {"role": "text"} if is_free else {"role": "contact", "type": "text"}
        why[worst] = f"{odd[_ADDRESS]:,} cells hold addresses or numbers of people: no value of it is learnt by heart"
    elif len(odd) <= _FEW and keys["role"] == "numeric":
        keys["null"] = sorted({*keys.get("null", []), *odd})
        why[worst] += f"; {mask_contacts(', '.join(sorted(odd)))} stand for nothing ({odd.total():,} cells)"
    else:
        keys = {"role": "categorical"} | {key: keys[key] for key in ("null",) if key in keys}
        why[worst] = f"{odd.total():,} cells are no number, more than 1 % of the file: taken for texts"
    columns[worst] = keys
    return True
