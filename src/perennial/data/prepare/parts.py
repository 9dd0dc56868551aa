"""Labelled rows of a split: the units of train, val or test with outcome, arm and weight as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.model import Contract
from perennial.data.names import ROW_ID


@dataclass(frozen=True, kw_only=True)
class LabelledRows:
    """n rows: `frame`, y (n,) (0 and 1, the number of a class, an amount, 0 without an outcome), arm (n,) from 0, weight (n,).

    Arms are all 0 where the task has none; a weight is the number of rows of the population that one stands for.
    """

    frame: pl.DataFrame
    y: NDArray[np.float64]
    arm: NDArray[np.int64]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def uneven_weight(self) -> NDArray[np.float64] | None:
        """The weights where they differ between rows, else None."""
        return None if np.ptp(self.weight) == 0 else self.weight

    def groups(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """The slice label (n,) of each row by each of `columns`, `(none)` for a null."""
        return {name: self.frame[name].cast(pl.String).fill_null("(none)").to_numpy() for name in columns}


def select_part(units: pl.DataFrame, splits: pl.DataFrame, name: str, contract: Contract) -> LabelledRows:
    """Select the rows of one part (train, val, test, out_of_time, lookback) in the order of the units."""
    part = splits.filter(pl.col("split") == name)
    return label_rows(units.join(part, on=ROW_ID, how="semi", maintain_order="left"), contract)


def label_rows(rows: pl.DataFrame, contract: Contract) -> LabelledRows:
    """Add outcome, arm and weight to rows."""
    outcome = pl.zeros(rows.height, eager=True) if contract.target is None else rows[contract.target]
    if contract.classes:
        outcome = outcome.replace_strict({name: code for code, name in enumerate(contract.classes)})
    y = outcome.to_numpy().astype(np.float64)
    arm, weight = np.zeros(len(y), np.int64), np.ones(len(y))
    treatment = contract.find_column("treatment")
    if contract.task.has_arms and treatment is not None:
        codes = {name: code for code, name in enumerate(contract.arms)}
        arm = rows[treatment].replace_strict(codes, return_dtype=pl.Int64).to_numpy(writable=True)
    if contract.task.has_events:
        zero, one = contract.sampling_rates
        weight = 1 / np.where(y == 1, one, zero)
    return LabelledRows(frame=rows, y=y, arm=arm, weight=weight)
