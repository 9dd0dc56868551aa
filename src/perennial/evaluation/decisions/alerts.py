"""Alerts under a budget: precision, recall and recovered money of a team that examines so many.

A row may stand for many (weights), as where only a sample of honest payments was kept. The budget is a number of alerts
among 1,000 payments of the population, so it means the same on val, on test and tonight.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.choice import Resampling
from perennial.evaluation.statistics.intervals import F64, LEVEL, bootstrap
from perennial.evaluation.statistics.ranking import cumulate, estimate_band, interpolate
from perennial.results.binary import AlertFigures
from perennial.results.figures import Interval, IntervalCurve

_STEPS = np.linspace(0.01, 1, 100)  # recalls of the curve
Mask = NDArray[np.bool_]


def threshold(p: F64, weight: F64, per_1000: float) -> float:
    """The probability above which alerts stay within the budget, chosen on val: the best one left out."""
    order = np.argsort(-p, kind="stable")
    alerts_per_1000 = np.cumsum(weight[order]) / weight.sum() * 1000
    over = np.flatnonzero(alerts_per_1000 > per_1000)
    return float(p[order][over[0]]) if len(over) else -np.inf


def evaluate_alerts(
    val: tuple[F64, F64], test: tuple[F64, F64, F64], amount: F64 | None, per_1000: float, resampling: Resampling
) -> AlertFigures:
    """Figures of test: val is (probabilities, weights), test is (outcomes, probabilities, weights), (n,) each, and amounts."""
    y, p, weight = test
    cut = threshold(*val, per_1000)
    alert, is_fraud = p > cut, y == 1
    return AlertFigures(
        threshold=cut,
        budget=per_1000,
        alerts_per_1000=float(1000 * weight[alert].sum() / weight.sum()),
        frauds=int(y.sum()),
        precision=_share(y, alert, weight, resampling),
        recall=_share(alert.astype(np.float64), is_fraud, weight, resampling),
        curve=_curve(y, p, weight, resampling),
        amount_recall=None if amount is None else _share(alert.astype(np.float64), is_fraud, weight * amount, resampling),
        amount=None if amount is None else float(amount[is_fraud].sum()),
    )


def _share(what: F64, among: Mask, weight: F64, resampling: Resampling) -> Interval:
    """The weighted share of `what` among some rows; rows are resampled."""

    def share(times: F64) -> F64:
        counted = times * weight * among
        return np.asarray((counted @ what) / np.maximum(counted.sum(axis=-1), 1e-9))

    estimate = bootstrap(share, len(weight), None, n=resampling.n, seed=resampling.seed, level=LEVEL)
    return Interval(value=estimate.value, low=max(estimate.low, 0.0), high=min(estimate.high, 1.0))


def _curve(y: F64, p: F64, weight: F64, resampling: Resampling) -> IntervalCurve:
    """Precision at each recall, with a 95 % band."""

    def precision(times: F64) -> F64:
        alerts, hits = cumulate(p, times * weight, times * weight * y)
        need = interpolate(_STEPS, hits, alerts)
        return _STEPS * hits[..., -1:] / np.maximum(need, 1e-9)

    return replace(estimate_band(precision, len(y), y, **resampling.of_curves).clip(0, 1), x=_STEPS).as_curve()
