"""Who is held back, drawn by lot from who they are, and what a control group of that size can show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from perennial.errors import InputError
from perennial.evaluation.statistics.holdout import GROUPS, HoldoutDesign, draw_groups, draw_messages, least_detectable_effect

pytestmark = pytest.mark.unit


@given(
    n=st.integers(8, 300),
    chosen=st.integers(5, 300),
    control=st.floats(0.3, 0.6),
    explore=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_everyone_is_in_one_group_of_the_planned_size_in_whatever_order_they_come(
    n: int, chosen: int, control: float, explore: float, seed: int
) -> None:
    rng, chosen = np.random.default_rng(seed), min(chosen, n)
    keys, is_chosen = [f"k{i}" for i in range(n)], np.arange(n) < chosen
    lottery = HoldoutDesign(control=control, explore=explore)
    assume(2 <= round(control * chosen) <= chosen - 2)
    group = draw_groups("spring", keys, is_chosen, lottery)
    sizes = {name: int((group == name).sum()) for name in GROUPS}
    assert sum(sizes.values()) == n
    assert sizes["control"] == round(control * chosen) == chosen - sizes["treated"]
    assert sizes["explore"] + sizes["explore_control"] == round(explore * (n - chosen))
    assert np.isin(group[is_chosen], ["treated", "control"]).all()
    order = rng.permutation(n)
    again = draw_groups("spring", [keys[i] for i in order], is_chosen[order], lottery)
    assert (again == group[order]).all()


def test_two_campaigns_draw_apart_and_so_do_the_lotteries_of_one() -> None:
    keys, everyone = [str(i) for i in range(4_000)], np.ones(4_000, dtype=bool)
    spring, autumn = (draw_groups(name, keys, everyone, HoldoutDesign(control=0.5)) == "control" for name in ("spring", "autumn"))
    message = draw_messages("spring", keys, 2)
    assert np.bincount(message).tolist() == [2_000, 2_000]
    for one, other in ((spring, autumn), (spring, message == 1)):
        table = [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), (~one & ~other).sum()]]
        assert chi2_contingency(table).pvalue > 0.001


def test_a_size_asked_for_is_held_back_and_an_impossible_one_is_refused() -> None:
    keys, everyone = [str(i) for i in range(1_000)], np.ones(1_000, dtype=bool)
    assert (draw_groups("c", keys, everyone, HoldoutDesign(control=0.1, min_control=300)) == "control").sum() == 300
    assert (draw_groups("c", keys, everyone, HoldoutDesign(control=0.0)) == "treated").all()
    for lottery in (HoldoutDesign(control=0.0, min_control=999), HoldoutDesign(control=0.001)):
        with pytest.raises(InputError, match=r"of 1000 chosen customers would be held back: two or more are needed"):
            draw_groups("c", keys, everyone, lottery)


def test_an_effect_of_the_detectable_size_is_seen_four_times_in_five() -> None:
    """A rate of 10 % and 500 held back of 5,000, against 4,000 simulated campaigns."""
    rate, treated, control = 0.10, 4_500, 500
    least = least_detectable_effect(rate, treated, control)
    assert least == pytest.approx(0.0396, abs=0.0001)
    rng = np.random.default_rng(1)
    low, high = (rate - least * treated / 5_000, rate + least * control / 5_000)  # both near the rate, as the formula has it
    p_t, p_c = rng.binomial(treated, high, 4_000) / treated, rng.binomial(control, low, 4_000) / control
    error = np.sqrt(p_t * (1 - p_t) / treated + p_c * (1 - p_c) / control)
    observed = float((np.abs(p_t - p_c) / error > 1.96).mean())
    assert 0.76 < observed < 0.92
    assert least_detectable_effect(rate, treated, 0) == np.inf
