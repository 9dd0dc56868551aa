"""Heads of the traditional families: the fits that a task needs, and link scores from their raw numbers.

A model computes raw numbers (n, R): log odds or an amount (one, or one an arm), log shares of classes; or, for an
amount in two parts, the log odds that there is any and the logarithm of how much. Their link scores are (n, O).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from perennial.contract.head import Head

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
FitKind = Literal["odds", "classes", "amount"]


@dataclass(frozen=True, kw_only=True)
class FitTarget:
    """One fit of a family: the kind of prediction, its rows (a mask), and their values."""

    kind: FitKind
    rows: NDArray[np.bool_]
    y: F64


def build_targets(head: Head, y: F64, arm: I64) -> list[FitTarget]:
    """Build the fits of a head, in the order of its raw numbers (classes are one fit)."""
    everyone = np.ones(len(y), dtype=np.bool_)
    match head.scale:
        case "odds" | "arm_amounts":
            kind: FitKind = "odds" if head.scale == "odds" else "amount"
            return [FitTarget(kind=kind, rows=arm == o, y=y[arm == o]) for o in range(len(head.outputs))]
        case "classes":
            return [FitTarget(kind="classes", rows=everyone, y=y)]
        case "log_amount":
            is_any = y > 0
            sizes = FitTarget(kind="amount", rows=is_any, y=np.log(y[is_any]))
            return [FitTarget(kind="odds", rows=everyone, y=is_any.astype(np.float64)), sizes]
        case "amount":
            return [FitTarget(kind="amount", rows=everyone, y=y)]
        case "distance":
            return []
        case _:
            assert_never(head.scale)


def compute_link(head: Head, raw_NR: F64) -> F64:
    """Compute link scores (n, O): classes as log shares, two parts as the logarithm of the expected amount."""
    if head.scale == "classes":
        return np.asarray(raw_NR - logsumexp(raw_NR, axis=1, keepdims=True))
    if head.two_part:
        return np.asarray(-np.logaddexp(0, -raw_NR[:, :1]) + raw_NR[:, 1:])
    return raw_NR


def link_contributions(head: Head, parts_NGR: F64, raw_NR: F64, base_R: F64) -> F64:
    """Turn parts of the raw numbers into additive parts (n, columns, O) of link − link at `base_R`."""
    if head.scale == "classes":
        return np.asarray(parts_NGR - parts_NGR.mean(axis=2, keepdims=True))
    if not head.two_part:
        return parts_NGR
    moved = raw_NR[:, 0] - base_R[0]
    log_share = -np.logaddexp(0, -raw_NR[:, 0]) + np.logaddexp(0, -base_R[0])
    slope = np.divide(log_share, moved, out=1 - 1 / (1 + np.exp(-raw_NR[:, 0])), where=np.abs(moved) > 1e-9)
    return np.asarray(parts_NGR[:, :, :1] * slope[:, None, None] + parts_NGR[:, :, 1:])


def sum_by_column(parts_NJ: F64, owner_J: Sequence[int], n_columns: int) -> F64:
    """Add up the parts of design columns over the columns that they belong to, (n, columns)."""
    out = np.zeros((len(parts_NJ), n_columns))
    for j, owner in enumerate(owner_J):
        out[:, owner] += parts_NJ[:, j]
    return out
