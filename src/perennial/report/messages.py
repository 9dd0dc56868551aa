"""A story of an uplift task in, its words and charts out: whom each message moves, and what a choice of message earns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from perennial.report import numbers as n
from perennial.report.curves import Curve, Flag, by_depth
from perennial.report.intervals import Line, Row, columns, inline, interval_rows
from perennial.report.page import (
    Block,
    Caution,
    Check,
    Checks,
    Column,
    Estimate,
    Figure,
    Grid,
    KeyFigure,
    Pair,
    Section,
    Table,
    TableRow,
)
from perennial.report.shared import families_table, reasons_section, training_figure
from perennial.report.story import Story, interval
from perennial.report.svg import Drawing
from perennial.report.told import Told


def told(story: Story) -> Told:
    """Everything between the label line and the section on rows."""
    single = _arm(story, story.evaluation["policy"]["best_single"])
    return Told(
        verdict=story.verdict,
        headline=_headline(story, single),
        what_to_do=_what_to_do(story, single),
        caution=Caution(text="Measured in one campaign: it says nothing about a second message to the same customer."),
        picture=_picture(story, single),
        key_figures=_key_figures(story, single),
        why=(_lottery(story),),
        sections=(_action(story), reasons_section(story, effect="what the best message adds"), _trust(story)),
    )


def _headline(story: Story, single: str) -> str:
    if story.verdict == "PROMOTE":
        if story.evaluation["policy"]["against"]["best_single"]["low"] > 0:
            return "Send each customer the message that moves them: it earns more than one for all."
        return "Use the ranking by effect: it finds whom a message moves, by more than chance explains."
    if story.verdict == "HOLD":
        return "Keep choosing as today: the new choice is not measurably better."
    return f"Do not deploy: choosing a message for each customer gains nothing sure; test {single} instead."


def _what_to_do(story: Story, single: str) -> str:
    policy = story.evaluation["policy"]
    shares = [
        f"{name} to {n.share(share)}" for name, share in zip(story.evaluation["arms"], policy["shares"], strict=True)
    ]
    if story.verdict == "REJECT":
        return f"The best single message in the test was {single}."
    return f"Send {', '.join(shares[1:])}, and nothing to {n.share(policy['shares'][0])}."


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
    policy, money = story.evaluation["policy"], partial(n.money, currency=story.symbol)
    plans = {plan["name"]: plan for plan in policy["plans"]}
    choice = interval(plans["choice"]["per_1000"])
    best = interval(plans[f"all {policy['best_single']}"]["per_1000"])
    response = interval(plans["response"]["per_1000"])
    return (
        KeyFigure(
            name="Customers to contact", value=n.share(policy["depth"]), note="each with the message that moves them"
        ),
        KeyFigure(
            name="Earned per 1,000 customers",
            value=money(choice.value),
            note=f"{n.between(choice, money)}; nobody: {money(0)}",
        ),
        KeyFigure(name=f"{single} to everyone", value=money(best.value), note=n.between(best, money)),
        KeyFigure(
            name="Those likeliest to respond",
            value=money(response.value),
            note=f"{n.between(response, money)}; as many customers",
        ),
    )


def _lottery(story: Story) -> Checks:
    """Whether arms were drawn by lot, and whether ranking by effect beats ranking by response, a message each."""
    lottery = story.evaluation["lottery"]
    fair = lottery["least_p"] >= lottery["expected_least_p"]
    sizes = " / ".join(n.count(rows) for rows in lottery["rows"])
    checks = [
        Check(
            mark="ok" if fair else "stop",
            question="The test was a fair lottery",
            detail=f"Group sizes {sizes}. Least chance of a column this uneven; a fair lottery stays above "
            f"{lottery['expected_least_p']:.4f} 19 times of 20.",
            value=f"p {lottery['least_p']:.3f}",
        )
    ]
    for message in story.evaluation["messages"]:
        race = interval(message["race"])
        better = race.low > 0
        checks.append(
            Check(
                mark="ok" if better else "info",
                question=f"{message['name']}: ranking by effect against ranking by response",
                detail="Qini, 95\u202f% interval. Above 0: the two rankings differ, and the effect ranks better.",
                value=n.difference(race.value),
                interval=n.bracket(race, n.difference),
            )
        )
    return Checks(checks=tuple(checks))


def _action(story: Story) -> Section:
    return Section(
        anchor="action", name="What to do", blurb="Whom to write to, with which message, and what it earns.",
        blocks=(_profit(story), _plans(story)),
    )  # fmt: skip


def _profit(story: Story) -> Figure:
    policy = story.evaluation["policy"]
    curves = []
    for key, name, tone in (("choice", "By effect", "blue"), ("response", "By response", "orange")):
        found = policy["curves"][key]
        banded = {"low": found["low"], "high": found["high"]} if key == "choice" else {}
        flag = Flag(at=policy["depth"], says=(f"Chosen: {n.share(policy['depth'])}",)) if key == "choice" else None
        curves.append(Curve(name=name, x=found["x"], y=found["value"], tone=tone, flag=flag, **banded))  # type: ignore[arg-type]
    against = interval(policy["against"]["response"])
    more = "earns more than" if against.low > 0 else "earns about what"
    tail = "a list of the likeliest responders" + ("" if against.low > 0 else " earns")
    finding = f"Writing to those a message moves {more} {tail}"
    drawing = by_depth(
        curves, partial(n.money_axis, currency=story.symbol), label=finding, axis="Share of customers contacted, best first",
        budget=Flag(at=policy["budget_share"], says=(f"Budget: {n.share(policy['budget_share'])}",)),
    )  # fmt: skip
    rows = story.evaluation["rows"]["test"]
    return Figure(
        finding=finding,
        described=f"Profit above contacting nobody, on {n.count(rows)} test customers; doubly robust, 95\u202f% band.",
        drawing=drawing,
    )


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
    heads = (
        Column(name="Plan"),
        *(Column(name=name, right=True) for name in ("Contacted", "Per 1,000", "95\u202f% interval")),
    )
    return Table(
        finding="Plans on the same test customers",
        described="Profit per 1,000 customers above contacting nobody; doubly robust estimates.",
        grid=Grid(columns=(*heads, Column(name="0 at the line")), rows=tuple(rows), hide_last=True),
    )


def _trust(story: Story) -> Section:
    placebo = story.evaluation["placebo"]
    names = (("qini", "Mean Qini"), ("policy_value", "Per 1,000"))
    families = families_table(story, names, "Three families on the same customers: the simplest of the best was taken")
    tenths = [_tenths(story, message) for message in story.evaluation["messages"]]
    blocks: list[Block] = [families]
    blocks += [Pair(figures=(a, b)) for a, b in zip(tenths[::2], tenths[1::2], strict=False)]
    blocks += [tenths[-1]] if len(tenths) % 2 else []
    blocks.append(training_figure(story))
    shuffled = (
        f"{placebo['times']} runs with shuffled arms find a mean Qini of {placebo['mean']:+.4f} on average, at most "
        f"{placebo['greatest']:.4f} away from 0."
        if placebo["times"]
        else "No placebo runs were asked for."
    )
    return Section(
        anchor="evidence", name="Can it be trusted", blurb=f"For data scientists. {shuffled}", blocks=tuple(blocks)
    )


def _tenths(story: Story, message: Mapping[str, Any]) -> Figure:
    estimates = [(str(i), interval(tenth["observed"])) for i, tenth in enumerate(message["tenths"], 1)]
    low, high = (message["tenths"][i]["observed"]["value"] for i in (0, -1))
    name = message["name"]
    finding = f"{name}: the top tenth gains {n.points(high)} points, the lowest {n.points(low)}"
    everyone = [
        i
        for m in story.evaluation["messages"]
        for t in m["tenths"]
        for i in (t["observed"]["low"], t["observed"]["high"])
    ]
    drawing = columns(
        estimates, [Line(at=0, name="no effect")], n.points, label=finding, axis="Tenth of customers by predicted effect",
        span=(min(everyone), max(everyone)),
    )  # fmt: skip
    return Figure(
        finding=finding,
        described="Extra responses per 100 customers, 95\u202f% intervals.",
        drawing=Drawing(wide=drawing),
    )


def _arm(story: Story, k: int) -> str:
    return str(story.evaluation["arms"][k])


def _plan_name(story: Story, name: str) -> str:
    if name.startswith("all "):
        return f"{_arm(story, int(name.removeprefix('all ')))} to everyone"
    return {"choice": "Best message for each", "response": "Likeliest to respond, as many", "nobody": "Nobody"}.get(
        name, f"{name.capitalize()}, as many"
    )


def _gain(story: Story) -> n.Format:
    return partial(n.money_difference, currency=story.symbol)
