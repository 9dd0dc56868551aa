"""Amounts: how much to expect from which customers."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag
from perennial.charts.gains import plot_gains
from perennial.report.context import ReportContext
from perennial.report.page import Estimate, Row
from perennial.results.figures import Interval
from perennial.results.regression import RegressionEvaluation


@dataclass(frozen=True)
class AmountsView:
    """What amounts.html.j2 shows."""

    report: ReportContext[RegressionEvaluation]

    @property
    def unit(self) -> str:
        """What parts of an expected amount are in."""
        return "Log of the amount" if getattr(self.report.contract.task, "zeros", "") == "two_part" else "Amount"

    @property
    def top_tenth(self) -> Interval:
        """The share of the whole amount that the tenth of customers with the highest predictions brings."""
        curve = self.report.evaluation.concentration
        return Interval(value=curve.value[10], low=curve.low[10], high=curve.high[10])

    @property
    def count_off(self) -> int:
        """Deciles whose mean prediction lies outside the interval of the actual mean."""
        return sum(not one.actual.low <= one.predicted <= one.actual.high for one in self.report.evaluation.deciles)

    def decile_rows(self) -> list[Row]:
        money, numbered = self.report.money, reversed(list(enumerate(self.report.evaluation.deciles, 1)))
        return [(str(i), n.count(one.n), money(one.predicted), Estimate.of(one.actual, money)) for i, one in numbered]

    def draw_concentration(self, *, label: str) -> Markup:
        flag = Flag(at=0.1, text=(f"{n.share(self.top_tenth.value)} of the total", f"from the top {n.share(0.1)}"))
        curve = Curve.of("by expected amount", self.report.evaluation.concentration, flag=flag)
        return plot_gains([curve], label=label, axis="Share of customers, best first")
