"""Summary of baseline: the traditional families, and what other splits would have shown."""

from __future__ import annotations

from typing import Literal

from perennial.config.baseline import PreviousSegments
from perennial.results.base import Result
from perennial.results.clustering import Agreement
from perennial.results.families import Family
from perennial.results.figures import Interval
from perennial.results.summary import StageSummary
from perennial.results.train import FittedFamily


class SplitSensitivity(Result):
    """The primary metric of one boosted model under other splits (rows) and with leakage suspects (columns).

    A cell is None where a part has too few of an outcome; `reported` is the row and column of what the report shows.
    """

    metric: str
    rows: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    reported: tuple[int, int]
    cells: tuple[tuple[Interval | None, ...], ...]

    @property
    def reported_cell(self) -> Interval | None:
        return self.cells[self.reported[0]][self.reported[1]]


class BaselineSummary(StageSummary):
    stage: Literal["baseline"] = "baseline"
    families: dict[Family, FittedFamily]
    split_sensitivity: SplitSensitivity | None = None
    agreement: dict[int, Agreement] = {}
    """Of segments: by their number, how far halves of the customers agree on val."""
    previous: PreviousSegments | None = None
    """Of segments: what a later fit takes to keep these names."""
