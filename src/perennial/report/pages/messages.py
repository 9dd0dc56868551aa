"""A report of an uplift task in, its words and charts out: whom each message moves, and what a choice of message earns."""

from __future__ import annotations

from functools import partial

from perennial.contract.serving import build_head
from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, Row, against_line, inline, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import METRIC_NAMES, ReportContext, capital
from perennial.report.page import (
    Caution,
    Check,
    Checks,
    Column,
    Estimate,
    Figure,
    Grid,
    KeyFigure,
    Section,
    Table,
    TableRow,
    heads,
)
from perennial.report.pages.campaign import campaign_section, gains_nothing, is_fair, lottery_check
from perennial.report.pages.shared import (
    action_section,
    deep_words,
    families_table,
    go_on,
    reasons_section,
    strongest_caution,
    training_figure,
)
from perennial.report.task_sections import TaskSections
from perennial.results.decision import RuleName
from perennial.results.uplift import UpliftEvaluation


def build_sections(report: ReportContext[UpliftEvaluation]) -> TaskSections:
    """Everything between the label line and the section on rows."""
    single = _arm(report, report.evaluation.policy.best_single)
    return TaskSections(
        verdict=report.verdict,
        headline=_headline(report),
        what_to_do=_what_to_do(report, single),
        caution=_caution(report),
        picture=_picture(report, single),
        key_figures=_key_figures(report, single),
        why=(Checks(checks=(lottery_check(report), _deep(report))),),
        sections=(
            campaign_section(report),
            action_section(
                report, "Whom to write to, with which message, and what it earns.", "choice", _plans(report)
            ),
            reasons_section(report, effect="what the best message adds", unit=_link_unit(report)),
            _trust(report),
        ),
    )


def _headline(report: ReportContext[UpliftEvaluation]) -> str:
    match report.verdict:
        case "PROMOTE":
            if report.evaluation.policy.against["best_single"].low > 0:
                return "Send each customer the message that moves them: it earns more than one for all."
            return "Use the ranking by effect: it finds whom a message moves, by more than chance explains."
        case "HOLD":
            return f"Keep choosing as today: {_HOLDS[report.decision.stopped_by or RuleName.IMPROVEMENT]}."
        case _:
            if report.decision.stopped_by == RuleName.IMPROVEMENT:
                return "Do not deploy: the new choice of messages is measurably worse than the one in use."
            return "Do not deploy: this model cannot surely tell whom a message moves."


_HOLDS = {
    RuleName.IMPROVEMENT: "the new choice is not measurably better",
    RuleName.RANDOMIZATION: "the groups were hardly drawn by lot",
    RuleName.COMPARABLE: "the new choice cannot be compared with it",
    RuleName.ROLLED_BACK: "the new choice was taken out of use before",
    RuleName.PROFIT: "the new choice earns measurably less",
    RuleName.SLICES: "the new choice serves some customers measurably worse",
}


def _what_to_do(report: ReportContext[UpliftEvaluation], single: str) -> str:
    policy, in_use = report.evaluation.policy, report.decision.champion
    if report.verdict == "HOLD":
        return go_on(report, "the choice of the model in use")
    if report.verdict == "REJECT":
        best = report.evaluation.policy.plan(f"all {policy.best_single}").per_1000
        money = report.money
        today = f"Choose as you do today{', by the model in use' if in_use else ''}"
        is_one = len(report.evaluation.arms) == 2
        among = f"{capital(single)} made" if is_one else f"Of single messages {single} did best"
        return f"{today}. {among}: {n.between(best, money)} per 1,000 customers, sent to all."
    if policy.budget_share == 1 and policy.against["best_single"].low <= 0 and gains_nothing(report):
        return f"Send {single} to everyone: choosing a message for each customer gains nothing measurable over it."
    named = zip(report.evaluation.arms[1:], policy.shares[1:], strict=True)
    shares = [f"{name} to {n.share(share)}" for name, share in named if share > 0]
    if not shares:
        return "Send nothing: no message is expected to earn what it costs."
    return f"Send {', '.join(shares)} and nothing to {n.share(policy.shares[0])} of customers."


def _caution(report: ReportContext[UpliftEvaluation]) -> Caution:
    """What outweighs all, else groups that were not drawn by lot, else what one campaign cannot say."""
    if (strongest := strongest_caution(report)) is not None:
        return strongest
    if not is_fair(report):
        strong = "were hardly drawn by lot"
        return Caution(text=f"The groups {strong}: what looks like an effect may be who was in them.", strong=strong)
    return Caution(text="Measured in one campaign: it says nothing about a second message to the same customer.")


def _picture(report: ReportContext[UpliftEvaluation], single: str) -> Figure:
    policy = report.evaluation.policy
    names = {
        "best_single": f"Choice − {single} to all",
        "nobody": "Choice − nobody",
        "response": "Choice − likeliest to respond",
    }
    rows = [Row(name=names[key], interval=policy.against[key]) for key in ("best_single", "nobody", "response")]
    clear = policy.against["best_single"].low > 0
    finding = f"A choice per customer {'beats' if clear else 'does not measurably beat'} {single} to all"
    drawing = interval_rows(rows, [Line(at=0, name="same profit")], _gain(report), label=finding)
    return Figure(
        finding=finding, described="Profit per 1,000 customers, doubly robust, 95\u202f%", drawing=Drawing(wide=drawing)
    )


def _key_figures(
    report: ReportContext[UpliftEvaluation], single: str
) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    policy, money = report.evaluation.policy, report.money
    names = ("choice", f"all {policy.best_single}", "response")
    choice, best, response = (report.evaluation.policy.plan(name).per_1000 for name in names)
    qini = report.figure("qini")
    first = KeyFigure(
        name="Customers to contact", value=n.share(policy.depth), note="each with the message that moves them"
    )
    if report.verdict != "PROMOTE":
        note = f"{n.between(qini, n.decimal)}; agreed minimum: {report.contract.task.minimum:g}"
        first = KeyFigure(name="Ranking of effects (Qini)", value=n.decimal(qini.value), note=note)
    return (
        first,
        KeyFigure(
            name="Earned per 1,000 customers",
            value=money(choice.value),
            note=f"{n.between(choice, money)}; nobody: {money(0)}",
        ),
        KeyFigure(name=f"{capital(single)} to everyone", value=money(best.value), note=n.between(best, money)),
        KeyFigure(
            name="Those likeliest to respond",
            value=money(response.value),
            note=f"{n.between(response, money)}; as many customers",
        ),
    )


def _deep(report: ReportContext[UpliftEvaluation]) -> Check:
    found = report.evaluation.deep_minus_traditional
    assert found is not None
    difference, words = found.gain, deep_words(report)
    line = Line(at=0, name="no difference")
    return Check(
        mark="info", question=words, value=n.difference(difference.value), interval=n.bracket(difference, n.difference),
        detail=f"Deep − traditional, {METRIC_NAMES[found.metric]} on the same test customers, 95\u202f% interval.",
        picture=against_line(difference, line, label=f"{words}: {n.estimate(difference, n.difference)}", standing="reference"),
    )  # fmt: skip


def _plans(report: ReportContext[UpliftEvaluation]) -> Table:
    policy, show = report.evaluation.policy, _gain(report)
    plans = policy.plans
    span = (min(p.per_1000.low for p in plans), max(p.per_1000.high for p in plans))
    rows = []
    for plan in plans:
        found, name = plan.per_1000, _plan_name(report, plan.name)
        standing = "judged" if plan.name == "choice" else "reference"
        picture = inline(found, span, label=f"{name}: {n.estimate(found, show)}", standing=standing)  # type: ignore[arg-type]
        bracket = n.bracket(found, show) if found.low != found.high else "exact"
        cells = (
            name,
            n.share(plan.contacted / plan.customers),
            show(found.value),
            Estimate(value="", interval=bracket),
            picture,
        )
        rows.append(TableRow(cells=cells, chosen=plan.name == "choice"))
    columns = (*heads("Plan", "Contacted", "Per 1,000", "95\u202f% interval"), Column(name="0 at the line"))
    return Table(
        finding="Plans on the same test customers",
        described="Profit per 1,000 customers above contacting nobody; doubly robust estimates.",
        grid=Grid(columns=columns, rows=tuple(rows), hide_last=True),
    )


def _trust(report: ReportContext[UpliftEvaluation]) -> Section:
    placebo = report.evaluation.placebo
    names = (("qini", "Mean Qini", n.decimal), ("policy_value", "Per 1,000", _gain(report)))
    families = families_table(report, names, "Families on the same customers: the simplest of the best was taken")
    shuffled = (
        f"{placebo.times} runs with shuffled arms find a mean Qini of {n.difference(placebo.mean or 0)} on average, "
        f"at most {n.decimal(placebo.greatest or 0)} away from 0."
        if placebo.times
        else "No placebo runs were asked for."
    )
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb=f"For data scientists. {shuffled}",
        blocks=(families, training_figure(report)),
    )


def _link_unit(report: ReportContext[UpliftEvaluation]) -> str:
    return (report.contract.money.currency or "Amount") if build_head(report.contract).amounts else "Log odds"


def _arm(report: ReportContext[UpliftEvaluation], k: int) -> str:
    return report.evaluation.arms[k]


def _plan_name(report: ReportContext[UpliftEvaluation], name: str) -> str:
    if name.startswith("all "):
        return f"{capital(_arm(report, int(name.removeprefix('all '))))} to everyone"
    return {"choice": "Best message for each", "response": "Likeliest to respond, as many", "nobody": "Nobody"}.get(
        name, f"{name.capitalize()}, as many"
    )


def _gain(report: ReportContext[UpliftEvaluation]) -> n.Format:
    return partial(n.money_difference, currency=report.symbol)
