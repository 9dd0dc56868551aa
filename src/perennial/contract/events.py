"""Event table: its columns and rules, columns derived from others, and filters that leave rows out."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from perennial.contract.columns import Bound, Column, ContractPart, check_pattern
from perennial.contract.rules import Rule

_TAKEN = {"kept", "duplicate"}  # where else a row may go in clean


class Product(ContractPart):
    """The product of two numbers of a row, such as quantity and price; null where one of them is."""

    kind: Literal["product"]
    of: tuple[str, str]


class _Filter(ContractPart):
    why: str | None = Field(None, min_length=1)
    """The reason for which its rows are left out."""

    @field_validator("why")
    @classmethod
    def _another_word(cls, why: str | None) -> str | None:
        if why in _TAKEN:
            raise ValueError(f"why: {why} is a word of ours, say it otherwise")
        return why


class NotMatch(_Filter):
    r"""Leaves out rows whose text matches; the pattern begins with \A and may end before the text does."""

    kind: Literal["not_match"]
    column: str
    pattern: Annotated[str, AfterValidator(partial(check_pattern, whole=False))]


class Above(_Filter):
    """Leaves out rows in which a number is not above `value`."""

    kind: Literal["above"]
    columns: tuple[str, ...] = Field(min_length=1)
    value: Bound


Filter = Annotated[NotMatch | Above, Field(discriminator="kind")]


class EventTable(ContractPart):
    """A table of events that belong to the units by their entity column."""

    files: str | None = None
    """The pattern of its files; without a main table, one event table may use `source.files` instead."""
    columns: dict[str, Column]
    rules: tuple[Rule, ...] = ()
    derive: dict[str, Product] = {}
    filters: tuple[Filter, ...] = ()

    @property
    def all_columns(self) -> dict[str, Column]:
        """Its columns after clean, the derived ones last."""
        return self.columns | {name: Column(role="numeric", type="decimal") for name in self.derive}

    def find_column(self, role: str) -> str:
        """The column of a role that each event table has exactly once: entity, time."""
        return next(name for name, column in self.columns.items() if column.role == role)
