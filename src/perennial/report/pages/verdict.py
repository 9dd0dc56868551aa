"""Verdict of a report: the headline as an order, what to do next, the strongest caution, and deep compared with traditional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, Row, plot_intervals
from perennial.report.context import AnyReport
from perennial.report.page import Caution, Figure, KeyFigures, PageBlock, Section
from perennial.results.decision import RuleName
from perennial.results.evaluation import PairedDifference
from perennial.results.families import FAMILIES


@dataclass(frozen=True, kw_only=True)
class TaskSections:
    """The verdict's slots, blocks that add to its reasons (`why`), and the sections on action, reasons and evidence."""

    headline: str
    what_to_do: str
    caution: Caution
    picture: Figure
    key_figures: KeyFigures
    sections: tuple[Section, ...]
    why: tuple[PageBlock, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a yes-or-no score is used for (contacts, loans, alerts): the plan in a sentence, its caution and its section.

    There are no key figures where nobody is to be contacted.
    """

    plan: str
    key_figures: KeyFigures | None
    caution: Caution
    section: Section


HOLDS: Mapping[RuleName, str] = {
    RuleName.IMPROVEMENT: "{new} is not measurably better",
    RuleName.RANDOMIZATION: "the groups were probably not assigned at random",
    RuleName.COMPARABLE: "the two cannot be compared",
    RuleName.ROLLED_BACK: "this version was rolled back before",
    RuleName.PROFIT: "{new} earns measurably less",
    RuleName.SLICES: "{new} serves some customers measurably worse",
    RuleName.LABEL_RETENTION: "too many customers would change their name",
    RuleName.SEGMENT_RETENTION: "one group would lose too many of its customers",
}
_DIFFERENCES = {
    "auc": "ranking quality (AUC)",
    "ap": "ranking quality (AP)",
    "log_loss": "log loss",
    "gini_norm": "ranking quality (Gini)",
    "accuracy": "accuracy",
    "macro_f1": "mean F1",
    "mae": "mean absolute error",
}


def format_headline(report: AnyReport, *, use: str, keep: str, new: str, poor: str) -> str:
    """The order of each verdict: `use`, `keep` and why, or, of what is `poor`, not to deploy; `new` names the candidate."""
    stopped_by = report.decision.stopped_by
    if report.verdict == "PROMOTE":
        return use
    if report.verdict == "HOLD":
        return f"{keep}: {HOLDS[stopped_by or RuleName.IMPROVEMENT].format(new=new)}."
    if stopped_by == RuleName.IMPROVEMENT:
        return f"Do not deploy: {new} is measurably worse than the champion."
    return poor


def format_model_headline(report: AnyReport, does: str, poor: str) -> str:
    """The headline of a model that `does` something better than a minimum or a champion."""
    better = "the agreed minimum" if report.is_first else "the current one"
    use = f"Use {'this' if report.is_first else 'the new'} model. It {does} clearly better than {better}."
    return format_headline(report, use=use, keep="Keep the current model", new="the new model", poor=poor)


def describe_next_step(report: AnyReport, plan: str, *, reject: str, keep: str = "the current model") -> str:
    """The plan of a promotion; a HOLD goes on with what it `keep`s, a REJECT does as today (`reject` is the verb)."""
    if report.verdict == "HOLD":
        way_out = ""
        if report.decision.stopped_by == RuleName.COMPARABLE:
            way_out = f" If the change is intended: perennial promote {report.name} --override-incomparable WHY."
        return f"Nothing changes: go on with {keep}.{way_out}"
    if report.verdict == "REJECT":
        return f"{reject} as you do today{', with the current model' if report.decision.champion else ''}."
    return plan


def find_strongest_caution(report: AnyReport) -> Caution | None:
    """What outweighs any caution of a task: a column that may leak the outcome; that a rejected model makes no plan."""
    suspects = report.split.leakage_suspects
    if suspects:
        more = f" ({len(suspects) - 1} more in the log of the split)" if len(suspects) > 1 else ""
        return Caution(text=f"One column may leak the outcome: {suspects[0]}{more}", strong=suspects[0])
    if report.verdict == "REJECT":
        return Caution(text="Nothing below is a plan: it is shown so that the verdict can be checked.")
    return None


def build_action_section(report: AnyReport, blurb: str, otherwise: tuple[str, str], *blocks: PageBlock) -> Section:
    """What to do; without a promotion no plan, but what the model would have done: its name and what that is."""
    name, text = ("What to do", blurb) if report.verdict == "PROMOTE" else otherwise
    return Section(anchor="action", name=name, blurb=text, blocks=blocks)


def get_deep_difference(report: AnyReport) -> PairedDifference:
    """Deep against the best traditional family; every task with an outcome has a deep one."""
    assert report.evaluation.deep_minus_traditional is not None
    return report.evaluation.deep_minus_traditional


def describe_deep_difference(report: AnyReport) -> str:
    """Whether the deep network beats the best traditional family, in a sentence."""
    deep = get_deep_difference(report)
    best_traditional = FAMILIES[deep.traditional].phrase
    if deep.gain.low > 0:
        return f"The deep network ranks better than {best_traditional}"
    if deep.gain.high < 0:
        return f"The deep network ranks worse than {best_traditional}"
    return "Deep or traditional makes no measurable difference"


def draw_differences(report: AnyReport, rows: str) -> Figure:
    """Deep − traditional, and the rule that decided, as intervals of one difference; `rows` names the test rows."""
    deep = get_deep_difference(report)
    shown = [
        Row(name="New − champion, 99\u202f%", interval=rule.interval, standing="deciding")
        for rule in report.decision.rules
        if rule.name == RuleName.IMPROVEMENT and rule.interval
    ]
    shown.append(Row(name="Deep − traditional, 95\u202f%", interval=deep.gain, standing="reference"))
    name = _DIFFERENCES.get(deep.metric, n.METRIC_NAMES[deep.metric])
    less = ", less is above 0," if deep.metric in n.LOWER_IS_BETTER else ""
    return Figure.of(
        describe_deep_difference(report),
        f"Difference in {name}{less} on the same {n.count(report.evaluation.rows['test'])} {rows}",
        partial(plot_intervals, shown, Line(at=0, name="no difference"), n.difference),
    )
