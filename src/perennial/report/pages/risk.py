"""Loans page: whom to approve, how many of the approved default, and how protected groups fare."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import Line, Row, plot_intervals
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Estimate, Figure, KeyFigure, KeyFigures, PageBlock, Pair, Table, heads
from perennial.report.pages import verdict
from perennial.report.pages.verdict import Action
from perennial.results.binary import ApplicantGroup, BinaryEvaluation, LoanRisk
from perennial.results.figures import Interval

Report = ReportContext[BinaryEvaluation]


def build_action(report: Report, loans: LoanRisk) -> Action:
    blocks: list[PageBlock] = [_draw_curve(report, loans), _build_bands(loans)]
    groups = [group for group in loans.groups if group.approval_gap is not None]  # enough rows on both sides
    if groups:
        blocks += [Pair(figures=_draw_gaps(groups)), _build_groups(groups)]
    otherwise = "What it would do", "No plan: what its own cut would have done to the test applicants."
    strong = "nothing about those who were refused"
    later = "" if report.contract.split.kind == "time" else ", and nothing about later months"
    return Action(
        plan=_describe_plan(loans),
        key_figures=_build_key_figures(report, loans),
        caution=Caution(text=f"Only granted loans are known: this says {strong}{later}.", strong=strong),
        section=verdict.build_action_section(report, "Whom to approve, and what it earns.", otherwise, *blocks),
    )


def _describe_plan(loans: LoanRisk) -> str:
    if loans.bad_rate is None:
        return f"Approve nobody on this list: {_explain_nobody(loans)}."
    approved, bad = n.share(loans.approved), n.share(loans.bad_rate.value)
    return f"Approve from {loans.cut_points:.0f} points: {approved} of applicants, of whom {bad} default."


def _explain_nobody(loans: LoanRisk) -> str:
    """Why nobody is approved; the bad rate of no loans is not known."""
    return f"no applicant's probability of default is under {n.share(loans.cut)}"


def _build_key_figures(report: Report, loans: LoanRisk) -> KeyFigures:
    cut, everyone = (plan.per_1000 for plan in loans.plans)
    overall = f"all applicants: {n.share(loans.bad_rate_overall.value)}"
    bad = KeyFigure(name="Default when approved", value="none", note=f"nobody is approved; {overall}")
    if loans.bad_rate is not None:
        bad = KeyFigure.of("Default when approved", loans.bad_rate, n.share, overall)
    more = f"approving all: {report.money(everyone.value)}"
    return (
        KeyFigure(name="Approved", value=n.share(loans.approved), note=f"from {loans.cut_points:.0f} points"),
        bad,
        KeyFigure.of("Earned per 1,000 applicants", cut, report.money, more),
        KeyFigure.of("Separation (KS)", loans.ks, n.ratio),
    )


def _draw_curve(report: Report, loans: LoanRisk) -> Figure:
    approved, flag = n.share(loans.approved), None
    finding = f"Nobody would be approved: {_explain_nobody(loans)}"
    if loans.bad_rate is not None:
        bad = n.share(loans.bad_rate.value)
        flag = Flag(at=loans.approved, text=(f"{approved} approved", f"{bad} default"))
        finding = f"Approving {approved} keeps defaults at {bad}"
    curve = Curve.of("Bad rate", loans.curve, ends=n.share(loans.curve.value[-1]), flag=flag)
    return Figure.of(
        finding,
        f"Share of the approved who default, 95\u202f% band. A loan paid back earns {report.money(loans.gain)}, one that "
        f"is not loses {report.money(loans.loss)}: approved up to a probability of {n.share(loans.cut)}.",
        partial(
            plot_by_depth,
            [curve],
            n.share_axis,
            axis="Share of applicants approved, safest first",
            random=None,
            span=(0.0, max(loans.curve.high)),
        ),
    )


def _build_bands(loans: LoanRisk) -> Table:
    return Table.of(
        "Ten bands of points",
        heads("From points", "Applicants", "Predicted", "Default"),
        (
            (f"{band.min_points:.0f}", n.count(band.n), n.share(band.predicted), Estimate.of(band.bad_rate, n.share))
            for band in loans.bands
        ),
        described="Deciles of test applicants, the safest first. 600 points are odds of 50 to 1; 20 more double them.",
    )


def _draw_gaps(groups: list[ApplicantGroup]) -> tuple[Figure, Figure]:
    """Gaps of approvals, and of payers refused, of each protected group against all others."""
    approvals = [(group, group.approval_gap) for group in groups]
    refusals = [(group, group.payers_refused_gap) for group in groups]
    return (
        _draw_gap(approvals, "Approvals", "Share approved, against all other applicants"),
        _draw_gap(refusals, "Payers refused", "Of those who pay back, share refused, against others"),
    )


def _draw_gap(gaps: list[tuple[ApplicantGroup, Interval | None]], name: str, described: str) -> Figure:
    rows = [
        Row(name=f"{group.column} {group.value}", interval=gap, note=f"{n.count(group.n)} applicants", standing="deciding")
        for group, gap in gaps
        if gap is not None
    ]
    clear = [row.name for row in rows if row.interval.low > 0 or row.interval.high < 0]
    differ = f"{', '.join(clear[:2])} differ{'s' if len(clear) == 1 else ''}"
    return Figure.of(
        f"{name}: {differ if clear else 'no group differs measurably'}",
        f"{described}; 95\u202f% intervals.",
        partial(plot_intervals, rows, Line(at=0, name="no gap"), n.points, axis="Percentage points"),
    )


def _build_groups(groups: list[ApplicantGroup]) -> Table:
    """Approvals of each protected group against those of all others, and both kinds of mistake."""
    names = ("Applicants", "Approved", "Ratio to others", "Default", "Defaulters refused, gap", "Payers refused, gap")
    rows = (
        (
            f"{group.column} {group.value}",
            n.count(group.n),
            n.share(group.approved),
            n.ratio(group.approval_ratio or 0.0),
            n.share(group.bad_rate.value),
            *(
                "" if gap is None else Estimate.of(gap, n.points)
                for gap in (group.defaulters_refused_gap, group.payers_refused_gap)
            ),
        )
        for group in groups
    )
    return Table.of(
        "Approvals and mistakes by protected group",
        heads("Group", *names),
        rows,
        described="No column of these is a feature. Ratio: share approved over that of all others; below 0.80 is often "
        "looked at (the four-fifths rule). Gaps of the true and the false positive rate in points, 95\u202f% intervals.",
    )
