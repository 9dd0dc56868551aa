"""Uplift and policies, against the definition, against the simulator's truth and on a published campaign."""

from __future__ import annotations

import csv
import gzip
import os
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from perennial.errors import InputError
from perennial.evaluation.decisions.policy import (
    MessagePolicy,
    choose_by_response,
    choose_messages,
    compare_policies,
    estimate_rewards,
    estimate_worth,
    expected_gain,
    find_best_single,
    rank_messages,
    send_to_all,
    worth_by_depth,
)
from perennial.evaluation.statistics.intervals import F64, bootstrap, z_of
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.randomization import sample_ratio_p
from perennial.evaluation.statistics.slices import compare_slices
from perennial.evaluation.statistics.uplift import (
    Arms,
    arm_qini,
    check_campaign,
    compare_rankings,
    draw_strata,
    effect_by_decile,
    estimate_effect,
    qini,
    qini_curve,
)
from perennial.gallery.simulator.draws import Population
from perennial.gallery.simulator.response import MESSAGES
from tests.fakes.simulator import compute_truth

pytestmark = pytest.mark.unit

DATA = Path(os.environ.get("PERENNIAL_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
OFFER = MessagePolicy(value=40, costs=(0, 2, 2))
LOTTERY = (0.2, 0.4, 0.4)


@cache
def simulated(seed: int = 1, n: int = 20_000) -> tuple[F64, Arms, F64]:
    """Outcomes, arms, and the true chances under each: what a perfect model would score."""
    result = compute_truth(Population(seed=seed, first=0, n=n, month=0, concept=0))
    arm = np.array([MESSAGES.index(message) for message in result["message"]])
    chances = np.stack([result["p0"], result["p_discover"], result["p_reward"]], axis=1)
    return result["responded"].astype(np.float64), arm, chances


def true_rewards(chances: F64) -> F64:
    return np.asarray(OFFER.value * chances - np.array(OFFER.costs))


def nobody(n: int) -> Arms:
    return send_to_all(0, n)


def test_the_qini_figure_is_the_definition_row_by_row() -> None:
    rng = np.random.default_rng(1)
    y, arm, ranking = (rng.random(300) < 0.3).astype(float), rng.integers(0, 3, 300), rng.permutation(300).astype(float)
    order = [i for i in np.argsort(-ranking) if arm[i] != 1]
    heights, (n_t, n_c, y_t, y_c) = [0.0], (0, 0, 0.0, 0.0)
    size = sum(arm[i] == 2 for i in order)
    for i in order:
        n_t, n_c = n_t + (arm[i] == 2), n_c + (arm[i] == 0)
        y_t, y_c = y_t + y[i] * (arm[i] == 2), y_c + y[i] * (arm[i] == 0)
        heights.append((y_t - (y_c * n_t / n_c if n_c else 0)) / size)
    expected = np.trapezoid(heights, dx=1 / len(order)) - heights[-1] / 2
    assert float(arm_qini(y, ranking, np.ones(300), arm=arm, k=2)) == pytest.approx(expected)
    curve = qini_curve(y, arm, ranking, 2, n=20, seed=1)
    assert (curve.value[0], curve.value[-1]) == (0, pytest.approx(heights[-1]))
    assert heights[-1] == pytest.approx(estimate_effect(y, arm, 2, 0.95).value)


def test_a_ranking_by_lot_has_no_qini_and_turning_a_ranking_turns_its_sign() -> None:
    y, arm, chances = simulated()
    ones, true_effect = np.ones(len(y)), chances[:, 1] - chances[:, 0]
    forward, back = (float(arm_qini(y, s * true_effect, ones, arm=arm, k=1)) for s in (1, -1))
    assert forward == pytest.approx(-back, abs=1e-3)
    assert float(arm_qini(y, ones, ones, arm=arm, k=1)) == pytest.approx(0, abs=1e-12)
    rng = np.random.default_rng(1)
    lots = [float(arm_qini(y, rng.random(len(y)), ones, arm=arm, k=1)) for _ in range(50)]
    assert abs(np.mean(lots)) < 4 * np.std(lots) / np.sqrt(50)
    assert forward > 4 * np.std(lots)


def test_weights_are_copies_and_matrices_of_weights_are_as_many_figures() -> None:
    y, arm, chances = simulated(n=2_000)
    times = np.random.default_rng(1).integers(1, 4, len(y))
    metric = partial(qini, arm=arm)
    both = metric(y, chances, np.stack([np.ones(len(y)), times.astype(float)]))
    rows = np.repeat(np.arange(len(y)), times)
    copied = qini(y[rows], chances[rows], np.ones(len(rows)), arm=arm[rows])
    assert both == pytest.approx([float(metric(y, chances, np.ones(len(y)))), float(copied)])


def test_the_figure_of_a_campaign_is_the_mean_over_its_messages() -> None:
    y, arm, chances = simulated(n=2_000)
    ones = np.ones(len(y))
    each = [float(arm_qini(y, chances[:, k] - chances[:, 0], ones, arm=arm, k=k)) for k in (1, 2)]
    assert float(qini(y, chances, ones, arm=arm)) == pytest.approx(np.mean(each))
    assert each[0] != pytest.approx(each[1])
    sizes = np.unique(draw_strata(y, arm), return_counts=True)[1]
    assert sizes.tolist() == [int(((arm == a) & (y == won)).sum()) for a in range(3) for won in (0, 1)]


def test_shuffled_arms_leave_nothing_to_find() -> None:
    y, arm, chances = simulated()
    rng, z = np.random.default_rng(1), []
    for _ in range(20):
        shuffled = rng.permutation(arm)
        metric = partial(qini, arm=shuffled)
        result = bootstrap(partial(metric, y, chances), len(y), draw_strata(y, shuffled), n=100, seed=1, level=0.95)
        z.append(abs(result.value) / ((result.high - result.low) / 2 / z_of(0.95)))
    assert np.mean(z) < 1.2
    assert max(z) < 3.5


def test_the_bootstrap_of_the_mean_qini_knows_its_own_error() -> None:
    result = []
    for seed in range(60):
        y, arm, chances = simulated(seed + 10, 2_000)
        result.append(PairedComparison(metric="qini", y=y, arm=arm, resamples=100, seed=1).estimate(chances, 0.95))
    claimed = np.mean([(f.high - f.low) / 2 / z_of(0.95) for f in result])
    spread = np.std([f.value for f in result], ddof=1)
    assert claimed == pytest.approx(spread, rel=0.3), (claimed, spread)


def test_the_mean_qini_tells_a_model_from_a_worse_one() -> None:
    y, arm, chances = simulated()
    comparison = PairedComparison(metric="qini", y=y, arm=arm, resamples=200, seed=1)
    response_only = np.stack([np.zeros(len(y)), *2 * [chances[:, 1:].mean(axis=1)]], axis=1)
    assert comparison.estimate(chances, 0.99).low > 0
    assert comparison.better_by(chances, response_only, 0.99).low > 0
    groups = {"half": np.where(np.arange(len(y)) % 2 == 0, "even", "odd"), "few": np.where(arm * y == 1, "a", "b")}
    result = {s.value: s.better_by for s in compare_slices(comparison, groups, chances, response_only)}
    assert [result[name] is None for name in ("even", "odd", "a", "b")] == [False, False, True, False]


def test_effects_and_tenths_hold_the_truth() -> None:
    y, arm, chances = simulated()
    true_effects = (chances - chances[:, :1]).mean(axis=0)
    for k in (1, 2):
        result = estimate_effect(y, arm, k, 0.99)
        assert result.low <= true_effects[k] <= result.high
        tenths = effect_by_decile(y, arm, chances, k)
        assert len(tenths) == 10
        assert sum(t.n for t in tenths) == (arm != 3 - k).sum()
        assert [t.predicted for t in tenths] == sorted(t.predicted for t in tenths)
        held_rows = sum(t.observed.low <= t.predicted <= t.observed.high for t in tenths)
        assert held_rows >= 8, (k, held_rows)


def test_effect_rankings_win_the_race_for_discover_only() -> None:
    """Reward moves most those who respond anyway; discover annoys the known customers."""
    y, arm, chances = simulated()
    first, second = (compare_rankings(y, arm, chances, k, n=200, seed=1, level=0.99) for k in (1, 2))
    assert first.gain.low > 0
    assert first.rank_by == "effect"
    assert second.gain.low < 0 < second.gain.high
    assert second.rank_by == "response", "as good, and simpler"
    ones = np.ones(len(y))
    for result, k in ((first, 1), (second, 2)):
        rankings = chances[:, k] - chances[:, 0], chances[:, k]
        by_effect, by_response = (float(arm_qini(y, ranking, ones, arm=arm, k=k)) for ranking in rankings)
        assert [result.by_effect.value, result.by_response.value] == pytest.approx([by_effect, by_response])
        assert result.gain.value == pytest.approx(by_effect - by_response)
        apart = result.by_effect.high - result.by_effect.low + result.by_response.high - result.by_response.low
        assert result.gain.high - result.gain.low < apart, "both rankings meet the same resamples"


def test_equal_arms_show_nothing() -> None:
    """A message without any effect, to customers who differ: what a race finds of it is chance, as often as it says."""
    rng, result = np.random.default_rng(1), []
    for seed in range(40):
        chance, noise = rng.beta(2, 5, 3_000), rng.normal(0, 0.05, (3_000, 2))
        y, arm = (rng.random(3_000) < chance).astype(np.float64), rng.integers(0, 2, 3_000)
        result.append(compare_rankings(y, arm, chance[:, None] + noise, 1, n=100, seed=seed, level=0.95))
    alarms = [sum(figure.low > 0 for figure in column) for column in zip(*((f.by_effect, f.gain) for f in result), strict=True)]
    assert max(alarms) <= 4, alarms
    assert sum(f.rank_by == "effect" for f in result) <= 3


def spenders(seed: int, n: int) -> tuple[F64, Arms, F64]:
    """Rare amounts under no message and two, and what is to be expected of each customer: the second moves the young."""
    rng = np.random.default_rng(seed)
    young = rng.random(n)
    means = np.stack([0.5 + 0 * young, 0.7 + 0 * young, 0.5 + 1.5 * (young > 0.7)], axis=1)
    arm = rng.integers(0, 3, n)
    share = 0.05  # who spends at all
    y = (rng.random(n) < share) * means[np.arange(n), arm] / share * rng.gamma(2, 0.5, n)
    return y, arm, means


def test_effects_on_amounts_hold_the_truth_as_often_as_they_say() -> None:
    held_rows = np.zeros(2)
    for seed in range(200):
        y, arm, means = spenders(seed, 2_000)
        gains = means.mean(axis=0) - means[:, 0].mean()
        for k in (1, 2):
            result = estimate_effect(y, arm, k, 0.95)
            held_rows[k - 1] += result.low <= gains[k] <= result.high
    assert ((held_rows >= 0.9 * 200) & (held_rows <= 0.985 * 200)).all(), held_rows


def test_a_ranking_by_effect_on_amounts_is_found_and_its_worth_is_money() -> None:
    y, arm, means = spenders(1, 40_000)
    flat, sharp = (compare_rankings(y, arm, means, k, n=100, seed=1, level=0.95) for k in (1, 2))
    assert sharp.by_effect.low > 0
    assert flat.by_effect.value == 0, "all are moved alike: one rank"
    assert (draw_strata(y, arm) == arm).all(), "how often a large amount is drawn is what is uncertain"
    offer = MessagePolicy(value=1, costs=(0, 0.1, 0.1))
    result = estimate_rewards(y, arm, means, offer)
    chosen = choose_messages(means, offer)
    assert (chosen == 2).mean() == pytest.approx(0.3, abs=0.01)
    truth = 1000 * np.mean(means[np.arange(len(y)), chosen] - means[:, 0] - 0.1)
    estimate = estimate_worth(result, chosen, nobody(len(y)), 0.99)
    assert estimate.low <= truth <= estimate.high
    assert estimate.low > 0


def test_the_oracle_policy_is_the_simulators() -> None:
    for seed in (1, 2):
        _, _, chances = simulated(seed)
        n, gains = len(chances), true_rewards(chances)
        chosen = choose_messages(chances, OFFER)
        assert np.bincount(chosen) / n == pytest.approx([0.62, 0.13, 0.25], abs=0.01)
        assert 960 <= estimate_worth(gains, chosen, nobody(n), 0.95).value <= 1_025
        assert -1_810 <= estimate_worth(gains, send_to_all(1, n), nobody(n), 0.95).value <= -1_730
        assert -730 <= estimate_worth(gains, send_to_all(2, n), nobody(n), 0.95).value <= -690
        pooled = np.repeat(chances[:, 1:].mean(axis=1)[:, None], 3, axis=1)
        response = estimate_worth(gains, choose_by_response(pooled, 2, int(0.3 * n)), nobody(n), 0.95).value
        assert 200 <= response <= 245  # less than a quarter of the oracle: it believes in everyone likely to respond


def test_the_doubly_robust_worth_holds_the_truth_however_wrong_the_scores() -> None:
    y, arm, chances = simulated()
    n, gains = len(y), true_rewards(chances)
    chosen = choose_messages(chances, OFFER)
    for scores in (chances, np.zeros_like(chances), np.full_like(chances, 0.9)):
        result = estimate_rewards(y, arm, scores, OFFER, LOTTERY)
        for rival in (nobody(n), send_to_all(2, n)):
            estimate = estimate_worth(result, chosen, rival, 0.99)
            assert estimate.low <= estimate_worth(gains, chosen, rival, 0.99).value <= estimate.high
    robust, plain = (
        estimate_worth(estimate_rewards(y, arm, scores, OFFER, LOTTERY), chosen, nobody(n), 0.95)
        for scores in (chances, np.zeros_like(chances))
    )
    assert robust.high - robust.low < plain.high - plain.low
    assert estimate_rewards(y, arm, chances, OFFER) == pytest.approx(
        estimate_rewards(y, arm, chances, OFFER, tuple(np.bincount(arm) / n)), abs=1e-12
    )


def test_its_interval_holds_the_truth_as_often_as_it_says() -> None:
    _, _, chances = simulated(3, 4_000)
    gains, chosen, rng, held_rows = true_rewards(chances), choose_messages(chances, OFFER), np.random.default_rng(1), 0
    for _ in range(400):
        rows = rng.integers(4_000, size=1_000)
        arm = rng.choice(3, size=1_000, p=LOTTERY)
        y = (rng.random(1_000) < chances[rows, arm]).astype(np.float64)
        result = estimate_worth(estimate_rewards(y, arm, chances[rows], OFFER, LOTTERY), chosen[rows], nobody(1_000), 0.95)
        held_rows += result.low <= estimate_worth(gains, chosen, nobody(4_000), 0.95).value <= result.high
    assert 0.91 <= held_rows / 400 <= 0.98


def test_policies_of_one_campaign() -> None:
    y, arm, chances = simulated()
    result = estimate_rewards(y, arm, chances, OFFER, LOTTERY)
    plans = {plan.name: plan for plan in compare_policies(result, chances, OFFER)}
    assert list(plans) == ["choice", "response", "random", "all 1", "all 2", "nobody"]
    assert find_best_single(result) == 2
    assert plans["choice"].contacted == plans["response"].contacted == plans["random"].contacted
    assert (plans["all 1"].contacted, plans["nobody"].contacted) == (20_000, 0)
    assert plans["choice"].per_1000.value == pytest.approx(
        estimate_worth(result, choose_messages(chances, OFFER), nobody(20_000), 0.95).value
    )
    profits = {name: plan.profit.value for name, plan in plans.items()}
    assert profits["choice"] > profits["response"] > profits["nobody"] == 0 > profits["random"] > profits["all 2"]


def test_a_budget_keeps_the_customers_with_most_to_gain() -> None:
    _, _, chances = simulated()
    free, capped = (
        choose_messages(chances, OFFER),
        choose_messages(chances, MessagePolicy(value=40, costs=(0, 2, 2), budget_share=0.1)),
    )
    assert (capped > 0).sum() == 2_000
    assert (free[capped > 0] == capped[capped > 0]).all()
    gain = expected_gain(chances, OFFER).max(axis=1)
    assert gain[capped > 0].min() >= gain[capped == 0].max()
    dear = choose_messages(chances, MessagePolicy(value=40, costs=(0, 2, 20)))
    assert (dear == 2).sum() < (free == 2).sum() / 10


def test_the_curve_by_depth_passes_through_the_policies() -> None:
    y, arm, chances = simulated()
    result = estimate_rewards(y, arm, chances, OFFER, LOTTERY)
    ranking, send = rank_messages(chances, OFFER)
    curve = worth_by_depth(result, ranking, send, n=100, seed=1)
    plans = {plan.name: plan for plan in compare_policies(result, chances, OFFER)}
    depth = plans["choice"].contacted / 20_000
    assert np.interp(depth, curve.x, curve.value) == pytest.approx(plans["choice"].profit.value, rel=0.01)
    single = worth_by_depth(result, chances[:, 2], send_to_all(2, 20_000), n=100, seed=1)
    assert single.value[-1] == pytest.approx(plans["all 2"].profit.value)
    assert ((curve.low <= curve.value) & (curve.value <= curve.high)).all()


def test_campaigns_that_do_not_fit_are_refused() -> None:
    y, arm, scores = np.array([0.0, 1, 0, 1]), np.array([0, 0, 1, 1]), np.full((4, 2), 0.1)
    assert len(check_campaign(y, arm, scores)[0]) == 4
    with pytest.raises(InputError, match=r"outcomes \(4,\), arms \(4,\), scores \(4, 1\)"):
        check_campaign(y, arm, scores[:, :1])
    with pytest.raises(InputError, match="an outcome or a score is not finite"):
        check_campaign(np.where(y == 1, np.nan, y), arm, scores)
    with pytest.raises(InputError, match="arm 2 has 0 rows: every message and the control group need two"):
        check_campaign(y, arm, np.full((4, 3), 0.1))
    with pytest.raises(InputError, match="arms run from 1 to 2, yet there are scores for 2"):
        check_campaign(y, arm + 1, scores)
    with pytest.raises(InputError, match="message 1 has 1 rows against 2 of control: each needs two"):
        estimate_effect(y[:3], arm[:3], 1, 0.95)
    with pytest.raises(InputError, match="3 costs and 2 shares for 2 arms: give one an arm"):
        estimate_rewards(y, arm, scores, OFFER)
    with pytest.raises(InputError, match=r"value 1, costs \(1, 2\), budget share 1: a value above 0"):
        MessagePolicy(value=1, costs=(1, 2))


def test_figures_on_a_published_campaign_have_the_known_scale() -> None:
    """Hillstrom's e-mails, visits: a T-learner of logistic regressions, out of fold."""
    path = DATA / "hillstrom_email" / "hillstrom.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not here: set PERENNIAL_TEST_DATA to the folder that holds hillstrom_email/")
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    arm = np.array([("No E-Mail", "Mens E-Mail", "Womens E-Mail").index(row["segment"]) for row in rows])
    y = np.array([float(row["visit"]) for row in rows])
    numbers = [[float(row[c]) for c in ("recency", "history", "mens", "womens", "newbie")] for row in rows]
    texts = [[float(row["channel"] == c) for c in ("Phone", "Web")] + [float(row["zip_code"] == "Rural")] for row in rows]
    x = np.hstack([np.array(numbers), np.array(texts)])
    x[:, 1] = np.log1p(x[:, 1])
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    scores, fold = np.zeros((len(y), 3)), np.random.default_rng(0).integers(5, size=len(y))
    for f in range(5):
        for k in range(3):
            fit = LogisticRegression().fit(x[(fold != f) & (arm == k)], y[(fold != f) & (arm == k)])
            scores[fold == f, k] = fit.predict_proba(x[fold == f])[:, 1]
    ones = np.ones(len(y))
    womens = float(arm_qini(y, scores[:, 2] - scores[:, 0], ones, arm=arm, k=2))
    mens_by_response = float(arm_qini(y, scores[:, 1], ones, arm=arm, k=1))
    assert [womens, mens_by_response] == pytest.approx([0.0074, 0.0039], abs=0.001)
    assert compare_rankings(y, arm, scores, 2, n=100, seed=1, level=0.95).gain.low > 0
    assert compare_rankings(y, arm, scores, 1, n=100, seed=1, level=0.95).gain.high < 0
    assert [estimate_effect(y, arm, k, 0.95).value for k in (1, 2)] == pytest.approx([0.0766, 0.0452], abs=1e-4)
    assert sample_ratio_p(arm, (1, 1, 1)) == pytest.approx(0.90, abs=0.01)
