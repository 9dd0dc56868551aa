"""Purchase clusters: what groups of customers buy more often than all do.

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
from perennial.results.clustering import ItemProfile, PurchaseCluster

I64 = NDArray[np.int64]
_COMMON = 0.1  # share of a group from which an item says something of it
_N_ITEMS = 3


@dataclass(frozen=True, kw_only=True)
class Purchases:
    """1 where a customer bought an item, 0 elsewhere, and what items are called."""

    by_NI: csr_array
    items: Sequence[str]

    @classmethod
    def of(cls, customers: NDArray[Any], items: NDArray[Any], order: NDArray[Any]) -> Purchases:
        """From pairs of who bought what, for customers in a given order; who bought nothing has a row of zeros."""
        names, item = np.unique(items, return_inverse=True)
        place = {name: i for i, name in enumerate(order.tolist())}
        row = np.array([place[name] for name in customers.tolist()], np.int64)
        by_NI = csr_array((np.ones(len(row)), (row, item)), shape=(len(order), len(names)))
        by_NI.data = np.minimum(by_NI.data, 1)
        return cls(by_NI=by_NI, items=[str(name).strip() for name in names])


def find_typical_items(purchases: Purchases, label_N: I64, k: int) -> list[tuple[ItemProfile, ...]]:
    """For each group the items by how much more of its customers bought them than of all, if at least a tenth did."""
    whole_I = np.asarray(purchases.by_NI.mean(axis=0)).ravel()
    groups = []
    for group in range(k):
        mine = purchases.by_NI[np.flatnonzero(label_N == group)]
        own_I = np.asarray(mine.mean(axis=0)).ravel() if mine.shape[0] else np.zeros(len(whole_I))
        more_I: F64 = np.where(own_I >= _COMMON, own_I - whole_I, 0.0)
        best = [int(i) for i in np.argsort(-more_I, kind="stable")[:_N_ITEMS] if more_I[i] > 0]
        items = (ItemProfile(item=purchases.items[i], share=float(own_I[i]), lift=float(own_I[i] / whole_I[i])) for i in best)
        groups.append(tuple(items))
    return groups


def evaluate_purchase_clusters(
    purchases: Purchases, segment_N: I64, segments: int, cluster_N: I64, clusters: int
) -> tuple[PurchaseCluster, ...]:
    """Each cluster: what it buys, how many customers are in it, and its share of each segment."""
    size_K = np.maximum(np.bincount(segment_N, minlength=segments), 1)
    masks = [cluster_N == cluster for cluster in range(clusters)]
    return tuple(
        PurchaseCluster(
            items=items,
            n=int(mine.sum()),
            share=float(mine.mean()),
            segment_shares=tuple((np.bincount(segment_N[mine], minlength=segments) / size_K).tolist()),
        )
        for mine, items in zip(masks, find_typical_items(purchases, cluster_N, clusters), strict=True)
    )
