"""Rankings: running totals from the best row down, of which AUC, gains, profit and Qini curves are all made.

Tied scores share a rank and a curve is straight across them: the order of rows never decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.intervals import F64, LEVEL, Band, resample, z_of

DEPTHS = np.linspace(0, 1, 101)  # of the curves


def cumulate(score: F64, *values: F64) -> tuple[F64, ...]:
    """Running totals (..., g) of each of `values` (..., n) at the g different scores (n,), the best first."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    return tuple(np.cumsum(value[..., order], axis=-1)[..., ends] for value in values)


def area_under(x: F64, y: F64) -> F64:
    """The area (...) under running totals y over x, (..., g) each, from the origin on."""
    heights = y + np.concatenate([np.zeros_like(y[..., :1]), y[..., :-1]], axis=-1)
    return np.asarray((np.diff(x, axis=-1, prepend=0) * heights).sum(-1) / 2)


def interpolate(depths: F64, x_sums: F64, gained: F64) -> F64:
    """Totals (..., d) of `gained` (..., g) where `x_sums` (..., g) reaches each of `depths` (d,), shares of its end."""
    lines = zip(x_sums.reshape(-1, x_sums.shape[-1]), gained.reshape(-1, gained.shape[-1]), strict=True)
    heights = [np.interp(depths * x[-1], np.append(0, x), np.append(0, y)) for x, y in lines]
    return np.array(heights).reshape(*x_sums.shape[:-1], len(depths))


def estimate_band(curve: Callable[[F64], F64], rows: int, strata: NDArray[Any] | None, *, n: int, seed: int) -> Band:
    """A curve over DEPTHS with its pointwise 95 % band; `curve` takes weights (..., rows) and returns (..., d)."""
    value = curve(np.ones((1, rows)))[0]
    reach = z_of(LEVEL) * resample(curve, rows, strata, n=n, seed=seed).std(axis=0, ddof=1)
    return Band(x=DEPTHS, value=value, low=value - reach, high=value + reach)


def total_by_depth(gain: F64, score: F64, weight: F64, *, n: int, seed: int) -> Band:
    """The total of `gain` (n,) over the best x of rows by `score`, x from 0 to 1, with a 95 % band."""

    def curve(times: F64) -> F64:
        rows, gained = cumulate(score, times * weight, times * weight * gain)
        return interpolate(DEPTHS, rows, gained)

    return estimate_band(curve, len(gain), None, n=n, seed=seed)


def share_by_depth(amount: F64, score: F64, weight: F64, strata: NDArray[Any] | None, *, n: int, seed: int) -> Band:
    """The share of the whole `amount` (n,) that the best x of rows by `score` hold, x from 0 to 1, with a 95 % band."""

    def curve(times: F64) -> F64:
        rows, total = cumulate(score, times * weight, times * weight * amount)
        return interpolate(DEPTHS, rows, total) / np.maximum(total[..., -1:], 1e-9)

    return estimate_band(curve, len(amount), strata, n=n, seed=seed)


def rate_by_depth(event: F64, score: F64, *, n: int, seed: int) -> Band:
    """The rate of `event` (n,), 0 or 1, among the best x of rows by `score`, x from 0 to 1, with a 95 % band."""

    def curve(times: F64) -> F64:
        rows, events = cumulate(score, times, times * event)
        depths = np.maximum(DEPTHS, 0.02)
        return interpolate(depths, rows, events) / (depths * rows[..., -1:])

    return estimate_band(curve, len(event), None, n=n, seed=seed)
