"""So many alerts in 1,000 payments: the threshold keeps to the budget of the population, and finds what it finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perennial.contract.model import Money
from perennial.evaluation.decisions.alerts import AlertPolicy, evaluate_alerts, threshold
from perennial.report.pages.compose import compose
from tests.fakes.story import response_story

pytestmark = pytest.mark.unit
TIMES = 10  # one of so many honest payments was kept


def drawn(seed: int, n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, scores and weights of a sample in which 5 % are fraud."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.05).astype(np.float64)
    p = 1 / (1 + np.exp(-(rng.normal(size=n) + 3.5 * y - 4)))
    return y, p, np.where(y == 1, 1.0, TIMES)


def found(budget: float = 5.0, amount: np.ndarray | None = None) -> dict[str, Any]:
    _, p, weight = drawn(1)
    return evaluate_alerts((p, weight), drawn(2), amount, AlertPolicy(per_1000=budget), n=200, seed=1)


def test_the_best_that_does_not_fit_the_budget_is_where_alerts_end() -> None:
    p, weight = np.array([0.9, 0.8, 0.7, 0.1]), np.array([1.0, 1.0, 10.0, 988.0])
    assert threshold(p, weight, AlertPolicy(per_1000=2)) == 0.7
    assert threshold(p, weight, AlertPolicy(per_1000=12)) == 0.1
    assert threshold(p, weight, AlertPolicy(per_1000=1000)) == -np.inf


def test_alerts_are_counted_in_the_population_and_what_they_find_has_its_interval() -> None:
    y, p, weight = drawn(2)
    told = found()
    alert = p > told.threshold
    assert told.alerts_per_1000 == pytest.approx(1000 * weight[alert].sum() / weight.sum())
    assert told.alerts_per_1000 == pytest.approx(5, abs=2)
    assert told.frauds == int(y.sum())
    for name, value in (("recall", alert[y == 1].mean()), ("precision", np.average(y[alert], weights=weight[alert]))):
        assert told[name].value == pytest.approx(value)
        assert 0 <= told[name].low < told[name].value < told[name].high <= 1
    assert told.precision.value < y[alert].mean(), "an honest payment stands for many"


def test_more_alerts_find_more_and_are_wrong_more_often() -> None:
    few, many = found(2), found(40)
    assert few.recall.value < many.recall.value
    assert few.precision.value > many.precision.value


def test_what_was_found_in_money_weighs_frauds_by_their_amount() -> None:
    y, p, _ = drawn(2)
    amount = np.where(p > found().threshold, 100.0, 1.0)
    told = found(amount=amount)
    assert told.amount == pytest.approx(amount[y == 1].sum())
    assert told.amount_recall.value > told.recall.value
    assert "amount_recall" not in found()


def test_precision_falls_along_the_curve_and_stays_a_share() -> None:
    curve = found().curve
    assert curve.x[-1] == 1
    assert np.mean(curve.value[:20]) > np.mean(curve.value[-20:])
    for low, value, high in zip(curve.low, curve.value, curve.high, strict=True):
        assert 0 <= low <= value <= high <= 1


def test_the_report_says_how_many_alerts_a_hit_costs() -> None:
    story = response_story(money=False)
    told = story.contract.model_copy(update={"money": Money(alerts_per_1000=5.0)})
    summaries = {**story.summaries, "evaluate": {**story.evaluation, "alerts": found()}}
    page, what_to_do = compose(replace(story, contract=told, summaries=summaries))
    assert "of 1,000" in what_to_do
    for words in ("Frauds found", "Alerts that are fraud", "false alarm"):
        assert words in page
