"""Stability of segments: how well models of disjoint halves of the customers agree, by number of segments and by segment."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, plot_columns
from perennial.report.context import ReportContext
from perennial.report.page import Estimate, Row
from perennial.report.pages.slices import GroupFigures
from perennial.results.clustering import ClusteringEvaluation, SegmentProfile


@dataclass(frozen=True)
class StabilityView:
    """What the evidence of segments.html.j2 shows."""

    report: ReportContext[ClusteringEvaluation]

    @property
    def stable(self) -> list[int]:
        """The numbers of segments whose agreement reaches the minimum."""
        minimum = self.report.contract.task.minimum
        return [row.k for row in self.report.evaluation.by_k if row.reported.index.value >= minimum]

    @property
    def least_stable(self) -> SegmentProfile:
        return min(self.report.evaluation.segments, key=lambda one: float(one.stability.value))

    @property
    def chosen_row(self) -> int:
        return [row.k for row in self.report.evaluation.by_k].index(self.report.evaluation.k)

    def draw_by_k(self, *, label: str) -> Markup:
        columns = [(str(row.k), row.reported.index) for row in self.report.evaluation.by_k]
        minimum = self.report.contract.task.minimum
        line, axis = Line(at=minimum, name=f"{minimum:g} needed"), "Number of segments"
        return plot_columns(columns, line, n.ratio, label=label, axis=axis, bars=False, span=(0, 1))

    def draw_by_segment(self, *, label: str) -> Markup:
        groups = [(one.name, one.n, one.stability) for one in self.report.evaluation.segments]
        return GroupFigures(groups=groups, line=Line(at=1, name="all"), show=n.share, of="customers").draw(label=label)

    def agreement_rows(self) -> list[Row]:
        return [
            (
                f"{row.k}{' (chosen)' if row.k == self.report.evaluation.k else ''}",
                Estimate.of(row.chosen.index, n.ratio) if row.chosen else "",
                Estimate.of(row.reported.index, n.ratio),
                n.share(row.reported.same_label),
            )
            for row in self.report.evaluation.by_k
        ]
