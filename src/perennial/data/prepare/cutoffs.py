"""Units at cut-offs: an entity of the events at a date, with its history before and its outcome after.

A cut-off is the start of its day (UTC). History lies strictly before it, outcomes lie from it on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import assert_never

import narwhals as nw

from perennial.contract.features import AnyWithin, Outcome, SumWithin
from perennial.contract.model import Contract
from perennial.data.names import CUTOFF, ENTITY, LABEL_END, ORDER, ROW_ID, Table, list_unused
from perennial.data.prepare.aggregates import AGE, add_event_features, build_cents, build_sum, count_days, match_values
from perennial.errors import DataStopped

_KEYS = [ENTITY, CUTOFF]


def build_units(
    tables: Mapping[str, Table], contract: Contract, cutoffs: Sequence[dt.date]
) -> tuple[Table, dict[str, Table], list[Table]]:
    """Build the units, the row ids of each table that feed one as history or outcome, and all other rows with a reason.

    A unit is an entity with an event before the cut-off (and within unit.history), named ENTITY@CUTOFF.
    """
    logs = {table: _Log(tables[table], contract, table, cutoffs) for table in contract.events}
    units = _number_units([log.history for log in logs.values()])
    for name, outcome in contract.unit.target.items():
        units = _add_outcome(units, logs[outcome.events].after, contract, name, outcome)
    fed, unused = {}, []
    for table, log in logs.items():
        units = add_event_features(units, log.history, contract, table, _KEYS)
        outcomes = log.after.join(units, on=_KEYS, how="semi")
        fed[table] = nw.concat([log.history.select(ROW_ID), outcomes.select(ROW_ID)]).unique()
        unused += log.unused(outcomes)
    return units, fed, unused


def check_windows(tables: Mapping[str, Table], contract: Contract, last: dt.date) -> None:
    """Check that the events reach past the outcome window of the last cut-off; until then 0 may mean "not yet".

    Raises: DataStopped naming the cut-off and the last event.
    """
    for name, outcome in contract.unit.target.items():
        known_on = last + dt.timedelta(days=outcome.after_days)
        last_event = find_last_day(tables, contract, [outcome.events])
        if last_event is None or last_event < known_on:
            message = f"{name} of cut-off {last} is known on {known_on}, the last row of {outcome.events} is of"
            raise DataStopped(f"{message} {last_event}: choose an earlier cut-off, or wait")


def find_last_day(tables: Mapping[str, Table], contract: Contract, among: Iterable[str]) -> dt.date | None:
    """Find the day (UTC) of the last event in some tables; None where there is no event."""
    last_days = []
    for table in among:
        day = nw.col(contract.events[table].find_column("time")).cast(nw.Date).max()
        last_days.append(tables[table].select(day.alias("day")).collect().item(0, "day"))
    days = [day for day in last_days if day is not None]
    return max(days, default=None)


class _Log:
    """One event table, and its events repeated for each cut-off that they lie before (`history`) or after (`after`)."""

    def __init__(self, events: Table, contract: Contract, table: str, cutoffs: Sequence[dt.date]) -> None:
        self.table, self.label_days = table, contract.unit.label_days
        self.nobody = events.filter(nw.col(ENTITY).is_null())
        self.events = events.filter(~nw.col(ENTITY).is_null())
        back = None if contract.unit.history == "all" else contract.unit.history
        ahead = max((o.after_days for o in contract.unit.target.values() if o.events == table), default=0)
        ages = {cutoff: count_days(cutoff, contract.events[table].find_column("time")) for cutoff in cutoffs}
        self.is_before = {c: (days >= 1) if back is None else (days >= 1) & (days <= back) for c, days in ages.items()}
        self.is_after = {c: (days <= 0) & (days > -ahead) for c, days in ages.items()}
        self.history = self._select_each(ages, self.is_before)
        self.after = self._select_each(ages, self.is_after)

    def _select_each(self, ages: Mapping[dt.date, nw.Expr], chosen: Mapping[dt.date, nw.Expr]) -> Table:
        windows = []
        for cutoff, days in ages.items():
            end = cutoff + dt.timedelta(days=self.label_days)
            dated = (nw.lit(cutoff).alias(CUTOFF), nw.lit(end).alias(LABEL_END), days.alias(AGE))
            windows.append(self.events.filter(chosen[cutoff]).with_columns(*dated))
        return nw.concat(windows)

    def unused(self, outcomes: Table) -> list[Table]:
        """The events that are neither history nor among `outcomes`, by reason."""
        before, after = (reduce(or_, windows.values()) for windows in (self.is_before, self.is_after))
        too_new = self.events.filter(~before & after).join(outcomes, on=ROW_ID, how="anti")
        return [
            list_unused(self.nobody, self.table, "no entity"),
            list_unused(self.events.filter(~before & ~after), self.table, "outside every window"),
            list_unused(too_new, self.table, "no history before the cut-off"),
        ]


def _number_units(histories: Sequence[Table]) -> Table:
    """Number the units (row_id, _entity, _order, cutoff, label_end) by cut-off, then by entity."""
    keys = nw.concat([history.select(*_KEYS, LABEL_END) for history in histories]).unique()
    name = nw.concat_str(nw.col(ENTITY), nw.col(CUTOFF).cast(nw.String), separator="@")
    numbered = keys.with_columns(name.alias(ROW_ID)).with_row_index(ORDER, order_by=[CUTOFF, ENTITY])
    return numbered.select(ROW_ID, ENTITY, nw.col(ORDER).cast(nw.Int64), CUTOFF, LABEL_END)


def _add_outcome(units: Table, after: Table, contract: Contract, name: str, outcome: Outcome) -> Table:
    """Add an outcome `name` to the units; 0 for a unit without an event in its window."""
    inside = match_values(nw.col(AGE) > -outcome.after_days, outcome.where)
    match outcome:
        case AnyWithin():
            value = nw.when(inside).then(nw.lit(1)).otherwise(nw.lit(0)).max().cast(nw.Int64)
        case SumWithin():
            after = after.with_columns(*build_cents(contract.events[outcome.events].all_columns))
            value = build_sum(outcome.of, inside)
        case _:
            assert_never(outcome)
    outcomes = after.group_by(_KEYS).agg(value.alias(name))
    return units.join(outcomes, on=_KEYS, how="left").with_columns(nw.col(name).fill_null(0))
