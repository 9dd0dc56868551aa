"""Summary of split: rows of each part, and the columns that may know too much."""

from __future__ import annotations

from typing import Literal

from perennial.results.summary import StageSummary


class SplitSummary(StageSummary):
    stage: Literal["split"] = "split"
    rate: dict[str, float]
    """The mean outcome of each part; of classes the share of the commonest."""
    leakage_suspects: tuple[str, ...]
    """A sentence for each column that may know too much."""
