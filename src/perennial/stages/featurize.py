"""Featurize: one row a unit with its columns as of a date; rows that feed none are listed with the reason."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from perennial.contract.model import Contract
from perennial.data.names import CUTOFF, ORDER, ROW_ID, UNUSED_SCHEMA, conserve_rows
from perennial.data.prepare.cutoffs import check_windows
from perennial.data.prepare.featurize import featurize
from perennial.errors import DataStopped
from perennial.files.tables import read_table, write_table
from perennial.results.featurize import FeaturizeSummary
from perennial.results.summary import RowFlow
from perennial.stages.runner import Job, log, main


def run(job: Job) -> FeaturizeSummary:
    """Raises: DataStopped when no unit is left, or an outcome is not known yet."""
    folder, contract = job.input("clean"), job.contract
    tables = {table: read_table(folder / f"{table}.parquet") for table in contract.tables}
    lazy = {table: nw.from_native(rows.lazy()) for table, rows in tables.items()}
    if contract.unit.cutoffs is not None:
        check_windows(lazy, contract, contract.unit.cutoffs.all[-1])
    features = featurize(lazy, contract)
    units = features.units.to_native().collect().sort(ORDER)
    unused = pl.concat([pl.DataFrame(schema=UNUSED_SCHEMA), *(part.to_native().collect() for part in features.unused)])
    flow = dict[str, RowFlow]()
    for table, rows in tables.items():
        listed = unused.filter(pl.col("table") == table)
        feeding = features.fed[table].to_native().collect()[ROW_ID]
        reasons = {why: listed.filter(pl.col("reason") == why)[ROW_ID] for why in sorted(set(listed["reason"]))}
        to = conserve_rows("featurize", table, rows[ROW_ID], fed=feeding, **reasons)
        flow[table] = RowFlow(rows_in=rows.height, to=to)
        log.info("%s: %d rows, %s", table, rows.height, to)
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
