"""Evaluation of a task with amounts: predicted against actual by decile, and who holds most of the money."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.evaluation import EvaluationSummary
from perennial.results.figures import Interval, IntervalCurve


class AmountDecile(Result):
    """A tenth of customers by predicted amount."""

    n: int
    predicted: float
    actual: Interval


class AmountSlice(AmountDecile):
    """One customer group."""

    column: str
    value: str


class RegressionEvaluation(EvaluationSummary):
    task: Literal["regression"] = "regression"
    deciles: tuple[AmountDecile, ...]
    """The lowest first."""
    predicted_over_actual: Interval
    concentration: IntervalCurve
    """The share of all that is spent which the best x of customers spend."""
    zeros: float
    """The share of customers with an amount of 0."""
    slices: tuple[AmountSlice, ...]
