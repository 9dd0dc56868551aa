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


@dataclass(frozen=True, kw_only=True)
class FamilyCode:
    """How a family is read from the folder of its bundle and, one of the baseline stage that learns from outcomes, fitted."""

    load: Callable[[Path, Encoding], Model]
    fit: Callable[[FitTask], Model] | None = None


def load_model(family: Family, folder: Path, encoding: Encoding) -> Model:
    return _CODE[family]().load(folder, encoding)


def fit_model(family: Family, task: FitTask) -> Model:
    """Fit a family, the best of its settings by val."""
    fit = _CODE[family]().fit
    assert fit is not None, f"{family} is not fitted by the baseline stage"
    return fit(task)


def _linear() -> FamilyCode:
    from perennial.models.traditional.linear import LinearModel, fit_linear

    return FamilyCode(load=LinearModel.load, fit=fit_linear)


def _boosted() -> FamilyCode:
    from perennial.models.traditional.boosted import BoostedModel, fit_boosted

    return FamilyCode(load=BoostedModel.load, fit=fit_boosted)


def _kernel() -> FamilyCode:
    from perennial.models.traditional.kernel import KernelModel, fit_kernel

    return FamilyCode(load=lambda folder, _: KernelModel.load(folder), fit=fit_kernel)


def _kmeans() -> FamilyCode:
    from perennial.models.traditional.kmeans import KMeansModel

    return FamilyCode(load=KMeansModel.load)


def _deep() -> FamilyCode:
    from perennial.models.deep.model import DeepModel

    return FamilyCode(load=lambda folder, _: DeepModel.load(folder))


def _load_blend(folder: Path, encoding: Encoding) -> BlendModel:
    members: list[Family] = [member for member in FAMILIES if (folder / member).is_dir()]
    return BlendModel(members={member: load_model(member, folder / member, encoding) for member in members})


_CODE: Mapping[Family, Callable[[], FamilyCode]] = {
    "linear": _linear,
    "boosted": _boosted,
    "kernel": _kernel,
    "kmeans": _kmeans,
    "deep": _deep,
    "blend": lambda: FamilyCode(load=_load_blend),
}
