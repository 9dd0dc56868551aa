"""A report of a regression task in, its words and charts out: how much is to be expected of whom, and how surely."""

from __future__ import annotations

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, gains
from perennial.report.charts.svg import Drawing
from perennial.report.context import METRIC_NAMES, ReportContext
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
from perennial.report.pages.shared import (
    difference_figure,
    families_table,
    go_on,
    model_headline,
    reasons_section,
    split_sensitivity,
    strongest_caution,
    training_figure,
)
from perennial.report.task_sections import TaskSections
from perennial.results.figures import Interval
from perennial.results.regression import RegressionEvaluation


def build_sections(report: ReportContext[RegressionEvaluation]) -> TaskSections:
    """Everything between the label line and the section on rows."""
    return TaskSections(
        verdict=report.verdict,
        headline=_headline(report),
        what_to_do=_what_to_do(report),
        caution=strongest_caution(report) or _caution(report),
        picture=difference_figure(report, "test customers"),
        key_figures=_key_figures(report),
        why=(),
        sections=(
            _expected(report),
            reasons_section(report, effect="the expected amount", unit=_unit(report)),
            _trust(report),
        ),
    )


def _headline(report: ReportContext[RegressionEvaluation]) -> str:
    return model_headline(
        report,
        better="ranks amounts better",
        first="finds those who bring most better than agreed",
        poor="this model is not as good as agreed",
    )


def _what_to_do(report: ReportContext[RegressionEvaluation]) -> str:
    if report.verdict == "HOLD":
        return go_on(report)
    if report.verdict == "REJECT":
        return f"Rank customers as you do today{', by the model in use' if report.decision.champion else ''}."
    best = n.share(_at_tenth(report))
    return f"Rank customers by the expected amount: the best tenth brings {best} of the whole."


def _caution(report: ReportContext[RegressionEvaluation]) -> Caution:
    """Whether the sum is right outweighs all else: budgets are made from it."""
    ratio = report.evaluation.predicted_over_actual
    if not ratio.low <= 1 <= ratio.high:
        strong = f"sums are off: {n.decimal(ratio.value, 2)} of what came"
        return Caution(
            text=f"Predicted {strong} ({n.between(ratio, n.decimal)}). Rank by it, do not budget by it.", strong=strong
        )
    return Caution(text="An expected amount is a mean: single customers differ from it widely.")


def _key_figures(report: ReportContext[RegressionEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    gini, mae = (report.figure(name) for name in ("gini_norm", "mae"))
    ratio, money = report.evaluation.predicted_over_actual, report.money
    found = report.evaluation.concentration
    tenth = Interval(value=found.value[10], low=found.low[10], high=found.high[10])
    return (
        KeyFigure(
            name="Ranking quality (Gini)",
            value=n.decimal(gini.value),
            note=f"{n.between(gini, n.decimal)}; 1 is perfect",
        ),
        KeyFigure(name="The best tenth brings", value=n.share(tenth.value), note=n.between(tenth, n.share)),
        KeyFigure(name="Predicted over actual", value=n.decimal(ratio.value, 2), note=n.between(ratio, n.decimal)),
        KeyFigure(name="Mean absolute error", value=money(mae.value), note=n.between(mae, money)),
    )


def _expected(report: ReportContext[RegressionEvaluation]) -> Section:
    """Tenths of customers: predicted and actual mean."""
    money = report.money
    rows = tuple(
        TableRow(cells=(str(i), n.count(t.n), money(t.predicted), Estimate.of(t.actual, money)))
        for i, t in reversed(list(enumerate(report.evaluation.deciles, 1)))
    )
    off = [t for t in report.evaluation.deciles if not t.actual.low <= t.predicted <= t.actual.high]
    finding = (
        "Predicted amounts can be taken at face value"
        if len(off) <= 1
        else f"In {len(off)} of 10 tenths predicted amounts are off"
    )
    table = Table(
        finding=finding,
        described="Mean amount of a test customer by tenth of prediction, 95\u202f% intervals.",
        grid=Grid(columns=heads("Tenth, 10 is best", "Customers", "Predicted", "Actual"), rows=rows),
        foot=f"{n.share(report.evaluation.zeros)} of test customers bring nothing.",
    )
    return Section(
        anchor="action", name="What to expect", blurb="How much, of whom.", blocks=(table, _concentration(report))
    )


def _concentration(report: ReportContext[RegressionEvaluation]) -> Figure:
    found = report.evaluation.concentration
    share = n.share(_at_tenth(report))
    curve = Curve(
        name="by expected amount",
        x=found.x,
        y=found.value,
        low=found.low,
        high=found.high,
        flag=Flag(at=0.1, says=(f"{share} of the whole", "from the best tenth")),
    )
    finding = f"The best tenth of customers brings {share} of the whole"
    drawing = gains([curve], label=finding, axis="Share of customers, best first")
    return Figure(
        finding=finding,
        described="Share of all that test customers brought, 95\u202f% band.",
        drawing=Drawing(wide=drawing),
    )


def _trust(report: ReportContext[RegressionEvaluation]) -> Section:
    names = (("gini_norm", METRIC_NAMES["gini_norm"], n.decimal), ("mae", METRIC_NAMES["mae"], report.money))
    blocks: list[Block] = [
        families_table(report, names, "Families on the same customers: the simplest of the best was taken"),
        *split_sensitivity(report),
        Pair(figures=(training_figure(report),)),
    ]
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb="For data scientists. All on test customers, each used once.",
        blocks=tuple(blocks),
    )


def _unit(report: ReportContext[RegressionEvaluation]) -> str:
    return "Log of the amount" if getattr(report.contract.task, "zeros", "") == "two_part" else "Amount"


def _at_tenth(report: ReportContext[RegressionEvaluation]) -> float:
    return float(report.evaluation.concentration.value[10])
