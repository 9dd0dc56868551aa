"""A contract whose parts are each right in, the sentences that say where they contradict each other out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, assert_never

from perennial.contract.columns import CellType, Column
from perennial.contract.features import CountBy, Feature, Mean, OverEvents, Since, Sum, columns_of
from perennial.contract.rules import Before, Between, Implies, InSet, Matches, Ordered, RowCount, Rule, columns_of_rule

if TYPE_CHECKING:
    from perennial.contract.model import Contract

Columns = dict[str, Column]
_PARTS = {"train", "val", "test", "later"}
_NUMBER: set[CellType] = {"int", "decimal"}
_MOMENT: set[CellType] = {"date", "datetime"}
_TEXT: set[CellType] = {"text"}
_WITHOUT_ENCODER = {"image"}


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
    ]


def _roles(contract: Contract) -> Iterator[str]:
    for role in ("id", "entity", "treatment", "weight", "split"):
        names = contract.having(role)
        if len(names) > 1:
            yield f"only one column can have the role {role}, not {', '.join(names)}"
    for name, column in contract.columns.items():
        if column.role in _WITHOUT_ENCODER and column.is_feature:
            yield f"columns.{name}: no model reads the role {column.role} yet; give it use: false"
    yield from _sampling(contract)


def _target(contract: Contract) -> Iterator[str]:
    outcomes, target = contract.having("outcome"), contract.task.target
    if target not in outcomes:
        yield f"task.target {target!r} has no column of role outcome; there are: {', '.join(outcomes) or 'none'}"
    else:
        yield from _outcome(contract, target)
    if contract.task.kind == "uplift" and not contract.having("treatment"):
        yield "an uplift task needs a column of role treatment"


def _outcome(contract: Contract, target: str) -> Iterator[str]:
    """What a task asks of its outcome's column."""
    column = contract.columns[target]
    match contract.task.kind:
        case "binary" | "uplift":
            if not isinstance(column.values, dict) or set(column.values.values()) != {0, 1}:
                yield f'outcome {target!r} maps its texts to 0 and 1: values: {{"no": 0, "yes": 1}}'
        case "multiclass":
            if len(set(contract.classes)) < 3 or column.is_coded:
                yield f"outcome {target!r} lists three or more classes as texts: values: [low, middle, high]"
        case "regression":
            if column.cell_type not in _NUMBER or column.is_coded:
                yield f"outcome {target!r} is an amount: type: decimal, or int"
        case _:
            assert_never(contract.task.kind)


def _sampling(contract: Contract) -> Iterator[str]:
    kept = contract.sampling.kept
    if not kept:
        return
    if contract.task.kind != "binary":
        yield f"sampling is for a binary task, not for {contract.task.kind}"
        return
    codes = contract.columns[contract.task.target].values if contract.task.target in contract.columns else None
    if isinstance(kept, dict) and isinstance(codes, dict) and set(kept) != set(codes):
        yield f"sampling.kept names {', '.join(kept)}; the outcome's texts are {', '.join(codes)}"


def _split(contract: Contract) -> Iterator[str]:
    split = contract.split
    if split.kind == "hash" and split.by == "entity" and contract.entity is None:
        yield "split.by entity needs a column of role entity or id; use by: record"
    if split.kind == "time" and split.order != "record" and split.order not in contract.having("time"):
        times = ", ".join(contract.having("time")) or "none"
        yield f"split.order {split.order!r} is neither record nor a column of role time; there are: {times}"
    if split.kind == "column":
        name = contract.one("split")
        if name is None:
            yield "split.kind column needs a column of role split"
            return
        values = contract.columns[name].values
        parts = set(values.values() if isinstance(values, dict) else values or ())
        if not parts or parts - _PARTS:
            yield f"columns.{name}: values maps its texts to the parts, {', '.join(sorted(_PARTS))}"


def _names(contract: Contract) -> Iterator[str]:
    columns = contract.columns
    for place, names in (("suspects", contract.suspects), ("slices", contract.slices)):
        for name in names:
            yield from _asks(place, columns, name, None)
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


def _rules(place: str, columns: Columns, rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, RowCount):
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
            columns = contract.events[feature.events].columns
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
        case Sum() | Mean():
            return _NUMBER
        case _:
            return None


def _events(contract: Contract) -> Iterator[str]:
    if contract.events and contract.entity is None:
        yield "events belong to the units by an entity: give a column of columns the role entity or id"
    for table, held in contract.events.items():
        for role in ("entity", "time"):
            if sum(column.role == role for column in held.columns.values()) != 1:
                yield f"events.{table}: exactly one column has the role {role}"
        yield from (
            f"events.{table}.columns.{name}: say `before: as_of`, or events of the future become features"
            for name, column in held.columns.items()
            if column.role == "time" and column.before != "as_of"
        )
        yield from _rules(f"events.{table}.rules", held.columns, held.rules)


def _as_of(contract: Contract) -> Iterator[str]:
    dated = (column.before == "as_of" for _, columns in contract.tables.values() for column in columns.values())
    if contract.unit.as_of is None and (contract.unit.features or contract.events or any(dated)):
        yield "unit.as_of is needed by events, by unit.features and by `before: as_of`"


def _asks(place: str, columns: Columns, name: str, types: set[CellType] | None) -> Iterator[str]:
    """Nothing where `name` is a column that is read and has one of `types`."""
    if not _is_read(columns, name):
        yield f"{place} names {name!r}, which is no column that is read"
    elif types is not None and columns[name].cell_type not in types:
        yield f"{place}: {name!r} is of type {columns[name].cell_type}, not {' or '.join(sorted(types))}"


def _is_read(columns: Columns, name: str) -> bool:
    return name in columns and columns[name].role != "ignore"
