"""Task: what evaluation, the gate, scoring and reports do with the scores of a kind of task.

One object a kind, in a module of its own; `perennial.tasks.lookup` has them all. Losses are apart, in `tasks.losses`,
because training needs no more than those. What a task asks of the data is in its class in `contract.tasks`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.config.evaluate import EvaluateParams
from perennial.contract.head import Head, TaskKind
from perennial.contract.model import Contract
from perennial.contract.serving import ServingView
from perennial.data.prepare.parts import LabelledRows
from perennial.evaluation.decisions.actions import ActionPlan
from perennial.evaluation.statistics.choice import Labelled, Resampling
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.results.evaluations import Evaluation
from perennial.results.families import Family
from perennial.results.figures import Interval

F64 = NDArray[np.float64]
Score = Callable[[pl.DataFrame], F64]  # rows -> scores (n, outputs)


@dataclass(frozen=True, kw_only=True)
class ScoredRows:
    """Rows of one part with the scores (n, outputs) that each family gives them, the simplest family first."""

    rows: LabelledRows
    scores: Mapping[Family, F64]

    @property
    def labelled(self) -> Labelled:
        """Outcomes and scores; one score a row is (n,)."""
        flat = {family: s[:, 0] if s.shape[1] == 1 else s for family, s in self.scores.items()}
        return Labelled(y=self.rows.y, scores=flat, weight=self.rows.uneven_weight)


@dataclass(frozen=True, kw_only=True)
class EvaluationInput:
    """What an evaluation reads. `refit` scores all rows out of fold by a family with a quick fit."""

    contract: Contract
    val: ScoredRows
    test: ScoredRows
    slices: Mapping[str, NDArray[Any]]
    params: EvaluateParams
    refit: Callable[[Family], ScoredRows]

    @property
    def labelled(self) -> tuple[Labelled, Labelled]:
        return self.val.labelled, self.test.labelled

    @property
    def resampling(self) -> Resampling:
        return Resampling(n=self.params.bootstrap, seed=self.params.seed)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What a list is ranked by (n,), the best highest; what it says first of each row, by column; and what to do.

    No plan where the contract names no money.
    """

    strength: F64
    headline: Mapping[str, F64 | list[str]] = field(default_factory=dict)
    plan: ActionPlan | None = None


class Task(ABC):
    """What every kind of task has."""

    kind: ClassVar[TaskKind]

    @abstractmethod
    def strength(self, score_NO: F64) -> F64:
        """What a report ranks rows by, (n,): a probability, an amount, the likeliest class, what a message adds."""

    @abstractmethod
    def describe(self, score_O: F64, head: Head) -> str:
        """The score of a row in words."""


class SupervisedTask(Task):
    """A task with an outcome, against which models can be measured."""

    metrics: ClassVar[tuple[str, ...]]
    """The metrics that a report gives of each family."""

    @abstractmethod
    def evaluate(self, given: EvaluationInput) -> Evaluation:
        """Every figure that is reported; the family is chosen on val."""

    def rank(self, score_NO: F64, view: ServingView) -> Ranking:
        """Rank the rows of a list, and decide what to do with each."""
        return Ranking(strength=self.strength(score_NO))

    def compare(self, contract: Contract, rows: LabelledRows, metric: str, *, resamples: int, seed: int) -> PairedComparison:
        """Build the comparison of models on `rows` by `metric`, weighted as the rows stand for the population."""
        arm = rows.arm if contract.task.has_arms else None
        return PairedComparison(metric=metric, y=rows.y, arm=arm, weight=rows.uneven_weight, resamples=resamples, seed=seed)

    def compare_profit(
        self, contract: Contract, val: LabelledRows, test: LabelledRows, new: Score, old: Score, level: float
    ) -> Interval | None:
        """What decisions by the new model earn more than by the old one on test; None where no money is at stake."""
        return None

    def find_problem(self, contract: Contract, rows: LabelledRows) -> str | None:
        """Why the rows cannot tell how good a model is, in words; None where they can."""
        return None
