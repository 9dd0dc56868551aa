"""Encoding of columns, fitted on the training rows: the arrays that every model family starts from.

Suffixes: N rows, F numbers (numeric columns that vary, then a rate and a count for each id of many values), M missing
flags, C categorical columns, Q quantiles.
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
from perennial.data.io.images import decode_pictures
from perennial.errors import InputError
from perennial.files.durable import json_bytes, read_json, write_bytes
from perennial.models.encoding.id_table import N_FOLDS, IdTable, fill_nulls, hash_keys
from perennial.models.encoding.text import Grams, Texts, TextTable

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_RARE = 5  # values of fewer training rows share the code 0 with unknown values
_CLIP = 5.199337582290661  # the normal quantile of 1 - 1e-7
_NOISE = 1e-3  # of a standard deviation, at the fit only: ties spread over the quantiles
_MANY = 1_000  # values from which a categorical column is an id of many values
_SHARE = 0.05  # … or this share of the rows, if there are
_SOME = 50  # … at least so many


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """raw_NF with NaN for null; norm_NF standard normal, nulls at the median; miss_NM 0/1; cat_NC codes, 0 unknown."""

    raw_NF: F64
    norm_NF: F32
    miss_NM: F32
    cat_NC: I64
    texts: Texts | None = None
    pixels_NCSS: NDArray[np.uint8] | None = None

    def take(self, rows: Any) -> Encoded:
        return Encoded(
            raw_NF=self.raw_NF[rows],
            norm_NF=self.norm_NF[rows],
            miss_NM=self.miss_NM[rows],
            cat_NC=self.cat_NC[rows],
            texts=self.texts.take(rows) if self.texts else None,
            pixels_NCSS=self.pixels_NCSS[rows] if self.pixels_NCSS is not None else None,
        )

    def __len__(self) -> int:
        return len(self.norm_NF)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Everything that was estimated on the training rows for the encoding."""

    numeric: tuple[str, ...]  # constants of train are dropped
    missing: tuple[str, ...]  # M names of numeric columns with nulls in train
    categories: dict[str, tuple[str, ...]]  # C names → values of the codes 1, 2, …
    ids: dict[str, IdTable]  # ids of many values → rate and count of each
    texts: TextTable | None
    image: str | None  # the column of pictures
    dropped: tuple[str, ...]
    median_F: F64
    quantiles_QF: F64

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Encoding) and self._serialise() == other._serialise()

    def __hash__(self) -> int:
        return hash(self._serialise())

    def _serialise(self) -> tuple[bytes, bytes]:
        """The JSON and the safetensors that are saved."""
        quantiles_QF = np.ascontiguousarray(self.quantiles_QF)
        arrays: dict[str, NDArray[Any]] = {"median_F": self.median_F, "quantiles_QF": quantiles_QF}
        for i, table in enumerate(self.ids.values()):
            arrays |= {f"ids{i}.key": table.key_V, f"ids{i}.sum": table.sum_V, f"ids{i}.count": table.count_V}
        for i, grams in enumerate(self.texts.grams.values() if self.texts else ()):
            axes = np.ascontiguousarray(grams.axes_JS)
            arrays |= {f"text{i}.bucket": grams.bucket_J, f"text{i}.idf": grams.idf_J, f"text{i}.axes": axes}
        config = {
            "numeric": self.numeric,
            "missing": self.missing,
            "categories": self.categories,
            "dropped": self.dropped,
            "order": list(self.categories),
            "ids": list(self.ids),
            "base": [t.base for t in self.ids.values()],
            "image": self.image,
            "texts": list(self.texts.grams) if self.texts else [],
            "words": list(self.texts.vocabulary) if self.texts else [],
        }
        return json_bytes(config), save(arrays)

    @property
    def cards(self) -> list[int]:
        """The number of codes of each categorical column, 0 included."""
        return [len(values) + 1 for values in self.categories.values()]

    @property
    def columns(self) -> list[str]:
        """The columns of a model: numeric, ids of many values, categories, texts, the picture."""
        texts, images = self.texts.grams if self.texts else (), [self.image] if self.image else []
        return [*self.numeric, *self.ids, *self.categories, *texts, *images]

    @property
    def owners(self) -> tuple[list[int], list[int], list[int]]:
        """The index in `columns` of each of the F numbers, M flags and C codes."""
        n = len(self.numeric)
        numbers = [*range(n), *(n + i for i in range(len(self.ids)) for _ in range(2))]
        flags = [self.numeric.index(name) for name in self.missing]
        return numbers, flags, [n + len(self.ids) + c for c in range(len(self.categories))]

    @property
    def text_owners(self) -> tuple[list[int], list[int]]:
        """The index in `columns` of each text, and its number of words and pairs."""
        return self._text_places(), self.texts.sizes[0] if self.texts else []

    @property
    def topic_owners(self) -> tuple[list[int], list[int]]:
        """The index in `columns` of each text, and its number of directions."""
        return self._text_places(), self.texts.sizes[1] if self.texts else []

    def _text_places(self) -> list[int]:
        n = len(self.columns) - (self.image is not None)
        return list(range(n - len(self.texts.grams), n)) if self.texts else []

    def encode(self, frame: pl.DataFrame) -> Encoded:
        """Encode any rows (raises InputError when a column is missing)."""
        absent = [name for name in self.columns if name not in frame.columns]
        if absent:
            raise InputError(f"columns {', '.join(absent)} are missing; the model needs {', '.join(self.columns)}")
        id_numbers = [table.encode_new(frame[name]) for name, table in self.ids.items()]
        return self._encode(frame, id_numbers)

    def _encode(self, frame: pl.DataFrame, id_numbers: list[F64]) -> Encoded:
        """Encode rows with the rate and count (n, 2) of each id in `id_numbers`."""
        raw_NF = np.hstack([_to_numbers(frame, self.numeric), *id_numbers])
        null_NF = np.isnan(raw_NF)
        filled_NF = np.where(null_NF, self.median_F, raw_NF)
        norm_NF = np.zeros(raw_NF.shape, np.float32)
        for f in range(raw_NF.shape[1]):
            norm_NF[:, f] = _normal_scores(filled_NF[:, f], self.quantiles_QF[:, f])
        flags = [list(self.numeric).index(name) for name in self.missing]
        codes = [_encode_categories(frame[name], values) for name, values in self.categories.items()]
        return Encoded(
            raw_NF=raw_NF,
            norm_NF=norm_NF,
            miss_NM=null_NF[:, flags].astype(np.float32),
            cat_NC=np.column_stack(codes) if codes else np.zeros((frame.height, 0), np.int64),
            texts=self.texts.encode(frame) if self.texts else None,
            pixels_NCSS=decode_pictures(frame[self.image]) if self.image else None,
        )

    def count_unknown(self, frame: pl.DataFrame) -> dict[str, int]:
        """Count the rows with a category unknown to training, by column."""
        codes: dict[str, NDArray[Any]]
        codes = {name: _encode_categories(frame[name], values) for name, values in self.categories.items()}
        codes |= {name: table.encode_new(frame[name])[:, 1] for name, table in self.ids.items()}
        return {name: int((code == 0).sum()) for name, code in codes.items() if (code == 0).any()}

    def known_ids(self, frame: pl.DataFrame) -> dict[str, NDArray[np.str_]]:
        """For each column of ids, whether the id of each row (n,) is known from training: `seen` or `new`."""
        counts = {name: table.encode_new(frame[name])[:, 1] for name, table in self.ids.items()}
        return {name: np.where(count > 0, "seen", "new") for name, count in counts.items()}

    def save(self, folder: Path) -> None:
        config, arrays = self._serialise()
        write_bytes(folder / "encode.json", config)
        write_bytes(folder / "encode.safetensors", arrays)

    @classmethod
    def load(cls, folder: Path) -> Encoding:
        config, arrays = read_json(folder / "encode.json"), load_file(folder / "encode.safetensors")
        return cls(
            numeric=tuple(config["numeric"]),
            missing=tuple(config["missing"]),
            categories={name: tuple(config["categories"][name]) for name in config["order"]},
            ids={
                name: IdTable(
                    key_V=arrays[f"ids{i}.key"], sum_V=arrays[f"ids{i}.sum"], count_V=arrays[f"ids{i}.count"], base=base
                )
                for i, (name, base) in enumerate(zip(config["ids"], config["base"], strict=True))
            },
            texts=_load_text_table(config, arrays),
            image=config["image"],
            dropped=tuple(config["dropped"]),
            median_F=arrays["median_F"],
            quantiles_QF=arrays["quantiles_QF"],
        )


def _load_text_table(config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> TextTable | None:
    grams = {
        name: Grams(bucket_J=arrays[f"text{i}.bucket"], idf_J=arrays[f"text{i}.idf"], axes_JS=arrays[f"text{i}.axes"])
        for i, name in enumerate(config["texts"])
    }
    return TextTable(vocabulary=tuple(config["words"]), grams=grams) if grams else None


def fit_encoding(train: pl.DataFrame, features: Sequence[FeatureColumn], y: F64, seed: int) -> tuple[Encoding, Encoded]:
    """Fit the encoding on the training rows only, and encode them. Constants are dropped and listed.

    Use the training rows as returned here: encoded again, an id's rate would contain the row's own outcome.
    """
    numeric = [f.name for f in features if f.kind == "numeric"]
    raw = _to_numbers(train, numeric)
    varies = [len(np.unique(raw[~np.isnan(raw[:, i]), i])) > 1 for i in range(len(numeric))]
    varying = [name for name, ok in zip(numeric, varies, strict=True) if ok]
    categorical = [f.name for f in features if f.kind == "categorical"]
    texts = [f.name for f in features if f.kind == "text"]
    many = [name for name in categorical if _has_many(train[name])]
    ids = {name: IdTable.of(hash_keys(train[name]), y) for name in many}
    fold = np.random.Generator(np.random.PCG64(seed)).permutation(len(y)) % N_FOLDS
    id_numbers = [table.encode_train(train[name], y, fold) for name, table in ids.items()]
    raw_NF = np.hstack([raw[:, np.array(varies, dtype=bool)], *id_numbers])
    median_F = np.array([np.median(column[~np.isnan(column)]) for column in raw_NF.T])
    null_NF = np.isnan(raw_NF)
    categories = {name: _build_vocabulary(train[name]) for name in categorical if name not in ids}
    dropped = [name for name in numeric if name not in varying] + [name for name, v in categories.items() if not v]
    encoding = Encoding(
        numeric=tuple(varying),
        missing=tuple(name for name, any_null in zip(varying, null_NF.T, strict=False) if any_null.any()),
        categories={name: values for name, values in categories.items() if values},
        ids=ids,
        texts=TextTable.of(train, texts) if texts else None,
        image=next((f.name for f in features if f.kind == "image"), None),
        dropped=tuple(dropped),
        median_F=median_F,
        quantiles_QF=_fit_quantiles(np.where(null_NF, median_F, raw_NF), seed),
    )
    return encoding, encoding._encode(train, id_numbers)


def _has_many(column: pl.Series) -> bool:
    n = column.n_unique()
    return n > _MANY or (n > _SOME and n > _SHARE * len(column))


def _fit_quantiles(filled_NF: F64, seed: int) -> F64:
    n_quantiles = max(min(len(filled_NF) // 30, 1000), 10)
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(filled_NF.shape)
    noisy = filled_NF + noise * _NOISE * filled_NF.std(axis=0)
    out: F64 = np.quantile(noisy, np.linspace(0, 1, n_quantiles), axis=0)
    return np.maximum.accumulate(out, axis=0)


def _normal_scores(column: F64, quantiles: F64) -> F64:
    """The normal score of each value; among equal quantiles the middle of the steps below and above."""
    places = np.linspace(0, 1, len(quantiles))
    below = np.interp(column, quantiles, places)
    above = -np.interp(-column, -quantiles[::-1], -places[::-1])
    out: F64 = np.clip(ndtri(np.clip((below + above) / 2, 1e-7, 1 - 1e-7)), -_CLIP, _CLIP)
    return out


def _to_numbers(frame: pl.DataFrame, names: Sequence[str]) -> F64:
    if not names:
        return np.zeros((frame.height, 0))
    return frame.select(pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in names).to_numpy()


def _build_vocabulary(column: pl.Series) -> tuple[str, ...]:
    return tuple(sorted(value for value, count in Counter(fill_nulls(column)).items() if count >= _RARE))


def _encode_categories(column: pl.Series, values: Sequence[str]) -> I64:
    codes = {value: code for code, value in enumerate(values, 1)}
    out: I64 = fill_nulls(column).replace_strict(codes, default=0, return_dtype=pl.Int64).to_numpy()
    return out
