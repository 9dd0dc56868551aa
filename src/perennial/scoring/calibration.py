"""Link scores and outcomes of val in, a calibration that is only used where it helps out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

F64 = NDArray[np.float64]
_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """probability = 1 / (1 + exp(-(slope·link + shift))) for each output (Platt 1999); 1 and 0 change nothing."""

    slope_O: F64
    shift_O: F64

    def probability(self, link_NO: F64) -> F64:
        out: F64 = expit(link_NO * self.slope_O + self.shift_O)
        return out

    def as_json(self) -> dict[str, Any]:
        return {"slope_O": self.slope_O.tolist(), "shift_O": self.shift_O.tolist()}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Calibration:
        return cls(slope_O=np.array(told["slope_O"]), shift_O=np.array(told["shift_O"]))


def calibrate(link_NO: F64, y_N: F64, arm_N: NDArray[np.int64]) -> Calibration:
    """Platt's two numbers for each output, kept only where they lower the cross-validated log loss on its own rows."""
    pairs = [_fitted_where_it_helps(link_NO[arm_N == o, o], y_N[arm_N == o]) for o in range(link_NO.shape[1])]
    return Calibration(slope_O=np.array([a for a, _ in pairs]), shift_O=np.array([b for _, b in pairs]))


def log_loss(link_N: F64, y_N: F64) -> float:
    """Mean of log(1 + exp(-link)) on events and log(1 + exp(link)) on the others, without overflow."""
    return float(np.mean(np.logaddexp(0, np.where(y_N == 1, -link_N, link_N))))


def _fitted_where_it_helps(link_N: F64, y_N: F64) -> tuple[float, float]:
    if min((y_N == 1).sum(), (y_N == 0).sum()) < 2 * _FOLDS:
        return 1.0, 0.0
    fold = np.arange(len(y_N)) % _FOLDS
    held = np.zeros(len(y_N))
    for f in range(_FOLDS):
        slope, shift = _platt(link_N[fold != f], y_N[fold != f])
        held[fold == f] = slope * link_N[fold == f] + shift
    return _platt(link_N, y_N) if log_loss(held, y_N) < log_loss(link_N, y_N) else (1.0, 0.0)


def _platt(link_N: F64, y_N: F64) -> tuple[float, float]:
    def loss(pair: F64) -> tuple[float, F64]:
        z = pair[0] * link_N + pair[1]
        error = expit(z) - y_N
        return log_loss(z, y_N), np.array([np.mean(error * link_N), np.mean(error)])

    slope, shift = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    return float(slope), float(shift)
