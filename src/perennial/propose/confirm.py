"""A draft and all rows of its file in, the guesses that hold out: what would set aside too many rows is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from perennial.contract.columns import Column
from perennial.data.cast import cast
from perennial.data.contact import masked
from perennial.data.normal import normal
from perennial.data.read import Block
from perennial.propose.kinds import Keys
from perennial.propose.profile import Looked

MOST = 0.01  # of all rows that guesses may set aside
_ROUNDS = 8
_FIXED = {"time", "outcome", "entity", "id", "treatment", "split"}  # without which there is no question
_FEW = 10  # different cells that may stand for nothing
_ADDRESS = "\0"  # in place of a cell that holds one, which is never repeated
_WORDS = 3  # a cell, from which it is a text


def confirm(
    columns: dict[str, Keys], why: dict[str, str], looked: Looked, blocks: Callable[[], Iterator[Block]]
) -> str:
    """Every row is cast as the contract would; until at most MOST are set aside, the worst column's type is taken back.

    What is set aside even so comes back in words, empty where nothing is.
    """
    lost = n_rows = 0
    for _ in range(_ROUNDS):
        lost, cells, n_rows = _set_aside(columns, blocks())
        if lost <= MOST * max(n_rows, 1) or not _take_back(columns, why, looked, cells):
            break
    return f"{lost:,} of {n_rows:,} rows have a cell that does not fit, and are set aside" if lost else ""


def _set_aside(columns: dict[str, Keys], blocks: Iterator[Block]) -> tuple[int, dict[str, Counter[str]], int]:
    """How many rows do not fit, and which cells of which column they are."""
    declared = {name: Column.model_validate(keys) for name, keys in columns.items() if keys["role"] != "ignore"}
    lost = n_rows = 0
    cells: dict[str, Counter[str]] = {}
    for block in blocks:
        told = cast(block.rows, declared)
        n_rows += block.rows.height
        is_bad = told.reasons.is_not_null()
        if not is_bad.any():
            continue
        texts = normal(block.rows, declared).filter(is_bad)
        lost += texts.height
        for rule, row in zip(told.rules.filter(is_bad), texts.iter_rows(named=True), strict=True):
            kind, _, name = rule.partition(":")
            cells.setdefault(name, Counter())[_ADDRESS if kind == "contact" else row[name] or ""] += 1
    return lost, cells, n_rows


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
        why[worst] += f"; {masked(', '.join(sorted(odd)))} stand for nothing ({odd.total():,} cells)"
    else:
        keys = {"role": "categorical"} | {key: keys[key] for key in ("null",) if key in keys}
        why[worst] = f"{odd.total():,} cells are no number, more than 1 % of the file: taken for texts"
    columns[worst] = keys
    return True
