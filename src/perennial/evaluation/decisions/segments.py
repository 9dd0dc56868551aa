"""Labels of customers in; how far two groupings agree, whose name was kept, and what each segment is like, out.

Suffixes: N customers, K segments, F columns. A label is the number of a segment, from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from perennial.evaluation.statistics.intervals import F64, Interval, wilson

I64 = NDArray[np.int64]
Pairs = Sequence[tuple[I64, I64]]  # the labels that two models, fitted on disjoint halves, give the same held-out rows
FAMILY: Final = "kmeans"
LEVEL = 0.95
_COMMON = 0.05  # share of a segment from which a value of a category says something of it


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Of pairs of halves: mean, least and greatest adjusted Rand index, and the least share of rows named alike.

    `error` is the standard error of the mean, over pairs.
    """

    index: Interval
    named: float
    error: float

    def reaches(self, line: float) -> bool:
        return self.index.value >= line and self.named >= line

    def as_json(self) -> dict[str, float]:
        return {**asdict(self.index), "named": self.named, "error": self.error}


def agreement(pairs: Pairs) -> Agreement:
    found = [rand_index(a, b) for a, b in pairs]
    named = [float((renamed(b, a) == a).mean()) for a, b in pairs]
    index = Interval(value=float(np.mean(found)), low=min(found), high=max(found))
    error = float(np.std(found, ddof=1) / np.sqrt(len(found))) if len(found) > 1 else 0.0
    return Agreement(index=index, named=min(named), error=error)


def most(found: Mapping[int, Agreement], line: float) -> int:
    """The most segments on which halves agree by `line`; where no number reaches it, the one that comes nearest.

    The mean must clear it by its standard error: of many numbers that are tried, one reaches it by luck.
    """
    stable = [k for k, one in found.items() if one.reaches(line) and one.index.value - one.error >= line]
    return max(stable) if stable else max(found, key=lambda k: found[k].index.value)


def rand_index(a_N: I64, b_N: I64) -> float:
    """The adjusted Rand index of two labellings: 1 the same, 0 as chance would have it (Hubert and Arabie 1985, eq. 5)."""
    table = _crossed(a_N, b_N)
    both, in_a, in_b = (_choose_2(counts).sum() for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    by_chance, greatest = in_a * in_b / _choose_2(np.array(len(a_N))), (in_a + in_b) / 2
    return 1.0 if greatest == by_chance else float((both - by_chance) / (greatest - by_chance))


def renamed(new_N: I64, old_N: I64) -> I64:
    """New labels by the old ones they share most customers with, one to one; −1 where there are more new ones."""
    table = _crossed(new_N, old_N)
    rows, columns = linear_sum_assignment(-table)
    old_of = np.full(len(table), -1, np.int64)
    old_of[rows] = columns
    return np.asarray(old_of[new_N])


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Which share of customers keeps its name: all, and those of each old segment; `grouped` if names had been matched."""

    overall: Interval
    by_name: Mapping[str, Interval]
    grouped: float

    @property
    def worst(self) -> tuple[str, Interval]:
        return min(self.by_name.items(), key=lambda item: item[1].value)


def kept(old: NDArray[Any], new: NDArray[Any]) -> Kept:
    """Names (n,) that two models give the same customers, as these see them."""
    same = old == new
    names, old_N = np.unique(old, return_inverse=True)
    matched = renamed(np.unique(new, return_inverse=True)[1], old_N)
    return Kept(
        overall=wilson(float(same.sum()), len(same), LEVEL),
        by_name={str(name): wilson(float(same[old == name].sum()), int((old == name).sum()), LEVEL) for name in names},
        grouped=float((matched == old_N).mean()),
    )


def steadiness(labels_N: I64, pairs: Pairs, k: int) -> list[Interval]:
    """For each segment the share of its held-out rows that a model of half the customers puts into it: mean and range."""
    halves = [renamed(half, labels_N) for pair in pairs for half in pair]
    found = []
    for s in range(k):
        mine = labels_N == s
        shares = [float((half[mine] == s).mean()) if mine.any() else 0.0 for half in halves]
        found.append(Interval(value=float(np.mean(shares)), low=min(shares), high=max(shares)))
    return found


def judge(
    chosen: Mapping[str, Any], reported: Mapping[int, Pairs], test: I64, people: People, names: Sequence[str]
) -> dict[str, Any]:
    """Plain figures for summary.json: agreement by number of segments, and what each segment is like.

    `chosen` are the figures by which their number was chosen (val), `reported` other pairs of halves (on test rows).
    """
    k = len(names)
    found = {str(many): agreement(pairs) for many, pairs in reported.items()}
    by_k = [{"k": int(many), "chosen": chosen[many], "reported": one.as_json()} for many, one in found.items()]
    steady = steadiness(test, reported[k], k)
    told = profiles(people, names)
    on_val = float(chosen[str(k)]["value"]) if str(k) in chosen else float("nan")
    return {
        "primary": "stability",
        "candidate": {"family": FAMILY, "best": FAMILY, "val": {FAMILY: on_val}, "behind": {}},
        "families": {FAMILY: {"val": {"stability": on_val}, "test": {"stability": found[str(k)].as_json()}}},
        "deep_minus_traditional": None,
        "k": k,
        "by_k": by_k,
        "customers": len(people.labels),
        "whole": [_number(c, x, np.ones(len(x), np.bool_)) for c, x in people.numbers.items()],
        "segments": [{**one, "steady": asdict(s)} for one, s in zip(told, steady, strict=True)],
        "slices": [],
    }


def moves(before_N: I64, now_N: I64, k: int) -> dict[str, Any]:
    """How many customers of each segment (rows) are in each one now (columns), by one model: they moved, it did not."""
    table_KK = np.zeros((k, k), np.int64)
    np.add.at(table_KK, (before_N, now_N), 1)
    moved = int(len(now_N) - np.trace(table_KK))
    return {"counts": table_KK.tolist(), "moved": asdict(wilson(moved, len(now_N), LEVEL))}


@dataclass(frozen=True, kw_only=True)
class People:
    """All customers: their segment (n,), numbers by column (n,) with NaN for unknown, categories, and what they spent."""

    labels: I64
    numbers: Mapping[str, F64]
    categories: Mapping[str, NDArray[Any]]
    amount: F64 | None


def profiles(people: People, names: Sequence[str]) -> list[dict[str, Any]]:
    """What each segment is like: shares, numbers against those of all, the commonest categories."""
    total = 0.0 if people.amount is None else float(people.amount.sum())
    found = []
    for s, name in enumerate(names):
        mine = people.labels == s
        spent = None if people.amount is None else float(people.amount[mine].sum())
        found.append(
            {
                "name": name,
                "n": int(mine.sum()),
                "share": float(mine.mean()),
                "amount": spent,
                "amount_share": spent / total if spent is not None and total else None,
                "numbers": [_number(column, x, mine) for column, x in people.numbers.items()],
                "categories": [told for c, x in people.categories.items() if (told := _category(c, x, mine))],
            }
        )
    return found


def _number(column: str, x: F64, mine: NDArray[np.bool_]) -> dict[str, Any]:
    """`index` is the segment's mean over that of all; None where that is not above 0, or nothing is known."""
    own, everyone = x[mine & ~np.isnan(x)], x[~np.isnan(x)]
    if not len(own):
        return {"column": column, "median": None, "low": None, "high": None, "mean": None, "index": None}
    low, median, high = (float(q) for q in np.quantile(own, (0.25, 0.5, 0.75)))
    mean, whole = float(own.mean()), float(everyone.mean())
    index = mean / whole if whole > 0 else None
    return {"column": column, "median": median, "low": low, "high": high, "mean": mean, "index": index}


def _category(column: str, x: NDArray[Any], mine: NDArray[np.bool_]) -> dict[str, Any] | None:
    """The value that is most over-represented among those that are common in the segment."""
    if not mine.any():
        return None
    values, code = np.unique(x, return_inverse=True)
    own, whole = (np.bincount(codes, minlength=len(values)) / len(codes) for codes in (code[mine], code))
    lift = np.where(own >= _COMMON, own / np.maximum(whole, 1e-12), 0.0)
    best = int(lift.argmax())
    if lift[best] < 1.1:
        return None
    return {"column": column, "value": str(values[best]), "share": float(own[best]), "lift": float(lift[best])}


def _crossed(a_N: I64, b_N: I64) -> I64:
    """How many rows have each pair of labels."""
    table = np.zeros((a_N.max() + 1, b_N.max() + 1), np.int64)
    np.add.at(table, (a_N, b_N), 1)
    return table


def _choose_2(counts: I64) -> F64:
    return np.asarray(counts * (counts - 1) / 2)
