"""A report of a binary task in, its words and charts out: profit by depth, plans, families, calibration, gains."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth, calibration, gains
from perennial.report.charts.intervals import inline
from perennial.report.charts.svg import Drawing, Tone
from perennial.report.context import FAMILY_NAMES, METRIC_NAMES, ReportContext, capital
from perennial.report.page import (
    Block,
    Caution,
    Column,
    Estimate,
    Figure,
    Fold,
    Grid,
    KeyFigure,
    Pair,
    Section,
    Table,
    TableRow,
    heads,
)
from perennial.report.pages import alerts, mistakes, risk
from perennial.report.pages.shared import (
    action_section,
    difference_figure,
    families_table,
    go_on,
    model_headline,
    reasons_section,
    split_by_chance,
    split_sensitivity,
    strongest_caution,
    training_figure,
)
from perennial.report.pages.slices import groups_figure, shares_figure
from perennial.report.task_sections import TaskSections
from perennial.results.binary import BinaryEvaluation, ContactProfit
from perennial.results.evaluation import Plan
from perennial.results.figures import Interval

_TONES: tuple[Tone, ...] = ("grey", "ink", "orange")  # of the families that were not chosen, the simplest first


def build_sections(report: ReportContext[BinaryEvaluation]) -> TaskSections:
    """Everything between the label line and the section on rows."""
    sections = []
    if report.evaluation.profit:
        what = "Whom to contact, how many, and what it earns."
        sections.append(action_section(report, what, "list", _profit(report), _plans(report)))
    if report.evaluation.risk is not None:
        sections.append(risk.section(report))
    if report.evaluation.alerts:
        sections.append(alerts.section(report))
    if report.evaluation.confusion:
        sections.append(_apart(report))
    return TaskSections(
        verdict=report.verdict,
        headline=_headline(report),
        what_to_do=_what_to_do(report),
        caution=_caution(report),
        picture=difference_figure(report, "test customers"),
        key_figures=_key_figures(report),
        why=(),
        sections=(*sections, reasons_section(report, effect=f"the chance to {report.outcome_verb}"), _trust(report)),
    )


def _headline(report: ReportContext[BinaryEvaluation]) -> str:
    later = "on later rows " if report.contract.split.kind in {"time", "cutoff"} else ""
    return model_headline(
        report,
        better=f"finds more of those who {report.outcome_verb}",
        first=f"finds those who {report.outcome_verb} better than agreed",
        poor=f"{later}this model is {_how_bad(report)}",
    )


def _how_bad(report: ReportContext[BinaryEvaluation]) -> str:
    """What the interval allows to say of a model that is under the agreed minimum."""
    auc = report.figure("auc")
    if auc.high <= 0.5:
        return "no better than chance"
    return "not measurably better than chance" if auc.low <= 0.5 else "not as good as agreed"


def _what_to_do(report: ReportContext[BinaryEvaluation]) -> str:
    if report.verdict == "HOLD":
        return go_on(report)
    if report.verdict == "REJECT":
        return f"Choose customers as you do today{', by the model in use' if report.decision.champion else ''}."
    if report.evaluation.risk is not None:
        return risk.what_to_do(report)
    if report.evaluation.alerts:
        return alerts.what_to_do(report)
    if not report.evaluation.profit:
        return "Rank customers by the score; the contract gives no money to choose a depth by."
    profit, chosen = report.evaluation.profit, _plan(report, "chosen")
    if not chosen.contacted:
        return "Contact nobody on this list: no customer is expected to earn what a contact costs."
    many, depth, budget = n.count(chosen.contacted), n.share(profit.depth), n.share(profit.budget_share)
    rest = "the whole budget" if depth == budget else f"{budget} is the budget"
    return f"Contact the {many} highest-scoring customers, {depth} of the test list; {rest}."


def _caution(report: ReportContext[BinaryEvaluation]) -> Caution:
    """What outweighs all, else that a split by chance knows no later, else that a response is not an effect."""
    if (strongest := strongest_caution(report)) is not None:
        return strongest
    if report.evaluation.risk is not None:
        return risk.caution(report)
    if report.evaluation.alerts:
        return alerts.caution()
    if _only_ranks(report):
        strong = f"it is no chance to {report.outcome_verb}"
        words = f"Which share of the rows was kept in the file is unknown: the score ranks, {strong}."
        return Caution(text=words, strong=strong)
    moves = f"whom {'the contact itself' if report.evaluation.profit else 'a message'} moves"
    if split_by_chance(report):
        strong = "says nothing about later months"
        words = f"Customers were split by chance: this {strong}. Nor does it say {moves}; that takes a control group."
        return Caution(text=words, strong=strong)
    strong = f"does not say {moves}"
    words = f"This list finds those who {report.outcome_verb}. It {strong}; that takes a control group."
    return Caution(text=words, strong=strong)


def _only_ranks(report: ReportContext[BinaryEvaluation]) -> bool:
    """Whether rows were kept by a share that nobody knows, so that no score is the chance it looks like."""
    return report.contract.sampling.sampling_rate == "unknown"


def _key_figures(report: ReportContext[BinaryEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    if report.verdict == "PROMOTE" and report.evaluation.risk is not None:
        return risk.key_figures(report)
    if report.verdict == "PROMOTE" and report.evaluation.alerts:
        return alerts.key_figures(report)
    if report.verdict != "PROMOTE" or not report.evaluation.profit or not _plan(report, "chosen").contacted:
        return _judged(report)
    rate = report.split.rate
    chosen, everyone, money = _plan(report, "chosen"), _plan(report, "everyone"), report.money
    earned, all_earn = chosen.profit, everyone.profit
    hit = _hit(report)
    customers = n.count(chosen.customers)
    return (
        KeyFigure(
            name="Customers to contact", value=n.count(chosen.contacted), note=f"of {customers} on the test list"
        ),
        KeyFigure(name="Earned on the test list", value=money(earned.value), note=n.between(earned, money)),
        KeyFigure(
            name="Contacting everyone earns",
            value=money(all_earn.value),
            note=f"{n.between(all_earn, money)}; nobody: {money(0)}",
        ),
        KeyFigure(
            name=f"{capital(report.outcome_verb)} when contacted",
            value=n.share(hit.value),
            note=f"{n.between(hit, n.share)}; all customers: {n.share(rate['test'])}",
        ),
    )


def _judged(report: ReportContext[BinaryEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    """Four figures that a verdict without a plan rests on."""
    task, rate = report.contract.task, report.split.rate
    found = report.figure(task.primary)
    guessing = "; guessing: 0.5" if task.primary == "auc" else ""
    train, test = (
        KeyFigure(
            name=f"{capital(report.outcome_verb)} in {part}", value=n.share(rate[part]), note=_looked_at(report, part)
        )
        for part in ("train", "test")
    )
    return (
        KeyFigure(
            name={"auc": "Ranking quality (AUC)", "ap": "Ranking quality (AP)"}.get(task.primary, "Log loss"),
            value=n.decimal(found.value),
            note=f"{n.between(found, n.decimal)}{guessing}",
        ),
        KeyFigure(name="Agreed minimum", value=n.decimal(task.minimum, 2), note="set in the contract"),
        train,
        test,
    )


def _looked_at(report: ReportContext[BinaryEvaluation], part: str) -> str:
    cutoffs = report.contract.unit.cutoffs
    dates = 1 if cutoffs is None else len(cutoffs.train if part == "train" else cutoffs.test)
    return f"{n.count(_part(report, part))} customers" + (f", on {dates} dates" if dates > 1 else "")


def _hit(report: ReportContext[BinaryEvaluation]) -> Interval:
    """The share of the contacted who respond, from what they earned: value × responses − cost × contacts."""
    earned, money = _plan(report, "chosen").profit, _money(report)
    contacts = _plan(report, "chosen").contacted
    low, value, high = ((end / contacts + money.cost) / money.value for end in (earned.low, earned.value, earned.high))
    return Interval(value=value, low=max(low, 0.0), high=min(high, 1.0))


def _profit(report: ReportContext[BinaryEvaluation]) -> Figure:
    found, money = _money(report), report.money
    chosen, everyone = _plan(report, "chosen"), _plan(report, "everyone")
    curve, depth = found.curve, found.depth
    chose = "Chosen" if report.verdict == "PROMOTE" else "Its own choice"
    says = (f"{chose}: {n.share(depth)}", f"{n.count(chosen.contacted)} contacts, {money(chosen.profit.value)}")
    drawn = Curve(
        name="Everyone", x=curve.x, y=curve.value, low=curve.low, high=curve.high,
        ends=money(everyone.profit.value), flag=Flag(at=depth, says=says),
    )  # fmt: skip
    finding = _profit_finding(report)
    places = [round(d * 100) for d in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)]
    rows = tuple(
        TableRow(
            cells=(
                n.share(curve.x[i]),
                n.count(curve.x[i] * chosen.customers),
                money(curve.value[i]),
                f"[{money(curve.low[i])}, {money(curve.high[i])}]",
            )
        )
        for i in places
    )
    return Figure(
        finding=finding,
        described=f"Profit on {n.count(chosen.customers)} test customers the model had never seen, 95\u202f% band. "
        f"A response is worth {money(found.value)}, a contact costs {money(found.cost)}.",
        drawing=by_depth(
            [drawn], partial(n.money_axis, currency=report.symbol), label=finding,
            axis="Share of customers contacted, best first", random="Same number, picked at random",
            budget=Flag(at=found.budget_share, says=(f"Budget: {n.share(found.budget_share)}",)),
        ),
        foot="The depth was chosen on other customers (validation) by expected value, then measured here once. "
        "The band is of resamples; the intervals of the plans below are computed, so their ends differ a little.",
        fold=Fold(
            summary="Figures behind the curve",
            grid=Grid(columns=heads("Contacted", "Contacts", "Profit", "95\u202f% interval"), rows=rows),
        ),
    )  # fmt: skip


def _profit_finding(report: ReportContext[BinaryEvaluation]) -> str:
    chosen, everyone = (float(_plan(report, name).profit.value) for name in ("chosen", "everyone"))
    depth = n.share(_money(report).depth)
    if everyone >= chosen:
        return "Contacting everyone earns at least as much as the list"
    if chosen <= 0:
        return "Neither the list nor contacting everyone earns anything"
    if everyone > 0 and chosen < 1.05 * everyone:
        return f"Contacting the best {depth} earns hardly more than contacting everyone"
    if everyone <= 0:
        return f"Contacting the best {depth} earns; contacting everyone loses"
    times = chosen / everyone
    more = f"{times:.1f} times what" if times < 10 else "many times what"
    return f"Contacting the best {depth} earns {more} contacting everyone earns"


_PLAN_NAMES = {"chosen": "Chosen list", "whole budget": "Whole budget", "random": "Same number at random",
               "everyone": "Everyone", "nobody": "Nobody"}  # fmt: skip


def _plans(report: ReportContext[BinaryEvaluation]) -> Table:
    plans: Sequence[Plan] = _money(report).plans
    money = report.money
    span = (min(p.profit.low for p in plans), max(p.profit.high for p in plans))
    rows = []
    has_limit = _money(report).budget_share < 1
    if not has_limit:  # then the whole budget is everyone
        plans = [plan for plan in plans if plan.name != "whole budget"]
    for plan in plans:
        found, name = plan.profit, _PLAN_NAMES[plan.name]
        if plan.name == "everyone" and has_limit:
            name += " (over budget)"
        if plan.name == "chosen" and report.verdict != "PROMOTE":
            name = "Its own list"
        picture = inline(
            found, span, label=f"{name}: {n.estimate(found, money)}",
            standing="judged" if plan.name == "chosen" else "reference",
        )  # fmt: skip
        bracket = n.bracket(found, money) if plan.name != "nobody" else "exact"
        cells = (name, n.count(plan.contacted), money(found.value), Estimate(value="", interval=bracket), picture)
        rows.append(TableRow(cells=cells, chosen=plan.name == "chosen"))
    columns = (
        *heads("Plan", "Contacts", "Profit", "95\u202f% interval"),
        Column(name=f"Profit, {money(0)} at the line"),
    )
    return Table(
        finding=f"{'Five' if has_limit else 'Four'} ways to spend the same campaign",
        grid=Grid(columns=columns, rows=tuple(rows), hide_last=True),
    )


def _apart(report: ReportContext[BinaryEvaluation]) -> Section:
    """Of rows that can be read or seen: the two answers, a chance above one half being a yes, and where it was wrong."""
    shares = shares_figure(report)
    return Section(
        anchor="mistakes", name="What it tells apart", blurb="Who is taken for whom when the likelier answer is said.",
        blocks=(*([shares] if shares else []), *mistakes.blocks(report, ("the others", f"those who {report.outcome_verb}"))),
    )  # fmt: skip


def _trust(report: ReportContext[BinaryEvaluation]) -> Section:
    primary = report.contract.task.primary
    told = next(iter(report.evaluation.families.values())).test
    last = "normalised_entropy" if _only_ranks(report) else "brier"
    keys = (primary, *(key for key in ("auc", "ap", "ap_sample", "log_loss", last) if key != primary and key in told))
    names = [(key, METRIC_NAMES[key], n.decimal) for key in keys]
    blocks: list[Block] = [
        families_table(report, names, "Families on the same customers: the simplest of the best was taken"),
        *split_sensitivity(report),
        Pair(figures=(_calibration(report), _gains(report))),
    ]
    groups = groups_figure(report, _auc_groups(report), "auc", "AUC")
    shares = None if report.evaluation.confusion else shares_figure(report)
    if groups and shares:
        blocks.append(Pair(figures=(groups, shares)))
        groups = None
    blocks.append(Pair(figures=(groups, training_figure(report))) if groups else training_figure(report))
    return Section(
        anchor="evidence", name="Can it be trusted",
        blurb="For data scientists. All on test customers, each used once.", blocks=tuple(blocks),
    )  # fmt: skip


def _calibration(report: ReportContext[BinaryEvaluation]) -> Figure:
    found = report.evaluation.calibration
    finding = "Predicted chances can be taken at face value"
    if found.value > found.perfect:
        finding = "Predicted chances are off" + ("" if report.verdict == "REJECT" else ": rank by them only")
    if _only_ranks(report):
        finding = f"Rank by the score: it is no chance to {report.outcome_verb}"
    gap, perfect = (n.points(figure).removeprefix("+") for figure in (found.value, found.perfect))
    sums = n.estimate(found.predicted_over_actual, partial(n.decimal, places=2))
    return Figure(
        finding=finding,
        described=f"Steps of {100 * found.width:.0f} points, counts below, 95\u202f% intervals. "
        f"Average gap {gap} points; a perfect model would show up to {perfect} here. Predicted over actual: {sums}.",
        drawing=Drawing(wide=calibration(found.bins, label=finding, axis=f"Predicted chance to {report.outcome_verb}")),
    )


def _gains(report: ReportContext[BinaryEvaluation]) -> Figure:
    candidate = report.evaluation.candidate.family
    depth = report.evaluation.profit.depth if report.evaluation.profit else 0.2
    others = [family for family in FAMILY_NAMES if family in report.evaluation.gains and family != candidate]
    curves, reached = [], ""
    for family in sorted(report.evaluation.gains, key=lambda f: f != candidate):
        found = report.evaluation.gains[family]
        at = n.share(found.value[round(depth * 100)])
        reached = reached or at
        mine = family == candidate
        tone = "blue" if mine else _TONES[others.index(family)]
        curves.append(
            Curve(
                name=FAMILY_NAMES[family].lower() + (", chosen" if mine else ""), x=found.x, y=found.value,
                low=found.low if mine else (), high=found.high if mine else (), ends=at,
                flag=Flag(at=depth, says=(f"{at} of them", f"in {n.share(depth)}")) if mine else None,
                tone=tone,
            )
        )  # fmt: skip
    finding, axis = (
        f"The best {n.share(depth)} hold {reached} of those who {report.outcome_verb}",
        "Share of customers, best first",
    )
    if report.evaluation.profit:
        finding = f"Contacting the best {n.share(depth)} reaches {reached} of those who {report.outcome_verb}"
        axis = "Share of customers contacted, best first"
    drawing = gains(curves, label=finding, axis=axis, key=f"at {n.share(depth)}")
    best = report.evaluation.gains[candidate]
    tenth = Interval(value=best.value[10], low=max(best.low[10], 0.0), high=min(best.high[10], 1.0))
    described = (
        f"Cumulative gains on the test set. The best tenth of customers holds {n.estimate(tenth, n.share)} of them."
    )
    return Figure(finding=finding, described=described, drawing=Drawing(wide=drawing))


def _plan(report: ReportContext[BinaryEvaluation], name: str) -> Plan:
    return _money(report).plan(name)


def _money(report: ReportContext[BinaryEvaluation]) -> ContactProfit:
    assert report.evaluation.profit is not None, "only a contract with money has plans"
    return report.evaluation.profit


def _part(report: ReportContext[BinaryEvaluation], name: str) -> int:
    return report.split.flow["units"].to[name]


def _auc_groups(report: ReportContext[BinaryEvaluation]) -> list[tuple[str, int, Interval]]:
    return [(f"{row.column} {row.value}", row.n, row.auc) for row in report.evaluation.slices if row.auc is not None]
