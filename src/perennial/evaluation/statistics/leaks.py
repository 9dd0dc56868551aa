"""Leaks: columns that give the outcome away. Only proof refuses; below it, a suspect is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.metrics import measure

PROOF = 0.995  # one-column AUC; honest columns reach .94 (card fraud), so only this much is proof
SUSPECT = 0.85
FEWEST = 10  # rows of the rarer outcome under which a perfect column may be luck
ENOUGH = 30  # rows of a value before "always" is worth a word: by luck at most .5 ** 30
_FEW = 50  # different numbers up to which each is also looked at as a code


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A column that tells the outcome by itself: surely (`proven`) or suspiciously well."""

    column: str
    auc: float
    proven: bool
    words: str


def find_shared_entities(entities: NDArray[Any], parts: NDArray[Any], among: Sequence[str] | None = None) -> list[str]:
    """Entities that occur in more than one part, in order; only `among` some parts, where the others are other times."""
    if among is not None:
        looked_at = np.isin(parts.astype(str), list(among))
        entities, parts = entities[looked_at], parts[looked_at]
    names, entity = np.unique(entities.astype(str), return_inverse=True)
    part = np.unique(parts.astype(str), return_inverse=True)[1]
    pairs = np.unique(np.stack([entity, part], axis=1), axis=0)
    return [str(name) for name in names[np.bincount(pairs[:, 0], minlength=len(names)) > 1]]


def count_reaching_into_test(cutoffs: NDArray[Any], label_ends: NDArray[Any], parts: NDArray[Any]) -> int:
    """How many units of train and val have an outcome that lies, in part, in the time of the test (dates (n,))."""
    is_test = parts.astype(str) == "test"
    if not is_test.any():
        return 0
    return int((label_ends[~is_test] > cutoffs[is_test].min()).sum())


def binary_questions(y: NDArray[np.float64], *, is_class: bool) -> list[NDArray[np.float64]]:
    """The yes-or-no questions (n,) that an outcome answers: itself, each class or not, more than most, any at all."""
    if is_class:
        return [(y == c).astype(np.float64) for c in np.unique(y)]
    if np.isin(y, (0, 1)).all():
        return [y]
    return [(y > np.median(y)).astype(np.float64), (y > 0).astype(np.float64)]


def find_leaks(columns: Mapping[str, NDArray[Any]], questions: Sequence[NDArray[np.float64]]) -> list[Leak]:
    """The worst leak of each column, (n,) numbers or texts, over all questions (0/1, (n,)), the worst column first."""
    questions = [y for y in questions if min((y == 1).sum(), (y == 0).sum()) >= FEWEST]
    leaks = [leak for y in questions for name, values in columns.items() if (leak := _leak(name, values, y)) is not None]
    worst: dict[str, Leak] = {}
    for leak in sorted(leaks, key=lambda leak: (not leak.proven, -leak.auc)):
        worst.setdefault(leak.column, leak)
    return list(worst.values())


def _leak(name: str, values: NDArray[Any], y: NDArray[np.float64]) -> Leak | None:
    codes, labels = codes_of(values)
    auc = auc_of_numbers(values, y) if values.dtype.kind in "fiub" else 0.5
    if values.dtype.kind not in "fiub" or len(labels) <= _FEW:
        auc = max(auc, _auc_of_codes(codes, y))
    if auc >= PROOF:
        words = f"column {name!r} alone separates the outcome (AUC {auc:.4f})"
        return Leak(column=name, auc=auc, proven=True, words=words)
    if auc >= SUSPECT:
        words = f"column {name!r} alone has AUC {auc:.3f}: is it known before the decision?"
        return Leak(column=name, auc=auc, proven=False, words=words)
    pure = _always(codes, y)
    if pure is None:
        return None
    code, outcome, rows = pure
    cell = "an empty cell" if labels[code] is None else f"the value {labels[code]!r}"
    words = f"column {name!r}: {cell} always goes with outcome {outcome} ({rows} rows): is it known in time?"
    return Leak(column=name, auc=auc, proven=False, words=words)


def codes_of(values: NDArray[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """A code (n,) for each different value, and the values; a missing one is None."""
    if values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        distinct, codes = np.unique(numbers, return_inverse=True)  # NaNs are equal here, and last
        return codes, [None if np.isnan(value) else float(value) for value in distinct]
    texts = np.array(["" if value is None else f"={value}" for value in values])
    names, codes = np.unique(texts, return_inverse=True)
    return codes, [str(name)[1:] if name else None for name in names]


def auc_of_numbers(values: NDArray[Any], y: NDArray[np.float64]) -> float:
    """The AUC of the numbers as they are, nulls lowest, in the direction that tells more."""
    order = np.unique(values.astype(np.float64), return_inverse=True)[1]
    order = np.where(np.isnan(values.astype(np.float64)), -1, order)  # ranks: infinities and nulls are no trouble
    auc = measure("auc", y, order)
    return max(auc, 1 - auc)


def _auc_of_codes(codes: NDArray[np.intp], y: NDArray[np.float64]) -> float:
    """The AUC of each value's outcome rate, learnt on every other row and measured on the rest, and the other way round.

    Learnt on the same rows, each rare text would know its own outcome; without only the row itself, its outcome would
    show as a lower rate.
    """
    is_even = np.arange(len(y)) % 2 == 0
    aucs = [auc for is_training in (is_even, ~is_even) if (auc := auc_of_rates(codes, y, is_training)) is not None]
    return float(np.mean(aucs)) if aucs else 0.5


def auc_of_rates(codes: NDArray[np.intp], y: NDArray[np.float64], learnt: NDArray[np.bool_]) -> float | None:
    """The AUC, on all other rows, of each value's outcome rate among those `learnt` (n,); None where they have one outcome."""
    judged = ~learnt
    if not 0 < y[judged].sum() < judged.sum():
        return None
    count = np.bincount(codes[learnt], minlength=codes.max() + 1)
    events = np.bincount(codes[learnt], weights=y[learnt], minlength=codes.max() + 1)
    rate = (events + 5 * y.mean()) / (count + 5)
    return measure("auc", y[judged], rate[codes[judged]])


def _always(codes: NDArray[np.intp], y: NDArray[np.float64]) -> tuple[int, int, int] | None:
    """The commonest value that goes with the rarer outcome only: (code, outcome, rows)."""
    outcome = int(y.mean() <= 0.5)
    is_rare = y == outcome
    count, hits = np.bincount(codes), np.bincount(codes, weights=is_rare)
    pure = np.flatnonzero((hits == count) & (count >= ENOUGH))
    if not len(pure):
        return None
    code = int(pure[count[pure].argmax()])
    return code, outcome, int(count[code])
