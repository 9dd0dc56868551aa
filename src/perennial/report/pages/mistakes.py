"""A report of classes, texts or photos in, what is taken for what out, and the mistakes that were surest."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.report.charts import numbers as n
from perennial.report.context import AnyReport, ShownMistake, capital
from perennial.report.page import Block, Estimate, Grid, Heat, HeatCell, HeatRow, People, Person, Table, TableRow, heads
from perennial.report.page import shade as shaded
from perennial.report.pages.words import MARKS, quotes
from perennial.report.seen import Photo, Photos
from perennial.results.binary import BinaryEvaluation
from perennial.results.explain import DeletionCheck
from perennial.results.figures import Interval
from perennial.results.multiclass import Confusion, MulticlassEvaluation

_TEXTS = 6  # surest mistakes in texts that are quoted


def blocks(report: AnyReport, names: Sequence[str]) -> tuple[Block, ...]:
    """The confusion matrix, each class, and the mistakes that can be looked at; `names` of the classes."""
    return (confusion(report, names), each(report, names), *_surest(report, names))


def confusion(report: AnyReport, names: Sequence[str]) -> Heat:
    counts = _confusion(report).counts
    rows = tuple(
        HeatRow(
            name=name,
            note=f"{n.count(sum(line))} rows",
            cells=tuple(HeatCell(value=n.count(count), shade=shaded(count / max(sum(line), 1))) for count in line),
        )
        for name, line in zip(names, counts, strict=True)
    )
    wrong = [(counts[i][j], names[i], names[j]) for i in range(len(names)) for j in range(len(names)) if i != j]
    most = max(wrong)
    finding = f"{n.count(most[0])} of {most[1]} were taken for {most[2]}, the commonest mistake"
    return Heat(
        finding=finding if most[0] else "Nothing was confused",
        described="Test rows by true class (lines) and likeliest one (columns); darker is a larger share of a line.",
        columns=tuple(names),
        rows=rows,
        corner="true / said",
    )


def each(report: AnyReport, names: Sequence[str]) -> Table:
    rows = tuple(
        TableRow(cells=(name, n.count(found.n), _share(found.recall), _share(found.precision), n.decimal(found.f1, 2)))
        for name, found in zip(names, _confusion(report).per_class, strict=True)
    )
    return Table(
        finding="Each class",
        described="Recall: found of those there are; precision: right of those said. 95\u202f% intervals.",
        grid=Grid(columns=heads("Class", "Rows", "Recall", "Precision", "F1"), rows=rows),
    )


def _surest(report: AnyReport, names: Sequence[str]) -> list[Block]:
    """The rows that it was surest of and wrong about: texts quoted, photos in a grid."""
    found: list[Block] = []
    texts = [row for row in report.mistakes if row.quotes][:_TEXTS]
    if texts:
        found.append(
            People(
                finding=_finding(texts[0], names),
                described=f"The {len(texts)} test rows that it was surest of and wrong about: the record in the file, how sure, "
                f"what it is, what its words did to the score. {MARKS}",
                people=tuple(
                    Person(
                        row=row.row, score=_sure(row), quotes=quotes(row.quotes),
                        reasons=f"{capital(names[row.true])}; taken for {names[row.predicted]}",
                    )
                    for row in texts
                ),
            )
        )  # fmt: skip
    photos = [row for row in report.mistakes if row.photo]
    if photos:
        found.append(_grid(report, photos, names))
    return found


def _grid(report: AnyReport, rows: Sequence[ShownMistake], names: Sequence[str]) -> Photos:
    blue = " Right, in blue: where hiding lowers the chance of what was said." if rows[0].heat else ""
    return Photos(
        finding=_finding(rows[0], names),
        described=f"The {len(rows)} test photos that it was surest of and wrong about: what each is, what was said, how "
        f"sure.{blue}",
        photos=tuple(
            Photo(
                row=row.row, title=names[row.true], note=f"said: {names[row.predicted]}, {_sure(row)}",
                photo=row.photo or b"", heat=row.heat,
            )
            for row in rows
        ),
        foot=_checked(report.explain.heat) if report.explain.heat else "",
    )  # fmt: skip


def _checked(check: DeletionCheck) -> str:
    """What the deletion check found, and what follows from it."""
    elsewhere, another = (n.estimate(figure, n.points) for figure in (check.elsewhere, check.another))
    drop = n.estimate(check.drop, lambda points: n.points(points).removeprefix("+"))
    says = (
        f"On {n.count(check.n)} test photos, filling the hottest {n.share(check.share)} with the mean colour takes {drop} points "
        f"off the chance of what was said: {elsewhere} against the same shape elsewhere, {another} against another photo's map."
    )
    if check.passes:
        return f"The maps pass the deletion check. {says}"
    return f"No heat maps are shown: they do not pass the deletion check. {says}"


def _finding(row: ShownMistake, names: Sequence[str]) -> str:
    return f"Its surest mistake: {names[row.true]}, taken for {names[row.predicted]} ({_sure(row)} sure)"


def _sure(row: ShownMistake) -> str:
    """What is wrong was not wholly sure, whatever it rounds to."""
    return f"over {n.share(0.99)}" if row.probability > 0.99 else n.share(row.probability)


def _share(figure: Interval | None) -> Estimate | str:
    return "none" if figure is None else Estimate.of(figure, n.share)


def _confusion(report: AnyReport) -> Confusion:
    evaluation = report.evaluation
    assert isinstance(evaluation, BinaryEvaluation | MulticlassEvaluation)
    assert evaluation.confusion is not None
    return evaluation.confusion
