"""Customer groups: how two models compare in each, as many looks as there are groups taken into account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.intervals import F64, LEVEL
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.results.figures import Interval

ENOUGH = 30  # positives, and negatives, under which a group is not judged
LOSS = 0.01  # how much worse a group may be, whatever its interval says


@dataclass(frozen=True, kw_only=True)
class SliceComparison:
    """One group: both models' figures (95 %), and how much better the candidate is there (1 - .05/m, m groups judged).

    All three are None where the group has too few rows of an outcome, or of an arm.
    """

    column: str
    value: str
    n: int
    candidate: Interval | None = None
    reference: Interval | None = None
    better_by: Interval | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the group loses more than LOSS, surely after looking m times."""
        return self.better_by is not None and self.better_by.value < -LOSS and self.better_by.high < 0


def compare_slices(
    comparison: PairedComparison, groups: Mapping[str, NDArray[Any]], candidate: F64, reference: F64
) -> tuple[SliceComparison, ...]:
    """Each value of each of `groups` (columns of labels (n,)), in the order of columns and values."""
    masks = list(iterate_groups(groups))
    judged = sum(_has_enough_rows(comparison, mask) for _, _, mask in masks)
    comparisons = []
    for column, value, mask in masks:
        group = SliceComparison(column=column, value=value, n=int(mask.sum()))
        if _has_enough_rows(comparison, mask):
            here, new, old = comparison.only(mask), candidate[mask], reference[mask]
            group = replace(
                group,
                candidate=here.estimate(new, LEVEL),
                reference=here.estimate(old, LEVEL),
                better_by=here.better_by(new, old, level_of(judged)),
            )
        comparisons.append(group)
    return tuple(comparisons)


def iterate_groups(groups: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Column, value and rows (n,) of each value of `groups` (columns of labels (n,)), in the order of columns and values."""
    for column, labels in groups.items():
        for value in sorted(set(labels.tolist()), key=str):
            yield column, str(value), labels == value


def level_of(judged: int) -> float:
    """Of each of so many differences, that all hold at 95 % (Bonferroni)."""
    return 1 - 0.05 / judged


def _has_enough_rows(comparison: PairedComparison, mask: NDArray[np.bool_]) -> bool:
    """Rows of each outcome, and of each arm; of classes and amounts as many rows in all, and amounts to be ranked."""
    y = comparison.y[mask]
    if np.isin(comparison.y, (0, 1)).all():
        counts = [int((y == 1).sum()), int((y == 0).sum())]
    else:
        counts = [len(y) // 2, *([int((y > 0).sum())] if comparison.metric == "gini_norm" else [])]
    if comparison.arm is not None:
        counts += [int((comparison.arm[mask] == a).sum()) for a in np.unique(comparison.arm)]
    return min(counts) >= ENOUGH
