"""Scorer: the one way from rows to scores, for evaluation, the gate, batch scoring and reproduction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.display import shorten, show_table
from perennial.errors import IntegrityError
from perennial.files.tables import read_table
from perennial.scoring.bundle import Bundle, load_bundle

F64 = NDArray[np.float64]
_SHOWN = 12  # features in a notebook


@dataclass(frozen=True, kw_only=True, repr=False)
class Scorer:
    """Scores are (n, outputs): a probability, an amount, one for each class, or one an arm (control first)."""

    bundle: Bundle

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        return cls(bundle=load_bundle(folder))

    @property
    def outputs(self) -> list[str]:
        return list(self.bundle.serving.head.outputs)

    def __repr__(self) -> str:
        return f"Scorer({self.bundle.family}, {len(self.bundle.serving.features)} features → {shorten(self.outputs)})"

    def _repr_html_(self) -> str:
        features = self.bundle.serving.features
        rows = [(column.name, column.label, column.kind) for column in features[:_SHOWN]]
        rest = f"and {len(features) - _SHOWN} more; " if len(features) > _SHOWN else ""
        note = f"{rest}score(rows) gives {shorten(self.outputs)} for each row"
        return show_table(repr(self), ("feature", "label", "type"), rows, note)

    def link(self, rows: pl.DataFrame) -> F64:
        """Uncalibrated link scores (n, outputs)."""
        return self.bundle.model.link(self.bundle.encoding.encode(rows))

    def score(self, rows: pl.DataFrame) -> F64:
        """Calibrated scores (n, outputs)."""
        return self.bundle.calibration.score(self.link(rows))

    def prove(self, folder: Path) -> None:
        """Score the golden rows of `folder` again.

        Raises: IntegrityError when a score is off by more than rounding: another machine or library computes otherwise.
        """
        golden = read_table(folder / "golden.parquet")
        recorded = golden.select(f"score:{name}" for name in self.outputs).to_numpy()
        off = float(np.abs(self.score(golden) - recorded).max()) if golden.height else 0.0
        if off > 1e-5:
            raise IntegrityError(f"{folder}: golden rows score {off:.2g} away from what the bundle says")


def golden_rows(bundle: Bundle, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the scores that this bundle gives them."""
    scorer = Scorer(bundle=bundle)
    scores = scorer.score(rows)
    return rows.with_columns(pl.Series(f"score:{name}", scores[:, o]) for o, name in enumerate(scorer.outputs))
