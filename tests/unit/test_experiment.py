"""What a campaign changed: intervals that hold the truth, less spread by the model's score, and when to say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.evaluation.statistics import experiment
from perennial.evaluation.statistics.holdout import HoldoutDesign, draw_groups
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.uplift import Arms
from perennial.results.figures import Interval

pytestmark = pytest.mark.unit
VALUE, COST, N = 40.0, 2.0, 4_000


def simulated(seed: int) -> tuple[F64, Arms, F64, float]:
    """Outcomes, arms, scores and the true mean effect of a campaign: effects differ, the model is not calibrated."""
    rng = np.random.default_rng(seed)
    p_0 = rng.beta(1.5, 10, N)
    lift = rng.uniform(-0.02, 0.08, N) * (1 - p_0)
    group = draw_groups(f"campaign_{seed}", [str(i) for i in range(N)], np.ones(N, dtype=bool), HoldoutDesign(control=0.2))
    arm = (group == "treated").astype(np.int64)
    y = (rng.random(N) < np.clip(p_0 + lift * arm, 0, 1)).astype(np.float64)
    return y, arm, np.clip(1.5 * p_0 + 0.02 * rng.normal(size=N), 0, 1), float(lift.mean())


def test_of_100_campaigns_the_intervals_hold_the_truth_in_90_to_98() -> None:
    held_rows, held_profit, widths = 0, 0, []
    for seed in range(100):
        y, arm, score, truth = simulated(seed)
        result, contacts = experiment.effect_of_contact(y, arm, score), int(arm.sum())
        held_rows += result.adjusted.low <= truth <= result.adjusted.high
        profit = experiment.estimate_profit(result.adjusted, VALUE, contacts, COST * contacts)
        held_profit += profit.low <= (VALUE * truth - COST) * contacts <= profit.high
        widths.append((result.adjusted.high - result.adjusted.low) / (result.raw.high - result.raw.low))
    assert 90 <= held_rows <= 98
    assert held_profit == held_rows
    assert np.mean(widths) < 0.98, "a score that foretells something makes intervals narrower"


def test_an_adjustment_that_knows_nothing_changes_nothing() -> None:
    y, arm, _, _ = simulated(1)
    result = experiment.effect_of_contact(y, arm, np.full(N, 0.3))
    assert result.adjusted == result.raw
    assert result.raw.value == pytest.approx(y[arm == 1].mean() - y[arm == 0].mean())


def test_messages_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    arm = rng.choice(3, size=30_000, p=[0.2, 0.4, 0.4])
    score = rng.beta(2, 8, 30_000)
    y = (rng.random(30_000) < score + np.array([0, 0.02, 0.06])[arm]).astype(np.float64)
    for k, against, truth in ((1, 0, 0.02), (2, 0, 0.06), (2, 1, 0.04)):
        result = experiment.compare_messages(y, arm, score, k, against).adjusted
        assert result.low <= truth <= result.high
    assert experiment.compare_messages(y, arm, score, 2, 1).adjusted.low > 0


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(1.0, 5.0, "paid"), (-5.0, -1.0, "lost"), (-1.0, 5.0, "open"), (0.0, 5.0, "open")]
)
def test_a_verdict_needs_the_whole_interval(low: float, high: float, verdict: str) -> None:
    assert experiment.classify_profit(Interval(value=(low + high) / 2, low=low, high=high)) == verdict


def test_nothing_is_claimed_of_too_few() -> None:
    y, arm = np.zeros(1_000), np.repeat([0, 1], 500)
    assert experiment.explain_no_effect(y, np.ones(1_000, dtype=np.int64)) == "nobody was held back"
    y[500:520] = 1
    y[:4] = 1
    assert experiment.explain_no_effect(y, arm) == "4 of 500 who were held back responded: it needs 5 who did and 5 not"
    y[4] = 1
    assert experiment.explain_no_effect(y, arm) is None
    y[500:] = 1
    assert experiment.explain_no_effect(y, arm) == "500 of 500 who were contacted responded: it needs 5 who did and 5 not"
