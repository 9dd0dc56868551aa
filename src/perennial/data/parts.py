"""Units and splits in, the rows of each part with outcome and arm as arrays out."""

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
class Part:
    """n rows: `frame`, y (n,) of 0.0 and 1.0, arm (n,) counting from 0 (all 0 where the task has no arms)."""

    frame: pl.DataFrame
    y: NDArray[np.float64]
    arm: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    def groups(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """The label (n,) of each row in each of `columns`, `(none)` for a null: what slices are cut by."""
        return {name: self.frame[name].cast(pl.String).fill_null("(none)").to_numpy() for name in columns}


def part(units: pl.DataFrame, splits: pl.DataFrame, name: str, contract: Contract) -> Part:
    """The rows of one part (train, val, test, later) in the order of the units."""
    rows = units.join(
        splits.filter(pl.col("split") == name).select(ROW_ID), on=ROW_ID, how="semi", maintain_order="left"
    )
    return labelled(rows, contract)


def labelled(rows: pl.DataFrame, contract: Contract) -> Part:
    """Rows with their outcome and arm."""
    y = rows[contract.task.target].to_numpy().astype(np.float64)
    treatment = contract.one("treatment")
    if contract.task.kind != "uplift" or treatment is None:
        return Part(frame=rows, y=y, arm=np.zeros(len(y), np.int64))
    codes = {name: code for code, name in enumerate(contract.arms)}
    arm = rows[treatment].replace_strict(codes, return_dtype=pl.Int64).to_numpy(writable=True)
    return Part(frame=rows, y=y, arm=arm)
