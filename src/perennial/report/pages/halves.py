"""A report of segments in, the figures that say whether they hold out: what models of half the customers agree on."""

from __future__ import annotations

from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, Row, columns, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import ReportContext
from perennial.report.page import Estimate, Figure, Grid, Table, TableRow, heads
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.figures import Interval

WORDS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight"}


def by_k(report: ReportContext[ClusteringEvaluation]) -> Figure:
    found, line = report.evaluation.by_k, _line(report)
    stable = [row.k for row in found if row.reported.index.value >= line]
    finding = f"{WORDS.get(report.evaluation.k, report.evaluation.k)} is what was chosen, on other pairs of halves"
    if not stable:
        finding = "No number of segments is stable"
    elif max(stable) == report.evaluation.k:
        finding = f"{WORDS.get(report.evaluation.k, report.evaluation.k)} is the most that holds"
    bars = columns(
        [(str(row.k), row.reported.index) for row in found], [Line(at=line, name=f"{line:g} needed")],
        two, label=finding, axis="Number of segments", bars=False, span=(0, 1),
    )  # fmt: skip
    described = "Agreement (adjusted Rand index) of models of disjoint halves: mean, and range of the pairs."
    return Figure(finding=finding, described=described, drawing=Drawing(wide=bars))


def steady(report: ReportContext[ClusteringEvaluation]) -> Figure:
    found = report.evaluation.segments
    least = min(found, key=lambda one: float(one.stability.value))
    rows = [
        Row(name=one.name, interval=one.stability, note=f"{n.count(one.n)} customers", standing="reference")
        for one in found
    ]
    finding = f"“{least.name}” is the least firm group"
    drawing = interval_rows(rows, [Line(at=1, name="all")], n.share, label=finding)
    described = "Test customers whom models of half the customers put into the same segment, mean and range."
    return Figure(finding=finding, described=described, drawing=Drawing(wide=drawing))


def agreement(report: ReportContext[ClusteringEvaluation]) -> Table:
    names = ("Choosing, validation", "Reported, test", "Least share named alike")
    rows = [
        TableRow(
            cells=(
                f"{row.k}{' (chosen)' if row.k == report.evaluation.k else ''}",
                _estimate(row.chosen.index) if row.chosen else "",
                _estimate(row.reported.index),
                n.share(row.reported.same_label),
            ),
            chosen=row.k == report.evaluation.k,
        )
        for row in report.evaluation.by_k
    ]
    return Table(
        finding="The number was chosen on some pairs of halves and is reported on others",
        described="Agreement of two models, each fitted on another half of the other customers: mean, range of pairs.",
        grid=Grid(columns=heads("Segments", *names), rows=tuple(rows)),
        foot="There is no deep family here: a network learns from outcomes, and segments have none.",
    )


def _estimate(index: Interval) -> Estimate:
    return Estimate.of(index, two)


def two(value: float) -> str:
    return n.decimal(value, 2)


def _line(report: ReportContext[ClusteringEvaluation]) -> float:
    return report.contract.task.minimum
