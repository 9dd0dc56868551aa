"""Clean: declared duplicates and filtered events are dropped and listed."""

from __future__ import annotations

import polars as pl

from perennial.data.names import ROW_ID, UNUSED_SCHEMA
from perennial.data.prepare.clean import clean_rows
from perennial.files.tables import read_table, write_table
from perennial.results.clean import CleanSummary
from perennial.results.summary import RowFlow
from perennial.stages.runner import Job, log, main


def run(job: Job) -> CleanSummary:
    dropped, flow = [pl.DataFrame(schema=UNUSED_SCHEMA)], dict[str, RowFlow]()
    for table in job.contract.tables:
        rows = read_table(job.input("validate") / f"{table}.parquet")
        cleaned = clean_rows(table, rows, job.contract)
        flow[table] = cleaned.flow
        dropped.append(cleaned.dropped)
        write_table(job.out / f"{table}.parquet", cleaned.rows)
        places = ", ".join(f"{count} {place}" for place, count in cleaned.flow.to.items())
        log.info("%s: %d rows, %s", table, rows.height, places)
    write_table(job.out / "dropped.parquet", pl.concat(dropped).sort("table", ROW_ID))
    return CleanSummary(flow=flow)


if __name__ == "__main__":
    main("clean", run)
