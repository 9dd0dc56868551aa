"""A report of loans in, the section on whom to approve out: the cut, bands of points, the bad rate, and for whom."""

from __future__ import annotations

from functools import partial
from typing import Literal

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.charts.intervals import Line, Row, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import ReportContext
from perennial.report.page import (
    Block,
    Caution,
    Estimate,
    Figure,
    Grid,
    KeyFigure,
    Pair,
    Section,
    Table,
    TableRow,
    heads,
)
from perennial.results.binary import ApplicantGroup, BinaryEvaluation, LoanRisk
from perennial.results.figures import Interval

Gap = Literal["approval_gap", "payers_refused_gap"]


def what_to_do(report: ReportContext[BinaryEvaluation]) -> str:
    loans = _risk(report)
    if loans.bad_rate is None:
        return f"Approve nobody on this list: {_nobody(loans)}."
    bad = n.share(loans.bad_rate.value)
    return (
        f"Approve from {loans.cut_points:.0f} points: {n.share(loans.approved)} of applicants, of whom {bad} default."
    )


def _nobody(loans: LoanRisk) -> str:
    """Why nobody is approved; the bad rate of no loans is not known."""
    return f"no applicant's chance of default is under {n.share(loans.cut)}"


def key_figures(report: ReportContext[BinaryEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    loans, money = _risk(report), report.money
    cut, everyone = (plan.per_1000 for plan in loans.plans)
    bad, of_all, ks = loans.bad_rate, loans.bad_rate_overall, loans.ks
    rate, interval = (n.share(bad.value), n.between(bad, n.share)) if bad else ("none", "nobody is approved")
    return (
        KeyFigure(name="Approved", value=n.share(loans.approved), note=f"from {loans.cut_points:.0f} points"),
        KeyFigure(
            name="Default when approved", value=rate, note=f"{interval}; all applicants: {n.share(of_all.value)}"
        ),
        KeyFigure(
            name="Earned per 1,000 applicants",
            value=money(cut.value),
            note=f"{n.between(cut, money)}; approving all: {money(everyone.value)}",
        ),
        KeyFigure(
            name="Separation (KS)", value=n.decimal(ks.value, 2), note=n.between(ks, partial(n.decimal, places=2))
        ),
    )


def caution(report: ReportContext[BinaryEvaluation]) -> Caution:
    strong = "nothing of those who were refused"
    words = f"Only loans that were granted are known: this says {strong} before."
    if report.contract.split.kind != "time":
        words = f"Only loans that were granted are known: this says {strong} before, and nothing of later months."
    return Caution(text=words, strong=strong)


def section(report: ReportContext[BinaryEvaluation]) -> Section:
    """Whom to approve; without a promotion no plan, but what the model's own cut would have done."""
    name, blurb = "What it would do", "No plan: what its own cut would have done to the test applicants."
    if report.verdict == "PROMOTE":
        name, blurb = "What to do", "Whom to approve, and what it earns."
    blocks: list[Block] = [_curve(report), _bands(report)]
    if _comparable_groups(report):
        blocks += [_fairness(report), _groups(report)]
    return Section(anchor="action", name=name, blurb=blurb, blocks=tuple(blocks))


def _curve(report: ReportContext[BinaryEvaluation]) -> Figure:
    loans, money = _risk(report), report.money
    curve, flag = loans.curve, None
    finding = f"Nobody would be approved: {_nobody(loans)}"
    if loans.bad_rate is not None:
        bad = n.share(loans.bad_rate.value)
        flag = Flag(at=loans.approved, says=(f"{n.share(loans.approved)} approved", f"{bad} default"))
        finding = f"Approving {n.share(loans.approved)} keeps defaults at {bad}"
    drawn = Curve(
        name="Bad rate", x=curve.x, y=curve.value, low=curve.low, high=curve.high,
        ends=n.share(curve.value[-1]), flag=flag,
    )  # fmt: skip
    drawing = by_depth(
        [drawn], n.share_axis, label=finding, axis="Share of applicants approved, safest first", random=None,
        span=(0.0, max(curve.high)),
    )  # fmt: skip
    return Figure(
        finding=finding,
        described=f"Share of the approved who default, 95\u202f% band. A loan paid back earns {money(loans.gain)}, "
        f"one that is not loses {money(loans.loss)}: approved up to a chance of {n.share(loans.cut)}.",
        drawing=drawing,
    )


def _bands(report: ReportContext[BinaryEvaluation]) -> Table:
    rows = tuple(
        TableRow(
            cells=(
                f"{band.min_points:.0f}",
                n.count(band.n),
                n.share(band.predicted),
                Estimate.of(band.bad_rate, n.share),
            )
        )
        for band in _risk(report).bands
    )
    return Table(
        finding="Ten bands of points",
        described="Tenths of test applicants, the safest first. 600 points are odds of 50 to 1; 20 more double them.",
        grid=Grid(columns=heads("From points", "Applicants", "Predicted", "Default"), rows=rows),
    )


def _fairness(report: ReportContext[BinaryEvaluation]) -> Pair:
    """Gaps of approvals, and of payers refused, of each protected group against all others."""
    return Pair(
        figures=(
            _gaps(report, "approval_gap", "Approvals", "Share approved, against all other applicants"),
            _gaps(
                report, "payers_refused_gap", "Payers refused", "Of those who pay back, share refused, against others"
            ),
        )
    )


def _groups(report: ReportContext[BinaryEvaluation]) -> Table:
    """Every judged group: approvals against those of all others, and both kinds of mistake."""
    rows = tuple(
        TableRow(
            cells=(
                f"{group.column} {group.value}",
                n.count(group.n),
                n.share(group.approved),
                n.decimal(group.approval_ratio or 0.0, 2),
                n.share(group.bad_rate.value),
                *(_gap_cell(gap) for gap in (group.defaulters_refused_gap, group.payers_refused_gap)),
            )
        )
        for group in _comparable_groups(report)
    )
    names = ("Applicants", "Approved", "Ratio to others", "Default", "Defaulters refused, gap", "Payers refused, gap")
    return Table(
        finding="Approvals and mistakes by protected group",
        described="No column of these is a feature. Ratio: share approved over that of all others; below 0.80 is often "
        "looked at (the four-fifths rule). Gaps of the true and the false positive rate in points, 95\u202f% intervals.",
        grid=Grid(columns=heads("Group", *names), rows=rows),
    )


def _gap_cell(gap: Interval | None) -> Estimate | str:
    return "" if gap is None else Estimate.of(gap, n.points)


def _gaps(report: ReportContext[BinaryEvaluation], key: Gap, name: str, described: str) -> Figure:
    rows = [
        Row(
            name=f"{group.column} {group.value}", interval=getattr(group, key), standing="deciding",
            note=f"{n.count(group.n)} applicants",
        )
        for group in _comparable_groups(report)
    ]  # fmt: skip
    clear = [row.name for row in rows if row.interval.low > 0 or row.interval.high < 0]
    finding = (
        f"{name}: {', '.join(clear[:2])} differ{'s' if len(clear) == 1 else ''}"
        if clear
        else f"{name}: no group differs measurably"
    )
    drawing = interval_rows(rows, [Line(at=0, name="no gap")], n.points, label=finding, axis="Percentage points")
    return Figure(finding=finding, described=f"{described}; 95\u202f% intervals.", drawing=Drawing(wide=drawing))


def _comparable_groups(report: ReportContext[BinaryEvaluation]) -> list[ApplicantGroup]:
    """Groups with enough payers and defaulters on both sides."""
    return [group for group in _risk(report).groups if group.approval_gap is not None]


def _risk(report: ReportContext[BinaryEvaluation]) -> LoanRisk:
    assert report.evaluation.risk is not None, "only a lender's contract has this page"
    return report.evaluation.risk
