"""A story of an uplift task in, its words and charts out: whom each message moves, and what a choice of message earns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from perennial.contract.serving import build_head
from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, Row, against_line, inline, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import METRIC_NAMES, Story, capital, interval
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
from perennial.report.task_sections import Told


def told(story: Story) -> Told:
    """Everything between the label line and the section on rows."""
    single = _arm(story, story.evaluation["policy"]["best_single"])
    return Told(
        verdict=story.verdict,
        headline=_headline(story),
        what_to_do=_what_to_do(story, single),
        caution=_caution(story),
        picture=_picture(story, single),
        key_figures=_key_figures(story, single),
        why=(Checks(checks=(lottery_check(story), _deep(story))),),
        sections=(
            campaign_section(story),
            action_section(story, "Whom to write to, with which message, and what it earns.", "choice", _plans(story)),
            reasons_section(story, effect="what the best message adds", unit=_link_unit(story)),
            _trust(story),
        ),
    )


def _headline(story: Story) -> str:
    match story.verdict:
        case "PROMOTE":
            if story.evaluation["policy"]["against"]["best_single"]["low"] > 0:
                return "Send each customer the message that moves them: it earns more than one for all."
            return "Use the ranking by effect: it finds whom a message moves, by more than chance explains."
        case "HOLD":
            return f"Keep choosing as today: {_HELD.get(story.stopped_by, _HELD['better'])}."
        case _:
            if story.stopped_by == "better":
                return "Do not deploy: the new choice of messages is measurably worse than the one in use."
            return "Do not deploy: this model cannot surely tell whom a message moves."


_HELD = {
    "better": "the new choice is not measurably better",
    "lottery": "the groups were hardly drawn by lot",
    "comparable": "the new choice cannot be held against it",
    "rolled back": "the new choice was taken out of use before",
    "profit": "the new choice earns measurably less",
    "groups": "the new choice serves some customers measurably worse",
}


def _what_to_do(story: Story, single: str) -> str:
    policy, in_use = story.evaluation["policy"], story.decision.get("champion")
    if story.verdict == "HOLD":
        return go_on(story, "the choice of the model in use")
    if story.verdict == "REJECT":
        best = interval(_plan(story, f"all {policy['best_single']}")["per_1000"])
        money = story.money
        today = f"Choose as you do today{', by the model in use' if in_use else ''}"
        is_one = len(story.evaluation["arms"]) == 2
        among = f"{capital(single)} made" if is_one else f"Of single messages {single} did best"
        return f"{today}. {among}: {n.between(best, money)} per 1,000 customers, sent to all."
    if policy["budget_share"] == 1 and policy["against"]["best_single"]["low"] <= 0 and gains_nothing(story):
        return f"Send {single} to everyone: choosing a message for each customer gains nothing measurable over it."
    named = zip(story.evaluation["arms"][1:], policy["shares"][1:], strict=True)
    shares = [f"{name} to {n.share(share)}" for name, share in named if share > 0]
    if not shares:
        return "Send nothing: no message is expected to earn what it costs."
    return f"Send {', '.join(shares)} and nothing to {n.share(policy['shares'][0])} of customers."


def _caution(story: Story) -> Caution:
    """What outweighs all, else groups that were not drawn by lot, else what one campaign cannot say."""
    if (strongest := strongest_caution(story)) is not None:
        return strongest
    if not is_fair(story):
        strong = "were hardly drawn by lot"
        return Caution(text=f"The groups {strong}: what looks like an effect may be who was in them.", strong=strong)
    return Caution(text="Measured in one campaign: it says nothing about a second message to the same customer.")


def _picture(story: Story, single: str) -> Figure:
    policy = story.evaluation["policy"]
    names = {
        "best_single": f"Choice − {single} to all",
        "nobody": "Choice − nobody",
        "response": "Choice − likeliest to respond",
    }
    rows = [
        Row(name=names[key], interval=interval(policy["against"][key])) for key in ("best_single", "nobody", "response")
    ]
    clear = policy["against"]["best_single"]["low"] > 0
    finding = f"A choice per customer {'beats' if clear else 'does not measurably beat'} {single} to all"
    drawing = interval_rows(rows, [Line(at=0, name="same profit")], _gain(story), label=finding)
    return Figure(
        finding=finding, described="Profit per 1,000 customers, doubly robust, 95\u202f%", drawing=Drawing(wide=drawing)
    )


def _key_figures(story: Story, single: str) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    policy, money = story.evaluation["policy"], story.money
    names = ("choice", f"all {policy['best_single']}", "response")
    choice, best, response = (interval(_plan(story, name)["per_1000"]) for name in names)
    qini = story.figure("qini")
    first = KeyFigure(
        name="Customers to contact", value=n.share(policy["depth"]), note="each with the message that moves them"
    )
    if story.verdict != "PROMOTE":
        note = f"{n.between(qini, n.decimal)}; agreed minimum: {story.contract.task.minimum:g}"
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


def _deep(story: Story) -> Check:
    found = story.evaluation["deep_minus_traditional"]
    difference, words = interval(found), deep_words(story)
    line = Line(at=0, name="no difference")
    return Check(
        mark="info", question=words, value=n.difference(difference.value), interval=n.bracket(difference, n.difference),
        detail=f"Deep − traditional, {METRIC_NAMES[found['metric']]} on the same test customers, 95\u202f% interval.",
        picture=against_line(difference, line, label=f"{words}: {n.estimate(difference, n.difference)}", standing="reference"),
    )  # fmt: skip


def _plans(story: Story) -> Table:
    policy, show = story.evaluation["policy"], _gain(story)
    plans = policy["plans"]
    span = (min(p["per_1000"]["low"] for p in plans), max(p["per_1000"]["high"] for p in plans))
    rows = []
    for plan in plans:
        found, name = interval(plan["per_1000"]), _plan_name(story, plan["name"])
        standing = "judged" if plan["name"] == "choice" else "reference"
        picture = inline(found, span, label=f"{name}: {n.estimate(found, show)}", standing=standing)  # type: ignore[arg-type]
        bracket = n.bracket(found, show) if found.low != found.high else "exact"
        cells = (
            name,
            n.share(plan["contacted"] / plan["customers"]),
            show(found.value),
            Estimate(value="", interval=bracket),
            picture,
        )
        rows.append(TableRow(cells=cells, chosen=plan["name"] == "choice"))
    columns = (*heads("Plan", "Contacted", "Per 1,000", "95\u202f% interval"), Column(name="0 at the line"))
    return Table(
        finding="Plans on the same test customers",
        described="Profit per 1,000 customers above contacting nobody; doubly robust estimates.",
        grid=Grid(columns=columns, rows=tuple(rows), hide_last=True),
    )


def _trust(story: Story) -> Section:
    placebo = story.evaluation["placebo"]
    names = (("qini", "Mean Qini", n.decimal), ("policy_value", "Per 1,000", _gain(story)))
    families = families_table(story, names, "Families on the same customers: the simplest of the best was taken")
    shuffled = (
        f"{placebo['times']} runs with shuffled arms find a mean Qini of {n.difference(placebo['mean'])} on average, "
        f"at most {n.decimal(placebo['greatest'])} away from 0."
        if placebo["times"]
        else "No placebo runs were asked for."
    )
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb=f"For data scientists. {shuffled}",
        blocks=(families, training_figure(story)),
    )


def _link_unit(story: Story) -> str:
    return (story.contract.money.currency or "Amount") if build_head(story.contract).amounts else "Log odds"


def _plan(story: Story, name: str) -> Mapping[str, Any]:
    plan: Mapping[str, Any] = next(p for p in story.evaluation["policy"]["plans"] if p["name"] == name)
    return plan


def _arm(story: Story, k: int) -> str:
    return str(story.evaluation["arms"][k])


def _plan_name(story: Story, name: str) -> str:
    if name.startswith("all "):
        return f"{capital(_arm(story, int(name.removeprefix('all '))))} to everyone"
    return {"choice": "Best message for each", "response": "Likeliest to respond, as many", "nobody": "Nobody"}.get(
        name, f"{name.capitalize()}, as many"
    )


def _gain(story: Story) -> n.Format:
    return partial(n.money_difference, currency=story.symbol)
