"""Intervals: those of a textbook, those of one another, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from perennial.errors import InputError
from perennial.evaluation.statistics.intervals import (
    F64,
    Metric,
    bootstrap,
    delong,
    paired_delong,
    resample,
    total_interval,
    wilson_interval,
    z_of,
)
from perennial.evaluation.statistics.metrics import METRICS
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.ranking import DEPTHS, total_by_depth
from perennial.results.figures import Interval

pytestmark = pytest.mark.unit


def models(n: int, seed: int, worse: float = 0.8) -> tuple[F64, F64, F64]:
    """Outcomes, the scores of a model, and those of one with more noise."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(2 - 1.2 * z))).astype(np.float64)
    return y, z + 0.6 * rng.normal(size=n), z + worse * rng.normal(size=n)


def error(interval: Interval, level: float) -> float:
    return (interval.high - interval.low) / 2 / z_of(level)


def test_levels_are_the_textbooks() -> None:
    assert z_of(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert z_of(0.99) == pytest.approx(2.575829, abs=1e-6)


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson_agrees_with_scipy(events: int, more: int) -> None:
    n = events + more
    theirs = binomtest(events, n).proportion_ci(0.95, method="wilson")
    result = wilson_interval(events, n, 0.95)
    assert (result.low, result.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_wilson_of_no_rows_knows_nothing() -> None:
    assert (wilson_interval(0, 0, 0.95).low, wilson_interval(0, 0, 0.95).high) == (0, 1)


def test_an_interval_in_other_units_keeps_its_ends_in_order() -> None:
    assert Interval(value=1, low=0, high=3) * -2 == Interval(value=-2, low=-6, high=0)


def test_delong_is_the_definition_over_all_pairs() -> None:
    y, new, old = models(300, 1)
    new, old = new.round(1), old.round(1)  # ties
    placed = []
    for p in (new, old):
        beats = (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])
        placed.append((beats.mean(), beats.mean(axis=1), beats.mean(axis=0)))
    (a, a1, a0), (b, b1, b0) = placed
    alone = np.sqrt(a1.var(ddof=1) / len(a1) + a0.var(ddof=1) / len(a0))
    paired = np.sqrt((a1 - b1).var(ddof=1) / len(a1) + (a0 - b0).var(ddof=1) / len(a0))
    assert delong(y, new, 0.95).value == pytest.approx(a)
    assert error(delong(y, new, 0.95), 0.95) == pytest.approx(alone)
    result = paired_delong(y, new, old, 0.99)
    assert (result.value, error(result, 0.99)) == pytest.approx((a - b, paired))


def paired_bootstrap(metric: Metric, y: F64, new: F64, old: F64, *, n: int, seed: int, level: float) -> Interval:
    return bootstrap(lambda times: metric(y, new, times) - metric(y, old, times), len(y), y, n=n, seed=seed, level=level)


def test_delong_and_bootstrap_agree_on_the_auc() -> None:
    y, new, old = models(4_000, 2)
    auc = METRICS["auc"].function
    one = bootstrap(lambda times: auc(y, new, times), len(y), y, n=1_000, seed=1, level=0.95)
    two = paired_bootstrap(auc, y, new, old, n=1_000, seed=1, level=0.95)
    for ours, closed in ((one, delong(y, new, 0.95)), (two, paired_delong(y, new, old, 0.95))):
        assert ours.value == pytest.approx(closed.value)
        assert error(ours, 0.95) == pytest.approx(error(closed, 0.95), rel=0.1)


def test_equal_models_differ_by_exactly_nothing() -> None:
    y, new, _ = models(500, 3)
    assert paired_delong(y, new, new, 0.99) == Interval(value=0, low=0, high=0)
    result = paired_bootstrap(METRICS["ap"].function, y, new, new, n=50, seed=1, level=0.99)
    assert result == Interval(value=0, low=0, high=0)


def test_a_perfect_model_stays_within_one() -> None:
    result = delong([0] * 10 + [1] * 10, np.arange(20), 0.95)
    assert (result.value, result.high) == (1, 1)


def test_the_bootstrap_of_ap_knows_its_own_error() -> None:
    """Its mean standard error is the spread of the difference over fresh samples of the same population."""
    result = []
    for seed in range(120):
        y, new, old = models(1_000, seed)
        result.append(paired_bootstrap(METRICS["ap"].function, y, new, old, n=100, seed=seed, level=0.95))
    spread = np.std([f.value for f in result], ddof=1)
    claimed = np.mean([error(f, 0.95) for f in result])
    assert claimed == pytest.approx(spread, rel=0.2), (claimed, spread)


@pytest.mark.parametrize("metric", ["log_loss", "brier", "accuracy", "macro_f1"])
def test_the_interval_of_a_figure_holds_the_truth_as_often_as_it_says(metric: str) -> None:
    """Resamples that kept the class counts would hold a loss in 80 % of samples only."""

    def sample(rng: np.random.Generator, n: int) -> tuple[F64, F64]:
        p = 1 / (1 + np.exp(2.5 - 1.5 * rng.normal(size=n)))
        return (rng.random(n) < p).astype(np.float64), p

    truth = METRICS[metric].function(*sample(np.random.default_rng(0), 1_000_000), np.ones(1_000_000))
    held_rows = 0
    for seed in range(400):
        y, p = sample(np.random.default_rng([1, seed]), 1_000)
        result = PairedComparison(metric=metric, y=y, resamples=150, seed=seed).estimate(p, 0.95)
        held_rows += result.low <= truth <= result.high
    assert 0.92 <= held_rows / 400 <= 0.98, held_rows / 400


def test_resamples_keep_every_stratum_and_repeat_with_the_seed() -> None:
    strata = np.array([0] * 30 + [1] * 70)

    def sizes(times: F64) -> F64:
        return np.stack([times[:, strata == 0].sum(1), times[:, strata == 1].sum(1)], axis=1)

    assert (resample(sizes, 100, strata, n=200, seed=1) == [30, 70]).all()
    free = resample(sizes, 100, None, n=200, seed=1)
    assert (free.sum(axis=1) == 100).all()
    assert free[:, 0].std() == pytest.approx(np.sqrt(100 * 0.3 * 0.7), rel=0.2)
    assert np.array_equal(free, resample(sizes, 100, None, n=200, seed=1))
    assert not np.array_equal(free, resample(sizes, 100, None, n=200, seed=2))


def test_a_resample_draws_each_row_about_once_in_blocks_of_any_size() -> None:
    result = resample(lambda times: times[:, :3], 400_000, None, n=5, seed=1)  # two resamples a block
    assert result.shape == (5, 3)
    mean = resample(lambda times: times, 50, None, n=2_000, seed=1).mean(axis=0)
    assert mean == pytest.approx(np.ones(50), abs=0.12)


def test_the_total_of_rows_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    held_rows = 0
    for _ in range(1_000):
        result = total_interval(np.where(rng.random(500) < 0.1, 38.0, -2.0), 0.95)
        held_rows += result.low <= 500 * 2.0 <= result.high
    assert 0.92 <= held_rows / 1_000 <= 0.97
    assert total_interval(np.array([3.0]), 0.95) == Interval(value=3, low=3, high=3)


def test_a_total_by_depth_goes_straight_across_ties_whatever_the_order_of_rows() -> None:
    gain, score = np.array([6.0, 0.0, 0.0, -2.0]), np.array([0.5, 0.5, 0.5, 0.1])
    result = total_by_depth(gain, score, np.ones(4), n=50, seed=1)
    assert np.interp([0.25, 0.5, 0.75, 1], result.x, result.value) == pytest.approx([2, 4, 6, 4])
    turned = total_by_depth(gain[::-1], score[::-1], np.ones(4), n=50, seed=1)
    assert turned.value == pytest.approx(result.value)
    assert np.array_equal(result.x, DEPTHS)
    assert (result.low <= result.value).all()


def test_scores_that_cannot_be_compared_are_refused() -> None:
    with pytest.raises(InputError, match=r"3 outcomes but scores of shape \(2,\)"):
        delong([0, 1, 1], [0.1, 0.2], 0.95)
    with pytest.raises(InputError, match="two rows of each outcome; there are 1 with 1 and 3 with 0"):
        delong([0, 0, 0, 1], [1, 2, 3, 4], 0.95)
    with pytest.raises(InputError, match="1 of 8 scores are not finite"):
        paired_delong([0, 0, 1, 1], [1, 2, 3, np.nan], [1, 2, 3, 4], 0.95)
