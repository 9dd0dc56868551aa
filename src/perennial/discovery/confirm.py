"""Confirmation: every row is cast as the drafted columns say, and a guess that would set aside too many is taken back.

What the rows that stay hold becomes soft rules: ranges of numbers, and values of which each came again. None sets a row
aside. A range is widened to round numbers of its own size; where a value came once, others may come.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.rules import Between, InSet
from perennial.data.io.cast import cast_columns
from perennial.data.io.cell_checks import has_open_categories
from perennial.data.io.normalise import normalise_cells
from perennial.data.io.read import Block
from perennial.data.masking import mask_contacts
from perennial.discovery.profile import TableProfile

_MAX_LOST = 0.01  # of all rows that guesses may set aside
_MAX_ROUNDS = 8
_FIXED_ROLES = {"time", "outcome", "entity", "id", "treatment", "split"}  # without which there is no question
_MAX_NULL_CODES = 10  # different cells that may stand for nothing
_ADDRESS = "\0"  # in place of a cell that holds one, which is never repeated
_MIN_WORDS = 3  # a cell, from which it is a text
_MAX_SET = 20  # different values that are a set


@dataclass(frozen=True, kw_only=True)
class ExpectedRule:
    """A soft rule and the reason of the guess."""

    rule: Between | InSet
    reason: str


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """The columns after the check, with their reasons; soft rules; and what is set aside even so, in words."""

    columns: dict[str, Column]
    reasons: dict[str, str]
    rules: list[ExpectedRule]
    warning: str  # empty where no row is set aside


@dataclass(frozen=True, kw_only=True)
class _CastCheck:
    """One look at every row: how many do not fit, which cells of which column they are, and rules on the others."""

    n_rows: int
    n_lost: int
    misfits: dict[str, Counter[str]]
    rules: list[ExpectedRule]


def confirm_columns(
    columns: dict[str, Column], reasons: dict[str, str], table: TableProfile, read_blocks: Callable[[], Iterator[Block]]
) -> Confirmation:
    """Until at most 1 % of the rows are set aside, the type of the worst column is taken back."""
    columns, reasons = dict(columns), dict(reasons)
    check = _check_rows(columns, read_blocks())
    for _ in range(_MAX_ROUNDS - 1):
        free = [name for name in check.misfits if columns[name].role not in _FIXED_ROLES]
        if check.n_lost <= _MAX_LOST * max(check.n_rows, 1) or not free:
            break
        worst = max(free, key=lambda name: check.misfits[name].total())
        profile, misfits = table.columns[worst], check.misfits[worst]
        is_text = profile.words >= _MIN_WORDS * profile.filled
        columns[worst], reasons[worst] = _take_back(columns[worst], reasons[worst], misfits, is_text=is_text)
        check = _check_rows(columns, read_blocks())
    warning = f"{check.n_lost:,} of {check.n_rows:,} rows have a cell that does not fit, and are set aside"
    return Confirmation(columns=columns, reasons=reasons, rules=check.rules, warning=warning if check.n_lost else "")


def _check_rows(drafts: dict[str, Column], blocks: Iterable[Block]) -> _CastCheck:
    columns = {name: draft for name, draft in drafts.items() if draft.role != "ignore"}
    n_rows = n_lost = 0
    misfits: dict[str, Counter[str]] = {}
    observed = ValueSummary(columns)
    for block in blocks:
        typed = cast_columns(block.rows, columns)
        n_rows += block.rows.height
        is_bad = typed.reasons.is_not_null()
        observed.add(typed.frame.filter(~is_bad))
        if not is_bad.any():
            continue
        texts = normalise_cells(block.rows, columns).filter(is_bad)
        n_lost += texts.height
        for rule, row in zip(typed.rules.filter(is_bad), texts.iter_rows(named=True), strict=True):
            kind, _, name = rule.partition(":")
            misfits.setdefault(name, Counter())[_ADDRESS if kind == "contact" else row[name] or ""] += 1
    return _CastCheck(n_rows=n_rows, n_lost=n_lost, misfits=misfits, rules=observed.derive_rules())


def _take_back(draft: Column, reason: str, misfits: Counter[str], *, is_text: bool) -> tuple[Column, str]:
    """What holds addresses is contact data or text; few different cells become null codes; else it is read as text."""
    if n_addresses := misfits[_ADDRESS]:
        why = f"{n_addresses:,} cells hold addresses or numbers of people: no value of it is learnt by heart"
        return Column(role="text") if is_text else Column(role="contact", type="text"), why
    if len(misfits) <= _MAX_NULL_CODES and draft.role == "numeric":
        nulls = tuple(sorted({*draft.null, *misfits}))
        codes = mask_contacts(", ".join(sorted(misfits)))
        return draft.model_copy(update={"null": nulls}), f"{reason}; {codes} stand for nothing ({misfits.total():,} cells)"
    why = f"{misfits.total():,} cells are no number, more than 1 % of the file: taken for texts"
    return Column(role="categorical", null=draft.null), why


class ValueSummary:
    """Ranges and values of the features among `columns`, block after block."""

    def __init__(self, columns: dict[str, Column]) -> None:
        numbers = [
            name
            for name, column in columns.items()
            if column.role in {"numeric", "protected"} and column.cell_type in {"int", "decimal"}
        ]
        self._minimum = dict.fromkeys(numbers, math.inf)
        self._maximum = dict.fromkeys(numbers, -math.inf)
        self._values = {name: Counter[str]() for name, column in columns.items() if has_open_categories(column)}

    def add(self, rows: pl.DataFrame) -> None:
        for name in self._minimum:
            cells = rows[name].drop_nulls().cast(pl.Float64).drop_nans()
            if len(cells):
                self._minimum[name] = min(self._minimum[name], float(cells.min()))  # type: ignore[arg-type]
                self._maximum[name] = max(self._maximum[name], float(cells.max()))  # type: ignore[arg-type]
        for name, counts in self._values.items():
            if len(counts) <= _MAX_SET:
                counts.update(dict(rows[name].drop_nulls().value_counts().iter_rows()))

    def derive_rules(self) -> list[ExpectedRule]:
        ranges = [_expect_range(name, self._minimum[name], self._maximum[name]) for name in self._minimum]
        sets = [_expect_set(name, counts) for name, counts in self._values.items()]
        return [rule for rule in (*ranges, *sets) if rule is not None]


def _expect_range(name: str, low: float, high: float) -> ExpectedRule | None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return None
    step = 10.0 ** math.floor(math.log10(high - low))
    outer = _shorten(math.floor(low / step) * step), _shorten(math.ceil(high / step) * step)
    rule = Between(kind="between", column=name, min=outer[0], max=outer[1], soft=True)
    return ExpectedRule(rule=rule, reason=f"all cells lie between {_shorten(low):,} and {_shorten(high):,}")


def _shorten(number: float) -> float:
    """Without the digits that only the way of counting in binary adds; whole numbers as such."""
    short = float(f"{number:.12g}")
    return int(short) if short.is_integer() else short


def _expect_set(name: str, counts: Counter[str]) -> ExpectedRule | None:
    if not 2 <= len(counts) <= _MAX_SET or min(counts.values()) < 2:
        return None
    rule = InSet(kind="in_set", column=name, values=tuple(sorted(counts)), soft=True)
    reason = f"no cell holds another value, and each came {min(counts.values()):,} times or more"
    return ExpectedRule(rule=rule, reason=reason)
