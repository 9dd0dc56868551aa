"""Linear family: logistic and ridge regressions on one of three designs; saved as arrays, scored in numpy.

Suffixes: N rows, J design columns, G columns, F numbers, R raw numbers, O scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from scipy.special import ndtr
from sklearn.linear_model import LogisticRegression, Ridge

from perennial.contract.head import Head
from perennial.errors import DataStopped
from perennial.models.encoding.encode import Encoded, Encoding
from perennial.models.model import FitTask, read_model, write_model
from perennial.models.traditional.heads import FitTarget, build_targets, compute_link, link_contributions
from perennial.models.traditional.pictures import describe_pictures
from perennial.results.train import FitHistory

F64 = NDArray[np.float64]
Design = Literal["standardised", "normal", "bins"]
_BINS = 10
_STRENGTHS = {"table": (0.03, 0.3), "texts": (0.3, 1.0, 4.0, 16.0), "pictures": (0.3, 3.0)}  # inverse penalties


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
    mean_J: F64  # of the training rows: contributions are relative to it
    history: FitHistory = field(default_factory=FitHistory)

    def link(self, rows: Encoded) -> F64:
        return compute_link(self.head, self._raw_scores(self.build_design(rows)))

    def contributions(self, rows: Encoded) -> F64:
        """Exact additive parts (n, columns, outputs) of link − link of the mean training row."""
        design_NJ = csr_matrix(self.build_design(rows))
        n_columns, J = len(self.encoding.columns), len(self.mean_J)
        owner_JG = csr_matrix((np.ones(J), self._owners(), np.arange(J + 1)), (J, n_columns))
        parts = [
            np.asarray((design_NJ @ diags(coef_J) @ owner_JG).todense()) - owner_JG.T @ (coef_J * self.mean_J)
            for coef_J in self.coef_JR.T
        ]
        raw_NR, base_R = self._raw_scores(design_NJ), self._raw_scores(self.mean_J)
        return link_contributions(self.head, np.stack(parts, axis=2), raw_NR, base_R)

    def _raw_scores(self, design_NJ: Any) -> F64:
        out: F64 = design_NJ @ self.coef_JR + self.intercept_R
        return out

    def build_design(self, rows: Encoded) -> Any:
        return build_design(rows, self.encoding, self.design, self.center_F, self.scale_F)

    def _owners(self) -> list[int]:
        numbers, flags, codes = self.encoding.owners
        per_number = _BINS if self.design == "bins" else 1
        spread = [owner for owner in numbers for _ in range(per_number)]
        cats = [owner for owner, card in zip(codes, self.encoding.cards, strict=True) for _ in range(card)]
        words = [owner for owner, n in zip(*self.encoding.text_owners, strict=True) for _ in range(n)]
        n_pictures = len(self.mean_J) - len(spread) - len(flags) - len(cats) - len(words)
        return [*spread, *flags, *cats, *[len(self.encoding.columns) - 1] * n_pictures, *words]

    def save(self, folder: Path) -> None:
        config = {"head": self.head.model_dump(mode="json"), "design": self.design}
        write_model(folder, "linear", config, vars(self))

    @classmethod
    def load(cls, folder: Path, encoding: Encoding) -> LinearModel:
        config, arrays = read_model(folder, "linear")
        return cls(head=Head.model_validate(config["head"]), design=config["design"], encoding=encoding, **arrays)


def fit_linear(task: FitTask) -> LinearModel:
    """Fit three designs × C in {.03, .3}, with texts one × C in {.3, 1, 4, 16}, with pictures one × C in {.3, 3}, and return
    the best by val loss.

    A ridge penalty is 1/C.

    Raises: DataStopped when all training rows of one fit have the same outcome.
    """
    rows, head, encoding = task.train.x, task.head, task.encoding
    fits = build_targets(head, task.train.y, task.train.arm)
    for o, target in enumerate(fits):
        if len(np.unique(target.y)) < 2:
            message = f"output {o} has {len(target.y)} training rows with one and the same outcome"
            raise DataStopped(f"{message}: there is nothing to learn; give more rows or drop the arm")
    spread = np.nanstd(rows.raw_NF, axis=0)
    center_F, scale_F = encoding.median_F, np.where(spread > 0, spread, 1.0)
    tried: list[LinearModel] = []
    kind = "pictures" if rows.pixels_NCSS is not None else "texts" if rows.texts else "table"
    designs: tuple[Design, ...] = ("standardised", "normal", "bins") if kind == "table" else ("normal",)
    if isinstance(task.like, LinearModel):
        designs = (task.like.design,)
    for design in designs:
        x_NJ = build_design(rows, encoding, design, center_F, scale_F)
        for strength in _STRENGTHS[kind]:
            coef_JR, intercept_R = fit_regressions(x_NJ, fits, strength)
            tried.append(
                LinearModel(
                    head=head,
                    design=design,
                    history=FitHistory(settings={"design": design, "C": strength}),
                    encoding=encoding,
                    center_F=center_F,
                    scale_F=scale_F,
                    mean_J=np.asarray(x_NJ.mean(axis=0)).ravel(),
                    coef_JR=coef_JR,
                    intercept_R=intercept_R,
                )
            )
    return min(tried, key=task.val_loss)


def build_design(rows: Encoded, encoding: Encoding, design: Design, center_F: F64, scale_F: F64) -> Any:
    """Build x_NJ: numeric part, missing flags, one column a category, one a word or pair; with texts a sparse matrix."""
    match design:
        case "standardised":
            numeric = np.where(np.isnan(rows.raw_NF), 0.0, (rows.raw_NF - center_F) / scale_F)
        case "normal":
            numeric = rows.norm_NF.astype(np.float64)
        case "bins":
            numeric = _one_hot(_bin_deciles(rows.norm_NF), [_BINS] * rows.norm_NF.shape[1])
        case _:
            assert_never(design)
    dense = np.hstack([numeric, rows.miss_NM.astype(np.float64), _one_hot(rows.cat_NC, encoding.cards)])
    if rows.pixels_NCSS is not None:
        dense = np.hstack([dense, describe_pictures(rows.pixels_NCSS)])
    return csr_matrix(hstack([dense, rows.texts.grams_NJ])) if rows.texts else dense


def fit_regressions(x_NJ: Any, targets: Sequence[FitTarget], strength: float) -> tuple[F64, F64]:
    """Coefficients (J, R) and intercepts (R,) of a logistic or ridge regression for each target."""
    fits = [_fit_target(x_NJ[target.rows], target, strength) for target in targets]
    return np.hstack([coef for coef, _ in fits]), np.concatenate([intercept for _, intercept in fits])


def _bin_deciles(norm_NF: NDArray[np.float32]) -> NDArray[np.int64]:
    out: NDArray[np.int64] = np.minimum((ndtr(norm_NF.astype(np.float64)) * _BINS).astype(np.int64), _BINS - 1)
    return out


def _one_hot(codes_NC: NDArray[np.int64], cards: list[int]) -> F64:
    out = np.zeros((len(codes_NC), sum(cards)))
    offset = 0
    for c, card in enumerate(cards):
        out[np.arange(len(codes_NC)), offset + codes_NC[:, c]] = 1.0
        offset += card
    return out


def _fit_target(x_NJ: Any, target: FitTarget, strength: float) -> tuple[F64, F64]:
    """Coefficients (J, r) and intercepts (r,) of one fit."""
    if target.kind == "amount":
        model = Ridge(alpha=1 / strength).fit(x_NJ, target.y)
        return model.coef_[:, None], np.array([float(model.intercept_)])
    model = LogisticRegression(C=strength, max_iter=2000).fit(x_NJ, target.y)
    return model.coef_.T, model.intercept_
