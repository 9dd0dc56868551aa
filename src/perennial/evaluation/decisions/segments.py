"""Evaluation of segments: how far two groupings agree, who keeps a label, and what each segment is like.

Suffixes: N customers, K segments, F columns. A label is the number of a segment, from 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from perennial.evaluation.statistics.intervals import F64, LEVEL, wilson_interval
from perennial.results.clustering import (
    Agreement,
    CategoryProfile,
    ClusteringEvaluation,
    KAgreement,
    NumberProfile,
    SegmentMoves,
    SegmentProfile,
)
from perennial.results.evaluation import Candidate, FamilyFigures
from perennial.results.families import Family
from perennial.results.figures import Interval

I64 = NDArray[np.int64]
Pairs = Sequence[tuple[I64, I64]]  # the labels that two models, fitted on disjoint halves, give the same held-out rows
FAMILY: Final = "kmeans"
_COMMON = 0.05  # share of a segment from which a value of a category says something of it


def measure_agreement(pairs: Pairs) -> Agreement:
    indices = [rand_index(a, b) for a, b in pairs]
    same = [float((match_labels(b, a) == a).mean()) for a, b in pairs]
    index = Interval(value=float(np.mean(indices)), low=min(indices), high=max(indices))
    error = float(np.std(indices, ddof=1) / np.sqrt(len(indices))) if len(indices) > 1 else 0.0
    return Agreement(index=index, same_label=min(same), error=error)


def choose_k(by_k: Mapping[int, Agreement], line: float) -> int:
    """The most segments on which halves agree by `line`; where no number reaches it, the one that comes nearest.

    The mean must clear it by its standard error: of many numbers that are tried, one reaches it by luck.
    """
    stable = [k for k, row in by_k.items() if row.reaches(line) and row.index.value - row.error >= line]
    return max(stable) if stable else max(by_k, key=lambda k: by_k[k].index.value)


def rand_index(a_N: I64, b_N: I64) -> float:
    """The adjusted Rand index of two labellings: 1 the same, 0 as chance would have it (Hubert and Arabie 1985, eq. 5)."""
    table = _crossed(a_N, b_N)
    both, in_a, in_b = (_choose_2(counts).sum() for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    by_chance, greatest = in_a * in_b / _choose_2(np.array(len(a_N))), (in_a + in_b) / 2
    return 1.0 if greatest == by_chance else float((both - by_chance) / (greatest - by_chance))


def match_labels(new_N: I64, old_N: I64) -> I64:
    """New labels by the old ones they share most customers with, one to one; −1 where there are more new ones."""
    table = _crossed(new_N, old_N)
    rows, columns = linear_sum_assignment(-table)
    old_of = np.full(len(table), -1, np.int64)
    old_of[rows] = columns
    return np.asarray(old_of[new_N])


@dataclass(frozen=True, kw_only=True)
class LabelRetention:
    """Which share of customers keeps its name: all, and those of each old segment; `grouped` if names had been matched."""

    overall: Interval
    by_name: Mapping[str, Interval]
    grouped: float

    @property
    def worst(self) -> tuple[str, Interval]:
        return min(self.by_name.items(), key=lambda item: item[1].value)


def measure_retention(old: NDArray[Any], new: NDArray[Any]) -> LabelRetention:
    """Names (n,) that two models give the same customers, as these see them."""
    same = old == new
    names, old_N = np.unique(old, return_inverse=True)
    matched = match_labels(np.unique(new, return_inverse=True)[1], old_N)
    return LabelRetention(
        overall=wilson_interval(float(same.sum()), len(same), LEVEL),
        by_name={str(name): wilson_interval(float(same[old == name].sum()), int((old == name).sum()), LEVEL) for name in names},
        grouped=float((matched == old_N).mean()),
    )


def measure_steadiness(labels_N: I64, pairs: Pairs, k: int) -> list[Interval]:
    """For each segment the share of its held-out rows that a model of half the customers puts into it: mean and range."""
    halves = [match_labels(half, labels_N) for pair in pairs for half in pair]
    intervals = []
    for s in range(k):
        mine = labels_N == s
        shares = [float((half[mine] == s).mean()) if mine.any() else 0.0 for half in halves]
        intervals.append(Interval(value=float(np.mean(shares)), low=min(shares), high=max(shares)))
    return intervals


def evaluate_segments(
    chosen: Mapping[int, Agreement],
    reported: Mapping[int, Pairs],
    test: I64,
    population: SegmentedCustomers,
    names: Sequence[str],
    n_val: int,
) -> ClusteringEvaluation:
    """Agreement by number of segments, and what each segment is like.

    `chosen` are the figures by which their number was chosen (val), `reported` other pairs of halves (on test rows).
    """
    k = len(names)
    on_test = {many: measure_agreement(pairs) for many, pairs in reported.items()}
    by_k = tuple(KAgreement(k=many, chosen=chosen.get(many), reported=row) for many, row in on_test.items())
    on_val = {"stability": chosen[k].index.value} if k in chosen else {}
    by_family: dict[Family, float] = {FAMILY: on_val["stability"]} if on_val else {}
    everyone = np.ones(len(population.labels), np.bool_)
    return ClusteringEvaluation(
        rows={"val": n_val, "test": len(test)},
        primary="stability",
        candidate=Candidate(family=FAMILY, best=FAMILY, val=by_family, behind={}),
        families={FAMILY: FamilyFigures(val=on_val, test={"stability": on_test[k].index})},
        deep_minus_traditional=None,
        k=k,
        by_k=by_k,
        customers=len(population.labels),
        overall=tuple(_number(column, x, everyone) for column, x in population.numbers.items()),
        segments=tuple(
            profile_segment(population, s, name, stability)
            for s, (name, stability) in enumerate(zip(names, measure_steadiness(test, reported[k], k), strict=True))
        ),
    )


def count_moves(before_N: I64, now_N: I64, k: int, dates: tuple[str, str]) -> SegmentMoves:
    """How many customers of each segment (rows) are in each one now (columns), by one model: they moved, it did not."""
    table_KK = np.zeros((k, k), np.int64)
    np.add.at(table_KK, (before_N, now_N), 1)
    moved = int(len(now_N) - np.trace(table_KK))
    return SegmentMoves(
        from_date=dates[0],
        to_date=dates[1],
        counts=tuple(map(tuple, table_KK.tolist())),
        moved=wilson_interval(moved, len(now_N), LEVEL),
    )


@dataclass(frozen=True, kw_only=True)
class SegmentedCustomers:
    """All customers: their segment (n,), numbers by column (n,) with NaN for unknown, categories, and what they spent."""

    labels: I64
    numbers: Mapping[str, F64]
    categories: Mapping[str, NDArray[Any]]
    amount: F64 | None


def profile_segment(population: SegmentedCustomers, s: int, name: str, stability: Interval) -> SegmentProfile:
    """What segment `s` is like: shares, numbers against those of all, the commonest categories."""
    mine, amount = population.labels == s, population.amount
    total = 0.0 if amount is None else float(amount.sum())
    spent = None if amount is None else float(amount[mine].sum())
    categories = (_category(column, x, mine) for column, x in population.categories.items())
    return SegmentProfile(
        name=name,
        n=int(mine.sum()),
        share=float(mine.mean()),
        amount=spent,
        amount_share=spent / total if spent is not None and total else None,
        numbers=tuple(_number(column, x, mine) for column, x in population.numbers.items()),
        categories=tuple(category for category in categories if category is not None),
        stability=stability,
    )


def _number(column: str, x: F64, mine: NDArray[np.bool_]) -> NumberProfile:
    """`index` is the segment's mean over that of all; None where that is not above 0, or nothing is known."""
    own, everyone = x[mine & ~np.isnan(x)], x[~np.isnan(x)]
    if not len(own):
        return NumberProfile(column=column, median=None, low=None, high=None, mean=None, index=None)
    low, median, high = (float(q) for q in np.quantile(own, (0.25, 0.5, 0.75)))
    mean, whole = float(own.mean()), float(everyone.mean())
    index = mean / whole if whole > 0 else None
    return NumberProfile(column=column, median=median, low=low, high=high, mean=mean, index=index)


def _category(column: str, x: NDArray[Any], mine: NDArray[np.bool_]) -> CategoryProfile | None:
    """The value that is most over-represented among those that are common in the segment."""
    if not mine.any():
        return None
    values, code = np.unique(x, return_inverse=True)
    own, whole = (np.bincount(codes, minlength=len(values)) / len(codes) for codes in (code[mine], code))
    lift = np.where(own >= _COMMON, own / np.maximum(whole, 1e-12), 0.0)
    best = int(lift.argmax())
    if lift[best] < 1.1:
        return None
    return CategoryProfile(column=column, value=str(values[best]), share=float(own[best]), lift=float(lift[best]))


def _crossed(a_N: I64, b_N: I64) -> I64:
    """How many rows have each pair of labels."""
    table = np.zeros((a_N.max() + 1, b_N.max() + 1), np.int64)
    np.add.at(table, (a_N, b_N), 1)
    return table


def _choose_2(counts: I64) -> F64:
    return np.asarray(counts * (counts - 1) / 2)
