"""Summary of clean: rows without declared duplicates and filtered events."""

from __future__ import annotations

from typing import Literal

from perennial.results.summary import StageSummary


class CleanSummary(StageSummary):
    stage: Literal["clean"] = "clean"
