"""The audience section, which may be left out: how a campaign's control group is drawn, and what its list holds."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from perennial.config.base import ParamsSection


class AudienceParams(ParamsSection):
    """What is left out is for the command line to say; it is read by an action, so it re-runs no stage."""

    control: float | None = Field(None, ge=0, lt=1)
    """Share of those chosen that is held back."""
    min_control: int | None = Field(None, ge=1)
    """Customers held back, where the share would give fewer."""
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
