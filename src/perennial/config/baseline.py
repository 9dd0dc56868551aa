"""The baseline section: the traditional families."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from perennial.config.base import ParamsSection


class ColumnScale(ParamsSection):
    """The scaling of a number: (log(1 + x) or x, less center) / scale."""

    log: bool
    center: float
    scale: float = Field(gt=0)


class PreviousSegments(ParamsSection):
    """Segments in use, from baseline's summary: a fit starts from their centres and keeps their names."""

    names: tuple[str, ...] = Field(min_length=2)
    columns: dict[str, ColumnScale] = Field(min_length=1)
    centres: tuple[dict[str, float], ...]
    """By column: JSON and YAML keep no order of keys."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(set(self.names)) != len(self.centres):
            raise ValueError(f"{len(self.centres)} centres need as many different names, not {', '.join(self.names)}")
        if any(set(centre) != set(self.columns) for centre in self.centres):
            raise ValueError(f"each centre has a number for each of the columns {', '.join(self.columns)}")
        return self


class SegmentParams(ParamsSection):
    """k-means: `pairs` of split halves are compared (half of them choose k, the others are reported); `starts` of a fit."""

    pairs: int = Field(ge=4)
    starts: int = Field(ge=1)
    previous: PreviousSegments | None = None

    @property
    def choosing(self) -> range:
        return range(self.pairs // 2)

    @property
    def reporting(self) -> range:
        return range(self.pairs // 2, self.pairs)


class BoostedParams(ParamsSection):
    """One setting of the trees, in place of the six that are tried; `perennial tune` proposes it."""

    leaves: int = Field(ge=2)
    """Of a tree."""
    min_rows: int = Field(ge=1)
    """Of a leaf."""
    features: float = Field(gt=0, le=1)
    """Share that a tree may use."""
    l2: float = Field(ge=0)


class BaselineParams(ParamsSection):
    """`trials` is how many of the six boosted settings are tried, best by val; `boosted` is the one used instead.

    `segments` is for a clustering task.
    """

    seed: int = Field(ge=0, lt=2**31)
    trials: int = Field(ge=1, le=6)
    rounds: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    threads: int = Field(ge=1)
    boosted: BoostedParams | None = None
    segments: SegmentParams | None = None
