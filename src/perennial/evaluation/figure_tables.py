"""Figure tables of an evaluation: each curve as rows of numbers, and its metrics as one flat record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from perennial.results.binary import BinaryEvaluation, ThresholdCounts
from perennial.results.evaluations import Evaluation
from perennial.results.families import Family
from perennial.results.figure_tables import FIGURE_TABLES
from perennial.results.figures import IntervalCurve
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.train import FittedFamily
from perennial.results.uplift import UpliftEvaluation

Rows = Sequence[tuple[float | str, ...]]


def build_figure_tables(evaluation: Evaluation, fitted: Mapping[Family, FittedFamily]) -> dict[str, Rows]:
    """The rows of each of FIGURE_TABLES, in the order of its columns; none where the task has no such figure."""
    rows: dict[str, Rows] = dict.fromkeys(FIGURE_TABLES, ())
    rows["loss"] = [(family, step.step, step.val_loss, step.train_loss) for family, one in fitted.items() for step in one.curve]
    if isinstance(evaluation, BinaryEvaluation):
        rows |= _tabulate_response(evaluation)
    elif isinstance(evaluation, UpliftEvaluation):
        rows["profit"] = _tabulate_curve(evaluation.policy.curves.get("choice"))
    elif isinstance(evaluation, MulticlassEvaluation):
        classes = evaluation.classes
        rows["confusion"] = [
            (actual, predicted, n)
            for actual, counts in zip(classes, evaluation.confusion.counts, strict=True)
            for predicted, n in zip(classes, counts, strict=True)
        ]
    return rows


def flatten_metrics(evaluation: Evaluation) -> dict[str, float | str]:
    """What `dvc metrics show` prints: the candidate's figures on test; the primary one and profit with their 95 % interval.

    Few, because `dvc exp show` makes a column of each.
    """
    metrics: dict[str, float | str] = {"candidate": evaluation.candidate.family}
    for metric, interval in evaluation.chosen.test.items():
        metrics[metric] = interval.value
        if metric == evaluation.primary:
            metrics |= {f"{metric}_low": interval.low, f"{metric}_high": interval.high}
    if evaluation.chosen.lift_10 is not None:
        metrics["lift_10"] = evaluation.chosen.lift_10
    if isinstance(evaluation, BinaryEvaluation) and evaluation.profit is not None:
        profit = evaluation.profit.plan("chosen").profit
        metrics |= {"profit": profit.value, "profit_low": profit.low, "profit_high": profit.high}
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in metrics.items()}


def _tabulate_response(evaluation: BinaryEvaluation) -> dict[str, Rows]:
    gains = evaluation.gains[evaluation.candidate.family]
    rows: dict[str, Rows] = {
        "calibration": [
            (row.predicted, row.observed.value, row.observed.low, row.observed.high, row.n) for row in evaluation.calibration.bins
        ],
        "gains": _tabulate_curve(gains),
        "roc": list(trace_roc(gains, evaluation.event_rate)),
        "precision_recall": list(trace_precision(gains, evaluation.event_rate)),
        "profit": _tabulate_curve(evaluation.profit.curve if evaluation.profit else None),
    }
    if evaluation.at_threshold is not None:
        rows["confusion"] = _tabulate_counts(evaluation.at_threshold)
    return rows


def trace_roc(gains: IntervalCurve, rate: float) -> Iterator[tuple[float, float]]:
    """False and true positive rate at each depth of a gains curve: of the share x taken, `rate` · found are events."""
    for share, found in zip(gains.x, gains.value, strict=True):
        yield min(max((share - rate * found) / (1 - rate), 0.0), 1.0), found


def trace_precision(gains: IntervalCurve, rate: float) -> Iterator[tuple[float, float]]:
    """Recall and precision at each depth above 0."""
    for share, found in zip(gains.x, gains.value, strict=True):
        if share > 0:
            yield found, min(rate * found / share, 1.0)


def _tabulate_curve(curve: IntervalCurve | None) -> Rows:
    return [] if curve is None else list(zip(curve.x, curve.value, curve.low, curve.high, strict=True))


def _tabulate_counts(counts: ThresholdCounts) -> Rows:
    return [
        ("no", "no", counts.true_negatives),
        ("no", "yes", counts.false_positives),
        ("yes", "no", counts.false_negatives),
        ("yes", "yes", counts.true_positives),
    ]
