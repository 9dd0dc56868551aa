"""A randomised campaign (y, arm (n,)) and scores (n, arms) in, what a message changes out: Qini, effects, fairness.

Arm 0 is the control group, 1 … K the messages; scores are chances to respond under each, the control group's first.
The Qini curve of message k over its rows and the control group's, those it should move most first, is
Q(x) = (Y_k(x) - Y_0(x) N_k(x) / N_0(x)) / N_k(1): responses won among the best x, per person who got the message
(Radcliffe 2007, "Using control groups to target on predicted lift"). Its figure is the area between Q and the straight
line to Q(1), x from 0 to 1: 0 for a ranking by lot, on Hillstrom .004 to .008 for a good one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2_contingency, chisquare

from perennial.errors import InputError
from perennial.evaluation.intervals import F64, Band, Interval, around, bootstrap
from perennial.evaluation.ranking import DEPTHS, area, at_depths, banded, cumulated

Arms = NDArray[np.int64]
_UNFAIR = 0.001


@dataclass(frozen=True, kw_only=True)
class Tenth:
    """A tenth of customers by predicted effect: its mean, and the effect that was observed."""

    predicted: float
    observed: Interval
    n: int


@dataclass(frozen=True, kw_only=True)
class Balance:
    """How surely chance explains a column's differences between the arms, and the widest gap in standard deviations."""

    column: str
    p: float
    gap: float


def campaign(y: ArrayLike, arm: ArrayLike, scores: ArrayLike) -> tuple[F64, Arms, F64]:
    """Outcomes (n,), arms (n,) and scores (n, arms) that belong together.

    Raises: InputError when shapes or codes do not fit, an outcome is not 0 or 1, or an arm has fewer than two rows.
    """
    y_n, arm_n, table = np.asarray(y, dtype=np.float64), np.asarray(arm, dtype=np.int64), np.asarray(scores, np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or not y_n.shape == arm_n.shape == table.shape[:1]:
        raise InputError(f"outcomes {y_n.shape}, arms {arm_n.shape}, scores {table.shape}: give (n,), (n,), (n, arms)")
    if not np.isin(y_n, (0, 1)).all() or not np.isfinite(table).all():
        raise InputError("an outcome other than 0 and 1, or a score that is not finite: mend them before measuring")
    if arm_n.min() < 0 or arm_n.max() >= table.shape[1]:
        raise InputError(f"arms run from {arm_n.min()} to {arm_n.max()}, yet there are scores for {table.shape[1]}")
    rows = np.bincount(arm_n, minlength=table.shape[1])
    if rows.min() < 2:
        raise InputError(f"arm {rows.argmin()} has {rows.min()} rows: every message and the control group need two")
    return y_n, arm_n, table


def strata(y: F64, arm: Arms) -> Arms:
    """What a bootstrap of the campaign keeps the size of: each arm's responses and non-responses, (n,)."""
    return np.asarray(2 * arm + (y == 1), dtype=np.int64)


def qini(y: F64, scores: F64, weight: F64, *, arm: Arms) -> F64:
    """The mean over messages of the Qini figure of ranking by predicted effect; weights (..., n) -> (...)."""
    each = [arm_qini(y, scores[:, k] - scores[:, 0], weight, arm=arm, k=k) for k in range(1, scores.shape[1])]
    return np.asarray(np.mean(each, axis=0))


def arm_qini(y: F64, ranking: F64, weight: F64, *, arm: Arms, k: int) -> F64:
    """The Qini figure of message `k` for any ranking (n,), best first; weights (..., n) -> (...)."""
    x, won = _running(y, ranking, weight, arm, k)
    return area(x, won) - won[..., -1] / 2


def qini_curve(y: F64, arm: Arms, ranking: F64, k: int, *, n: int, seed: int) -> Band:
    """The Qini curve of message `k` with a 95 % band."""
    rows = _rows(arm, k)
    y_k, arm_k, ranking_k = y[rows], arm[rows], ranking[rows]

    def curve(times: F64) -> F64:
        return at_depths(DEPTHS, *_running(y_k, ranking_k, times, arm_k, k))

    return banded(curve, len(rows), strata(y_k, arm_k), n=n, seed=seed)


def race(y: F64, arm: Arms, scores: F64, k: int, *, n: int, seed: int, level: float) -> Interval:
    """Qini of ranking message `k` by its effect, less that of ranking by the chance to respond to it, paired."""
    effect, response = scores[:, k] - scores[:, 0], scores[:, k]

    def gain(times: F64) -> F64:
        return arm_qini(y, effect, times, arm=arm, k=k) - arm_qini(y, response, times, arm=arm, k=k)

    return bootstrap(gain, len(y), strata(y, arm), n=n, seed=seed, level=level)


def effect(y: F64, arm: Arms, k: int, level: float) -> Interval:
    """How many more respond, as a share, for having got message `k`: the difference of two means."""
    treated, control = y[arm == k], y[arm == 0]
    if min(len(treated), len(control)) < 2:
        raise InputError(f"message {k} has {len(treated)} rows against {len(control)} of control: each needs two")
    error = math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in (treated, control)))
    return around(float(treated.mean() - control.mean()), error, level)


def by_tenth(y: F64, arm: Arms, scores: F64, k: int, level: float = 0.95) -> list[Tenth]:
    """Predicted and observed effect of message `k` by tenth of predicted effect, the lowest first."""
    rows = _rows(arm, k)
    predicted = scores[rows, k] - scores[rows, 0]
    tenths = np.array_split(np.argsort(predicted, kind="stable"), 10)
    return [
        Tenth(predicted=float(predicted[t].mean()), observed=effect(y[rows[t]], arm[rows[t]], k, level), n=len(t))
        for t in tenths
    ]


def sample_ratio(arm: Arms, shares: ArrayLike) -> float:
    """The chance of arms split this unevenly, if `shares` (arms,) were planned: under .001 the lottery was not fair."""
    planned = np.asarray(shares, dtype=np.float64)
    counts = np.bincount(arm, minlength=len(planned))
    return float(chisquare(counts, planned / planned.sum() * len(arm)).pvalue)


def balance(arm: Arms, columns: Mapping[str, NDArray[Any]]) -> list[Balance]:
    """Each column, known before the campaign, against the arms; the least likely first.

    Of m columns of a fair lottery the least p is under .05 / m one time in twenty.
    """
    found = []
    for name, values in columns.items():
        table = _crossed(arm, _levels(values))
        gap = _gap(arm, values.astype(np.float64)) if values.dtype.kind in "fiub" else _gap_of_shares(table)
        p = float(chi2_contingency(table).pvalue) if table.shape[1] > 1 else 1.0
        found.append(Balance(column=name, p=p, gap=gap))
    return sorted(found, key=lambda column: column.p)


def unfair(arm: Arms, columns: Mapping[str, NDArray[Any]], shares: Sequence[float]) -> str | None:
    """Why the groups can hardly have been drawn by lot; None where chance explains them (1 in 1,000 fair ones fails)."""
    if shares and (p := sample_ratio(arm, shares)) < _UNFAIR:
        sizes = " / ".join(str(n) for n in np.bincount(arm, minlength=len(shares)))
        planned = " : ".join(f"{share:g}" for share in shares)
        return f"the groups {sizes} do not fit the planned {planned} (p {p:.1g})"
    found = balance(arm, columns)
    if found and found[0].p < _UNFAIR / len(found):
        return (
            f"the groups differ in {found[0].column}, known before, by more than chance explains (p {found[0].p:.1g})"
        )
    return None


def _rows(arm: Arms, k: int) -> NDArray[np.intp]:
    return np.flatnonzero((arm == 0) | (arm == k))


def _running(y: F64, ranking: F64, weight: F64, arm: Arms, k: int) -> tuple[F64, F64]:
    """Share of customers and Qini curve, (..., g) each, at the g different ranks."""
    rows = _rows(arm, k)
    y_k, w_k, is_treated = y[rows], weight[..., rows], arm[rows] == k
    treated, control = w_k * is_treated, w_k * ~is_treated
    n_t, n_c, y_t, y_c = cumulated(ranking[rows], treated, control, treated * y_k, control * y_k)
    expected = y_c * np.divide(n_t, n_c, out=np.zeros_like(n_t), where=n_c > 0)
    seen = n_t + n_c
    return seen / seen[..., -1:], (y_t - expected) / n_t[..., -1:]


def _levels(values: NDArray[Any]) -> NDArray[np.intp]:
    """Codes (n,): numbers by fifth with the missing apart, texts by themselves."""
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        present = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(present, (0.2, 0.4, 0.6, 0.8))) if len(present) else np.empty(0)
        values = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers))
    else:
        values = np.array([f"={value}" for value in values])
    return np.unique(values, return_inverse=True)[1]


def _crossed(arm: Arms, level: NDArray[np.intp]) -> F64:
    """Rows by arm and level (arms, levels); levels expected under five times in some arm are counted as one."""
    counts = np.bincount(level)
    rare = counts * np.bincount(arm).min() < 5 * len(arm)
    level = np.where(rare[level], len(counts), level)
    table = np.array([np.bincount(level[arm == a], minlength=len(counts) + 1) for a in np.unique(arm)])
    return table[:, table.sum(axis=0) > 0].astype(np.float64)


def _gap(arm: Arms, numbers: F64) -> float:
    """The widest difference of means between two arms, in standard deviations."""
    present = ~np.isnan(numbers)
    spread = float(numbers[present].std()) if present.any() else 0.0
    if spread == 0:
        return 0.0
    means = [float(part.mean()) for a in np.unique(arm) if len(part := numbers[present & (arm == a)])]
    return (max(means) - min(means)) / spread


def _gap_of_shares(table: F64) -> float:
    """The same for a text: the widest over its levels, each a 0/1 column."""
    shares, overall = table / table.sum(axis=1, keepdims=True), table.sum(axis=0) / table.sum()
    spread = np.sqrt(overall * (1 - overall))
    return float(np.max(np.ptp(shares, axis=0) / np.where(spread > 0, spread, 1.0)))
