"""What is told of amounts: the sum, the order and the mean of tenths, on amounts whose truth is known."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from perennial.evaluation.decisions.amounts import evaluate_amounts
from perennial.evaluation.statistics import metrics
from perennial.evaluation.statistics.choice import Labelled, Resampling
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.slices import compare_slices
from perennial.promotion.gate import Evidence, decide
from perennial.results.regression import RegressionEvaluation

pytestmark = pytest.mark.unit

FEW = Resampling(n=100, seed=1)


def drawn(n: int, seed: int) -> tuple[F64, F64]:
    """What is to be expected of each customer, and what came: nothing in half of the cases."""
    rng = np.random.default_rng(seed)
    is_any, size = rng.beta(2, 2, n), rng.lognormal(3, 0.8, n)
    return is_any * size, (rng.random(n) < is_any) * size * rng.gamma(4, 0.25, n)


def labelled(n: int, seed: int, times: float = 1.0) -> Labelled:
    expected, y = drawn(n, seed)
    rng = np.random.default_rng(seed + 10_000)
    scores = {
        "linear": times * expected * rng.lognormal(-0.5, 1.0, n),
        "boosted": times * expected * rng.lognormal(-0.125, 0.5, n),
        "deep": times * expected,
        "blend": times * expected * rng.lognormal(-0.005, 0.1, n),
    }
    return Labelled(y=y, scores=scores)


@cache
def evaluate(times: float = 1.0, primary: str = "gini_norm") -> tuple[RegressionEvaluation, Labelled]:
    val, test = labelled(4000, 20, times), labelled(4000, 30, times)
    groups = {"channel": np.array(["app", "web"] * 1999 + ["fax", "fax"])}
    return evaluate_amounts(val, test, primary, groups, FEW), test


def test_honest_predictions_add_up_to_what_came() -> None:
    ratio = evaluate()[0].predicted_over_actual
    assert ratio.value == pytest.approx(1, abs=0.06)
    assert ratio.low < 1 < ratio.high
    twice = evaluate(2.0)[0].predicted_over_actual
    assert twice.value == pytest.approx(2 * ratio.value)
    assert twice.low > 1.5


def test_the_interval_of_the_sum_holds_the_truth_as_often_as_it_says() -> None:
    held_rows = 0
    for seed in range(40):
        part = labelled(400, 1000 + 2 * seed)
        ratio = evaluate_amounts(part, part, "mae", {}, FEW).predicted_over_actual
        held_rows += ratio.low <= 1 <= ratio.high
    assert 34 <= held_rows <= 40


def test_tenths_rise_and_hold_every_row_once() -> None:
    result, test = evaluate()
    tenths = result.deciles
    assert [t.n for t in tenths] == [400] * 10
    predicted = [t.predicted for t in tenths]
    assert predicted == sorted(predicted)
    p = test.scores[result.candidate.family]
    assert np.mean(predicted) == pytest.approx(p.mean())
    assert np.mean([t.actual.value for t in tenths]) == pytest.approx(test.y.mean())
    inside = sum(t.actual.low <= t.predicted <= t.actual.high for t in tenths)
    assert inside >= 8
    assert sum(t.actual.low <= t.predicted <= t.actual.high for t in evaluate(3.0)[0].deciles) <= 2


def test_concentration_runs_from_nothing_to_the_whole() -> None:
    result, test = evaluate()
    curve, p = result.concentration, test.scores[result.candidate.family]
    assert (curve.value[0], curve.value[-1]) == (0, pytest.approx(1))
    assert (np.diff(curve.value) >= -1e-12).all()
    best = np.argsort(-p)[:400]
    assert curve.value[10] == pytest.approx(test.y[best].sum() / test.y.sum(), abs=1e-9)
    assert curve.value[10] > 0.25
    assert curve.low[10] < curve.value[10] < curve.high[10]
    assert result.zeros == pytest.approx((test.y == 0).mean())


def test_figures_hold_the_truth_and_the_best_on_val_is_the_candidate() -> None:
    result, _ = evaluate()
    expected, y = drawn(300_000, 40)
    for name in ("gini_norm", "mae"):
        figure = result.families["deep"].test[name]
        assert figure.low <= metrics.measure(name, y, expected) <= figure.high, name
    assert result.candidate.best in {"deep", "blend"}
    assert result.candidate.family in {"deep", "blend"}
    assert result.deep_minus_traditional.traditional == "boosted"
    assert result.deep_minus_traditional.gain.low > 0


def test_less_error_is_better() -> None:
    result = evaluate(primary="mae")[0]
    figures = result.candidate.val
    assert result.candidate.best == min(figures, key=lambda family: figures[family])
    assert figures["deep"] < figures["linear"]
    assert result.deep_minus_traditional.metric == "mae"


def test_gini_of_amounts_is_the_definition_over_all_pairs_of_shares() -> None:
    """The area between the running share of the amount, best first, and the diagonal, over that of a perfect order."""
    y, p = np.array([0.0, 10.0, 0.0, 30.0, 60.0]), np.array([1.0, 5.0, 2.0, 3.0, 4.0])

    def area(order: np.ndarray) -> float:
        running = np.concatenate([[0], np.cumsum(y[order]) / y.sum()])
        return float(np.trapezoid(running, np.linspace(0, 1, 6)) - 0.5)

    assert metrics.measure("gini_norm", y, p) == pytest.approx(area(np.argsort(-p)) / area(np.argsort(-y)))


def test_slices_are_told_where_there_are_rows_enough_and_all_is_plain_json() -> None:
    result, test = evaluate()
    rows = {row.value: row for row in result.slices}
    assert rows.keys() == {"app", "web"}
    assert rows["app"].n == 1999
    assert rows["app"].actual.value == pytest.approx(test.y[:3998:2].mean())
    json.dumps(result.model_dump(mode="json"), allow_nan=False)


@pytest.mark.parametrize(("metric", "minimum", "never"), [("gini_norm", 0.3, 0.99), ("mae", 40.0, 1.0)])
def test_a_better_model_of_amounts_is_promoted_and_a_worse_one_is_not(metric: str, minimum: float, never: float) -> None:
    part = labelled(4000, 50)
    score = PairedComparison(metric=metric, y=part.y, resamples=200, seed=1)
    good, bad = part.scores["deep"], part.scores["linear"]
    assert decide(Evidence(comparison=score, minimum=minimum, candidate=good, champion=bad)).verdict == "PROMOTE"
    assert decide(Evidence(comparison=score, minimum=minimum, candidate=bad, champion=good)).verdict == "REJECT"
    assert decide(Evidence(comparison=score, minimum=minimum, candidate=good, champion=good)).verdict == "HOLD"
    assert decide(Evidence(comparison=score, minimum=never, candidate=good, champion=None)).verdict == "REJECT"
    column = decide(Evidence(comparison=score, minimum=minimum, candidate=good[:, None], champion=bad[:, None]))
    assert column.verdict == "PROMOTE", "a scorer gives (n, 1)"


def test_groups_of_amounts_are_judged_where_amounts_can_be_ranked() -> None:
    """A group without enough that brings anything has no order to be judged by."""
    part = labelled(4000, 60)
    y = part.y.copy()
    group = np.array(["a", "b", "c", "d"] * 1000)
    y[group == "c"] = 0
    group[:10] = "e"
    score = PairedComparison(metric="gini_norm", y=y, resamples=100, seed=1)
    candidate = np.where(group == "a", np.random.default_rng(1).permutation(part.scores["deep"]), part.scores["deep"])
    result = {s.value: s for s in compare_slices(score, {"g": group}, candidate, part.scores["boosted"])}
    assert {value: s.better_by is not None for value, s in result.items()} == {
        "a": True,
        "b": True,
        "c": False,
        "d": True,
        "e": False,
    }
    assert result["a"].is_worse
    assert not result["b"].is_worse
    error = compare_slices(replace_metric(score), {"g": group}, candidate, part.scores["boosted"])
    assert {s.value: s.better_by is not None for s in error}["c"], "an error needs no order"


def replace_metric(score: PairedComparison) -> PairedComparison:
    return PairedComparison(metric="mae", y=score.y, resamples=score.resamples, seed=score.seed)
