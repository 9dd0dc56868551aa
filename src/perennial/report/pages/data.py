"""Data: where each row went, why some were quarantined, what was accepted with a warning, and columns that are not used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from perennial.charts import numbers as n
from perennial.charts.flows import RowPart, plot_row_flow
from perennial.charts.svg import Drawing
from perennial.contract.columns import Column as ContractColumn
from perennial.contract.model import MAIN
from perennial.contract.rules import describe_rule
from perennial.data.masking import mask_contacts
from perennial.report.context import AnyReport
from perennial.report.page import Row
from perennial.results.summary import DataWarning, RowFlow

_PARTS = ("train", "val", "test", "out_of_time", "lookback")
_MOST_WARNINGS = 12  # that are shown
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


@dataclass(frozen=True)
class DataView:
    """What data.html.j2 shows."""

    report: AnyReport
    most_columns: ClassVar[int] = 24  # not used, that are shown

    @property
    def _table(self) -> str:
        """The main one, or the first of events that make the units."""
        return next(iter(self.report.contract.tables))

    @property
    def _flow(self) -> dict[str, RowFlow]:
        return {summary.stage: summary.flow[self._table] for summary in self.report.stages if self._table in summary.flow}

    @property
    def are_events(self) -> bool:
        return self._table != MAIN

    @property
    def rows_read(self) -> int:
        return self._flow["ingest"].rows_in

    @property
    def parts(self) -> list[RowPart]:
        """Of the split."""
        counts = self.report.split.flow["units"].to
        return [
            RowPart(name=_PLACES.get(part, part), rows=counts[part], tone="blue" if part == "test" else "grey")
            for part in _PARTS
            if counts.get(part)
        ]

    def draw_rows(self, *, label: str) -> Drawing:
        """Where the rows of the first table went."""
        flow = self._flow
        quarantined = sum(flow[stage].to.get("quarantined", 0) for stage in ("ingest", "validate"))
        part = quarantined / self.rows_read
        note = f"{n.share(part) if part >= 0.005 else f'under {n.share(0.01)}'}, each with its rule, line and raw text"
        lost = [RowPart(name="quarantined", rows=quarantined, note=note, tone="orange")]
        for stage in ("clean", "featurize"):
            places = {reason: count for reason, count in flow[stage].to.items() if reason not in {"kept", "fed"}}
            lost += [RowPart(name=_PLACES.get(reason, reason), rows=count) for reason, count in places.items()]
        read, used = RowPart(name="rows read", rows=self.rows_read), RowPart(name="used", rows=flow["featurize"].to["fed"])
        return plot_row_flow(read, used, [one for one in lost if one.rows], () if self.are_events else self.parts, label=label)

    def flow_rows(self) -> list[Row]:
        """Every stage and table: rows in, and the places they went to, which add up."""
        rows: list[Row] = []
        for summary in self.report.stages:
            for table, flow in summary.flow.items():
                places = sorted(flow.to.items(), key=lambda item: _PARTS.index(item[0]) if item[0] in _PARTS else 0)
                to = ", ".join(f"{n.count(count)} {_PLACES.get(place, place)}" for place, count in places if count)
                rows.append((summary.stage, table, n.count(flow.rows_in), to))
        return rows

    def rule_rows(self) -> list[Row]:
        rules = sorted(self.report.quarantined.items(), key=lambda rule: -rule[1])
        return [(describe_rule(rule), n.count(count)) for rule, count in rules]

    @cached_property
    def warnings(self) -> list[DataWarning]:
        return [*self.report.ingest.warnings, *self.report.validate.warnings]

    @property
    def count_more_warnings(self) -> int:
        """Beyond those that are shown."""
        return len(self.warnings) - _MOST_WARNINGS

    def note_rows(self) -> list[Row]:
        """What was accepted, and should be known: warnings, then cells that were put into normal form."""
        rows: list[Row] = [(warning.code.replace("_", " "), warning.message) for warning in self.warnings[:_MOST_WARNINGS]]
        for table, counts in self.report.ingest.normalised.items():
            for key, count in counts.items():
                step, _, column = key.partition(":")
                rows.append((_STEPS[step], f"table {table}: {n.count(count)} cells of {column}"))
        return rows

    def unused_rows(self) -> list[Row]:
        """Columns of the files that no model used, each with the contract's reason."""
        columns = [pair for _, declared in self.report.contract.tables.values() for pair in declared.items()]
        return [(name, why) for name, column in columns if (why := _explain_unused(column))]


def _explain_unused(column: ContractColumn) -> str:
    if column.role == "ignore":
        return mask_contacts(column.why or "")
    if column.role == "contact":
        return "reaches or names a person"
    return "protected: shown by group, no feature" if column.role == "protected" and not column.is_feature else ""
