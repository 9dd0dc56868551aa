"""What a model of every family can do, and the blend of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from perennial.models.encoding.encode import Encoded
from perennial.results.families import Family


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
