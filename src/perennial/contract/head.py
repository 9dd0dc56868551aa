"""Head of a model: the task it answers, the names of its scores, and the scale that they are learnt on."""

from __future__ import annotations

from typing import Literal

from perennial.contract.columns import ContractPart

TaskKind = Literal["binary", "multiclass", "regression", "uplift", "clustering"]
Scale = Literal["odds", "classes", "amount", "arm_amounts", "log_amount", "distance"]


class Head(ContractPart):
    """What a model predicts: its task and the names of its scores (classes, arms with the control first, else one).

    Segments get their names after the fit. `amounts`: scores of an uplift task are amounts, not probabilities.

    `prior` is ln(rate_0 / rate_1), which turns odds of the sample into those of the population; 0 without sampling.
    """

    task: TaskKind
    outputs: tuple[str, ...]
    two_part: bool = False
    amounts: bool = False
    prior: float = 0.0

    @property
    def raw(self) -> int:
        """The number of raw outputs of a model: two for an amount in two parts."""
        return 2 if self.two_part else len(self.outputs)

    @property
    def scale(self) -> Scale:
        """The scale of the link scores, by which losses, calibrations and fits are chosen.

        odds: log odds, one an arm; classes: log shares; amount, or one an arm; log_amount: the logarithm of an amount in
        two parts; distance: how near a segment is.
        """
        if self.two_part:
            return "log_amount"
        if self.amounts:
            return "arm_amounts"
        return _SCALES[self.task]


_SCALES: dict[TaskKind, Scale] = {
    "binary": "odds",
    "uplift": "odds",
    "multiclass": "classes",
    "regression": "amount",
    "clustering": "distance",
}
