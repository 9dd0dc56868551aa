"""So many alerts in 1,000 payments: the threshold keeps to the budget of the population, and finds what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from perennial.evaluation.decisions.alerts import evaluate_alerts, threshold
from perennial.evaluation.statistics.choice import Resampling
from perennial.report.pages.compose import compose
from perennial.results.binary import AlertFigures
from perennial.results.figures import Interval
from tests.fakes.reports import alerts_report, with_evaluation

pytestmark = pytest.mark.unit
TIMES = 10  # one of so many honest payments was kept


def drawn(seed: int, n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, scores and weights of a sample in which 5 % are fraud."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.05).astype(np.float64)
    p = 1 / (1 + np.exp(-(rng.normal(size=n) + 3.5 * y - 4)))
    return y, p, np.where(y == 1, 1.0, TIMES)


def figures(budget: float = 5.0, amount: np.ndarray | None = None) -> AlertFigures:
    _, p, weight = drawn(1)
    return evaluate_alerts((p, weight), drawn(2), amount, budget, Resampling(n=200, seed=1))


def test_the_best_that_does_not_fit_the_budget_is_where_alerts_end() -> None:
    p, weight = np.array([0.9, 0.8, 0.7, 0.1]), np.array([1.0, 1.0, 10.0, 988.0])
    assert threshold(p, weight, 2) == 0.7
    assert threshold(p, weight, 12) == 0.1
    assert threshold(p, weight, 1000) == -np.inf


def test_alerts_are_counted_in_the_population_and_what_they_find_has_its_interval() -> None:
    y, p, weight = drawn(2)
    alerts = figures()
    alert = p > alerts.threshold
    assert alerts.alerts_per_1000 == pytest.approx(1000 * weight[alert].sum() / weight.sum())
    assert alerts.alerts_per_1000 == pytest.approx(5, abs=2)
    assert alerts.frauds == int(y.sum())
    for name, value in (("recall", alert[y == 1].mean()), ("precision", np.average(y[alert], weights=weight[alert]))):
        share = getattr(alerts, name)
        assert share.value == pytest.approx(value)
        assert 0 <= share.low < share.value < share.high <= 1
    assert alerts.precision.value < y[alert].mean(), "an honest payment stands for many"


def test_more_alerts_find_more_and_are_wrong_more_often() -> None:
    few, many = figures(2), figures(40)
    assert few.recall.value < many.recall.value
    assert few.precision.value > many.precision.value


def test_what_was_found_in_money_weighs_frauds_by_their_amount() -> None:
    y, p, _ = drawn(2)
    amount = np.where(p > figures().threshold, 100.0, 1.0)
    alerts = figures(amount=amount)
    assert alerts.amount == pytest.approx(amount[y == 1].sum())
    assert alerts.amount_recall is not None
    assert alerts.amount_recall.value > alerts.recall.value
    assert figures().amount_recall is None


def test_precision_falls_along_the_curve_and_stays_a_share() -> None:
    curve = figures().curve
    assert curve.x[-1] == 1
    assert np.mean(curve.value[:20]) > np.mean(curve.value[-20:])
    for low, value, high in zip(curve.low, curve.value, curve.high, strict=True):
        assert 0 <= low <= value <= high <= 1


def test_the_curve_has_a_precision_for_each_recall() -> None:
    curve = figures().curve
    assert len(curve.x) == len(curve.value) == len(curve.low) == len(curve.high)


def test_the_report_says_how_many_alerts_a_hit_costs() -> None:
    report = alerts_report()
    page, what_to_do = compose(report)
    alerts = report.evaluation.alerts
    assert alerts is not None
    false = (1 - alerts.precision.value) / alerts.precision.value
    assert "Check 2 of every 1,000 payments" in what_to_do
    assert f"with {false:.1f} false alarms per fraud found" in what_to_do
    for words in ("Frauds found", "Alerts that are fraud", "Of the money"):
        assert words in page


def test_alerts_that_find_no_fraud_are_false_alarms_only() -> None:
    report = alerts_report("REJECT", stopped_by="minimum")
    alerts = report.evaluation.alerts
    assert alerts is not None
    nothing = alerts.model_copy(update=dict.fromkeys(("precision", "recall"), Interval(value=0, low=0, high=0.01)))
    page, _ = compose(with_evaluation(report, alerts=nothing))
    assert "2 alerts in 1,000 find 0\u202f% of the frauds, with false alarms only" in page
    assert "What to do" not in page
