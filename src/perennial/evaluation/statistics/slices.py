"""Two models' scores and the groups that rows belong to in, the difference in each group out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.intervals import F64, Interval
from perennial.evaluation.statistics.paired import Judge

ENOUGH = 30  # positives, and negatives, under which a group is not judged
LOSS = 0.01  # how much worse a group may be, whatever its interval says


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One group: both models' figures (95 %), and how much better the candidate is there (1 - .05/m, m groups judged).

    All three are None where the group has too few rows of an outcome, or of an arm.
    """

    column: str
    value: str
    n: int
    positives: int
    candidate: Interval | None
    reference: Interval | None
    better_by: Interval | None

    @property
    def is_worse(self) -> bool:
        """Whether the group loses more than LOSS, surely after looking m times."""
        return self.better_by is not None and self.better_by.value < -LOSS and self.better_by.high < 0


def by_slice(judge: Judge, groups: Mapping[str, NDArray[Any]], candidate: F64, reference: F64) -> tuple[Slice, ...]:
    """Each value of each of `groups` (columns of labels (n,)), in the order of columns and values."""
    masks = [(column, value, values == value) for column, values in groups.items() for value in _values(values)]
    judged = sum(_enough(judge, mask) for _, _, mask in masks)
    found = []
    for column, value, mask in masks:
        rows, positives = int(mask.sum()), int((judge.y[mask] == 1).sum())
        figures: tuple[Interval | None, Interval | None, Interval | None] = (None, None, None)
        if _enough(judge, mask):
            here, new, old = judge.only(mask), candidate[mask], reference[mask]
            figures = (here.estimate(new, 0.95), here.estimate(old, 0.95), here.better_by(new, old, level_of(judged)))
        new_figure, old_figure, gain = figures
        found.append(
            Slice(
                column=column,
                value=str(value),
                n=rows,
                positives=positives,
                candidate=new_figure,
                reference=old_figure,
                better_by=gain,
            )
        )
    return tuple(found)


def level_of(judged: int) -> float:
    """Of each of so many differences, that all hold at 95 % (Bonferroni)."""
    return 1 - 0.05 / judged


def _values(values: NDArray[Any]) -> list[Any]:
    return sorted(set(values.tolist()), key=str)


def _enough(judge: Judge, mask: NDArray[np.bool_]) -> bool:
    """Rows of each outcome, and of each arm; of classes and amounts as many rows in all, and amounts to be ranked."""
    y = judge.y[mask]
    if np.isin(judge.y, (0, 1)).all():
        counts = [int((y == 1).sum()), int((y == 0).sum())]
    else:
        counts = [len(y) // 2, *([int((y > 0).sum())] if judge.metric == "gini_norm" else [])]
    if judge.arm is not None:
        counts += [int((judge.arm[mask] == a).sum()) for a in np.unique(judge.arm)]
    return min(counts) >= ENOUGH
