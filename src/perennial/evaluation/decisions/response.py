"""Evaluation of a binary task: the family is chosen on val, every figure is of test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.profit import ContactPolicy, choose_threshold, compare_plans, profit_curve, select_contacts
from perennial.evaluation.statistics import metrics
from perennial.evaluation.statistics.choice import Labelled, Resampling, compare_families
from perennial.evaluation.statistics.intervals import F64, LEVEL, bootstrap_ratio, delong, wilson_interval
from perennial.evaluation.statistics.slices import ENOUGH, iterate_groups
from perennial.results.binary import BinaryEvaluation, CalibrationFigures, ContactProfit, ResponseSlice, ThresholdCounts
from perennial.results.evaluation import FamilyFigures
from perennial.results.families import Family
from perennial.results.figures import Interval

_FEW = 5  # rows under which a calibration bin is not drawn
_REPORTED = ("auc", "ap", "log_loss", "brier")


def evaluate_response(
    val: Labelled,
    test: Labelled,
    primary: str,
    money: ContactPolicy | None,
    slices: Mapping[str, NDArray[Any]],
    resampling: Resampling,
) -> BinaryEvaluation:
    """Families, candidate, deep − traditional, calibration, gains, profit, slices."""
    families = compare_families(val, test, primary, _REPORTED, resampling)
    family = families.candidate.family
    y, p, weight = test.y, test.scores[family], test.weight
    common = dict(families) | {
        "families": {name: _add_figures(figures, name, test, resampling) for name, figures in families.families.items()}
    }
    return BinaryEvaluation(
        **common,
        calibration=_calibration(y, p, weight, resampling),
        gains={
            name: metrics.gains_curve(y, score, weight, **resampling.of_curves).as_curve() for name, score in test.scores.items()
        },
        slices=tuple(_describe_slice(*group, y, p, is_weighted=weight is not None) for group in iterate_groups(slices)),
        event_rate=float(np.average(y, weights=weight)),
        profit=None if money is None else _profit(val, test, family, money, resampling),
        at_threshold=None if money is None else count_outcomes(y, _select(val, test, family, money)),
    )


def _add_figures(figures: FamilyFigures, family: Family, test: Labelled, resampling: Resampling) -> FamilyFigures:
    """Add lift, normalised entropy and, where rows stand for a population, the precision of the sample itself."""
    p, entropy, on_test = test.scores[family], _entropy(test), dict(figures.test)
    if test.weight is not None:
        on_test["ap_sample"] = replace(test, weight=None).build_comparison("ap", resampling).estimate(p, LEVEL)
    ends = on_test["log_loss"].model_dump()
    on_test["normalised_entropy"] = Interval(**{end: value / entropy for end, value in ends.items()})
    return figures.model_copy(update={"test": on_test, "lift_10": metrics.lift_at(test.y, p, 0.1, test.weight)})


def count_outcomes(y: F64, predicted: NDArray[np.bool_]) -> ThresholdCounts:
    """Rows (n,) by outcome and by whether the decision takes them for an event."""
    event = y == 1
    return ThresholdCounts(
        true_positives=int((event & predicted).sum()),
        false_positives=int((~event & predicted).sum()),
        false_negatives=int((event & ~predicted).sum()),
        true_negatives=int((~event & ~predicted).sum()),
    )


def _entropy(test: Labelled) -> float:
    """The log loss of telling everyone the mean: over it a model's own is normalised (He et al. 2014, eq. 1)."""
    mean = np.full(len(test.y), np.average(test.y, weights=test.weight))
    return metrics.measure("log_loss", test.y, mean, test.weight)


def _calibration(y: F64, p: F64, weight: F64 | None, resampling: Resampling) -> CalibrationFigures:
    error = metrics.calibration_error(y, p, weight, simulations=200, seed=resampling.seed)
    width = 0.05 if p.max() > 0.4 else 0.02
    bins = tuple(row for row in metrics.bin_evenly(y, p, width, weight) if row.n >= _FEW)
    rows = np.ones(len(y)) if weight is None else weight
    sums = bootstrap_ratio(p, y, rows, n=resampling.n, seed=resampling.seed, level=LEVEL)
    return CalibrationFigures(bins=bins, width=width, predicted_over_actual=sums, value=error.value, perfect=error.perfect)


def _profit(val: Labelled, test: Labelled, family: Family, money: ContactPolicy, resampling: Resampling) -> ContactProfit:
    y, p, weight = test.y, test.scores[family], test.weight
    cut = choose_threshold(val.scores[family], money, val.weight)
    share = np.average(_select(val, test, family, money), weights=weight)
    return ContactProfit(
        threshold=cut.threshold,
        depth_on_val=cut.depth,
        depth=float(share),
        plans=tuple(compare_plans(y, p, cut, money, weight)),
        curve=profit_curve(y, p, money, weight, **resampling.of_curves).as_curve(),
        value=money.value,
        cost=money.cost,
        budget_share=money.budget_share,
    )


def _select(val: Labelled, test: Labelled, family: Family, money: ContactPolicy) -> NDArray[np.bool_]:
    """The test rows (n,) to contact, by the threshold of val."""
    cut = choose_threshold(val.scores[family], money, val.weight)
    return select_contacts(test.scores[family], cut, money.budget_share, test.weight)


def _describe_slice(column: str, value: str, mask: NDArray[np.bool_], y: F64, p: F64, *, is_weighted: bool) -> ResponseSlice:
    """AUC of a group, and its share of events beside what was predicted; weights are of the sample, so they hide the share."""
    y, p = y[mask], p[mask]
    n, positives = len(y), int(y.sum())
    has_share = n >= ENOUGH and not is_weighted
    return ResponseSlice(
        column=column,
        value=value,
        n=n,
        positives=positives,
        observed=wilson_interval(positives, n, LEVEL) if has_share else None,
        predicted=float(p.mean()) if has_share else None,
        auc=delong(y, p, LEVEL) if min(positives, n - positives) >= ENOUGH else None,
    )
