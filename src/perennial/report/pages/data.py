"""Data section: where each row went, why some were quarantined, and how they look in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from perennial.charts import numbers as n
from perennial.charts.flows import RowPart, plot_row_flow
from perennial.contract.columns import Column as ContractColumn
from perennial.contract.model import MAIN
from perennial.data.masking import mask_contacts
from perennial.report.context import AnyReport
from perennial.report.exhibits import Quarantine
from perennial.report.page import Figure, GridColumn, PageBlock, Section, Table, TableRow, heads

_PARTS = ("train", "val", "test", "out_of_time", "lookback")
_MOST_WARNINGS, _MOST_COLUMNS, _MOST_CHARACTERS = 12, 24, 160  # that are shown; characters of a raw row
_PLACES = {
    "duplicate": "duplicates",
    "not in unit.where": "outside the question",
    "entity not in unit.where": "of customers outside the question",
    "no entity": "of unknown customers",
    "no history before the cut-off": "of later customers",
    "fed": "used",
    "out_of_time": "out of time",
    "lookback": "of an earlier date",
}
_STEPS = {
    "unseen_signs": "unseen signs taken off",
    "composed": "accents composed (NFC)",
    "map": "mapped as declared",
    "null": "declared as nothing",
    "number": "numbers written otherwise",
}


def build_data_section(report: AnyReport) -> Section:
    blocks: list[PageBlock] = [_draw_rows(report), _build_flow(report)]
    if report.quarantined:
        blocks += [_build_rules(report), _build_samples(report)]
    blocks += [*_build_warnings(report), *_build_unused_columns(report)]
    return Section(
        anchor="data", name="What went in", blurb="For data owners. Nothing is dropped silently.", blocks=tuple(blocks)
    )


def _draw_rows(report: AnyReport) -> Figure:
    table = next(iter(report.contract.tables))  # the main one, or the first of events that make the units
    flow = {summary.stage: summary.flow[table] for summary in report.stages if table in summary.flow}
    read, counts = flow["ingest"].rows_in, report.split.flow["units"].to
    quarantined = sum(flow[stage].to.get("quarantined", 0) for stage in ("ingest", "validate"))
    share = n.share(quarantined / read) if quarantined / read >= 0.005 else "under 1\u202f%"
    note = f"{share}, each with its rule, line and raw text"
    lost = [RowPart(name="quarantined", rows=quarantined, note=note, tone="orange")]
    for stage in ("clean", "featurize"):
        places = {reason: count for reason, count in flow[stage].to.items() if reason not in {"kept", "fed"}}
        lost += [RowPart(name=_PLACES.get(reason, reason), rows=count) for reason, count in places.items()]
    parts = [
        RowPart(name=_PLACES.get(part, part), rows=counts[part], tone="blue" if part == "test" else "grey")
        for part in _PARTS
        if counts.get(part)
    ]
    return Figure.of(
        f"{n.count(read)} rows came in; each one is accounted for",
        "Width of a band is the number of rows.",
        partial(
            plot_row_flow,
            RowPart(name="rows read", rows=read),
            RowPart(name="used", rows=flow["featurize"].to["fed"]),
            [part for part in lost if part.rows],
            parts if table == MAIN else (),
        ),
        foot="" if table == MAIN else _describe_units(report, parts),
    )


def _describe_units(report: AnyReport, parts: Sequence[RowPart]) -> str:
    """What rows of events were made into."""
    dates, units = report.featurize.cutoffs, ", ".join(f"{n.count(part.rows)} {part.name}" for part in parts)
    if len(dates) == 1:
        return f"They describe customers on {min(dates)}, by what was known before that day: {units}."
    return f"They describe customers on {len(dates)} dates, {min(dates)} to {max(dates)}, by what was known before each: {units}."


def _build_flow(report: AnyReport) -> Table:
    """Every stage and table: rows in, and the places they went to, which add up."""
    rows = []
    for summary in report.stages:
        for table, flow in summary.flow.items():
            places = sorted(flow.to.items(), key=lambda item: _PARTS.index(item[0]) if item[0] in _PARTS else 0)
            to = ", ".join(f"{n.count(count)} {_PLACES.get(place, place)}" for place, count in places if count)
            rows.append((summary.stage, table, n.count(flow.rows_in), to))
    return Table.of(
        "Every stage passes on as many rows as it took",
        (GridColumn(name="Stage"), GridColumn(name="Table"), GridColumn(name="Rows in", right=True), GridColumn(name="Rows out")),
        rows,
        described="Checked by row id at each stage: nothing is lost, nothing comes from nowhere.",
    )


def _build_rules(report: AnyReport) -> Table:
    total = n.count(sum(report.quarantined.values()))
    rules = sorted(report.quarantined.items(), key=lambda rule: -rule[1])
    sum_row = TableRow(cells=("Quarantined in total", total), chosen=True)
    return Table.of(
        f"Why {total} rows were quarantined",
        heads("Rule", "Rows"),
        [*((rule, n.count(count)) for rule, count in rules), sum_row],
        described="By the first rule that a row breaks; event tables are counted too.",
    )


def _build_samples(report: AnyReport) -> Quarantine:
    return Quarantine(
        finding=f"{len(report.quarantine)} of them, as in the file",
        described="Every one is stored with its rule, reason, source line and raw text.",
        rows=tuple(replace(row, raw=row.raw[:_MOST_CHARACTERS]) for row in report.quarantine),
    )


def _build_warnings(report: AnyReport) -> tuple[Table, ...]:
    """What was accepted, and should be known: warnings, then cells that were put into normal form."""
    warnings = [*report.ingest.warnings, *report.validate.warnings]
    rows = [(warning.code.replace("_", " "), warning.message) for warning in warnings[:_MOST_WARNINGS]]
    for table, counts in report.ingest.normalised.items():
        for key, count in counts.items():
            step, _, column = key.partition(":")
            rows.append((_STEPS[step], f"table {table}: {n.count(count)} cells of {column}"))
    more = len(warnings) - _MOST_WARNINGS
    notes = Table.of(
        f"{n.count(len(warnings))} warnings on what was accepted" if warnings else "What was put into normal form",
        (GridColumn(name="What"), GridColumn(name="Where")),
        rows,
        described="None of this was quarantined." + (f" {n.count(more)} more warnings are not shown." if more > 0 else ""),
    )
    return (notes,) if rows else ()


def _build_unused_columns(report: AnyReport) -> tuple[Table, ...]:
    """Columns of the files that no model used, each with the contract's reason."""
    columns = [pair for _, declared in report.contract.tables.values() for pair in declared.items()]
    rows = [(name, why) for name, column in columns if (why := _explain_unused(column))]
    more = f" {n.count(len(rows) - _MOST_COLUMNS)} more stand in the contract." if len(rows) > _MOST_COLUMNS else ""
    table = Table.of(
        "1 column is not used" if len(rows) == 1 else f"{n.count(len(rows))} columns are not used",
        (GridColumn(name="Column"), GridColumn(name="Why")),
        rows[:_MOST_COLUMNS],
        described=f"By the contract: change it there.{more}",
    )
    return (table,) if rows else ()


def _explain_unused(column: ContractColumn) -> str:
    if column.role == "ignore":
        return mask_contacts(column.why or "")
    if column.role == "contact":
        return "reaches or names a person"
    return "protected: shown by group, no feature" if column.role == "protected" and not column.is_feature else ""
