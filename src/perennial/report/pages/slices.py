"""Customer groups on a page: how well the model does for each, and how many respond beside what was predicted."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import Line, Row, interval_rows
from perennial.report.charts.svg import Drawing
from perennial.report.context import AnyReport, ReportContext, capital
from perennial.report.page import Figure
from perennial.results.binary import BinaryEvaluation
from perennial.results.figures import Interval


def groups_figure(
    report: AnyReport, groups: Sequence[tuple[str, int, Interval]], metric: str, axis: str
) -> Figure | None:
    """A metric of the candidate by customer group (name, rows, figure); None where no group has enough rows."""
    if not groups:
        return None
    whole = report.figure(metric).value
    rows = [
        Row(name=name, interval=figure, note=f"{n.count(count)} rows", standing="reference")
        for name, count, figure in groups
    ]
    weaker = [(figure.value, name) for name, _, figure in groups if figure.high < whole]
    finding = f"It is weaker for {min(weaker)[1]}" if weaker else "No group is measurably weaker"
    drawing = interval_rows(rows, [Line(at=whole, name="all")], n.decimal, label=finding, axis=axis)
    return Figure(finding=finding, described=f"{axis} by group, 95\u202f% intervals.", drawing=Drawing(wide=drawing))


def shares_figure(report: ReportContext[BinaryEvaluation]) -> Figure | None:
    """The share of events in each group beside what was predicted; None where no group has enough rows."""
    labels = {name: column.label or name for name, column in report.contract.columns.items()}
    groups = [
        (capital(f"{labels.get(row.column, row.column)} {row.value}"), row.n, row.observed, row.predicted)
        for row in report.evaluation.slices
        if row.observed is not None and row.predicted is not None
    ]
    if not groups:
        return None
    whole = report.split.rate["test"]
    rows = [
        Row(
            name=name, interval=observed, line=predicted, standing="reference", note=f"{n.count(count)} rows",
            words=f"{n.share(observed.value)}, predicted {n.share(predicted)}",
        )
        for name, count, observed, predicted in groups
    ]  # fmt: skip
    clear = [
        (abs(observed.value - whole), name, observed.value)
        for name, _, observed, _ in groups
        if not observed.low <= whole <= observed.high
    ]
    finding = f"No group stands out: of all, {n.share(whole)} {report.outcome_verb}"
    if clear:
        _, name, share = max(clear)
        finding = f"{name} stands out: {n.share(share)} {report.outcome_verb}, of all {n.share(whole)}"
    off = sum(not observed.low <= predicted <= observed.high for _, _, observed, predicted in groups)
    axis = f"Share of those who {report.outcome_verb}"
    return Figure(
        finding=finding,
        described="Share by group, 95\u202f% interval; upright line: the mean of the predicted chances.",
        drawing=Drawing(wide=interval_rows(rows, [], n.share, label=finding, axis=axis)),
        foot=f"Predicted outside the interval: {off} of {len(groups)} groups.",
    )
