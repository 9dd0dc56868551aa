"""How event rows become columns of a unit, as of a date."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from perennial.contract.columns import Frozen


class Since(Frozen):
    """Years from the year in column `of`, or days from its date, to the as-of date."""

    kind: Literal["years_since", "days_since"]
    of: str
    label: str | None = None


class OverEvents(Frozen):
    """What is taken over the events of a unit that lie before the as-of date."""

    events: str = Field(alias="from")
    where: dict[str, str] = {}
    days: int | None = Field(None, ge=1)  # only the last so many days before the as-of date
    label: str | None = None


class Count(OverEvents):
    kind: Literal["count"]


class Sum(OverEvents):
    kind: Literal["sum"]
    of: str


class Mean(OverEvents):
    """Sum over count; null without an event."""

    kind: Literal["mean"]
    of: str


class Recency(OverEvents):
    """Days since the last event; null without one."""

    kind: Literal["recency"]


class CountBy(OverEvents):
    """One count for each declared value of column `by`, named NAME_VALUE."""

    kind: Literal["count_by"]
    by: str


def columns_of(feature: Since | OverEvents) -> list[str]:
    """The columns that a feature reads."""
    named = [getattr(feature, key) for key in ("of", "by") if hasattr(feature, key)]
    return [*named, *getattr(feature, "where", {})]


EventFeature = Count | Sum | Mean | Recency | CountBy
Feature = Annotated[Since | EventFeature, Field(discriminator="kind")]
