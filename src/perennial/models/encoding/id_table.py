"""Table of ids with many values: the smoothed outcome rate and the number of training rows of each id.

Suffix: V ids.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NULL_TEXT = ""  # how a null is spelled among categories
N_FOLDS = 5
_PRIOR_ROWS = 20  # how many rows of the average an id's own rate is mixed with


@dataclass(frozen=True, kw_only=True)
class IdTable:
    """For each of V ids (by a 64-bit hash, ascending) the sum of outcomes and the number of rows; `base` is the mean.

    Two numbers stand for an id: ln of its smoothed rate over the base, and ln(1 + rows); an unknown id has 0 and 0.
    """

    key_V: NDArray[np.uint64]
    sum_V: F64
    count_V: F64
    base: float

    @classmethod
    def of(cls, keys: NDArray[np.uint64], y: F64) -> IdTable:
        key_V, place = np.unique(keys, return_inverse=True)
        count_V = np.bincount(place, minlength=len(key_V)).astype(np.float64)
        sum_V = np.bincount(place, weights=y, minlength=len(key_V)).astype(np.float64)
        return cls(key_V=key_V, sum_V=sum_V, count_V=count_V, base=float(y.mean()))

    def encode_new(self, ids: pl.Series) -> F64:
        """(n, 2) for rows that are not among the training rows."""
        total, count = self._look_up(hash_keys(ids))
        return self._smooth(total, count)

    def _look_up(self, keys: NDArray[np.uint64]) -> tuple[F64, F64]:
        at = np.minimum(np.searchsorted(self.key_V, keys), max(len(self.key_V) - 1, 0))
        is_known = self.key_V[at] == keys
        return np.where(is_known, self.sum_V[at], 0.0), np.where(is_known, self.count_V[at], 0.0)

    def _smooth(self, total: F64, count: F64) -> F64:
        rate = (total + _PRIOR_ROWS * self.base) / (count + _PRIOR_ROWS)
        return np.column_stack([np.log(np.maximum(rate, 1e-9) / max(self.base, 1e-9)), np.log1p(count)])

    def encode_train(self, ids: pl.Series, y: F64, fold: I64) -> F64:
        """(n, 2) for the training rows: rates from the other folds, counts without the row, or they would leak."""
        keys = hash_keys(ids)
        total, count = np.zeros(len(y)), np.zeros(len(y))
        for f in range(N_FOLDS):
            others = IdTable.of(keys[fold != f], y[fold != f])
            total[fold == f], count[fold == f] = others._look_up(keys[fold == f])
        out = self._smooth(total, count)
        out[:, 1] = np.log1p(self._look_up(keys)[1] - 1)
        return out


def hash_keys(ids: pl.Series) -> NDArray[np.uint64]:
    """Hash each id's text: the first 8 bytes of its md5."""
    texts = fill_nulls(ids)
    names = texts.unique()
    hashes = [int.from_bytes(hashlib.md5(t.encode(), usedforsecurity=False).digest()[:8], "big") for t in names]
    out: NDArray[np.uint64] = texts.replace_strict(names, pl.Series(hashes, dtype=pl.UInt64)).to_numpy()
    return out


def fill_nulls(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).fill_null(NULL_TEXT)
