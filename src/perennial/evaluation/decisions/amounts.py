"""Evaluation of a task with amounts: predicted against actual by decile, and who holds most of the money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.response import ENOUGH, LEVEL, Labelled, Resampling
from perennial.evaluation.statistics.choice import choose_family, deep_minus_traditional, family_figures
from perennial.evaluation.statistics.intervals import F64, bootstrap, mean_interval
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.ranking import DEPTHS, cumulate, estimate_band, interpolate
from perennial.results.figures import Interval, IntervalCurve
from perennial.results.regression import AmountDecile, AmountSlice, RegressionEvaluation

_REPORTED = ("gini_norm", "mae")


def evaluate_amounts(
    val: Labelled, test: Labelled, primary: str, slices: Mapping[str, NDArray[Any]], resampling: Resampling
) -> RegressionEvaluation:
    """Families, candidate, deciles, predicted over actual, share of the best tenth, slices."""
    comparisons = [
        {
            name: PairedComparison(metric=name, y=part.y, resamples=resampling.n, seed=resampling.seed)
            for name in _REPORTED
        }
        for part in (val, test)
    ]
    candidate = choose_family(val.scores, comparisons[0][primary])
    p_test = test.scores[candidate.family]
    return RegressionEvaluation(
        rows={"val": len(val.y), "test": len(test.y)},
        primary=primary,
        candidate=candidate,
        families=family_figures(val.scores, test.scores, comparisons, LEVEL),
        deep_minus_traditional=deep_minus_traditional(candidate, test.scores, comparisons[1][primary], LEVEL),
        deciles=tuple(
            AmountDecile(n=len(rows), predicted=float(p_test[rows].mean()), actual=mean_interval(test.y[rows], LEVEL))
            for rows in np.array_split(np.argsort(p_test, kind="stable"), 10)
        ),
        predicted_over_actual=_ratio(test.y, p_test, resampling),
        concentration=_concentration(test.y, p_test, resampling),
        zeros=float((test.y == 0).mean()),
        slices=tuple(
            AmountSlice(
                column=column, value=str(value), n=int(mask.sum()), predicted=float(p_test[mask].mean()),
                actual=mean_interval(test.y[mask], LEVEL),
            )
            for column, values in slices.items()
            for value in sorted(set(values.tolist()), key=str)
            if (mask := values == value).sum() >= 2 * ENOUGH
        ),
    )  # fmt: skip


def _ratio(y: F64, p: F64, resampling: Resampling) -> Interval:
    """The sum of predictions over the sum of amounts; 1 is right."""

    def ratio(times: F64) -> F64:
        return np.asarray((times @ p) / np.maximum(times @ y, 1e-9))

    return bootstrap(ratio, len(y), None, n=resampling.n, seed=resampling.seed, level=LEVEL)


def _concentration(y: F64, p: F64, resampling: Resampling) -> IntervalCurve:
    """The share of all that is spent which the best x of customers by prediction spend, x from 0 to 1."""

    def curve(times: F64) -> F64:
        customers, spent = cumulate(p, times, times * y)
        return interpolate(DEPTHS, customers, spent) / np.maximum(spent[..., -1:], 1e-9)

    return estimate_band(curve, len(y), None, n=min(resampling.n, 200), seed=resampling.seed).as_curve()
