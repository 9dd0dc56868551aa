"""The families of models: their names, the stage that fits each, and how a reader knows them.

To add one: a module in models/traditional, its entry here, and how it is fitted and read in models/families.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal["linear", "boosted", "kernel", "kmeans", "deep", "blend"]


@dataclass(frozen=True, kw_only=True)
class FamilyEntry:
    """`label` begins a cell of a table, `phrase` stands in a sentence; `traditional` rivals are compared with the deep family."""

    stage: Literal["baseline", "train", "evaluate"]
    label: str
    phrase: str
    traditional: bool = False
    inputs: Literal["all", "tables", "pictures", "no outcome"] = "all"
    """What it is fitted on: any rows, those with pictures or without, or those without an outcome."""
    has_quick_fit: bool = False
    """Whether it is fitted in seconds, so that figures can be out of fold."""


FAMILIES: Mapping[Family, FamilyEntry] = {  # the simplest first
    "linear": FamilyEntry(stage="baseline", label="Linear", phrase="the linear model", traditional=True, has_quick_fit=True),
    "boosted": FamilyEntry(
        stage="baseline", label="Boosted trees", phrase="boosted trees", traditional=True, inputs="tables", has_quick_fit=True
    ),
    "kernel": FamilyEntry(
        stage="baseline", label="Kernel machine", phrase="a kernel machine", traditional=True, inputs="pictures"
    ),
    "kmeans": FamilyEntry(stage="baseline", label="k-means", phrase="k-means", inputs="no outcome"),
    "deep": FamilyEntry(stage="train", label="Deep network", phrase="the deep network"),
    "blend": FamilyEntry(stage="evaluate", label="Deep and trees, blended", phrase="the blend of deep network and trees"),
}
TRADITIONAL: tuple[Family, ...] = tuple(family for family, entry in FAMILIES.items() if entry.traditional)
