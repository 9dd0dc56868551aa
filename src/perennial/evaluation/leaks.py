"""Columns and outcomes in, what tells too much out. Only proof refuses; below it, a suspect is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PROOF = 0.995  # one-column AUC; honest columns reach .94 (card fraud), so only this much is proof
SUSPECT = 0.85
ENOUGH = 30  # rows of the rarer outcome below which an exact implication may be chance


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A column that tells the outcome by itself: surely (`proven`) or suspiciously well."""

    column: str
    auc: float
    proven: bool
    words: str


def straddling(entities: NDArray[Any], parts: NDArray[Any]) -> list[str]:
    """Entities that occur in more than one part."""
    pairs = np.unique(np.stack([entities.astype(str), parts.astype(str)]), axis=1)
    names, counts = np.unique(pairs[0], return_counts=True)
    return [str(name) for name in names[counts > 1]]


def telling(columns: Mapping[str, NDArray[Any]], y: NDArray[Any]) -> list[Leak]:
    """Leaks among `columns` ((n,) each, numbers or texts) against the 0/1 outcome `y` (n,), the worst first."""
    found = []
    for name, values in columns.items():
        ranked, exact = _by_rate(values, y)
        auc = _auc(y, ranked)
        auc = max(auc, 1 - auc)
        if auc >= PROOF or exact:
            why = "implies the outcome exactly" if exact else f"alone separates the outcome (AUC {auc:.4f})"
            found.append(Leak(column=name, auc=auc, proven=True, words=f"column {name!r} {why}"))
        elif auc >= SUSPECT:
            words = f"column {name!r} alone has AUC {auc:.3f}: is it known before the decision?"
            found.append(Leak(column=name, auc=auc, proven=False, words=words))
    return sorted(found, key=lambda leak: -leak.auc)


def _by_rate(values: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[np.float64], bool]:
    """A score of each value, and whether one common value (or its absence) is the outcome, row for row.

    Numbers score themselves, nulls lowest; texts score by their outcome rate without the row itself, else every rare
    text would seem to know its own outcome.
    """
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        missing = np.isnan(numbers)
        low = np.nanmin(numbers) - 1 if not missing.all() else 0.0
        return np.where(missing, low, numbers), _implies(missing, y)
    codes = np.unique(np.array([("" if v is None else f"={v}") for v in values]), return_inverse=True)[1]
    count, events = np.bincount(codes), np.bincount(codes, weights=y)
    exact = any(_implies(codes == code, y) for code in np.flatnonzero(count >= ENOUGH)[:50])
    rest = np.maximum(count[codes] - 1, 1)
    prior = y.mean()
    return (events[codes] - y + prior * 5) / (rest + 5), exact


def _implies(flag: NDArray[np.bool_], y: NDArray[Any]) -> bool:
    """Whether the flag is exactly the outcome or exactly its opposite, on enough rows."""
    same = bool(np.array_equal(flag, y == 1) or np.array_equal(flag, y == 0))
    return same and min(int((y == 1).sum()), int((y == 0).sum())) >= ENOUGH


def _auc(y: NDArray[Any], score: NDArray[np.float64]) -> float:
    """The Mann-Whitney statistic with ties at one half."""
    ranks = np.searchsorted(np.sort(score), score, "left") + np.searchsorted(np.sort(score), score, "right") + 1
    n1 = int((y == 1).sum())
    n0 = len(y) - n1
    if not n1 or not n0:
        return 0.5
    return float((ranks[y == 1].sum() / 2 - n1 * (n1 + 1) / 2) / (n1 * n0))
