"""The text of a drafted contract: what discovery sets in the contract's own models, in the order in which it is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pydantic import ValidationError

from perennial.config.base import describe_problems
from perennial.contract.columns import Column, ContractPart, Known
from perennial.errors import ContractError

Yaml = None | bool | int | float | str | Sequence["Yaml"] | Mapping[str, "Yaml"]
_ORDER = """
    task source role known kind question rows as_of cutoffs history duplicates target features outcome_verb primary
    minimum zeros ordered files file type unique column columns min max value pattern format sheet values control assignment
    arms cost shares strip decimal thousands null of from in hashed when_missing map nullable days after_days label
    rules derive filters events unit split max_null why soft delimiter encoding quoting skip trim header attach order
    by val_share_of_entities salt fractions train val test sampling leakage_suspects slices money currency
    value_of_response cost_of_contact budget_share
""".split()  # noqa: SIM905 - eighty keys are read better in rows
_ALWAYS = {"kind", "history", "cost", "rules"}  # also where they have their default


def ignored_column(why: str, known: Known = "before_decision") -> Column:
    """A column that no model sees."""
    return Column(role="ignore", known=known, why=why)


@contextmanager
def refuse_invalid(name: str) -> Iterator[None]:
    """Raise a ContractError where a piece of the draft, such as an answer of the user, is none that a contract can have."""
    try:
        yield
    except ValidationError as error:
        raise ContractError(f"{name}: {describe_problems(error)}") from error


def dump_piece(piece: ContractPart) -> dict[str, Yaml]:
    """A piece as the contract's YAML holds it; a field that was not set, or has its default, is left out."""
    values = {name: (getattr(piece, name), field) for name, field in type(piece).model_fields.items()}
    entries = {
        field.alias or name: _dump_value(value)
        for name, (value, field) in values.items()
        if name in piece.model_fields_set and (value != field.default or name in _ALWAYS)
    }
    entries = dict(sorted(entries.items(), key=lambda entry: _ORDER.index(entry[0])))
    for name in entries.keys() & {"min", "max", "value"}:  # a bound is read as 18, not as 18.0
        bound = entries[name]
        entries[name] = int(bound) if isinstance(bound, float) and bound.is_integer() else bound
    if entries.get("role") == "entity" and "null" in entries:  # after what becomes of rows without one
        entries["null"] = entries.pop("null")
    return entries


def _dump_value(value: object) -> Yaml:
    match value:
        case ContractPart():
            return dump_piece(value)
        case Mapping():
            return {str(key): _dump_value(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_dump_value(inner) for inner in value]
        case dt.date():
            return str(value)
        case _:
            assert value is None or isinstance(value, str | int | float)
            return value
