"""A story in, its page out: verdict first, then why, what to do, why these customers, trust, data, lineage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from perennial.report import messages, response
from perennial.report import numbers as n
from perennial.report.data import data_section
from perennial.report.intervals import Line, against_line
from perennial.report.lineage import lineage_section
from perennial.report.page import Check, Checks, Page, Section, render
from perennial.report.story import Story, interval

_MARKS = {"ok": "ok", "rejects": "stop", "holds": "wait", "info": "info"}
_NAMES = {
    "comparable": "Can the two be compared?",
    "better": "New model against the one in use",
    "floor": "New model against the agreed floor",
    "profit": "Profit against the one in use",
    "groups": "Customer groups against the one in use",
}


def compose(story: Story) -> tuple[str, str]:
    """The whole report as one self-contained HTML page, and its verdict with what to do in a sentence or two."""
    match story.contract.task.kind:
        case "binary":
            task = response.told(story)
        case "uplift":
            task = messages.told(story)
        case _:
            assert_never(story.contract.task.kind)
    question = story.contract.task.question or f"What decides {story.contract.task.target}?"
    page = Page(
        title=f"{story.name}: {story.verdict.lower()}",
        use_case=story.name,
        label=f"{question} Version {story.version}, {story.at} UTC",
        verdict=task.verdict,
        standing=_standing(story),
        headline=task.headline,
        what_to_do=task.what_to_do,
        caution=task.caution,
        picture=task.picture,
        key_figures=task.key_figures,
        sections=(
            Section(
                anchor="checks",
                name="Why this verdict",
                blurb="Each rule that could have stopped it. A line is an interval, the dot the estimate.",
                blocks=(_checks(story), *task.why),
            ),
            *task.sections,
            data_section(story),
            lineage_section(story),
        ),
        footer="Perennial report: one file, no scripts, nothing loaded from elsewhere. Intervals are 95\u202f% unless marked.",
    )
    return render(page), f"{task.headline} {task.what_to_do}"


def _standing(story: Story) -> str:
    champion = (story.decision.get("champion") or {}).get("version")
    match story.verdict:
        case "PROMOTE":
            return (
                f"Version {story.version} replaces version {champion}"
                if champion
                else f"Version {story.version} is the first"
            )
        case "HOLD":
            return f"Version {champion} stays in use" if champion else "No model is in use"
        case _:
            return f"Version {story.version} is not put to use; " + (
                f"version {champion} stays" if champion else "no model is in use"
            )


def _checks(story: Story) -> Checks:
    """The rules of the decision record, each as an interval against its line."""
    checks = []
    for rule in story.decision["rules"]:
        found = interval(rule["interval"]) if rule.get("interval") else None
        money = rule["name"] == "profit"
        show = (
            (lambda v: n.money_difference(v, story.symbol))
            if money
            else (n.decimal if rule.get("line") else n.difference)
        )
        picture = None
        if found is not None and rule.get("line") is not None:
            at = float(rule["line"])
            label = f"{_NAMES[rule['name']]}: {n.estimate(found, show)}"
            standing = "reference" if rule["state"] == "info" else "deciding"
            picture = against_line(found, Line(at=at, name=_line_name(at, money)), label=label, standing=standing)  # type: ignore[arg-type]
        checks.append(
            Check(
                mark=_MARKS[rule["state"]],  # type: ignore[arg-type]
                question=_NAMES[rule["name"]],
                detail=_detail(story, rule),
                value=show(found.value) if found else "",
                interval=n.bracket(found, show) if found else "",
                picture=picture,
            )
        )
    return Checks(checks=tuple(checks))


def _detail(story: Story, rule: Mapping[str, Any]) -> str:
    """What the interval is of, and what it must show; the record's own words where there is no interval."""
    metric, rows = story.contract.task.primary.upper(), n.count(story.evaluation["rows"]["test"])
    if not rule.get("interval"):
        return _capital(str(rule["words"]))
    match rule["name"]:
        case "better":
            return f"{metric} on the same {rows} test customers, 99\u202f% interval. Must lie above 0."
        case "floor":
            return f"{metric}, 99\u202f% interval. Its worse end must clear {story.contract.task.floor:g}."
        case "profit":
            return "On the same test customers, 99\u202f% interval. May only block, never promote."
        case _:
            return _capital(str(rule["words"]).partition(":")[0]) + ". Blocks if clearly worse than today."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _line_name(at: float, money: bool) -> str:
    if at == 0:
        return "same profit" if money else "no difference"
    return f"{at:.2f}"
