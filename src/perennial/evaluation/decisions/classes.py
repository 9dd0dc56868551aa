"""Evaluation of a task with several classes: what is taken for what, and what to leave to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.choice import Labelled, Resampling, compare_families
from perennial.evaluation.statistics.intervals import F64, LEVEL, wilson_interval
from perennial.evaluation.statistics.ranking import rate_by_depth
from perennial.evaluation.statistics.slices import ENOUGH, iterate_groups
from perennial.results.multiclass import ClassFigures, ClassSlice, Confusion, Mistake, MulticlassEvaluation

_REPORTED = ("log_loss", "accuracy", "macro_f1")
_MISTAKES = 12  # the surest ones that are shown


def evaluate_classes(
    val: Labelled,
    test: Labelled,
    primary: str,
    classes: Sequence[str],
    ordered: bool,
    slices: Mapping[str, NDArray[Any]],
    resampling: Resampling,
) -> MulticlassEvaluation:
    """Families, candidate, confusion, each class, coverage, mistakes, slices."""
    metrics = (*_REPORTED, "kappa") if ordered else _REPORTED
    families = compare_families(val, test, primary, metrics, resampling)
    y, p = test.y, test.scores[families.candidate.family]
    is_right = p.argmax(axis=1) == y
    return MulticlassEvaluation(
        **dict(families),
        classes=tuple(classes),
        confusion=describe_confusion(y, p),
        coverage=rate_by_depth(is_right.astype(np.float64), p.max(axis=1), **resampling.of_curves).as_curve(),
        slices=tuple(_describe_slice(*group, is_right) for group in iterate_groups(slices)),
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


def _mistakes(y: F64, p: F64) -> tuple[Mistake, ...]:
    """The wrong rows that the model was surest of."""
    wrong = np.flatnonzero(p.argmax(axis=1) != y)
    worst = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:_MISTAKES]
    return tuple(Mistake(row=int(i), true=int(y[i]), predicted=int(p[i].argmax()), probability=float(p[i].max())) for i in worst)


def _describe_slice(column: str, value: str, mask: NDArray[np.bool_], is_right: NDArray[np.bool_]) -> ClassSlice:
    """The accuracy of a group, unless it is too small."""
    n, right = int(mask.sum()), int(is_right[mask].sum())
    accuracy = wilson_interval(right, n, LEVEL) if n >= 2 * ENOUGH else None
    return ClassSlice(column=column, value=value, n=n, accuracy=accuracy)
