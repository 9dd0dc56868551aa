"""Cleaning of a validated table: duplicates and filtered events are marked, derived columns are added."""

from __future__ import annotations

from typing import NamedTuple, assert_never

import narwhals as nw
import polars as pl

from perennial.contract.columns import Column
from perennial.contract.events import Above, EventTable, Filter, NotMatch
from perennial.contract.model import Contract
from perennial.data.names import CONTENT, ORDER, ROW_ID, Table, conserve_rows, ids_by_reason
from perennial.results.summary import RowFlow

WHY = "reason"
_MOST = 2.0**53  # beyond it a number loses its last digits, and hundredths their place in 64 bits


class CleanRows(NamedTuple):
    """Rows that stay, those that are dropped (row_id, table, reason), and where all went."""

    rows: pl.DataFrame
    dropped: pl.DataFrame
    flow: RowFlow


def clean_rows(table: str, rows: pl.DataFrame, contract: Contract) -> CleanRows:
    """Drop the duplicates and the filtered events of a validated table, and list them."""
    columns, events = contract.tables[table][1], contract.events.get(table)
    lazy, drop = nw.from_native(rows.lazy()), contract.drops_duplicates(table)
    marked = clean(lazy, columns, events, drop_duplicates=drop).to_native().collect()
    clean_table = marked.filter(pl.col(WHY).is_null()).drop(WHY)
    dropped = marked.filter(pl.col(WHY).is_not_null()).select(ROW_ID, pl.lit(table).alias("table"), WHY)
    flow = conserve_rows("clean", table, rows[ROW_ID], kept=clean_table[ROW_ID], **ids_by_reason(dropped))
    return CleanRows(clean_table, dropped, flow)


def clean(table: Table, columns: dict[str, Column], log: EventTable | None = None, *, drop_duplicates: bool) -> Table:
    """Add a column `reason`, null for a row that stays, and the columns that an event table derives.

    Of equal rows the first stays. Where an id is unique, equal rows are errors, so they always go.
    """
    derive, filters = (log.derive, log.filters) if log else ({}, ())
    for name, product in derive.items():
        table = table.with_columns((nw.col(product.of[0]).cast(nw.Float64) * nw.col(product.of[1])).alias(name))
    unfiltered = [name for name, column in columns.items() if column.when_missing == "filter"]
    missing = [nw.when(nw.col(name).is_null()).then(nw.lit(f"no {name}")) for name in unfiltered]
    left_out = [taken for rule in filters for taken in _filter_reasons(rule)]
    vast = [nw.when(nw.col(name).abs() > _MOST).then(nw.lit(f"{name} is beyond 2^53")) for name in derive]
    keyed = any(column.unique for column in columns.values())
    repeated = nw.col(ORDER) != nw.col(ORDER).min().over(CONTENT)
    again = [nw.when(repeated).then(nw.lit("duplicate"))] if drop_duplicates or keyed else []
    why = nw.coalesce(*missing, *left_out, *vast, *again, nw.lit(None, nw.String))
    return table.with_columns(why.cast(nw.String).alias(WHY))


def _filter_reasons(rule: Filter) -> list[nw.Expr]:
    """The reason of each row that a filter removes; a null passes it."""
    match rule:
        case NotMatch():
            reason = rule.why or f"{rule.column} matches {rule.pattern}"
            return [nw.when(nw.col(rule.column).str.contains(rule.pattern)).then(nw.lit(reason))]
        case Above():
            return [
                nw.when(~(nw.col(name) > rule.value)).then(nw.lit(rule.why or f"{name} is not above {rule.value:g}"))
                for name in rule.columns
            ]
        case _:
            assert_never(rule)
