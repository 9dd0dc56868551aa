"""Losses: for each scale of link scores the loss of val rows, the way back to scores, and the calibration.

Arrays are link scores and scores (n, outputs), outcomes y (n,) and arms (n,). Training imports this module and not the
tasks, so that an edit of an evaluation marks no training. The losses of the network are in models/deep, what scikit-learn
and LightGBM fit is in models/traditional/heads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax

from perennial.contract.head import Head, Scale

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Line = tuple[float, float]  # slope and shift of a calibrated link
IDENTITY: Line = (1.0, 0.0)
_FOLDS = 5


class Loss(Protocol):
    """What a scale of link scores is learnt by."""

    def inverse(self, link_NO: F64) -> F64:
        """Scores (n, outputs) from link scores."""
        ...

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        """The mean loss of link scores, by which models are compared while they are fitted."""
        ...

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        """Slope and shift of each output, (1, 0) where a calibration does not help."""
        ...


class LogOdds:
    """Whether something happens, by arm: log loss of the row's own arm, calibrated by a logistic line (Platt 1999)."""

    def inverse(self, link_NO: F64) -> F64:
        return np.asarray(expit(link_NO))

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        return log_loss(_own_arm(link_NO, arm_N), y_N)

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        return [_fit_platt(link_NO[arm_N == o, o], y_N[arm_N == o]) for o in range(link_NO.shape[1])]


class ArmAmounts:
    """An amount by arm: squared error of the row's own arm, calibrated by a line where that helps out of fold."""

    def inverse(self, link_NO: F64) -> F64:
        return link_NO

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        return float(np.mean((_own_arm(link_NO, arm_N) - y_N) ** 2))

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        return [_fit_checked_line(link_NO[arm_N == o, o], y_N[arm_N == o]) for o in range(link_NO.shape[1])]


class Classes:
    """One of several classes: log loss, one inverse temperature for all (Guo et al. 2017)."""

    def inverse(self, link_NO: F64) -> F64:
        return np.asarray(softmax(link_NO, axis=1))

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        return _class_loss(link_NO, y_N)

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        return [_fit_temperature(link_NO, y_N)] * link_NO.shape[1]


class Amount:
    """An amount: squared error, calibrated by the straight line of least squares."""

    def inverse(self, link_NO: F64) -> F64:
        return link_NO

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        return float(np.mean((link_NO[:, 0] - y_N) ** 2))

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        return [_fit_line(link_NO[:, 0], y_N)]


class LogAmount:
    """An amount in two parts: the deviance of Poisson, which asks for the right mean only; the shift matches the sums."""

    def inverse(self, link_NO: F64) -> F64:
        return np.exp(link_NO)

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        return float(np.mean(np.exp(link_NO[:, 0]) - y_N * link_NO[:, 0]) / max(y_N.mean(), 1e-9))

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        return [(1.0, float(np.log(max(y_N.sum(), 1e-9) / np.exp(link_NO[:, 0]).sum())))]


class Distance:
    """Segments: the distance to the nearest centre; how far a row belongs to each is not calibrated."""

    def inverse(self, link_NO: F64) -> F64:
        return np.asarray(softmax(link_NO, axis=1))

    def mean(self, link_NO: F64, y_N: F64, arm_N: I64) -> float:
        return -float(np.mean(link_NO.max(axis=1)))

    def calibrate(self, link_NO: F64, y_N: F64, arm_N: I64) -> list[Line]:
        return [IDENTITY] * link_NO.shape[1]


LOSSES: Mapping[Scale, Loss] = {
    "odds": LogOdds(),
    "arm_amounts": ArmAmounts(),
    "classes": Classes(),
    "amount": Amount(),
    "log_amount": LogAmount(),
    "distance": Distance(),
}


def loss_of(head: Head) -> Loss:
    return LOSSES[head.scale]


def log_loss(link_N: F64, y_N: F64) -> float:
    """Mean of log(1 + exp(-link)) on events and log(1 + exp(link)) on the others, without overflow."""
    return float(np.mean(np.logaddexp(0, np.where(y_N == 1, -link_N, link_N))))


def _own_arm(link_NO: F64, arm_N: I64) -> F64:
    return link_NO[np.arange(len(arm_N)), arm_N]


def _class_loss(link_NO: F64, y_N: F64) -> float:
    return -float(np.mean(log_softmax(link_NO, axis=1)[np.arange(len(y_N)), y_N.astype(np.int64)]))


def _fit_platt(link_N: F64, y_N: F64) -> Line:
    """The logistic line where it lowers the cross-validated log loss, else (1, 0)."""
    if min((y_N == 1).sum(), (y_N == 0).sum()) < 2 * _FOLDS:
        return IDENTITY
    out_of_fold = _calibrate_out_of_fold(link_N, y_N, _fit_logistic_line)
    helps = log_loss(out_of_fold, y_N) < log_loss(link_N, y_N)
    return _fit_logistic_line(link_N, y_N) if helps else IDENTITY


def _fit_checked_line(link_N: F64, y_N: F64) -> Line:
    """The line of `_fit_line` where it lowers the cross-validated squared error: rare amounts bend it at will."""
    if len(y_N) < 2 * _FOLDS:
        return IDENTITY
    out_of_fold = _calibrate_out_of_fold(link_N, y_N, _fit_line)
    helps = np.mean((out_of_fold - y_N) ** 2) < np.mean((link_N - y_N) ** 2)
    return _fit_line(link_N, y_N) if helps else IDENTITY


def _calibrate_out_of_fold(link_N: F64, y_N: F64, fit: Callable[[F64, F64], Line]) -> F64:
    """slope·link + shift of each row by the line of the other folds, (n,)."""
    fold = np.arange(len(y_N)) % _FOLDS
    calibrated = np.zeros(len(y_N))
    for f in range(_FOLDS):
        slope, shift = fit(link_N[fold != f], y_N[fold != f])
        calibrated[fold == f] = slope * link_N[fold == f] + shift
    return calibrated


def _fit_logistic_line(link_N: F64, y_N: F64) -> Line:
    def loss(line: F64) -> tuple[float, F64]:
        z = line[0] * link_N + line[1]
        error = expit(z) - y_N
        return log_loss(z, y_N), np.array([np.mean(error * link_N), np.mean(error)])

    slope, shift = minimize(loss, np.array(IDENTITY), jac=True, method="BFGS").x
    return float(slope), float(shift)


def _fit_temperature(link_NO: F64, y_N: F64) -> Line:
    """One inverse temperature for all classes; one number of hundreds of rows needs no cross-validation."""
    optimum = minimize_scalar(lambda slope: _class_loss(slope * link_NO, y_N), bounds=(0.1, 10), method="bounded")
    return float(optimum.x), 0.0


def _fit_line(link_N: F64, y_N: F64) -> Line:
    """The straight line of least squares through amounts, (1, 0) where predictions do not vary."""
    if np.ptp(link_N) == 0:
        return IDENTITY
    slope, shift = np.polyfit(link_N, y_N, 1)
    return float(slope), float(shift)
