"""Loans: whom to approve, how many of the approved default, and how protected groups fare."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import Line, plot_intervals
from perennial.charts.intervals import Row as IntervalRow
from perennial.charts.svg import Drawing
from perennial.contract.model import Contract
from perennial.report.page import Estimate, Row
from perennial.report.pages.slices import name_group
from perennial.results.binary import ApplicantGroup, LoanRisk
from perennial.results.figures import Interval


@dataclass(frozen=True)
class GroupGaps:
    """A gap of each protected group against all other applicants."""

    gaps: list[tuple[str, int, Interval]]  # its name, how many applicants, and the gap

    @property
    def clear(self) -> list[str]:
        """The groups that differ measurably."""
        return [name for name, _, gap in self.gaps if gap.low > 0 or gap.high < 0]

    def draw(self, *, label: str) -> Markup:
        rows = [
            IntervalRow(name=name, interval=gap, note=f"{n.count(count)} applicants", standing="deciding")
            for name, count, gap in self.gaps
        ]
        return plot_intervals(rows, Line(at=0, name="no gap"), n.points, label=label, axis="Percentage points")


@dataclass(frozen=True)
class LoansView:
    """What loans.html.j2 shows."""

    contract: Contract
    loans: LoanRisk

    @property
    def groups(self) -> list[ApplicantGroup]:
        """Those with enough rows on both sides."""
        return [group for group in self.loans.groups if group.approval_gap is not None]

    @property
    def approval_gaps(self) -> GroupGaps:
        return GroupGaps([(self._name(group), group.n, group.approval_gap) for group in self.groups if group.approval_gap])

    @property
    def refusal_gaps(self) -> GroupGaps:
        return GroupGaps([(self._name(group), group.n, gap) for group in self.groups if (gap := group.payers_refused_gap)])

    def draw_curve(self, *, label: str) -> Drawing:
        """The bad rate among the safest applicants."""
        loans, flag = self.loans, None
        if loans.bad_rate is not None:
            text = (f"{n.share(loans.approved)} approved", f"{n.share(loans.bad_rate.value)} default")
            flag = Flag(at=loans.approved, text=text)
        curve = Curve.of("Bad rate", loans.curve, ends=n.share(loans.curve.value[-1]), flag=flag)
        axis, span = "Share of applicants approved, safest first", (0.0, max(loans.curve.high))
        return plot_by_depth([curve], n.share_axis, label=label, axis=axis, random=None, span=span)

    def band_rows(self) -> list[Row]:
        return [
            (f"{band.min_points:.0f}", n.count(band.n), n.share(band.predicted), Estimate.of(band.bad_rate, n.share))
            for band in self.loans.bands
        ]

    def group_rows(self) -> list[Row]:
        """Approvals of each protected group against those of all others, and both kinds of mistake."""
        return [
            (
                self._name(group),
                n.count(group.n),
                n.share(group.approved),
                n.ratio(group.approval_ratio or 0.0),
                n.share(group.bad_rate.value),
                *(
                    "" if gap is None else Estimate.of(gap, n.points)
                    for gap in (group.defaulters_refused_gap, group.payers_refused_gap)
                ),
            )
            for group in self.groups
        ]

    def _name(self, group: ApplicantGroup) -> str:
        return name_group(self.contract, group.column, group.value)
