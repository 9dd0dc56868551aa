"""A draft and all rows of its file in, the guesses that hold out: what would set aside too many rows is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from perennial.contract.columns import Column
from perennial.data.cast import cast
from perennial.data.contact import masked
from perennial.data.normal import normal
from perennial.data.read import Block
from perennial.propose.draft import Draft

MOST = 0.01  # of all rows that guesses may set aside
_ROUNDS = 8
_ADDRESS = "\0"  # in place of a cell that holds one, which is never repeated
_WORDS = 3  # a cell, from which it is a text


def confirm(made: Draft, blocks: Callable[[], Iterator[Block]]) -> None:
    """Every row is cast as the contract would; until at most MOST are set aside, the worst column's type is taken back."""
    for _ in range(_ROUNDS):
        lost, cells, n_rows = _set_aside(made, blocks())
        if lost <= MOST * max(n_rows, 1):
            if lost:
                made.notes.append(f"{lost:,} of {n_rows:,} rows have a cell that does not fit, and are set aside")
            return
        _take_back(made, cells)


def _set_aside(made: Draft, blocks: Iterator[Block]) -> tuple[int, dict[str, Counter[str]], int]:
    """How many rows do not fit, and which cells of which column they are."""
    declared = {name: Column.model_validate(keys) for name, keys in made.columns.items() if keys["role"] != "ignore"}
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


def _take_back(made: Draft, cells: dict[str, Counter[str]]) -> None:
    """Of the worst column: few different cells become null codes, else it is read as text."""
    if not cells:
        return
    worst = max(cells, key=lambda name: cells[name].total())
    odd, keys = cells[worst], dict(made.columns[worst])
    profile = made.looked.columns[worst]
    if odd[_ADDRESS]:
        is_free = profile.words >= _WORDS * profile.told
        keys = {"role": "text"} if is_free else {"role": "contact", "type": "text"}
        made.why[worst] = (
            f"{odd[_ADDRESS]:,} cells hold addresses or numbers of people: no value of it is learnt by heart"
        )
        made.slices = [name for name in made.slices if name != worst]
    elif len(odd) <= 10 and keys["role"] == "numeric":
        keys["null"] = sorted({*keys.get("null", []), *odd})
        made.why[worst] += f"; {masked(', '.join(sorted(odd)))} stand for nothing ({odd.total():,} cells)"
    elif keys["role"] in {"time", "outcome"}:
        return
    else:
        keys = {"role": "categorical"} | {key: keys[key] for key in ("null",) if key in keys}
        made.why[worst] = f"{odd.total():,} cells are no number, more than 1 % of the file: taken for texts"
    made.columns[worst] = keys
