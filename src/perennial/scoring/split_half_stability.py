"""The bundle of segments and rows in, what models of half the customers make of held-out rows out."""

from __future__ import annotations

import polars as pl

from perennial.config.baseline import SegmentParams
from perennial.evaluation.decisions.segments import Pairs
from perennial.models.traditional.kmeans import split_half_labels
from perennial.scoring.bundle import Bundle


def reported(bundle: Bundle, known: pl.DataFrame, held: pl.DataFrame, k: int) -> Pairs:
    """Pairs of labels of `held` by models of disjoint halves of `known`: not the pairs by which k was chosen."""
    told = SegmentParams.model_validate(bundle.params["segments"])
    rows, others = (bundle.encoding.encode(frame) for frame in (known, held))
    seed = int(bundle.params["seed"])
    return split_half_labels(rows, others, bundle.encoding, k, pairs=told.reporting, starts=told.starts, seed=seed)
