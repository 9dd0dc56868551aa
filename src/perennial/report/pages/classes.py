"""A report of a multiclass task in, its words and charts out: what is told apart, what is confused, when to ask a person."""

from __future__ import annotations

from perennial.report.charts import numbers as n
from perennial.report.charts.curves import Curve, Flag, by_depth
from perennial.report.context import METRIC_NAMES, ReportContext
from perennial.report.page import Block, Caution, Figure, KeyFigure, Pair, Section
from perennial.report.pages import mistakes
from perennial.report.pages.shared import (
    difference_figure,
    families_table,
    go_on,
    model_headline,
    reasons_section,
    split_sensitivity,
    strongest_caution,
    training_figure,
)
from perennial.report.pages.slices import groups_figure
from perennial.report.task_sections import TaskSections
from perennial.results.multiclass import ClassFigures, MulticlassEvaluation

_SURE = 0.95  # the accuracy at which a machine may answer alone


def build_sections(report: ReportContext[MulticlassEvaluation]) -> TaskSections:
    """Everything between the label line and the section on rows."""
    return TaskSections(
        verdict=report.verdict,
        headline=_headline(report),
        what_to_do=_what_to_do(report),
        caution=strongest_caution(report) or _caution(report),
        picture=difference_figure(report, "test rows"),
        key_figures=_key_figures(report),
        why=(),
        sections=(
            Section(
                anchor="action",
                name="What it tells apart",
                blurb="Which classes are taken for which.",
                blocks=mistakes.blocks(report, report.evaluation.classes),
            ),
            reasons_section(report, effect="the log share of the likeliest class"),
            _trust(report),
        ),
    )


def _headline(report: ReportContext[MulticlassEvaluation]) -> str:
    return model_headline(
        report,
        better="tells classes apart better",
        first="tells classes apart better than agreed",
        poor="this model does not tell classes apart as well as agreed",
    )


def _what_to_do(report: ReportContext[MulticlassEvaluation]) -> str:
    if report.verdict == "HOLD":
        return go_on(report)
    if report.verdict == "REJECT":
        return f"Decide as you do today{', by the model in use' if report.decision.champion else ''}."
    share = _answered(report)
    if share >= 1:
        return f"Take its word for every row: {n.share(report.figure('accuracy').value)} are right."
    if share <= 0:
        return f"Let a person check: no share of rows is right in {n.share(_SURE)} of cases."
    return (
        f"Take its word for the surest {n.share(share)}, right in {n.share(_SURE)} of cases; let a person see the rest."
    )


def _answered(report: ReportContext[MulticlassEvaluation]) -> float:
    """The largest share of rows, surest first, whose accuracy is at least _SURE."""
    found = report.evaluation.coverage
    enough = [x for x, y in zip(found.x, found.value, strict=True) if y >= _SURE and x > 0]
    return float(max(enough, default=0.0))


def _caution(report: ReportContext[MulticlassEvaluation]) -> Caution:
    weakest = min(_classes(report), key=lambda item: float(item[1].f1))
    strong = f"weakest for {weakest[0]}"
    return Caution(text=f"It is {strong}: F1 {n.decimal(weakest[1].f1, 2)}.", strong=strong)


def _key_figures(report: ReportContext[MulticlassEvaluation]) -> tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]:
    accuracy, f1 = (report.figure(name) for name in ("accuracy", "macro_f1"))
    largest = max(_classes(report), key=lambda item: int(item[1].n))
    total = report.evaluation.rows["test"]
    return (
        KeyFigure(name="Right on the test rows", value=n.share(accuracy.value), note=n.between(accuracy, n.share)),
        KeyFigure(
            name="Always the largest class",
            value=n.share(largest[1].n / total),
            note=f"what {largest[0]} for all gives",
        ),
        KeyFigure(name="Mean F1 of the classes", value=n.decimal(f1.value, 2), note=n.between(f1, n.decimal)),
        KeyFigure(name="Answered alone", value=n.share(_answered(report)), note=f"of rows, at {n.share(_SURE)} right"),
    )


def _trust(report: ReportContext[MulticlassEvaluation]) -> Section:
    keys = (
        report.evaluation.primary,
        *(k for k in ("log_loss", "accuracy", "macro_f1") if k != report.evaluation.primary),
    )
    if "kappa" in report.evaluation.chosen.test:
        keys = (*keys, "kappa")
    names = [(key, METRIC_NAMES[key], n.decimal) for key in keys]
    found = report.evaluation.coverage
    answered = _answered(report)
    curve = Curve(
        name="Accuracy",
        x=found.x,
        y=found.value,
        low=found.low,
        high=found.high,
        ends=n.share(found.value[-1]),
        flag=Flag(at=answered, says=(f"{n.share(answered)} of rows", f"at {n.share(_SURE)}")) if answered > 0 else None,
    )
    finding = (
        f"The surest {n.share(answered)} of rows are right in {n.share(_SURE)} of cases"
        if answered
        else "Surer is not righter"
    )
    coverage = Figure(
        finding=finding,
        described="Accuracy among the surest share of test rows, 95\u202f% band.",
        drawing=by_depth(
            [curve], n.share_axis, label=finding, axis="Share of rows answered, surest first", random=None, span=(0, 1)
        ),
    )
    blocks: list[Block] = [
        families_table(report, names, "Families on the same rows: the simplest of the best was taken"),
        coverage,
        *split_sensitivity(report),
    ]
    by_group = [(f"{r.column} {r.value}", r.n, r.accuracy) for r in report.evaluation.slices if r.accuracy is not None]
    groups = groups_figure(report, by_group, "accuracy", "Accuracy")
    blocks.append(Pair(figures=(groups, training_figure(report))) if groups else training_figure(report))
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb="For data scientists. All on test rows, each used once.",
        blocks=tuple(blocks),
    )


def _classes(report: ReportContext[MulticlassEvaluation]) -> list[tuple[str, ClassFigures]]:
    return list(zip(report.evaluation.classes, report.evaluation.confusion.per_class, strict=True))
