"""Whether the arms of a campaign were drawn by lot, on lotteries that were fair and on such that were not."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.evaluation.statistics.randomization import compare_balance, find_problem, sample_ratio_p

pytestmark = pytest.mark.unit

LOTTERY = (0.2, 0.4, 0.4)


def test_a_fair_lottery_is_told_from_one_that_is_not() -> None:
    rng = np.random.default_rng(1)
    arm = rng.choice(3, size=6_000, p=LOTTERY)
    age, city = rng.normal(40, 12, 6_000), rng.choice(["Bern", "Graz", "Linz"], 6_000).astype(object)
    rare = np.array([None if i else "once" for i in range(6_000)], dtype=object)
    gaps = np.where(rng.random(6_000) < 0.3, np.nan, age)
    fair = {"age": age, "city": city, "rare": rare, "gaps": gaps, "empty": np.full(6_000, np.nan), "same": np.ones(6_000)}
    assert sample_ratio_p(arm, LOTTERY) > 0.001
    assert sample_ratio_p(arm, (1, 1, 1)) < 1e-6
    result = compare_balance(arm, fair)
    assert {b.column for b in result} == fair.keys()
    assert all(b.p > 0.05 / 6 and max(map(abs, b.gaps)) < 0.12 for b in result), result
    assert [b.gaps for b in result if b.column in {"empty", "same"}] == [(0, 0), (0, 0)]
    assert find_problem(arm, fair, LOTTERY) is None
    older = {
        "older": age + 4 * (arm == 1),
        "moved": np.where((arm == 2) & (rng.random(6_000) < 0.2), "Bern", city).astype(object),
        "lost": np.where((arm == 1) & (rng.random(6_000) < 0.1), np.nan, age),
    }
    assert len(caught := compare_balance(arm, {**fair, **older})) == 9
    assert {b.column for b in caught if b.p < 1e-6} == older.keys()
    assert "the groups differ in " in str(find_problem(arm, {**fair, **older}, LOTTERY))
    assert "do not fit the planned 1 : 1 : 1" in str(find_problem(arm, fair, (1, 1, 1)))


def test_a_gap_is_that_of_its_own_arm_to_control_in_standard_deviations() -> None:
    rng = np.random.default_rng(2)
    arm = rng.integers(0, 3, 30_000)
    older = rng.normal(40, 12, 30_000) - 3.6 * (arm == 2)
    moved = np.where((arm == 1) & (rng.random(30_000) < 0.2), "Bern", rng.choice(["Bern", "Graz"], 30_000)).astype(object)
    result = {column.column: column for column in compare_balance(arm, {"older": older, "moved": moved})}
    assert result["older"].gaps == pytest.approx((0, -0.3), abs=0.035)
    assert abs(result["older"].gaps[0]) < result["older"].expected_gap < 0.035
    shares = 0.5, 0.6  # of Bern in control and in arm 1
    assert abs(result["moved"].gaps[0]) == pytest.approx(0.1 / np.sqrt(np.mean(shares) * 0.5), rel=0.15)
    assert abs(result["moved"].gaps[0]) > result["moved"].expected_gap > abs(result["moved"].gaps[1])


def test_balance_is_as_rarely_alarmed_as_it_says() -> None:
    rng, p, over = np.random.default_rng(2), [], []
    for _ in range(400):
        arm = rng.integers(0, 3, 500)
        number, text = (
            compare_balance(arm, {"x": values})[0]
            for values in (rng.normal(size=500), rng.choice(list("abc"), 500).astype(object))
        )
        p.append(number.p)
        over.append([max(map(abs, column.gaps)) > column.expected_gap for column in (number, text)])
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.085
    assert (np.mean(over, axis=0) <= 0.085).all()
    assert (np.mean(over, axis=0) >= 0.01).all()
