"""The boosted family: LightGBM on raw numbers and category codes, one model an output; kept as LightGBM's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from perennial.config.baseline import BaselineParams
from perennial.data.encode import Encoded
from perennial.files.durable import read_json, write_json, write_text

F64 = NDArray[np.float64]
# (num_leaves, min_child_samples, feature_fraction, lambda_l2): the six that won on public marketing and risk data
_SETTINGS = ((31, 20, 1.0, 0), (7, 20, 0.7, 1), (15, 50, 0.7, 5), (4, 50, 0.5, 5), (63, 100, 0.5, 5), (15, 10, 0.9, 0))
_PATIENCE = 50


@dataclass(frozen=True, kw_only=True)
class BoostedModel:
    """One booster an output; features are the numeric columns, then the categorical."""

    boosters: tuple[lgb.Booster, ...]
    expected_O: F64  # mean link over the rows that the trees were grown on: what a contribution is measured from

    def link(self, rows: Encoded) -> F64:
        x = matrix(rows)
        return np.column_stack([np.asarray(booster.predict(x, raw_score=True)) for booster in self.boosters])

    def contributions(self, rows: Encoded) -> F64:
        """Exact SHAP values of the trees (n, features, outputs) on the link scale (Lundberg et al. 2020)."""
        x = matrix(rows)
        parts = [np.asarray(booster.predict(x, pred_contrib=True))[:, :-1] for booster in self.boosters]
        return np.stack(parts, axis=2)

    def save(self, folder: Path) -> None:
        for output, booster in enumerate(self.boosters):
            write_text(folder / f"trees-{output}.txt", booster.model_to_string())
        write_json(folder / "trees.json", {"outputs": len(self.boosters), "expected_O": self.expected_O.tolist()})

    @classmethod
    def load(cls, folder: Path) -> BoostedModel:
        told = read_json(folder / "trees.json")
        texts = [(folder / f"trees-{output}.txt").read_text() for output in range(told["outputs"])]
        boosters = tuple(lgb.Booster(model_str=text) for text in texts)
        return cls(boosters=boosters, expected_O=np.array(told["expected_O"]))


def fit_boosted(
    train: tuple[Encoded, F64, NDArray[np.int64]], val: tuple[Encoded, F64, NDArray[np.int64]], outputs: int,
    params: BaselineParams, val_loss: Callable[[BoostedModel], float],
) -> BoostedModel:  # fmt: skip
    """The best by `val_loss` of the first `trials` settings; output o is fitted on the rows of arm o."""
    return min(_tried(train, val, outputs, params), key=val_loss)


def matrix(rows: Encoded) -> F64:
    """(n, features): raw numbers with NaN, then category codes."""
    return np.hstack([rows.raw_NF, rows.cat_NC.astype(np.float64)])


def _tried(train: Any, val: Any, outputs: int, params: BaselineParams) -> Iterator[BoostedModel]:
    for setting in _SETTINGS[: params.trials]:
        boosters = tuple(_boost(_of_arm(train, o), _of_arm(val, o), setting, params) for o in range(outputs))
        one = matrix(train[0].take(slice(0, 1)))
        expected = np.array([np.asarray(booster.predict(one, pred_contrib=True))[0, -1] for booster in boosters])
        yield BoostedModel(boosters=boosters, expected_O=expected)


def _of_arm(part: Any, output: int) -> tuple[Encoded, F64]:
    rows, y_N, arm_N = part
    mine = arm_N == output
    return rows.take(mine), y_N[mine]


def _boost(train: tuple[Encoded, F64], val: tuple[Encoded, F64], setting: Any, params: BaselineParams) -> lgb.Booster:
    leaves, child, fraction, l2 = setting
    n_numeric = train[0].raw_NF.shape[1]
    categorical = list(range(n_numeric, n_numeric + train[0].cat_NC.shape[1]))
    options = {
        "objective": "binary", "learning_rate": params.learning_rate, "num_leaves": leaves, "min_child_samples": child,
        "feature_fraction": fraction, "lambda_l2": l2, "bagging_fraction": 0.8, "bagging_freq": 1,
        "max_cat_to_onehot": 8, "cat_smooth": 20, "seed": params.seed, "num_threads": params.threads,
        "deterministic": True, "force_row_wise": True, "verbosity": -1,
    }  # fmt: skip
    data = lgb.Dataset(matrix(train[0]), train[1], categorical_feature=categorical, free_raw_data=False)
    held = lgb.Dataset(matrix(val[0]), val[1], reference=data, categorical_feature=categorical, free_raw_data=False)
    stop = lgb.early_stopping(_PATIENCE, verbose=False)
    booster = lgb.train(options, data, params.rounds, valid_sets=[held], callbacks=[stop])
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))
