"""Evaluation of segments: whether other halves of the customers give the same ones, what they are like and what they buy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.evaluate import EvaluateParams
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.contract.tasks import Clustering
from perennial.data.names import CUTOFF, ENTITY, ROW_ID
from perennial.evaluation.decisions.purchase_clusters import Purchases, evaluate_purchase_clusters, find_typical_items
from perennial.evaluation.decisions.segments import SegmentedCustomers, count_moves, evaluate_segments
from perennial.models.traditional.purchase_clusters import cluster_purchases
from perennial.results.clustering import Agreement, ClusteringEvaluation, SegmentMoves
from perennial.scoring.bundle import Bundle
from perennial.scoring.scorer import Scorer
from perennial.scoring.split_half_stability import label_by_halves


@dataclass(frozen=True, kw_only=True)
class SegmentRows:
    """Rows of each part; `lookback` has those of earlier dates."""

    train: pl.DataFrame
    val: pl.DataFrame
    test: pl.DataFrame
    lookback: pl.DataFrame

    @cached_property
    def fitted(self) -> pl.DataFrame:
        """Train and val: val has chosen the number and joins the halves; the larger they are, the surer."""
        return pl.concat([self.train, self.val])

    @cached_property
    def customers(self) -> pl.DataFrame:
        return pl.concat([self.train, self.val, self.test])


class ItemTable(NamedTuple):
    """The events table whose rows name items that customers buy."""

    table: str
    item: str
    time: str


def find_item_table(contract: Contract) -> ItemTable | None:
    """The first table of events with a column of role item; None where there is none."""
    for table, events in contract.events.items():
        item, time = events.find_column("item"), events.find_column("time")
        if item is not None and time is not None:
            return ItemTable(table, item, time)
    return None


def evaluate_segmentation(
    contract: Contract, bundle: Bundle, agreement: dict[int, Agreement], rows: SegmentRows, labels: NDArray[np.int64]
) -> ClusteringEvaluation:
    """Agreement of halves of train and val on test for each number of segments; what they are like, by the customers' labels."""
    scorer, task, names = Scorer(bundle=bundle), contract.task, bundle.serving.head.outputs
    assert isinstance(task, Clustering)
    counts = sorted({*range(task.k[0], task.k[1] + 1), len(names)})
    evaluation = evaluate_segments(
        agreement,
        {k: label_by_halves(bundle, rows.fitted, rows.test, k) for k in counts},
        label_segments(scorer, rows.test),
        _describe_population(contract, scorer, rows.customers, labels),
        names,
        rows.val.height,
    )
    if not rows.lookback.height:
        return evaluation
    return evaluation.model_copy(update={"moves": _count_moves(scorer, rows)})


def add_purchases(
    evaluation: ClusteringEvaluation,
    labels: NDArray[np.int64],
    lines: pl.DataFrame,
    table: ItemTable,
    customers: pl.DataFrame,
    params: EvaluateParams,
) -> tuple[ClusteringEvaluation, pl.DataFrame | None]:
    """Add what each segment buys more often than all do; and clusters by purchases (row_id, cluster), where asked for."""
    purchases = _find_purchases(lines, table, customers)
    k, n_clusters = evaluation.k, params.purchase_clusters
    items = find_typical_items(purchases, labels, k)
    segments = tuple(segment.model_copy(update={"items": own}) for segment, own in zip(evaluation.segments, items, strict=True))
    evaluation = evaluation.model_copy(update={"segments": segments})
    if n_clusters is None or len(purchases.items) <= n_clusters:
        return evaluation, None
    cluster = cluster_purchases(purchases.by_NI, n_clusters, seed=params.seed)
    clusters = evaluate_purchase_clusters(purchases, labels, k, cluster, n_clusters)
    clustered = customers.select(ROW_ID).with_columns(pl.Series("cluster", cluster))
    return evaluation.model_copy(update={"purchase_clusters": clusters}), clustered


def label_segments(scorer: Scorer, rows: pl.DataFrame) -> NDArray[np.int64]:
    """The likeliest segment of each row, (n,)."""
    return np.asarray(scorer.score(rows).argmax(axis=1))


def _describe_population(
    contract: Contract, scorer: Scorer, customers: pl.DataFrame, labels: NDArray[np.int64]
) -> SegmentedCustomers:
    amount = contract.money.amount
    categories = [feature.name for feature in feature_columns(contract) if feature.kind == "categorical"]
    return SegmentedCustomers(
        labels=labels,
        numbers={f.name: customers[f.name].cast(pl.Float64).to_numpy() for f in scorer.bundle.serving.features},
        categories={name: customers[name].fill_null("(none)").to_numpy() for name in categories},
        amount=None if amount is None else customers[amount].cast(pl.Float64).fill_null(0).to_numpy(),
    )


def _count_moves(scorer: Scorer, rows: SegmentRows) -> SegmentMoves:
    """Where customers of an earlier date are now, by the same model."""
    customers, last = rows.customers, rows.lookback.filter(pl.col(CUTOFF) == pl.col(CUTOFF).max())
    both = customers.select(ENTITY).join(last.select(ENTITY), on=ENTITY).sort(ENTITY)[ENTITY]
    before, now = (
        label_segments(scorer, frame.filter(pl.col(ENTITY).is_in(both.implode())).sort(ENTITY)) for frame in (last, customers)
    )
    return count_moves(before, now, len(scorer.outputs), (str(last[CUTOFF][0]), str(customers[CUTOFF][0])))


def _find_purchases(lines: pl.DataFrame, table: ItemTable, customers: pl.DataFrame) -> Purchases:
    """What each customer had bought by the date of their row."""
    lines = lines.select(ENTITY, pl.col(table.item).alias("item"), table.time)
    before = lines.join(customers.select(ENTITY, CUTOFF), on=ENTITY)
    before = before.filter(pl.col(table.time).dt.date() < pl.col(CUTOFF))
    pairs = before.select(ENTITY, "item").drop_nulls().unique().sort(ENTITY, "item")
    return Purchases.of(pairs[ENTITY].to_numpy(), pairs["item"].to_numpy(), customers[ENTITY].to_numpy())
