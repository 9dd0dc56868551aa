"""Featurization: clean tables become one row a unit, with columns as of a date; unused events are listed with a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import narwhals as nw
import polars as pl

from perennial.contract.features import CustomRowFeature, Since
from perennial.contract.model import MAIN, Contract
from perennial.data.names import ENTITY, ORDER, ROW_ID, SOURCE, UNUSED_SCHEMA, Table, conserve_rows, ids_by_reason, list_unused
from perennial.data.prepare.aggregates import AGE, add_event_features, count_days
from perennial.data.prepare.cutoffs import build_units
from perennial.errors import ConfigError
from perennial.files.extensions import load_extension
from perennial.results.summary import RowFlow

_AFTER = {"outcome", "treatment", "weight", "split"}
_KEEP = {"numeric", "categorical", "text", "image", "protected", "outcome", "treatment", "weight", "split", "time"}


class Featurized(NamedTuple):
    """`units`: row_id, _entity, _order, columns, features. `fed`: the row ids of each table that feed a unit.

    `unused`: row_id, table, reason of all others.
    """

    units: Table
    fed: dict[str, Table]
    unused: list[Table]


class UnitRows(NamedTuple):
    """Units in order, rows that feed none (row_id, table, reason), and where the rows of each table went."""

    units: pl.DataFrame
    unused: pl.DataFrame
    flow: dict[str, RowFlow]


def featurize_rows(tables: Mapping[str, pl.DataFrame], contract: Contract, cutoffs: Sequence[dt.date] | None = None) -> UnitRows:
    """Build the units of clean tables; at other cut-offs than the contract's where they are given."""
    features = featurize({name: nw.from_native(rows.lazy()) for name, rows in tables.items()}, contract, cutoffs)
    units = features.units.to_native().collect().sort(ORDER)
    unused = pl.concat([pl.DataFrame(schema=UNUSED_SCHEMA), *(part.to_native().collect() for part in features.unused)])
    flow = dict[str, RowFlow]()
    for table, rows in tables.items():
        unused_rows = unused.filter(pl.col("table") == table)
        feeding = features.fed[table].to_native().collect()[ROW_ID]
        flow[table] = conserve_rows("featurize", table, rows[ROW_ID], fed=feeding, **ids_by_reason(unused_rows))
    return UnitRows(units, unused, flow)


def featurize(tables: Mapping[str, Table], contract: Contract, cutoffs: Sequence[dt.date] | None = None) -> Featurized:
    """Build the units: rows of the main table with features of their events, or entities at cut-offs without one."""
    if contract.unit.cutoffs is not None:
        return Featurized(*build_units(tables, contract, cutoffs or contract.unit.cutoffs.all))
    main = tables[MAIN]
    conditions = [  # a null does not match, and is listed like any other row
        ~nw.col(name).is_null() & nw.col(name).is_in(list(values)) for name, values in contract.unit.where.items()
    ]
    chosen = main.filter(*conditions) if conditions else main
    unused = []
    if conditions:
        others = main.filter(~nw.all_horizontal(*conditions, ignore_nulls=True))
        unused = [list_unused(others, MAIN, "not in unit.where")]
    columns = [name for name, column in contract.columns.items() if column.role in _KEEP]
    technical = [ROW_ID, ENTITY, ORDER, *([SOURCE] if contract.split.kind == "file" else [])]
    units, fed = chosen.select(*technical, *columns), {MAIN: chosen.select(ROW_ID)}
    if contract.unit.as_of is not None:
        units = _add_since(units, contract)
    units = _add_row_features(units, contract)
    for table in contract.events:
        events, without = _select_events(tables[table], main, units, contract, table)
        unused += without
        fed[table] = events.select(ROW_ID)
        assert contract.unit.as_of is not None
        age = count_days(contract.unit.as_of, contract.events[table].find_column("time"))
        units = add_event_features(units, events.with_columns(age.alias(AGE)), contract, table, [ENTITY])
    return Featurized(units, fed, unused)


def _add_since(units: Table, contract: Contract) -> Table:
    as_of = contract.unit.as_of
    assert as_of is not None
    new = []
    for name, feature in contract.unit.features.items():
        if isinstance(feature, Since):
            years = nw.lit(as_of.year) - nw.col(feature.of)
            days = count_days(as_of, feature.of)
            new.append((years if feature.kind == "years_since" else days).cast(nw.Float64).alias(name))
    return units.with_columns(*new) if new else units


def _add_row_features(units: Table, contract: Contract) -> Table:
    """Add the features of the project's own functions of a row; they see only columns known before the decision."""
    functions = {name: f for name, f in contract.unit.features.items() if isinstance(f, CustomRowFeature)}
    if not functions:
        return units
    hidden = {name for name, c in contract.columns.items() if c.role in _AFTER or c.known == "after_outcome"}
    inputs = units.select(name for name in units.collect_schema().names() if name not in hidden)
    computed = []
    for name, feature in functions.items():
        function = load_extension("features", feature.name, feature.settings)
        cells = function(**feature.settings).cast(nw.Float64).alias(name)
        try:
            inputs.select(cells).collect_schema()
        except nw.exceptions.ColumnNotFoundError as error:
            message = f"unit.features.{name}: the function {feature.name} reads a column that it cannot see"
            shown = f"({str(error).splitlines()[0]}); hidden are {', '.join(sorted(hidden))}"
            raise ConfigError(f"{message} {shown}") from error
        computed.append(cells)
    return units.join(inputs.select(ROW_ID, *computed), on=ROW_ID, how="left")


def _select_events(events: Table, main: Table, units: Table, contract: Contract, table: str) -> tuple[Table, list[Table]]:
    """The events of the chosen units, and all others with their reason."""
    owner = contract.events[table].find_column("entity")
    owners = main.select(nw.col(ENTITY).alias(owner)).unique()
    chosen = units.select(nw.col(ENTITY).alias(owner)).unique()
    orphans = events.join(owners, on=owner, how="anti")
    others = events.join(owners, on=owner, how="semi").join(chosen, on=owner, how="anti")
    without = [list_unused(orphans, table, "no entity"), list_unused(others, table, "entity not in unit.where")]
    return events.join(chosen, on=owner, how="semi").with_columns(nw.col(owner).alias(ENTITY)), without
