"""Featurize: one row a unit with its columns as of a date; rows that feed none are listed with the reason."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from perennial.contract.model import Contract
from perennial.data.names import CUTOFF, ROW_ID
from perennial.data.prepare.cutoffs import check_windows
from perennial.data.prepare.featurize import featurize_rows
from perennial.errors import DataStopped
from perennial.files.tables import read_table, write_table
from perennial.results.featurize import FeaturizeSummary
from perennial.stages.runner import Job, log, main


def run(job: Job) -> FeaturizeSummary:
    """Raises: DataStopped when no unit is left, or an outcome is not known yet."""
    folder, contract = job.input("clean"), job.contract
    tables = {table: read_table(folder / f"{table}.parquet") for table in contract.tables}
    if contract.unit.cutoffs is not None:
        lazy = {table: nw.from_native(rows.lazy()) for table, rows in tables.items()}
        check_windows(lazy, contract, contract.unit.cutoffs.all[-1])
    units, unused, flow = featurize_rows(tables, contract)
    for table, places in flow.items():
        log.info("%s: %d rows, %s", table, places.rows_in, places.to)
    if not units.height:
        n_rows = sum(rows.height for rows in tables.values())
        raise DataStopped(f"no unit is left of {n_rows} rows: unit.where is {contract.unit.where}")
    cutoffs = _by_cutoff(units, contract)
    write_table(job.out / "units.parquet", units)
    write_table(job.out / "unused.parquet", unused.sort("table", ROW_ID))
    return FeaturizeSummary(flow=flow, units=units.height, cutoffs=cutoffs)


def _by_cutoff(units: pl.DataFrame, contract: Contract) -> dict[str, int]:
    """How many units there are at each cut-off, none where units are rows of a table."""
    if contract.unit.cutoffs is None:
        return {}
    counts = {str(cutoff): units.filter(pl.col(CUTOFF) == cutoff).height for cutoff in contract.unit.cutoffs.all}
    if empty := [cutoff for cutoff, count in counts.items() if not count]:
        raise DataStopped(f"nobody has an event before cut-off {empty[0]}: choose a later one")
    for name in contract.unit.target:
        if units[name].n_unique() < 2:
            raise DataStopped(f"the outcome {name} is always {units[name][0]}")
    log.info("%d units: %s", units.height, ", ".join(f"{count} at {cutoff}" for cutoff, count in counts.items()))
    return counts


if __name__ == "__main__":
    main("featurize", run)
