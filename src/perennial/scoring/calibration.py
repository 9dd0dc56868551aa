"""Calibration: from the link scores of a model to scores that mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.contract.head import Head
from perennial.tasks.losses import loss_of

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """score = f(slope·link + shift) for each output, f the inverse of the head's link; 1 and 0 change nothing."""

    head: Head
    slope_O: F64
    shift_O: F64

    def score(self, link_NO: F64) -> F64:
        return loss_of(self.head).inverse(link_NO * self.slope_O + self.shift_O)

    # JSON of calibration.json, with the head as the contract dumps it
    def as_json(self) -> dict[str, Any]:
        lines = {"slope_O": self.slope_O.tolist(), "shift_O": self.shift_O.tolist()}
        return {"head": self.head.model_dump(mode="json"), **lines}

    @classmethod
    def from_json(cls, payload: dict[str, Any]) -> Calibration:
        head = Head.model_validate(payload["head"])
        return cls(head=head, slope_O=np.array(payload["slope_O"]), shift_O=np.array(payload["shift_O"]))


def calibrate(head: Head, link_NO: F64, y_N: F64, arm_N: I64) -> Calibration:
    """Fit a calibration on val; odds of a sample are made those of the population (`head.prior`) after that."""
    slope, shift = np.array(loss_of(head).calibrate(link_NO, y_N, arm_N)).T
    return Calibration(head=head, slope_O=slope, shift_O=shift + head.prior)
