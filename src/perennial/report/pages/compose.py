"""A story in, its page out: verdict first, then why, what to do, why these customers, trust, data, lineage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, assert_never

from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, against_line
from perennial.report.context import LOWER_IS_BETTER, METRIC_NAMES, Story, capital, interval
from perennial.report.page import Check, Checks, Mark, Page, Section, render
from perennial.report.pages import amounts, classes, messages, response, segments
from perennial.report.pages.data import data_section
from perennial.report.pages.lineage import lineage_section

_MARKS: Mapping[str, Mark] = {"ok": "ok", "rejects": "stop", "holds": "wait", "info": "info"}
_NAMES = {
    "comparable": "Can the two be compared?",
    "anew": "Why is it judged as a first model?",
    "rolled back": "Was this version taken out of use?",
    "better": "New model against the one in use",
    "lottery": "Were the groups drawn by lot?",
    "minimum": "New model against the agreed minimum",
    "profit": "Profit against the one in use",
    "groups": "Customer groups against the one in use",
    "stability": "Do halves of the customers give the same segments?",
    "names": "Do customers keep the names that they have?",
    "segment": "Do those of the segment that loses most?",
}


def compose(story: Story) -> tuple[str, str]:
    """The whole report as one self-contained HTML page, and its verdict with what to do in a sentence or two."""
    match story.contract.task.kind:
        case "binary":
            task = response.told(story)
        case "multiclass":
            task = classes.told(story)
        case "regression":
            task = amounts.told(story)
        case "uplift":
            task = messages.told(story)
        case "clustering":
            task = segments.told(story)
        case _:
            assert_never(story.contract.task.kind)
    question = story.contract.task.question or f"What decides {story.contract.target or story.name}?"
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
    )
    return render(page), f"{task.headline} {task.what_to_do}"


def _standing(story: Story) -> str:
    """Which version is in use, by the newest decision."""
    now, champion = story.in_use, (story.decision.get("champion") or {}).get("version")
    if story.verdict != "PROMOTE" and now == story.version:
        return f"Version {now} is in use, put there by hand"
    match story.verdict:
        case "PROMOTE":
            replaced = f"Version {story.version} replaces version {champion}"
            told = replaced if champion else f"Version {story.version} is the first"
            return told if now == story.version else f"{told}; by now version {now} is in use"
        case "HOLD":
            return f"Version {now} stays in use" if now else "No model is in use"
        case _:
            return f"Version {story.version} is not put to use; " + (
                f"version {now} stays" if now else "no model is in use"
            )


def _checks(story: Story) -> Checks:
    """The rules of the decision record, each as an interval against its line."""
    return Checks(checks=tuple(_check(story, rule) for rule in story.decision.get("rules", ())))


def _check(story: Story, rule: Mapping[str, Any]) -> Check:
    name, mark = str(rule["name"]), _MARKS[rule["state"]]
    if not rule.get("interval"):
        return Check(mark=mark, question=_NAMES[name], detail=_detail(story, rule), value="")
    found, show, line = interval(rule["interval"]), _shown(story, name), _line(name, float(rule["line"]))
    falls = name == "minimum" and story.contract.task.primary in LOWER_IS_BETTER
    picture = against_line(
        found, line, label=f"{_NAMES[name]}: {n.estimate(found, show)}",
        standing="reference" if rule["state"] == "info" else "deciding", better="below" if falls else "above",
    )  # fmt: skip
    return Check(
        mark=mark, question=_NAMES[name], detail=_detail(story, rule), value=show(found.value),
        interval=n.bracket(found, show), picture=picture,
    )  # fmt: skip


def _shown(story: Story, name: str) -> n.Format:
    match name:
        case "profit":
            return partial(n.money_difference, currency=story.symbol)
        case "minimum" | "stability":
            return n.decimal
        case "names" | "segment":
            return n.share
        case _:
            return n.difference


def _line(name: str, at: float) -> Line:
    match name:
        case "profit":
            return Line(at=at, name="same profit")
        case "minimum":
            return Line(at=at, name=f"minimum {at:g}")
        case "stability" | "names" | "segment":
            return Line(at=at, name=f"{at:g} needed")
        case _:
            return Line(at=at, name="no difference")


def _detail(story: Story, rule: Mapping[str, Any]) -> str:
    """What the interval is of, and what it must show; the record's own words where there is no interval."""
    metric, rows = METRIC_NAMES[story.contract.task.primary], n.count(story.evaluation["rows"]["test"])
    if not rule.get("interval"):
        return capital(str(rule["words"]))
    match rule["name"]:
        case "better":
            return f"{metric} on the same {rows} test customers, 99\u202f% interval. Must lie above 0."
        case "minimum":
            return f"{metric}, 99\u202f% interval. Its worse end must clear {story.contract.task.minimum:g}."
        case "stability":
            named = f"The mean must reach {rule['line']:g}."
            return (
                f"Agreement (adjusted Rand index) on {rows} test customers, mean and range of pairs of halves. {named}"
            )
        case "names" | "segment":
            return capital(str(rule["words"])) + "."
        case "profit":
            return "On the same test customers, 99\u202f% interval. May only block, never promote."
        case _:
            return capital(str(rule["words"]).partition(":")[0]) + ". Blocks if clearly worse than today."
