"""Customer groups: how well the model does for each, and how many respond compared with the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from perennial.charts import numbers as n
from perennial.charts.intervals import Line, Row, plot_intervals
from perennial.report.context import AnyReport, ReportContext
from perennial.report.page import Figure, Pair
from perennial.report.pages.evidence import draw_training
from perennial.results.binary import BinaryEvaluation
from perennial.results.figures import Interval


def pair_figures(report: AnyReport, *figures: Figure | None) -> list[Figure | Pair]:
    """The figures that there are and the one of training, two by two."""
    drawn = [*(figure for figure in figures if figure), draw_training(report)]
    pairs = (drawn[i : i + 2] for i in range(0, len(drawn), 2))
    return [Pair(figures=tuple(pair)) if len(pair) > 1 else pair[0] for pair in pairs]


def draw_metric_by_group(report: AnyReport, groups: Sequence[tuple[str, int, Interval]], metric: str, axis: str) -> Figure | None:
    """A metric of the candidate by customer group (name, rows, figure); None where no group has enough rows."""
    if not groups:
        return None
    whole = report.figure(metric).value
    rows = [
        Row(name=name, interval=figure, note=f"{n.count(count)} rows", standing="reference") for name, count, figure in groups
    ]
    weaker = [(figure.value, name) for name, _, figure in groups if figure.high < whole]
    return Figure.of(
        f"It is weaker for {min(weaker)[1]}" if weaker else "No group is measurably weaker",
        f"{axis} by group, 95\u202f% intervals.",
        partial(plot_intervals, rows, Line(at=whole, name="all"), n.decimal, axis=axis),
    )


def draw_shares_by_group(report: ReportContext[BinaryEvaluation]) -> Figure | None:
    """The share of events in each group and its prediction; None where no group has enough rows."""
    labels = {name: column.label or name for name, column in report.contract.columns.items()}
    groups = [
        (labels.get(row.column, row.column), row.value, row.n, row.observed, row.predicted)
        for row in report.evaluation.slices
        if row.observed is not None and row.predicted is not None
    ]
    if not groups:
        return None
    verb, whole = report.outcome_verb, report.split.rate["test"]
    rows = [
        Row(
            name=n.capital(f"{label} {value}"),
            interval=observed,
            line=predicted,
            standing="reference",
            note=f"{n.count(count)} rows",
            text=f"{n.share(observed.value)}, predicted {n.share(predicted)}",
        )
        for label, value, count, observed, predicted in groups
    ]
    clear = [
        (abs(observed.value - whole), label, value, observed.value)
        for label, value, _, observed, _ in groups
        if not observed.low <= whole <= observed.high
    ]
    finding = f"No group stands out: {n.share(whole)} {verb} overall"
    if clear:
        _, label, value, share = max(clear)
        less = "less" if share < whole else "more"
        finding = f"{_name_group(label, value)} {verb} {less} often: {n.share(share)}, against {n.share(whole)} overall"
    off = sum(not observed.low <= predicted <= observed.high for *_, observed, predicted in groups)
    return Figure.of(
        finding,
        "Share by group, 95\u202f% interval; upright line: the mean predicted probability.",
        partial(plot_intervals, rows, None, n.share, axis=f"Share of those who {verb}"),
        foot=f"Predicted outside the interval: {off} of {len(groups)} groups.",
    )


def _name_group(label: str, value: str) -> str:
    """Customers of a group; a flag is one that they are with or without."""
    match value.lower():
        case "0" | "false" | "no":
            return f"Customers without {label}"
        case "1" | "true" | "yes":
            return f"Customers with {label}"
        case _:
            return f"Customers of {label} {value}"
