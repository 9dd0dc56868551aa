"""Clean tables in; one row a unit with its columns as of a date, and the rows that feed none with their reason, out."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from perennial.contract.model import MAIN
from perennial.data.featurize import featurize
from perennial.data.names import LISTED, ORDER, ROW_ID, conserve
from perennial.errors import DataStopped
from perennial.files.tables import read_table, write_table
from perennial.stages.shell import Job, Summary, log, main


def run(job: Job) -> Summary:
    """Raises: DataStopped when no unit is left."""
    folder, contract = job.input("clean"), job.contract
    tables = {table: read_table(folder / f"{table}.parquet") for table in contract.tables}
    made = featurize({table: nw.from_native(rows.lazy()) for table, rows in tables.items()}, contract)
    units = made.units.to_native().collect().sort(ORDER)
    unused = pl.concat([pl.DataFrame(schema=LISTED), *(part.to_native().collect() for part in made.unused)])
    flow = {}
    for table, rows in tables.items():
        listed = unused.filter(pl.col("table") == table)
        fed = units[ROW_ID] if table == MAIN else rows.join(listed, on=ROW_ID, how="anti")[ROW_ID]
        reasons = {why: listed.filter(pl.col("reason") == why)[ROW_ID] for why in sorted(set(listed["reason"]))}
        flow[table] = {"in": rows.height, "to": conserve("featurize", table, rows[ROW_ID], fed=fed, **reasons)}
        log.info("%s: %d rows, %s", table, rows.height, flow[table]["to"])
    if not units.height:
        raise DataStopped(f"no unit is left of {tables[MAIN].height} rows: unit.where is {contract.unit.where}")
    write_table(job.out / "units.parquet", units)
    write_table(job.out / "unused.parquet", unused.sort("table", ROW_ID))
    return {"flow": flow, "units": units.height}


if __name__ == "__main__":
    main("featurize", run)
