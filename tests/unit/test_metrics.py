"""Metrics against scikit-learn's, and what must hold of them whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from perennial.errors import ConfigError, InputError
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.metrics import METRICS, bin_evenly, calibration_error, gains_curve, lift_at, measure

pytestmark = pytest.mark.unit


def drawn(n: int = 3_000, seed: int = 0, *, ties: bool = True) -> tuple[F64, F64, F64]:
    """Outcomes, honest probabilities (rounded, so that there are ties) and weights."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(2 - rng.normal(size=n)))
    y = (rng.random(n) < p).astype(np.float64)
    return y, p.round(2) if ties else p, rng.uniform(0.1, 3, n)


@st.composite
def rows(draw: st.DrawFn) -> tuple[F64, F64]:
    """A few rows with both outcomes and many ties."""
    y = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=30))]
    p = draw(st.lists(st.integers(1, 9), min_size=len(y), max_size=len(y)))
    return np.array(y, dtype=np.float64), np.array(p) / 10


def test_metrics_agree_with_scikit_learn_with_and_without_weights() -> None:
    y, p, w = drawn()
    theirs = {
        "auc": sk.roc_auc_score,
        "ap": sk.average_precision_score,
        "log_loss": sk.log_loss,
        "brier": sk.brier_score_loss,
        "mae": sk.mean_absolute_error,
        "accuracy": lambda y, p, sample_weight: sk.accuracy_score(y, p >= 0.5, sample_weight=sample_weight),
        "kappa": lambda y, p, sample_weight: sk.cohen_kappa_score(y, p >= 0.5, weights="quadratic", sample_weight=sample_weight),
        "macro_f1": lambda y, p, sample_weight: sk.f1_score(y, p >= 0.5, average="macro", sample_weight=sample_weight),
    }
    assert METRICS.keys() - theirs.keys() == {"gini_norm"}
    for name, function in theirs.items():
        for weight in (None, w):
            assert measure(name, y, p, weight) == pytest.approx(function(y, p, sample_weight=weight), abs=1e-12), name


def test_the_direction_of_every_metric_is_that_of_a_better_model() -> None:
    y, p, _ = drawn()
    worse = np.random.default_rng(1).permutation(p)
    for name, metric in METRICS.items():
        gain = measure(name, y, p) - measure(name, y, worse)
        assert (gain > 0) == metric.higher_is_better, name
    assert len(METRICS) == 9


@settings(max_examples=100, deadline=None)
@given(rows())
def test_rankings_survive_any_rising_transformation_and_turn_with_it(data: tuple[F64, F64]) -> None:
    y, p = data
    for name in ("auc", "ap", "gini_norm"):
        assert measure(name, y, np.log(p) * 7 - 3) == pytest.approx(measure(name, y, p), abs=1e-12)
    assert measure("auc", y, -p) == pytest.approx(1 - measure("auc", y, p), abs=1e-12)
    assert measure("gini_norm", y, p) == pytest.approx(2 * measure("auc", y, p) - 1, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(rows(), st.data())
def test_a_weight_is_as_many_equal_rows_and_the_order_of_rows_never_decides(data: tuple[F64, F64], more: st.DataObject) -> None:
    y, p = data
    times = np.array(more.draw(st.lists(st.integers(1, 3), min_size=len(y), max_size=len(y))))
    order = np.array(more.draw(st.permutations(range(len(y)))))
    for name, metric in METRICS.items():
        copied = measure(name, np.repeat(y, times), np.repeat(p, times))
        assert measure(name, y, p, times) == pytest.approx(copied, abs=1e-9), name
        assert measure(name, y[order], p[order]) == pytest.approx(measure(name, y, p), abs=1e-9), name
        both = metric.function(y, p, np.stack([np.ones(len(y)), times.astype(np.float64)]))
        assert both == pytest.approx([measure(name, y, p), copied], abs=1e-9), name


def test_gini_norm_ranks_amounts() -> None:
    amounts = np.array([0.0, 0.0, 10.0, 90.0])
    assert measure("gini_norm", amounts, amounts * 2 + 1) == pytest.approx(1)
    assert measure("gini_norm", amounts, -amounts) == pytest.approx(-1)
    assert measure("gini_norm", amounts, np.ones(4)) == pytest.approx(0)


def test_lift_is_the_share_of_responses_found_over_the_share_looked_at() -> None:
    y = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    p = np.arange(10, 0, -1) / 10
    assert lift_at(y, p, 0.2) == pytest.approx((2 / 3) / 0.2)
    assert lift_at(y, np.full(10, 0.5), 0.2) == pytest.approx(1)  # all tied: like any other two


def test_gains_rise_from_nothing_to_all_and_their_area_is_the_auc() -> None:
    y, p, _ = drawn()
    result = gains_curve(y, p, n=200, seed=1)
    assert (result.value[0], result.value[-1]) == (0, pytest.approx(1))
    assert (np.diff(result.value) >= -1e-12).all()
    assert ((result.low <= result.value) & (result.value <= result.high)).all()
    rate = y.mean()
    auc = (np.trapezoid(result.value, result.x) - rate / 2) / (1 - rate)
    assert auc == pytest.approx(measure("auc", y, p), abs=2e-3)


def test_calibration_bins_cover_every_row_once_in_equal_steps() -> None:
    y, p, w = drawn(ties=True)
    bins = bin_evenly(y, p, 0.1, w)
    assert sum(result.n for result in bins) == len(y)
    assert 5 <= len(bins) <= 10
    for result in bins:
        assert result.left <= result.predicted <= result.right == pytest.approx(result.left + 0.1)
    inside = [result.observed.low <= result.predicted <= result.observed.high for result in bins]
    assert sum(inside) >= len(bins) - 2  # honest probabilities: 95 % intervals


def test_the_calibration_level_tells_an_honest_model_from_one_that_exaggerates() -> None:
    over = []
    for seed in range(100):
        y, p, _ = drawn(1_000, seed, ties=False)
        result = calibration_error(y, p, simulations=100, seed=seed)
        over.append(result.value > result.perfect)
    assert sum(over) <= 14, sum(over)  # expected 5, 14 is 4 standard deviations up
    y, p, _ = drawn(1_000, 0, ties=False)
    false = calibration_error(y, (1.5 * p).clip(0, 1), simulations=100, seed=1)
    assert false.value > 1.2 * false.perfect


BAD: list[tuple[list[float], list[float], list[float] | None, str]] = [
    ([0, 1], [0.1, 0.2, 0.3], None, r"outcomes \(2,\), scores \(3,\)"),
    ([], [], None, "n > 0"),
    ([0, 1], [0.1, np.nan], None, "1 of 2 scores are not finite"),
    ([0, np.inf], [0.1, 0.2], None, "1 of 2 outcomes are not finite"),
    ([0, 1], [0.1, 0.2], [1, -1], "the least weight is -1"),
    ([0, 0], [0.1, 0.2], None, "no row with outcome 1"),
    ([1, 1], [0.1, 0.2], None, "no row with outcome 0"),
]


@pytest.mark.parametrize(("y", "p", "weight", "words"), BAD)
def test_rows_that_cannot_be_measured_are_refused_by_name(
    y: list[float], p: list[float], weight: list[float] | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        measure("auc", y, p, weight)


def test_other_refusals_say_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"no metric 'AUC'.*there are: auc, ap, log_loss"):
        measure("AUC", [0, 1], [0, 1])
    with pytest.raises(InputError, match=r"gini_norm ranks amounts from 0 up.*-1"):
        measure("gini_norm", [-1, 1], [0, 1])
    with pytest.raises(InputError, match=r"all 2 rows with predictions from 0\.1 to 0\.1 have weight 0"):
        bin_evenly([0, 1, 1, 0], [0.1, 0.1, 0.9, 0.9], 0.5, [0, 0, 1, 1])
