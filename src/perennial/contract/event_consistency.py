"""Consistency of rules, events, features and cut-offs: where they contradict the columns or each other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from perennial.contract import features as feature_kinds
from perennial.contract import rules as rule_kinds
from perennial.contract.columns import MOMENT, NUMBER, TEXT, CellType, Columns, check_column
from perennial.contract.events import Above
from perennial.contract.features import Feature, OverEvents, columns_of_feature
from perennial.contract.model import Contract
from perennial.contract.rules import FileRule, Rule, columns_of_rule

_OURS = {"cutoff", "label_end", "row_id"}  # columns of units that are made of events


def check_rules(place: str, columns: Columns, rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, FileRule):
            continue
        types: set[CellType] | None = None
        match rule:
            case rule_kinds.Between():
                types = NUMBER
            case rule_kinds.Before():
                types = MOMENT
            case rule_kinds.InSet() | rule_kinds.Matches():
                types = TEXT
            case rule_kinds.Implies():
                types = {"int"}
            case rule_kinds.Ordered():
                first, second = (columns.get(name) for name in rule.columns)
                if first and second and (first.cell_type in NUMBER) != (second.cell_type in NUMBER):
                    yield f"{place}, {rule.kind}: {' and '.join(rule.columns)} cannot be compared"
        for name in columns_of_rule(rule):
            yield from check_column(f"{place}, {rule.kind}", columns, name, types)


def check_features(contract: Contract) -> Iterator[str]:
    for name, feature in contract.unit.features.items():
        place = f"unit.features.{name}"
        columns = contract.columns
        if isinstance(feature, OverEvents):
            if feature.events not in contract.events:
                yield f"{place}: no event table {feature.events!r}; there are: {', '.join(contract.events) or 'none'}"
                continue
            columns = contract.events[feature.events].all_columns
        types = _feature_types(feature)
        for column in columns_of_feature(feature):
            yield from check_column(place, columns, column, types if column == getattr(feature, "of", None) else TEXT)
        if (
            isinstance(feature, feature_kinds.CountBy)
            and feature.by in columns
            and not isinstance(columns[feature.by].values, tuple)
        ):
            yield f"{place}: column {feature.by!r} must list its values"


def _feature_types(feature: Feature) -> set[CellType] | None:
    match feature:
        case feature_kinds.Since(kind="years_since"):
            return {"int"}
        case feature_kinds.Since():
            return MOMENT
        case feature_kinds.Sum() | feature_kinds.Mean() | feature_kinds.Per():
            return NUMBER
        case feature_kinds.Distinct():
            return TEXT
        case _:
            return None


def check_events(contract: Contract) -> Iterator[str]:
    if contract.events and contract.entity is None and contract.unit.cutoffs is None:
        yield "events belong to the units by an entity: give a column of columns the role entity or id"
    reads_source = ["columns"] * bool(contract.columns) + [t for t, log in contract.events.items() if not log.files]
    if len(reads_source) > 1:
        yield f"source.files can be the files of one table, not of {', '.join(reads_source)}: give events their files"
    for table, log in contract.events.items():
        for role in ("entity", "time"):
            if sum(column.role == role for column in log.columns.values()) != 1:
                yield f"events.{table}: exactly one column has the role {role}"
        yield from _check_event_dates(contract, table)
        yield from check_rules(f"events.{table}.rules", log.columns, log.rules)
        for name, product in log.derive.items():
            for column in product.of:
                yield from check_column(f"events.{table}.derive.{name}", log.columns, column, NUMBER)
        for rule in log.filters:
            types, read = (NUMBER, rule.columns) if isinstance(rule, Above) else (TEXT, (rule.column,))
            for column in read:
                yield from check_column(f"events.{table}.filters, {rule.kind}", log.all_columns, column, types)


def _check_event_dates(contract: Contract, table: str) -> Iterator[str]:
    """With one date for all rows, events must lie before it; with cut-offs, later events are needed as outcomes."""
    place = f"events.{table}.columns"
    for name, column in contract.events[table].columns.items():
        if column.role == "time" and contract.unit.cutoffs is None and column.before != "as_of":
            yield f"{place}.{name}: say `before: as_of`, or events of the future become features"
        if contract.unit.cutoffs is not None and column.before == "as_of":
            yield f"{place}.{name}: leave `before: as_of` out, events after a cut-off are its outcome"


def check_as_of(contract: Contract) -> Iterator[str]:
    if contract.unit.cutoffs is not None:
        return
    dated = (column.before == "as_of" for _, columns in contract.tables.values() for column in columns.values())
    if contract.unit.as_of is None and (contract.unit.features or contract.events or any(dated)):
        yield "unit.as_of is needed by events, by unit.features and by `before: as_of`"


def check_cutoffs(contract: Contract) -> Iterator[str]:
    unit, by_cutoff = contract.unit, contract.unit.rows == "entity_by_cutoff"
    if by_cutoff != (unit.cutoffs is not None):
        yield "unit.rows entity_by_cutoff and unit.cutoffs belong together: give both or none"
    if not by_cutoff and unit.target:
        yield "unit.target is made of events after a cut-off: it needs unit.rows entity_by_cutoff"
    if not by_cutoff and not contract.columns:
        yield "columns is empty, which only unit.rows entity_by_cutoff can do with"
    if contract.split.kind == "cutoff" and unit.cutoffs is None:
        yield "split.kind cutoff needs unit.cutoffs"
    if contract.split.kind == "cutoff" and unit.cutoffs is not None and not unit.cutoffs.train:
        yield "split.kind cutoff needs a cut-off in unit.cutoffs.train"
    if unit.cutoffs is None:
        return
    if contract.columns or not contract.events:
        yield "unit.rows entity_by_cutoff makes its rows of events: describe an event table, and leave columns {}"
    if unit.as_of is not None:
        yield "unit.as_of is one date for all, unit.cutoffs one of each unit: give one of the two"
    if unit.target and contract.split.kind != "cutoff":
        yield f"split.kind {contract.split.kind} would mix outcomes of before and after a cut-off: use kind cutoff"
    if unit.cutoffs.lookback_dates and contract.split.kind == "cutoff":
        yield "unit.cutoffs.lookback_dates is of customers split by a hash; where train and test are dates, train is earlier"
    if late := [cutoff for cutoff in unit.cutoffs.lookback_dates if cutoff >= min(unit.cutoffs.test)]:
        yield f"unit.cutoffs.lookback_dates: {late[0]} does not lie before the first test cut-off {min(unit.cutoffs.test)}"
    yield from _check_windows(contract, unit.cutoffs.train, unit.cutoffs.test)
    yield from _check_outcomes(contract)


def _check_windows(contract: Contract, train: tuple[dt.date, ...], test: tuple[dt.date, ...]) -> Iterator[str]:
    """No outcome of a train cut-off may reach into the time after the first test cut-off."""
    days, first = contract.unit.label_days, min(test)
    for cutoff in sorted({*train, *test}):
        if (*train, *test).count(cutoff) > 1:
            yield f"unit.cutoffs: {cutoff} is given twice"
    for cutoff in train:
        end = cutoff + dt.timedelta(days=days)
        if cutoff >= first:
            yield f"unit.cutoffs.train: {cutoff} does not lie before the first test cut-off {first}"
        elif end > first:
            yield f"unit.cutoffs.train: the outcome of {cutoff} is known on {end}, after the first test cut-off {first}"
    for name, feature in contract.unit.features.items():
        window = feature.days if isinstance(feature, OverEvents) else None
        if contract.unit.history != "all" and window is not None and window > contract.unit.history:
            yield f"unit.features.{name}: {window} days are more than unit.history, {contract.unit.history}"


def _check_outcomes(contract: Contract) -> Iterator[str]:
    for name, outcome in contract.unit.target.items():
        place = f"unit.target.{name}"
        if name in contract.unit.features or any(name in log.all_columns for log in contract.events.values()):
            yield f"{place}: a column or feature has this name already"
        if outcome.events not in contract.events:
            yield f"{place}: no event table {outcome.events!r}; there are: {', '.join(contract.events)}"
            continue
        summed = outcome.of if isinstance(outcome, feature_kinds.SumWithin) else None
        for column in columns_of_feature(outcome):
            types = NUMBER if column == summed else TEXT
            yield from check_column(place, contract.events[outcome.events].all_columns, column, types)
    for name in sorted({*contract.unit.target, *contract.unit.features} & _OURS):
        yield f"unit: the name {name!r} is one of our own"
