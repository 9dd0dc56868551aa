"""Evaluate: the blend, the candidate, and every figure that is reported.

Segments are not blended: what is reported is whether other halves of the customers give the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.evaluate import EvaluateParams
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns, has_text_or_image
from perennial.contract.tasks import Binary, Clustering, Multiclass, Regression, Uplift
from perennial.data.names import CUTOFF, ENTITY, ROW_ID
from perennial.data.prepare.parts import LabelledRows, label_rows, select_part
from perennial.data.prepare.split import select_entities
from perennial.evaluation.decisions.alerts import AlertPolicy, evaluate_alerts
from perennial.evaluation.decisions.amounts import evaluate_amounts
from perennial.evaluation.decisions.classes import answers, confuse, evaluate_classes
from perennial.evaluation.decisions.messages import (
    CampaignRows,
    check_randomization,
    evaluate_full_campaign,
    evaluate_uplift,
)
from perennial.evaluation.decisions.money import contact_policy, loan_policy, message_policy
from perennial.evaluation.decisions.purchase_clusters import Purchases, evaluate_purchase_clusters, typical_items
from perennial.evaluation.decisions.response import Labelled, Resampling, evaluate_response
from perennial.evaluation.decisions.risk import evaluate_loans
from perennial.evaluation.decisions.segments import FAMILY, Population, count_moves, evaluate_segments
from perennial.files.tables import read_table, write_table
from perennial.models.traditional.purchase_clusters import cluster_purchases
from perennial.results.baseline import BaselineSummary
from perennial.results.binary import AlertFigures, BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation, SegmentMoves
from perennial.results.evaluations import Evaluation
from perennial.results.families import FAMILIES, Family
from perennial.results.train import TrainSummary
from perennial.results.uplift import OutOfFold, RandomizationCheck, UpliftEvaluation
from perennial.scoring.blend import blend
from perennial.scoring.bundle import Bundle, background_rows, load, save
from perennial.scoring.out_of_fold import out_of_fold
from perennial.scoring.scorer import Scorer, golden_rows
from perennial.scoring.split_half_stability import held_out_pairs
from perennial.stages.runner import Job, log, main

F64 = NDArray[np.float64]
Scores = Mapping[str, Mapping[Family, F64]]  # by part and family, (n, outputs)


def run(job: Job) -> Evaluation:
    params, contract = job.params(EvaluateParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    parts = {name: select_part(units, splits, name, contract) for name in ("val", "test")}
    bundles = _bundles(job, parts["val"], params)
    scorers = {family: Scorer(bundle=bundle) for family, bundle in bundles.items()}
    scores = {name: {f: s.score(rows.frame) for f, s in scorers.items()} for name, rows in parts.items()}
    outputs = next(iter(scorers.values())).outputs
    write_table(job.out / "predictions.parquet", pl.concat(_rows(n, parts[n], scores[n], outputs) for n in parts))
    evaluation = _evaluate(job, units, splits, parts, scores, bundles, params)
    figures = {family: round(value, 4) for family, value in evaluation.candidate.val.items()}
    log.info("%s on val %s: the candidate is %s", evaluation.primary, figures, evaluation.candidate.family)
    return evaluation


def _bundles(job: Job, val: LabelledRows, params: EvaluateParams) -> dict[Family, Bundle]:
    """Every fitted family, the simplest first; the blend of the deep one is made, and written, here."""
    fitted = {**job.summary(BaselineSummary).families, **job.summary(TrainSummary).families}
    bundles = {f: load(job.input(entry.stage) / f) for f, entry in FAMILIES.items() if f in fitted}
    if "deep" in bundles:
        rival = bundles["kernel" if "kernel" in bundles else "boosted"]
        bundles["blend"] = blend(rival, bundles["deep"], val.frame, val.y, val.arm)
        sample = background_rows(val.frame, bundles["blend"].serving, params.seed)
        save(bundles["blend"], job.out / "blend", golden_rows(bundles["blend"], sample))
    return bundles


def _evaluate(
    job: Job, units: pl.DataFrame, splits: pl.DataFrame, parts: Mapping[str, LabelledRows], scores: Scores,
    bundles: Mapping[Family, Bundle], params: EvaluateParams,
) -> Evaluation:  # fmt: skip
    contract, test = job.contract, parts["test"]
    resampling = Resampling(n=params.bootstrap, seed=params.seed)
    if isinstance(contract.task, Clustering):
        return _segments(job, units, splits, bundles[FAMILY], params)
    slices = test.groups(contract.slices) | bundles["linear"].encoding.known_ids(test.frame)
    match contract.task:
        case Binary():
            return _response(contract, parts, scores, slices, params)
        case Multiclass():
            task, pair = contract.task, _labelled(parts, scores)
            return evaluate_classes(*pair, task.primary, contract.classes, task.ordered, slices, resampling)
        case Regression():
            return evaluate_amounts(*_labelled(parts, scores), contract.task.primary, slices, resampling)
        case Uplift():
            return _uplift(contract, units, parts, scores, bundles, params)
        case _:
            assert_never(contract.task)


def _response(
    contract: Contract, parts: Mapping[str, LabelledRows], scores: Scores, slices: Mapping[str, NDArray[Any]],
    params: EvaluateParams,
) -> BinaryEvaluation:  # fmt: skip
    """What every yes-or-no task reports, and the decisions that its money asks for."""
    test, pair = parts["test"], _labelled(parts, scores)
    n, seed = params.bootstrap, params.seed
    money, loan = contact_policy(contract.money), loan_policy(contract.money)
    evaluation = evaluate_response(*pair, contract.task.primary, money, slices, Resampling(n=n, seed=seed))
    family = evaluation.candidate.family
    more: dict[str, Any] = {}
    if loan is not None:
        protected = test.groups([name for name in contract.slices if name in contract.find_columns("protected")])
        more["risk"] = evaluate_loans(test.y, pair[1].scores[family], loan, protected, n=n, seed=seed)
    if has_text_or_image(feature_columns(contract)):
        more["confusion"] = confuse(test.y, answers(scores["test"][family]))
    if contract.money.alerts_per_1000 is not None:
        more["alerts"] = _alerts(contract, parts, pair, family, params)
    return evaluation.model_copy(update=more)


def _uplift(
    contract: Contract, units: pl.DataFrame, parts: Mapping[str, LabelledRows], scores: Scores,
    bundles: Mapping[Family, Bundle], params: EvaluateParams,
) -> UpliftEvaluation:  # fmt: skip
    resampling, offer = Resampling(n=params.bootstrap, seed=params.seed), message_policy(contract)
    val, test = (CampaignRows(y=parts[n].y, arm=parts[n].arm, scores=scores[n]) for n in ("val", "test"))

    def full(rival: Family) -> tuple[RandomizationCheck, OutOfFold]:
        """The whole campaign: a family that is costly to refit gives way to its traditional rival."""
        family: Family = "boosted" if rival == "boosted" else "linear"
        rows = label_rows(units, contract)
        table = out_of_fold(bundles[family], rows, select_entities(units, contract))
        before = {f.name: units[f.name].to_numpy() for f in feature_columns(contract)}
        check = check_randomization(rows.arm, before, contract.shares)
        campaign = CampaignRows(y=rows.y, arm=rows.arm, scores={family: table})
        return check, evaluate_full_campaign(campaign, contract.arms, offer, resampling)

    evaluation = evaluate_uplift(val, test, contract.arms, offer, resampling, params.placebos, full)
    for message in evaluation.out_of_fold.messages:
        log.info("%s: rank by %s", message.name, message.rank_by)
    return evaluation


def _segments(
    job: Job, units: pl.DataFrame, splits: pl.DataFrame, bundle: Bundle, params: EvaluateParams
) -> ClusteringEvaluation:
    """Agreement of halves of train and val on test for each number of segments; what they are like, of all customers.

    Val has chosen the number and joins the halves: the larger they are, the surer.
    """
    contract, scorer = job.contract, Scorer(bundle=bundle)
    frames = {name: select_part(units, splits, name, contract).frame for name in ("train", "val", "test", "lookback")}
    train, test = pl.concat([frames["train"], frames["val"]]), frames["test"]
    units = pl.concat([train, test])
    task, names, amount = contract.task, bundle.serving.head.outputs, contract.money.amount
    assert isinstance(task, Clustering)
    counts = sorted({*range(task.k[0], task.k[1] + 1), len(names)})
    population = Population(
        labels=scorer.score(units).argmax(axis=1),
        numbers={f.name: units[f.name].cast(pl.Float64).to_numpy() for f in bundle.serving.features},
        categories={name: units[name].fill_null("(none)").to_numpy() for name in _categories(contract)},
        amount=None if amount is None else units[amount].cast(pl.Float64).fill_null(0).to_numpy(),
    )
    evaluation = evaluate_segments(
        job.summary(BaselineSummary).agreement, {k: held_out_pairs(bundle, train, test, k) for k in counts},
        scorer.score(test).argmax(axis=1), population, names, frames["val"].height,
    )  # fmt: skip
    if frames["lookback"].height:
        evaluation = evaluation.model_copy(update={"moves": _moves(scorer, units, frames["lookback"])})
    purchases = _purchases(job, units)
    return evaluation if purchases is None else _with_purchases(job, evaluation, purchases, population, units, params)


def _with_purchases(
    job: Job, evaluation: ClusteringEvaluation, purchases: Purchases, population: Population, units: pl.DataFrame,
    params: EvaluateParams,
) -> ClusteringEvaluation:  # fmt: skip
    """What each segment buys more often than all do, and clusters by purchases beside the segments."""
    k, n_clusters = evaluation.k, params.purchase_clusters
    items = typical_items(purchases, population.labels, k)
    segments = tuple(
        segment.model_copy(update={"items": own}) for segment, own in zip(evaluation.segments, items, strict=True)
    )
    evaluation = evaluation.model_copy(update={"segments": segments})
    if n_clusters is None or len(purchases.items) <= n_clusters:
        return evaluation
    cluster = cluster_purchases(purchases.by_NI, n_clusters, seed=params.seed)
    table = units.select(ROW_ID).with_columns(pl.Series("cluster", cluster))
    write_table(job.out / "purchase_clusters.parquet", table)
    clusters = evaluate_purchase_clusters(purchases, population.labels, k, cluster, n_clusters)
    return evaluation.model_copy(update={"purchase_clusters": clusters})


def _moves(scorer: Scorer, units: pl.DataFrame, lookback: pl.DataFrame) -> SegmentMoves:
    """Where customers of an earlier date are now, by the same model."""
    last = lookback.filter(pl.col(CUTOFF) == pl.col(CUTOFF).max())
    both = units.select(ENTITY).join(last.select(ENTITY), on=ENTITY).sort(ENTITY)[ENTITY]
    before, now = (
        scorer.score(frame.filter(pl.col(ENTITY).is_in(both.implode())).sort(ENTITY)).argmax(axis=1)
        for frame in (last, units)
    )
    return count_moves(before, now, len(scorer.outputs), (str(last[CUTOFF][0]), str(units[CUTOFF][0])))


def _purchases(job: Job, units: pl.DataFrame) -> Purchases | None:
    """What each customer had bought by the date of their row; None where no table of events names items."""
    items = ((table, events, name) for table, events in job.contract.events.items()
             for name, column in events.columns.items() if column.role == "item")  # fmt: skip
    table, events, item = next(items, (None, None, None))
    if events is None or item is None:
        return None
    time = events.find_column("time")
    lines = read_table(job.input("clean") / f"{table}.parquet").select(ENTITY, pl.col(item).alias("item"), time)
    before = lines.join(units.select(ENTITY, CUTOFF), on=ENTITY).filter(pl.col(time).dt.date() < pl.col(CUTOFF))
    pairs = before.select(ENTITY, "item").drop_nulls().unique().sort(ENTITY, "item")
    return Purchases.of(pairs[ENTITY].to_numpy(), pairs["item"].to_numpy(), units[ENTITY].to_numpy())


def _categories(contract: Contract) -> list[str]:
    return [f.name for f in feature_columns(contract) if f.kind == "categorical"]


def _alerts(
    contract: Contract, parts: Mapping[str, LabelledRows], pair: tuple[Labelled, Labelled], family: Family,
    params: EvaluateParams,
) -> AlertFigures:  # fmt: skip
    money, (val, test) = contract.money, pair
    assert money.alerts_per_1000 is not None
    amount = None if money.amount is None else parts["test"].frame[money.amount].fill_null(0).to_numpy()
    figures = (val.scores[family], parts["val"].weight), (test.y, test.scores[family], parts["test"].weight)
    policy = AlertPolicy(per_1000=money.alerts_per_1000)
    return evaluate_alerts(*figures, amount, policy, n=params.bootstrap, seed=params.seed)


def _labelled(parts: Mapping[str, LabelledRows], scores: Scores) -> tuple[Labelled, Labelled]:
    """Val and test; one score a row is (n,)."""
    val, test = (
        Labelled(
            y=parts[name].y,
            scores={family: s[:, 0] if s.shape[1] == 1 else s for family, s in scores[name].items()},
            weight=parts[name].uneven_weight,
        )
        for name in ("val", "test")
    )
    return val, test


def _rows(name: str, rows: LabelledRows, scores: Mapping[Family, F64], outputs: list[str]) -> pl.DataFrame:
    columns = {f"{family}:{o}": table[:, i] for family, table in scores.items() for i, o in enumerate(outputs)}
    base = {ROW_ID: rows.frame[ROW_ID], "split": [name] * len(rows), "y": rows.y, "arm": rows.arm}
    return pl.DataFrame({**base, **columns})


if __name__ == "__main__":
    main("evaluate", run)
