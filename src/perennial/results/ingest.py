"""Summary of ingest: rows read, cells normalised, records that cannot be read."""

from __future__ import annotations

from typing import Literal

from perennial.results.summary import DataWarning, StageSummary


class IngestSummary(StageSummary):
    stage: Literal["ingest"] = "ingest"
    warnings: tuple[DataWarning, ...]
    normalised: dict[str, dict[str, int]]
    """Cells that were put into normal form, by table and step."""
    quarantine: dict[str, int]
    """Rows by rule."""
