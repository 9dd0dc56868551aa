"""Link scores and outcomes of val in, a calibration that is only used where it helps out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax

from perennial.contract.serving import Head

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """score = f(slope·link + shift) for each output; 1 and 0 change nothing.

    f is the logistic function for odds (Platt 1999), softmax for classes (one slope, the inverse temperature of Guo et
    al. 2017) and, as it is, for segments, exp for an amount in two parts (the shift makes the sum of scores that of
    amounts), nothing for an amount.
    """

    head: Head
    slope_O: F64
    shift_O: F64

    def score(self, link_NO: F64) -> F64:
        out: F64 = _inverse(self.head, link_NO * self.slope_O + self.shift_O)
        return out

    def as_json(self) -> dict[str, Any]:
        told = {"slope_O": self.slope_O.tolist(), "shift_O": self.shift_O.tolist()}
        return {"head": self.head.model_dump(mode="json"), **told}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Calibration:
        head = Head.model_validate(told["head"])
        return cls(head=head, slope_O=np.array(told["slope_O"]), shift_O=np.array(told["shift_O"]))


def calibrate(head: Head, link_NO: F64, y_N: F64, arm_N: I64) -> Calibration:
    """What `Calibration` says, kept only where it lowers the loss of rows it was not fitted on, by cross-validation.

    Odds of a sample are made those of the population (`head.prior`) after that.
    """
    n = len(head.outputs)
    match head.task:
        case "uplift" if head.amounts:
            pairs = [_checked_line(link_NO[arm_N == o, o], y_N[arm_N == o]) for o in range(n)]
        case "binary" | "uplift":
            pairs = [_platt(link_NO[arm_N == o, o], y_N[arm_N == o]) for o in range(n)]
        case "multiclass":
            pairs = [_temperature(link_NO, y_N)] * n
        case "regression" if head.two_part:
            pairs = [(1.0, float(np.log(max(y_N.sum(), 1e-9) / np.exp(link_NO[:, 0]).sum())))]
        case "regression":
            pairs = [_line(link_NO[:, 0], y_N)]
        case "clustering":
            pairs = [(1.0, 0.0)] * link_NO.shape[1]
        case _:
            assert_never(head.task)
    slope, shift = np.array(pairs).T
    return Calibration(head=head, slope_O=slope, shift_O=shift + head.prior)


def link_loss(head: Head, link_NO: F64, y_N: F64, arm_N: I64) -> float:
    """What families of models are compared by while they are fitted: the mean loss of link scores on val.

    The log loss of odds (of the arm that was drawn) and of classes; the squared error of an amount (likewise); of one in
    two parts the deviance of Poisson, which asks for the right mean only; of segments the distance to the nearest centre.
    """
    match head.task:
        case "uplift" if head.amounts:
            return float(np.mean((link_NO[np.arange(len(y_N)), arm_N] - y_N) ** 2))
        case "binary" | "uplift":
            return log_loss(link_NO[np.arange(len(y_N)), arm_N], y_N)
        case "multiclass":
            return _class_loss(link_NO, y_N)
        case "regression" if head.two_part:
            return float(np.mean(np.exp(link_NO[:, 0]) - y_N * link_NO[:, 0]) / max(y_N.mean(), 1e-9))
        case "regression":
            return float(np.mean((link_NO[:, 0] - y_N) ** 2))
        case "clustering":
            return -float(np.mean(link_NO.max(axis=1)))
        case _:
            assert_never(head.task)


def log_loss(link_N: F64, y_N: F64) -> float:
    """Mean of log(1 + exp(-link)) on events and log(1 + exp(link)) on the others, without overflow."""
    return float(np.mean(np.logaddexp(0, np.where(y_N == 1, -link_N, link_N))))


def _inverse(head: Head, z_NO: F64) -> F64:
    match head.task:
        case "uplift" if head.amounts:
            return z_NO
        case "binary" | "uplift":
            return np.asarray(expit(z_NO))
        case "multiclass" | "clustering":
            return np.asarray(softmax(z_NO, axis=1))
        case "regression":
            return np.exp(z_NO) if head.two_part else z_NO
        case _:
            assert_never(head.task)


def _class_loss(link_NO: F64, y_N: F64) -> float:
    return -float(np.mean(log_softmax(link_NO, axis=1)[np.arange(len(y_N)), y_N.astype(np.int64)]))


def _platt(link_N: F64, y_N: F64) -> tuple[float, float]:
    """The two numbers where they lower the cross-validated log loss, else (1, 0)."""
    if min((y_N == 1).sum(), (y_N == 0).sum()) < 2 * _FOLDS:
        return 1.0, 0.0
    held = _out_of_fold(link_N, y_N, _platt_fit)
    return _platt_fit(link_N, y_N) if log_loss(held, y_N) < log_loss(link_N, y_N) else (1.0, 0.0)


def _checked_line(link_N: F64, y_N: F64) -> tuple[float, float]:
    """The line of `_line` where it lowers the cross-validated squared error: rare amounts bend it at will."""
    if len(y_N) < 2 * _FOLDS:
        return 1.0, 0.0
    held = _out_of_fold(link_N, y_N, _line)
    helps = np.mean((held - y_N) ** 2) < np.mean((link_N - y_N) ** 2)
    return _line(link_N, y_N) if helps else (1.0, 0.0)


def _out_of_fold(link_N: F64, y_N: F64, fit: Callable[[F64, F64], tuple[float, float]]) -> F64:
    """slope·link + shift of each row by the two numbers of the other folds, (n,)."""
    fold = np.arange(len(y_N)) % _FOLDS
    held = np.zeros(len(y_N))
    for f in range(_FOLDS):
        slope, shift = fit(link_N[fold != f], y_N[fold != f])
        held[fold == f] = slope * link_N[fold == f] + shift
    return held


def _platt_fit(link_N: F64, y_N: F64) -> tuple[float, float]:
    def loss(pair: F64) -> tuple[float, F64]:
        z = pair[0] * link_N + pair[1]
        error = expit(z) - y_N
        return log_loss(z, y_N), np.array([np.mean(error * link_N), np.mean(error)])

    slope, shift = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS").x
    return float(slope), float(shift)


def _temperature(link_NO: F64, y_N: F64) -> tuple[float, float]:
    """One inverse temperature for all classes; one number of hundreds of rows needs no cross-validation."""
    found = minimize_scalar(lambda slope: _class_loss(slope * link_NO, y_N), bounds=(0.1, 10), method="bounded")
    return float(found.x), 0.0


def _line(link_N: F64, y_N: F64) -> tuple[float, float]:
    """The straight line of least squares through amounts, (1, 0) where predictions do not vary."""
    if np.ptp(link_N) == 0:
        return 1.0, 0.0
    slope, shift = np.polyfit(link_N, y_N, 1)
    return float(slope), float(shift)
