"""Evaluation of a task with several classes: what is taken for what, and what to leave to a person."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.evaluation import EvaluationSummary
from perennial.results.figures import Interval, IntervalCurve


class ClassFigures(Result):
    """Precision is None for a class that is never predicted, recall for one that never occurs."""

    n: int
    precision: Interval | None
    recall: Interval | None
    f1: float


class Mistake(Result):
    """A row that the model was sure of and wrong about: its place among the test rows."""

    row: int
    true: int
    predicted: int
    probability: float


class Confusion(Result):
    """Rows by true class and by the likeliest one, (classes, classes); each class; the surest mistakes."""

    counts: tuple[tuple[int, ...], ...]
    per_class: tuple[ClassFigures, ...]
    mistakes: tuple[Mistake, ...]


class ClassSlice(Result):
    """One customer group; `accuracy` is None where it has too few rows."""

    column: str
    value: str
    n: int
    accuracy: Interval | None = None


class MulticlassEvaluation(EvaluationSummary):
    task: Literal["multiclass"] = "multiclass"
    classes: tuple[str, ...]
    confusion: Confusion
    coverage: IntervalCurve
    """Accuracy among the surest x of rows."""
    slices: tuple[ClassSlice, ...]
