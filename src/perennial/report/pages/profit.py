"""Contacts: what a list earns compared with other ways to spend the campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import plot_inline
from perennial.charts.svg import Drawing
from perennial.report.context import ReportContext
from perennial.report.page import Estimate, Row
from perennial.results.binary import BinaryEvaluation, ContactProfit
from perennial.results.figures import Interval

_FOLD_DEPTHS = (5, 10, 15, 20, 30, 40, 50, 75, 100)  # percent
_PLAN_NAMES = {
    "chosen": "Chosen list",
    "whole budget": "Whole budget",
    "random": "Same number at random",
    "everyone": "Everyone",
    "nobody": "Nobody",
}


@dataclass(frozen=True)
class ContactsView:
    """What contacts.html.j2 shows."""

    report: ReportContext[BinaryEvaluation]
    profit: ContactProfit

    def estimate_responses(self) -> Interval:
        """The share of the contacted who respond, from what they earned: value × responses − cost × contacts."""
        profit, plan = self.profit, self.profit.plan("chosen")
        low, value, high = (
            (end / plan.contacted + profit.cost) / profit.value for end in (plan.profit.low, plan.profit.value, plan.profit.high)
        )
        return Interval(value=value, low=max(low, 0.0), high=min(high, 1.0))

    def draw_profit(self, *, label: str) -> Drawing:
        """Profit by depth, with the chosen depth and the budget."""
        profit, chosen, money = self.profit, self.profit.plan("chosen"), self.report.money
        choice = "Chosen" if self.report.verdict == "PROMOTE" else "Its own choice"
        contacts = f"{n.count(chosen.contacted)} contacts, {money(chosen.profit.value)}"
        flag = Flag(at=profit.depth, text=(f"{choice}: {n.share(profit.depth)}", contacts))
        return plot_by_depth(
            [Curve.of("Everyone", profit.curve, ends=money(profit.plan("everyone").profit.value), flag=flag)],
            self.report.money_axis,
            label=label,
            budget=Flag(at=profit.budget_share, text=(f"Budget: {n.share(profit.budget_share)}",)),
            axis="Share of customers contacted, best first",
            random="Same number, picked at random",
        )

    def curve_rows(self) -> list[Row]:
        curve, money, customers = self.profit.curve, self.report.money, self.profit.plan("chosen").customers
        return [
            (
                n.share(curve.x[i]),
                n.count(curve.x[i] * customers),
                money(curve.value[i]),
                f"[{money(curve.low[i])}, {money(curve.high[i])}]",
            )
            for i in _FOLD_DEPTHS
        ]

    def plan_rows(self) -> list[Row]:
        """The chosen list first; the whole budget only where it is not everyone."""
        names, has_limit = dict(_PLAN_NAMES), self.profit.budget_share < 1
        if has_limit:
            names["everyone"] += " (over budget)"
        if self.report.verdict != "PROMOTE":
            names["chosen"] = "Its own list"
        plans = [plan for plan in self.profit.plans if has_limit or plan.name != "whole budget"]
        return build_plan_rows([(names[plan.name], n.count(plan.contacted), plan.profit) for plan in plans], self.report.money)


def build_plan_rows(plans: Sequence[tuple[str, str, Interval]], show: n.Format) -> list[Row]:
    """Plans (name, contacts, what it earns), the chosen one first, with their figures and drawn on one span."""
    span = min(earned.low for *_, earned in plans), max(earned.high for *_, earned in plans)
    return [
        (
            name,
            contacts,
            show(earned.value),
            Estimate(value="", interval=n.bracket(earned, show) if earned.low != earned.high else "exact"),
            plot_inline(earned, span, label=f"{name}: {n.estimate(earned, show)}", standing="reference" if i else "compared"),
        )
        for i, (name, contacts, earned) in enumerate(plans)
    ]
