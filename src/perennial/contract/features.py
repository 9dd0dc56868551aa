"""Features and outcomes made from events: aggregates of a unit as of a date, and its outcome in the days after."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from perennial.contract.columns import ContractPart

Settings = dict[str, bool | int | float | str]  # keyword arguments of a function of the project's own


class Since(ContractPart):
    """Years from the year in column `of`, or days from its date, to the as-of date."""

    kind: Literal["years_since", "days_since"]
    of: str
    label: str | None = None


class OverEvents(ContractPart):
    """An aggregate over the events of a unit before the as-of date."""

    events: str = Field(alias="from")
    where: dict[str, str] = {}
    days: int | None = Field(None, ge=1)
    """Only the last so many days before the as-of date."""
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


class Distinct(OverEvents):
    """The number of different values of column `of`, such as baskets or items."""

    kind: Literal["distinct"]
    of: str


class Per(OverEvents):
    """Events, or the sum of column `of`, for each different value of column `per`; null without one."""

    kind: Literal["per"]
    per: str
    of: str | None = None


class Tenure(OverEvents):
    """Days since the first event; null without one."""

    kind: Literal["tenure"]


class Gap(OverEvents):
    """Median days from one day with an event to the next; null with fewer than three such days."""

    kind: Literal["gap"]


class Overdue(OverEvents):
    """Days since the last event over the unit's own median gap: above 1 it is later than usual. Null as the gap is."""

    kind: Literal["overdue"]


class CustomFeature(OverEvents):
    """A function of the project's own, `src/extensions/features.py`: (days, inside, *, settings) → an aggregate.

    Its arguments are Narwhals expressions over the events before the as-of date: the days from each to that date, and
    whether it counts (`where`, `days`).
    """

    kind: Literal["custom"]
    name: str
    settings: Settings = {}


class CustomRowFeature(ContractPart):
    """A function of the project's own: (*, settings) → a Narwhals expression over the other columns of a row.

    It sees no outcome, no treatment, and no column that is known only after the outcome.
    """

    kind: Literal["custom_row"]
    name: str
    settings: Settings = {}
    label: str | None = None


class Within(ContractPart):
    """An outcome from the events of a unit in the days from the cut-off on."""

    events: str = Field(alias="from")
    where: dict[str, str] = {}
    after_days: int = Field(ge=1)
    label: str | None = None
    """What customers with this outcome do, for the report: "buy again"."""


class AnyWithin(Within):
    """1 where there is such an event, else 0."""

    kind: Literal["any"]


class SumWithin(Within):
    """The sum of column `of`, 0 where there is no such event."""

    kind: Literal["sum"]
    of: str


def columns_of_feature(feature: Since | OverEvents | Within | CustomRowFeature) -> list[str]:
    """The columns that a feature or an outcome reads."""
    inputs = [getattr(feature, key, None) for key in ("of", "by", "per")]
    return [*(name for name in inputs if name is not None), *getattr(feature, "where", {})]


EventFeature = Count | Sum | Mean | Recency | CountBy | Distinct | Per | Tenure | Gap | Overdue | CustomFeature
Outcome = Annotated[AnyWithin | SumWithin, Field(discriminator="kind")]
Feature = Annotated[Since | EventFeature | CustomRowFeature, Field(discriminator="kind")]
