"""Events that know how many days they lie before a date in, one column a feature for each unit out."""

from __future__ import annotations

import datetime as dt
from typing import assert_never

import narwhals as nw

from perennial.contract.columns import Column
from perennial.contract.features import (
    Count,
    CountBy,
    CustomFeature,
    Distinct,
    EventFeature,
    Gap,
    Mean,
    Overdue,
    OverEvents,
    Per,
    Recency,
    Sum,
    Tenure,
)
from perennial.contract.model import Contract
from perennial.data.names import Table
from perennial.files.extensions import load_extension

AGE = "_days"  # whole days from an event to the date as of which its unit is looked at
_GAP, _FEWEST = "_gap", 3  # days with an event, below which nobody has a rhythm


def count_days(date: dt.date, column: str) -> nw.Expr:
    """Days from the date in `column` (UTC) to `date`; 1 for the day before it, 0 or less from the date on."""
    return ((nw.lit(date) - nw.col(column).cast(nw.Date)).dt.total_minutes() // (24 * 60)).cast(nw.Int64)


def add_event_features(units: Table, aged: Table, contract: Contract, table: str, keys: list[str]) -> Table:
    """`units` with the features of `table`; `keys` name a unit in both, and `aged` holds AGE, 1 or more."""
    columns = contract.events[table].all_columns
    told = {name: f for name, f in contract.unit.features.items() if isinstance(f, OverEvents) and f.events == table}
    made: list[nw.Expr] = []
    zero: list[str] = []
    for name, feature in told.items():
        if isinstance(feature, Gap | Overdue):
            units = units.join(_rhythm(name, feature, aged, keys), on=keys, how="left")
            continue
        made += _aggregates(name, feature, columns)
        if isinstance(feature, CountBy):
            zero += [f"{name}_{value}" for value in _values(feature, columns)]
        elif isinstance(feature, Count | Sum | Distinct):
            zero.append(name)
    if not made:
        return units
    cents = build_cents(columns)
    held = aged.with_columns(*cents) if cents else aged
    joined = units.join(held.group_by(keys).agg(*made), on=keys, how="left")
    return joined.with_columns(*(nw.col(name).fill_null(0) for name in zero)) if zero else joined


def build_cents(columns: dict[str, Column]) -> list[nw.Expr]:
    """Every number of a table in whole hundredths, for `sum_of`."""
    amounts = [name for name, c in columns.items() if c.role != "ignore" and c.cell_type in {"int", "decimal"}]
    return [((nw.col(name) * 100 + 0.5).floor()).cast(nw.Int64).alias(f"_cents_{name}") for name in amounts]


def build_sum(name: str, inside: nw.Expr) -> nw.Expr:
    """The sum of a column over the rows `inside`, in hundredths: a float sum depends on the order of the rows."""
    cents = nw.when(inside).then(nw.col(f"_cents_{name}")).otherwise(nw.lit(0))
    return cents.sum().cast(nw.Float64) / 100


def match_values(inside: nw.Expr, told: dict[str, str]) -> nw.Expr:
    """Whether a row is `inside` and holds all these texts."""
    for column, value in told.items():
        inside = inside & (nw.col(column) == value)
    return inside


def _aggregates(name: str, feature: EventFeature, columns: dict[str, Column]) -> list[nw.Expr]:
    inside = _inside(feature)
    match feature:
        case Count():
            return [_count(inside).cast(nw.Float64).alias(name)]
        case Sum():
            return [build_sum(feature.of, inside).alias(name)]
        case Mean():
            count = _count(inside & ~nw.col(feature.of).is_null())
            return [nw.when(count > 0).then(build_sum(feature.of, inside) / count).alias(name)]
        case Recency():
            return [nw.when(inside).then(nw.col(AGE)).min().cast(nw.Float64).alias(name)]
        case Tenure():
            return [nw.when(inside).then(nw.col(AGE)).max().cast(nw.Float64).alias(name)]
        case CountBy():
            return [
                _count(inside & (nw.col(feature.by) == value)).cast(nw.Float64).alias(f"{name}_{value}")
                for value in _values(feature, columns)
            ]
        case Distinct():
            return [_distinct(feature.of, inside).cast(nw.Float64).alias(name)]
        case Per():
            places = _distinct(feature.per, inside)
            total = _count(inside).cast(nw.Float64) if feature.of is None else build_sum(feature.of, inside)
            return [nw.when(places > 0).then(total / places).alias(name)]
        case CustomFeature():
            made = load_extension("features", feature.name, feature.settings)
            return [made(nw.col(AGE), inside, **feature.settings).cast(nw.Float64).alias(name)]
        case Gap() | Overdue():
            return []  # of days, not of rows: see _rhythm
        case _:
            assert_never(feature)


def _rhythm(name: str, feature: Gap | Overdue, aged: Table, keys: list[str]) -> Table:
    """Keys and the median gap between days with an event, or how many such gaps ago the last one was."""
    days = aged.filter(_inside(feature)).select(*keys, AGE).unique()
    steps = days.with_columns((nw.col(AGE) - nw.col(AGE).shift(1).over(*keys, order_by=AGE)).alias(_GAP))
    median = nw.col(_GAP).median()
    value = median if isinstance(feature, Gap) else nw.col(AGE).min() / median
    return steps.group_by(keys).agg(nw.when(nw.len() >= _FEWEST).then(value).cast(nw.Float64).alias(name))


def _inside(feature: OverEvents) -> nw.Expr:
    before = nw.col(AGE) >= 1
    recent = before if feature.days is None else before & (nw.col(AGE) <= feature.days)
    return match_values(recent, feature.where)


def _count(inside: nw.Expr) -> nw.Expr:
    return nw.when(inside).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def _distinct(name: str, inside: nw.Expr) -> nw.Expr:
    """Different values of the rows `inside`; where a row is outside or null, null counts as one, and is taken off."""
    known = inside & ~nw.col(name).is_null()
    any_null = nw.when(known).then(nw.lit(0)).otherwise(nw.lit(1)).max()
    return nw.when(known).then(nw.col(name)).n_unique().cast(nw.Int64) - any_null


def _values(feature: CountBy, columns: dict[str, Column]) -> tuple[str, ...]:
    values = columns[feature.by].values
    assert isinstance(values, tuple)
    return values
