"""Evaluation of segments: how far halves of the customers agree on them, and what each one is like."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.evaluation import EvaluationSummary
from perennial.results.figures import Interval


class Agreement(Result):
    """Of pairs of halves: mean, least and greatest adjusted Rand index, and the least share of rows given one label.

    `error` is the standard error of the mean, over pairs.
    """

    index: Interval
    same_label: float
    error: float

    def reaches(self, line: float) -> bool:
        return self.index.value >= line and self.same_label >= line


class KAgreement(Result):
    """A number of segments: the agreement by which it was chosen (val), and that of other pairs of halves (test)."""

    k: int
    chosen: Agreement | None
    reported: Agreement


class NumberProfile(Result):
    """A column's quartiles and mean; `index` is the segment's mean over that of all, None where that is not above 0."""

    column: str
    median: float | None
    low: float | None
    high: float | None
    mean: float | None
    index: float | None


class CategoryProfile(Result):
    """The value that is most over-represented in a segment."""

    column: str
    value: str
    share: float
    lift: float


class ItemProfile(Result):
    """An item that a group buys more often than all customers do."""

    item: str
    share: float
    lift: float


class SegmentProfile(Result):
    name: str
    n: int
    share: float
    amount: float | None
    amount_share: float | None
    numbers: tuple[NumberProfile, ...]
    categories: tuple[CategoryProfile, ...]
    stability: Interval
    """The share of its test rows that a model of half the customers puts into it."""
    items: tuple[ItemProfile, ...] = ()


class SegmentMoves(Result):
    """Customers of each segment at an earlier date (rows) by their segment now (columns), by one model."""

    from_date: str
    to_date: str
    counts: tuple[tuple[int, ...], ...]
    moved: Interval


class PurchaseCluster(Result):
    """A group of customers by what they buy, and its share of each segment."""

    items: tuple[ItemProfile, ...]
    n: int
    share: float
    segment_shares: tuple[float, ...]


class ClusteringEvaluation(EvaluationSummary):
    task: Literal["clustering"] = "clustering"
    k: int
    by_k: tuple[KAgreement, ...]
    customers: int
    overall: tuple[NumberProfile, ...]
    segments: tuple[SegmentProfile, ...]
    moves: SegmentMoves | None = None
    purchase_clusters: tuple[PurchaseCluster, ...] = ()

    def agreement(self, k: int) -> KAgreement:
        return next(row for row in self.by_k if row.k == k)
