"""Stability of segments: how well models of disjoint halves of the customers agree, by number of segments and by segment."""

from __future__ import annotations

from functools import partial

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, Row, plot_columns, plot_intervals
from perennial.report.context import ReportContext
from perennial.report.page import Estimate, Figure, Table, TableRow, heads
from perennial.results.clustering import ClusteringEvaluation

NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight"}
Report = ReportContext[ClusteringEvaluation]


def draw_stability_by_k(report: Report) -> Figure:
    by_k, k, minimum = report.evaluation.by_k, report.evaluation.k, report.contract.task.minimum
    stable = [row.k for row in by_k if row.reported.index.value >= minimum]
    name = str(NUMBERS.get(k, k))
    finding = f"{name} is what was chosen, on other pairs of halves"
    if not stable:
        finding = "No number of segments is stable"
    elif max(stable) == k:
        finding = f"{name} is the largest stable number of segments"
    return Figure.of(
        finding,
        "Agreement (adjusted Rand index) of models of disjoint halves: mean, and range of the pairs.",
        partial(
            plot_columns,
            [(str(row.k), row.reported.index) for row in by_k],
            Line(at=minimum, name=f"{minimum:g} needed"),
            n.ratio,
            axis="Number of segments",
            bars=False,
            span=(0, 1),
        ),
    )


def draw_stability_by_segment(report: Report) -> Figure:
    segments = report.evaluation.segments
    least = min(segments, key=lambda one: float(one.stability.value))
    rows = [
        Row(name=one.name, interval=one.stability, note=f"{n.count(one.n)} customers", standing="reference") for one in segments
    ]
    return Figure.of(
        f"“{least.name}” is the least stable group",
        "Test customers that models of half the customers put into the same segment, mean and range.",
        partial(plot_intervals, rows, Line(at=1, name="all"), n.share),
    )


def build_agreement(report: Report) -> Table:
    rows = (
        TableRow(
            cells=(
                f"{row.k}{' (chosen)' if row.k == report.evaluation.k else ''}",
                Estimate.of(row.chosen.index, n.ratio) if row.chosen else "",
                Estimate.of(row.reported.index, n.ratio),
                n.share(row.reported.same_label),
            ),
            chosen=row.k == report.evaluation.k,
        )
        for row in report.evaluation.by_k
    )
    return Table.of(
        "The number was chosen on some pairs of halves and is reported on others",
        heads("Segments", "Choosing, validation", "Reported, test", "Lowest share with the same name"),
        rows,
        described="Agreement of two models, each fitted on another half of the other customers: mean, range of pairs.",
        foot="There is no deep family here: a network learns from outcomes, and segments have none.",
    )
