"""Columns of moments in, those that lie after the outcome out, and dates whose parts have columns of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.columns import Column
from perennial.data.io.cast import cast_columns
from perennial.propose.draft import Draft
from perennial.propose.names import is_late
from perennial.propose.relations import leaks, questions_of

F64 = NDArray[np.float64]
_YEAR = re.compile(r"(?i)(?<![a-z])(?:year|yr|jahr)(?![a-z])|Year|(?<=[a-z])_?year\Z")
_PARTS = {"month": re.compile(r"(?i)(?<![a-z])(?:month|monat|mon)(?![a-z])|Month"),
          "day": re.compile(r"(?i)(?<![a-z])(?:day(?:_?of_?month)?|tag|dom)(?![a-z])|Day")}  # fmt: skip


def parted(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """A name for each date that columns called year, month (and day) make together, and those columns in this order."""
    found: dict[str, tuple[str, ...]] = {}
    for year in names:
        if not _YEAR.search(year):
            continue
        stem = _bare(_YEAR.sub("", year))
        parts = {
            part: next((n for n in names if pattern.search(n) and _bare(pattern.sub("", n)) == stem), None)
            for part, pattern in _PARTS.items()
        }
        if parts["month"] is not None:
            title = next(n for n in (f"{stem or 'the'}_day", f"{stem or 'the'}_moment") if n not in names)
            found[title] = tuple(name for name in (year, parts["month"], parts["day"]) if name is not None)
    return found


def _bare(stem: str) -> str:
    return re.sub(r"[\W_]+", "_", stem).strip("_")


def late_dates(made: Draft, refused: Sequence[str]) -> dict[str, str]:
    """Dates that are known only after the outcome, by their cells, their distance to another date or their name → why."""
    dates = [c for c, kind in made.kinds.items() if kind.what == "date" and c not in made.columns]
    late = {
        c: f"its name begins as that of {r}, which is a leak"
        for c in dates
        for r in (*refused, made.outcome.name)
        if c != r and c.startswith(r)
    }
    late |= {c: "its name speaks of what comes after" for c in dates if c not in late and is_late(c)}
    is_known, asked = questions_of(made.looked.sample[made.outcome.name], made.outcome.keys, made.outcome.kind)
    if not asked:
        return late
    days = {c: moments(made, c).dt.timestamp("ms").cast(pl.Float64).to_numpy()[is_known] / 86_400_000 for c in dates}
    target, amount = made.outcome.name, made.outcome.kind == "regression"
    told = leaks(days, asked, target, amount=amount).refused
    late |= {c: f"its date tells the outcome: {why}" for c, why in told.items()}
    for one, other in combinations([c for c in dates if c not in late], 2):
        if leaks({"": days[one] - days[other]}, asked, target, amount=amount).refused:
            later = max((one, other), key=lambda c: float(np.nanmedian(days[c])))
            late[later] = f"its distance to {other if later == one else one} tells the outcome"
    return late


def moments(made: Draft, column: str) -> pl.Series:
    """A column of dates or times (n,) of the sample; null where it is empty."""
    keys = Column.model_validate(made.kinds[column].keys)
    return cast_columns(made.looked.sample, {column: keys}).frame[column].cast(pl.Datetime("us", "UTC"))
