"""The gate section: seed and resamples of a promotion's test (read by an action, so it re-runs no stage)."""

from __future__ import annotations

from pydantic import Field

from perennial.config.base import ParamsSection


class GateParams(ParamsSection):
    seed: int = Field(ge=0, lt=2**31)
    bootstrap: int = Field(ge=100)
    """Resamples of the paired test where no closed form exists."""
