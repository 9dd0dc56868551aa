"""A story of loans in, the section on whom to approve out: the cut, bands of points, the bad rate, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.charts.intervals import Line, Row, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import Story, interval
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


def what_to_do(story: Story) -> str:
    found = _found(story)
    bad = n.share(found["bad_rate"]["value"])
    return f"Approve from {found['cut_points']:.0f} points: {n.share(found['approved'])} of applicants, of whom {bad} default."


def key_figures(story: Story) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    found, money = _found(story), story.money
    cut, everyone = (interval(plan["per_1000"]) for plan in found["plans"])
    bad, of_all, ks = (interval(found[name]) for name in ("bad_rate", "bad_rate_of_all", "ks"))
    return (
        KeyFigure(name="Approved", value=n.share(found["approved"]), note=f"from {found['cut_points']:.0f} points"),
        KeyFigure(
            name="Default when approved",
            value=n.share(bad.value),
            note=f"{n.between(bad, n.share)}; all applicants: {n.share(of_all.value)}",
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


def caution(story: Story) -> Caution:
    strong = "nothing of those who were refused"
    words = f"Only loans that were granted are known: this says {strong} before."
    if story.contract.split.kind != "time":
        words = f"Only loans that were granted are known: this says {strong} before, and nothing of later months."
    return Caution(text=words, strong=strong)


def section(story: Story) -> Section:
    """Whom to approve; without a promotion no plan, but what the model's own cut would have done."""
    name, blurb = "What it would do", "No plan: what its own cut would have done to the test applicants."
    if story.verdict == "PROMOTE":
        name, blurb = "What to do", "Whom to approve, and what it earns."
    blocks: list[Block] = [_curve(story), _bands(story)]
    if _judged(story):
        blocks += [_fairness(story), _groups(story)]
    return Section(anchor="action", name=name, blurb=blurb, blocks=tuple(blocks))


def _curve(story: Story) -> Figure:
    found, money = _found(story), story.money
    curve, bad = found["curve"], n.share(found["bad_rate"]["value"])
    says = (f"{n.share(found['approved'])} approved", f"{bad} default")
    drawn = Curve(
        name="Bad rate", x=curve["x"], y=curve["value"], low=curve["low"], high=curve["high"],
        ends=n.share(curve["value"][-1]), flag=Flag(at=found["approved"], says=says),
    )  # fmt: skip
    finding = f"Approving {n.share(found['approved'])} keeps defaults at {bad}"
    drawing = by_depth(
        [drawn], n.share_axis, label=finding, axis="Share of applicants approved, safest first", random=None,
        span=(0.0, max(curve["high"])),
    )  # fmt: skip
    return Figure(
        finding=finding,
        described=f"Share of the approved who default, 95\u202f% band. A loan paid back earns {money(found['gain'])}, "
        f"one that is not loses {money(found['loss'])}: approved up to a chance of {n.share(found['cut'])}.",
        drawing=drawing,
    )


def _bands(story: Story) -> Table:
    rows = tuple(
        TableRow(
            cells=(
                f"{band['from']:.0f}",
                n.count(band["n"]),
                n.share(band["predicted"]),
                Estimate.of(interval(band["bad_rate"]), n.share),
            )
        )
        for band in _found(story)["bands"]
    )
    return Table(
        finding="Ten bands of points",
        described="Tenths of test applicants, the safest first. 600 points are odds of 50 to 1; 20 more double them.",
        grid=Grid(columns=heads("From points", "Applicants", "Predicted", "Default"), rows=rows),
    )


def _fairness(story: Story) -> Pair:
    """Gaps of approvals, and of payers refused, of each protected group against all others."""
    return Pair(
        figures=(
            _gaps(story, "approval_gap", "Approvals", "Share approved, against all other applicants"),
            _gaps(
                story, "payers_refused_gap", "Payers refused", "Of those who pay back, share refused, against others"
            ),
        )
    )


def _groups(story: Story) -> Table:
    """Every judged group: approvals against those of all others, and both kinds of mistake."""
    rows = tuple(
        TableRow(
            cells=(
                f"{group['column']} {group['value']}",
                n.count(group["n"]),
                n.share(group["approved"]),
                n.decimal(group["approval_ratio"], 2),
                n.share(group["bad_rate"]["value"]),
                *(
                    Estimate.of(interval(group[key]), n.points)
                    for key in ("defaulters_refused_gap", "payers_refused_gap")
                ),
            )
        )
        for group in _judged(story)
    )
    names = ("Applicants", "Approved", "Ratio to others", "Default", "Defaulters refused, gap", "Payers refused, gap")
    return Table(
        finding="Approvals and mistakes by protected group",
        described="No column of these is a feature. Ratio: share approved over that of all others; below 0.80 is often "
        "looked at (the four-fifths rule). Gaps of the true and the false positive rate in points, 95\u202f% intervals.",
        grid=Grid(columns=heads("Group", *names), rows=rows),
    )


def _gaps(story: Story, key: str, name: str, described: str) -> Figure:
    rows = [
        Row(
            name=f"{group['column']} {group['value']}", interval=interval(group[key]), standing="deciding",
            note=f"{n.count(group['n'])} applicants",
        )
        for group in _judged(story)
    ]  # fmt: skip
    clear = [row.name for row in rows if row.interval.low > 0 or row.interval.high < 0]
    finding = (
        f"{name}: {', '.join(clear[:2])} differ{'s' if len(clear) == 1 else ''}"
        if clear
        else f"{name}: no group differs measurably"
    )
    drawing = interval_rows(rows, [Line(at=0, name="no gap")], n.points, label=finding, axis="Percentage points")
    return Figure(finding=finding, described=f"{described}; 95\u202f% intervals.", drawing=Drawing(wide=drawing))


def _judged(story: Story) -> list[Mapping[str, Any]]:
    return [group for group in _found(story)["groups"] if "approval_gap" in group]


def _found(story: Story) -> Mapping[str, Any]:
    found: Mapping[str, Any] = story.evaluation["risk"]
    return found
