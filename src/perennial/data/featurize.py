"""Clean tables in, one row a unit with columns as of a date out; an event feeds a unit or is listed with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, assert_never

import narwhals as nw

from perennial.contract.columns import Column
from perennial.contract.features import Count, CountBy, EventFeature, Mean, OverEvents, Recency, Since, Sum
from perennial.contract.model import MAIN, Contract
from perennial.data.names import ENTITY, ORDER, ROW_ID, Table

_KEEP = {"numeric", "categorical", "text", "protected", "outcome", "treatment", "weight", "split", "time"}


class Featurized(NamedTuple):
    """`units`: row_id, _entity, _order, kept columns, features. `unused`: row_id, table, reason."""

    units: Table
    unused: list[Table]


def featurize(tables: Mapping[str, Table], contract: Contract) -> Featurized:
    """Pass-through of the main table where a contract has no events."""
    main = tables[MAIN]
    wanted = [  # a null is not wanted, and is listed like any other
        ~nw.col(name).is_null() & nw.col(name).is_in(list(values)) for name, values in contract.unit.where.items()
    ]
    chosen = main.filter(*wanted) if wanted else main
    unused = (
        [_listed(main.filter(~nw.all_horizontal(*wanted, ignore_nulls=True)), MAIN, "not in unit.where")]
        if wanted
        else []
    )
    kept = [name for name, column in contract.columns.items() if column.role in _KEEP]
    units = chosen.select(ROW_ID, ENTITY, ORDER, *kept)
    if contract.unit.as_of is not None:
        units = _since(units, contract)
    for table in contract.events:
        events, without = _of_units(tables[table], main, units, contract, table)
        unused += without
        units = _over_events(units, events, contract, table)
    return Featurized(units, unused)


def _since(units: Table, contract: Contract) -> Table:
    as_of = contract.unit.as_of
    assert as_of is not None
    new = []
    for name, feature in contract.unit.features.items():
        if isinstance(feature, Since):
            years = nw.lit(as_of.year) - nw.col(feature.of)
            days = (nw.lit(as_of) - nw.col(feature.of).cast(nw.Date)).dt.total_minutes() // (24 * 60)
            new.append((years if feature.kind == "years_since" else days).cast(nw.Float64).alias(name))
    return units.with_columns(*new) if new else units


def _of_units(events: Table, main: Table, units: Table, contract: Contract, table: str) -> tuple[Table, list[Table]]:
    """The events of chosen units, and the others with their reason."""
    owner = next(name for name, column in contract.events[table].columns.items() if column.role == "entity")
    known = main.select(nw.col(ENTITY).alias(owner)).unique()
    chosen = units.select(nw.col(ENTITY).alias(owner)).unique()
    orphans = events.join(known, on=owner, how="anti")
    others = events.join(known, on=owner, how="semi").join(chosen, on=owner, how="anti")
    listed = [_listed(orphans, table, "no entity"), _listed(others, table, "entity not in unit.where")]
    return events.join(chosen, on=owner, how="semi").with_columns(nw.col(owner).alias(ENTITY)), listed


def _over_events(units: Table, events: Table, contract: Contract, table: str) -> Table:
    columns, as_of = contract.events[table].columns, contract.unit.as_of
    assert as_of is not None
    at = next(name for name, column in columns.items() if column.role == "time")
    days = (nw.lit(as_of) - nw.col(at).cast(nw.Date)).dt.total_minutes() // (24 * 60)
    aged = events.with_columns(days.cast(nw.Int64).alias("_days"), *_cents(columns))
    made: list[nw.Expr] = []
    zero: list[str] = []
    for name, feature in contract.unit.features.items():
        if isinstance(feature, OverEvents) and feature.events == table:
            made += _aggregates(name, feature, columns)
            if not isinstance(feature, Mean | Recency):
                zero += (
                    [name] if not isinstance(feature, CountBy) else [f"{name}_{v}" for v in _values(feature, columns)]
                )
    joined = units.join(aged.group_by(ENTITY).agg(*made), on=ENTITY, how="left")
    return joined.with_columns(*(nw.col(name).fill_null(0) for name in zero))


def _aggregates(name: str, feature: EventFeature, columns: dict[str, Column]) -> list[nw.Expr]:
    """Integer sums only: a float sum depends on the order of the rows."""
    inside = nw.lit(True) if feature.days is None else nw.col("_days") <= feature.days
    for column, value in feature.where.items():
        inside = inside & (nw.col(column) == value)
    ones = nw.when(inside).then(nw.lit(1)).otherwise(nw.lit(0))
    match feature:
        case Count():
            return [ones.sum().cast(nw.Float64).alias(name)]
        case Sum():
            return [(_sum_cents(feature.of, inside).cast(nw.Float64) / 100).alias(name)]
        case Mean():
            count = nw.when(inside & ~nw.col(feature.of).is_null()).then(nw.lit(1)).sum()
            mean = _sum_cents(feature.of, inside).cast(nw.Float64) / 100 / count
            return [nw.when(count > 0).then(mean).alias(name)]
        case Recency():
            return [nw.when(inside).then(nw.col("_days")).min().cast(nw.Float64).alias(name)]
        case CountBy():
            return [
                nw.when(inside & (nw.col(feature.by) == value)).then(nw.lit(1)).otherwise(nw.lit(0))
                .sum().cast(nw.Float64).alias(f"{name}_{value}")
                for value in _values(feature, columns)
            ]  # fmt: skip
        case _:
            assert_never(feature)


def _cents(columns: dict[str, Column]) -> list[nw.Expr]:
    amounts = [name for name, c in columns.items() if c.role != "ignore" and c.cell_type in {"int", "decimal"}]
    return [((nw.col(name) * 100 + 0.5).floor()).cast(nw.Int64).alias(f"_cents_{name}") for name in amounts]


def _sum_cents(name: str, inside: nw.Expr) -> nw.Expr:
    return nw.when(inside).then(nw.col(f"_cents_{name}")).otherwise(nw.lit(0)).sum()


def _values(feature: CountBy, columns: dict[str, Column]) -> tuple[str, ...]:
    values = columns[feature.by].values
    assert isinstance(values, tuple)
    return values


def _listed(rows: Table, table: str, reason: str) -> Table:
    return rows.select(ROW_ID, nw.lit(table).alias("table"), nw.lit(reason).alias("reason"))
