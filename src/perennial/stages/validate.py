"""Validate: rows that break a rule go to quarantine, and the audit of those that passed must find nothing."""

from __future__ import annotations

import polars as pl

from perennial.contract.model import MAIN
from perennial.data.names import ROW_ID, conserve_rows
from perennial.data.quality.suite import audit_rows
from perennial.data.quality.table_checks import find_problems, find_warnings, refuse_early_labels
from perennial.data.quality.validate import count_unexpected, summarise_table, validate
from perennial.errors import DataStopped
from perennial.files.durable import write_json
from perennial.files.tables import read_table, write_table
from perennial.results.summary import RowFlow
from perennial.results.validate import ValidateSummary
from perennial.stages.runner import Job, log, main


def run(job: Job) -> ValidateSummary:
    """Raises: DataStopped when a table as a whole is unfit, or the audit disagrees; LeakError for labels that are early."""
    folder, contract = job.input("ingest"), job.contract
    quarantines, flow, audits, problems, warnings = [], dict[str, RowFlow](), {}, [], []
    for table, (_, columns) in contract.tables.items():
        rules = contract.row_rules(table)
        rows = read_table(folder / f"{table}.parquet")
        passed, quarantine = validate(table, rows, rules)
        ids = {"passed": passed[ROW_ID], "quarantined": quarantine[ROW_ID]}
        flow[table] = conserve_rows("validate", table, rows[ROW_ID], **ids)
        write_table(job.out / f"{table}.parquet", passed)
        declared = [name for name, column in columns.items() if column.role != "ignore"]
        audits[table] = audit_rows(passed, summarise_table(passed, rules), declared, rules)
        written = contract.rules if table == MAIN else contract.events[table].rules
        refuse_early_labels(table, passed, columns)
        target = (contract.target or "") if table == MAIN else ""
        problems += find_problems(table, passed, columns, written, target)
        warnings += [*find_warnings(table, passed, columns, target), *count_unexpected(table, passed, contract.soft_rules(table))]
        quarantines.append(quarantine)
        log.info("%s: %d rows, %d quarantined", table, rows.height, quarantine.height)
    broken = pl.concat(quarantines).sort("table", "source", "record")
    write_table(job.out / "quarantine.parquet", broken)
    write_json(job.out / "audit.json", audits)
    failed = [f"{table}: {', '.join(result['failed'])}" for table, result in audits.items() if not result["success"]]
    if failed:
        raise DataStopped(f"the audit of the rows that passed disagrees with the row checks ({'; '.join(failed)})")
    if problems:
        raise DataStopped("; ".join(map(str, problems)))
    for warning in warnings:
        log.warning("%s", warning)
    counts = broken["rule"].value_counts().sort("rule")
    audited = {table: len(result["results"]) for table, result in audits.items()}
    return ValidateSummary(flow=flow, quarantine=dict(counts.iter_rows()), audited=audited, warnings=tuple(warnings))


if __name__ == "__main__":
    main("validate", run)
