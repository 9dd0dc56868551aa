"""Items that customers bought and groups of them in; what each group buys more often than others out.

Suffixes: N customers, I items, K groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from perennial.evaluation.statistics.intervals import F64

I64 = NDArray[np.int64]
_COMMON = 0.1  # share of a group from which an item says something of it
_TOLD = 3


@dataclass(frozen=True, kw_only=True)
class Bought:
    """1 where a customer bought an item, 0 elsewhere, and what items are called."""

    by_NI: csr_array
    items: Sequence[str]

    @classmethod
    def of(cls, customers: NDArray[Any], items: NDArray[Any], order: NDArray[Any]) -> Bought:
        """From pairs of who bought what, for customers in a given order; who bought nothing has a row of zeros."""
        names, item = np.unique(items, return_inverse=True)
        place = {name: i for i, name in enumerate(order.tolist())}
        row = np.array([place[name] for name in customers.tolist()], np.int64)
        by_NI = csr_array((np.ones(len(row)), (row, item)), shape=(len(order), len(names)))
        by_NI.data = np.minimum(by_NI.data, 1)
        return cls(by_NI=by_NI, items=[str(name).strip() for name in names])


def typical(bought: Bought, label_N: I64, k: int) -> list[list[dict[str, Any]]]:
    """For each group the items by how much more of its customers bought them than of all, if at least a tenth did."""
    whole_I = np.asarray(bought.by_NI.mean(axis=0)).ravel()
    found = []
    for group in range(k):
        mine = bought.by_NI[np.flatnonzero(label_N == group)]
        own_I = np.asarray(mine.mean(axis=0)).ravel() if mine.shape[0] else np.zeros(len(whole_I))
        more_I: F64 = np.where(own_I >= _COMMON, own_I - whole_I, 0.0)
        best = [int(i) for i in np.argsort(-more_I, kind="stable")[:_TOLD] if more_I[i] > 0]
        told = ({"item": bought.items[i], "share": float(own_I[i]), "lift": float(own_I[i] / whole_I[i])} for i in best)
        found.append(list(told))
    return found


def judge(bought: Bought, segment_N: I64, segments: int, taste_N: I64, tastes: int) -> list[dict[str, Any]]:
    """Each taste: what it buys, how many customers have it, and which share of each segment."""
    told = typical(bought, taste_N, tastes)
    size_K = np.maximum(np.bincount(segment_N, minlength=segments), 1)
    found = []
    for taste, items in enumerate(told):
        mine = taste_N == taste
        of_K = np.bincount(segment_N[mine], minlength=segments) / size_K
        found.append({"items": items, "n": int(mine.sum()), "share": float(mine.mean()), "of_segments": of_K.tolist()})
    return found
