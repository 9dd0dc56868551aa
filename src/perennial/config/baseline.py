"""The baseline section: the traditional families."""

from __future__ import annotations

from pydantic import Field

from perennial.config.base import Section


class BaselineParams(Section):
    """`trials` is how many of the six boosted settings are tried, best by val."""

    seed: int = Field(ge=0, lt=2**31)
    trials: int = Field(ge=1, le=6)
    rounds: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    threads: int = Field(ge=1)
