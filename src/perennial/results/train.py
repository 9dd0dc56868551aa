"""Summary of train: the deep family and how long it was trained."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.summary import StageSummary


class FittedFamily(Result):
    val_loss: float
    digest: str
    """Of its bundle."""


class EpochLoss(Result):
    """Mean loss of a row of train (with dropout) and of val (without), after `epoch` epochs from 1."""

    epoch: int
    train_loss: float
    val_loss: float


class TrainSummary(StageSummary):
    stage: Literal["train"] = "train"
    families: dict[Family, FittedFamily] = {}
    best_epoch: int = 0
    curve: tuple[EpochLoss, ...] = ()
    weights: int = 0
    dropped: tuple[str, ...] = ()
    """Columns that never vary, so that no model reads them."""
