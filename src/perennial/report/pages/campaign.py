"""Campaign: were the groups randomized, what does each message change, and what does choosing one earn.

Every customer counts, scored by a model that has not seen them; `messages` has what the candidate itself earns on test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import Line, plot_columns
from perennial.charts.svg import Drawing
from perennial.contract.serving import build_head, feature_columns
from perennial.report.context import ReportContext
from perennial.report.page import Estimate, Row
from perennial.results.figures import Interval
from perennial.results.uplift import MessageFigures, UpliftEvaluation

_RANK_BY = {"effect": "Effect", "response": "Response", "neither": "Neither"}


@dataclass(frozen=True, kw_only=True)
class Units:
    """How effects and Qini figures are printed, and what they are of."""

    effect: n.Format
    effect_name: str
    points: str = ""
    qini: n.Format
    qini_gain: n.Format
    qini_name: str


@dataclass(frozen=True)
class Deciles:
    """Effects by decile of prediction, the best first, on the axis that all messages share."""

    effects: Sequence[Interval]
    span: tuple[float, float]
    show: n.Format

    def draw(self, *, label: str) -> Markup:
        columns = [(str(i), effect) for i, effect in enumerate(self.effects, 1)]
        axis = "Decile of customers by predicted effect, 1 is the best"
        return plot_columns(columns, Line(at=0, name="no effect"), self.show, label=label, axis=axis, span=self.span)


@dataclass(frozen=True)
class CampaignView:
    """What campaign.html.j2 shows."""

    report: ReportContext[UpliftEvaluation]

    @property
    def is_randomized(self) -> bool:
        check = self.report.evaluation.randomization
        return check.problem is None and check.least_p >= check.expected_least_p

    @property
    def has_no_gain(self) -> bool:
        """Whether the best message for each customer does not measurably earn more than the best single one for all."""
        return self.report.evaluation.out_of_fold.policy.against["best_single"].low <= 0

    @property
    def most_uneven(self) -> str:
        """The column that differs most between the groups."""
        columns = self.report.evaluation.randomization.columns
        return self._labels.get(columns[0].column, "") if columns else ""

    @property
    def _labels(self) -> dict[str, str]:
        return {feature.name: n.capital(feature.label) for feature in feature_columns(self.report.contract)}

    @property
    def units(self) -> Units:
        """Responses in percentage points; amounts in the money of 1,000 customers, for one customer's are cents.

        Qini figures are of 1,000 customers; per customer they have too many zeros to be read.
        """
        if not build_head(self.report.contract).amounts:
            return Units(
                effect=n.points,
                effect_name="Extra responses of 100 customers",
                points=" points",
                qini=lambda qini: n.decimal(1000 * qini, 1),
                qini_gain=lambda qini: n.difference(1000 * qini, 1),
                qini_name="in responses of 1,000 customers",
            )
        target, report = self.report.contract.target, self.report
        return Units(
            effect=lambda change: report.money_difference(1000 * change),
            effect_name=f"Extra {target} of 1,000 customers",
            qini=lambda qini: report.money(1000 * qini),
            qini_gain=lambda qini: report.money_difference(1000 * qini),
            qini_name=f"in {target} of 1,000 customers",
        )

    def balance_rows(self) -> list[Row]:
        """The gaps of the groups in every column known before."""
        return [
            (
                self._labels.get(column.column, column.column),
                *(n.difference(gap) for gap in column.gaps),
                n.decimal(column.expected_gap),
                n.decimal(column.p) if column.p >= 0.0005 else "under 0.001",
            )
            for column in self.report.evaluation.randomization.columns
        ]

    def message_rows(self) -> list[Row]:
        units = self.units
        return [
            (
                n.capital(message.name),
                Estimate.of(message.effect, units.effect),
                Estimate.of(message.by_effect, units.qini),
                Estimate.of(message.by_response, units.qini),
                _RANK_BY[message.rank_by],
            )
            for message in self.report.evaluation.out_of_fold.messages
        ]

    def deciles_of(self, message: MessageFigures) -> Deciles:
        every = [decile.observed for one in self.report.evaluation.out_of_fold.messages for decile in one.deciles]
        span = min(one.low for one in every), max(one.high for one in every)
        return Deciles([decile.observed for decile in reversed(message.deciles)], span, self.units.effect)

    def draw_profit(self, *, label: str) -> Drawing:
        """Profit per 1,000 customers by depth, of a ranking by effect and of one by response."""
        policy = self.report.evaluation.out_of_fold.policy
        per_1000 = 1000 / policy.plan("choice").customers
        choice, response = (policy.curves[key] for key in ("choice", "response"))
        y, low, high = ([end * per_1000 for end in ends] for ends in (choice.value, choice.low, choice.high))
        flag = Flag(at=policy.depth, text=(f"Its choice: {n.share(policy.depth)}",))
        curves = [
            Curve(name="By effect", x=choice.x, y=y, low=low, high=high, flag=flag),
            Curve(name="By response", x=response.x, y=[end * per_1000 for end in response.value], tone="orange"),
        ]
        budget = Flag(at=policy.budget_share, text=(f"Budget: {n.share(policy.budget_share)}",))
        axis = "Share of customers contacted, best first"
        return plot_by_depth(curves, self.report.money_axis, label=label, axis=axis, budget=budget)
