"""Summary of train: the deep family and how long it was trained."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.summary import StageSummary


class StepLoss(Result):
    """Mean loss of a row of train and of val after `step` steps from 1: passes of a network, or rounds of boosting.

    That of a network's train rows is measured as it learns from them, with dropout.
    """

    step: int
    train_loss: float
    val_loss: float


class FitHistory(Result):
    """How a model came to be what it is."""

    settings: dict[str, int | float | str] = {}
    """What the fit chose by val, beside what params say."""
    curve: tuple[StepLoss, ...] = ()
    """Of a family that is fitted step by step."""

    @property
    def best_step(self) -> int:
        """The step of the least loss on val, whose weights were kept; 0 where there were no steps."""
        return min(self.curve, key=lambda step: step.val_loss).step if self.curve else 0


class FittedFamily(FitHistory):
    val_loss: float
    digest: str
    """Of its bundle."""


class TrainSummary(StageSummary):
    stage: Literal["train"] = "train"
    families: dict[Family, FittedFamily] = {}
    weights: int = 0
    dropped: tuple[str, ...] = ()
    """Columns that never vary, so that no model reads them."""
