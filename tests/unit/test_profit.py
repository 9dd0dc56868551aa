"""ContactPolicy: whom a threshold picks, what lists earn, and that nothing is earned twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.errors import InputError
from perennial.evaluation.decisions.profit import (
    ContactPolicy,
    choose_threshold,
    compare_plans,
    compare_profit,
    profit_curve,
    random_list_profit,
    select_best,
    select_contacts,
)
from perennial.evaluation.statistics.intervals import F64, total_interval
from perennial.results.evaluation import Plan

pytestmark = pytest.mark.unit

MONEY = ContactPolicy(value=40, cost=2, budget_share=0.4)


def drawn(n: int = 4_000, seed: int = 0) -> tuple[F64, F64]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(3 - 1.5 * rng.normal(size=n)))
    return (rng.random(n) < p).astype(np.float64), p


def by_name(result: list[Plan]) -> dict[str, Plan]:
    return {plan.name: plan for plan in result}


def test_a_threshold_is_break_even_or_what_the_budget_allows() -> None:
    p = np.array([0.9, 0.6, 0.3, 0.2, 0.04, 0.03, 0.02, 0.01, 0.01, 0.01])
    wide = choose_threshold(p, ContactPolicy(value=40, cost=2))
    assert (wide.threshold, wide.depth) == (0.05, 0.4)
    narrow = choose_threshold(p, ContactPolicy(value=40, cost=2, budget_share=0.2))
    assert (narrow.threshold, narrow.depth) == (0.3, 0.2)
    assert select_contacts(p, narrow, 0.2).tolist() == [True, True] + [False] * 8


def test_on_other_rows_the_budget_caps_the_threshold() -> None:
    _, p = drawn()
    chosen = choose_threshold(p, MONEY)
    richer = p**0.3
    who = select_contacts(richer, chosen, MONEY.budget_share)
    assert (richer > chosen.threshold).mean() > 0.9
    assert who.mean() == pytest.approx(0.4)
    assert richer[who].min() >= richer[~who].max()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=1, max_size=40), st.sampled_from([0.1, 0.3, 0.5, 1.0]))
def test_no_list_is_over_budget_or_below_break_even(tenths: list[int], share: float) -> None:
    p, money = np.array(tenths) / 10, ContactPolicy(value=10, cost=3, budget_share=share)
    chosen = choose_threshold(p, money)
    who = select_contacts(p, chosen, share)
    assert who.sum() <= share * len(p) + 1e-9
    assert (10 * p[who] > 3).all()
    assert chosen.depth == pytest.approx(who.mean())
    assert select_best(p, share, np.ones(len(p))).sum() == int(share * len(p) + 1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1_000), st.floats(1, 100), st.floats(0, 20))
def test_everyone_earns_all_responses_less_all_costs_and_nobody_nothing(seed: int, value: float, cost: float) -> None:
    y, p = drawn(50, seed)
    money = ContactPolicy(value=value, cost=cost, budget_share=0.5)
    result = by_name(compare_plans(y, p, choose_threshold(p, money), money))
    assert result["everyone"].profit.value == pytest.approx(value * y.sum() - cost * 50, abs=1e-9)
    assert (result["everyone"].contacted, result["nobody"].contacted) == (50, 0)
    nobody = result["nobody"].profit
    assert (nobody.value, nobody.low, nobody.high) == (0, 0, 0)
    curve = profit_curve(y, p, money, n=20, seed=1)
    assert (curve.value[0], curve.value[-1]) == (0, pytest.approx(result["everyone"].profit.value, abs=1e-9))


def test_five_plans_with_their_sizes() -> None:
    y, p = drawn()
    money = ContactPolicy(value=20, cost=2, budget_share=0.4)
    result = compare_plans(y, p, choose_threshold(p, money), money)
    assert [plan.name for plan in result] == ["chosen", "whole budget", "random", "everyone", "nobody"]
    named = by_name(result)
    assert named["whole budget"].contacted == 1_600
    assert named["random"].contacted == named["chosen"].contacted < 1_600
    targeted, untargeted = ("chosen", "whole budget"), ("random", "everyone", "nobody")
    assert min(named[t].profit.value for t in targeted) > max(named[u].profit.value for u in untargeted)
    assert named["chosen"].per_1000.value == pytest.approx(named["chosen"].profit.value / 4)


def test_a_random_list_earns_on_average_what_its_plan_says() -> None:
    y, p = drawn(2_000, 3)
    plan = by_name(compare_plans(y, p, choose_threshold(p, MONEY), MONEY))["random"]
    rng, size = np.random.default_rng(1), int(plan.contacted)
    gain = 40 * y - 2
    drawn_by_lot = [gain[rng.permutation(2_000)[:size]].sum() for _ in range(2_000)]
    assert np.mean(drawn_by_lot) == pytest.approx(plan.profit.value, abs=4 * np.std(drawn_by_lot) / np.sqrt(2_000))


def test_a_random_list_of_everyone_is_everyone() -> None:
    gain = 10 + np.random.default_rng(1).normal(size=500)
    result, everyone = random_list_profit(gain, 1, 0.95), total_interval(gain, 0.95)
    assert [result.value, result.low, result.high] == pytest.approx([everyone.value, everyone.low, everyone.high], rel=1e-3)
    assert random_list_profit(gain, 0.5, 0.95).high > everyone.value / 2 + 1.9 * 0.5 * 10 * np.sqrt(500)  # whom the lot picks


def test_a_plan_holds_the_truth_as_often_as_it_says() -> None:
    """Customers are drawn anew each time; the random list's interval also covers the draw of the list."""
    held_rows = {"chosen": 0, "random": 0, "everyone": 0}
    rng = np.random.default_rng(7)
    chosen = choose_threshold(drawn(200_000, 99)[1], MONEY)
    _, p_all = drawn(200_000, 98)
    worth = 40 * p_all - 2
    share = (p_all > chosen.threshold).mean()
    truth = {"chosen": (worth * (p_all > chosen.threshold)).mean(), "everyone": worth.mean(), "random": share * worth.mean()}
    for seed in range(400):
        y, p = drawn(1_000, seed)
        result = by_name(compare_plans(y, p, chosen, ContactPolicy(value=40, cost=2)))
        for name in ("chosen", "everyone"):
            held_rows[name] += result[name].profit.low <= 1_000 * truth[name] <= result[name].profit.high
        by_lot = (40 * y - 2)[rng.random(1_000) < share].sum()
        reach = (result["random"].profit.high - result["random"].profit.low) / 2
        held_rows["random"] += abs(by_lot - 1_000 * truth["random"]) <= reach
    assert all(0.90 <= count / 400 <= 0.98 for count in held_rows.values()), held_rows


def test_the_curve_at_the_budget_is_the_plan_of_the_whole_budget() -> None:
    y, p = drawn()
    curve = profit_curve(y, p, MONEY, n=300, seed=1)
    plan = by_name(compare_plans(y, p, choose_threshold(p, MONEY), MONEY))["whole budget"].profit
    at = int(np.flatnonzero(np.isclose(curve.x, 0.4))[0])
    assert curve.value[at] == pytest.approx(plan.value)
    assert curve.high[at] - curve.low[at] == pytest.approx(plan.high - plan.low, rel=0.2)


def test_lists_are_compared_by_the_customers_on_one_of_them_only() -> None:
    y, p = drawn()
    new, old = p > 0.1, p > 0.2
    result = compare_profit(y, new, old, MONEY, 0.99)
    between = (p > 0.1) & (p <= 0.2)
    assert result.value == pytest.approx((40 * y[between] - 2).sum())
    assert result.low < result.value < result.high
    same = compare_profit(y, new, new, MONEY, 0.99)
    assert (same.low, same.high) == (0, 0)


def test_a_weight_stands_for_as_many_customers() -> None:
    y, p = drawn(500, 5)
    weight = np.where(y == 1, 1.0, 4.0)
    copies = np.where(y == 1, 1, 4)
    one = by_name(compare_plans(y, p, choose_threshold(p, MONEY, weight), MONEY, weight))
    many = by_name(compare_plans(np.repeat(y, copies), np.repeat(p, copies), choose_threshold(p, MONEY, weight), MONEY))
    assert one["chosen"].contacted == pytest.approx(many["chosen"].contacted, abs=4)
    assert one["everyone"].profit.value == pytest.approx(many["everyone"].profit.value)
    assert one["everyone"].customers == many["everyone"].customers
    curve = profit_curve(y, p, MONEY, weight, n=20, seed=1)
    copied = profit_curve(np.repeat(y, copies), np.repeat(p, copies), MONEY, n=20, seed=1)
    assert curve.value == pytest.approx(copied.value)


def test_what_an_honest_model_expects_is_what_its_list_earns() -> None:
    y, p = drawn(40_000, 6)
    chosen = choose_threshold(p, MONEY)
    who = select_contacts(p, chosen, MONEY.budget_share)
    earned = by_name(compare_plans(y, p, chosen, MONEY))["chosen"].per_1000
    assert earned.low <= 1000 * float((MONEY.value * p - MONEY.cost)[who].sum()) / len(p) <= earned.high


@pytest.mark.parametrize(("value", "cost", "share"), [(0, 1, 1), (1, -1, 1), (1, 1, 0), (1, 1, 1.5)])
def test_money_that_makes_no_sense_is_refused(value: float, cost: float, share: float) -> None:
    with pytest.raises(InputError, match=f"value {value:g}, cost {cost:g}, budget share {share:g}: a value above 0"):
        ContactPolicy(value=value, cost=cost, budget_share=share)
