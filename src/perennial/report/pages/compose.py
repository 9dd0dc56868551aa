"""A report in, its page out: verdict first, then why, what to do, why these customers, trust, data, lineage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from perennial.contract.head import TaskKind
from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, against_line
from perennial.report.context import LOWER_IS_BETTER, METRIC_NAMES, AnyReport, capital
from perennial.report.page import Check, Checks, Mark, Page, Section, render
from perennial.report.pages import amounts, classes, messages, response, segments
from perennial.report.pages.data import data_section
from perennial.report.pages.lineage import lineage_section
from perennial.report.task_sections import TaskSections
from perennial.results.binary import BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.decision import Rule, RuleName, RuleState
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.regression import RegressionEvaluation
from perennial.results.uplift import UpliftEvaluation

_MARKS: Mapping[RuleState, Mark] = {
    RuleState.PASS: "ok", RuleState.REJECT: "stop", RuleState.HOLD: "wait", RuleState.INFO: "info",
}  # fmt: skip
_NAMES = {
    RuleName.COMPARABLE: "Can the two be compared?",
    RuleName.OVERRIDE: "Why is it judged as a first model?",
    RuleName.ROLLED_BACK: "Was this version taken out of use?",
    RuleName.IMPROVEMENT: "New model against the one in use",
    RuleName.RANDOMIZATION: "Were the groups drawn by lot?",
    RuleName.MINIMUM: "New model against the agreed minimum",
    RuleName.PROFIT: "Profit against the one in use",
    RuleName.SLICES: "Customer groups against the one in use",
    RuleName.STABILITY: "Do halves of the customers give the same segments?",
    RuleName.LABEL_RETENTION: "Do customers keep the names that they have?",
    RuleName.SEGMENT_RETENTION: "Do those of the segment that loses most?",
}
PAGES: Mapping[TaskKind, Callable[[AnyReport], TaskSections]] = {
    "binary": lambda report: response.build_sections(report.of(BinaryEvaluation)),
    "multiclass": lambda report: classes.build_sections(report.of(MulticlassEvaluation)),
    "regression": lambda report: amounts.build_sections(report.of(RegressionEvaluation)),
    "uplift": lambda report: messages.build_sections(report.of(UpliftEvaluation)),
    "clustering": lambda report: segments.build_sections(report.of(ClusteringEvaluation)),
}


def compose(report: AnyReport) -> tuple[str, str]:
    """The whole report as one self-contained HTML page, and its verdict with what to do in a sentence or two."""
    task = PAGES[report.contract.task.kind](report)
    question = report.contract.task.question or f"What decides {report.contract.target or report.name}?"
    page = Page(
        title=f"{report.name}: {report.verdict.lower()}",
        use_case=report.name,
        label=f"{question} Version {report.version}, {report.at} UTC",
        verdict=task.verdict,
        standing=_standing(report),
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
                blocks=(_checks(report), *task.why),
            ),
            *task.sections,
            data_section(report),
            lineage_section(report),
        ),
    )
    return render(page), f"{task.headline} {task.what_to_do}"


def _standing(report: AnyReport) -> str:
    """Which version is in use, by the newest decision."""
    now, before = report.in_use, report.decision.champion
    if report.verdict != "PROMOTE" and now == report.version:
        return f"Version {now} is in use, put there by hand"
    match report.verdict:
        case "PROMOTE":
            replaced = f"Version {report.version} replaces version {before.version}" if before else ""
            told = replaced or f"Version {report.version} is the first"
            return told if now == report.version else f"{told}; by now version {now} is in use"
        case "HOLD":
            return f"Version {now} stays in use" if now else "No model is in use"
        case _:
            return f"Version {report.version} is not put to use; " + (
                f"version {now} stays" if now else "no model is in use"
            )


def _checks(report: AnyReport) -> Checks:
    """The rules of the decision record, each as an interval against its line."""
    return Checks(checks=tuple(_check(report, rule) for rule in report.decision.rules))


def _check(report: AnyReport, rule: Rule) -> Check:
    name, mark = rule.name, _MARKS[rule.state]
    if rule.interval is None:
        return Check(mark=mark, question=_NAMES[name], detail=_detail(report, rule), value="")
    found, show, line = rule.interval, _shown(report, name), _line(name, rule.line or 0.0)
    falls = name == RuleName.MINIMUM and report.contract.task.primary in LOWER_IS_BETTER
    picture = against_line(
        found, line, label=f"{_NAMES[name]}: {n.estimate(found, show)}",
        standing="reference" if rule.state == RuleState.INFO else "deciding", better="below" if falls else "above",
    )  # fmt: skip
    return Check(
        mark=mark, question=_NAMES[name], detail=_detail(report, rule), value=show(found.value),
        interval=n.bracket(found, show), picture=picture,
    )  # fmt: skip


def _shown(report: AnyReport, name: RuleName) -> n.Format:
    match name:
        case RuleName.PROFIT:
            return partial(n.money_difference, currency=report.symbol)
        case RuleName.MINIMUM | RuleName.STABILITY:
            return n.decimal
        case RuleName.LABEL_RETENTION | RuleName.SEGMENT_RETENTION:
            return n.share
        case _:
            return n.difference


def _line(name: RuleName, at: float) -> Line:
    match name:
        case RuleName.PROFIT:
            return Line(at=at, name="same profit")
        case RuleName.MINIMUM:
            return Line(at=at, name=f"minimum {at:g}")
        case RuleName.STABILITY | RuleName.LABEL_RETENTION | RuleName.SEGMENT_RETENTION:
            return Line(at=at, name=f"{at:g} needed")
        case _:
            return Line(at=at, name="no difference")


def _detail(report: AnyReport, rule: Rule) -> str:
    """What the interval is of, and what it must show; the record's own words where there is no interval."""
    metric, rows = METRIC_NAMES[report.contract.task.primary], n.count(report.evaluation.rows["test"])
    if rule.interval is None:
        return capital(rule.sentence)
    match rule.name:
        case RuleName.IMPROVEMENT:
            return f"{metric} on the same {rows} test customers, 99\u202f% interval. Must lie above 0."
        case RuleName.MINIMUM:
            return f"{metric}, 99\u202f% interval. Its worse end must clear {report.contract.task.minimum:g}."
        case RuleName.STABILITY:
            named = f"The mean must reach {rule.line:g}."
            return (
                f"Agreement (adjusted Rand index) on {rows} test customers, mean and range of pairs of halves. {named}"
            )
        case RuleName.LABEL_RETENTION | RuleName.SEGMENT_RETENTION:
            return capital(rule.sentence) + "."
        case RuleName.PROFIT:
            return "On the same test customers, 99\u202f% interval. May only block, never promote."
        case _:
            return capital(rule.sentence.partition(":")[0]) + ". Blocks if clearly worse than today."
