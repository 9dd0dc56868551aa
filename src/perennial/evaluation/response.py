"""Scores of every family on val and test in, all that is reported of a binary task out. Chosen on val, told on test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation import metrics
from perennial.evaluation.choose import choose, deep_minus_traditional
from perennial.evaluation.compare import Judge
from perennial.evaluation.intervals import F64, Band, delong
from perennial.evaluation.profit import Money, contacted, plans, profit_curve, target

LEVEL = 0.95
ENOUGH = 30  # positives and negatives under which a slice shows no figure
_FEW = 5  # rows under which a calibration bin is not drawn
_REPORTED = ("auc", "ap", "log_loss", "brier")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Outcomes of one part (n,) and each family's probabilities (n,), the simplest family first."""

    y: F64
    scores: Mapping[str, F64]


@dataclass(frozen=True, kw_only=True)
class Resampling:
    n: int
    seed: int


def judge(
    val: Labelled, test: Labelled, primary: str, money: Money | None, slices: Mapping[str, NDArray[Any]],
    resampling: Resampling,
) -> dict[str, Any]:  # fmt: skip
    """Plain figures for summary.json: families, candidate, deep − traditional, calibration, gains, money, slices."""
    judges = [Judge(metric=primary, y=part.y, resamples=resampling.n, seed=resampling.seed) for part in (val, test)]
    chosen = choose(val.scores, judges[0])
    p_test = test.scores[chosen.family]
    found: dict[str, Any] = {
        "primary": primary,
        "candidate": chosen.as_json(),
        "families": {
            family: {"val": _plain(val.y, val.scores[family]), "test": _with_intervals(test.y, score, resampling)}
            for family, score in test.scores.items()
        },
        "deep_minus_traditional": deep_minus_traditional(chosen, test.scores, judges[1], LEVEL),
        "calibration": _calibration(test.y, p_test, resampling),
        "gains": {
            family: band(metrics.gains(test.y, score, n=min(resampling.n, 200), seed=resampling.seed))
            for family, score in test.scores.items()
        },
        "slices": _slices(test.y, p_test, slices),
    }
    if money is not None:
        found["profit"] = _profit(val.scores[chosen.family], test.y, p_test, money, resampling)
    return found


def band(curve: Band) -> dict[str, list[float]]:
    """A curve as JSON."""
    return {name: [float(value) for value in getattr(curve, name)] for name in ("x", "value", "low", "high")}


def _plain(y: F64, p: F64) -> dict[str, float]:
    return {name: metrics.measure(name, y, p) for name in _REPORTED}


def _with_intervals(y: F64, p: F64, resampling: Resampling) -> dict[str, Any]:
    found: dict[str, Any] = {"auc": asdict(delong(y, p, LEVEL))}
    for name in _REPORTED[1:]:
        judge = Judge(metric=name, y=y, resamples=resampling.n, seed=resampling.seed)
        found[name] = asdict(judge.estimate(p, LEVEL))
    return {**found, "lift_10": metrics.lift_at(y, p, 0.1)}


def _calibration(y: F64, p: F64, resampling: Resampling) -> dict[str, Any]:
    error = metrics.calibration_error(y, p, simulations=200, seed=resampling.seed)
    width = 0.05 if p.max() > 0.4 else 0.02
    bins = [asdict(found) for found in metrics.even_bins(y, p, width) if found.n >= _FEW]
    return {"bins": bins, "width": width, **asdict(error)}


def _profit(p_val: F64, y: F64, p: F64, money: Money, resampling: Resampling) -> dict[str, Any]:
    chosen = target(p_val, money)
    return {
        "threshold": chosen.threshold,
        "depth_on_val": chosen.depth,
        "depth": float(contacted(p, chosen, money.budget_share).mean()),
        "plans": [{**asdict(plan), "per_1000": asdict(plan.per_1000)} for plan in plans(y, p, chosen, money)],
        "curve": band(profit_curve(y, p, money, n=min(resampling.n, 200), seed=resampling.seed)),
        **asdict(money),
    }


def _slices(y: F64, p: F64, slices: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    found = []
    for column, values in slices.items():
        for value in sorted(set(values.tolist()), key=str):
            mask = values == value
            n, positives = int(mask.sum()), int(y[mask].sum())
            row: dict[str, Any] = {"column": column, "value": str(value), "n": n, "positives": positives}
            if min(positives, n - positives) >= ENOUGH:
                row["auc"] = asdict(delong(y[mask], p[mask], LEVEL))
                row["mean_score"], row["rate"] = float(p[mask].mean()), float(np.mean(y[mask]))
            found.append(row)
    return found
