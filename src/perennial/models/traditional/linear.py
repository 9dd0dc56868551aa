"""The linear family: logistic regressions on one of three designs, one an output; kept as JSON, scored in numpy.

Suffixes: N rows, J design columns, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.linear_model import LogisticRegression

from perennial.data.encode import Encoded, Encoding
from perennial.errors import DataStopped
from perennial.files.durable import read_json, write_json

F64 = NDArray[np.float64]
Design = Literal["standardised", "normal", "bins"]
_BINS = 10


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """coef_JO and intercept_O over a design whose columns belong to features (owner_J indexes encoding.columns)."""

    design: Design
    encoding: Encoding
    center_F: F64
    scale_F: F64
    coef_JO: F64
    intercept_O: F64
    mean_J: F64  # of the training rows: what a contribution is measured from

    def link(self, rows: Encoded) -> F64:
        out: F64 = self._design(rows) @ self.coef_JO + self.intercept_O
        return out

    def contributions(self, rows: Encoded) -> F64:
        """Exact additive parts (n, features, outputs) of link − link of the mean training row."""
        parts_NJO = (self._design(rows) - self.mean_J)[:, :, None] * self.coef_JO
        out = np.zeros((len(rows), len(self.encoding.columns), self.coef_JO.shape[1]))
        for j, owner in enumerate(self._owners()):
            out[:, owner] += parts_NJO[:, j]
        return out

    def _design(self, rows: Encoded) -> F64:
        return design_matrix(rows, self.encoding, self.design, self.center_F, self.scale_F)

    def _owners(self) -> NDArray[np.int64]:
        n_numeric = len(self.encoding.numeric)
        flags = [self.encoding.numeric.index(name) for name in self.encoding.missing]
        per_numeric = _BINS if self.design == "bins" else 1
        numeric = [f for f in range(n_numeric) for _ in range(per_numeric)]
        cats = [n_numeric + c for c, card in enumerate(self.encoding.cards) for _ in range(card)]
        return np.array([*numeric, *flags, *cats], dtype=np.int64)

    def save(self, folder: Path) -> None:
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        write_json(folder / "linear.json", {"design": self.design, **arrays})

    @classmethod
    def load(cls, folder: Path, encoding: Encoding) -> LinearModel:
        told = read_json(folder / "linear.json")
        return cls(design=told["design"], encoding=encoding, **{name: np.array(told[name]) for name in _ARRAYS})


_ARRAYS = ("center_F", "scale_F", "coef_JO", "intercept_O", "mean_J")


def fit_linear(
    rows: Encoded, y_N: F64, arm_N: NDArray[np.int64], outputs: int, encoding: Encoding,
    val_loss: Callable[[LinearModel], float],
) -> LinearModel:  # fmt: skip
    """The best by `val_loss` of three designs × C in {.03, .3}; output o is fitted on the rows of arm o.

    Raises: DataStopped when all training rows of an output have the same outcome.
    """
    for o in range(outputs):
        if len(np.unique(y_N[arm_N == o])) < 2:
            words = f"output {o} has {(arm_N == o).sum()} training rows with one and the same outcome"
            raise DataStopped(f"{words}: there is nothing to learn; give more rows or drop the arm")
    spread = np.nanstd(rows.raw_NF, axis=0)
    center_F, scale_F = encoding.median_F, np.where(spread > 0, spread, 1.0)
    tried: list[LinearModel] = []
    designs: tuple[Design, ...] = ("standardised", "normal", "bins")
    for design in designs:
        x_NJ = design_matrix(rows, encoding, design, center_F, scale_F)
        for strength in (0.03, 0.3):
            fits = [_logistic(x_NJ[arm_N == o], y_N[arm_N == o], strength) for o in range(outputs)]
            tried.append(
                LinearModel(
                    design=design, encoding=encoding, center_F=center_F, scale_F=scale_F, mean_J=x_NJ.mean(axis=0),
                    coef_JO=np.column_stack([coef for coef, _ in fits]), intercept_O=np.array([b for _, b in fits]),
                )
            )  # fmt: skip
    return min(tried, key=val_loss)


def design_matrix(rows: Encoded, encoding: Encoding, design: Design, center_F: F64, scale_F: F64) -> F64:
    """x_NJ: numeric part, missing flags, one column a category."""
    match design:
        case "standardised":
            numeric = np.where(np.isnan(rows.raw_NF), 0.0, (rows.raw_NF - center_F) / scale_F)
        case "normal":
            numeric = rows.norm_NF.astype(np.float64)
        case "bins":
            numeric = _one_hot(_decile(rows.norm_NF), [_BINS] * rows.norm_NF.shape[1])
        case _:
            assert_never(design)
    return np.hstack([numeric, rows.miss_NM.astype(np.float64), _one_hot(rows.cat_NC, encoding.cards)])


def _decile(norm_NF: NDArray[np.float32]) -> NDArray[np.int64]:
    out: NDArray[np.int64] = np.minimum((ndtr(norm_NF.astype(np.float64)) * _BINS).astype(np.int64), _BINS - 1)
    return out


def _one_hot(codes_NC: NDArray[np.int64], cards: list[int]) -> F64:
    out = np.zeros((len(codes_NC), sum(cards)))
    offset = 0
    for c, card in enumerate(cards):
        out[np.arange(len(codes_NC)), offset + codes_NC[:, c]] = 1.0
        offset += card
    return out


def _logistic(x_NJ: F64, y_N: F64, strength: float) -> tuple[F64, float]:
    model = LogisticRegression(C=strength, max_iter=2000).fit(x_NJ, y_N)
    return model.coef_[0], float(model.intercept_[0])
