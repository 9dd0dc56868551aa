"""The evaluate section: intervals and resampling."""

from __future__ import annotations

from pydantic import Field

from perennial.config.base import ParamsSection


class EvaluateParams(ParamsSection):
    seed: int = Field(ge=0, lt=2**31)
    bootstrap: int = Field(ge=100)
    placebos: int = Field(ge=0)
    """Shuffled-treatment repetitions, for uplift."""
    purchase_clusters: int | None = Field(None, ge=2)
    """Groups of customers by what they buy, beside segments."""
