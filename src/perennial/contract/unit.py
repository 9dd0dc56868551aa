"""Unit of the model's table: a row of the main table, or an entity of the events at each cut-off."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from perennial.contract.columns import ContractPart
from perennial.contract.features import Feature, Outcome


class Cutoffs(ContractPart):
    """The dates (start of the day, UTC) as of which a unit is built: only what lies before is known."""

    train: tuple[dt.date, ...] = ()
    """Empty where the customers of one date are split by a hash."""
    test: tuple[dt.date, ...] = Field(min_length=1)
    lookback_dates: tuple[dt.date, ...] = ()
    """To be compared with test, never trained or tested on."""

    @property
    def all(self) -> list[dt.date]:
        return sorted({*self.train, *self.test, *self.lookback_dates})


class Unit(ContractPart):
    """One row of the model's table: a row of the main table, or an entity of the events at each cut-off."""

    rows: Literal["as_is", "entity_by_cutoff"]
    as_of: dt.date | None = None
    where: dict[str, tuple[str, ...]] = {}
    cutoffs: Cutoffs | None = None
    history: Literal["all"] | Annotated[int, Field(ge=1)] = "all"
    """Days before a cut-off from which events count."""
    duplicates: Literal["drop", "keep"]
    target: dict[str, Outcome] = {}
    features: dict[str, Feature] = {}

    @property
    def label_days(self) -> int:
        """Days after a cut-off until its outcome is known."""
        return max((outcome.after_days for outcome in self.target.values()), default=0)
