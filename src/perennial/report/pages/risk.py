"""Loans: whom to approve, how many of the approved default, and how protected groups fare."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import Line
from perennial.charts.svg import Drawing
from perennial.contract.model import Contract
from perennial.report.page import Estimate, Row
from perennial.report.pages.slices import GroupFigures, name_slice
from perennial.results.binary import ApplicantGroup, LoanRisk
from perennial.results.figures import Interval


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
    def approval_gaps(self) -> GroupFigures:
        return self._compare([(group, group.approval_gap) for group in self.groups])

    @property
    def refusal_gaps(self) -> GroupFigures:
        return self._compare([(group, group.payers_refused_gap) for group in self.groups])

    def _compare(self, gaps: list[tuple[ApplicantGroup, Interval | None]]) -> GroupFigures:
        """A gap of each protected group against all other applicants."""
        return GroupFigures(
            groups=[(self._name(group), group.n, gap) for group, gap in gaps if gap is not None],
            line=Line(at=0, name="no gap"),
            show=n.points,
            of="applicants",
            axis="Percentage points",
            standing="deciding",
        )

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
        return name_slice(self.contract, group.column, group.value)
