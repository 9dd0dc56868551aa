"""Alerts page: how many alerts a team should look at, and what they find."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Estimate, Figure, KeyFigure, KeyFigures, Table, heads
from perennial.report.pages import verdict
from perennial.report.pages.verdict import Action
from perennial.results.binary import AlertFigures, BinaryEvaluation
from perennial.results.figures import Interval

_RECALLS = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9)  # at which the table has the precision
Report = ReportContext[BinaryEvaluation]


def build_action(report: Report, alerts: AlertFigures) -> Action:
    strong = "counts as honest here"
    otherwise = "What it would find", "No plan: what its own alerts found on the test payments."
    recall, false_alarms = n.share(alerts.recall.value), _format_false_alarms(alerts.precision.value)
    return Action(
        plan=f"Look at {alerts.budget:g} of 1,000 payments: that finds {recall} of the frauds, at {false_alarms}.",
        key_figures=_build_key_figures(report, alerts),
        caution=Caution(text=f"A fraud that nobody found {strong}: precision may be better than it looks.", strong=strong),
        section=verdict.build_action_section(
            report, "How many alerts to look at, and what they find.", otherwise, _draw_curve(alerts), _build_recalls(alerts)
        ),
    )


def _build_key_figures(report: Report, alerts: AlertFigures) -> KeyFigures:
    third = KeyFigure.of("Precision–recall (AP)", report.figure("ap"), n.ratio)
    if alerts.amount_recall is not None and alerts.amount is not None:
        third = KeyFigure.of("Of the money", alerts.amount_recall, n.share, f"{report.money(alerts.amount)} in all")
    per_1000 = n.decimal(alerts.alerts_per_1000, 1)
    return (
        KeyFigure.of("Frauds found", alerts.recall, n.share, f"{alerts.frauds} on test"),
        KeyFigure.of("Alerts that are fraud", alerts.precision, n.share),
        third,
        KeyFigure(name="Alerts in 1,000 payments", value=per_1000, note=f"budget: {alerts.budget:g}, kept on validation"),
    )


def _draw_curve(alerts: AlertFigures) -> Figure:
    recall, precision = alerts.recall.value, alerts.precision.value
    text = (f"{alerts.budget:g} alerts in 1,000", f"{n.share(precision)} are fraud")
    curve = Curve.of("Precision", alerts.curve, flag=Flag(at=min(max(recall, alerts.curve.x[0]), 1.0), text=text))
    return Figure.of(
        f"{alerts.budget:g} alerts in 1,000 find {n.share(recall)} of the frauds, at {_format_false_alarms(precision)}",
        "Share of alerts that are fraud, by share of frauds found; at the true rate of fraud, 95\u202f% band.",
        partial(plot_by_depth, [curve], n.share_axis, axis="Share of frauds found", random=None, span=(0, 1)),
        foot="The threshold was chosen on other payments (validation), then measured here once.",
    )


def _build_recalls(alerts: AlertFigures) -> Table:
    curve, rows = alerts.curve, []
    for recall in _RECALLS:
        i = min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - recall))
        precision = Interval(value=curve.value[i], low=curve.low[i], high=max(curve.high[i], curve.value[i]))
        false_alarms = n.decimal((1 - precision.value) / max(precision.value, 1e-9), 1)
        rows.append((n.share(recall), Estimate.of(precision, n.share), false_alarms))
    columns = heads("Frauds found", "Alerts that are fraud", "False alarms a hit")
    return Table.of("The price of finding more", columns, rows)


def _format_false_alarms(precision: float) -> str:
    return f"{n.decimal((1 - precision) / precision, 1)} false alarms a hit" if precision > 0 else "false alarms only"
