"""Classes page: which classes are told apart, which are confused, and when to ask a person."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.report.context import ReportContext
from perennial.report.page import Caution, Figure, KeyFigure, KeyFigures, Section
from perennial.report.pages import evidence, mistakes, reasons, slices, verdict
from perennial.report.pages.verdict import TaskSections
from perennial.results.multiclass import ClassFigures, MulticlassEvaluation

_SURE = 0.95  # the accuracy at which a machine may answer alone
Report = ReportContext[MulticlassEvaluation]


def build_sections(report: Report) -> TaskSections:
    """Everything between the label line and the section on rows."""
    confusion = Section(
        anchor="action",
        name="What it tells apart",
        blurb="Which classes are taken for which.",
        blocks=mistakes.build_mistakes(report, report.evaluation.confusion, report.evaluation.classes),
    )
    goes_by = reasons.build_section(report, effect="the log probability of the likeliest class")
    return TaskSections(
        headline=verdict.format_model_headline(
            report, "tells classes apart", "Do not deploy: this model does not tell classes apart as well as agreed."
        ),
        what_to_do=verdict.describe_next_step(report, _describe_plan(report), reject="Decide"),
        caution=verdict.find_strongest_caution(report) or _describe_weakest(report),
        picture=verdict.draw_differences(report, "test rows"),
        key_figures=_build_key_figures(report),
        sections=(confusion, goes_by, _build_evidence(report)),
    )


def _describe_plan(report: Report) -> str:
    answered = find_answered(report)
    if answered >= 1:
        return f"Accept every answer: {n.share(report.figure('accuracy').value)} are right."
    if answered <= 0:
        return f"Let a person check every answer: no share of rows reaches {n.share(_SURE)} right."
    return f"Accept the surest {n.share(answered)} of answers, {n.share(_SURE)} of which are right. Let a person check the rest."


def find_answered(report: Report) -> float:
    """The largest share of rows, surest first, whose accuracy is at least _SURE."""
    coverage = report.evaluation.coverage
    enough = [x for x, accuracy in zip(coverage.x, coverage.value, strict=True) if accuracy >= _SURE and x > 0]
    return float(max(enough, default=0.0))


def _pair_classes(report: Report) -> list[tuple[str, ClassFigures]]:
    return list(zip(report.evaluation.classes, report.evaluation.confusion.per_class, strict=True))


def _describe_weakest(report: Report) -> Caution:
    name, figures = min(_pair_classes(report), key=lambda pair: float(pair[1].f1))
    return Caution(text=f"It is weakest for {name}: F1 {n.decimal(figures.f1, 2)}.", strong=f"weakest for {name}")


def _build_key_figures(report: Report) -> KeyFigures:
    name, largest = max(_pair_classes(report), key=lambda pair: int(pair[1].n))
    answered, share = n.share(find_answered(report)), n.share(largest.n / report.evaluation.rows["test"])
    return (
        KeyFigure.of("Right on the test rows", report.figure("accuracy"), n.share),
        KeyFigure(name="Always the largest class", value=share, note=f"what {name} for all gives"),
        KeyFigure.of("Mean F1 of the classes", report.figure("macro_f1"), n.ratio),
        KeyFigure(name="Answered alone", value=answered, note=f"of rows, at {n.share(_SURE)} right"),
    )


def _build_evidence(report: Report) -> Section:
    primary, test = report.evaluation.primary, report.evaluation.chosen.test
    others = [key for key in ("log_loss", "accuracy", "macro_f1", "kappa") if key != primary and key in test]
    metrics = [(key, n.METRIC_NAMES[key], n.decimal) for key in (primary, *others)]
    groups = [(f"{r.column} {r.value}", r.n, r.accuracy) for r in report.evaluation.slices if r.accuracy is not None]
    return evidence.build_section(
        evidence.build_families(report, metrics, "rows"),
        _draw_coverage(report),
        *evidence.build_split_sensitivity(report),
        *slices.pair_figures(report, slices.draw_metric_by_group(report, groups, "accuracy", "Accuracy")),
        blurb="All on test rows, each used once.",
    )


def _draw_coverage(report: Report) -> Figure:
    coverage, answered = report.evaluation.coverage, find_answered(report)
    flag = Flag(at=answered, text=(f"{n.share(answered)} of rows", f"at {n.share(_SURE)}")) if answered > 0 else None
    curve = Curve.of("Accuracy", coverage, ends=n.share(coverage.value[-1]), flag=flag)
    finding = f"The surest {n.share(answered)} of rows are right in {n.share(_SURE)} of cases"
    return Figure.of(
        finding if answered else "Surer answers are not more often right",
        "Accuracy among the surest share of test rows, 95\u202f% band.",
        partial(plot_by_depth, [curve], n.share_axis, axis="Share of rows answered, surest first", random=None, span=(0, 1)),
    )
