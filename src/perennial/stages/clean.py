"""Rows that passed in; the same without declared duplicates and filtered events, and the list of those, out."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from perennial.data.names import ROW_ID, UNUSED_SCHEMA, conserve_rows
from perennial.data.prepare.clean import WHY, clean
from perennial.files.tables import read_table, write_table
from perennial.stages.runner import Job, Summary, log, main


def run(job: Job) -> Summary:
    folder, contract = job.input("validate"), job.contract
    dropped, flow = [pl.DataFrame(schema=UNUSED_SCHEMA)], {}
    for table, (_, columns) in contract.tables.items():
        rows = read_table(folder / f"{table}.parquet")
        lazy, events, drop = nw.from_native(rows.lazy()), contract.events.get(table), contract.drops_duplicates(table)
        marked = clean(lazy, columns, events, drop_duplicates=drop).to_native().collect()
        kept = marked.filter(pl.col(WHY).is_null()).drop(WHY)
        gone = marked.filter(pl.col(WHY).is_not_null()).select(ROW_ID, pl.lit(table).alias("table"), WHY)
        reasons = {reason: gone.filter(pl.col(WHY) == reason)[ROW_ID] for reason in sorted(set(gone[WHY]))}
        to = conserve_rows("clean", table, rows[ROW_ID], kept=kept[ROW_ID], **reasons)
        flow[table] = {"in": rows.height, "to": to}
        dropped.append(gone)
        write_table(job.out / f"{table}.parquet", kept)
        log.info("%s: %d rows, %s", table, rows.height, ", ".join(f"{count} {place}" for place, count in to.items()))
    write_table(job.out / "dropped.parquet", pl.concat(dropped).sort("table", ROW_ID))
    return {"flow": flow}


if __name__ == "__main__":
    main("clean", run)
