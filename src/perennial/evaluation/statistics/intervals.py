"""Interval estimates of figures on the same rows: closed forms, DeLong and the bootstrap.

Closed forms where there are any (Wilson, DeLong, a sum of independent rows), else the bootstrap, whose spread is used
rather than its quantiles: the 5th of 1,000 resamples is too rough an end for a 99 % interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from perennial.errors import InputError
from perennial.results.figures import Interval, IntervalCurve

F64 = NDArray[np.float64]
LEVEL = 0.95  # of the intervals that are reported
Statistic = Callable[[F64], F64]  # weights (..., n) -> (...)
Metric = Callable[[F64, F64, F64], F64]  # y (n,), scores (n, ...), weights (..., n) -> (...)
_CELLS = 1_000_000  # weights held at a time, 8 MB an array: the fastest size; another one draws other resamples


@dataclass(frozen=True, kw_only=True)
class Band:
    """A curve over ascending `x` with the interval of each height; four arrays of one length."""

    x: F64
    value: F64
    low: F64
    high: F64

    def as_curve(self) -> IntervalCurve:
        return IntervalCurve(**{name: tuple(getattr(self, name).tolist()) for name in ("x", "value", "low", "high")})

    def clip(self, low: float, high: float) -> Band:
        """Heights and their ends within bounds that the figure cannot leave."""
        ends = (array.clip(low, high) for array in (self.value, self.low, self.high))
        return Band(x=self.x, **dict(zip(("value", "low", "high"), ends, strict=True)))


def z_of(level: float) -> float:
    """How many standard errors a two-sided interval of this level reaches: 1.96 at .95, 2.576 at .99."""
    return float(norm.ppf(0.5 + level / 2))


def normal_interval(value: float, error: float, level: float) -> Interval:
    """The interval of an estimate with a normal error."""
    reach = z_of(level) * error
    return Interval(value=value, low=value - reach, high=value + reach)


def total_interval(rows: F64, level: float) -> Interval:
    """The sum of independent `rows` (n,), weights already multiplied in."""
    n = len(rows)
    return normal_interval(float(rows.sum()), math.sqrt(n) * float(rows.std(ddof=1)) if n > 1 else 0.0, level)


def mean_interval(rows: F64, level: float) -> Interval:
    """The mean of independent `rows` (n,); of one row nothing is known about its error, which is taken for 0."""
    n = len(rows)
    return normal_interval(float(rows.mean()), float(rows.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0, level)


def wilson_interval(events: float, n: float, level: float) -> Interval:
    """A share of `n` rows; with weights, `n` is the number of equal rows that would be as certain (no rows: 0 to 1)."""
    if n <= 0:
        return Interval(value=math.nan, low=0.0, high=1.0)
    z, share = z_of(level), events / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(value=share, low=max(middle - reach, 0.0), high=min(middle + reach, 1.0))


def delong(y: ArrayLike, p: ArrayLike, level: float) -> Interval:
    """The AUC of scores `p` (n,); weights that depend on the outcome alone would not change it."""
    auc, covariance = _delong(y, p)
    interval = normal_interval(float(auc[0]), math.sqrt(covariance[0, 0]), level)
    return Interval(value=interval.value, low=max(interval.low, 0.0), high=min(interval.high, 1.0))


def paired_delong(y: ArrayLike, p_new: ArrayLike, p_old: ArrayLike, level: float) -> Interval:
    """AUC of the new scores less that of the old, on the same rows."""
    auc, cov = _delong(y, p_new, p_old)
    variance = max(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1], 0.0)  # of equal scores it may round below 0
    return normal_interval(float(auc[0] - auc[1]), math.sqrt(variance), level)


def bootstrap(statistic: Statistic, rows: int, strata: NDArray[Any] | None, *, n: int, seed: int, level: float) -> Interval:
    """A statistic of row weights (..., rows) -> (...) from `n` resamples of the rows (see `resampled`).

    A difference of two models in one statistic is paired: both meet the same resamples.
    """
    draws = resample(statistic, rows, strata, n=n, seed=seed)
    return normal_interval(float(statistic(np.ones(rows))), float(draws.std(ddof=1)), level)


def bootstrap_ratio(over: F64, under: F64, weight: F64, *, n: int, seed: int, level: float) -> Interval:
    """The weighted sum of `over` (n,) divided by that of `under`; rows are resampled."""

    def ratio(times: F64) -> F64:
        return np.asarray((times * weight) @ over / np.maximum((times * weight) @ under, 1e-9))

    return bootstrap(ratio, len(over), None, n=n, seed=seed, level=level)


def resample(statistic: Statistic, rows: int, strata: NDArray[Any] | None, *, n: int, seed: int) -> F64:
    """A statistic on `n` resamples of the rows, (n, ...): it is given how often each row was drawn, (b, rows).

    With `strata` (rows,), each stratum keeps its size: right for metrics given how many responded (AUC, AP, Qini),
    wrong for money and losses, where the number of responses is what is uncertain.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    groups = [np.arange(rows)] if strata is None else [np.flatnonzero(strata == s) for s in np.unique(strata)]
    step = max(_CELLS // max(rows, 1), 1)
    parts = []
    for start in range(0, n, step):
        times = np.zeros((min(step, n - start), rows))
        for group in groups:
            times[:, group] = _times(rng, len(times), len(group))
        parts.append(statistic(times))
    return np.concatenate(parts)


def _times(rng: np.random.Generator, resamples: int, size: int) -> NDArray[np.int64]:
    """How often each of `size` rows is drawn in each resample, (resamples, size); each line adds up to size."""
    drawn = rng.integers(size, size=(resamples, size)) + size * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * size).reshape(resamples, size)


def _delong(y: ArrayLike, *scores: ArrayLike) -> tuple[F64, F64]:
    """AUC of each score (m,) and their covariance (m, m).

    By midranks instead of all pairs (Sun and Xu 2014, "Fast implementation of DeLong's algorithm").

    Raises: InputError when lengths differ or a class has fewer than two rows.
    """
    is_event = np.asarray(y) == 1
    table = np.asarray(scores, dtype=np.float64)
    n1, n0 = int(is_event.sum()), int((~is_event).sum())
    if table.shape[1:] != is_event.shape:
        raise InputError(f"{len(is_event)} outcomes but scores of shape {table.shape[1:]}: give one score a row")
    if n1 < 2 or n0 < 2:
        raise InputError(f"an AUC's interval needs two rows of each outcome; there are {n1} with 1 and {n0} with 0")
    if not np.isfinite(table).all():
        raise InputError(f"{int((~np.isfinite(table)).sum())} of {table.size} scores are not finite: look at the model")
    events, others = table[:, is_event], table[:, ~is_event]
    within_all = rankdata(table, axis=1)
    above = (within_all[:, is_event] - rankdata(events, axis=1)) / n0  # share of non-events that each event beats
    below = 1 - (within_all[:, ~is_event] - rankdata(others, axis=1)) / n1
    return above.mean(axis=1), np.atleast_2d(np.cov(above)) / n1 + np.atleast_2d(np.cov(below)) / n0
