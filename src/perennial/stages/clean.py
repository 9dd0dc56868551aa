"""Clean: declared duplicates and filtered events are dropped and listed."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from perennial.data.names import ROW_ID, UNUSED_SCHEMA, conserve_rows
from perennial.data.prepare.clean import WHY, clean
from perennial.files.tables import read_table, write_table
from perennial.results.clean import CleanSummary
from perennial.results.summary import RowFlow
from perennial.stages.runner import Job, log, main


def run(job: Job) -> CleanSummary:
    folder, contract = job.input("validate"), job.contract
    dropped, flow = [pl.DataFrame(schema=UNUSED_SCHEMA)], dict[str, RowFlow]()
    for table, (_, columns) in contract.tables.items():
        rows = read_table(folder / f"{table}.parquet")
        lazy, events, drop = nw.from_native(rows.lazy()), contract.events.get(table), contract.drops_duplicates(table)
        marked = clean(lazy, columns, events, drop_duplicates=drop).to_native().collect()
        clean_rows = marked.filter(pl.col(WHY).is_null()).drop(WHY)
        gone = marked.filter(pl.col(WHY).is_not_null()).select(ROW_ID, pl.lit(table).alias("table"), WHY)
        reasons = {reason: gone.filter(pl.col(WHY) == reason)[ROW_ID] for reason in sorted(set(gone[WHY]))}
        to = conserve_rows("clean", table, rows[ROW_ID], kept=clean_rows[ROW_ID], **reasons)
        flow[table] = RowFlow(rows_in=rows.height, to=to)
        dropped.append(gone)
        write_table(job.out / f"{table}.parquet", clean_rows)
        log.info("%s: %d rows, %s", table, rows.height, ", ".join(f"{count} {place}" for place, count in to.items()))
    write_table(job.out / "dropped.parquet", pl.concat(dropped).sort("table", ROW_ID))
    return CleanSummary(flow=flow)


if __name__ == "__main__":
    main("clean", run)
