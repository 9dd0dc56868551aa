"""Multiclass task: one of three or more classes."""

from __future__ import annotations

import numpy as np

from perennial.contract.head import Head
from perennial.contract.serving import ServingView
from perennial.contract.tasks import Multiclass
from perennial.evaluation.decisions.classes import evaluate_classes
from perennial.results.multiclass import MulticlassEvaluation
from perennial.tasks.task import F64, EvaluationInput, Ranking, SupervisedTask


def describe_likeliest(score_O: F64, head: Head) -> str:
    return f"{head.outputs[int(score_O.argmax())]} {100 * score_O.max():.0f}\u202f%"


class MulticlassTask(SupervisedTask):
    kind = "multiclass"
    metrics = ("log_loss", "accuracy", "macro_f1")

    def strength(self, score_NO: F64) -> F64:
        return np.asarray(score_NO.max(axis=1))

    def rank(self, score_NO: F64, view: ServingView) -> Ranking:
        """By how sure the likeliest class is."""
        names = [view.head.outputs[best] for best in score_NO.argmax(axis=1)]
        sure = self.strength(score_NO)
        return Ranking(strength=sure, headline={"class": names, "probability": sure})

    def describe(self, score_O: F64, head: Head) -> str:
        return describe_likeliest(score_O, head)

    def evaluate(self, given: EvaluationInput) -> MulticlassEvaluation:
        task, classes = given.contract.task, given.contract.classes
        assert isinstance(task, Multiclass)
        return evaluate_classes(*given.labelled, task.primary, classes, task.ordered, given.slices, given.resampling)
