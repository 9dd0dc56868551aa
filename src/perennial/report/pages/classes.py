"""Classes: which are told apart, which are confused, and when to ask a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_by_depth
from perennial.charts.svg import Drawing
from perennial.report.context import ReportContext
from perennial.report.pages.slices import GroupFigures
from perennial.results.multiclass import ClassFigures, MulticlassEvaluation


@dataclass(frozen=True)
class ClassesView:
    """What classes.html.j2 shows; `sure` is the accuracy at which a machine may answer alone."""

    report: ReportContext[MulticlassEvaluation]
    sure: ClassVar[float] = 0.95

    @property
    def answered(self) -> float:
        """The largest share of rows, surest first, whose accuracy is at least `sure`."""
        coverage = self.report.evaluation.coverage
        enough = [x for x, accuracy in zip(coverage.x, coverage.value, strict=True) if accuracy >= self.sure and x > 0]
        return float(max(enough, default=0.0))

    @property
    def weakest(self) -> tuple[str, ClassFigures]:
        return min(self._classes, key=lambda pair: float(pair[1].f1))

    @property
    def largest(self) -> tuple[str, ClassFigures]:
        return max(self._classes, key=lambda pair: int(pair[1].n))

    @property
    def _classes(self) -> list[tuple[str, ClassFigures]]:
        return list(zip(self.report.evaluation.classes, self.report.evaluation.confusion.per_class, strict=True))

    @property
    def accuracy_by_group(self) -> GroupFigures | None:
        slices = [(row, row.accuracy) for row in self.report.evaluation.slices]
        return GroupFigures.of_metric(self.report.contract, slices, self.report.figure("accuracy"), "Accuracy")

    def draw_coverage(self, *, label: str) -> Drawing:
        """Accuracy among the surest share of rows."""
        coverage, answered = self.report.evaluation.coverage, self.answered
        flag = Flag(at=answered, text=(f"{n.share(answered)} of rows", f"at {n.share(self.sure)}")) if answered > 0 else None
        curve = Curve.of("Accuracy", coverage, ends=n.share(coverage.value[-1]), flag=flag)
        axis = "Share of rows answered, surest first"
        return plot_by_depth([curve], n.share_axis, label=label, axis=axis, random=None, span=(0, 1))
