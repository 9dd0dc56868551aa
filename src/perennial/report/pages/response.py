"""Response: who responds, how the score is used, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.calibration import plot_calibration
from perennial.charts.confusion import plot_confusion
from perennial.charts.curves import Curve, Flag
from perennial.charts.gains import plot_gains
from perennial.charts.svg import Tone
from perennial.evaluation.figure_tables import trace_roc
from perennial.report.context import FAMILY_NAMES, ReportContext
from perennial.report.pages.alerts import AlertsView
from perennial.report.pages.profit import ContactsView
from perennial.report.pages.risk import LoansView
from perennial.report.pages.slices import Group, GroupFigures, SharesByGroup, name_slice
from perennial.results.binary import BinaryEvaluation
from perennial.results.figures import Interval, IntervalCurve

_TONES: tuple[Tone, ...] = ("grey", "ink", "orange")  # of the families that were not chosen, the simplest first
Report = ReportContext[BinaryEvaluation]


@dataclass(frozen=True)
class ResponseView:
    """What response.html.j2 shows."""

    report: Report

    @property
    def only_ranks(self) -> bool:
        """Whether the share of rows that were sampled is unknown, so that no score is the probability it looks like."""
        return self.report.contract.sampling.sampling_rate == "unknown"

    @property
    def knows_nothing_of_later(self) -> bool:
        """Whether rows without a date were split at random."""
        split = self.report.contract.split
        return split.kind == "hash" and split.by != "entity" and not self.report.contract.find_columns("time")

    @property
    def done(self) -> tuple[str, str]:
        """What the decision in use does with those it takes for an event, after what it does with the others."""
        if self.report.evaluation.risk is not None:
            return "approved", "refused"
        return ("left", "examined") if self.report.evaluation.alerts is not None else ("left", "contacted")

    def count_dates(self, part: str) -> int:
        """On how many dates the customers of a part were looked at."""
        cutoffs = self.report.contract.unit.cutoffs
        return 1 if cutoffs is None else len(cutoffs.train if part == "train" else cutoffs.test)

    @property
    def auc_by_group(self) -> GroupFigures | None:
        slices = [(row, row.auc) for row in self.report.evaluation.slices]
        return GroupFigures.of_metric(self.report.contract, slices, self.report.figure("auc"), "AUC")

    @property
    def shares_by_group(self) -> SharesByGroup | None:
        groups = [
            Group(name=name_slice(self.report.contract, row.column, row.value), n=row.n, observed=share, predicted=row.predicted)
            for row in self.report.evaluation.slices
            if (share := row.observed) is not None and row.predicted is not None
        ]
        return SharesByGroup(groups, self.report.split.rate["test"], self.report.outcome_verb) if groups else None

    def draw_confusion(self, *, label: str) -> Markup:
        """Of the decision that is in use."""
        taken = self.report.evaluation.at_threshold
        assert taken is not None, "the template asks for it first"
        counts = [[taken.true_negatives, taken.false_positives], [taken.false_negatives, taken.true_positives]]
        outcomes = "the others", f"those who {self.report.outcome_verb}"
        return plot_confusion(outcomes, counts, label=label, axis="what is done", columns=self.done)

    def draw_roc(self, *, label: str) -> Markup:
        """True by false positive rate of the chosen family."""
        gains = self.report.evaluation.gains[self.report.evaluation.candidate.family]
        heights = dict(trace_roc(gains, self.report.evaluation.event_rate))  # of equal places the highest
        curve = Curve(
            name=FAMILY_NAMES[self.report.evaluation.candidate.family].lower(), x=sorted(heights), y=sorted(heights.values())
        )
        return plot_gains([curve], label=label, axis="False positive rate")

    def draw_calibration(self, *, label: str) -> Markup:
        axis = f"Predicted probability to {self.report.outcome_verb}"
        return plot_calibration(self.report.evaluation.calibration.bins, label=label, axis=axis)

    @property
    def depth(self) -> float:
        """Where gains are read."""
        return self.report.evaluation.profit.depth if self.report.evaluation.profit else 0.2

    @property
    def reached(self) -> float:
        """The share of all events among the best of that depth."""
        return self._reach(self.report.evaluation.gains[self.report.evaluation.candidate.family])

    @property
    def top_tenth(self) -> Interval:
        best = self.report.evaluation.gains[self.report.evaluation.candidate.family]
        return Interval(value=best.value[10], low=max(best.low[10], 0.0), high=min(best.high[10], 1.0))

    def draw_gains(self, *, label: str) -> Markup:
        """The share of all events among the best share of customers, of each family; the chosen one first, with its band."""
        gains, chosen, depth = self.report.evaluation.gains, self.report.evaluation.candidate.family, n.share(self.depth)
        flag = Flag(at=self.depth, text=(f"{n.share(self.reached)} of them", f"in {depth}"))
        name, ends = f"{FAMILY_NAMES[chosen].lower()}, chosen", n.share(self.reached)
        curves = [Curve.of(name, gains[chosen], ends=ends, flag=flag)]
        others = [family for family in FAMILY_NAMES if family in gains and family != chosen]
        for family, tone in zip(others, _TONES, strict=False):
            curve, name = gains[family], FAMILY_NAMES[family].lower()
            curves.append(Curve(name=name, x=curve.x, y=curve.value, ends=n.share(self._reach(curve)), tone=tone))
        contacted = " contacted" if self.report.evaluation.profit else ""
        return plot_gains(curves, label=label, axis=f"Share of customers{contacted}, best first", key=f"at {depth}")

    def _reach(self, curve: IntervalCurve) -> float:
        return curve.value[round(self.depth * 100)]


def choose_page(report: Report) -> tuple[str, ResponseView, AlertsView | ContactsView | LoansView | None]:
    """The template by what the contract asks to be decided, with its view."""
    evaluation, page = report.evaluation, ResponseView(report)
    if evaluation.risk is not None:
        return "loans", page, LoansView(report.contract, evaluation.risk)
    if evaluation.alerts is not None:
        return "alerts", page, AlertsView(evaluation.alerts)
    if evaluation.profit is not None:
        return "contacts", page, ContactsView(report, evaluation.profit)
    return "response", page, None
