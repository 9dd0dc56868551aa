"""The deep model and its rival of one encoding in, their mean on the link scale out: a family that fits nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perennial.data.encode import Encoded

if TYPE_CHECKING:
    from perennial.scoring.bundle import Family, Model


@dataclass(frozen=True, kw_only=True)
class BlendModel:
    """Members by family, each saved in a folder of its own."""

    members: Mapping[Family, Model]

    def link(self, rows: Encoded) -> NDArray[np.float64]:
        return np.asarray(np.mean([member.link(rows) for member in self.members.values()], axis=0))

    def save(self, folder: Path) -> None:
        for family, member in self.members.items():
            (folder / family).mkdir(parents=True, exist_ok=True)
            member.save(folder / family)
