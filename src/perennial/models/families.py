"""Families in code: how each is read from a bundle and, the traditional ones, fitted.

What a family is called and when it is fitted is in results/families.py. Each library is imported for its own family only:
a linear score needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perennial.models.encoding.encode import Encoded, Encoding
from perennial.models.model import FitTask, Model
from perennial.results.families import FAMILIES, Family


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


def load_model(family: Family, folder: Path, encoding: Encoding) -> Model:
    """Read a model of a family back from the folder of its bundle."""
    return _LOADERS[family](folder, encoding)


def fit_model(family: Family, task: FitTask) -> Model:
    """Fit a family of the baseline stage that learns from outcomes, the best of its settings by val."""
    return _FITS[family](task)


def _load_linear(folder: Path, encoding: Encoding) -> Model:
    from perennial.models.traditional.linear import LinearModel

    return LinearModel.load(folder, encoding)


def _fit_linear(task: FitTask) -> Model:
    from perennial.models.traditional.linear import fit_linear

    return fit_linear(task)


def _load_boosted(folder: Path, encoding: Encoding) -> Model:
    from perennial.models.traditional.boosted import BoostedModel

    return BoostedModel.load(folder, encoding)


def _fit_boosted(task: FitTask) -> Model:
    from perennial.models.traditional.boosted import fit_boosted

    return fit_boosted(task)


def _load_kernel(folder: Path, encoding: Encoding) -> Model:  # noqa: ARG001 (called alike)
    from perennial.models.traditional.kernel import KernelModel

    return KernelModel.load(folder)


def _fit_kernel(task: FitTask) -> Model:
    from perennial.models.traditional.kernel import fit_kernel

    return fit_kernel(task)


def _load_kmeans(folder: Path, encoding: Encoding) -> Model:
    from perennial.models.traditional.kmeans import KMeansModel

    return KMeansModel.load(folder, encoding)


def _load_deep(folder: Path, encoding: Encoding) -> Model:  # noqa: ARG001 (called alike)
    from perennial.models.deep.model import DeepModel

    return DeepModel.load(folder)


def _load_blend(folder: Path, encoding: Encoding) -> Model:
    members: list[Family] = [member for member in FAMILIES if (folder / member).is_dir()]
    return BlendModel(members={member: load_model(member, folder / member, encoding) for member in members})


_LOADERS: Mapping[Family, Callable[[Path, Encoding], Model]] = {
    "linear": _load_linear, "boosted": _load_boosted, "kernel": _load_kernel, "kmeans": _load_kmeans, "deep": _load_deep,
    "blend": _load_blend,
}  # fmt: skip
_FITS: Mapping[Family, Callable[[FitTask], Model]] = {
    "linear": _fit_linear, "boosted": _fit_boosted, "kernel": _fit_kernel,
}  # fmt: skip
