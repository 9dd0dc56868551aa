"""Evidence section: all families on the same rows, what other splits would have shown, customer groups, and training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from perennial.charts import numbers as n
from perennial.charts.curves import Curve, Flag, plot_training
from perennial.contract.serving import build_head
from perennial.report.context import FAMILY_NAMES, AnyReport
from perennial.report.exhibits import Heat, HeatCell, HeatRow, Shade
from perennial.report.page import Estimate, Figure, PageBlock, Section, Table, TableRow, heads
from perennial.report.pages.verdict import get_deep_difference
from perennial.results.baseline import SplitSensitivity
from perennial.results.figures import Interval

_SPLITS = {"random": "At random", "entity": "By customer", "time": "By time", "given": "As given", "file": "In file order"}


def build_section(*blocks: PageBlock, blurb: str = "") -> Section:
    return Section(
        anchor="evidence",
        name="Can it be trusted",
        blurb=f"For data scientists. {blurb or 'All on test customers, each used once.'}",
        blocks=blocks,
    )


def build_families(report: AnyReport, columns: Sequence[tuple[str, str, n.Format]], rows: str = "customers") -> Table:
    """All families on the same test rows; `columns` has a metric's key, its name and its form, the primary first."""
    evaluation, deep = report.evaluation, get_deep_difference(report)
    candidate, best = (FAMILY_NAMES[name].lower() for name in (evaluation.candidate.family, evaluation.candidate.best))
    within = "was the best" if candidate == best else f"was within one standard error of the best, {best}"
    order = [family for family in FAMILY_NAMES if family in evaluation.families]
    table_rows = (
        TableRow(
            cells=(
                FAMILY_NAMES[family] + (" (chosen)" if family == evaluation.candidate.family else ""),
                *(Estimate.of(evaluation.families[family].test[key], show) for key, _, show in columns),
            ),
            chosen=family == evaluation.candidate.family,
        )
        for family in order
    )
    return Table.of(
        f"Families on the same {rows}: the simplest of the best was taken",
        heads("Family", *(name for _, name, _ in columns)),
        table_rows,
        described=f"Test set, {n.count(evaluation.rows['test'])} customers. Chosen on the validation part, where {candidate} "
        f"{within}. Deep − {FAMILY_NAMES[deep.traditional].lower()}: {n.estimate(deep.gain, n.difference)} "
        f"{n.METRIC_NAMES[deep.metric]}.",
    )


def build_split_sensitivity(report: AnyReport) -> tuple[Heat, ...]:
    """One boosted fit a cell on other splits and with suspect columns; empty where nothing else is possible."""
    table = report.baseline.split_sensitivity
    if table is None or (reported := table.reported_cell) is None:
        return ()
    rows = tuple(
        HeatRow(
            name=_SPLITS[split],
            note="used in this report" if i == table.reported[0] else "",
            cells=tuple(
                _build_cell(cell, reported, table.metric, is_reported=(i, j) == table.reported) for j, cell in enumerate(cells)
            ),
        )
        for i, (split, cells) in enumerate(zip(table.rows, table.cells, strict=True))
    )
    return (
        Heat(
            anchor="split-sensitivity",
            finding=_describe_split_sensitivity(table, reported),
            described=f"{n.METRIC_NAMES[table.metric]} of one boosted model a cell, made for this table alone, 95\u202f% "
            "intervals. Orange: worse than as reported. Blue: better.",
            columns=tuple("As reported" if not column else f"With {', '.join(column)}" for column in table.columns),
            rows=rows,
            corner="Split",
        ),
    )


def _describe_split_sensitivity(table: SplitSensitivity, reported: Interval) -> str:
    """The cell that differs most from what is reported, among those whose interval does not reach it."""
    others = [
        (abs(cell.value - reported.value), _SPLITS[split], column, cell.value)
        for split, cells in zip(table.rows, table.cells, strict=True)
        for column, cell in zip(table.columns, cells, strict=True)
        if cell is not None and not _reaches(cell, reported.value)
    ]
    if not others:
        return "Another split would have shown the same"
    _, split, column, value = max(others, key=lambda other: other[0])
    with_columns = f", with {', '.join(column)}," if column else ""
    return f"{split}{with_columns} it would be {n.decimal(value, 2)}; as reported {n.decimal(reported.value, 2)}"


def _reaches(interval: Interval, value: float) -> bool:
    return interval.low <= value <= interval.high


def _build_cell(cell: Interval | None, reported: Interval, metric: str, *, is_reported: bool) -> HeatCell:
    if cell is None:
        return HeatCell(value="too few of an outcome", shade="impossible")
    gap = cell.value - reported.value
    shade: Shade = "flatters" if (gap < 0) == (metric in n.LOWER_IS_BETTER) else "worse"
    if _reaches(cell, reported.value):
        shade = "reported" if is_reported else "plain"
    note = "what is reported" if is_reported else n.difference(gap)
    return HeatCell(value=n.decimal(cell.value), interval=n.bracket(cell, n.decimal), note=note, shade=shade)


def draw_training(report: AnyReport) -> Figure:
    curve, best = report.train.curve, report.train.best_epoch
    head = build_head(report.contract)
    loss = "Loss" if head.amounts or head.task == "regression" else "Log loss"
    passes = [row.epoch for row in curve]
    flag = Flag(at=best, text=(f"best: pass {best}",))
    curves = [
        Curve(name="validation", x=passes, y=[row.val_loss for row in curve], tone="orange", flag=flag),
        Curve(name="training", x=passes, y=[row.train_loss for row in curve], tone="grey"),
    ]
    still_helped = best == curve[-1].epoch
    return Figure.of(
        "The last pass of training still helped" if still_helped else "Training stopped when it no longer helped",
        f"{loss} of the deep network; lower is better.",
        partial(plot_training, curves, n.decimal, axis="Pass over the training data"),
    )
