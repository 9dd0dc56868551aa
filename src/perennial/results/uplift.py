"""Evaluation of an uplift task: whether the groups are comparable, what each message changes, what choosing earns."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.evaluation import EvaluationSummary, Plan
from perennial.results.families import Family
from perennial.results.figures import Interval, IntervalCurve

Ranking = Literal["effect", "response", "neither"]


class PolicyFigures(Result):
    """What choosing a message for each customer earns; `plans` above contacting nobody, `against` above other policies."""

    shares: tuple[float, ...]
    """Of customers by the message chosen, nobody first."""
    best_single: int
    """The message that earns most if everyone gets it."""
    depth: float
    plans: tuple[Plan, ...]
    against: dict[str, Interval]
    """Money per 1,000 customers."""
    curves: dict[str, IntervalCurve]
    """Money by depth."""
    budget_share: float
    value: float
    costs: tuple[float, ...]

    def plan(self, name: str) -> Plan:
        return next(plan for plan in self.plans if plan.name == name)


class Placebo(Result):
    """The same Qini with arms shuffled among customers; None where it was not asked for."""

    times: int
    mean: float | None = None
    greatest: float | None = None


class ColumnBalance(Result):
    """How likely a column's differences between the arms are by chance, and each arm's widest gap to control.

    All of a column's gaps stay within `expected_gap` in 19 of 20 randomised campaigns.
    """

    column: str
    p: float
    gaps: tuple[float, ...]
    expected_gap: float


class RandomizationCheck(Result):
    """Whether messages were really assigned at random: every column known before, against the arms."""

    rows: tuple[int, ...]
    """By arm."""
    planned: tuple[float, ...]
    ratio_p: float | None
    problem: str | None
    columns: tuple[ColumnBalance, ...]
    """The least likely first."""
    least_p: float
    expected_least_p: float


class EffectDecile(Result):
    """A tenth of customers by predicted effect: its mean, and the effect that was observed."""

    predicted: float
    observed: Interval
    n: int


class MessageFigures(Result):
    """One message: its effect, and the Qini figures of ranking by effect, by response, and the first less the second."""

    name: str
    effect: Interval
    by_effect: Interval
    by_response: Interval
    gain: Interval
    rank_by: Ranking
    curve: IntervalCurve
    deciles: tuple[EffectDecile, ...]
    predicted: float


class OutOfFold(Result):
    """All rows of the campaign, each scored by a model that has not seen it."""

    family: Family
    rows: int
    messages: tuple[MessageFigures, ...]
    policy: PolicyFigures


class UpliftEvaluation(EvaluationSummary):
    task: Literal["uplift"] = "uplift"
    arms: tuple[str, ...]
    policy: PolicyFigures
    placebo: Placebo
    randomization: RandomizationCheck
    out_of_fold: OutOfFold
