"""Split-half stability of segments: what models of half the customers make of held-out rows."""

from __future__ import annotations

import polars as pl

from perennial.config.baseline import SegmentParams
from perennial.evaluation.decisions.segments import Pairs
from perennial.models.traditional.kmeans import split_half_labels
from perennial.scoring.bundle import Bundle


def label_by_halves(bundle: Bundle, train: pl.DataFrame, test: pl.DataFrame, k: int) -> Pairs:
    """Pairs of labels of `test` by models of disjoint halves of `train`: not the pairs by which k was chosen."""
    params = SegmentParams.model_validate(bundle.params["segments"])
    rows, others = (bundle.encoding.encode(frame) for frame in (train, test))
    seed = int(bundle.params["seed"])
    return split_half_labels(rows, others, bundle.encoding, k, pairs=params.reporting, starts=params.starts, seed=seed)
