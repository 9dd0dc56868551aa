"""Small tables, networks and bundles of every family, for the tests of models, training and scoring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from perennial.config.baseline import BaselineParams
from perennial.config.train import TrainParams
from perennial.contract.head import Head
from perennial.contract.model import Money
from perennial.contract.serving import FeatureColumn, ServingView
from perennial.models.deep.losses import build_loss
from perennial.models.deep.model import DeepModel, build_tensors
from perennial.models.deep.net import NetSpec, TabularNet
from perennial.models.encoding.encode import Encoding, fit_encoding
from perennial.models.families import fit_model
from perennial.models.model import FitRows, FitTask, Model
from perennial.results.families import Family
from perennial.scoring.bundle import Bundle, background_rows
from perennial.scoring.calibration import calibrate
from perennial.training import fit as training
from perennial.training.loader import Rows
from perennial.training.setup import build_spec

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Task = Literal["binary", "uplift", "uplift_amounts", "multiclass", "regression", "two_part"]
TASKS: tuple[Task, ...] = get_args(Task)
ARMS = ("none", "discover", "reward")
CLASSES = ("leaves", "stays", "grows")
LEARNING: tuple[Family, ...] = ("linear", "boosted", "deep", "blend")  # the families of tables, the simplest first
FEATURES = (
    FeatureColumn(name="age", kind="numeric", label="age"),
    FeatureColumn(name="spent", kind="numeric", label="money spent", unit="EUR"),
    FeatureColumn(name="last_visit", kind="numeric", label="days since the last visit"),
    FeatureColumn(name="channel", kind="categorical", label="buys through"),
    FeatureColumn(name="town", kind="categorical", label="town"),
)


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A bundle in memory, the folder that it was saved in, and the digest it got. Shared: read it only."""

    bundle: Bundle
    folder: Path
    digest: str


Give = Callable[[Family, Task], Saved]


def train_params(**changes: Any) -> TrainParams:
    base: dict[str, Any] = {
        "seed": 1,
        "members": 4,
        "width": 16,
        "blocks": 1,
        "dropout": 0.1,
        "learning_rate": 0.01,
        "weight_decay": 0.01,
        "batch_size": 64,
        "epochs": 4,
        "patience": 6,
        "swap_noise": 0.0,
        "accelerator": "cpu",
        "devices": 1,
        "num_nodes": 1,
        "strategy": "single",
        "precision": "32-true",
        "threads": 1,
    }
    return TrainParams(**{**base, **changes})


def baseline_params(**changes: Any) -> BaselineParams:
    return BaselineParams(**{"seed": 1, "trials": 1, "rounds": 30, "learning_rate": 0.1, "threads": 1, **changes})


def customers(n: int, seed: int = 0) -> pl.DataFrame:
    """The feature columns; `last_visit` has nulls, `town` a null and rare values."""
    rng = np.random.Generator(np.random.PCG64(seed))
    days = rng.integers(0, 90, n).astype(np.float64)
    return pl.DataFrame(
        {
            "age": rng.integers(18, 86, n),
            "spent": rng.lognormal(4, 1, n).round(2),
            "last_visit": [None if gone else day for day, gone in zip(days, rng.random(n) < 0.2, strict=True)],
            "channel": rng.choice(["app", "store", "web"], n),
            "town": [town or None for town in rng.choice(["Basel", "Graz", "Linz", ""], n)],
        }
    )


def outcomes(frame: pl.DataFrame, outputs: int, seed: int = 0) -> tuple[F64, I64]:
    """y and arm: the young respond more, and to message k the more so."""
    rng = np.random.Generator(np.random.PCG64(seed + 1))
    arm = rng.integers(0, outputs, frame.height)
    score = (50 - frame["age"].to_numpy()) / 15 + 0.7 * (frame["channel"] == "app").to_numpy() + 0.5 * arm - 1
    return (rng.random(frame.height) < 1 / (1 + np.exp(-score))).astype(np.float64), arm


def head(outputs: int) -> Head:
    """One probability, or one an arm."""
    return Head(task="binary", outputs=("probability",)) if outputs == 1 else Head(task="uplift", outputs=ARMS[:outputs])


HEADS: dict[Task, Head] = {
    "binary": head(1),
    "uplift": head(3),
    "uplift_amounts": Head(task="uplift", outputs=ARMS, amounts=True),
    "multiclass": Head(task="multiclass", outputs=CLASSES),
    "regression": Head(task="regression", outputs=("amount",)),
    "two_part": Head(task="regression", outputs=("amount",), two_part=True),
}


def answers(frame: pl.DataFrame, task: Task, seed: int = 0) -> tuple[F64, I64]:
    """y and arm of any task: the young respond, grow and spend more."""
    rng, none = np.random.Generator(np.random.PCG64(seed + 2)), np.zeros(frame.height, np.int64)
    score = (50 - frame["age"].to_numpy()) / 15 + 0.7 * (frame["channel"] == "app").to_numpy()
    match task:
        case "binary" | "uplift":
            return outcomes(frame, len(HEADS[task].outputs), seed)
        case "uplift_amounts":
            arm = rng.integers(0, len(ARMS), frame.height)
            return 60 + (10 + 5 * arm) * score + 10 * rng.standard_normal(frame.height), arm
        case "multiclass":
            noisy = np.outer(score, [-1.0, 0.0, 1.0]) + rng.gumbel(size=(frame.height, 3))
            return noisy.argmax(axis=1).astype(np.float64), none
        case "regression":
            return 60 + 15 * score + 10 * rng.standard_normal(frame.height), none
        case "two_part":
            is_any = rng.random(frame.height) < 1 / (1 + np.exp(-score))
            return is_any * np.exp(3 + 0.4 * score + 0.5 * rng.standard_normal(frame.height)), none


def encoding() -> Encoding:
    frame = customers(600)
    return fit_encoding(frame, FEATURES, outcomes(frame, 1)[0], 1)[0]


def rows(n: int, outputs: int = 1, seed: int = 0) -> Rows:
    """Encoded customers as training takes them."""
    frame = customers(n, seed)
    y, arm = outcomes(frame, outputs, seed)
    x = build_tensors(encoding().encode(frame))
    return Rows(x=x, y_N=torch.from_numpy(y).float(), arm_N=torch.from_numpy(arm))


def spec(outputs: int = 1, **changes: Any) -> NetSpec:
    """A small network for `rows`."""
    cards = tuple(encoding().cards)
    base = {"n_numeric": 3, "n_missing": 1, "members": 4, "width": 16, "blocks": 1, "dropout": 0.1}
    return NetSpec(**{**base, "cards": cards, "head": head(outputs), **changes})


def bundle(family: Family, task: Task, folder: Path) -> Bundle:
    """A model of a family that learns, fitted on 600 customers and calibrated on 300; `folder` takes the training curve."""
    result, train, val = HEADS[task], customers(600), customers(300, seed=7)
    (y, arm), (y_val, arm_val) = answers(train, task), answers(val, task, seed=7)
    serving = ServingView(
        head=result,
        costs=(0.0, 2.0, 2.0) if result.task == "uplift" else (2.0,),
        features=FEATURES,
        money=Money(currency="EUR", value_of_response=40, cost_of_contact=2, budget_share=0.4),
    )
    encoding, x = fit_encoding(train, FEATURES, y, 1)
    x_val = encoding.encode(val)
    rows = FitRows(x=x, y=y, arm=arm), FitRows(x=x_val, y=y_val, arm=arm_val)
    model = fitted(family, result, encoding, *rows, folder)
    return Bundle(
        family=family,
        model=model,
        encoding=encoding,
        serving=serving,
        params={"seed": 1},
        calibration=calibrate(result, model.link(x_val), y_val, arm_val),
        split={"kind": "hash", "by": "entity", "salt": "s", "fractions": {"train": 0.6, "val": 0.2, "test": 0.2}},
        background=background_rows(train, serving, 1),
    )


def fitted(family: Family, head: Head, encoding: Encoding, train: FitRows, val: FitRows, folder: Path, **changes: Any) -> Model:
    """A model of one of the families that learn; `changes` are to the network's params."""
    if family in {"linear", "boosted"}:
        return fit_model(family, FitTask(train=train, val=val, head=head, encoding=encoding, params=baseline_params()))
    params = train_params(**{"epochs": 3, **changes})
    spec = build_spec(head, encoding, train.y, params)
    parts = [
        Rows(x=build_tensors(rows.x), y_N=torch.from_numpy(rows.y).float(), arm_N=torch.from_numpy(rows.arm))
        for rows in (train, val)
    ]
    times = torch.ones(len(train.y), dtype=torch.int64)
    done = training.fit(lambda: TabularNet(spec), build_loss(spec), parts[0], times, parts[1], params, folder / "curves.csv")
    assert isinstance(done.net, TabularNet)
    return DeepModel(spec=spec, net=done.net)
