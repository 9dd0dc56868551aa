"""Ingest: raw files become typed rows of each table; records that cannot be read go to quarantine."""

from __future__ import annotations

import polars as pl

from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat, assign_files
from perennial.data.names import ROW_ID, conserve_rows
from perennial.files.tables import write_table
from perennial.results.ingest import IngestSummary
from perennial.results.summary import RowFlow
from perennial.stages.runner import Job, log, main


def run(job: Job) -> IngestSummary:
    tables = job.contract.tables
    attached = job.contract.attached
    attachments = [path for path in job.raw_files if path.name in attached]
    files = assign_files(
        [path for path in job.raw_files if path.name not in attached], {table: pattern for table, (pattern, _) in tables.items()}
    )
    rejects, flow, warnings, normalised = [], dict[str, RowFlow](), [], dict[str, dict[str, int]]()
    for table, (_, columns) in tables.items():
        read = ingest(files[table], columns, TableFormat.of(job.contract, table), attachments)
        ids = pl.concat([read.rows[ROW_ID], read.rejects[ROW_ID]])
        flow[table] = conserve_rows("ingest", table, ids, passed=read.rows[ROW_ID], quarantined=read.rejects[ROW_ID])
        warnings += read.warnings
        normalised[table] = dict(sorted(read.normalised.items()))
        rejects.append(read.rejects)
        write_table(job.out / f"{table}.parquet", read.rows)
        log.info("%s: %d records, %d rows, %d unreadable", table, len(ids), read.rows.height, read.rejects.height)
    quarantine = pl.concat(rejects).sort("table", "source", "record")
    write_table(job.out / "quarantine.parquet", quarantine)
    rules = quarantine["rule"].value_counts().sort("rule")
    for warning in warnings:
        log.warning("%s", warning)
    return IngestSummary(flow=flow, warnings=tuple(warnings), normalised=normalised, quarantine=dict(rules.iter_rows()))


if __name__ == "__main__":
    main("ingest", run)
