"""The families of models: their names, the stage that fits each, and what every one of them can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from perennial.models.encoding.encode import Encoded

Family = Literal["linear", "boosted", "kernel", "kmeans", "deep", "blend"]
FAMILIES: tuple[Family, ...] = ("linear", "boosted", "kernel", "kmeans", "deep", "blend")  # the simplest first
STAGE_OF: dict[Family, str] = {
    "linear": "baseline", "boosted": "baseline", "kernel": "baseline", "kmeans": "baseline", "deep": "train",
    "blend": "evaluate",
}  # fmt: skip


class Model(Protocol):
    """What every family can do: link scores (n, outputs), and write itself."""

    def link(self, rows: Encoded) -> NDArray[np.float64]: ...

    def save(self, folder: Path) -> None: ...


@runtime_checkable
class Additive(Model, Protocol):
    """A model whose link scores are exact sums of parts (n, columns, outputs) of its columns."""

    def contributions(self, rows: Encoded) -> NDArray[np.float64]: ...


@dataclass(frozen=True, kw_only=True)
class BlendModel:
    """The mean of its members on the link scale: a family that fits nothing. Each member is saved in a folder of its own."""

    members: Mapping[Family, Model]

    def link(self, rows: Encoded) -> NDArray[np.float64]:
        return np.asarray(np.mean([member.link(rows) for member in self.members.values()], axis=0))

    def save(self, folder: Path) -> None:
        for family, member in self.members.items():
            (folder / family).mkdir(parents=True, exist_ok=True)
            member.save(folder / family)
