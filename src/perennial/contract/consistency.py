"""A contract whose parts are each right in, the sentences that say where they contradict each other out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import assert_never

from perennial.contract.columns import CellType, Column
from perennial.contract.events import Above, columns_of_filter
from perennial.contract.features import (
    CountBy,
    Distinct,
    Feature,
    Mean,
    OverEvents,
    Per,
    Since,
    Sum,
    SumWithin,
    columns_of,
)
from perennial.contract.model import Contract
from perennial.contract.rules import (
    Before,
    Between,
    FileRule,
    Implies,
    InSet,
    Matches,
    MinPositives,
    Ordered,
    Rule,
    columns_of_rule,
)

Columns = dict[str, Column]
_PARTS = {"train", "val", "test", "out_of_time"}
_NUMBER: set[CellType] = {"int", "decimal"}
_MOMENT: set[CellType] = {"date", "datetime"}
_TEXT: set[CellType] = {"text"}
_OURS = {"cutoff", "label_end", "row_id"}  # columns of units that are made of events
_OF_EVENTS = {"binary": "any", "regression": "sum"}  # the kind of outcome that a task can have of events


def contradictions(contract: Contract) -> list[str]:
    """All of them, so that a data owner mends a contract once."""
    return [
        *_roles(contract),
        *_target(contract),
        *_split(contract),
        *_names(contract),
        *_rules("rules", contract.columns, contract.rules),
        *_features(contract),
        *_events(contract),
        *_as_of(contract),
        *_cutoffs(contract),
    ]


def _roles(contract: Contract) -> Iterator[str]:
    for role in ("id", "entity", "treatment", "weight", "split"):
        names = contract.having(role)
        if len(names) > 1:
            yield f"only one column can have the role {role}, not {', '.join(names)}"
    for name, column in contract.columns.items():
        if column.archive is not None and column.archive not in contract.attached:
            held = ", ".join(contract.attached) or "none"
            yield f"columns.{name}: in: {column.archive} is not attached; source.attach has: {held}"
    yield from _sampling(contract)
    yield from _answer(contract)
    yield from _queries(contract)


def _target(contract: Contract) -> Iterator[str]:
    target = contract.target
    if target is None:
        yield from _without(contract)
        return
    if contract.unit.cutoffs is not None:
        made = contract.unit.target
        if target not in made:
            yield f"task.target {target!r} is no key of unit.target; there are: {', '.join(made) or 'none'}"
        elif made[target].kind != (wanted := _OF_EVENTS.get(contract.task.kind)):
            asked = f"a target of kind {wanted}, not unit.target.{target} of kind {made[target].kind}"
            yield f"a {contract.task.kind} task needs {asked if wanted else 'a main table: events give it no outcome'}"
        return
    outcomes = contract.having("outcome")
    if target not in outcomes:
        yield f"task.target {target!r} has no column of role outcome; there are: {', '.join(outcomes) or 'none'}"
    else:
        yield from _outcome(contract, target)
    if contract.task.kind == "uplift" and not contract.having("treatment"):
        yield "an uplift task needs a column of role treatment"


def _without(contract: Contract) -> Iterator[str]:
    """What a task without an outcome cannot have, and needs: numbers, by which customers are near or far."""
    told = [*contract.having("outcome"), *contract.unit.target]
    if told:
        yield f"a {contract.task.kind} task has no outcome: give {', '.join(told)} the role ignore, with why"
    is_made = any(feature.kind != "count_by" for feature in contract.unit.features.values())
    if not is_made and not any(c.is_feature and c.role == "numeric" for c in contract.columns.values()):
        yield f"a {contract.task.kind} task needs a column of role numeric, or one of unit.features"


def _outcome(contract: Contract, target: str) -> Iterator[str]:
    """What a task asks of its outcome's column."""
    column = contract.columns[target]
    match contract.task.kind:
        case "binary":
            if not isinstance(column.values, dict) or set(column.values.values()) != {0, 1}:
                yield f'outcome {target!r} maps its texts to 0 and 1: values: {{"no": 0, "yes": 1}}'
        case "uplift":
            is_response = isinstance(column.values, dict) and set(column.values.values()) == {0, 1}
            if not is_response and (column.cell_type not in _NUMBER or column.is_coded):
                either = 'maps its texts to 0 and 1, values: {"no": 0, "yes": 1}, or is an amount, type: decimal'
                yield f"outcome {target!r} {either}"
        case "multiclass":
            if len(set(contract.classes)) < 3 or column.is_coded:
                yield f"outcome {target!r} lists three or more classes as texts: values: [low, middle, high]"
        case "regression":
            if column.cell_type not in _NUMBER or column.is_coded:
                yield f"outcome {target!r} is an amount: type: decimal, or int"
        case "clustering":
            pass
        case _:
            assert_never(contract.task.kind)


def _queries(contract: Contract) -> Iterator[str]:
    """One query is of the only table."""
    told, tables = contract.source.query, list(contract.tables)
    if isinstance(told, str) and len(tables) > 1:
        yield f"source.query: give one for each table, {', '.join(tables)}"
    if isinstance(told, dict) and set(told) != set(tables):
        yield f"source.query is for {', '.join(told)}; the tables are {', '.join(tables)}"


def _answer(contract: Contract) -> Iterator[str]:
    """What is asked of an outcome's date and count needs one."""
    for name, column in contract.columns.items():
        if column.dated is not None and (column.role != "outcome" or column.dated not in contract.having("time")):
            times = ", ".join(contract.having("time")) or "none"
            yield f"columns.{name}: dated is for an outcome and names a column of role time; there are: {times}"
    if any(isinstance(rule, MinPositives) for rule in contract.rules) and contract.task.kind != "binary":
        yield f"rules: min_positives is for a binary task, not for {contract.task.kind}"


def _sampling(contract: Contract) -> Iterator[str]:
    kept = contract.sampling.sampling_rate
    if not kept:
        return
    if contract.task.kind != "binary":
        yield f"sampling is for a binary task, not for {contract.task.kind}"
        return
    codes = contract.columns[contract.task.target].values if contract.target in contract.columns else None
    if isinstance(kept, dict) and isinstance(codes, dict) and set(kept) != set(codes):
        yield f"sampling.sampling_rate names {', '.join(kept)}; the outcome's texts are {', '.join(codes)}"


def _split(contract: Contract) -> Iterator[str]:
    split = contract.split
    if split.kind == "hash" and split.by == "entity" and contract.entity is None:
        yield "split.by entity needs a column of role entity or id; use by: record"
    if split.kind == "time" and split.order != "record" and split.order not in contract.having("time"):
        times = ", ".join(contract.having("time")) or "none"
        yield f"split.order {split.order!r} is neither record nor a column of role time; there are: {times}"
    yield from _numbered(contract)
    if split.kind == "column":
        name = contract.one("split")
        if name is None:
            yield "split.kind column needs a column of role split"
            return
        values = contract.columns[name].values
        parts = set(values.values() if isinstance(values, dict) else values or ())
        if not parts or parts - _PARTS:
            yield f"columns.{name}: values maps its texts to the parts, {', '.join(sorted(_PARTS))}"


def _numbered(contract: Contract) -> Iterator[str]:
    """A time that is a number has an order and no date: rows can be split by it, nothing can be dated by it."""
    for name in contract.having("time"):
        is_order = contract.split.kind == "time" and contract.split.order == name
        if contract.columns[name].cell_type in _NUMBER and not is_order:
            yield f"columns.{name}: a time of type {contract.columns[name].cell_type} is for split.kind time by it only"
    for table, held in contract.events.items():
        for name, column in held.columns.items():
            if column.role == "time" and column.cell_type in _NUMBER:
                yield f"events.{table}.columns.{name}: an event has a date or datetime, not {column.cell_type}"


def _names(contract: Contract) -> Iterator[str]:
    columns = contract.columns
    for place, names in (("leakage_suspects", contract.leakage_suspects), ("slices", contract.slices)):
        for name in names:
            yield from _asks(place, columns, name, None)
    if contract.money.amount is not None and contract.money.amount not in contract.unit.features:
        yield from _asks("money.amount", columns, contract.money.amount, _NUMBER)
    for name in contract.unit.where:
        yield from _asks("unit.where", columns, name, _TEXT)
    for table, (_, held) in contract.tables.items():
        yield from (
            f"{table}: the column name {name!r} is one of our own; a name begins with no _ and is not row_id"
            for name in held
            if name.startswith("_") or name == "row_id"
        )
    for name in contract.unit.features.keys() & columns.keys():
        yield f"unit.features.{name}: a column has this name already"
    for table, log in contract.events.items():
        for name in log.derive:
            if name in log.columns or name.startswith("_"):
                yield f"events.{table}.derive.{name}: a column has this name already, or it begins with _"


def _rules(place: str, columns: Columns, rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, FileRule):
            continue
        types: set[CellType] | None = None
        match rule:
            case Between():
                types = _NUMBER
            case Before():
                types = _MOMENT
            case InSet() | Matches():
                types = _TEXT
            case Implies():
                types = {"int"}
            case Ordered():
                first, second = (columns.get(name) for name in rule.columns)
                if first and second and (first.cell_type in _NUMBER) != (second.cell_type in _NUMBER):
                    yield f"{place}, {rule.kind}: {' and '.join(rule.columns)} cannot be compared"
        for name in columns_of_rule(rule):
            yield from _asks(f"{place}, {rule.kind}", columns, name, types)


def _features(contract: Contract) -> Iterator[str]:
    for name, feature in contract.unit.features.items():
        place = f"unit.features.{name}"
        columns = contract.columns
        if isinstance(feature, OverEvents):
            if feature.events not in contract.events:
                yield f"{place}: no event table {feature.events!r}; there are: {', '.join(contract.events) or 'none'}"
                continue
            columns = contract.events[feature.events].all_columns
        wanted = _type_of_feature(feature)
        for column in columns_of(feature):
            yield from _asks(place, columns, column, wanted if column == getattr(feature, "of", None) else _TEXT)
        if isinstance(feature, CountBy) and feature.by in columns and not isinstance(columns[feature.by].values, tuple):
            yield f"{place}: column {feature.by!r} must list its values"


def _type_of_feature(feature: Feature) -> set[CellType] | None:
    match feature:
        case Since(kind="years_since"):
            return {"int"}
        case Since():
            return _MOMENT
        case Sum() | Mean() | Per():
            return _NUMBER
        case Distinct():
            return _TEXT
        case _:
            return None


def _events(contract: Contract) -> Iterator[str]:
    if contract.events and contract.entity is None and contract.unit.cutoffs is None:
        yield "events belong to the units by an entity: give a column of columns the role entity or id"
    reads_source = ["columns"] * bool(contract.columns) + [t for t, held in contract.events.items() if not held.files]
    if len(reads_source) > 1:
        yield f"source.files can be the files of one table, not of {', '.join(reads_source)}: give events their files"
    for table, held in contract.events.items():
        for role in ("entity", "time"):
            if sum(column.role == role for column in held.columns.values()) != 1:
                yield f"events.{table}: exactly one column has the role {role}"
        yield from _dated(contract, table)
        yield from _rules(f"events.{table}.rules", held.columns, held.rules)
        for name, product in held.derive.items():
            for column in product.of:
                yield from _asks(f"events.{table}.derive.{name}", held.columns, column, _NUMBER)
        for rule in held.filters:
            wanted = _NUMBER if isinstance(rule, Above) else _TEXT
            for column in columns_of_filter(rule):
                yield from _asks(f"events.{table}.filters, {rule.kind}", held.all_columns, column, wanted)


def _dated(contract: Contract, table: str) -> Iterator[str]:
    """One date for all rows must bound the events; a cut-off of each unit needs those after it, for the outcome."""
    place = f"events.{table}.columns"
    for name, column in contract.events[table].columns.items():
        if column.role == "time" and contract.unit.cutoffs is None and column.before != "as_of":
            yield f"{place}.{name}: say `before: as_of`, or events of the future become features"
        if contract.unit.cutoffs is not None and column.before == "as_of":
            yield f"{place}.{name}: leave `before: as_of` out, events after a cut-off are its outcome"


def _as_of(contract: Contract) -> Iterator[str]:
    if contract.unit.cutoffs is not None:
        return
    dated = (column.before == "as_of" for _, columns in contract.tables.values() for column in columns.values())
    if contract.unit.as_of is None and (contract.unit.features or contract.events or any(dated)):
        yield "unit.as_of is needed by events, by unit.features and by `before: as_of`"


def _cutoffs(contract: Contract) -> Iterator[str]:
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
    yield from _windows(contract, unit.cutoffs.train, unit.cutoffs.test)
    yield from _outcomes(contract)


def _windows(contract: Contract, train: tuple[dt.date, ...], test: tuple[dt.date, ...]) -> Iterator[str]:
    """No outcome that is trained on may lie in the time that is tested on."""
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
        asked = feature.days if isinstance(feature, OverEvents) else None
        if contract.unit.history != "all" and asked is not None and asked > contract.unit.history:
            yield f"unit.features.{name}: {asked} days are more than unit.history, {contract.unit.history}"


def _outcomes(contract: Contract) -> Iterator[str]:
    for name, outcome in contract.unit.target.items():
        place = f"unit.target.{name}"
        if name in contract.unit.features or any(name in held.all_columns for held in contract.events.values()):
            yield f"{place}: a column or feature has this name already"
        if outcome.events not in contract.events:
            yield f"{place}: no event table {outcome.events!r}; there are: {', '.join(contract.events)}"
            continue
        summed = outcome.of if isinstance(outcome, SumWithin) else None
        for column in columns_of(outcome):
            wanted = _NUMBER if column == summed else _TEXT
            yield from _asks(place, contract.events[outcome.events].all_columns, column, wanted)
    for name in sorted({*contract.unit.target, *contract.unit.features} & _OURS):
        yield f"unit: the name {name!r} is one of our own"


def _asks(place: str, columns: Columns, name: str, types: set[CellType] | None) -> Iterator[str]:
    """Nothing where `name` is a column that is read and has one of `types`."""
    if not _is_read(columns, name):
        yield f"{place} names {name!r}, which is no column that is read"
    elif types is not None and columns[name].cell_type not in types:
        yield f"{place}: {name!r} is of type {columns[name].cell_type}, not {' or '.join(sorted(types))}"


def _is_read(columns: Columns, name: str) -> bool:
    return name in columns and columns[name].role != "ignore"
