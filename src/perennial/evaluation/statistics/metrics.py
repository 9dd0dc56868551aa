"""Metrics: one figure from outcomes `y` (n,) and scores `p` (n,), or (n, classes).

Every metric takes weights (..., n) and returns (...): one weight a row for the usual figure, a matrix of resample
counts for the bootstrap, which then sorts the scores once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.errors import ConfigError, InputError
from perennial.evaluation.statistics.intervals import F64, LEVEL, Band, wilson_interval
from perennial.evaluation.statistics.ranking import area_under, cumulate, interpolate, share_by_depth
from perennial.results.figures import Bin

_TINY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure of (y, scores, weights), and which way is better."""

    function: Callable[[F64, F64, F64], F64]
    higher_is_better: bool


@dataclass(frozen=True, kw_only=True)
class CalibrationError:
    """The mean gap between prediction and rate, and what a perfect model stays under 19 times of 20 on these rows."""

    value: float
    perfect: float


def measure(name: str, y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> float:
    """One metric by name.

    Raises: ConfigError for an unknown name; InputError for rows that the metric is not defined on.
    """
    return float(find_metric(name).function(*check_rows(y, p, weight)))


def find_metric(name: str) -> Metric:
    """Raises: ConfigError listing the names there are."""
    if name not in METRICS:
        raise ConfigError(f"no metric {name!r} of an outcome and a score; there are: {', '.join(METRICS)}")
    return METRICS[name]


def check_rows(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None) -> tuple[F64, F64, F64]:
    """Outcomes, scores and weights as numbers of one length (weight 1 where there is none).

    Raises: InputError when lengths differ, there are no rows, something is not finite, or a weight is negative.
    """
    y_n, p_n = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    w_n = np.ones(len(y_n)) if weight is None else np.asarray(weight, dtype=np.float64)
    if y_n.ndim != 1 or not len(y_n) or not y_n.shape == p_n.shape[:1] == w_n.shape or p_n.ndim > 2:
        raise InputError(f"outcomes {y_n.shape}, scores {p_n.shape}, weights {w_n.shape}: give (n,) of each, n > 0")
    for what, values in (("outcomes", y_n), ("scores", p_n), ("weights", w_n)):
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            raise InputError(f"{wrong} of {values.size} {what} are not finite: mend them before measuring")
    if w_n.min() < 0:
        raise InputError(f"the least weight is {w_n.min():g}: a weight says how many customers a row stands for")
    return y_n, p_n, w_n


def auc(y: F64, p: F64, weight: F64) -> F64:
    """The chance that a response scores above a non-response, ties one half."""
    events, others = cumulate(p, weight * y, weight * (1 - y))
    _require(events, 1)
    _require(others, 0)
    return area_under(others, events) / (events[..., -1] * others[..., -1])


def ap(y: F64, p: F64, weight: F64) -> F64:
    """Average precision: the precision at each score, weighted by the events at that score."""
    events, rows = cumulate(p, weight * y, weight)
    _require(events, 1)
    new_events = np.diff(events, axis=-1, prepend=0) * _ratio(events, rows)
    return np.asarray(new_events.sum(-1) / events[..., -1])


def log_loss(y: F64, p: F64, weight: F64) -> F64:
    """The mean negative log likelihood in nats."""
    sure = p.clip(_TINY, 1 - _TINY)
    if p.ndim == 2:
        return _mean(-np.log(sure[np.arange(len(y)), y.astype(np.intp)]), weight)
    return _mean(-(y * np.log(sure) + (1 - y) * np.log1p(-sure)), weight)


def brier(y: F64, p: F64, weight: F64) -> F64:
    return _mean((p - y) ** 2, weight)


def mae(y: F64, p: F64, weight: F64) -> F64:
    return _mean(np.abs(p - y), weight)


def accuracy(y: F64, p: F64, weight: F64) -> F64:
    """The share of rows on the right side of one half, or in their likeliest class."""
    return _mean((_predict(p) == y).astype(np.float64), weight)


def macro_f1(y: F64, p: F64, weight: F64) -> F64:
    """The mean over outcomes or classes of F1, at one half or by the likeliest class."""
    classes, predicted = range(p.shape[1] if p.ndim == 2 else 2), _predict(p)
    pairs = [((predicted == c).astype(np.float64), (y == c).astype(np.float64)) for c in classes]
    return np.asarray(np.mean([_ratio(2 * (weight @ (a * b)), weight @ (a + b)) for a, b in pairs], axis=0))


def kappa(y: F64, p: F64, weight: F64) -> F64:
    """Cohen's kappa with quadratic weights, for classes in order: 1 - mean squared gap over that expected by chance."""
    predicted = _predict(p)
    together = _mean((predicted - y) ** 2, weight)
    means = [_mean(values**power, weight) for values in (predicted, y) for power in (1, 2)]
    return 1 - _ratio(together, means[1] + means[3] - 2 * means[0] * means[2])


def gini_norm(y: F64, p: F64, weight: F64) -> F64:
    """The Gini of amounts `y` >= 0 ranked by score, over that ranked by themselves; 2 AUC - 1 for a 0/1 outcome."""
    return _gini(y, p, weight) / _gini(y, y, weight)


METRICS: Mapping[str, Metric] = {
    "auc": Metric(function=auc, higher_is_better=True),
    "ap": Metric(function=ap, higher_is_better=True),
    "log_loss": Metric(function=log_loss, higher_is_better=False),
    "brier": Metric(function=brier, higher_is_better=False),
    "accuracy": Metric(function=accuracy, higher_is_better=True),
    "macro_f1": Metric(function=macro_f1, higher_is_better=True),
    "kappa": Metric(function=kappa, higher_is_better=True),
    "gini_norm": Metric(function=gini_norm, higher_is_better=True),
    "mae": Metric(function=mae, higher_is_better=False),
}


def lift_at(y: ArrayLike, p: ArrayLike, share: float, weight: ArrayLike | None = None) -> float:
    """How many times more responses the best `share` of rows holds than as many rows at random."""
    y_n, p_n, w_n = check_rows(y, p, weight)
    events, rows = cumulate(p_n, w_n * y_n, w_n)
    _require(events, 1)
    return float(interpolate(np.array([share]), rows, events)[0] / events[-1] / share)


def gains_curve(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, n: int, seed: int) -> Band:
    """The share of all responses that the best x of rows hold, x from 0 to 1, with a 95 % band from `n` resamples."""
    y_n, p_n, w_n = check_rows(y, p, weight)
    _require(w_n * y_n, 1)
    return share_by_depth(y_n, p_n, w_n, y_n, n=n, seed=seed)


def bin_evenly(y: ArrayLike, p: ArrayLike, width: float, weight: ArrayLike | None = None) -> list[Bin]:
    """Bins of equal `width` by prediction, those that hold a row, rates with 95 % intervals."""
    y_n, p_n, w_n = check_rows(y, p, weight)
    code = np.minimum(np.floor(p_n / width + 1e-9), np.ceil(1 / width) - 1).astype(np.int64)
    bins = {int(b): _bin(y_n[code == b], p_n[code == b], w_n[code == b]) for b in np.unique(code)}
    return [one.model_copy(update={"left": b * width, "right": (b + 1) * width}) for b, one in bins.items()]


def calibration_error(
    y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, simulations: int, seed: int
) -> CalibrationError:
    """The expected calibration error over ten bins, and its 95 % level if each outcome had the predicted chance."""
    y_n, p_n, w_n = check_rows(y, p, weight)
    code = _bin_of(p_n, 10)

    def gap(outcomes: NDArray[Any]) -> float:
        return float(np.abs(np.bincount(code, weights=w_n * (outcomes - p_n))).sum() / w_n.sum())

    rng = np.random.Generator(np.random.PCG64(seed))
    perfect = [gap(rng.random(len(p_n)) < p_n) for _ in range(simulations)]
    return CalibrationError(value=gap(y_n), perfect=float(np.quantile(perfect, 0.95)))


def _predict(p: F64) -> F64:
    """The outcome or class (n,) that a score speaks for."""
    return (p.argmax(axis=1) if p.ndim == 2 else p >= 0.5).astype(np.float64)


def _require(running: F64, outcome: int) -> None:
    if not np.all(running.sum(-1) > 0):
        raise InputError(f"there is no row with outcome {outcome} to rank: judge on more rows")


def _ratio(over: F64, under: F64) -> F64:
    """0 where there is nothing to divide by."""
    return np.divide(over, under, out=np.zeros(np.shape(over)), where=np.asarray(under) > 0)


def _mean(values: F64, weight: F64) -> F64:
    return np.asarray(weight @ values / weight.sum(-1))


def _gini(y: F64, p: F64, weight: F64) -> F64:
    """Twice the area between the running share of amounts, best first, and the random line."""
    amount, rows = cumulate(p, weight * y, weight)
    if y.min() < 0 or not np.all(amount[..., -1] > 0):
        raise InputError(f"gini_norm ranks amounts from 0 up that are not all 0; the least is {y.min():g}")
    return 2 * area_under(rows, amount) / (amount[..., -1] * rows[..., -1]) - 1


def _bin_of(p: F64, n: int) -> NDArray[np.intp]:
    """The bin (n,) of each prediction, counted from the lowest, none empty."""
    edges = np.unique(np.quantile(p, np.arange(1, n) / n))
    return np.unique(np.searchsorted(edges, p, side="left"), return_inverse=True)[1]


def _bin(y: F64, p: F64, weight: F64) -> Bin:
    """One bin; with weights, its interval is that of as many equal rows as would be as certain (Kish)."""
    total = weight.sum()
    if not total:
        raise InputError(f"all {len(p)} rows with predictions from {p.min():g} to {p.max():g} have weight 0: drop them")
    equal = float(total**2 / (weight**2).sum())
    observed = wilson_interval(float(weight @ y / total) * equal, equal, LEVEL)
    predicted = float(weight @ p / total)
    return Bin(left=float(p.min()), right=float(p.max()), predicted=predicted, observed=observed, n=len(p))
