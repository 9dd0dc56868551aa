"""Kernel family for pictures: logistic regression on a Gaussian kernel to some training pictures.

With m landmarks, a row is K(x, landmarks) · K(landmarks, landmarks)^(-1/2) (Nyström; Williams, Seeger 2001). Suffixes: N
rows, D descriptors, M landmarks, O outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perennial.contract.head import Head
from perennial.models.encoding.encode import Encoded
from perennial.models.model import FitTask, read_model, write_model
from perennial.models.traditional.heads import build_targets, compute_link
from perennial.models.traditional.linear import fit_regressions
from perennial.models.traditional.pictures import describe_pictures
from perennial.results.train import FitHistory

F64 = NDArray[np.float64]
_LANDMARKS = 1500
_STRENGTHS = (10.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class KernelModel:
    """`gamma` is the kernel's width: exp(−gamma · squared distance)."""

    head: Head
    columns: int
    gamma: float
    center_D: F64
    scale_D: F64
    landmark_MD: F64
    root_MM: F64
    coef_MO: F64
    intercept_O: F64
    mean_O: F64  # mean link of the training pictures: contributions are relative to it
    history: FitHistory = field(default_factory=FitHistory)

    def link(self, rows: Encoded) -> F64:
        assert rows.pixels_NCSS is not None
        x_ND = (describe_pictures(rows.pixels_NCSS) - self.center_D) / self.scale_D
        near_NM = _kernel_matrix(x_ND, self.landmark_MD, self.gamma) @ self.root_MM
        return compute_link(self.head, near_NM @ self.coef_MO + self.intercept_O)

    def contributions(self, rows: Encoded) -> F64:
        """The whole contribution belongs to the picture, the last column."""
        moved_NO = self.link(rows) - self.mean_O
        out = np.zeros((len(rows), self.columns, moved_NO.shape[1]))
        out[:, -1] = moved_NO
        return out

    def save(self, folder: Path) -> None:
        config = {"head": self.head.model_dump(mode="json"), "columns": self.columns, "gamma": self.gamma}
        write_model(folder, "kernel", config, vars(self))

    @classmethod
    def load(cls, folder: Path) -> KernelModel:
        config, arrays = read_model(folder, "kernel")
        head = Head.model_validate(config["head"])
        return cls(head=head, columns=config["columns"], gamma=config["gamma"], **arrays)


def fit_kernel(task: FitTask) -> KernelModel:
    """Fit C in {10, 100} and return the best by val loss; landmarks are drawn from the training rows."""
    head, pixels_NCSS = task.head, task.train.x.pixels_NCSS
    assert pixels_NCSS is not None
    raw_ND = describe_pictures(pixels_NCSS)
    center_D, scale_D = raw_ND.mean(axis=0), raw_ND.std(axis=0) + 1e-6
    x_ND = (raw_ND - center_D) / scale_D
    gamma = 1 / (x_ND.shape[1] * float(x_ND.var()))
    chosen = np.random.Generator(np.random.PCG64(task.params.seed)).permutation(len(x_ND))[:_LANDMARKS]
    landmark_MD = x_ND[np.sort(chosen)]
    root_MM = _inverse_root(_kernel_matrix(landmark_MD, landmark_MD, gamma))
    near_NM = _kernel_matrix(x_ND, landmark_MD, gamma) @ root_MM
    tried, targets = [], build_targets(head, task.train.y, task.train.arm)
    for strength in _STRENGTHS:
        coef_MO, intercept_O = fit_regressions(near_NM, targets, strength)
        mean_O = compute_link(head, near_NM @ coef_MO + intercept_O).mean(axis=0)
        tried.append(
            KernelModel(
                head=head,
                columns=len(task.encoding.columns),
                gamma=gamma,
                center_D=center_D,
                scale_D=scale_D,
                landmark_MD=landmark_MD,
                root_MM=root_MM,
                coef_MO=coef_MO,
                intercept_O=intercept_O,
                mean_O=mean_O,
                history=FitHistory(settings={"C": strength}),
            )
        )
    return min(tried, key=task.val_loss)


def _kernel_matrix(x_ND: F64, landmark_MD: F64, gamma: float) -> F64:
    distance = (x_ND**2).sum(axis=1)[:, None] + (landmark_MD**2).sum(axis=1) - 2 * x_ND @ landmark_MD.T
    return np.asarray(np.exp(-gamma * np.maximum(distance, 0)))


def _inverse_root(near_MM: F64) -> F64:
    value, vector = np.linalg.eigh(near_MM)
    return np.asarray(vector / np.sqrt(np.maximum(value, 1e-9)) @ vector.T)
