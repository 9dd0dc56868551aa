"""The families of models: their names, the stage that fits each, and how a reader knows them.

To add one: a module in models/traditional, its entry here, and how it is fitted and read in models/families.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal["linear", "boosted", "kernel", "kmeans", "deep", "blend"]
Tone = Literal["blue", "orange", "grey", "ink"]


@dataclass(frozen=True, kw_only=True)
class FamilyEntry:
    """`label` begins a cell of a table, `phrase` stands in a sentence; `traditional` rivals are compared with the deep family."""

    stage: Literal["baseline", "train", "evaluate"]
    label: str
    phrase: str
    traditional: bool = False


FAMILIES: Mapping[Family, FamilyEntry] = {  # the simplest first
    "linear": FamilyEntry(stage="baseline", label="Linear", phrase="the linear model", traditional=True),
    "boosted": FamilyEntry(stage="baseline", label="Boosted trees", phrase="boosted trees", traditional=True),
    "kernel": FamilyEntry(stage="baseline", label="Kernel machine", phrase="a kernel machine", traditional=True),
    "kmeans": FamilyEntry(stage="baseline", label="k-means", phrase="k-means"),
    "deep": FamilyEntry(stage="train", label="Deep network", phrase="the deep network"),
    "blend": FamilyEntry(
        stage="evaluate", label="Deep and trees, blended", phrase="the blend of deep network and trees"
    ),
}
TRADITIONAL: tuple[Family, ...] = tuple(family for family, entry in FAMILIES.items() if entry.traditional)
