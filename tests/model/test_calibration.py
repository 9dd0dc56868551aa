"""Calibration: two numbers an output, used only where rows held out say that they help."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.scoring.calibration import Calibration, calibrate, log_loss
from tests.model.builders import F64, head

pytestmark = pytest.mark.model


def drawn(n: int, seed: int) -> tuple[F64, F64]:
    """Link scores and outcomes that agree with them."""
    rng = np.random.Generator(np.random.PCG64(seed))
    link = rng.normal(-1, 1.2, n)
    return link, (rng.random(n) < 1 / (1 + np.exp(-link))).astype(np.float64)


def pair(link: F64, y: F64) -> tuple[float, float]:
    found = calibrate(head(1), link[:, None], y, np.zeros(len(y), np.int64))
    return float(found.slope_O[0]), float(found.shift_O[0])


def test_scores_that_are_right_are_mostly_left_alone_and_never_bent_much() -> None:
    pairs = [pair(*drawn(2000, seed)) for seed in range(30)]
    assert len(pairs) == 30
    assert sum(found == (1.0, 0.0) for found in pairs) >= 18
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
    found = calibrate(head(2), both, y, arm)
    assert found.slope_O[0] == pytest.approx(1 / 3, rel=0.15)
    assert found.shift_O[1] == pytest.approx(2, abs=0.3)
    other = both.copy()
    other[arm == 0, 1] = 77  # what a row would score under an arm that it was not in
    again = calibrate(head(2), other, y, arm)
    assert np.array_equal(again.slope_O, found.slope_O)
    assert np.array_equal(again.shift_O, found.shift_O)


def test_probability_is_shaped_as_the_link_and_its_json_comes_back() -> None:
    calibration = Calibration(head=head(2), slope_O=np.array([0.1 + 0.2, 1.0]), shift_O=np.array([1 / 3, 0.0]))
    link = np.array([[0.0, -800.0], [2.0, 800.0], [-1.0, 0.0]])
    found = calibration.score(link)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found[:, 1], [0, 1, 0.5])
    again = Calibration.from_json(calibration.as_json())
    assert np.array_equal(again.score(link), found)


def test_log_loss_is_exact_and_does_not_overflow() -> None:
    p = np.array([0.2, 0.9])
    assert log_loss(np.log(p / (1 - p)), np.array([0.0, 1.0])) == pytest.approx(-np.mean(np.log([0.8, 0.9])))
    assert log_loss(np.array([-1000.0, 1000.0]), np.array([1.0, 0.0])) == pytest.approx(1000)
