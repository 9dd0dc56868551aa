"""Summary of validate: rows that keep every rule, those that break one, and the audit."""

from __future__ import annotations

from typing import Literal

from perennial.results.summary import DataWarning, StageSummary


class ValidateSummary(StageSummary):
    stage: Literal["validate"] = "validate"
    warnings: tuple[DataWarning, ...]
    quarantine: dict[str, int]
    """Rows by rule."""
    audited: dict[str, int]
    """Expectations of the second opinion, by table."""
