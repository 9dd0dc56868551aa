"""Consistency of a contract: the places where valid parts contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from perennial.contract.columns import NUMBER, TEXT, check_column
from perennial.contract.event_consistency import check_as_of, check_cutoffs, check_events, check_features, check_rules
from perennial.contract.model import Contract
from perennial.contract.rules import MinPositives
from perennial.contract.tasks import TargetTask

_PARTS = {"train", "val", "test", "out_of_time"}


def find_contradictions(contract: Contract) -> list[str]:
    """Find all contradictions at once, so that a data owner repairs a contract once."""
    return [
        *_check_roles(contract),
        *_check_target(contract),
        *_check_split(contract),
        *_check_names(contract),
        *check_rules("rules", contract.columns, contract.rules),
        *check_features(contract),
        *check_events(contract),
        *check_as_of(contract),
        *check_cutoffs(contract),
    ]


def _check_roles(contract: Contract) -> Iterator[str]:
    for role in ("id", "entity", "treatment", "weight", "split"):
        names = contract.find_columns(role)
        if len(names) > 1:
            yield f"only one column can have the role {role}, not {', '.join(names)}"
    for name, column in contract.columns.items():
        if column.archive is not None and column.archive not in contract.attached:
            attached = ", ".join(contract.attached) or "none"
            yield f"columns.{name}: in: {column.archive} is not attached; source.attach has: {attached}"
    yield from _check_sampling(contract)
    yield from _check_dates(contract)
    yield from _check_queries(contract)


def _check_target(contract: Contract) -> Iterator[str]:
    target = contract.target
    if target is None:
        yield from _check_no_outcome(contract)
        return
    if contract.unit.cutoffs is not None:
        targets = contract.unit.target
        if target not in targets:
            yield f"task.target {target!r} is no key of unit.target; there are: {', '.join(targets) or 'none'}"
        elif targets[target].kind != (kind := contract.task.event_target):
            requirement = f"a target of kind {kind}, not unit.target.{target} of kind {targets[target].kind}"
            yield f"a {contract.task.kind} task needs {requirement if kind else 'a main table: events give it no outcome'}"
        return
    outcomes = contract.find_columns("outcome")
    if target not in outcomes:
        yield f"task.target {target!r} has no column of role outcome; there are: {', '.join(outcomes) or 'none'}"
    elif isinstance(contract.task, TargetTask):
        yield from contract.task.check_outcome(target, contract.columns[target])
    if contract.task.has_arms and not contract.find_columns("treatment"):
        yield "an uplift task needs a column of role treatment"


def _check_no_outcome(contract: Contract) -> Iterator[str]:
    """A task without an outcome has no outcome column and needs numbers to measure distances by."""
    outcomes = [*contract.find_columns("outcome"), *contract.unit.target]
    if outcomes:
        yield f"a {contract.task.kind} task has no outcome: give {', '.join(outcomes)} the role ignore, with why"
    has_numeric_feature = any(feature.kind != "count_by" for feature in contract.unit.features.values())
    if not has_numeric_feature and not any(c.is_feature and c.role == "numeric" for c in contract.columns.values()):
        yield f"a {contract.task.kind} task needs a column of role numeric, or one of unit.features"


def _check_queries(contract: Contract) -> Iterator[str]:
    """A single query is for a single table."""
    query, tables = contract.source.query, list(contract.tables)
    if isinstance(query, str) and len(tables) > 1:
        yield f"source.query: give one for each table, {', '.join(tables)}"
    if isinstance(query, dict) and set(query) != set(tables):
        yield f"source.query is for {', '.join(query)}; the tables are {', '.join(tables)}"


def _check_dates(contract: Contract) -> Iterator[str]:
    """The date of an outcome and its least count need an outcome of the right kind."""
    for name, column in contract.columns.items():
        if column.dated is not None and (column.role != "outcome" or column.dated not in contract.find_columns("time")):
            times = ", ".join(contract.find_columns("time")) or "none"
            yield f"columns.{name}: dated is for an outcome and names a column of role time; there are: {times}"
    if any(isinstance(rule, MinPositives) for rule in contract.rules) and not contract.task.has_events:
        yield f"rules: min_positives is for a binary task, not for {contract.task.kind}"


def _check_sampling(contract: Contract) -> Iterator[str]:
    rates = contract.sampling.sampling_rate
    if not rates:
        return
    if not contract.task.has_events:
        yield f"sampling is for a binary task, not for {contract.task.kind}"
        return
    codes = contract.outcome.values if contract.outcome is not None else None
    if isinstance(rates, dict) and isinstance(codes, dict) and set(rates) != set(codes):
        yield f"sampling.sampling_rate names {', '.join(rates)}; the outcome's texts are {', '.join(codes)}"


def _check_split(contract: Contract) -> Iterator[str]:
    split = contract.split
    if split.kind == "hash" and split.by == "entity" and contract.entity is None:
        yield "split.by entity needs a column of role entity or id; use by: record"
    if split.kind == "time" and split.order != "record" and split.order not in contract.find_columns("time"):
        times = ", ".join(contract.find_columns("time")) or "none"
        yield f"split.order {split.order!r} is neither record nor a column of role time; there are: {times}"
    yield from _check_numeric_times(contract)
    if split.kind == "column":
        name = contract.find_column("split")
        if name is None:
            yield "split.kind column needs a column of role split"
            return
        values = contract.columns[name].values
        parts = set(values.values() if isinstance(values, dict) else values or ())
        if not parts or parts - _PARTS:
            yield f"columns.{name}: values maps its texts to the parts, {', '.join(sorted(_PARTS))}"


def _check_numeric_times(contract: Contract) -> Iterator[str]:
    """A time that is a number has an order and no date: rows can be split by it, but nothing dated."""
    for name in contract.find_columns("time"):
        is_order = contract.split.kind == "time" and contract.split.order == name
        if contract.columns[name].cell_type in NUMBER and not is_order:
            yield f"columns.{name}: a time of type {contract.columns[name].cell_type} is for split.kind time by it only"
    for table, log in contract.events.items():
        for name, column in log.columns.items():
            if column.role == "time" and column.cell_type in NUMBER:
                yield f"events.{table}.columns.{name}: an event has a date or datetime, not {column.cell_type}"


def _check_names(contract: Contract) -> Iterator[str]:
    columns = contract.columns
    for place, names in (("leakage_suspects", contract.leakage_suspects), ("slices", contract.slices)):
        for name in names:
            yield from check_column(place, columns, name, None)
    if contract.money.amount is not None and contract.money.amount not in contract.unit.features:
        yield from check_column("money.amount", columns, contract.money.amount, NUMBER)
    for name in contract.unit.where:
        yield from check_column("unit.where", columns, name, TEXT)
    for table, (_, table_columns) in contract.tables.items():
        yield from (
            f"{table}: the column name {name!r} is one of our own; a name begins with no _ and is not row_id"
            for name in table_columns
            if name.startswith("_") or name == "row_id"
        )
    for name in contract.unit.features.keys() & columns.keys():
        yield f"unit.features.{name}: a column has this name already"
    for table, log in contract.events.items():
        for name in log.derive:
            if name in log.columns or name.startswith("_"):
                yield f"events.{table}.derive.{name}: a column has this name already, or it begins with _"
