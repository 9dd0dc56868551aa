"""Typed rows in, soft rules of what was seen in them out: ranges of numbers, and values of which each came again.

None sets a row aside. A range is widened to round numbers of its own size; where a value came once, others may come.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import polars as pl

from perennial.contract.columns import Column
from perennial.data.io.cell_checks import has_open_categories
from perennial.propose.kinds import Keys

_MOST = 20  # different values that are a set


class Guess(NamedTuple):
    """A rule and its reason."""

    rule: Keys
    why: str

    @property
    def name(self) -> str:
        """As its rows would be filed: `between:age`."""
        return f"{self.rule['kind']}:{self.rule['column']}"


class Seen:
    """What the features among `columns` held, block after block."""

    def __init__(self, columns: dict[str, Column]) -> None:
        is_number = {"int", "decimal"}
        looked = {n: c for n, c in columns.items() if c.role in {"numeric", "protected"} and c.cell_type in is_number}
        self._least = dict.fromkeys(looked, math.inf)
        self._most = dict.fromkeys(looked, -math.inf)
        self._values: dict[str, Counter[str]] = {n: Counter() for n, c in columns.items() if has_open_categories(c)}

    def add(self, rows: pl.DataFrame) -> None:
        for name in self._least:
            cells = rows[name].drop_nulls().cast(pl.Float64).drop_nans()
            if len(cells):
                self._least[name] = min(self._least[name], float(cells.min()))  # type: ignore[arg-type]
                self._most[name] = max(self._most[name], float(cells.max()))  # type: ignore[arg-type]
        for name, counts in self._values.items():
            if len(counts) <= _MOST:
                counts.update(dict(rows[name].drop_nulls().value_counts().iter_rows()))

    def guesses(self) -> list[Guess]:
        ranges = [_range(name, self._least[name], self._most[name]) for name in self._least]
        sets = [_set(name, counts) for name, counts in self._values.items()]
        return [guess for guess in (*ranges, *sets) if guess is not None]


def _range(name: str, least: float, most: float) -> Guess | None:
    if not (math.isfinite(least) and math.isfinite(most) and least < most):
        return None
    step = 10.0 ** math.floor(math.log10(most - least))
    low, high = _rounded(math.floor(least / step) * step), _rounded(math.ceil(most / step) * step)
    rule = {"kind": "between", "column": name, "min": low, "max": high, "soft": True}
    return Guess(rule, f"all cells lie between {_rounded(least):,} and {_rounded(most):,}")


def _rounded(number: float) -> float:
    """Without the digits that only the way of counting in binary adds; whole numbers as such."""
    short = float(f"{number:.12g}")
    return int(short) if short.is_integer() else short


def _set(name: str, counts: Counter[str]) -> Guess | None:
    if not 2 <= len(counts) <= _MOST or min(counts.values()) < 2:
        return None
    rule = {"kind": "in_set", "column": name, "values": sorted(counts), "soft": True}
    return Guess(rule, f"no cell holds another value, and each came {min(counts.values()):,} times or more")
