"""Mistakes section: what is taken for what, how well each class is found, and the mistakes that were surest."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.charts import numbers as n
from perennial.report.context import AnyReport, ExplainedRow, ShownMistake
from perennial.report.exhibits import Cases, Heat, HeatCell, HeatRow, Photos, Shade
from perennial.report.page import Estimate, PageBlock, Table, heads
from perennial.report.pages.reasons import MARKS
from perennial.results.explain import DeletionCheck
from perennial.results.figures import Interval
from perennial.results.multiclass import Confusion

_MOST_TEXTS = 6  # surest mistakes in texts that are quoted


def build_mistakes(report: AnyReport, confusion: Confusion, names: Sequence[str]) -> tuple[PageBlock, ...]:
    """The confusion matrix, each class, and the mistakes that can be looked at; `names` of the classes."""
    return (_build_confusion(confusion, names), _build_classes(confusion, names), *_build_surest(report, names))


def _build_confusion(confusion: Confusion, names: Sequence[str]) -> Heat:
    counts = confusion.counts
    rows = tuple(
        HeatRow(
            name=name,
            note=f"{n.count(sum(line))} rows",
            cells=tuple(HeatCell(value=n.count(count), shade=choose_shade(count / max(sum(line), 1))) for count in line),
        )
        for name, line in zip(names, counts, strict=True)
    )
    wrong = [(counts[i][j], names[i], names[j]) for i in range(len(names)) for j in range(len(names)) if i != j]
    count, true, predicted = max(wrong)
    finding = f"{n.count(count)} of {true} were taken for {predicted}, the commonest mistake"
    return Heat(
        finding=finding if count else "Nothing was confused",
        described="Test rows by true class (lines) and likeliest one (columns); darker is a larger share of a line.",
        columns=tuple(names),
        rows=rows,
        corner="true / predicted",
    )


def choose_shade(part: float) -> Shade:
    """The shade of a share in a matrix, five steps from none to all."""
    steps: tuple[Shade, ...] = ("s0", "s1", "s2", "s3", "s4")
    return steps[sum(part >= least for least in (0.05, 0.2, 0.45, 0.7))]


def _build_classes(confusion: Confusion, names: Sequence[str]) -> Table:
    def share(figure: Interval | None) -> Estimate | str:
        return "none" if figure is None else Estimate.of(figure, n.share)

    return Table.of(
        "Each class",
        heads("Class", "Rows", "Recall", "Precision", "F1"),
        (
            (name, n.count(one.n), share(one.recall), share(one.precision), n.decimal(one.f1, 2))
            for name, one in zip(names, confusion.per_class, strict=True)
        ),
        described="Recall: share of the class that was found; precision: share of its predictions that are right. "
        "95\u202f% intervals.",
    )


def _build_surest(report: AnyReport, names: Sequence[str]) -> list[PageBlock]:
    """The rows that the model was surest of and wrong about: texts quoted, photos in a grid."""
    blocks: list[PageBlock] = []
    texts = [row for row in report.mistakes if row.quotes][:_MOST_TEXTS]
    photos = [row for row in report.mistakes if row.photo]
    if texts:
        described = (
            f"The {len(texts)} test rows that it was surest of and wrong about: the record in the file, how sure, "
            f"what it is, what its words did to the score. {MARKS}"
        )
        rows = tuple(
            ExplainedRow(
                row=row.row,
                score=_format_sureness(row),
                quotes=row.quotes,
                reasons=f"{names[row.true]}; taken for {names[row.predicted]}",
            )
            for row in texts
        )
        blocks.append(Cases(finding=_describe_surest(texts[0], names), described=described, rows=rows))
    if photos:
        blocks.append(_build_photos(report.explain.heat, photos, names))
    return blocks


def _build_photos(check: DeletionCheck | None, mistakes: Sequence[ShownMistake], names: Sequence[str]) -> Photos:
    blue = " Right, in blue: where hiding lowers the probability of the answer." if mistakes[0].heat else ""
    described = f"The {len(mistakes)} test photos that it was surest of and wrong about: what each is, what was predicted."
    rows = tuple(
        ExplainedRow(
            row=row.row,
            score=names[row.true],
            photo=row.photo,
            heat=row.heat,
            reasons=f"predicted: {names[row.predicted]}, {_format_sureness(row)}",
        )
        for row in mistakes
    )
    finding = _describe_surest(mistakes[0], names)
    foot = _describe_deletion_check(check) if check else ""
    return Photos(finding=finding, described=described + blue, rows=rows, foot=foot)


def _describe_deletion_check(check: DeletionCheck) -> str:
    elsewhere, another = (n.estimate(figure, n.points) for figure in (check.elsewhere, check.another))
    drop = n.estimate(check.drop, lambda points: n.points(points).removeprefix("+"))
    verdict = "No heat maps are shown: they do not pass the deletion check."
    if check.passes:
        verdict = "The maps pass the deletion check."
    return (
        f"{verdict} On {n.count(check.n)} test photos, filling the hottest {n.share(check.share)} with the mean colour takes "
        f"{drop} points off the probability of the answer: {elsewhere} against the same shape elsewhere, {another} against "
        "another photo's map."
    )


def _describe_surest(row: ShownMistake, names: Sequence[str]) -> str:
    return f"Its surest mistake: {names[row.true]}, taken for {names[row.predicted]} ({_format_sureness(row)} sure)"


def _format_sureness(row: ShownMistake) -> str:
    """What is wrong was not wholly sure, whatever it rounds to."""
    return f"over {n.share(0.99)}" if row.probability > 0.99 else n.share(row.probability)
