"""Chances of fraud on val and test in, what a team that looks at so many alerts finds out: precision, recall, amounts.

A row may stand for many (weights), as where only a sample of honest payments was kept. The budget is a number of alerts
among 1,000 payments of the population, so it means the same on val, on test and tonight.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.intervals import F64, Interval, bootstrap
from perennial.evaluation.statistics.ranking import at_depths, banded, cumulated

LEVEL = 0.95
_STEPS = np.linspace(0.01, 1, 100)  # recalls of the curve
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How many of 1,000 payments can be looked at."""

    per_1000: float


def threshold(p: F64, weight: F64, budget: Budget) -> float:
    """The chance above which alerts stay within the budget, chosen on val: the best one left out."""
    order = np.argsort(-p, kind="stable")
    seen = np.cumsum(weight[order]) / weight.sum() * 1000
    over = np.flatnonzero(seen > budget.per_1000)
    return float(p[order][over[0]]) if len(over) else -np.inf


def judge(
    val: tuple[F64, F64], test: tuple[F64, F64, F64], amount: F64 | None, budget: Budget, *, n: int, seed: int
) -> dict[str, Any]:
    """Plain figures: val is (chances, weights), test is (outcomes, chances, weights), (n,) each; amounts of the test."""
    y, p, weight = test
    cut = threshold(val[0], val[1], budget)
    alert = p > cut
    times = {"n": n, "seed": seed}
    found = {
        "threshold": cut,
        "budget": budget.per_1000,
        "alerts_per_1000": float(1000 * weight[alert].sum() / weight.sum()),
        "frauds": int(y.sum()),
        "precision": asdict(_share(y, alert, weight, **times)),
        "recall": asdict(_share(alert.astype(np.float64), y == 1, weight, **times)),
        "curve": _curve(y, p, weight, n=min(n, 200), seed=seed),
    }
    if amount is not None:
        found["amount_recall"] = asdict(_share(alert.astype(np.float64), y == 1, weight * amount, **times))
        found["amount"] = float(amount[y == 1].sum())
    return found


def _share(what: F64, among: Mask, weight: F64, *, n: int, seed: int) -> Interval:
    """The weighted share of `what` among some rows; rows are resampled."""

    def share(times: F64) -> F64:
        counted = times * weight * among
        return np.asarray((counted @ what) / np.maximum(counted.sum(axis=-1), 1e-9))

    found = bootstrap(share, len(weight), None, n=n, seed=seed, level=LEVEL)
    return Interval(value=found.value, low=max(found.low, 0.0), high=min(found.high, 1.0))


def _curve(y: F64, p: F64, weight: F64, *, n: int, seed: int) -> dict[str, list[float]]:
    """Precision at each recall, with a 95 % band."""

    def precision(times: F64) -> F64:
        seen, hits = cumulated(p, times * weight, times * weight * y)
        need = at_depths(_STEPS, hits, seen)
        return _STEPS * hits[..., -1:] / np.maximum(need, 1e-9)

    found = banded(precision, len(y), y, n=n, seed=seed)
    heights = (found.value, found.low.clip(0, 1), found.high.clip(0, 1))
    named = zip(("value", "low", "high"), heights, strict=True)
    return {"x": _STEPS.tolist()} | {name: [float(v) for v in h] for name, h in named}
