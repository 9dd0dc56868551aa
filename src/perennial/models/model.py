"""Models: what every family can do, and what a traditional one is fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from perennial.config.baseline import BaselineParams
from perennial.contract.head import Head
from perennial.contract.serving import FeatureColumn
from perennial.data.prepare.parts import LabelledRows
from perennial.files.durable import read_json, write_bytes, write_json
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding
from perennial.results.train import FitHistory
from perennial.tasks.losses import loss_of


class Model(Protocol):
    """What every family can do: link scores (n, outputs), and write itself."""

    def link(self, rows: Encoded) -> NDArray[np.float64]: ...

    def save(self, folder: Path) -> None: ...


@runtime_checkable
class Additive(Model, Protocol):
    """A model whose link scores are exact sums of parts (n, columns, outputs) of its columns."""

    def contributions(self, rows: Encoded) -> NDArray[np.float64]: ...


@runtime_checkable
class Remembering(Model, Protocol):
    """A model that knows how it was fitted; read from a bundle its history is empty."""

    @property
    def history(self) -> FitHistory: ...


@dataclass(frozen=True, kw_only=True)
class FitRows:
    """Encoded rows with their outcomes y (n,) and arms (n,)."""

    x: Encoded
    y: NDArray[np.float64]
    arm: NDArray[np.int64]

    @classmethod
    def of(cls, x: Encoded, rows: LabelledRows) -> FitRows:
        return cls(x=x, y=rows.y, arm=rows.arm)


@dataclass(frozen=True, kw_only=True)
class FitTask:
    """What a traditional family is fitted to. `like` is a model of the family whose setting is taken over, not chosen."""

    train: FitRows
    val: FitRows
    head: Head
    encoding: Encoding
    params: BaselineParams
    like: Model | None = None

    @classmethod
    def prepare(
        cls,
        train: LabelledRows,
        val: LabelledRows,
        features: Sequence[FeatureColumn],
        head: Head,
        params: BaselineParams,
        *,
        like: Model | None = None,
    ) -> FitTask:
        """Fit the encoding on train, and encode both parts with it."""
        encoding, x_train = fit_encoding(train.frame, features, train.y, params.seed)
        return cls(
            train=FitRows.of(x_train, train),
            val=FitRows.of(encoding.encode(val.frame), val),
            head=head,
            encoding=encoding,
            params=params,
            like=like,
        )

    def val_loss(self, model: Model) -> float:
        """The mean loss on val, by which the settings of a family are compared."""
        return loss_of(self.head).mean(model.link(self.val.x), self.val.y, self.val.arm)


def write_model(folder: Path, name: str, config: Mapping[str, object], values: Mapping[str, object]) -> None:
    """Write NAME.json, and the arrays among `values` as NAME.safetensors."""
    write_json(folder / f"{name}.json", config)
    arrays = {key: np.ascontiguousarray(value) for key, value in values.items() if isinstance(value, np.ndarray)}
    write_bytes(folder / f"{name}.safetensors", save(arrays))


# A family knows what its own JSON holds, so it may hold anything.
def read_model(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read NAME.json and the arrays of NAME.safetensors."""
    return read_json(folder / f"{name}.json"), load_file(folder / f"{name}.safetensors")
