"""The linear family: logistic and ridge regressions on one of three designs; kept as JSON, scored in numpy.

Suffixes: N rows, J design columns, G columns, F numbers, R raw numbers, O scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.linear_model import LogisticRegression, Ridge

from perennial.contract.serving import Head
from perennial.data.encode import Encoded, Encoding
from perennial.errors import DataStopped
from perennial.files.durable import read_json, write_json
from perennial.models.traditional.heads import Target, by_owner, link_of, parts_of, targets

F64 = NDArray[np.float64]
Design = Literal["standardised", "normal", "bins"]
_BINS = 10


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """coef_JR and intercept_R over a design whose columns belong to those of the encoding."""

    head: Head
    design: Design
    encoding: Encoding
    center_F: F64
    scale_F: F64
    coef_JR: F64
    intercept_R: F64
    mean_J: F64  # of the training rows: what a contribution is measured from

    def link(self, rows: Encoded) -> F64:
        return link_of(self.head, self._raw(self._design(rows)))

    def contributions(self, rows: Encoded) -> F64:
        """Exact additive parts (n, columns, outputs) of link − link of the mean training row."""
        design_NJ = self._design(rows)
        moved_NJ, owner_J, n = design_NJ - self.mean_J, self._owners(), len(self.encoding.columns)
        parts = [by_owner(moved_NJ * coef_J, owner_J, n) for coef_J in self.coef_JR.T]
        return parts_of(self.head, np.stack(parts, axis=2), self._raw(design_NJ), self._raw(self.mean_J))

    def _raw(self, design_NJ: F64) -> F64:
        out: F64 = design_NJ @ self.coef_JR + self.intercept_R
        return out

    def _design(self, rows: Encoded) -> F64:
        return design_matrix(rows, self.encoding, self.design, self.center_F, self.scale_F)

    def _owners(self) -> list[int]:
        numbers, flags, codes = self.encoding.owners
        per_number = _BINS if self.design == "bins" else 1
        spread = [owner for owner in numbers for _ in range(per_number)]
        cats = [owner for owner, card in zip(codes, self.encoding.cards, strict=True) for _ in range(card)]
        return [*spread, *flags, *cats]

    def save(self, folder: Path) -> None:
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        write_json(folder / "linear.json", {"head": self.head.model_dump(mode="json"), "design": self.design, **arrays})

    @classmethod
    def load(cls, folder: Path, encoding: Encoding) -> LinearModel:
        told = read_json(folder / "linear.json")
        head = Head.model_validate(told["head"])
        arrays = {name: np.array(told[name]) for name in _ARRAYS}
        return cls(head=head, design=told["design"], encoding=encoding, **arrays)


_ARRAYS = ("center_F", "scale_F", "coef_JR", "intercept_R", "mean_J")


def fit_linear(
    rows: Encoded, y_N: F64, arm_N: NDArray[np.int64], head: Head, encoding: Encoding,
    val_loss: Callable[[LinearModel], float],
) -> LinearModel:  # fmt: skip
    """The best by `val_loss` of three designs × C in {.03, .3} (of a ridge, penalties 1/C).

    Raises: DataStopped when all training rows of one fit have the same outcome.
    """
    fits = targets(head, y_N, arm_N)
    for o, target in enumerate(fits):
        if len(np.unique(target.y)) < 2:
            words = f"output {o} has {len(target.y)} training rows with one and the same outcome"
            raise DataStopped(f"{words}: there is nothing to learn; give more rows or drop the arm")
    spread = np.nanstd(rows.raw_NF, axis=0)
    center_F, scale_F = encoding.median_F, np.where(spread > 0, spread, 1.0)
    tried: list[LinearModel] = []
    designs: tuple[Design, ...] = ("standardised", "normal", "bins")
    for design in designs:
        x_NJ = design_matrix(rows, encoding, design, center_F, scale_F)
        for strength in (0.03, 0.3):
            found = [_fitted(x_NJ[target.rows], target, strength) for target in fits]
            tried.append(
                LinearModel(
                    head=head, design=design, encoding=encoding, center_F=center_F, scale_F=scale_F,
                    mean_J=x_NJ.mean(axis=0), coef_JR=np.hstack([coef for coef, _ in found]),
                    intercept_R=np.concatenate([intercept for _, intercept in found]),
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


def _fitted(x_NJ: F64, target: Target, strength: float) -> tuple[F64, F64]:
    """Coefficients (J, r) and intercepts (r,) of one fit."""
    if target.kind == "amount":
        model = Ridge(alpha=1 / strength).fit(x_NJ, target.y)
        return model.coef_[:, None], np.array([float(model.intercept_)])
    model = LogisticRegression(C=strength, max_iter=2000).fit(x_NJ, target.y)
    return model.coef_.T, model.intercept_
