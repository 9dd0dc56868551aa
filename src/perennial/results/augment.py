"""Summary of augment: how many draws an epoch has."""

from __future__ import annotations

from typing import Literal

from perennial.results.summary import StageSummary


class AugmentSummary(StageSummary):
    stage: Literal["augment"] = "augment"
    rows: int
    draws: int
    """Of an epoch."""
