"""Ingested rows in; the rows that keep every rule, the quarantine, and the audit of what passed, out."""

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
from perennial.stages.runner import Job, Summary, log, main


def run(job: Job) -> Summary:
    """Raises: DataStopped when a table as a whole is unfit, or the audit disagrees; LeakError for labels that are early."""
    folder, contract = job.input("ingest"), job.contract
    quarantines, flow, audits, problems, notes = [], {}, {}, [], []
    for table, (_, columns) in contract.tables.items():
        rules = contract.row_rules(table)
        rows = read_table(folder / f"{table}.parquet")
        passed, quarantine = validate(table, rows, rules)
        to = conserve_rows("validate", table, rows[ROW_ID], passed=passed[ROW_ID], quarantined=quarantine[ROW_ID])
        flow[table] = {"in": rows.height, "to": to}
        write_table(job.out / f"{table}.parquet", passed)
        declared = [name for name, column in columns.items() if column.role != "ignore"]
        audits[table] = audit_rows(passed, summarise_table(passed, rules), declared, rules)
        written = contract.rules if table == MAIN else contract.events[table].rules
        refuse_early_labels(table, passed, columns)
        target = (contract.target or "") if table == MAIN else ""
        problems += find_problems(table, passed, columns, written, target)
        notes += [
            *find_warnings(table, passed, columns, target),
            *count_unexpected(table, passed, contract.soft_rules(table)),
        ]
        quarantines.append(quarantine)
        log.info("%s: %d rows, %d quarantined", table, rows.height, quarantine.height)
    found = pl.concat(quarantines).sort("table", "source", "record")
    write_table(job.out / "quarantine.parquet", found)
    write_json(job.out / "audit.json", audits)
    failed = [f"{table}: {', '.join(result['failed'])}" for table, result in audits.items() if not result["success"]]
    if failed:
        raise DataStopped(f"the audit of the rows that passed disagrees with the row checks ({'; '.join(failed)})")
    if problems:
        raise DataStopped("; ".join(map(str, problems)))
    for note in notes:
        log.warning("%s", note)
    rules_hit = found["rule"].value_counts().sort("rule")
    judged = {table: len(result["results"]) for table, result in audits.items()}
    told = {"flow": flow, "quarantine": dict(rules_hit.iter_rows()), "audited": judged}
    return {**told, "notes": [note.as_json() for note in notes]}


if __name__ == "__main__":
    main("validate", run)
