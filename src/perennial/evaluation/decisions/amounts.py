"""Evaluation of a task with amounts: predicted against actual by decile, and who holds most of the money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.choice import Labelled, Resampling, compare_families
from perennial.evaluation.statistics.intervals import F64, LEVEL, bootstrap_ratio, mean_interval
from perennial.evaluation.statistics.ranking import share_by_depth
from perennial.evaluation.statistics.slices import ENOUGH, iterate_groups
from perennial.results.regression import AmountDecile, AmountSlice, RegressionEvaluation

_REPORTED = ("gini_norm", "mae")


def evaluate_amounts(
    val: Labelled, test: Labelled, primary: str, slices: Mapping[str, NDArray[Any]], resampling: Resampling
) -> RegressionEvaluation:
    """Families, candidate, deciles, predicted over actual, share of the best tenth, slices."""
    families = compare_families(val, test, primary, _REPORTED, resampling)
    y, p = test.y, test.scores[families.candidate.family]
    every, deciles = np.ones(len(y)), np.array_split(np.argsort(p, kind="stable"), 10)
    return RegressionEvaluation(
        **dict(families),
        deciles=tuple(AmountDecile(**_describe_group(y[rows], p[rows])) for rows in deciles),
        predicted_over_actual=bootstrap_ratio(p, y, every, n=resampling.n, seed=resampling.seed, level=LEVEL),
        concentration=share_by_depth(y, p, every, None, **resampling.of_curves).as_curve(),
        zeros=float((y == 0).mean()),
        slices=tuple(
            AmountSlice(column=column, value=value, **_describe_group(y[mask], p[mask]))
            for column, value, mask in iterate_groups(slices)
            if mask.sum() >= 2 * ENOUGH
        ),
    )


def _describe_group(y: F64, p: F64) -> dict[str, Any]:
    return {"n": len(y), "predicted": float(p.mean()), "actual": mean_interval(y, LEVEL)}
