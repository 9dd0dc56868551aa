"""Scores (n, classes) of every family on val and test in, all that is reported of a multiclass task out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.response import ENOUGH, LEVEL, Labelled, Resampling, band
from perennial.evaluation.statistics.choice import choose, deep_minus_traditional, told_by_metric
from perennial.evaluation.statistics.intervals import F64, wilson
from perennial.evaluation.statistics.paired import Judge
from perennial.evaluation.statistics.ranking import DEPTHS, at_depths, banded, cumulated

_REPORTED = ("log_loss", "accuracy", "macro_f1")
_MISTAKES = 12  # the surest ones that are shown


def judge(
    val: Labelled, test: Labelled, primary: str, classes: Sequence[str], ordered: bool,
    slices: Mapping[str, NDArray[Any]], resampling: Resampling,
) -> dict[str, Any]:  # fmt: skip
    """Plain figures for summary.json: families, candidate, confusion, each class, coverage, mistakes, slices."""
    names = (*_REPORTED, "kappa") if ordered else _REPORTED
    judges = [{name: _judge(name, part, resampling) for name in names} for part in (val, test)]
    chosen = choose(val.scores, judges[0][primary])
    p_test = test.scores[chosen.family]
    return {
        "primary": primary,
        "classes": list(classes),
        "candidate": chosen.as_json(),
        "families": told_by_metric(val.scores, test.scores, judges, LEVEL),
        "deep_minus_traditional": deep_minus_traditional(chosen, test.scores, judges[1][primary], LEVEL),
        **told_apart(test.y, p_test),
        "coverage": _coverage(test.y, p_test, resampling),
        "slices": _slices(test.y, p_test, slices),
    }


def told_apart(y: F64, p: F64) -> dict[str, Any]:
    """What is taken for what by the likeliest class of `p` (n, classes): confusion, each class, the surest mistakes."""
    return {
        "confusion": confusion(y, p).tolist(),
        "per_class": [_class(y, p, c) for c in range(p.shape[1])],
        "mistakes": _mistakes(y, p),
    }


def answers(score: F64) -> F64:
    """The chance of each answer (n, classes) from scores (n, outputs): of a yes or no both, no first."""
    return np.hstack([1 - score, score]) if score.shape[1] == 1 else score


def confusion(y: F64, p: F64) -> NDArray[np.int64]:
    """Rows by true class and by the likeliest one, (classes, classes)."""
    n = p.shape[1]
    return np.bincount(y.astype(np.int64) * n + p.argmax(axis=1), minlength=n * n).reshape(n, n)


def _judge(name: str, part: Labelled, resampling: Resampling) -> Judge:
    return Judge(metric=name, y=part.y, resamples=resampling.n, seed=resampling.seed)


def _class(y: F64, p: F64, c: int) -> dict[str, Any]:
    """Precision and recall with 95 % intervals, and F1, of one class."""
    true, said = y == c, p.argmax(axis=1) == c
    both = int((true & said).sum())
    return {
        "n": int(true.sum()),
        "precision": asdict(wilson(both, int(said.sum()), LEVEL)) if said.any() else None,
        "recall": asdict(wilson(both, int(true.sum()), LEVEL)) if true.any() else None,
        "f1": 2 * both / max(int(true.sum()) + int(said.sum()), 1),
    }


def _coverage(y: F64, p: F64, resampling: Resampling) -> dict[str, list[float]]:
    """Accuracy among the surest x of rows, x from 0 to 1: what is gained by leaving the unsure to a person."""
    right, sure = (p.argmax(axis=1) == y).astype(np.float64), p.max(axis=1)

    def curve(times: F64) -> F64:
        seen, found = cumulated(sure, times, times * right)
        depths = np.maximum(DEPTHS, 0.02)
        return at_depths(depths, seen, found) / (depths * seen[..., -1:])

    return band(banded(curve, len(y), None, n=min(resampling.n, 200), seed=resampling.seed))


def _mistakes(y: F64, p: F64) -> list[dict[str, Any]]:
    """The wrong rows that the model was surest of: their place among the test rows, the true class, the one said."""
    wrong = np.flatnonzero(p.argmax(axis=1) != y)
    worst = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:_MISTAKES]
    return [{"row": int(i), "true": int(y[i]), "said": int(p[i].argmax()), "p": float(p[i].max())} for i in worst]


def _slices(y: F64, p: F64, slices: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Accuracy by group."""
    right, found = p.argmax(axis=1) == y, []
    for column, values in slices.items():
        for value in sorted(set(values.tolist()), key=str):
            mask = values == value
            row: dict[str, Any] = {"column": column, "value": str(value), "n": int(mask.sum())}
            if row["n"] >= 2 * ENOUGH:
                row["accuracy"] = asdict(wilson(int(right[mask].sum()), row["n"], LEVEL))
            found.append(row)
    return found
