"""What is told of a response task where rows stand for more than themselves: as of the population, row by row."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from perennial.evaluation.decisions.profit import ContactPolicy
from perennial.evaluation.decisions.response import evaluate_response
from perennial.evaluation.statistics import metrics
from perennial.evaluation.statistics.choice import Labelled, Resampling
from perennial.evaluation.statistics.intervals import F64
from perennial.results.binary import BinaryEvaluation

pytestmark = pytest.mark.unit

TIMES = 20  # one of so many rows without a response was kept
FEW = Resampling(n=100, seed=1)
MONEY = ContactPolicy(value=40.0, cost=2.0, budget_share=0.3)


def drawn(n: int, seed: int) -> tuple[F64, dict[str, F64]]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(1.5 - 1.6 * rng.normal(size=n)))
    y = (rng.random(n) < p).astype(np.float64)
    odds = p / (1 - p) / TIMES  # of the population
    scores = {"linear": odds / (1 + odds), "boosted": odds**1.2, "deep": odds / (1 + odds) * rng.lognormal(0, 0.3, n)}
    return y, {family: np.minimum(score, 0.99) for family, score in scores.items()}


@cache
def evaluate(is_sample: bool) -> BinaryEvaluation:
    """Of a sample with weights, or of the rows that it stands for, one by one."""
    parts = []
    for seed in (1, 2):
        y, scores = drawn(1500, seed)
        times = np.where(y == 1, 1, TIMES)
        if is_sample:
            parts.append(Labelled(y=y, scores=scores, weight=times.astype(np.float64)))
        else:
            parts.append(Labelled(y=np.repeat(y, times), scores={f: np.repeat(s, times) for f, s in scores.items()}))
    return evaluate_response(parts[0], parts[1], "ap", MONEY, {}, FEW)


@pytest.mark.parametrize("metric", ["auc", "ap", "log_loss", "brier"])
def test_figures_of_a_sample_are_those_of_its_population(metric: str) -> None:
    for family in ("linear", "boosted", "deep"):
        sample, population = (evaluate(is_sample).families[family] for is_sample in (True, False))
        assert sample.test[metric].value == pytest.approx(population.test[metric].value)
        assert sample.val[metric] == pytest.approx(population.val[metric])
    assert evaluate(True).candidate.val == pytest.approx(evaluate(False).candidate.val)
    lift = [evaluate(is_sample).families["linear"].lift_10 for is_sample in (True, False)]
    assert lift[0] == pytest.approx(lift[1])


def test_the_figure_of_the_sample_itself_is_told_by_its_own_name() -> None:
    y, scores = drawn(1500, 2)
    result = evaluate(True).families["linear"].test
    assert result["ap_sample"].value == pytest.approx(metrics.measure("ap", y, scores["linear"]))
    assert result["ap_sample"].value > result["ap"].value + 0.2
    assert "ap_sample" not in evaluate(False).families["linear"].test


def test_a_sample_does_not_pretend_to_know_what_a_population_knows() -> None:
    """Its interval is that of its own rows."""
    widths = [
        figure.high - figure.low for figure in (evaluate(is_sample).families["linear"].test["ap"] for is_sample in (True, False))
    ]
    assert widths[0] > widths[1]


def test_curves_and_calibration_are_of_the_population() -> None:
    sample, population = evaluate(True), evaluate(False)
    for name in ("linear", "deep"):
        np.testing.assert_allclose(sample.gains[name].value, population.gains[name].value, atol=1e-9)
    assert sample.calibration.value == pytest.approx(population.calibration.value, abs=0.004)
    assert sample.calibration.value < 0.02
    shared = {b.left: b for b in population.calibration.bins}
    observed = 0
    for result in sample.calibration.bins:
        assert result.predicted == pytest.approx(shared[result.left].predicted)
        assert result.observed.value == pytest.approx(shared[result.left].observed.value)
        observed += 1
    assert observed >= 5


def test_chances_that_are_right_sum_to_what_happened_and_beat_telling_everyone_the_mean() -> None:
    """Of a sample as of its population; scores that say nothing have a normalised entropy of 1."""
    sums = [evaluate(is_sample).calibration.predicted_over_actual.value for is_sample in (True, False)]
    assert sums[0] == pytest.approx(sums[1])
    for is_sample in (True, False):
        entropy = evaluate(is_sample).families["linear"].test["normalised_entropy"]
        assert 0 < entropy.low < entropy.value < entropy.high < 1
    y, scores = drawn(800, 4)
    mean = {family: np.full(800, y.mean()) for family in scores}
    half = evaluate_response(
        Labelled(y=y, scores=mean), Labelled(y=y, scores={f: p / 2 for f, p in mean.items()}), "auc", None, {}, FEW
    )
    assert half.calibration.predicted_over_actual.value == pytest.approx(0.5)
    same = evaluate_response(Labelled(y=y, scores=mean), Labelled(y=y, scores=mean), "auc", None, {}, FEW)
    assert same.families["deep"].test["normalised_entropy"].value == pytest.approx(1)


def test_a_budget_is_a_share_of_the_population() -> None:
    sample, population = evaluate(True).profit, evaluate(False).profit
    assert sample.threshold == pytest.approx(population.threshold)
    assert sample.depth == pytest.approx(population.depth, abs=1e-3)
    assert 0 < sample.depth <= 0.31
    np.testing.assert_allclose(sample.curve.value, population.curve.value, rtol=1e-6, atol=1e-6)
    plans = [{plan.name: plan for plan in result.plans} for result in (sample, population)]
    assert plans[0].keys() == plans[1].keys()
    for name in ("chosen", "everyone", "nobody"):
        assert plans[0][name].profit.value == pytest.approx(plans[1][name].profit.value, rel=1e-6), name


def test_equal_weights_are_no_weights_and_all_is_plain_json() -> None:
    y, scores = drawn(800, 4)
    plain, weighed = (
        evaluate_response(Labelled(y=y, scores=scores, weight=w), Labelled(y=y, scores=scores, weight=w), "auc", None, {}, FEW)
        for w in (None, np.ones(800))
    )
    assert plain.candidate == weighed.candidate
    assert plain.calibration.bins == weighed.calibration.bins
    json.dumps([one.model_dump(mode="json") for one in (evaluate(True), plain)], allow_nan=False)


def test_the_share_of_a_group_stands_beside_what_was_predicted_unless_rows_stand_for_more_than_themselves() -> None:
    y, scores = drawn(1500, 3)
    groups = {"town": np.array(["Graz"] * 40 + ["Linz"] * 1440 + ["Wien"] * 20)}
    for weight in (None, np.where(y == 1, 1.0, TIMES)):
        part = Labelled(y=y, scores=scores, weight=weight)
        result = {row.value: row for row in evaluate_response(part, part, "auc", None, groups, FEW).slices}
        assert [(result[town].observed is not None) for town in ("Graz", "Linz", "Wien")] == [weight is None] * 2 + [False]
        if weight is None:
            family = evaluate_response(part, part, "auc", None, groups, FEW).candidate.family
            assert result["Linz"].observed.value == y[40:1480].mean()
            assert result["Linz"].predicted == pytest.approx(scores[family][40:1480].mean())
            assert result["Graz"].observed.low < y[:40].mean() < result["Graz"].observed.high
            assert 0.8 * 2 * 1.96 * np.sqrt(0.25 * 0.75 / 1440) < _width(result["Linz"].observed) < 0.06


def _width(result: dict[str, float]) -> float:
    return result.high - result.low
