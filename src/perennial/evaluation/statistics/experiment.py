"""Experiments: what contacting changed in a finished campaign, by outcomes, arms and scores (n,) of all who were drawn.

Intention to treat: everyone counts in the arm that was drawn, whatever was then delivered. Arm 0 is the control group.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from perennial.evaluation.statistics.intervals import F64, LEVEL, wilson_interval
from perennial.evaluation.statistics.uplift import Arms, estimate_effect
from perennial.results.campaign import Effect
from perennial.results.figures import Interval

UNFAIR = 0.001  # of the sample ratio: 1 in 1,000 sound campaigns fails
_LEAST = 5  # responses and non-responses in each arm, below which no interval of this form can be trusted
ProfitVerdict = Literal["paid", "lost", "open"]


def estimate_rate(y: F64) -> Interval:
    """The share that responded."""
    return wilson_interval(float(y.sum()), len(y), LEVEL)


def effect_of_contact(y: F64, arm: Arms, score: F64) -> Effect:
    """What any contact (arm > 0) changed."""
    treated = (arm > 0).astype(np.int64)
    return Effect(
        raw=estimate_effect(y, treated, 1, LEVEL), adjusted=estimate_effect(adjust_effect(y, treated, score), treated, 1, LEVEL)
    )


def compare_messages(y: F64, arm: Arms, score: F64, k: int, against: int) -> Effect:
    """What message `k` changed against arm `against`."""
    rows = (arm == k) | (arm == against)
    return effect_of_contact(y[rows], (arm[rows] == k).astype(np.int64), score[rows])


def adjust_effect(y: F64, arm: Arms, score: F64) -> F64:
    """Outcomes less θ (score - mean score), (n,): the same difference of means with less spread.

    θ is the slope of y on the score within the arms (Deng, Xu, Kohavi and Walker 2013, "Improving the sensitivity of
    online controlled experiments by utilizing pre-experiment data", eq. 4). The score was known before the draw, so
    it cannot carry an effect.
    """
    inside_x, inside_y = score.astype(np.float64), y.astype(np.float64)
    for a in np.unique(arm):
        rows = arm == a
        inside_x[rows] -= inside_x[rows].mean()
        inside_y[rows] -= inside_y[rows].mean()
    spread = float(inside_x @ inside_x)
    theta = float(inside_x @ inside_y) / spread if spread > 0 else 0.0
    return np.asarray(y - theta * (score - score.mean()))


def estimate_profit(change: Interval, value: float, contacts: int, cost: float) -> Interval:
    """Money of `contacts` that changed so much each, less what all of them cost together."""
    won = change * (value * contacts)
    return Interval(value=won.value - cost, low=won.low - cost, high=won.high - cost)


def classify_profit(profit: Interval) -> ProfitVerdict:
    return "paid" if profit.low > 0 else "lost" if profit.high < 0 else "open"


def explain_no_effect(y: F64, arm: Arms) -> str | None:
    """Why these arms show no effect; None where they can."""
    treated, control = y[arm > 0], y[arm == 0]
    if not len(control):
        return "nobody was held back"
    for rows, where in ((treated, "contacted"), (control, "held back")):
        responses = int(rows.sum())
        if min(responses, len(rows) - responses) < _LEAST:
            return f"{responses} of {len(rows)} who were {where} responded: it needs {_LEAST} who did and {_LEAST} not"
    return None
