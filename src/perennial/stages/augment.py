"""Augment: how often each training row is drawn in an epoch."""

from __future__ import annotations

import polars as pl

from perennial.config.augment import AugmentParams
from perennial.data.names import ROW_ID
from perennial.data.prepare.augment import count_draws
from perennial.files.tables import read_table, write_table
from perennial.results.augment import AugmentSummary
from perennial.stages.runner import Job, log, main


def run(job: Job) -> AugmentSummary:
    target = job.contract.target
    columns = [ROW_ID] if target is None else [ROW_ID, target]
    units = read_table(job.input("featurize") / "units.parquet", columns)
    splits = read_table(job.input("split") / "splits.parquet")
    drawn = count_draws(units.join(splits.filter(pl.col("split") == "train"), on=ROW_ID), target, job.params(AugmentParams))
    write_table(job.out / "draws.parquet", drawn)
    total = int(drawn["times"].sum())
    log.info("%d training rows, %d draws an epoch", drawn.height, total)
    return AugmentSummary(rows=drawn.height, draws=total)


if __name__ == "__main__":
    main("augment", run)
