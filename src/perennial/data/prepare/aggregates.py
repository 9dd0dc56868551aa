"""Event features: aggregates over the events of a unit before a date, as Narwhals expressions."""

from __future__ import annotations

import datetime as dt
from typing import assert_never

import narwhals as nw

from perennial.contract import features as feature_kinds
from perennial.contract.columns import Column
from perennial.contract.features import EventFeature, OverEvents
from perennial.contract.model import Contract
from perennial.data.names import Table
from perennial.files.extensions import load_extension

AGE = "_days"  # whole days from an event to the date as of which the features of its unit are computed
_GAP, _FEWEST = "_gap", 3  # days with an event, below which there is no rhythm


def count_days(date: dt.date, column: str) -> nw.Expr:
    """Count days from the date in `column` (UTC) to `date`; 1 for the day before it, 0 or less from the date on."""
    return ((nw.lit(date) - nw.col(column).cast(nw.Date)).dt.total_minutes() // (24 * 60)).cast(nw.Int64)


def add_event_features(units: Table, aged: Table, contract: Contract, table: str, keys: list[str]) -> Table:
    """Join the features of an event table to `units`; `keys` identify a unit in both, and `aged` has AGE, 1 or more."""
    columns = contract.events[table].all_columns
    aggregates: list[nw.Expr] = []
    zero: list[str] = []
    for name, feature in contract.unit.features.items():
        if not isinstance(feature, OverEvents) or feature.events != table:
            continue
        if isinstance(feature, feature_kinds.Gap | feature_kinds.Overdue):
            units = units.join(_measure_rhythm(name, feature, aged, keys), on=keys, how="left")
            continue
        aggregates += _build_aggregates(name, feature, columns)
        if isinstance(feature, feature_kinds.CountBy):
            zero += [f"{name}_{value}" for value in _listed_values(feature, columns)]
        elif isinstance(feature, feature_kinds.Count | feature_kinds.Sum | feature_kinds.Distinct):
            zero.append(name)
    if not aggregates:
        return units
    cents = build_cents(columns)
    events = aged.with_columns(*cents) if cents else aged
    joined = units.join(events.group_by(keys).agg(*aggregates), on=keys, how="left")
    return joined.with_columns(*(nw.col(name).fill_null(0) for name in zero)) if zero else joined


def build_cents(columns: dict[str, Column]) -> list[nw.Expr]:
    """Every number of a table in whole hundredths, for `build_sum`."""
    amounts = [name for name, c in columns.items() if c.role != "ignore" and c.cell_type in {"int", "decimal"}]
    return [((nw.col(name) * 100 + 0.5).floor()).cast(nw.Int64).alias(f"_cents_{name}") for name in amounts]


def build_sum(name: str, inside: nw.Expr) -> nw.Expr:
    """Sum a column over the rows `inside`, in hundredths: a float sum would depend on the order of the rows."""
    cents = nw.when(inside).then(nw.col(f"_cents_{name}")).otherwise(nw.lit(0))
    return cents.sum().cast(nw.Float64) / 100


def match_values(inside: nw.Expr, values: dict[str, str]) -> nw.Expr:
    """Whether a row is `inside` and has all these values."""
    for column, value in values.items():
        inside = inside & (nw.col(column) == value)
    return inside


def _build_aggregates(name: str, feature: EventFeature, columns: dict[str, Column]) -> list[nw.Expr]:
    inside = _inside(feature)
    match feature:
        case feature_kinds.Count():
            return [_count_rows(inside).cast(nw.Float64).alias(name)]
        case feature_kinds.Sum():
            return [build_sum(feature.of, inside).alias(name)]
        case feature_kinds.Mean():
            count = _count_rows(inside & ~nw.col(feature.of).is_null())
            return [nw.when(count > 0).then(build_sum(feature.of, inside) / count).alias(name)]
        case feature_kinds.Recency():
            return [nw.when(inside).then(nw.col(AGE)).min().cast(nw.Float64).alias(name)]
        case feature_kinds.Tenure():
            return [nw.when(inside).then(nw.col(AGE)).max().cast(nw.Float64).alias(name)]
        case feature_kinds.CountBy():
            return [
                _count_rows(inside & (nw.col(feature.by) == value)).cast(nw.Float64).alias(f"{name}_{value}")
                for value in _listed_values(feature, columns)
            ]
        case feature_kinds.Distinct():
            return [_count_distinct(feature.of, inside).cast(nw.Float64).alias(name)]
        case feature_kinds.Per():
            places = _count_distinct(feature.per, inside)
            total = _count_rows(inside).cast(nw.Float64) if feature.of is None else build_sum(feature.of, inside)
            return [nw.when(places > 0).then(total / places).alias(name)]
        case feature_kinds.CustomFeature():
            function = load_extension("features", feature.name, feature.settings)
            return [function(nw.col(AGE), inside, **feature.settings).cast(nw.Float64).alias(name)]
        case feature_kinds.Gap() | feature_kinds.Overdue():
            return []  # of days, not of rows: see _rhythm
        case _:
            assert_never(feature)


def _measure_rhythm(name: str, feature: feature_kinds.Gap | feature_kinds.Overdue, aged: Table, keys: list[str]) -> Table:
    """The median gap between days with an event, or the days since the last event in such gaps, by key."""
    days = aged.filter(_inside(feature)).select(*keys, AGE).unique()
    steps = days.with_columns((nw.col(AGE) - nw.col(AGE).shift(1).over(*keys, order_by=AGE)).alias(_GAP))
    median = nw.col(_GAP).median()
    value = median if isinstance(feature, feature_kinds.Gap) else nw.col(AGE).min() / median
    return steps.group_by(keys).agg(nw.when(nw.len() >= _FEWEST).then(value).cast(nw.Float64).alias(name))


def _inside(feature: OverEvents) -> nw.Expr:
    before = nw.col(AGE) >= 1
    recent = before if feature.days is None else before & (nw.col(AGE) <= feature.days)
    return match_values(recent, feature.where)


def _count_rows(inside: nw.Expr) -> nw.Expr:
    return nw.when(inside).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def _count_distinct(name: str, inside: nw.Expr) -> nw.Expr:
    """Count distinct values of the rows `inside`; the null that stands for all other rows is subtracted."""
    filled = inside & ~nw.col(name).is_null()
    any_null = nw.when(filled).then(nw.lit(0)).otherwise(nw.lit(1)).max()
    return nw.when(filled).then(nw.col(name)).n_unique().cast(nw.Int64) - any_null


def _listed_values(feature: feature_kinds.CountBy, columns: dict[str, Column]) -> tuple[str, ...]:
    values = columns[feature.by].values
    assert isinstance(values, tuple)
    return values
