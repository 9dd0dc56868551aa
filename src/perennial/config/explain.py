"""The explain section: how many rows are explained, and how finely."""

from __future__ import annotations

from pydantic import Field

from perennial.config.base import Section


class ExplainParams(Section):
    seed: int = Field(ge=0, lt=2**31)
    rows: int = Field(ge=1)  # of test, for global importance
    draws: int = Field(ge=2)  # of expected gradients, a row
    reasons: int = Field(ge=1, le=10)  # told for each row
