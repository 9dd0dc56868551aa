"""Messages: who is persuaded by each message, and what choosing a message for each customer earns."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, plot_intervals
from perennial.charts.intervals import Row as IntervalRow
from perennial.contract.serving import build_head
from perennial.report.page import Row
from perennial.report.pages.campaign import CampaignView
from perennial.report.pages.profit import build_plan_rows
from perennial.results.evaluation import Plan

_PLAN_NAMES = {"choice": "Best message for each", "response": "Likeliest to respond, as many", "nobody": "Nobody"}


@dataclass(frozen=True)
class MessagesView(CampaignView):
    """What messages.html.j2 shows: the candidate's own figures on test, beside those of the whole campaign."""

    @property
    def unit(self) -> str:
        """What parts of an effect are in."""
        currency = self.report.contract.money.currency or "Amount"
        return currency if build_head(self.report.contract).amounts else "Points"

    @property
    def best_single(self) -> str:
        """The message that earns most when everyone gets it."""
        return self.report.evaluation.arms[self.report.evaluation.policy.best_single]

    @property
    def single_plan(self) -> Plan:
        return self.report.evaluation.policy.plan(f"all {self.report.evaluation.policy.best_single}")

    @property
    def is_one_for_all(self) -> bool:
        """Whether everyone may be written to, and a choice for each customer earns no more than one message."""
        policy = self.report.evaluation.policy
        return policy.budget_share == 1 and policy.against["best_single"].low <= 0 and self.has_no_gain

    @property
    def sent(self) -> list[tuple[str, float]]:
        """The messages that somebody gets, with the share who do."""
        evaluation = self.report.evaluation
        pairs = zip(evaluation.arms[1:], evaluation.policy.shares[1:], strict=True)
        return [(name, share) for name, share in pairs if share > 0]

    def draw_differences(self, *, label: str) -> Markup:
        """What the choice earns more than other policies."""
        against = self.report.evaluation.policy.against
        names = {"best_single": f"{self.best_single} to all", "nobody": "nobody", "response": "likeliest to respond"}
        rows = [IntervalRow(name=f"Choice − {name}", interval=against[key]) for key, name in names.items()]
        return plot_intervals(rows, Line(at=0, name="same profit"), self.report.money_difference, label=label)

    def plan_rows(self) -> list[Row]:
        plans = self.report.evaluation.policy.plans
        shown = [(self._name_plan(plan.name), n.share(plan.contacted / plan.customers), plan.per_1000) for plan in plans]
        return build_plan_rows(shown, self.report.money_difference)

    def _name_plan(self, name: str) -> str:
        if name.startswith("all "):
            return f"{n.capital(self.report.evaluation.arms[int(name.removeprefix('all '))])} to everyone"
        return _PLAN_NAMES.get(name, f"{name.capitalize()}, as many")
