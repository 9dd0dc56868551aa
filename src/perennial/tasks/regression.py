"""Regression task: an amount."""

from __future__ import annotations

from perennial.contract.head import Head
from perennial.contract.serving import ServingView
from perennial.evaluation.decisions.amounts import evaluate_amounts
from perennial.results.regression import RegressionEvaluation
from perennial.tasks.task import F64, EvaluationInput, Ranking, SupervisedTask


class RegressionTask(SupervisedTask):
    kind = "regression"
    metrics = ("gini_norm", "mae")

    def strength(self, score_NO: F64) -> F64:
        return score_NO[:, 0]

    def rank(self, score_NO: F64, view: ServingView) -> Ranking:
        amount = self.strength(score_NO)
        return Ranking(strength=amount, headline={"amount": amount})

    def describe(self, score_O: F64, head: Head) -> str:
        return f"{score_O[0]:,.0f}"

    def evaluate(self, given: EvaluationInput) -> RegressionEvaluation:
        return evaluate_amounts(*given.labelled, given.contract.task.primary, given.slices, given.resampling)
