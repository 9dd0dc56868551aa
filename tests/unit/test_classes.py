"""What is told of classes: on scores whose truth is known, against the definitions, and never more than there is."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sk

from perennial.evaluation.decisions import classes
from perennial.evaluation.decisions.classes import count_confusion, evaluate_classes
from perennial.evaluation.statistics import metrics
from perennial.evaluation.statistics.choice import Labelled, Resampling
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.slices import compare_slices
from perennial.promotion.gate import Evidence, decide
from perennial.results.multiclass import ClassSlice, MulticlassEvaluation

pytestmark = pytest.mark.unit

CLASSES = ("leaves", "stays", "grows")
FEW = Resampling(n=200, seed=1)


def drawn(n: int, seed: int) -> tuple[F64, F64]:
    """The true chances of three classes for each row, and the class that came."""
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal((0.5, 0.0, -0.5), 1.3, (n, 3)), axis=1)
    return p, (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).astype(np.float64)


def blurred(p: F64, seed: int, by: float = 1.0) -> F64:
    """Scores of a worse model."""
    return softmax(np.log(p) + by * np.random.default_rng(seed + 10_000).normal(size=p.shape), axis=1)


def labelled(n: int, seed: int) -> Labelled:
    p, y = drawn(n, seed)
    scores = {"linear": blurred(p, seed, 1.5), "boosted": blurred(p, seed + 1), "deep": p, "blend": blurred(p, seed + 2, 0.3)}
    return Labelled(y=y, scores=scores)


@cache
def evaluate(seed: int = 2, ordered: bool = True, primary: str = "log_loss") -> tuple[MulticlassEvaluation, Labelled]:
    val, test = labelled(1500, 10 * seed), labelled(2000, 10 * seed + 5)
    groups = {"channel": np.array(["app", "web"] * 999 + ["fax", "fax"])}
    return evaluate_classes(val, test, primary, CLASSES, ordered, groups, FEW), test


@pytest.mark.parametrize("weight", [None, np.random.default_rng(3).uniform(0.1, 3, 500)])
def test_metrics_of_classes_agree_with_scikit_learn(weight: F64 | None) -> None:
    p, y = drawn(500, 2)
    p = blurred(p, 3)
    said = p.argmax(axis=1)
    assert metrics.measure("log_loss", y, p, weight) == pytest.approx(sk.log_loss(y, p, sample_weight=weight))
    assert metrics.measure("accuracy", y, p, weight) == pytest.approx(sk.accuracy_score(y, said, sample_weight=weight))
    f1 = sk.f1_score(y, said, average="macro", sample_weight=weight)
    assert metrics.measure("macro_f1", y, p, weight) == pytest.approx(f1)
    kappa = sk.cohen_kappa_score(y, said, weights="quadratic", sample_weight=weight)
    assert metrics.measure("kappa", y, p, weight) == pytest.approx(kappa)


def test_a_weight_is_as_many_rows_of_classes_and_many_weights_are_taken_at_once() -> None:
    p, y = drawn(80, 4)
    p, times = blurred(p, 5), np.random.default_rng(6).integers(1, 4, 80)
    for name in ("log_loss", "accuracy", "macro_f1", "kappa"):
        copied = metrics.measure(name, np.repeat(y, times), np.repeat(p, times, axis=0))
        both = metrics.find_metric(name).function(y, p, np.stack([np.ones(80), times.astype(np.float64)]))
        assert both == pytest.approx([metrics.measure(name, y, p), copied]), name


def test_a_class_that_nobody_is_or_is_said_to_be_counts_as_missed() -> None:
    p = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0]])
    y = np.array([0.0, 0.0, 1.0])
    assert metrics.measure("macro_f1", y, p) == pytest.approx(2 / 3)
    assert metrics.measure("log_loss", np.array([2.0, 0.0, 1.0]), p) < 20, "a chance of 0 costs much, not everything"


def test_kappa_is_one_for_agreement_and_nothing_for_a_guess() -> None:
    y = np.arange(300) % 3 * 1.0
    assert metrics.measure("kappa", y, np.eye(3)[y.astype(int)]) == pytest.approx(1)
    assert metrics.measure("kappa", y, np.tile([0.2, 0.5, 0.3], (300, 1))) == pytest.approx(0)
    near, far = (np.eye(3)[(np.minimum(y + step, 2)).astype(int)] for step in (1, 2))
    assert metrics.measure("kappa", y, near) > metrics.measure("kappa", y, far)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 60 samples of 300 rows about 57 intervals hold the figure of 200,000."""
    p, y = drawn(200_000, 7)
    p = blurred(p, 8)
    for metric in ("log_loss", "accuracy", "macro_f1"):
        truth, held_rows = metrics.measure(metric, y, p), 0
        for i in range(60):
            some = slice(300 * i, 300 * (i + 1))
            result = PairedComparison(metric=metric, y=y[some], resamples=200, seed=i).estimate(p[some], 0.95)
            held_rows += result.low <= truth <= result.high
        assert 52 <= held_rows <= 60, (metric, held_rows)


def test_the_best_family_on_val_is_the_candidate_and_figures_hold_the_truth() -> None:
    result, _ = evaluate()
    assert result.candidate.family == "deep"
    assert list(result.families) == ["linear", "boosted", "deep", "blend"]
    p, y = drawn(200_000, 9)
    for name in ("log_loss", "accuracy", "macro_f1", "kappa"):
        figure = result.families["deep"].test[name]
        assert figure.low <= metrics.measure(name, y, p) <= figure.high, name
    difference = result.deep_minus_traditional
    assert difference.traditional == "boosted"
    assert difference.gain.low > 0, "above 0 is better, also of a loss"


def test_kappa_is_told_of_classes_in_order_only() -> None:
    assert "kappa" not in evaluate(ordered=False)[0].families["deep"].test


def test_confusion_adds_up() -> None:
    result, test = evaluate()
    counts = np.array(result.confusion.counts)
    p = test.scores["deep"]
    assert np.array_equal(counts, sk.confusion_matrix(test.y, p.argmax(axis=1)))
    assert counts.sum() == 2000
    assert np.trace(counts) / 2000 == pytest.approx(result.families["deep"].test["accuracy"].value)
    for c, row in enumerate(result.confusion.per_class):
        assert row.n == counts[c].sum()
        assert row.recall.value == pytest.approx(counts[c, c] / counts[c].sum())
        assert row.precision.value == pytest.approx(counts[c, c] / counts[:, c].sum())
        assert row.recall.low < row.recall.value < row.recall.high
    f1 = np.mean([row.f1 for row in result.confusion.per_class])
    assert f1 == pytest.approx(result.families["deep"].test["macro_f1"].value)
    assert count_confusion(np.array([2.0]), np.array([[0.1, 0.2, 0.7]])).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_coverage_falls_to_the_accuracy_of_all_rows() -> None:
    result, test = evaluate()
    curve = result.coverage
    accuracy = result.families["deep"].test["accuracy"].value
    assert (curve.x[0], curve.x[-1]) == (0, 1)
    assert curve.value[-1] == pytest.approx(accuracy)
    assert curve.value[10] > accuracy + 0.1, "the surest tenth is right more often"
    p = test.scores["deep"]
    surest = np.argsort(-p.max(axis=1))[:1000]
    right = (p.argmax(axis=1) == test.y)[surest].mean()
    assert curve.value[50] == pytest.approx(right, abs=1e-9)
    assert all(low <= v <= high for low, v, high in zip(curve.low, curve.value, curve.high, strict=True))


def test_mistakes_are_wrong_and_the_surest_come_first() -> None:
    result, test = evaluate()
    p = test.scores["deep"]
    sure = [row.probability for row in result.confusion.mistakes]
    assert len(sure) == 12
    assert sure == sorted(sure, reverse=True)
    for row in result.confusion.mistakes:
        assert row.true == test.y[row.row] != row.predicted == p[row.row].argmax()
    wrong = p.argmax(axis=1) != test.y
    assert sure[0] == pytest.approx(p[wrong].max())


def test_slices_tell_accuracy_where_there_are_rows_enough() -> None:
    rows = {row.value: row for row in evaluate()[0].slices}
    assert rows.keys() == {"app", "fax", "web"}
    assert rows["fax"] == ClassSlice(column="channel", value="fax", n=2), "of two rows nothing is said"
    assert rows["app"].n == 999
    assert rows["app"].accuracy.low < rows["app"].accuracy.value


def test_all_of_it_is_plain_json_and_a_class_without_rows_has_no_share() -> None:
    json.dumps(evaluate()[0].model_dump(mode="json"), allow_nan=False)
    p, y = drawn(300, 12)
    y[y == 2] = 1
    part = Labelled(y=y, scores={"linear": p, "deep": p})
    result = evaluate_classes(part, part, "accuracy", CLASSES, False, {}, FEW)
    assert result.confusion.per_class[2].recall is None
    assert result.confusion.per_class[2].n == 0
    json.dumps(result.model_dump(mode="json"), allow_nan=False)


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "macro_f1"])
def test_a_better_model_of_classes_is_promoted_and_a_worse_one_is_not(metric: str) -> None:
    p, y = drawn(3000, 13)
    worse = blurred(p, 14, 1.5)
    score = PairedComparison(metric=metric, y=y, resamples=200, seed=1)
    minimum = 1.0 if metric == "log_loss" else 0.4
    assert decide(Evidence(comparison=score, minimum=minimum, candidate=p, champion=worse)).verdict == "PROMOTE"
    assert decide(Evidence(comparison=score, minimum=minimum, candidate=worse, champion=p)).verdict == "REJECT"
    assert decide(Evidence(comparison=score, minimum=minimum, candidate=p, champion=p)).verdict == "HOLD"
    unreachable = 0.1 if metric == "log_loss" else 0.99
    assert decide(Evidence(comparison=score, minimum=unreachable, candidate=p, champion=None)).verdict == "REJECT"


def test_a_group_in_which_the_new_model_confuses_classes_stops_it() -> None:
    p, y = drawn(3000, 15)
    group = np.array(["old", *["new"] * 5] * 500)
    candidate = np.where((group == "old")[:, None], blurred(p, 16, 2.0), p)
    champion = blurred(p, 17, 1.0)
    score = PairedComparison(metric="log_loss", y=y, resamples=200, seed=1)
    result = compare_slices(score, {"age": group}, candidate, champion)
    assert [(part.value, part.is_worse) for part in result] == [("new", False), ("old", True)]
    decision = decide(Evidence(comparison=score, minimum=1.1, candidate=candidate, champion=champion, slices=result))
    assert decision.verdict == "HOLD"
    assert "age old" in decision.reasons[0].sentence


def test_of_a_yes_or_no_both_answers_are_told_apart() -> None:
    score = np.array([[0.9], [0.2], [0.6], [0.05], [0.5]])
    y = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    both = classes.class_probabilities(score)
    assert np.allclose(both, np.hstack([1 - score, score]))
    assert classes.class_probabilities(both) is both
    result = classes.describe_confusion(y, both)
    assert result.counts == ((1, 1), (2, 1)), "one half is no yes"
    assert [(m.row, m.true, m.predicted) for m in result.mistakes] == [(3, 1, 0), (0, 0, 1), (4, 1, 0)]
    assert result.mistakes[0].probability == pytest.approx(0.95)
    assert result.per_class[1].f1 == pytest.approx(2 / 5)
