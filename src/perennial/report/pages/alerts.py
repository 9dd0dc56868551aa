"""A story of alerts in, the section on what a team of so many looks finds out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.context import Story, interval
from perennial.report.page import Caution, Estimate, Figure, Grid, KeyFigure, Section, Table, TableRow, heads


def what_to_do(story: Story) -> str:
    found = _found(story)
    recall, false = n.share(found["recall"]["value"]), _false_alarms(found)
    return f"Look at {found['budget']:g} of 1,000 payments: that finds {recall} of the frauds, at {false}."


def key_figures(story: Story) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    found = _found(story)
    recall, precision = interval(found["recall"]), interval(found["precision"])
    ap = story.figure("ap")
    third = KeyFigure(
        name="Precision–recall (AP)", value=n.decimal(ap.value, 2), note=n.between(ap, partial(n.decimal, places=2))
    )
    if "amount_recall" in found:
        amount = interval(found["amount_recall"])
        money = story.money(found["amount"])
        third = KeyFigure(
            name="Of the money", value=n.share(amount.value), note=f"{n.between(amount, n.share)}; {money} in all"
        )
    return (
        KeyFigure(
            name="Frauds found",
            value=n.share(recall.value),
            note=f"{n.between(recall, n.share)}; {found['frauds']} on test",
        ),
        KeyFigure(name="Alerts that are fraud", value=n.share(precision.value), note=n.between(precision, n.share)),
        third,
        KeyFigure(
            name="Alerts in 1,000 payments",
            value=n.decimal(found["alerts_per_1000"], 1),
            note=f"budget: {found['budget']:g}, kept on validation",
        ),
    )


def caution() -> Caution:
    strong = "counts as honest here"
    return Caution(text=f"A fraud that nobody found {strong}: precision may be better than it looks.", strong=strong)


def section(story: Story) -> Section:
    name, blurb = "What it would find", "No plan: what its own alerts found on the test payments."
    if story.verdict == "PROMOTE":
        name, blurb = "What to do", "How many alerts to look at, and what they find."
    return Section(anchor="action", name=name, blurb=blurb, blocks=(_curve(story), _places(story)))


def _curve(story: Story) -> Figure:
    found = _found(story)
    curve, recall = found["curve"], found["recall"]["value"]
    says = (f"{found['budget']:g} alerts in 1,000", f"{n.share(found['precision']['value'])} are fraud")
    drawn = Curve(
        name="Precision", x=curve["x"], y=curve["value"], low=curve["low"], high=curve["high"],
        flag=Flag(at=min(max(recall, curve["x"][0]), 1.0), says=says),
    )  # fmt: skip
    finding = f"{found['budget']:g} alerts in 1,000 find {n.share(recall)} of the frauds, at {_false_alarms(found)}"
    drawing = by_depth([drawn], n.share_axis, label=finding, axis="Share of frauds found", random=None, span=(0, 1))
    return Figure(
        finding=finding,
        described="Share of alerts that are fraud, by share of frauds found; at the true rate of fraud, 95\u202f% band.",
        drawing=drawing,
        foot="The threshold was chosen on other payments (validation), then measured here once.",
    )


def _places(story: Story) -> Table:
    curve = _found(story)["curve"]
    rows = []
    for at in (0.25, 0.5, 0.6, 0.7, 0.8, 0.9):
        i = min(range(len(curve["x"])), key=lambda i: abs(curve["x"][i] - at))
        span = n.Interval(value=curve["value"][i], low=curve["low"][i], high=max(curve["high"][i], curve["value"][i]))
        false = n.decimal((1 - span.value) / max(span.value, 1e-9), 1)
        rows.append(TableRow(cells=(n.share(at), Estimate.of(span, n.share), false)))
    return Table(
        finding="The price of finding more",
        grid=Grid(columns=heads("Frauds found", "Alerts that are fraud", "False alarms a hit"), rows=tuple(rows)),
    )


def _false_alarms(found: Mapping[str, Any]) -> str:
    precision = max(found["precision"]["value"], 1e-9)
    return f"{n.decimal((1 - precision) / precision, 1)} false alarms a hit"


def _found(story: Story) -> Mapping[str, Any]:
    found: Mapping[str, Any] = story.evaluation["alerts"]
    return found
