"""Summary of featurize: units, and the rows that feed none."""

from __future__ import annotations

from typing import Literal

from perennial.results.summary import StageSummary


class FeaturizeSummary(StageSummary):
    stage: Literal["featurize"] = "featurize"
    units: int
    cutoffs: dict[str, int] = {}
    """Units at each cut-off; none where units are rows of a table."""
