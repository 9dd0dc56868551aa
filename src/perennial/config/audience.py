"""The audience section, which may be left out: how a campaign's control group is drawn, and the columns of its list."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from perennial.config.base import ParamsSection


class AudienceParams(ParamsSection):
    """The command line gives what is left out; the section is read by an action, so it re-runs no stage."""

    control: float | None = Field(None, ge=0, lt=1)
    """Share of those chosen that is held out."""
    min_control: int | None = Field(None, ge=1)
    """Least number of customers held out."""
    explore: float | None = Field(None, ge=0, lt=1)
    """Share of those below the cut that is drawn into the campaign."""
    messages: tuple[str, ...] | None = None
    """Two or more to be randomised among those contacted."""
    columns: tuple[str, ...] | None = None
    """Of the list."""

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.messages is not None and (len(self.messages) < 2 or len(set(self.messages)) < len(self.messages)):
            raise ValueError(f"messages to randomise are two or more different ones, not {', '.join(self.messages)}")
        return self
