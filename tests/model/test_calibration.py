"""Calibration: two numbers an output, used only where rows held out say that they help."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from perennial.scoring.calibration import Calibration, calibrate
from perennial.tasks.losses import log_loss, loss_of
from tests.model.builders import F64, HEADS, TASKS, Task, head

pytestmark = pytest.mark.model

NONE = np.zeros(200_000, np.int64)  # the arm of rows without arms


def drawn(n: int, seed: int) -> tuple[F64, F64]:
    """Link scores and outcomes that agree with them."""
    rng = np.random.Generator(np.random.PCG64(seed))
    link = rng.normal(-1, 1.2, n)
    return link, (rng.random(n) < 1 / (1 + np.exp(-link))).astype(np.float64)


def pair(link: F64, y: F64) -> tuple[float, float]:
    calibration = calibrate(head(1), link[:, None], y, np.zeros(len(y), np.int64))
    return float(calibration.slope_O[0]), float(calibration.shift_O[0])


def test_scores_that_are_right_are_mostly_left_alone_and_never_bent_much() -> None:
    pairs = [pair(*drawn(2000, seed)) for seed in range(30)]
    assert len(pairs) == 30
    assert sum(result == (1.0, 0.0) for result in pairs) >= 18
    assert all(0.8 < slope < 1.25 and abs(shift) < 0.3 for slope, shift in pairs)


def test_scores_that_are_too_sure_or_too_low_are_put_right() -> None:
    link, y = drawn(4000, 1)
    slope, shift = pair(3 * link, y)
    assert slope == pytest.approx(1 / 3, rel=0.15)
    slope, shift = pair(link - 2, y)
    assert shift == pytest.approx(2, abs=0.3)
    assert slope == pytest.approx(1, abs=0.15)


@given(seed=st.integers(0, 10**6), scale=st.floats(0.3, 3), shift=st.floats(-2, 2))
@settings(max_examples=25, deadline=None)
def test_calibration_never_raises_the_loss_of_the_rows_it_was_fitted_on(seed: int, scale: float, shift: float) -> None:
    link, y = drawn(400, seed)
    bent = scale * link + shift
    slope, moved = pair(bent, y)
    assert log_loss(slope * bent + moved, y) <= log_loss(bent, y) + 1e-9


@pytest.mark.parametrize("events", [0, 9])
def test_too_few_events_change_nothing(events: int) -> None:
    link = np.linspace(-9, 9, 500)
    y = np.zeros(500)
    y[:events] = 1
    assert pair(link, y) == (1.0, 0.0)
    assert pair(link, 1 - y) == (1.0, 0.0)


def test_each_output_learns_from_the_rows_of_its_own_arm() -> None:
    link, y = drawn(6000, 2)
    arm = np.arange(6000) % 2
    both = np.column_stack([3 * link, link - 2])
    calibration = calibrate(head(2), both, y, arm)
    assert calibration.slope_O[0] == pytest.approx(1 / 3, rel=0.15)
    assert calibration.shift_O[1] == pytest.approx(2, abs=0.3)
    other = both.copy()
    other[arm == 0, 1] = 77  # what a row would score under an arm that it was not in
    again = calibrate(head(2), other, y, arm)
    assert np.array_equal(again.slope_O, calibration.slope_O)
    assert np.array_equal(again.shift_O, calibration.shift_O)


def test_probability_is_shaped_as_the_link_and_its_json_comes_back() -> None:
    calibration = Calibration(head=head(2), slope_O=np.array([0.1 + 0.2, 1.0]), shift_O=np.array([1 / 3, 0.0]))
    link = np.array([[0.0, -800.0], [2.0, 800.0], [-1.0, 0.0]])
    scored = calibration.score(link)
    assert scored.shape == (3, 2)
    np.testing.assert_allclose(scored[:, 1], [0, 1, 0.5])
    again = Calibration.from_json(calibration.as_json())
    assert np.array_equal(again.score(link), scored)


def test_log_loss_is_exact_and_does_not_overflow() -> None:
    p = np.array([0.2, 0.9])
    assert log_loss(np.log(p / (1 - p)), np.array([0.0, 1.0])) == pytest.approx(-np.mean(np.log([0.8, 0.9])))
    assert log_loss(np.array([-1000.0, 1000.0]), np.array([1.0, 0.0])) == pytest.approx(1000)


def of_classes(n: int, seed: int) -> tuple[F64, F64]:
    """Log shares of three classes, and the class of each row drawn by them."""
    rng = np.random.Generator(np.random.PCG64(seed))
    link = log_softmax(rng.normal(0, 1.5, (n, 3)), axis=1)
    return link, (link + rng.gumbel(size=(n, 3))).argmax(axis=1).astype(np.float64)


@pytest.mark.parametrize("sure", [0.4, 1.0, 3.0])
def test_classes_that_are_too_sure_get_one_temperature(sure: float) -> None:
    link, y = of_classes(3000, 1)
    calibration = calibrate(HEADS["multiclass"], sure * link, y, NONE[:3000])
    assert len(set(calibration.slope_O)) == 1
    assert calibration.slope_O[0] == pytest.approx(1 / sure, rel=0.08)
    assert not calibration.shift_O.any()
    score = calibration.score(sure * link)
    np.testing.assert_allclose(score.sum(axis=1), 1)
    assert np.array_equal(score.argmax(axis=1), link.argmax(axis=1)), "no temperature changes who is likeliest"
    honest = np.abs(score.mean(axis=0) - np.bincount(y.astype(np.int64)) / 3000)
    assert honest.max() < 0.03


@given(seed=st.integers(0, 10**6), sure=st.floats(0.2, 5))
@settings(max_examples=20, deadline=None)
def test_a_temperature_never_raises_the_loss_of_the_rows_it_was_fitted_on(seed: int, sure: float) -> None:
    link, y = of_classes(300, seed)
    head = HEADS["multiclass"]
    calibration = calibrate(head, sure * link, y, NONE[:300])
    before, after = (loss_of(head).mean(z * link, y, NONE[:300]) for z in (sure, sure * calibration.slope_O[0]))
    assert after <= before + 1e-6


def test_a_line_puts_amounts_right_that_are_bent_and_moved() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(50, 12, 2000)
    y = truth + rng.normal(0, 5, 2000)
    calibration = calibrate(HEADS["regression"], (truth / 3 + 40)[:, None], y, NONE[:2000])
    assert calibration.slope_O[0] == pytest.approx(3, rel=0.05)
    score = calibration.score((truth / 3 + 40)[:, None])[:, 0]
    assert score.mean() == pytest.approx(y.mean(), rel=1e-9)
    assert np.abs(score - truth).max() < 3
    same = calibrate(HEADS["regression"], np.full((9, 1), 4.0), y[:9], NONE[:9])
    assert (same.slope_O[0], same.shift_O[0]) == (1, 0), "predictions that do not vary have no line"


def test_an_amount_in_two_parts_has_the_right_sum_on_val() -> None:
    rng = np.random.default_rng(2)
    link = rng.normal(2, 0.7, 1500)
    y = (rng.random(1500) < 0.3) * np.exp(link + rng.normal(0, 1, 1500))
    calibration = calibrate(HEADS["two_part"], link[:, None], y, NONE[:1500])
    score = calibration.score(link[:, None])
    assert score.sum() == pytest.approx(y.sum(), rel=1e-9)
    assert calibration.slope_O[0] == 1
    assert np.array_equal(np.argsort(score[:, 0]), np.argsort(link))
    nothing = calibrate(HEADS["two_part"], link[:, None], np.zeros(1500), NONE[:1500])
    assert np.isfinite(nothing.score(link[:, None])).all()


@pytest.mark.parametrize("kept", [(0.05, 1.0), (1.0, 0.2)])
def test_a_sample_gets_the_chances_of_its_population(kept: tuple[float, float]) -> None:
    """Honest scores of a population's sample: the prior makes them honest of the population again."""
    link, y = drawn(200_000, 3)
    rng = np.random.Generator(np.random.PCG64(4))
    is_kept = rng.random(len(y)) < np.where(y == 1, kept[1], kept[0])
    of_sample = link - np.log(kept[0] / kept[1])  # what a model of the sample learns: its log odds
    head = HEADS["binary"].model_copy(update={"prior": float(np.log(kept[0] / kept[1]))})
    calibration = calibrate(head, of_sample[is_kept][:, None], y[is_kept], NONE[: is_kept.sum()])
    score = calibration.score(of_sample[:, None])[:, 0]
    assert score.mean() == pytest.approx(y.mean(), rel=0.05)
    for low in (0.0, 0.2, 0.5):
        some = (score >= low) & (score < low + 0.2)
        assert score[some].mean() == pytest.approx(y[some].mean(), rel=0.06), low
    unshifted = calibrate(HEADS["binary"], of_sample[is_kept][:, None], y[is_kept], NONE[: is_kept.sum()])
    assert abs(unshifted.score(of_sample[:, None]).mean() - y.mean()) > 0.1


def test_losses_of_links_are_those_of_the_textbooks() -> None:
    link = np.log(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]))
    y = np.array([1.0, 2.0])
    assert loss_of(HEADS["multiclass"]).mean(link, y, NONE[:2]) == pytest.approx(-np.log([0.5, 0.1]).mean())
    assert loss_of(HEADS["multiclass"]).mean(link + 7, y, NONE[:2]) == pytest.approx(-np.log([0.5, 0.1]).mean())
    amounts = np.array([[1.0], [5.0]])
    assert loss_of(HEADS["regression"]).mean(amounts, np.array([2.0, 2.0]), NONE[:2]) == pytest.approx(5)
    two = np.array([[0.0, 3.0], [1.0, 4.0]])
    uplift = loss_of(HEADS["uplift"]).mean(np.hstack([two, two[:, :1]]), np.array([1.0, 0.0]), np.array([0, 1]))
    assert uplift == pytest.approx((np.log1p(1) + np.log1p(np.exp(4))) / 2)
    spent = loss_of(HEADS["uplift_amounts"]).mean(np.hstack([two, two[:, :1]]), np.array([3.0, 2.0]), np.array([1, 0]))
    assert spent == pytest.approx((0 + 1) / 2)


def test_what_an_arm_spends_is_put_right_only_where_held_out_rows_say_so() -> None:
    """Of rare large amounts a line fitted to a few of them would turn the order of customers at will."""
    rng, arm = np.random.default_rng(1), np.arange(6000) % 3
    link = rng.normal(5, 1, (6000, 3))
    y = 2 * link[np.arange(6000), arm] - 3 + rng.normal(size=6000)
    calibration = calibrate(HEADS["uplift_amounts"], link, y, arm)
    assert calibration.slope_O == pytest.approx([2, 2, 2], abs=0.1)
    assert calibration.shift_O == pytest.approx([-3, -3, -3], abs=0.5)
    remaining = []
    for _ in range(30):  # honest scores of rare amounts
        honest = rng.gamma(2, 0.5, (6000, 3))
        rare = np.where(rng.random(6000) < 0.01 * honest[np.arange(6000), arm], 100.0, 0.0)
        remaining.append(calibrate(HEADS["uplift_amounts"], honest, rare, arm).slope_O == 1)
    assert np.mean(remaining) >= 0.7
    assert calibrate(HEADS["uplift_amounts"], link[:27], y[:27], arm[:27]).slope_O.tolist() == [1, 1, 1]


def test_the_loss_of_two_parts_is_least_at_the_right_mean() -> None:
    y = np.array([0.0, 0.0, 12.0, 4.0])
    means = {m: loss_of(HEADS["two_part"]).mean(np.full((4, 1), np.log(m)), y, NONE[:4]) for m in (2.0, 3.9, 4.0, 4.1, 8.0)}
    assert min(means, key=lambda mean: means[mean]) == 4.0


@pytest.mark.parametrize("task", TASKS)
def test_a_calibration_of_any_task_comes_back_from_its_json(task: Task) -> None:
    head = HEADS[task]
    n = len(head.outputs)
    calibration = Calibration(head=head, slope_O=np.linspace(0.1, 2, n), shift_O=np.linspace(-1 / 3, 1, n))
    link = np.random.default_rng(5).normal(size=(20, n))
    again = Calibration.from_json(json.loads(json.dumps(calibration.as_json())))
    assert again.head == head
    assert np.array_equal(again.score(link), calibration.score(link))
