"""Augmentation by drawing: how often each training row is drawn in an epoch. Rows are stored once; the loader repeats them."""

from __future__ import annotations

from typing import assert_never

import polars as pl

from perennial.config.augment import AugmentParams
from perennial.data.names import ROW_ID
from perennial.errors import ConfigError


def count_draws(train: pl.DataFrame, outcome: str | None, params: AugmentParams) -> pl.DataFrame:
    """Count the draws (row_id, times) of the train rows, times >= 1.

    Raises: ConfigError when the rarer outcome is to be oversampled and the task has no outcome.
    """
    match params.kind:
        case "none":
            times = pl.lit(1)
        case "oversample":
            if outcome is None:
                raise ConfigError("augment.kind oversample draws by outcome, and this task has none: use kind none")
            counts = train[outcome].value_counts().sort("count", outcome)
            times = pl.when(pl.col(outcome) == counts[outcome][0]).then(params.times).otherwise(1)
        case _:
            assert_never(params.kind)
    return train.select(ROW_ID, times.cast(pl.Int32).alias("times"))
