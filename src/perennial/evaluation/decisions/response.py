"""Evaluation of a binary task: the family is chosen on val, every figure is of test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.profit import (
    ContactPolicy,
    choose_threshold,
    compare_plans,
    profit_curve,
    select_contacts,
)
from perennial.evaluation.statistics import metrics
from perennial.evaluation.statistics.choice import choose_family, deep_minus_traditional
from perennial.evaluation.statistics.intervals import F64, bootstrap, delong, wilson_interval
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.results.binary import BinaryEvaluation, Calibration, ContactProfit, ResponseSlice
from perennial.results.evaluation import FamilyFigures
from perennial.results.families import Family
from perennial.results.figures import Interval

LEVEL = 0.95
ENOUGH = 30  # positives and negatives under which a slice shows no figure
_FEW = 5  # rows under which a calibration bin is not drawn
_REPORTED = ("auc", "ap", "log_loss", "brier")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Outcomes of one part (n,), each family's scores (n,) or (n, classes), the simplest family first, and weights.

    A weight is how many customers a row stands for; it may depend on the outcome only.
    """

    y: F64
    scores: Mapping[Family, F64]
    weight: F64 | None = None


@dataclass(frozen=True, kw_only=True)
class Resampling:
    n: int
    seed: int


def evaluate_response(
    val: Labelled, test: Labelled, primary: str, money: ContactPolicy | None, slices: Mapping[str, NDArray[Any]],
    resampling: Resampling,
) -> BinaryEvaluation:  # fmt: skip
    """Families, candidate, deep − traditional, calibration, gains, profit, slices."""
    on_val, on_test = (_comparison(primary, part, resampling) for part in (val, test))
    candidate = choose_family(val.scores, on_val)
    p_test = test.scores[candidate.family]
    return BinaryEvaluation(
        rows={"val": len(val.y), "test": len(test.y)},
        primary=primary,
        candidate=candidate,
        families={family: _figures(val, test, family, resampling) for family in test.scores},
        deep_minus_traditional=deep_minus_traditional(candidate, test.scores, on_test, LEVEL),
        calibration=_calibration(test.y, p_test, test.weight, resampling),
        gains={
            family: metrics.gains_curve(
                test.y, score, test.weight, n=min(resampling.n, 200), seed=resampling.seed
            ).as_curve()
            for family, score in test.scores.items()
        },
        slices=_slices(test.y, p_test, test.weight, slices),
        profit=None if money is None else _profit(val, test, candidate.family, money, resampling),
    )


def _comparison(metric: str, part: Labelled, resampling: Resampling) -> PairedComparison:
    return PairedComparison(metric=metric, y=part.y, resamples=resampling.n, seed=resampling.seed, weight=part.weight)


def _figures(val: Labelled, test: Labelled, family: Family, resampling: Resampling) -> FamilyFigures:
    """Of the population that the rows stand for; a figure of the sample itself is called so."""
    p = test.scores[family]
    comparisons = {name: _comparison(name, test, resampling) for name in _REPORTED}
    on_test = {name: comparison.estimate(p, LEVEL) for name, comparison in comparisons.items()}
    if test.weight is not None:
        on_test["ap_sample"] = replace(comparisons["ap"], weight=None).estimate(p, LEVEL)
    return FamilyFigures(
        val={name: metrics.measure(name, val.y, val.scores[family], val.weight) for name in _REPORTED},
        test={**on_test, "normalised_entropy": _over(on_test["log_loss"], _entropy(test))},
        lift_10=metrics.lift_at(test.y, p, 0.1, test.weight),
    )


def _over(loss: Interval, entropy: float) -> Interval:
    return Interval(value=loss.value / entropy, low=loss.low / entropy, high=loss.high / entropy)


def _entropy(test: Labelled) -> float:
    """The log loss of telling everyone the mean: over it a model's own is normalised (He et al. 2014, eq. 1)."""
    mean = np.full(len(test.y), np.average(test.y, weights=test.weight))
    return metrics.measure("log_loss", test.y, mean, test.weight)


def _calibration(y: F64, p: F64, weight: F64 | None, resampling: Resampling) -> Calibration:
    error = metrics.calibration_error(y, p, weight, simulations=200, seed=resampling.seed)
    width = 0.05 if p.max() > 0.4 else 0.02
    bins = tuple(row for row in metrics.bin_evenly(y, p, width, weight) if row.n >= _FEW)
    rows = np.ones(len(y)) if weight is None else weight
    sums = bootstrap(
        lambda times: np.asarray((times * rows) @ p / np.maximum((times * rows) @ y, 1e-9)), len(y), None,
        n=resampling.n, seed=resampling.seed, level=LEVEL,
    )  # fmt: skip
    return Calibration(bins=bins, width=width, predicted_over_actual=sums, value=error.value, perfect=error.perfect)


def _profit(
    val: Labelled, test: Labelled, family: Family, money: ContactPolicy, resampling: Resampling
) -> ContactProfit:
    y, p, weight = test.y, test.scores[family], test.weight
    cut = choose_threshold(val.scores[family], money, val.weight)
    share = np.average(select_contacts(p, cut, money.budget_share, weight), weights=weight)
    return ContactProfit(
        threshold=cut.threshold, depth_on_val=cut.depth, depth=float(share), plans=tuple(compare_plans(y, p, cut, money, weight)),
        curve=profit_curve(y, p, money, weight, n=min(resampling.n, 200), seed=resampling.seed).as_curve(),
        value=money.value, cost=money.cost, budget_share=money.budget_share,
    )  # fmt: skip


def _slices(y: F64, p: F64, weight: F64 | None, slices: Mapping[str, NDArray[Any]]) -> tuple[ResponseSlice, ...]:
    """AUC by group, and the share of events beside what was predicted."""
    return tuple(
        _slice(column, str(value), y[values == value], p[values == value], is_weighted=weight is not None)
        for column, values in slices.items()
        for value in sorted(set(values.tolist()), key=str)
    )


def _slice(column: str, value: str, y: F64, p: F64, *, is_weighted: bool) -> ResponseSlice:
    """Weights are of the sample: its shares are not the population's."""
    n, positives = len(y), int(y.sum())
    has_share = n >= ENOUGH and not is_weighted
    return ResponseSlice(
        column=column, value=value, n=n, positives=positives,
        observed=wilson_interval(positives, n, LEVEL) if has_share else None,
        predicted=float(p.mean()) if has_share else None,
        auc=delong(y, p, LEVEL) if min(positives, n - positives) >= ENOUGH else None,
    )  # fmt: skip
