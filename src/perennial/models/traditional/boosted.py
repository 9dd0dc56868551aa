"""Boosted family: LightGBM on raw numbers and category codes, one model a fit; saved as LightGBM's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from perennial.config.baseline import BaselineParams
from perennial.contract.head import Head
from perennial.files.durable import read_json, write_json, write_text
from perennial.models.encoding.encode import Encoded, Encoding
from perennial.models.model import FitTask
from perennial.models.traditional.heads import FitTarget, build_targets, compute_link, link_contributions, sum_by_column
from perennial.results.train import FitHistory, StepLoss

F64 = NDArray[np.float64]
# (num_leaves, min_child_samples, feature_fraction, lambda_l2): the six that won on public marketing and risk data
_SETTINGS = ((31, 20, 1.0, 0), (7, 20, 0.7, 1), (15, 50, 0.7, 5), (4, 50, 0.5, 5), (63, 100, 0.5, 5), (15, 10, 0.9, 0))
_NAMES = ("leaves", "min_rows", "features", "l2")
_PATIENCE = 50
_OBJECTIVES = {"odds": "binary", "classes": "multiclass", "amount": "regression"}


@dataclass(frozen=True, kw_only=True)
class BoostedModel:
    """One booster a fit of the head (classes are one fit); features are the numbers, then the category codes."""

    head: Head
    encoding: Encoding
    boosters: tuple[lgb.Booster, ...]
    expected_R: F64  # mean over the training rows: contributions are relative to it
    history: FitHistory = field(default_factory=FitHistory)

    def link(self, rows: Encoded) -> F64:
        return compute_link(self.head, self._raw_scores(build_features(rows)))

    def contributions(self, rows: Encoded) -> F64:
        """Exact SHAP values of the trees (n, columns, outputs) on the link scale (Lundberg et al. 2020)."""
        x = build_features(rows)
        numbers, _, codes = self.encoding.owners
        topics = [owner for owner, n in zip(*self.encoding.topic_owners, strict=True) for _ in range(n)]
        parts = [
            sum_by_column(values[:, :-1], [*numbers, *codes, *topics], len(self.encoding.columns))
            for booster in self.boosters
            for values in _split_contributions(booster, x)
        ]
        return link_contributions(self.head, np.stack(parts, axis=2), self._raw_scores(x), self.expected_R)

    def _raw_scores(self, x: F64) -> F64:
        return np.column_stack([np.asarray(booster.predict(x, raw_score=True)) for booster in self.boosters])

    def save(self, folder: Path) -> None:
        for output, booster in enumerate(self.boosters):
            write_text(folder / f"trees-{output}.txt", booster.model_to_string())
        config = {"boosters": len(self.boosters), "expected_R": self.expected_R.tolist()}
        write_json(folder / "trees.json", {"head": self.head.model_dump(mode="json"), **config})

    @classmethod
    def load(cls, folder: Path, encoding: Encoding) -> BoostedModel:
        config = read_json(folder / "trees.json")
        texts = [(folder / f"trees-{output}.txt").read_text() for output in range(config["boosters"])]
        boosters = tuple(lgb.Booster(model_str=text) for text in texts)
        head, expected_R = Head.model_validate(config["head"]), np.array(config["expected_R"])
        return cls(head=head, encoding=encoding, boosters=boosters, expected_R=expected_R)


def fit_boosted(task: FitTask) -> BoostedModel:
    """Fit the first `trials` settings, or the one of params, and return the best by val loss; each fit stops early on val.

    With `like`, one setting is fitted.
    """
    if task.like is not None:
        task = replace(task, params=task.params.model_copy(update={"trials": 1}))
    return min(_fit_settings(task), key=task.val_loss)


def build_features(rows: Encoded) -> F64:
    """Build (n, features): raw numbers with NaN, then category codes, then the directions of texts."""
    return np.hstack([rows.raw_NF, rows.cat_NC.astype(np.float64), *([rows.texts.topics_NS] if rows.texts else [])])


def _fit_settings(task: FitTask) -> Iterator[BoostedModel]:
    train, val, head, params = task.train, task.val, task.head, task.params
    x_train, x_val = build_features(train.x), build_features(val.x)
    pairs = list(zip(build_targets(head, train.y, train.arm), build_targets(head, val.y, val.arm), strict=True))
    n_numbers = train.x.raw_NF.shape[1]
    categorical = list(range(n_numbers, n_numbers + train.x.cat_NC.shape[1]))
    for setting in _select_settings(params):
        fits = [
            _fit_booster((x_train[t.rows], t), (x_val[v.rows], v), categorical, len(head.outputs), setting, params)
            for t, v in pairs
        ]
        boosters = tuple(booster for booster, _ in fits)
        chosen = {**dict(zip(_NAMES, setting, strict=True)), "rounds": sum(booster.current_iteration() for booster in boosters)}
        history = FitHistory(settings=chosen, curve=fits[0][1] if len(fits) == 1 else ())
        expected = [values[0, -1] for booster in boosters for values in _split_contributions(booster, x_train[:1])]
        yield BoostedModel(head=head, encoding=task.encoding, boosters=boosters, expected_R=np.array(expected), history=history)


def _select_settings(params: BaselineParams) -> Sequence[tuple[int, int, float, float]]:
    if (boosted := params.boosted) is not None:
        return [(boosted.leaves, boosted.min_rows, boosted.features, boosted.l2)]
    return _SETTINGS[: params.trials]


def _split_contributions(booster: lgb.Booster, x: F64) -> list[F64]:
    """For each raw number of a booster its parts by feature, the expected value last, (n, features + 1) each."""
    values = np.asarray(booster.predict(x, pred_contrib=True))
    return np.split(values, booster.num_model_per_iteration(), axis=1)


def _fit_booster(
    train: tuple[F64, FitTarget],
    val: tuple[F64, FitTarget],
    categorical: list[int],
    classes: int,
    setting: Any,
    params: BaselineParams,
) -> tuple[lgb.Booster, tuple[StepLoss, ...]]:
    """The booster of the best round, and the losses of all rounds: log loss, or squared error of amounts."""
    leaves, child, fraction, l2 = setting
    objective: dict[str, Any] = {"objective": _OBJECTIVES[train[1].kind]}
    if train[1].kind == "classes":
        objective["num_class"] = classes
    options = {
        **objective,
        "learning_rate": params.learning_rate,
        "num_leaves": leaves,
        "min_child_samples": child,
        "feature_fraction": fraction,
        "lambda_l2": l2,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "max_cat_to_onehot": 8,
        "cat_smooth": 20,
        "seed": params.seed,
        "num_threads": params.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(train[0], train[1].y, categorical_feature=categorical, free_raw_data=False)
    validation = lgb.Dataset(val[0], val[1].y, reference=data, categorical_feature=categorical, free_raw_data=False)
    stop = lgb.early_stopping(_PATIENCE, verbose=False)
    losses: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        options,
        data,
        params.rounds,
        valid_sets=[data, validation],  # only the second one stops it
        valid_names=["train", "val"],
        callbacks=[stop, lgb.record_evaluation(losses)],
    )
    (on_train,), (on_val,) = losses["train"].values(), losses["val"].values()
    curve = [StepLoss(step=i + 1, train_loss=t, val_loss=v) for i, (t, v) in enumerate(zip(on_train, on_val, strict=True))]
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration)), tuple(curve)
