"""A report of alerts in, the section on what a team of so many looks finds out."""

from __future__ import annotations

from functools import partial

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Estimate, Figure, Grid, KeyFigure, Section, Table, TableRow, heads
from perennial.results.binary import AlertFigures, BinaryEvaluation
from perennial.results.figures import Interval


def what_to_do(report: ReportContext[BinaryEvaluation]) -> str:
    alerts = _figures(report)
    recall, false = n.share(alerts.recall.value), _false_alarms(alerts)
    return f"Look at {alerts.budget:g} of 1,000 payments: that finds {recall} of the frauds, at {false}."


def key_figures(report: ReportContext[BinaryEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    alerts = _figures(report)
    recall, precision = alerts.recall, alerts.precision
    ap = report.figure("ap")
    third = KeyFigure(
        name="Precision–recall (AP)", value=n.decimal(ap.value, 2), note=n.between(ap, partial(n.decimal, places=2))
    )
    if (amount := alerts.amount_recall) is not None and alerts.amount is not None:
        money = report.money(alerts.amount)
        third = KeyFigure(
            name="Of the money", value=n.share(amount.value), note=f"{n.between(amount, n.share)}; {money} in all"
        )
    return (
        KeyFigure(
            name="Frauds found",
            value=n.share(recall.value),
            note=f"{n.between(recall, n.share)}; {alerts.frauds} on test",
        ),
        KeyFigure(name="Alerts that are fraud", value=n.share(precision.value), note=n.between(precision, n.share)),
        third,
        KeyFigure(
            name="Alerts in 1,000 payments",
            value=n.decimal(alerts.alerts_per_1000, 1),
            note=f"budget: {alerts.budget:g}, kept on validation",
        ),
    )


def caution() -> Caution:
    strong = "counts as honest here"
    return Caution(text=f"A fraud that nobody found {strong}: precision may be better than it looks.", strong=strong)


def section(report: ReportContext[BinaryEvaluation]) -> Section:
    name, blurb = "What it would find", "No plan: what its own alerts found on the test payments."
    if report.verdict == "PROMOTE":
        name, blurb = "What to do", "How many alerts to look at, and what they find."
    return Section(anchor="action", name=name, blurb=blurb, blocks=(_curve(report), _places(report)))


def _curve(report: ReportContext[BinaryEvaluation]) -> Figure:
    alerts = _figures(report)
    curve, recall = alerts.curve, alerts.recall.value
    says = (f"{alerts.budget:g} alerts in 1,000", f"{n.share(alerts.precision.value)} are fraud")
    drawn = Curve(
        name="Precision", x=curve.x, y=curve.value, low=curve.low, high=curve.high,
        flag=Flag(at=min(max(recall, curve.x[0]), 1.0), says=says),
    )  # fmt: skip
    finding = f"{alerts.budget:g} alerts in 1,000 find {n.share(recall)} of the frauds, at {_false_alarms(alerts)}"
    drawing = by_depth([drawn], n.share_axis, label=finding, axis="Share of frauds found", random=None, span=(0, 1))
    return Figure(
        finding=finding,
        described="Share of alerts that are fraud, by share of frauds found; at the true rate of fraud, 95\u202f% band.",
        drawing=drawing,
        foot="The threshold was chosen on other payments (validation), then measured here once.",
    )


def _places(report: ReportContext[BinaryEvaluation]) -> Table:
    curve = _figures(report).curve
    rows = []
    for at in (0.25, 0.5, 0.6, 0.7, 0.8, 0.9):
        i = min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - at))
        span = Interval(value=curve.value[i], low=curve.low[i], high=max(curve.high[i], curve.value[i]))
        false = n.decimal((1 - span.value) / max(span.value, 1e-9), 1)
        rows.append(TableRow(cells=(n.share(at), Estimate.of(span, n.share), false)))
    return Table(
        finding="The price of finding more",
        grid=Grid(columns=heads("Frauds found", "Alerts that are fraud", "False alarms a hit"), rows=tuple(rows)),
    )


def _false_alarms(alerts: AlertFigures) -> str:
    precision = alerts.precision.value
    return f"{n.decimal((1 - precision) / precision, 1)} false alarms a hit" if precision > 0 else "false alarms only"


def _figures(report: ReportContext[BinaryEvaluation]) -> AlertFigures:
    assert report.evaluation.alerts is not None, "only a contract with alerts has this page"
    return report.evaluation.alerts
