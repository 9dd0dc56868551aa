"""Simulated outcomes and predictions of every task, drawn from one truth with as much error as a test asks for.

`error` is the standard deviation of a model's error beside that of the truth it sees: 0.08 is a good model, 1.6 a rough
one, UNRELATED one that predicts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions.messages import CampaignRows
from perennial.evaluation.statistics.choice import Labelled
from perennial.evaluation.statistics.intervals import F64
from perennial.results.families import Family

GOOD, ROUGH, UNRELATED = 0.08, 1.6, 1e6
Labels = NDArray[np.int64]
FAMILIES: tuple[Family, ...] = ("linear", "boosted", "deep", "blend")


def estimates(rng: np.random.Generator, truth: F64, error: float) -> dict[Family, F64]:
    """What each family makes of a standard normal truth of any shape: errors that they share, and some of their own."""
    shared = rng.normal(size=truth.shape)
    return {
        family: (truth + error * (0.97 * shared + 0.25 * rng.normal(size=truth.shape))) / np.sqrt(1 + error**2)
        for family in FAMILIES
    }


@cache
def responses(
    error: float, n: int, seed: int, *, intercept: float = -3.0, slope: float = 1.2, sampling: float = 1.0
) -> tuple[Labelled, F64]:
    """A yes or no for each row, calibrated probabilities, and the probabilities of a model of the same error.

    Of those with a 0 a share of `sampling` is in the rows, each of which then stands for 1 / `sampling`.
    """
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    y = (rng.random(n) < _sigmoid(intercept + slope * truth)).astype(np.float64)
    weight = None if sampling == 1 else np.where(y == 1, 1.0, 1 / sampling)
    fit = slope / np.sqrt(1 + error**2)
    scores = {
        family: _calibrate(intercept + np.log(sampling) + fit * signal, y, weight)
        for family, signal in estimates(rng, truth, error).items()
    }
    other = estimates(rng, truth, error)["boosted"]
    return Labelled(y=y, scores=scores, weight=weight), _calibrate(intercept + fit * other, y, weight)


@cache
def garments(error: float, n: int, seed: int, classes: int, distance: float) -> tuple[Labelled, F64]:
    """One of several classes for each row, as far from another as `distance`, and shares of each class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    truth = rng.normal(size=(n, classes)) + distance * np.eye(classes)[y]
    shares = {
        family: _softmax(distance / np.sqrt(1 + error**2) * signal) for family, signal in estimates(rng, truth, error).items()
    }
    other = _softmax(distance / np.sqrt(1 + error**2) * estimates(rng, truth, error)["boosted"])
    return Labelled(y=y.astype(np.float64), scores=shares), other


@cache
def amounts(error: float, n: int, seed: int, times: float) -> tuple[Labelled, F64]:
    """An amount for each row, 0 for every second one, and predictions `times` as large as is to be expected."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    y = (rng.random(n) < 0.5) * 2 * np.exp(3 + truth) * rng.gamma(4, 0.25, n)
    # the mean of a log-normal amount of whose log a share is known
    share = 1 / (1 + error**2)
    expected = {
        family: times * np.exp(3 + np.sqrt(share) * signal + (1 - share) / 2)
        for family, signal in estimates(rng, truth, error).items()
    }
    other = np.exp(3 + np.sqrt(share) * estimates(rng, truth, error)["boosted"])
    return Labelled(y=y, scores=expected), other


@cache
def campaign(
    error: float, n: int, seed: int, shares: tuple[float, ...], effects: tuple[float, ...], spread: float, is_amount: bool = False
) -> tuple[CampaignRows, F64]:
    """Outcomes of a randomised campaign: the mean effect of each message, `spread` as widely among customers."""
    rng = np.random.default_rng(seed)
    sizes = np.round(np.array(shares) / sum(shares) * n).astype(int)
    arm = rng.permutation(np.repeat(np.arange(len(shares)), sizes))[:n]
    arm = np.concatenate([arm, np.zeros(n - len(arm), np.int64)])
    control, taste = rng.normal(size=n), rng.normal(size=(n, len(effects)))
    if is_amount:  # whom one message moves the other moves too, in proportion
        taste = np.repeat(taste[:, :1], len(effects), axis=1)
    expected = _outcomes(control, taste, effects, spread, is_amount=is_amount)
    mine = np.take_along_axis(expected, arm[:, None], axis=1)[:, 0]
    y = (rng.random(n) < mine).astype(np.float64)
    if is_amount:
        y = (rng.random(n) < 0.3) / 0.3 * mine * rng.gamma(4, 0.25, n)
    scores = {
        family: _outcomes(control, signal, effects, spread, is_amount=is_amount)
        for family, signal in estimates(rng, taste, error).items()
    }
    other = _outcomes(control, estimates(rng, taste, error)["boosted"], effects, spread, is_amount=is_amount)
    return CampaignRows(y=y, arm=arm, scores=scores), other


def _outcomes(control: F64, taste: F64, effects: Sequence[float], spread: float, *, is_amount: bool) -> F64:
    """The outcome to be expected of each customer under each arm, (n, arms)."""
    if is_amount:
        base = 2 + 0.5 * control.clip(-2, 2)
        return np.column_stack([base, base[:, None] + np.array(effects) * np.exp(spread * taste)])
    base = _sigmoid(-2.2 + 0.3 * control)
    return np.column_stack([base, (base[:, None] + np.array(effects) + spread * taste)]).clip(0.002, 0.98)


@cache
def segmentations(
    n: int, seed: int, wrong: tuple[tuple[int, float], ...]
) -> dict[int, tuple[Labels, list[tuple[Labels, Labels]]]]:
    """For each number of segments the labels of `n` customers, and of six pairs of models that err for a share of them."""
    rng = np.random.default_rng(seed)
    by_k = {}
    for k, share in wrong:
        sizes = np.arange(k, 0, -1)
        labels = rng.choice(k, n, p=sizes / sizes.sum()).astype(np.int64)
        models = [np.where(rng.random(n) < share, rng.integers(0, k, n), labels) for _ in range(12)]
        by_k[k] = labels, list(zip(models[::2], models[1::2], strict=True))
    return by_k


def relabelled(rng: np.random.Generator, labels: Labels, stopped_by: str) -> Labels:
    """Three labels by another model: a few are others, or too many, or too many of the first segment."""
    share = 0.3 if stopped_by == "label_retention" else 0.02
    moved = rng.random(len(labels)) < share
    if stopped_by == "segment_retention":
        moved = (labels == 0) & (rng.random(len(labels)) < 0.4)
    return np.where(moved, (labels + 1) % 3, labels)


def _calibrate(link: F64, y: F64, weight: F64 | None) -> F64:
    """Probabilities whose mean is the share of 1."""
    for _ in range(6):
        p = _sigmoid(link)
        rate, mean = np.average(y, weights=weight), np.average(p, weights=weight)
        link = link + np.log(rate / (1 - rate)) - np.log(mean / (1 - mean))
    return _sigmoid(link)


def _sigmoid(link: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-link)))


def _softmax(link: F64) -> F64:
    return np.asarray(np.exp(link) / np.exp(link).sum(axis=1, keepdims=True))
