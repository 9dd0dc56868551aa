"""Messages page: who is persuaded by each message, and what choosing a message for each customer earns."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, Row, plot_intervals
from perennial.contract.serving import build_head
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Check, Checks, Figure, KeyFigure, KeyFigures, Section, Table
from perennial.report.pages import evidence, reasons, verdict
from perennial.report.pages.campaign import build_campaign_section, check_randomization, has_no_gain, is_randomized
from perennial.report.pages.profit import build_plans_table
from perennial.report.pages.verdict import TaskSections
from perennial.results.uplift import UpliftEvaluation

_PLAN_NAMES = {"choice": "Best message for each", "response": "Likeliest to respond, as many", "nobody": "Nobody"}
Report = ReportContext[UpliftEvaluation]


def build_sections(report: Report) -> TaskSections:
    """Everything between the label line and the section on rows."""
    otherwise = "What it would earn", "No plan: what its own choice earned on the test customers."
    blurb = "Whom to write to, with which message, and what it earns."
    head, currency = build_head(report.contract), report.contract.money.currency or "Amount"
    unit = currency if head.amounts else "Log odds"
    return TaskSections(
        headline=_format_headline(report),
        what_to_do=_describe_next_step(report),
        caution=_find_caution(report),
        picture=_draw_differences(report),
        key_figures=_build_key_figures(report),
        why=(Checks(checks=(check_randomization(report), _check_deep(report))),),
        sections=(
            build_campaign_section(report),
            verdict.build_action_section(report, blurb, otherwise, _build_plans(report)),
            reasons.build_section(report, effect="what the best message adds", unit=unit),
            _build_evidence(report),
        ),
    )


def _format_headline(report: Report) -> str:
    use = "Use the ranking by effect. It picks who is persuaded by a message clearly better than chance."
    if report.evaluation.policy.against["best_single"].low > 0:
        use = "Send each customer the message that persuades them. That earns clearly more than one for all."
    poor = "Do not deploy. The data do not show that it can pick who is persuaded by a message."
    return verdict.format_headline(report, use=use, keep="Keep choosing as today", new="the new choice of messages", poor=poor)


def _describe_next_step(report: Report) -> str:
    step = verdict.describe_next_step(
        report, _describe_plan(report), reject="Choose", keep="the messages that the current model chooses"
    )
    if report.verdict != "REJECT":
        return step
    policy, single = report.evaluation.policy, _get_best_single(report)
    earned = n.between(policy.plan(f"all {policy.best_single}").per_1000, report.money)
    is_one = len(report.evaluation.arms) == 2
    among = f"{n.capital(single)} made" if is_one else f"Of single messages {single} did best"
    return f"{step} {among}: {earned} per 1,000 customers, sent to all."


def _describe_plan(report: Report) -> str:
    policy, arms = report.evaluation.policy, report.evaluation.arms
    if policy.budget_share == 1 and policy.against["best_single"].low <= 0 and has_no_gain(report):
        single = _get_best_single(report)
        return f"Send {single} to everyone: choosing a message for each customer gains nothing measurable over it."
    pairs = zip(arms[1:], policy.shares[1:], strict=True)
    shares = [f"{name} to {n.share(share)}" for name, share in pairs if share > 0]
    if not shares:
        return "Send nothing: no message is expected to earn what it costs."
    return f"Send {', '.join(shares)} and nothing to {n.share(policy.shares[0])} of customers."


def _find_caution(report: Report) -> Caution:
    """What outweighs all, else groups that were not assigned at random, else what one campaign cannot show."""
    if (strongest := verdict.find_strongest_caution(report)) is not None:
        return strongest
    if not is_randomized(report):
        strong = "were probably not assigned at random"
        return Caution(text=f"The groups {strong}: an apparent effect may come from who was in them.", strong=strong)
    return Caution(text="Measured in one campaign: it says nothing about a second message to the same customer.")


def _draw_differences(report: Report) -> Figure:
    policy, single = report.evaluation.policy, _get_best_single(report)
    names = {"best_single": f"{single} to all", "nobody": "nobody", "response": "likeliest to respond"}
    rows = [Row(name=f"Choice − {name}", interval=policy.against[key]) for key, name in names.items()]
    beats = "beats" if policy.against["best_single"].low > 0 else "does not measurably beat"
    return Figure.of(
        f"A choice per customer {beats} {single} to all",
        "Profit per 1,000 customers, doubly robust, 95\u202f%",
        partial(plot_intervals, rows, Line(at=0, name="same profit"), report.money_difference),
    )


def _build_key_figures(report: Report) -> KeyFigures:
    policy, money = report.evaluation.policy, report.money
    plans = ("choice", f"all {policy.best_single}", "response")
    choice, single, response = (policy.plan(name).per_1000 for name in plans)
    note = "each with their best message"
    first = KeyFigure(name="Customers to contact", value=n.share(policy.depth), note=note)
    if report.verdict != "PROMOTE":
        minimum = f"agreed minimum: {report.contract.task.minimum:g}"
        first = KeyFigure.of("Ranking of effects (Qini)", report.figure("qini"), n.decimal, minimum)
    return (
        first,
        KeyFigure.of("Earned per 1,000 customers", choice, money, f"nobody: {money(0)}"),
        KeyFigure.of(f"{n.capital(_get_best_single(report))} to everyone", single, money),
        KeyFigure.of("Those likeliest to respond", response, money, "as many customers"),
    )


def _check_deep(report: Report) -> Check:
    deep = verdict.get_deep_difference(report)
    detail = f"Deep − traditional, {n.METRIC_NAMES[deep.metric]} on the same test customers, 95\u202f% interval."
    line = Line(at=0, name="no difference")
    return Check.of("info", verdict.describe_deep_difference(report), detail, deep.gain, n.difference, line)


def _build_plans(report: Report) -> Table:
    plans = [
        (_name_plan(report, plan.name), n.share(plan.contacted / plan.customers), plan.per_1000, plan.name == "choice")
        for plan in report.evaluation.policy.plans
    ]
    return build_plans_table(
        "Plans on the same test customers",
        plans,
        report.money_difference,
        ("Contacted", "Per 1,000", "0 at the line"),
        "Profit per 1,000 customers above contacting nobody; doubly robust estimates.",
    )


def _name_plan(report: Report, name: str) -> str:
    if name.startswith("all "):
        return f"{n.capital(report.evaluation.arms[int(name.removeprefix('all '))])} to everyone"
    return _PLAN_NAMES.get(name, f"{name.capitalize()}, as many")


def _build_evidence(report: Report) -> Section:
    placebo = report.evaluation.placebo
    shuffled = "No placebo runs were asked for."
    if placebo.times:
        mean, greatest = n.difference(placebo.mean or 0), n.decimal(placebo.greatest or 0)
        shuffled = f"{placebo.times} runs with shuffled arms have a mean Qini of {mean}, at most {greatest} away from 0."
    metrics = (("qini", "Mean Qini", n.decimal), ("policy_value", "Per 1,000", report.money_difference))
    return evidence.build_section(evidence.build_families(report, metrics), evidence.draw_training(report), blurb=shuffled)


def _get_best_single(report: Report) -> str:
    """The message that earns most when everyone gets it."""
    return report.evaluation.arms[report.evaluation.policy.best_single]
