"""Alerts: how many a team should look at, and what they find."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.svg import Drawing
from perennial.report.page import Estimate, Row
from perennial.results.binary import AlertFigures
from perennial.results.figures import Interval

_RECALLS = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9)  # at which the table has the precision


@dataclass(frozen=True)
class AlertsView:
    """What alerts.html.j2 shows."""

    alerts: AlertFigures

    def draw_curve(self, *, label: str) -> Drawing:
        """The share of alerts that are fraud, by share of frauds found."""
        curve, recall, precision = self.alerts.curve, self.alerts.recall.value, self.alerts.precision.value
        text = (f"{self.alerts.budget:g} alerts in 1,000", f"{n.share(precision)} are fraud")
        drawn = Curve.of("Precision", curve, flag=Flag(at=min(max(recall, curve.x[0]), 1.0), text=text))
        return plot_by_depth([drawn], n.share_axis, label=label, axis="Share of frauds found", random=None, span=(0, 1))

    def recall_rows(self) -> list[Row]:
        """What it takes to find so many of the frauds."""
        curve = self.alerts.curve
        rows: list[Row] = []
        for recall in _RECALLS:
            i = min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - recall))
            precision = Interval(value=curve.value[i], low=curve.low[i], high=max(curve.high[i], curve.value[i]))
            false_alarms = n.decimal(self.count_false_alarms(max(precision.value, 1e-9)), 1)
            rows.append((n.share(recall), Estimate.of(precision, n.share), false_alarms))
        return rows

    def count_false_alarms(self, precision: float) -> float:
        """For each alert that is fraud."""
        return (1 - precision) / precision
