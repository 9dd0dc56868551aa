"""Uplift statistics of a randomised campaign: Qini, effects, and which ranking is better.

Outcomes and arms are (n,), scores (n, arms).

Arm 0 is the control group, 1 … K the messages; scores are chances to respond, or expected amounts, under each, the
control group's first.
The Qini curve of message k over its rows and the control group's, those it should move most first, is
Q(x) = (Y_k(x) - Y_0(x) N_k(x) / N_0(x)) / N_k(1): responses won among the best x, per person who got the message
(Radcliffe 2007, "Using control groups to target on predicted lift"). Its figure is the area between Q and the straight
line to Q(1), x from 0 to 1: 0 for a random ranking, on Hillstrom's visits .004 to .008 for a good one. Of amounts all
this is in their unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.errors import InputError
from perennial.evaluation.statistics.intervals import F64, LEVEL, Band, normal_interval, resample
from perennial.evaluation.statistics.ranking import DEPTHS, area_under, cumulate, estimate_band, interpolate
from perennial.results.figures import Interval
from perennial.results.uplift import EffectDecile, Ranking

Arms = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class RankingComparison:
    """The Qini figures of ranking by effect and by response, and the first less the second."""

    by_effect: Interval
    by_response: Interval
    gain: Interval

    @property
    def rank_by(self) -> Ranking:
        """By effect where it is surely better; else by response, the simpler, where that finds more than chance."""
        if self.by_effect.low > 0 and self.gain.low > 0:
            return "effect"
        if self.by_response.low > 0:
            return "response"
        return "effect" if self.by_effect.low > 0 else "neither"


def check_campaign(y: ArrayLike, arm: ArrayLike, scores: ArrayLike) -> tuple[F64, Arms, F64]:
    """Outcomes (n,), arms (n,) and scores (n, arms) that belong together.

    Raises: InputError when shapes or codes do not fit, an outcome or a score is not finite, or an arm has fewer than two rows.
    """
    y_n, arm_n, table = np.asarray(y, dtype=np.float64), np.asarray(arm, dtype=np.int64), np.asarray(scores, np.float64)
    if table.ndim != 2 or table.shape[1] < 2 or not y_n.shape == arm_n.shape == table.shape[:1]:
        raise InputError(f"outcomes {y_n.shape}, arms {arm_n.shape}, scores {table.shape}: give (n,), (n,), (n, arms)")
    if not np.isfinite(y_n).all() or not np.isfinite(table).all():
        raise InputError("an outcome or a score is not finite: mend them before measuring")
    if arm_n.min() < 0 or arm_n.max() >= table.shape[1]:
        raise InputError(f"arms run from {arm_n.min()} to {arm_n.max()}, yet there are scores for {table.shape[1]}")
    rows = np.bincount(arm_n, minlength=table.shape[1])
    if rows.min() < 2:
        raise InputError(f"arm {rows.argmin()} has {rows.min()} rows: every message and the control group need two")
    return y_n, arm_n, table


def draw_strata(y: F64, arm: Arms) -> Arms:
    """What a bootstrap of the campaign keeps the size of, (n,): each arm's responses and non-responses; of amounts its arm.

    How often a large amount is drawn is what is uncertain of a sum.
    """
    return np.asarray(2 * arm + (y == 1), dtype=np.int64) if np.isin(y, (0, 1)).all() else arm


def qini(y: F64, scores: F64, weight: F64, *, arm: Arms) -> F64:
    """The mean over messages of the Qini figure of ranking by predicted effect; weights (..., n) -> (...)."""
    each = [arm_qini(y, scores[:, k] - scores[:, 0], weight, arm=arm, k=k) for k in range(1, scores.shape[1])]
    return np.asarray(np.mean(each, axis=0))


def arm_qini(y: F64, ranking: F64, weight: F64, *, arm: Arms, k: int) -> F64:
    """The Qini figure of message `k` for any ranking (n,), best first; weights (..., n) -> (...)."""
    x, won = _running(y, ranking, weight, arm, k)
    return area_under(x, won) - won[..., -1] / 2


def qini_curve(y: F64, arm: Arms, ranking: F64, k: int, *, n: int, seed: int) -> Band:
    """The Qini curve of message `k` with a 95 % band."""
    rows = _rows(arm, k)
    y_k, arm_k, ranking_k = y[rows], arm[rows], ranking[rows]

    def curve(times: F64) -> F64:
        return interpolate(DEPTHS, *_running(y_k, ranking_k, times, arm_k, k))

    return estimate_band(curve, len(rows), draw_strata(y_k, arm_k), n=n, seed=seed)


def compare_rankings(y: F64, arm: Arms, scores: F64, k: int, *, n: int, seed: int, level: float) -> RankingComparison:
    """Two rankings for message `k`, by its effect and by the outcome under it, on the same resamples."""
    rows = _rows(arm, k)
    y_k, arm_k, scores_k = y[rows], arm[rows], scores[rows]
    rankings = scores_k[:, k] - scores_k[:, 0], scores_k[:, k]

    def both(times: F64) -> F64:
        return np.stack([arm_qini(y_k, ranking, times, arm=arm_k, k=k) for ranking in rankings], axis=-1)

    draws, value = resample(both, len(rows), draw_strata(y_k, arm_k), n=n, seed=seed), both(np.ones(len(rows)))
    by_effect, by_response = (normal_interval(float(value[i]), float(draws[:, i].std(ddof=1)), level) for i in (0, 1))
    gain = normal_interval(float(value[0] - value[1]), float((draws[:, 0] - draws[:, 1]).std(ddof=1)), level)
    return RankingComparison(by_effect=by_effect, by_response=by_response, gain=gain)


def estimate_effect(y: F64, arm: Arms, k: int, level: float) -> Interval:
    """How many more respond, as a share, or how much more comes, for having got message `k`: the difference of means."""
    treated, control = y[arm == k], y[arm == 0]
    if min(len(treated), len(control)) < 2:
        raise InputError(f"message {k} has {len(treated)} rows against {len(control)} of control: each needs two")
    error = math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in (treated, control)))
    return normal_interval(float(treated.mean() - control.mean()), error, level)


def effect_by_decile(y: F64, arm: Arms, scores: F64, k: int) -> list[EffectDecile]:
    """Predicted and observed effect of message `k` by decile of predicted effect, the lowest first."""
    rows = _rows(arm, k)
    predicted = scores[rows, k] - scores[rows, 0]
    deciles = np.array_split(np.argsort(predicted, kind="stable"), 10)
    return [
        EffectDecile(predicted=float(predicted[t].mean()), observed=estimate_effect(y[rows[t]], arm[rows[t]], k, LEVEL), n=len(t))
        for t in deciles
    ]


def _rows(arm: Arms, k: int) -> NDArray[np.intp]:
    return np.flatnonzero((arm == 0) | (arm == k))


def _running(y: F64, ranking: F64, weight: F64, arm: Arms, k: int) -> tuple[F64, F64]:
    """Share of customers and Qini curve, (..., g) each, at the g different ranks."""
    rows = _rows(arm, k)
    y_k, w_k, is_treated = y[rows], weight[..., rows], arm[rows] == k
    treated, control = w_k * is_treated, w_k * ~is_treated
    n_t, n_c, y_t, y_c = cumulate(ranking[rows], treated, control, treated * y_k, control * y_k)
    expected = y_c * np.divide(n_t, n_c, out=np.zeros_like(n_t), where=n_c > 0)
    contacted = n_t + n_c
    return contacted / contacted[..., -1:], (y_t - expected) / n_t[..., -1:]
