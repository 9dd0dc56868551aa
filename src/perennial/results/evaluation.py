"""What every evaluation says: the families on val and test, the candidate, and deep learning against the best rival."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.figures import Interval
from perennial.results.summary import StageSummary


class FamilyFigures(Result):
    """The metrics of one family: on val as they are, on test with 95 % intervals."""

    val: dict[str, float]
    test: dict[str, Interval]
    lift_10: float | None = None
    """How many times more responses the best tenth of test holds than a random one."""


class Candidate(Result):
    """The simplest family within one standard error of the best on val."""

    family: Family
    best: Family
    """The family with the best figure."""
    val: dict[Family, float]
    behind: dict[Family, Interval]
    """The best less each other family, give or take one standard error."""


class PairedDifference(Result):
    """The deep family against the traditional one that was better on val, paired on test; above 0 is better."""

    metric: str
    traditional: Family
    gain: Interval


class Plan(Result):
    """What contacting `contacted` of the `customers` earned."""

    name: str
    contacted: float
    customers: float
    profit: Interval

    @property
    def per_1000(self) -> Interval:
        """Per 1,000 customers evaluated, contacted or not."""
        return self.profit * (1000 / self.customers)


class EvaluationSummary(StageSummary):
    """What evaluations of all tasks share."""

    stage: Literal["evaluate"] = "evaluate"
    rows: dict[str, int]
    """Of val and test."""
    primary: str
    candidate: Candidate
    families: dict[Family, FamilyFigures]
    deep_minus_traditional: PairedDifference | None
    over_candidate: dict[Family, Interval] = {}
    """Each other family less the candidate by the primary metric, paired on test; above 0 is better than the candidate."""

    @property
    def chosen(self) -> FamilyFigures:
        """The figures of the candidate."""
        return self.families[self.candidate.family]
