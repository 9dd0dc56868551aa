"""Clean tables in, one row a unit with columns as of a date out; an event feeds a unit or is listed with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import narwhals as nw

from perennial.contract.features import CustomRowFeature, Since
from perennial.contract.model import MAIN, Contract
from perennial.data.names import ENTITY, ORDER, ROW_ID, SOURCE, Table, list_unused
from perennial.data.prepare.aggregates import AGE, add_event_features, count_days
from perennial.data.prepare.cutoffs import build_units
from perennial.errors import ConfigError
from perennial.files.extensions import load_extension

_AFTER = {"outcome", "treatment", "weight", "split"}
_KEEP = {"numeric", "categorical", "text", "image", "protected", "outcome", "treatment", "weight", "split", "time"}


class Featurized(NamedTuple):
    """`units`: row_id, _entity, _order, kept columns, features. `fed`: the row ids of each table that feed one.

    `unused`: row_id, table, reason of all others.
    """

    units: Table
    fed: dict[str, Table]
    unused: list[Table]


def featurize(tables: Mapping[str, Table], contract: Contract) -> Featurized:
    """Pass-through of the main table where a contract has no events; without a main table, entities at cut-offs."""
    if contract.unit.cutoffs is not None:
        return Featurized(*build_units(tables, contract, contract.unit.cutoffs.all))
    main = tables[MAIN]
    wanted = [  # a null is not wanted, and is listed like any other
        ~nw.col(name).is_null() & nw.col(name).is_in(list(values)) for name, values in contract.unit.where.items()
    ]
    chosen = main.filter(*wanted) if wanted else main
    unused = (
        [list_unused(main.filter(~nw.all_horizontal(*wanted, ignore_nulls=True)), MAIN, "not in unit.where")]
        if wanted
        else []
    )
    kept = [name for name, column in contract.columns.items() if column.role in _KEEP]
    ours = [ROW_ID, ENTITY, ORDER, *([SOURCE] if contract.split.kind == "file" else [])]
    units, fed = chosen.select(*ours, *kept), {MAIN: chosen.select(ROW_ID)}
    if contract.unit.as_of is not None:
        units = _since(units, contract)
    units = _of_rows(units, contract)
    for table in contract.events:
        events, without = _of_units(tables[table], main, units, contract, table)
        unused += without
        fed[table] = events.select(ROW_ID)
        assert contract.unit.as_of is not None
        aged = events.with_columns(
            count_days(contract.unit.as_of, contract.events[table].find_column("time")).alias(AGE)
        )
        units = add_event_features(units, aged, contract, table, [ENTITY])
    return Featurized(units, fed, unused)


def _since(units: Table, contract: Contract) -> Table:
    as_of = contract.unit.as_of
    assert as_of is not None
    new = []
    for name, feature in contract.unit.features.items():
        if isinstance(feature, Since):
            years = nw.lit(as_of.year) - nw.col(feature.of)
            days = count_days(as_of, feature.of)
            new.append((years if feature.kind == "years_since" else days).cast(nw.Float64).alias(name))
    return units.with_columns(*new) if new else units


def _of_rows(units: Table, contract: Contract) -> Table:
    """With what the project's own functions make of a row, from the columns that are known before the decision."""
    told = {name: f for name, f in contract.unit.features.items() if isinstance(f, CustomRowFeature)}
    if not told:
        return units
    hidden = {name for name, c in contract.columns.items() if c.role in _AFTER or c.known == "after_outcome"}
    known = units.select(name for name in units.collect_schema().names() if name not in hidden)
    made = []
    for name, feature in told.items():
        cells = (
            load_extension("features", feature.name, feature.settings)(**feature.settings).cast(nw.Float64).alias(name)
        )
        try:
            known.select(cells).collect_schema()
        except nw.exceptions.ColumnNotFoundError as error:
            words = f"unit.features.{name}: the function {feature.name} reads a column that it cannot see"
            raise ConfigError(
                f"{words} ({str(error).splitlines()[0]}); hidden are {', '.join(sorted(hidden))}"
            ) from error
        made.append(cells)
    return units.join(known.select(ROW_ID, *made), on=ROW_ID, how="left")


def _of_units(events: Table, main: Table, units: Table, contract: Contract, table: str) -> tuple[Table, list[Table]]:
    """The events of chosen units, and the others with their reason."""
    owner = contract.events[table].find_column("entity")
    known = main.select(nw.col(ENTITY).alias(owner)).unique()
    chosen = units.select(nw.col(ENTITY).alias(owner)).unique()
    orphans = events.join(known, on=owner, how="anti")
    others = events.join(known, on=owner, how="semi").join(chosen, on=owner, how="anti")
    without = [list_unused(orphans, table, "no entity"), list_unused(others, table, "entity not in unit.where")]
    return events.join(chosen, on=owner, how="semi").with_columns(nw.col(owner).alias(ENTITY)), without
