"""Scores of every family on val and test in, all that is reported of a binary task out. Chosen on val, told on test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.profit import Money, contacted, plans, profit_curve, target
from perennial.evaluation.statistics import metrics
from perennial.evaluation.statistics.choice import choose, deep_minus_traditional
from perennial.evaluation.statistics.intervals import F64, Band, bootstrap, delong, wilson
from perennial.evaluation.statistics.paired import Judge

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
    scores: Mapping[str, F64]
    weight: F64 | None = None


@dataclass(frozen=True, kw_only=True)
class Resampling:
    n: int
    seed: int


def judge(
    val: Labelled, test: Labelled, primary: str, money: Money | None, slices: Mapping[str, NDArray[Any]],
    resampling: Resampling,
) -> dict[str, Any]:  # fmt: skip
    """Plain figures for summary.json: families, candidate, deep − traditional, calibration, gains, money, slices."""
    judges = [
        Judge(metric=primary, y=part.y, resamples=resampling.n, seed=resampling.seed, weight=part.weight)
        for part in (val, test)
    ]
    weight = test.weight
    chosen = choose(val.scores, judges[0])
    p_test = test.scores[chosen.family]
    found: dict[str, Any] = {
        "primary": primary,
        "candidate": chosen.as_json(),
        "families": {
            family: {"val": _plain(val, family), "test": _with_intervals(test, score, resampling)}
            for family, score in test.scores.items()
        },
        "deep_minus_traditional": deep_minus_traditional(chosen, test.scores, judges[1], LEVEL),
        "calibration": _calibration(test.y, p_test, weight, resampling),
        "gains": {
            family: band(metrics.gains(test.y, score, weight, n=min(resampling.n, 200), seed=resampling.seed))
            for family, score in test.scores.items()
        },
        "slices": _slices(test.y, p_test, weight, slices),
    }
    if money is not None:
        found["profit"] = _profit(val, test, chosen.family, money, resampling)
    return found


def band(curve: Band) -> dict[str, list[float]]:
    """A curve as JSON."""
    return {name: [float(value) for value in getattr(curve, name)] for name in ("x", "value", "low", "high")}


def _plain(val: Labelled, family: str) -> dict[str, float]:
    return {name: metrics.measure(name, val.y, val.scores[family], val.weight) for name in _REPORTED}


def _with_intervals(test: Labelled, p: F64, resampling: Resampling) -> dict[str, Any]:
    """Of the population that the rows stand for; a figure of the sample itself is called so."""
    judges = {
        name: Judge(metric=name, y=test.y, resamples=resampling.n, seed=resampling.seed, weight=test.weight)
        for name in _REPORTED
    }
    found: dict[str, Any] = {name: asdict(judge.estimate(p, LEVEL)) for name, judge in judges.items()}
    if test.weight is not None:
        found["ap_sample"] = asdict(replace(judges["ap"], weight=None).estimate(p, LEVEL))
    found["normalised_entropy"] = {end: loss / _entropy(test) for end, loss in found["log_loss"].items()}
    return {**found, "lift_10": metrics.lift_at(test.y, p, 0.1, test.weight)}


def _entropy(test: Labelled) -> float:
    """The log loss of telling everyone the mean: over it a model's own is normalised (He et al. 2014, eq. 1)."""
    mean = np.full(len(test.y), np.average(test.y, weights=test.weight))
    return metrics.measure("log_loss", test.y, mean, test.weight)


def _calibration(y: F64, p: F64, weight: F64 | None, resampling: Resampling) -> dict[str, Any]:
    error = metrics.calibration_error(y, p, weight, simulations=200, seed=resampling.seed)
    width = 0.05 if p.max() > 0.4 else 0.02
    bins = [asdict(found) for found in metrics.even_bins(y, p, width, weight) if found.n >= _FEW]
    rows = np.ones(len(y)) if weight is None else weight
    sums = bootstrap(
        lambda times: np.asarray((times * rows) @ p / np.maximum((times * rows) @ y, 1e-9)), len(y), None,
        n=resampling.n, seed=resampling.seed, level=LEVEL,
    )  # fmt: skip
    return {"bins": bins, "width": width, "predicted_over_actual": asdict(sums), **asdict(error)}


def _profit(val: Labelled, test: Labelled, family: str, money: Money, resampling: Resampling) -> dict[str, Any]:
    y, p, weight = test.y, test.scores[family], test.weight
    chosen = target(val.scores[family], money, val.weight)
    share = np.average(contacted(p, chosen, money.budget_share, weight), weights=weight)
    return {
        "threshold": chosen.threshold,
        "depth_on_val": chosen.depth,
        "depth": float(share),
        "plans": [{**asdict(plan), "per_1000": asdict(plan.per_1000)} for plan in plans(y, p, chosen, money, weight)],
        "curve": band(profit_curve(y, p, money, weight, n=min(resampling.n, 200), seed=resampling.seed)),
        **asdict(money),
    }


def _slices(y: F64, p: F64, weight: F64 | None, slices: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """AUC by group, and the share of events beside what was predicted."""
    found = []
    for column, values in slices.items():
        for value in sorted(set(values.tolist()), key=str):
            mask = values == value
            n, positives = int(mask.sum()), int(y[mask].sum())
            row: dict[str, Any] = {"column": column, "value": str(value), "n": n, "positives": positives}
            if n >= ENOUGH and weight is None:  # weights are of the sample: its shares are not the population's
                row["observed"], row["predicted"] = asdict(wilson(positives, n, LEVEL)), float(p[mask].mean())
            if min(positives, n - positives) >= ENOUGH:
                row["auc"] = asdict(delong(y[mask], p[mask], LEVEL))
            found.append(row)
    return found
