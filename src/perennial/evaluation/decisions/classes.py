"""Evaluation of a task with several classes: what is taken for what, and what to leave to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.response import ENOUGH, LEVEL, Labelled, Resampling
from perennial.evaluation.statistics.choice import choose_family, deep_minus_traditional, family_figures
from perennial.evaluation.statistics.intervals import F64, wilson_interval
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.ranking import DEPTHS, cumulate, estimate_band, interpolate
from perennial.results.figures import IntervalCurve
from perennial.results.multiclass import ClassFigures, ClassSlice, Confusion, Mistake, MulticlassEvaluation

_REPORTED = ("log_loss", "accuracy", "macro_f1")
_MISTAKES = 12  # the surest ones that are shown


def evaluate_classes(
    val: Labelled, test: Labelled, primary: str, classes: Sequence[str], ordered: bool,
    slices: Mapping[str, NDArray[Any]], resampling: Resampling,
) -> MulticlassEvaluation:  # fmt: skip
    """Families, candidate, confusion, each class, coverage, mistakes, slices."""
    names = (*_REPORTED, "kappa") if ordered else _REPORTED
    comparisons = [{name: _comparison(name, part, resampling) for name in names} for part in (val, test)]
    candidate = choose_family(val.scores, comparisons[0][primary])
    p_test = test.scores[candidate.family]
    return MulticlassEvaluation(
        rows={"val": len(val.y), "test": len(test.y)},
        primary=primary,
        classes=tuple(classes),
        candidate=candidate,
        families=family_figures(val.scores, test.scores, comparisons, LEVEL),
        deep_minus_traditional=deep_minus_traditional(candidate, test.scores, comparisons[1][primary], LEVEL),
        confusion=describe_confusion(test.y, p_test),
        coverage=_coverage(test.y, p_test, resampling),
        slices=_slices(test.y, p_test, slices),
    )


def describe_confusion(y: F64, p: F64) -> Confusion:
    """What is taken for what by the likeliest class of `p` (n, classes): counts, each class, the surest mistakes."""
    return Confusion(
        counts=tuple(map(tuple, count_confusion(y, p).tolist())),
        per_class=tuple(_class(y, p, c) for c in range(p.shape[1])),
        mistakes=_mistakes(y, p),
    )


def class_probabilities(score: F64) -> F64:
    """The probability of each answer (n, classes) from scores (n, outputs): of a yes or no both, no first."""
    return np.hstack([1 - score, score]) if score.shape[1] == 1 else score


def count_confusion(y: F64, p: F64) -> NDArray[np.int64]:
    """Rows by true class and by the likeliest one, (classes, classes)."""
    n = p.shape[1]
    return np.bincount(y.astype(np.int64) * n + p.argmax(axis=1), minlength=n * n).reshape(n, n)


def _comparison(name: str, part: Labelled, resampling: Resampling) -> PairedComparison:
    return PairedComparison(metric=name, y=part.y, resamples=resampling.n, seed=resampling.seed)


def _class(y: F64, p: F64, c: int) -> ClassFigures:
    """Precision and recall with 95 % intervals, and F1, of one class."""
    true, predicted = y == c, p.argmax(axis=1) == c
    both, n_true, n_predicted = int((true & predicted).sum()), int(true.sum()), int(predicted.sum())
    return ClassFigures(
        n=n_true,
        precision=wilson_interval(both, n_predicted, LEVEL) if n_predicted else None,
        recall=wilson_interval(both, n_true, LEVEL) if n_true else None,
        f1=2 * both / max(n_true + n_predicted, 1),
    )


def _coverage(y: F64, p: F64, resampling: Resampling) -> IntervalCurve:
    """Accuracy among the surest x of rows, x from 0 to 1: what is gained by leaving the unsure to a person."""
    right, sure = (p.argmax(axis=1) == y).astype(np.float64), p.max(axis=1)

    def curve(times: F64) -> F64:
        answered, correct = cumulate(sure, times, times * right)
        depths = np.maximum(DEPTHS, 0.02)
        return interpolate(depths, answered, correct) / (depths * answered[..., -1:])

    return estimate_band(curve, len(y), None, n=min(resampling.n, 200), seed=resampling.seed).as_curve()


def _mistakes(y: F64, p: F64) -> tuple[Mistake, ...]:
    """The wrong rows that the model was surest of."""
    wrong = np.flatnonzero(p.argmax(axis=1) != y)
    worst = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:_MISTAKES]
    return tuple(
        Mistake(row=int(i), true=int(y[i]), predicted=int(p[i].argmax()), probability=float(p[i].max())) for i in worst
    )


def _slices(y: F64, p: F64, slices: Mapping[str, NDArray[Any]]) -> tuple[ClassSlice, ...]:
    """Accuracy by group."""
    right = p.argmax(axis=1) == y
    masks = [(c, v, values == v) for c, values in slices.items() for v in sorted(set(values.tolist()), key=str)]
    return tuple(
        ClassSlice(
            column=column, value=str(value), n=int(mask.sum()),
            accuracy=wilson_interval(int(right[mask].sum()), int(mask.sum()), LEVEL) if mask.sum() >= 2 * ENOUGH else None,
        )
        for column, value, mask in masks
    )  # fmt: skip
