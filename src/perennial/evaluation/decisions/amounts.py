"""Predicted amounts of every family on val and test in, all that is reported of a regression task out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.response import ENOUGH, LEVEL, Labelled, Resampling, band
from perennial.evaluation.statistics.choice import choose, deep_minus_traditional, told_by_metric
from perennial.evaluation.statistics.intervals import F64, Interval, bootstrap, mean
from perennial.evaluation.statistics.paired import Judge
from perennial.evaluation.statistics.ranking import DEPTHS, at_depths, banded, cumulated

_REPORTED = ("gini_norm", "mae")


def judge(
    val: Labelled, test: Labelled, primary: str, slices: Mapping[str, NDArray[Any]], resampling: Resampling
) -> dict[str, Any]:
    """Plain figures for summary.json: families, candidate, tenths, predicted over actual, share of the best tenth."""
    judges = [
        {name: Judge(metric=name, y=part.y, resamples=resampling.n, seed=resampling.seed) for name in _REPORTED}
        for part in (val, test)
    ]
    chosen = choose(val.scores, judges[0][primary])
    p_test = test.scores[chosen.family]
    return {
        "primary": primary,
        "candidate": chosen.as_json(),
        "families": told_by_metric(val.scores, test.scores, judges, LEVEL),
        "deep_minus_traditional": deep_minus_traditional(chosen, test.scores, judges[1][primary], LEVEL),
        "tenths": [_tenth(test.y[t], p_test[t]) for t in _tenths(p_test)],
        "predicted_over_actual": asdict(_ratio(test.y, p_test, resampling)),
        "concentration": _concentration(test.y, p_test, resampling),
        "zeros": float((test.y == 0).mean()),
        "slices": [
            {"column": column, "value": str(value), **_tenth(test.y[values == value], p_test[values == value])}
            for column, values in slices.items()
            for value in sorted(set(values.tolist()), key=str)
            if (values == value).sum() >= 2 * ENOUGH
        ],
    }


def _tenths(p: F64) -> list[NDArray[np.intp]]:
    """Rows by tenth of prediction, the lowest first."""
    return np.array_split(np.argsort(p, kind="stable"), 10)


def _tenth(y: F64, p: F64) -> dict[str, Any]:
    return {"n": len(y), "predicted": float(p.mean()), "actual": asdict(mean(y, LEVEL))}


def _ratio(y: F64, p: F64, resampling: Resampling) -> Interval:
    """The sum of predictions over the sum of amounts; 1 is right."""

    def ratio(times: F64) -> F64:
        return np.asarray((times @ p) / np.maximum(times @ y, 1e-9))

    return bootstrap(ratio, len(y), None, n=resampling.n, seed=resampling.seed, level=LEVEL)


def _concentration(y: F64, p: F64, resampling: Resampling) -> dict[str, list[float]]:
    """The share of all that is spent which the best x of customers by prediction spend, x from 0 to 1."""

    def curve(times: F64) -> F64:
        seen, spent = cumulated(p, times, times * y)
        return at_depths(DEPTHS, seen, spent) / np.maximum(spent[..., -1:], 1e-9)

    return band(banded(curve, len(y), None, n=min(resampling.n, 200), seed=resampling.seed))
