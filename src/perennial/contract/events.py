"""What an event table holds beside its cells: columns derived from others, and which of its rows are left out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from perennial.contract.columns import Bound, Frozen, portable

_TAKEN = {"kept", "duplicate"}  # where else a row may go in clean


class Product(Frozen):
    """The product of two numbers of a row, such as what a line costs; null where one of them is."""

    kind: Literal["product"]
    of: tuple[str, str]


class _Filter(Frozen):
    why: str | None = Field(None, min_length=1)
    """What the rows are that it takes out."""

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
    pattern: str

    @field_validator("pattern")
    @classmethod
    def _portable(cls, pattern: str) -> str:
        return portable(pattern, whole=False)


class Above(_Filter):
    """Leaves out rows in which a number is not above `value`."""

    kind: Literal["above"]
    columns: tuple[str, ...] = Field(min_length=1)
    value: Bound


Filter = Annotated[NotMatch | Above, Field(discriminator="kind")]


def columns_of_filter(rule: NotMatch | Above) -> tuple[str, ...]:
    """The columns that a filter reads."""
    return rule.columns if isinstance(rule, Above) else (rule.column,)
