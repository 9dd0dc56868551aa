"""Report of a candidate: the verdict first, then why, what to do, reasons, evidence, data and lineage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from perennial.charts import numbers as n
from perennial.charts.intervals import Line
from perennial.contract.head import TaskKind
from perennial.report.context import AnyReport
from perennial.report.page import Check, Checks, Mark, Page, Section, render
from perennial.report.pages import amounts, classes, messages, response, segments
from perennial.report.pages.data import build_data_section
from perennial.report.pages.lineage import build_lineage_section
from perennial.report.pages.verdict import TaskSections
from perennial.results.binary import BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.decision import Rule, RuleName, RuleState
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.regression import RegressionEvaluation
from perennial.results.uplift import UpliftEvaluation

_MARKS: Mapping[RuleState, Mark] = {
    RuleState.PASS: "ok",
    RuleState.REJECT: "stop",
    RuleState.HOLD: "wait",
    RuleState.INFO: "info",
}
QUESTIONS = {
    RuleName.COMPARABLE: "Can the two be compared?",
    RuleName.OVERRIDE: "Why is it treated as a first model?",
    RuleName.ROLLED_BACK: "Was this version rolled back?",
    RuleName.IMPROVEMENT: "New model compared with the champion",
    RuleName.RANDOMIZATION: "Were the groups assigned at random?",
    RuleName.MINIMUM: "New model compared with the agreed minimum",
    RuleName.PROFIT: "Profit compared with the champion",
    RuleName.SLICES: "Customer groups compared with the champion",
    RuleName.STABILITY: "Do halves of the customers give the same segments?",
    RuleName.LABEL_RETENTION: "Do customers retain their segment's name?",
    RuleName.SEGMENT_RETENTION: "Does the segment that loses most retain its customers?",
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
    page = build_page(report)
    return render(page), f"{page.headline} {page.what_to_do}"


def build_page(report: AnyReport) -> Page:
    task = PAGES[report.contract.task.kind](report)
    question = report.contract.task.question or f"What decides {report.contract.target or report.name}?"
    checks = Checks(checks=tuple(_build_check(report, rule) for rule in report.decision.rules))
    why = Section(
        anchor="checks",
        name="Why this verdict",
        blurb="Each rule that could have stopped it. A line is an interval, the dot the estimate.",
        blocks=(checks, *task.why),
    )
    return Page(
        title=f"{report.name}: {report.verdict.lower()}",
        use_case=report.name,
        label=f"{question} Version {report.version}, {report.at} UTC",
        verdict=report.verdict,
        standing=describe_standing(report),
        headline=task.headline,
        what_to_do=task.what_to_do,
        caution=task.caution,
        picture=task.picture,
        key_figures=task.key_figures,
        sections=(why, *task.sections, build_data_section(report), build_lineage_section(report)),
    )


def describe_standing(report: AnyReport) -> str:
    """Which version is champion, by the newest decision."""
    now, before, own = report.champion_version, report.decision.champion, f"Version {report.version}"
    if report.verdict == "PROMOTE":
        promoted = f"{own} replaces version {before.version}" if before else f"{own} is the first champion"
        return promoted if now == report.version else f"{promoted}; version {now} is champion now"
    if now == report.version:
        return f"Version {now} is champion, promoted by hand"
    stays = f"version {now} stays champion" if now else "there is no champion"
    return n.capital(stays) if report.verdict == "HOLD" else f"{own} is not deployed; {stays}"


def _build_check(report: AnyReport, rule: Rule) -> Check:
    """A rule of the decision record: its interval against its line, or the record's own words where it has none."""
    mark, question = _MARKS[rule.state], QUESTIONS[rule.name]
    if rule.interval is None:
        return Check(mark=mark, question=question, detail=n.capital(rule.sentence), value="")
    falls = rule.name == RuleName.MINIMUM and report.contract.task.primary in n.LOWER_IS_BETTER
    show, line = _choose_scale(report, rule.name, rule.line or 0.0)
    return Check.of(
        mark,
        question,
        _describe_rule(report, rule),
        rule.interval,
        show,
        line,
        standing="reference" if rule.state == RuleState.INFO else "deciding",
        better="below" if falls else "above",
    )


def _choose_scale(report: AnyReport, name: RuleName, at: float) -> tuple[n.Format, Line]:
    """How the figure of a rule is printed, and the line that it must pass."""
    match name:
        case RuleName.PROFIT:
            return report.money_difference, Line(at=at, name="same profit")
        case RuleName.MINIMUM:
            return n.decimal, Line(at=at, name=f"minimum {at:g}")
        case RuleName.STABILITY:
            return n.decimal, Line(at=at, name=f"{at:g} needed")
        case RuleName.LABEL_RETENTION | RuleName.SEGMENT_RETENTION:
            return n.share, Line(at=at, name=f"{at:g} needed")
        case _:
            return n.difference, Line(at=at, name="no difference")


def _describe_rule(report: AnyReport, rule: Rule) -> str:
    """What the interval is of, and what it must show."""
    metric, rows = n.METRIC_NAMES[report.contract.task.primary], n.count(report.evaluation.rows["test"])
    match rule.name:
        case RuleName.IMPROVEMENT:
            return f"{metric} on the same {rows} test customers, 99\u202f% interval. Must lie above 0."
        case RuleName.MINIMUM:
            return f"{metric}, 99\u202f% interval. Its worse end must clear {report.contract.task.minimum:g}."
        case RuleName.STABILITY:
            agreement = f"Agreement (adjusted Rand index) on {rows} test customers, mean and range of pairs of halves."
            return f"{agreement} The mean must reach {rule.line:g}."
        case RuleName.LABEL_RETENTION | RuleName.SEGMENT_RETENTION:
            return n.capital(rule.sentence) + "."
        case RuleName.PROFIT:
            return "On the same test customers, 99\u202f% interval. May only block, never promote."
        case _:
            return n.capital(rule.sentence.partition(":")[0]) + ". Blocks if clearly worse than today."
