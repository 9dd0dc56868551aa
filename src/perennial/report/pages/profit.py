"""Contacts page: whom to contact, and what the list earns compared with other ways to spend the campaign."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.intervals import Standing, plot_inline
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Cell, Estimate, Figure, Grid, GridColumn, KeyFigure, KeyFigures, Table, TableRow, heads
from perennial.report.pages import verdict
from perennial.report.pages.verdict import Action
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
Report = ReportContext[BinaryEvaluation]


def build_action(report: Report, profit: ContactProfit, caution: Caution) -> Action:
    otherwise = "What it would earn", "No plan: what its own list earned on the test customers."
    contacts = profit.plan("chosen").contacted
    return Action(
        plan=_describe_plan(report, profit),
        key_figures=_build_key_figures(report, profit) if contacts else None,
        caution=caution,
        section=verdict.build_action_section(
            report,
            "Whom to contact, how many, and what it earns.",
            otherwise,
            _draw_profit(report, profit),
            _build_plans(report, profit),
        ),
    )


def _describe_plan(report: Report, profit: ContactProfit) -> str:
    chosen, depth, budget = profit.plan("chosen"), n.share(profit.depth), n.share(profit.budget_share)
    if not chosen.contacted:
        return "Contact nobody on this list: no customer is expected to earn what a contact costs."
    rest = "your full budget" if depth == budget else f"your budget allows {budget}"
    return (
        f"Contact the top {depth} of your list ({rest}). On {n.count(chosen.customers)} past customers that would have "
        f"earned {report.money(chosen.profit.value)}."
    )


def _build_key_figures(report: Report, profit: ContactProfit) -> KeyFigures:
    chosen, everyone, money = profit.plan("chosen"), profit.plan("everyone"), report.money
    of_all = f"of {n.count(chosen.customers)} on the test list"
    overall = f"all customers: {n.share(report.split.rate['test'])}"
    return (
        KeyFigure(name="Customers to contact", value=n.count(chosen.contacted), note=of_all),
        KeyFigure.of("Earned on the test list", chosen.profit, money),
        KeyFigure.of("Contacting everyone earns", everyone.profit, money, f"nobody: {money(0)}"),
        KeyFigure.of(f"{n.capital(report.outcome_verb)} when contacted", _estimate_responses(profit), n.share, overall),
    )


def _estimate_responses(profit: ContactProfit) -> Interval:
    """The share of the contacted who respond, from what they earned: value × responses − cost × contacts."""
    plan = profit.plan("chosen")
    low, value, high = (
        (end / plan.contacted + profit.cost) / profit.value for end in (plan.profit.low, plan.profit.value, plan.profit.high)
    )
    return Interval(value=value, low=max(low, 0.0), high=min(high, 1.0))


def _draw_profit(report: Report, profit: ContactProfit) -> Figure:
    curve, chosen, money = profit.curve, profit.plan("chosen"), report.money
    choice = "Chosen" if report.verdict == "PROMOTE" else "Its own choice"
    contacts = f"{n.count(chosen.contacted)} contacts, {money(chosen.profit.value)}"
    flag = Flag(at=profit.depth, text=(f"{choice}: {n.share(profit.depth)}", contacts))
    budget = Flag(at=profit.budget_share, text=(f"Budget: {n.share(profit.budget_share)}",))
    drawn = Curve.of("Everyone", curve, ends=money(profit.plan("everyone").profit.value), flag=flag)
    rows = (
        (
            n.share(curve.x[i]),
            n.count(curve.x[i] * chosen.customers),
            money(curve.value[i]),
            f"[{money(curve.low[i])}, {money(curve.high[i])}]",
        )
        for i in _FOLD_DEPTHS
    )
    return Figure.of(
        _compare_with_everyone(profit),
        f"Profit on {n.count(chosen.customers)} test customers the model had never seen, 95\u202f% band. "
        f"A response is worth {money(profit.value)}, a contact costs {money(profit.cost)}.",
        partial(
            plot_by_depth,
            [drawn],
            report.money_axis,
            budget=budget,
            axis="Share of customers contacted, best first",
            random="Same number, picked at random",
        ),
        foot="The depth was chosen on other customers (validation) by expected value, then measured here once.",
        fold=("Figures behind the curve", Grid.of(heads("Contacted", "Contacts", "Profit", "95\u202f% interval"), rows)),
    )


def _compare_with_everyone(profit: ContactProfit) -> str:
    """What the curve shows; the best share is only called better where everyone earns less."""
    chosen, everyone = (float(profit.plan(name).profit.value) for name in ("chosen", "everyone"))
    list_earns = f"Contacting the best {n.share(profit.depth)} earns"
    if everyone >= chosen:
        return "Contacting everyone earns at least as much as the list"
    if chosen <= 0:
        return "Neither the list nor contacting everyone earns anything"
    if everyone <= 0:
        return f"{list_earns}; contacting everyone loses"
    times = chosen / everyone
    if times < 1.05:
        return f"{list_earns} hardly more than contacting everyone"
    return f"{list_earns} {f'{times:.1f} times' if times < 10 else 'many times'} what contacting everyone earns"


def _build_plans(report: Report, profit: ContactProfit) -> Table:
    has_limit = profit.budget_share < 1
    plans = [plan for plan in profit.plans if has_limit or plan.name != "whole budget"]  # which then is everyone
    names = dict(_PLAN_NAMES)
    if has_limit:
        names["everyone"] += " (over budget)"
    if report.verdict != "PROMOTE":
        names["chosen"] = "Its own list"
    rows = [(names[plan.name], n.count(plan.contacted), plan.profit, plan.name == "chosen") for plan in plans]
    finding = f"{'Five' if has_limit else 'Four'} ways to spend the same campaign"
    return build_plans_table(finding, rows, report.money, ("Contacts", "Profit", f"Profit, {report.money(0)} at the line"))


def build_plans_table(
    finding: str, plans: list[tuple[str, str, Interval, bool]], show: n.Format, names: tuple[str, str, str], described: str = ""
) -> Table:
    """Plans (name, contacts, what it earns, whether it is the chosen one) with their figures and drawn on one span."""
    span = min(earned.low for _, _, earned, _ in plans), max(earned.high for _, _, earned, _ in plans)
    rows = []
    for name, contacts, earned, is_chosen in plans:
        standing: Standing = "compared" if is_chosen else "reference"
        picture = plot_inline(earned, span, label=f"{name}: {n.estimate(earned, show)}", standing=standing)
        interval = n.bracket(earned, show) if earned.low != earned.high else "exact"
        cells: tuple[Cell, ...] = (name, contacts, show(earned.value), Estimate(value="", interval=interval), picture)
        rows.append(TableRow(cells=cells, chosen=is_chosen))
    contacted, earns, axis = names
    columns = heads("Plan", contacted, earns, "95\u202f% interval", GridColumn(name=axis))
    return Table(finding=finding, described=described, grid=Grid(columns=columns, rows=tuple(rows), hide_last=True))
