"""Mistakes: what is taken for what, how well each class is found, and the mistakes that were surest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.charts import numbers as n
from perennial.report.context import AnyReport, ExplainedRow, ShownMistake
from perennial.report.matrix import HeatCell, HeatRow, Shade
from perennial.report.page import Estimate, Row
from perennial.results.figures import Interval
from perennial.results.multiclass import Confusion

_MOST_TEXTS = 6  # surest mistakes in texts that are quoted


@dataclass(frozen=True)
class MistakesView:
    """What mistakes.html.j2 shows."""

    report: AnyReport

    def commonest(self, confusion: Confusion, names: Sequence[str]) -> tuple[int, str, str]:
        """How many rows of which class were taken for which."""
        counts, places = confusion.counts, range(len(names))
        return max((counts[i][j], names[i], names[j]) for i in places for j in places if i != j)

    def matrix_rows(self, confusion: Confusion, names: Sequence[str]) -> list[HeatRow]:
        return [
            HeatRow(
                name=name,
                note=f"{n.count(sum(line))} rows",
                cells=tuple(HeatCell(value=n.count(count), shade=choose_shade(count / max(sum(line), 1))) for count in line),
            )
            for name, line in zip(names, confusion.counts, strict=True)
        ]

    def class_rows(self, confusion: Confusion, names: Sequence[str]) -> list[Row]:
        return [
            (name, n.count(one.n), _format_share(one.recall), _format_share(one.precision), n.decimal(one.f1, 2))
            for name, one in zip(names, confusion.per_class, strict=True)
        ]

    @property
    def first_text(self) -> ShownMistake:
        return next(row for row in self.report.mistakes if row.quotes)

    @property
    def first_photo(self) -> ShownMistake:
        return next(row for row in self.report.mistakes if row.photo)

    def surest_texts(self, names: Sequence[str]) -> list[ExplainedRow]:
        """The texts that the model was surest of and wrong about."""
        return [
            ExplainedRow(
                row=row.row,
                score=self.format_sureness(row),
                quotes=row.quotes,
                reasons=f"{names[row.true]}; taken for {names[row.predicted]}",
            )
            for row in self.report.mistakes
            if row.quotes
        ][:_MOST_TEXTS]

    def surest_photos(self, names: Sequence[str]) -> list[ExplainedRow]:
        return [
            ExplainedRow(
                row=row.row,
                score=names[row.true],
                photo=row.photo,
                heat=row.heat,
                reasons=f"predicted: {names[row.predicted]}, {self.format_sureness(row)}",
            )
            for row in self.report.mistakes
            if row.photo
        ]

    def format_sureness(self, row: ShownMistake) -> str:
        """What is wrong was not wholly sure, whatever it rounds to."""
        return f"over {n.share(0.99)}" if row.probability > 0.99 else n.share(row.probability)

    def unsigned_points(self, change: float) -> str:
        return n.points(change).removeprefix("+")


def choose_shade(part: float) -> Shade:
    """The shade of a share in a matrix, five steps from none to all."""
    steps: tuple[Shade, ...] = ("s0", "s1", "s2", "s3", "s4")
    return steps[sum(part >= least for least in (0.05, 0.2, 0.45, 0.7))]


def _format_share(figure: Interval | None) -> Estimate | str:
    return "none" if figure is None else Estimate.of(figure, n.share)
