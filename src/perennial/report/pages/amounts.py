"""Amounts page: how much to expect from which customers, and how far to trust it."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag
from perennial.charts.gains import plot_gains
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Estimate, Figure, KeyFigure, KeyFigures, Pair, Section, Table, heads
from perennial.report.pages import evidence, reasons, verdict
from perennial.report.pages.verdict import TaskSections
from perennial.results.figures import Interval
from perennial.results.regression import RegressionEvaluation

Report = ReportContext[RegressionEvaluation]


def build_sections(report: Report) -> TaskSections:
    """Everything between the label line and the section on rows."""
    is_two_part = getattr(report.contract.task, "zeros", "") == "two_part"
    unit = "Log of the amount" if is_two_part else "Amount"
    metrics = (("gini_norm", n.METRIC_NAMES["gini_norm"], n.decimal), ("mae", n.METRIC_NAMES["mae"], report.money))
    brought = n.share(_get_top_tenth(report).value)
    plan = f"Rank customers by the expected amount: the top {n.share(0.1)} bring {brought} of the whole."
    poor = "Do not deploy: this model is not as good as agreed."
    return TaskSections(
        headline=verdict.format_model_headline(report, "ranks customers by amount", poor),
        what_to_do=verdict.describe_next_step(report, plan, reject="Rank customers"),
        caution=verdict.find_strongest_caution(report) or _describe_sums(report),
        picture=verdict.draw_differences(report, "test customers"),
        key_figures=_build_key_figures(report),
        sections=(
            Section(
                anchor="action",
                name="What to expect",
                blurb="How much, from whom.",
                blocks=(_build_deciles(report), _draw_concentration(report)),
            ),
            reasons.build_section(report, effect="the expected amount", unit=unit),
            evidence.build_section(
                evidence.build_families(report, metrics),
                *evidence.build_split_sensitivity(report),
                Pair(figures=(evidence.draw_training(report),)),
            ),
        ),
    )


def _describe_sums(report: Report) -> Caution:
    """Whether the sum is right outweighs all else: budgets are made from it."""
    ratio = report.evaluation.predicted_over_actual
    if ratio.low <= 1 <= ratio.high:
        return Caution(text="An expected amount is a mean: single customers differ from it widely.")
    strong = f"sums are off: {n.ratio(ratio.value)} of the actual amounts"
    interval = n.between(ratio, n.ratio)
    return Caution(text=f"Predicted {strong} ({interval}). Rank by it, do not budget by it.", strong=strong)


def _build_key_figures(report: Report) -> KeyFigures:
    return (
        KeyFigure.of("Ranking quality (Gini)", report.figure("gini_norm"), n.decimal, "1 is perfect"),
        KeyFigure.of(f"The top {n.share(0.1)} bring", _get_top_tenth(report), n.share),
        KeyFigure.of("Predicted over actual", report.evaluation.predicted_over_actual, n.ratio),
        KeyFigure.of("Mean absolute error", report.figure("mae"), report.money),
    )


def _get_top_tenth(report: Report) -> Interval:
    """The share of the whole amount that the tenth of customers with the highest predictions brings."""
    curve = report.evaluation.concentration
    return Interval(value=curve.value[10], low=curve.low[10], high=curve.high[10])


def _build_deciles(report: Report) -> Table:
    money, deciles = report.money, report.evaluation.deciles
    off = sum(not decile.actual.low <= decile.predicted <= decile.actual.high for decile in deciles)
    numbered = reversed(list(enumerate(deciles, 1)))
    return Table.of(
        f"In {off} of 10 deciles predicted amounts are off" if off > 1 else "Predicted amounts can be taken at face value",
        heads("Decile, 10 is best", "Customers", "Predicted", "Actual"),
        ((str(i), n.count(one.n), money(one.predicted), Estimate.of(one.actual, money)) for i, one in numbered),
        described="Mean amount of a test customer by decile of prediction, 95\u202f% intervals.",
        foot=f"{n.share(report.evaluation.zeros)} of test customers bring nothing.",
    )


def _draw_concentration(report: Report) -> Figure:
    share = n.share(_get_top_tenth(report).value)
    flag = Flag(at=0.1, text=(f"{share} of the whole", f"from the top {n.share(0.1)}"))
    curve = Curve.of("by expected amount", report.evaluation.concentration, flag=flag)
    return Figure.of(
        f"The top {n.share(0.1)} of customers bring {share} of the whole",
        "Share of all that test customers brought, 95\u202f% band.",
        partial(plot_gains, [curve], axis="Share of customers, best first"),
    )
