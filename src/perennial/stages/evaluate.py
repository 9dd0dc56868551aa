"""Evaluate: the blend, the candidate, and every figure that is reported.

Segments are not blended: what is reported is whether other halves of the customers give the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.evaluate import EvaluateParams
from perennial.data.names import ROW_ID
from perennial.data.prepare.parts import LabelledRows, label_rows, select_part
from perennial.data.prepare.split import select_entities
from perennial.evaluation.decisions.segments import FAMILY
from perennial.evaluation.figure_tables import build_figure_tables, flatten_metrics
from perennial.files.durable import write_json, write_text
from perennial.files.tables import read_table, write_table
from perennial.results.baseline import BaselineSummary
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.evaluations import Evaluation
from perennial.results.families import FAMILIES, TRADITIONAL, Family
from perennial.results.figure_tables import FIGURE_TABLES, METRICS_FILE
from perennial.results.train import TrainSummary
from perennial.scoring.blend import blend_bundles
from perennial.scoring.bundle import Bundle, background_rows, load_bundle, save_bundle
from perennial.scoring.out_of_fold import score_out_of_fold
from perennial.scoring.scorer import Scorer, golden_rows
from perennial.scoring.segment_evaluation import (
    SegmentRows,
    add_purchases,
    evaluate_segmentation,
    find_item_table,
    label_segments,
)
from perennial.stages.runner import Job, log, main
from perennial.tasks.lookup import supervised_task
from perennial.tasks.task import EvaluationInput, ScoredRows


def run(job: Job) -> Evaluation:
    params, contract = job.params(EvaluateParams), job.contract
    units = read_table(job.input("featurize") / "units.parquet")
    splits = read_table(job.input("split") / "splits.parquet")
    val, test = (select_part(units, splits, name, contract) for name in ("val", "test"))
    bundles = _load_bundles(job, val, params)
    scorers = {family: Scorer(bundle=bundle) for family, bundle in bundles.items()}
    on_val, on_test = (ScoredRows(rows=rows, scores={f: s.score(rows.frame) for f, s in scorers.items()}) for rows in (val, test))
    outputs = next(iter(scorers.values())).outputs
    predictions = [_tabulate("val", on_val, outputs), _tabulate("test", on_test, outputs)]
    write_table(job.out / "predictions.parquet", pl.concat(predictions))
    if contract.target is None:
        evaluation: Evaluation = _evaluate_segments(job, units, splits, bundles[FAMILY], params)
    else:
        encoding = next(iter(bundles.values())).encoding
        given = EvaluationInput(
            contract=contract,
            val=on_val,
            test=on_test,
            params=params,
            slices=test.groups(contract.slices) | encoding.known_ids(test.frame),
            refit=lambda family: _refit(job, units, bundles[family]),
        )
        evaluation = supervised_task(contract.task.kind).evaluate(given)
    figures = {family: round(value, 4) for family, value in evaluation.candidate.val.items()}
    _write_figures(job, evaluation)
    log.info("%s on val %s: the candidate is %s", evaluation.primary, figures, evaluation.candidate.family)
    return evaluation


def _write_figures(job: Job, evaluation: Evaluation) -> None:
    """What `dvc metrics` and `dvc plots` show."""
    write_json(job.beside(METRICS_FILE), flatten_metrics(evaluation))
    fitted = {**job.summary(BaselineSummary).families, **job.summary(TrainSummary).families}
    for name, rows in build_figure_tables(evaluation, fitted).items():
        table = pl.DataFrame(rows, schema=list(FIGURE_TABLES[name].columns), orient="row", infer_schema_length=None)
        write_text(job.beside(f"{name}.csv"), table.write_csv(float_precision=6))


def _load_bundles(job: Job, val: LabelledRows, params: EvaluateParams) -> dict[Family, Bundle]:
    """Every fitted family, the simplest first; the blend of the deep one is fitted and written here."""
    fitted = {**job.summary(BaselineSummary).families, **job.summary(TrainSummary).families}
    bundles = {f: load_bundle(job.input(entry.stage) / f) for f, entry in FAMILIES.items() if f in fitted}
    if "deep" in bundles:
        partner = [bundle for family, bundle in bundles.items() if family in TRADITIONAL][-1]
        bundles["blend"] = blend_bundles(partner, bundles["deep"], val.frame, val.y, val.arm)
        sample = background_rows(val.frame, bundles["blend"].serving, params.seed)
        save_bundle(bundles["blend"], job.out / "blend", golden_rows(bundles["blend"], sample))
    return bundles


def _refit(job: Job, units: pl.DataFrame, bundle: Bundle) -> ScoredRows:
    rows = label_rows(units, job.contract)
    return ScoredRows(rows=rows, scores={bundle.family: score_out_of_fold(bundle, rows, select_entities(units, job.contract))})


def _evaluate_segments(
    job: Job, units: pl.DataFrame, splits: pl.DataFrame, bundle: Bundle, params: EvaluateParams
) -> ClusteringEvaluation:
    rows = SegmentRows(
        **{name: select_part(units, splits, name, job.contract).frame for name in ("train", "val", "test", "lookback")}
    )
    labels, agreement = label_segments(Scorer(bundle=bundle), rows.customers), job.summary(BaselineSummary).agreement
    evaluation = evaluate_segmentation(job.contract, bundle, agreement, rows, labels)
    if (items := find_item_table(job.contract)) is None:
        return evaluation
    lines = read_table(job.input("clean") / f"{items.table}.parquet")
    evaluation, clusters = add_purchases(evaluation, labels, lines, items, rows.customers, params)
    if clusters is not None:
        write_table(job.out / "purchase_clusters.parquet", clusters)
    return evaluation


def _tabulate(part: str, scored: ScoredRows, outputs: list[str]) -> pl.DataFrame:
    """One row of the predictions table for each row of a part: outcome, arm, and each family's scores."""
    scores: Mapping[str, NDArray[np.float64]] = {
        f"{family}:{output}": table[:, o] for family, table in scored.scores.items() for o, output in enumerate(outputs)
    }
    rows = scored.rows
    return pl.DataFrame({ROW_ID: rows.frame[ROW_ID], "split": [part] * len(rows), "y": rows.y, "arm": rows.arm, **scores})


if __name__ == "__main__":
    main("evaluate", run)
