"""Evaluation of a yes-or-no task: calibration, gains, and the decision that the contract asks for."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.evaluation import EvaluationSummary, Plan
from perennial.results.families import Family
from perennial.results.figures import Bin, Interval, IntervalCurve
from perennial.results.multiclass import Confusion


class CalibrationFigures(Result):
    """Whether predicted probabilities can be taken at face value."""

    bins: tuple[Bin, ...]
    width: float
    """Of a bin."""
    value: float
    """The expected calibration error."""
    perfect: float
    """What a perfect model stays under 19 times of 20 on as many rows."""
    predicted_over_actual: Interval


class ContactProfit(Result):
    """What contacting the customers above a threshold earned on test; the threshold was chosen on val."""

    threshold: float
    depth_on_val: float
    depth: float
    plans: tuple[Plan, ...]
    curve: IntervalCurve
    """Profit by depth."""
    value: float
    """Of a response."""
    cost: float
    """Of a contact."""
    budget_share: float

    def plan(self, name: str) -> Plan:
        return next(plan for plan in self.plans if plan.name == name)


class ResponseSlice(Result):
    """One customer group: None where it has too few rows of an outcome, or where rows are weighted."""

    column: str
    value: str
    n: int
    positives: int
    observed: Interval | None = None
    predicted: float | None = None
    auc: Interval | None = None


class LoanPlan(Result):
    name: str
    approved: float
    per_1000: Interval


class RiskBand(Result):
    """A tenth of applicants by points, the safest first."""

    min_points: float
    n: int
    predicted: float
    bad_rate: Interval


class ApplicantGroup(Result):
    """A protected group against all others; gaps are None where a side has too few payers or defaulters."""

    column: str
    value: str
    n: int
    approved: float
    bad_rate: Interval
    approval_gap: Interval | None = None
    defaulters_refused_gap: Interval | None = None
    payers_refused_gap: Interval | None = None
    approval_ratio: float | None = None


class LoanRisk(Result):
    """Whom to approve, what it earns and for whom: a loan earns `gain` or loses `loss`, approved under `cut`."""

    cut: float
    """The probability of default up to which a loan is expected to earn."""
    cut_points: float
    gain: float
    loss: float
    approved: float
    bad_rate: Interval | None
    """Among the approved; None where nobody is."""
    bad_rate_overall: Interval
    ks: Interval
    plans: tuple[LoanPlan, ...]
    bands: tuple[RiskBand, ...]
    curve: IntervalCurve
    """The bad rate among the safest x of applicants."""
    groups: tuple[ApplicantGroup, ...]


class AlertFigures(Result):
    """What a team that looks at so many alerts finds."""

    threshold: float
    budget: float
    """Alerts among 1,000 rows of the population."""
    alerts_per_1000: float
    frauds: int
    precision: Interval
    recall: Interval
    curve: IntervalCurve
    """Precision at each recall."""
    amount_recall: Interval | None = None
    amount: float | None = None


class ThresholdCounts(Result):
    """Rows of test by what happened and what the decision in use took them for; weights of a sample do not count."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def n(self) -> int:
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives


class BinaryEvaluation(EvaluationSummary):
    task: Literal["binary"] = "binary"
    calibration: CalibrationFigures
    event_rate: float
    """The share of test rows that responded, defaulted …; of weighted rows that of the population."""
    gains: dict[Family, IntervalCurve]
    slices: tuple[ResponseSlice, ...]
    profit: ContactProfit | None = None
    risk: LoanRisk | None = None
    alerts: AlertFigures | None = None
    at_threshold: ThresholdCounts | None = None
    """Of the decision that the contract asks for."""
    confusion: Confusion | None = None
    """Of rows that a person can read or look at."""
