"""A report in, the section on rows out: where each went, why some were set aside, and how they stand in the file."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.contract.columns import Column as Declared
from perennial.contract.model import MAIN
from perennial.data.masking import mask_contacts
from perennial.report.charts import numbers as n
from perennial.report.charts.flows import RowPart, row_flow
from perennial.report.context import AnyReport
from perennial.report.page import Block, Column, Figure, Grid, Quarantine, Sample, Section, Table, TableRow

_PARTS = ("train", "val", "test", "out_of_time", "lookback")
_NOTES = 12  # warnings that are shown
_COLUMNS = 24  # that are not used and shown
_SHOWN = 160  # characters of a raw row


def data_section(report: AnyReport) -> Section:
    blocks: list[Block] = [_rows(report), _flow_table(report)]
    if report.quarantined:
        blocks += [_rules(report), _samples(report)]
    blocks += [table for table in (_warnings(report), _left_out(report)) if table is not None]
    return Section(
        anchor="data", name="What went in", blurb="For data owners. Nothing is dropped silently.", blocks=tuple(blocks)
    )


def _rows(report: AnyReport) -> Figure:
    table = next(iter(report.contract.tables))  # the main one, or the first of events that make the units
    flow = {summary.stage: summary.flow[table] for summary in report.stages if table in summary.flow}
    read = flow["ingest"].rows_in
    quarantined = sum(flow[stage].to.get("quarantined", 0) for stage in ("ingest", "validate"))
    others = {
        reason: count
        for stage in ("clean", "featurize")
        for reason, count in flow[stage].to.items()
        if reason not in {"kept", "fed"} and count
    }
    used = flow["featurize"].to["fed"]
    counts = report.split.flow["units"].to
    parts = {name: counts.get(name, 0) for name in _PARTS}
    share = n.share(quarantined / read) if quarantined / read >= 0.005 else "under 1\u202f%"
    lost = [
        RowPart(
            name="set aside", rows=quarantined, note=f"{share}, each with its rule, line and raw text", tone="orange"
        )
    ]
    lost += [RowPart(name=_NAMES.get(reason, reason), rows=count) for reason, count in others.items()]
    ends = [
        RowPart(name=_NAMES.get(part, part), rows=count, tone="blue" if part == "test" else "grey")
        for part, count in parts.items()
        if count
    ]
    finding = f"{n.count(read)} rows came in; each one is accounted for"
    drawing = row_flow(
        RowPart(name="rows read", rows=read),
        RowPart(name="used", rows=used),
        [p for p in lost if p.rows],
        ends if table == MAIN else (),
        label=finding,
    )
    foot = "" if table == MAIN else _described_units(report, ends)
    return Figure(finding=finding, described="Width of a band is the number of rows.", drawing=drawing, foot=foot)


def _described_units(report: AnyReport, ends: Sequence[RowPart]) -> str:
    """What rows of events were made into."""
    at = report.featurize.cutoffs
    parts = ", ".join(f"{n.count(part.rows)} {part.name}" for part in ends)
    if len(at) == 1:
        return f"They tell of customers on {min(at)}, by what was known before that day: {parts}."
    return f"They tell of customers on {len(at)} dates, {min(at)} to {max(at)}, by what was known before each: {parts}."


def _left_out(report: AnyReport) -> Table | None:
    """Columns of the files that no model saw, each with the contract's reason."""
    columns = [pair for _, declared in report.contract.tables.values() for pair in declared.items()]
    reasons = [(name, _because(column)) for name, column in columns]
    rows = [TableRow(cells=(name, why)) for name, why in reasons if why]
    if not rows:
        return None
    more = f" {n.count(len(rows) - _COLUMNS)} more stand in the contract." if len(rows) > _COLUMNS else ""
    return Table(
        finding="1 column is not used" if len(rows) == 1 else f"{n.count(len(rows))} columns are not used",
        described=f"By the contract: change it there.{more}",
        grid=Grid(columns=(Column(name="Column"), Column(name="Why")), rows=tuple(rows[:_COLUMNS])),
    )


def _because(column: Declared) -> str:
    if column.role == "ignore":
        return mask_contacts(column.why or "")
    if column.role == "contact":
        return "reaches or names a person"
    return "protected: shown by group, no feature" if column.role == "protected" and not column.is_feature else ""


_NAMES = {
    "duplicate": "duplicates",
    "not in unit.where": "outside the question",
    "entity not in unit.where": "of customers outside the question",
    "no entity": "of unknown customers",
    "no history before the cut-off": "of later customers",
    "fed": "used",
    "out_of_time": "out of time",
    "lookback": "of an earlier date",
}


def _flow_table(report: AnyReport) -> Table:
    """Every stage and table: rows in, and the places they went to, which add up."""
    rows = []
    for summary in report.stages:
        for table, flow in summary.flow.items():
            places = sorted(flow.to.items(), key=lambda item: _PARTS.index(item[0]) if item[0] in _PARTS else 0)
            to = ", ".join(f"{n.count(count)} {_NAMES.get(place, place)}" for place, count in places if count)
            rows.append(TableRow(cells=(summary.stage, table, n.count(flow.rows_in), to)))
    return Table(
        finding="Every stage gives away as many rows as it took",
        described="Checked by row id at each stage: nothing is lost, nothing comes from nowhere.",
        grid=Grid(
            columns=(
                Column(name="Stage"),
                Column(name="Table"),
                Column(name="Rows in", right=True),
                Column(name="Rows out"),
            ),
            rows=tuple(rows),
        ),
    )


def _rules(report: AnyReport) -> Table:
    total = sum(report.quarantined.values())
    rows = [
        TableRow(cells=(rule, n.count(count)))
        for rule, count in sorted(report.quarantined.items(), key=lambda r: -r[1])
    ]
    return Table(
        finding=f"Why {n.count(total)} rows were set aside",
        described="By the first rule that a row breaks; event tables are counted too.",
        grid=Grid(
            columns=(Column(name="Rule"), Column(name="Rows", right=True)),
            rows=(*rows, TableRow(cells=("Set aside in total", n.count(total)), chosen=True)),
        ),
    )


def _warnings(report: AnyReport) -> Table | None:
    """What was accepted, and should be known: warnings, then cells that were put into normal form."""
    notes = [*report.ingest.warnings, *report.validate.warnings]
    rows = [TableRow(cells=(note.code.replace("_", " "), note.message)) for note in notes[:_NOTES]]
    for table, counts in report.ingest.normalised.items():
        for key, count in counts.items():
            step, _, column = key.partition(":")
            rows.append(TableRow(cells=(_STEPS[step], f"table {table}: {n.count(count)} cells of {column}")))
    if not rows:
        return None
    more = len(notes) - _NOTES
    return Table(
        finding=f"{n.count(len(notes))} warnings on what was accepted" if notes else "What was put into normal form",
        described="Nothing of this was set aside."
        + (f" {n.count(more)} more warnings are not shown." if more > 0 else ""),
        grid=Grid(columns=(Column(name="What"), Column(name="Where")), rows=tuple(rows)),
    )


_STEPS = {
    "unseen_signs": "unseen signs taken off", "composed": "accents composed (NFC)", "map": "mapped as declared",
    "null": "declared as nothing", "number": "numbers written otherwise",
}  # fmt: skip


def _samples(report: AnyReport) -> Quarantine:
    return Quarantine(
        finding=f"{len(report.quarantine)} of them, as in the file",
        described="Every one is kept with its rule, reason, source line and raw text.",
        samples=tuple(
            Sample(reason=row.reason, where=f"{row.source}:{row.line}", raw=row.raw[:_SHOWN])
            for row in report.quarantine
        ),
    )
