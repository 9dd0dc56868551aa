"""Columns of training rows in, a fitted encoding out; any rows in, the tensors that every model family starts from out.

Suffixes: N rows, F numeric columns that vary, M missing flags, C categorical columns, Q quantiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import load_file, save
from scipy.special import ndtri

from perennial.contract.serving import FeatureColumn
from perennial.errors import InputError
from perennial.files.durable import read_json, write_bytes, write_json

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_RARE = 5  # values seen less often share the code 0 with values never seen
_CLIP = 5.199337582290661  # the normal quantile of 1 - 1e-7
_NOISE = 1e-3  # of a standard deviation, at the fit only: ties spread over the quantiles
NOTHING = ""  # how a null is spelled among categories


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """raw_NF with NaN for null; norm_NF standard normal, nulls at the median; miss_NM 0/1; cat_NC codes, 0 unknown."""

    raw_NF: F64
    norm_NF: F32
    miss_NM: F32
    cat_NC: I64

    def take(self, rows: Any) -> Encoded:
        return Encoded(
            raw_NF=self.raw_NF[rows], norm_NF=self.norm_NF[rows], miss_NM=self.miss_NM[rows], cat_NC=self.cat_NC[rows]
        )

    def __len__(self) -> int:
        return len(self.norm_NF)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What was estimated on the training rows, and nothing else."""

    numeric: tuple[str, ...]  # F names; constants of train are dropped
    missing: tuple[str, ...]  # M names of numeric columns with nulls in train
    categories: dict[str, tuple[str, ...]]  # C names → values of the codes 1, 2, …
    dropped: tuple[str, ...]
    median_F: F64
    quantiles_QF: F64

    @property
    def cards(self) -> list[int]:
        """The number of codes of each categorical column, 0 included."""
        return [len(values) + 1 for values in self.categories.values()]

    @property
    def columns(self) -> list[str]:
        """The columns that a model sees, numeric first."""
        return [*self.numeric, *self.categories]

    def encode(self, frame: pl.DataFrame) -> Encoded:
        """Raises: InputError when a column is not in `frame`."""
        absent = [name for name in self.columns if name not in frame.columns]
        if absent:
            raise InputError(f"columns {', '.join(absent)} are missing; the model needs {', '.join(self.columns)}")
        raw_NF = _numbers(frame, self.numeric)
        null_NF = np.isnan(raw_NF)
        filled_NF = np.where(null_NF, self.median_F, raw_NF)
        norm_NF = np.zeros(raw_NF.shape, np.float32)
        for f in range(len(self.numeric)):
            norm_NF[:, f] = _normal(filled_NF[:, f], self.quantiles_QF[:, f])
        flags = [list(self.numeric).index(name) for name in self.missing]
        codes = [_codes(frame[name], values) for name, values in self.categories.items()]
        return Encoded(
            raw_NF=raw_NF,
            norm_NF=norm_NF,
            miss_NM=null_NF[:, flags].astype(np.float32),
            cat_NC=np.column_stack(codes) if codes else np.zeros((frame.height, 0), np.int64),
        )

    def unknown(self, frame: pl.DataFrame) -> dict[str, int]:
        """How many rows hold a category that training did not know, by column."""
        counts = {name: int((_codes(frame[name], values) == 0).sum()) for name, values in self.categories.items()}
        return {name: count for name, count in counts.items() if count}

    def save(self, folder: Path) -> None:
        write_json(
            folder / "encode.json",
            {"numeric": self.numeric, "missing": self.missing, "categories": self.categories, "dropped": self.dropped,
             "order": list(self.categories)},
        )  # fmt: skip
        arrays = {"median_F": self.median_F, "quantiles_QF": np.ascontiguousarray(self.quantiles_QF)}
        write_bytes(folder / "encode.safetensors", save(arrays))

    @classmethod
    def load(cls, folder: Path) -> Encoding:
        told, arrays = read_json(folder / "encode.json"), load_file(folder / "encode.safetensors")
        return cls(
            numeric=tuple(told["numeric"]),
            missing=tuple(told["missing"]),
            categories={name: tuple(told["categories"][name]) for name in told["order"]},
            dropped=tuple(told["dropped"]),
            median_F=arrays["median_F"],
            quantiles_QF=arrays["quantiles_QF"],
        )


def fit(train: pl.DataFrame, features: Sequence[FeatureColumn], seed: int) -> Encoding:
    """Estimate the encoding on the training rows only. Constants are dropped and named."""
    numeric = [f.name for f in features if f.kind == "numeric"]
    raw = _numbers(train, numeric)
    varies = [len(np.unique(raw[~np.isnan(raw[:, i]), i])) > 1 for i in range(len(numeric))]
    kept = [name for name, ok in zip(numeric, varies, strict=True) if ok]
    raw_NF = raw[:, np.array(varies, dtype=bool)]
    median_F = np.array([np.median(column[~np.isnan(column)]) for column in raw_NF.T])
    null_NF = np.isnan(raw_NF)
    categories = {f.name: _vocabulary(train[f.name]) for f in features if f.kind == "categorical"}
    dropped = [name for name in numeric if name not in kept] + [name for name, v in categories.items() if not v]
    return Encoding(
        numeric=tuple(kept),
        missing=tuple(name for name, any_null in zip(kept, null_NF.T, strict=True) if any_null.any()),
        categories={name: values for name, values in categories.items() if values},
        dropped=tuple(dropped),
        median_F=median_F,
        quantiles_QF=_quantiles(np.where(null_NF, median_F, raw_NF), seed),
    )


def _quantiles(filled_NF: F64, seed: int) -> F64:
    n_quantiles = max(min(len(filled_NF) // 30, 1000), 10)
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(filled_NF.shape)
    noisy = filled_NF + noise * _NOISE * filled_NF.std(axis=0)
    out: F64 = np.quantile(noisy, np.linspace(0, 1, n_quantiles), axis=0)
    return np.maximum.accumulate(out, axis=0)


def _normal(column: F64, quantiles: F64) -> F64:
    """The normal score of each value; among equal quantiles the middle of the steps below and above."""
    places = np.linspace(0, 1, len(quantiles))
    below = np.interp(column, quantiles, places)
    above = -np.interp(-column, -quantiles[::-1], -places[::-1])
    out: F64 = np.clip(ndtri(np.clip((below + above) / 2, 1e-7, 1 - 1e-7)), -_CLIP, _CLIP)
    return out


def _numbers(frame: pl.DataFrame, names: Sequence[str]) -> F64:
    if not names:
        return np.zeros((frame.height, 0))
    return frame.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in names).to_numpy()


def _texts(column: pl.Series) -> pl.Series:
    return column.cast(pl.String).fill_null(NOTHING)


def _vocabulary(column: pl.Series) -> tuple[str, ...]:
    return tuple(sorted(value for value, count in Counter(_texts(column)).items() if count >= _RARE))


def _codes(column: pl.Series, values: Sequence[str]) -> I64:
    codes = {value: code for code, value in enumerate(values, 1)}
    out: I64 = _texts(column).replace_strict(codes, default=0, return_dtype=pl.Int64).to_numpy()
    return out
