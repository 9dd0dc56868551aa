"""Quarantine: the rows that were set aside, as they stand in the file, and whether they would pass now.

Behind `perennial quarantine list|show|replay NAME`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import polars as pl

from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.data.io.ingest import ingest
from perennial.data.io.table_files import TableFormat, assign_files
from perennial.data.masking import mask_contacts
from perennial.data.names import ROW_ID, describe_place
from perennial.data.quality.validate import validate
from perennial.errors import InputError, escape_line
from perennial.files.project import Project
from perennial.files.tables import read_table

_STAGES = ("ingest", "validate")
_SHOWN = 160  # characters of a raw record
Fate = Literal["would pass", "still set aside", "gone from the files"]
FATES: tuple[Fate, ...] = ("would pass", "still set aside", "gone from the files")


def read_quarantine(project: Project, name: str) -> pl.DataFrame:
    """Read every row that was set aside, with its `stage`: of the last run, or of a validate that stopped.

    Raises: InputError when nothing was read yet.
    """
    load(project.contract(name))
    paths = [(stage, path) for stage in _STAGES if (path := _find_file(project, name, stage)) is not None]
    if not paths:
        raise InputError(f"{name} has no quarantine yet: perennial run {name}")
    frames = [read_table(path).with_columns(pl.lit(stage).alias("stage")) for stage, path in paths]
    return pl.concat(frames).sort("stage", "table", "source", "record")


def _find_file(project: Project, name: str, stage: str) -> Path | None:
    folders = (project.output(name, stage), project.state(name) / "stopped" / stage)
    return next((folder / "quarantine.parquet" for folder in folders if (folder / "quarantine.parquet").exists()), None)


def count_by_rule(rows: pl.DataFrame) -> dict[tuple[str, str, str], int]:
    """Count rows by stage, table and rule, the most frequent first."""
    grouped = rows.group_by("stage", "table", "rule").len().sort(["len", "rule"], descending=[True, False])
    return {(stage, table, rule): n for stage, table, rule, n in grouped.rows()}


def sample_rows(rows: pl.DataFrame, rule: str | None, n: int) -> list[dict[str, str]]:
    """The first `n` rows as they stand in the file, with contact data masked.

    Raises: InputError when no row breaks the rule.
    """
    chosen = rows if rule is None else rows.filter(pl.col("rule") == rule)
    if rule is not None and not chosen.height:
        there = ", ".join(sorted(set(rows["rule"]))) or "none"
        raise InputError(f"no row was set aside under {rule!r}; there are: {there}")
    return [format_row(row) for row in chosen.head(max(n, 0)).to_dicts()]


def format_row(row: dict[str, Any]) -> dict[str, str]:
    """Format one row for a reader: `where`, `rule`, `reason`, `raw`, in one line each."""
    labels = {"where": describe_place(row["source"], row["line"]), "rule": str(row["rule"])}
    return {**labels, "reason": mask_contacts(str(row["reason"])), "raw": format_raw(row["raw"])[:_SHOWN]}


def format_raw(raw: bytes | None) -> str:
    """The raw text of a record in one line, contact data masked."""
    return escape_line(mask_contacts((raw or b"").decode("utf-8", "backslashreplace")))


def replay_quarantine(project: Project, name: str) -> Counter[tuple[str, Fate]]:
    """Count by rule what would become of each row set aside, reading the raw files again under the current contract.

    A row is recognised by its id; where its file was repaired, by its table and raw text. Nothing is written.
    """
    contract = load(project.contract(name))
    before = read_quarantine(project, name)
    passed, broken = _recheck(project, name, contract)
    fates: Counter[tuple[str, Fate]] = Counter()
    for row in before.select(ROW_ID, "table", "raw", "rule").iter_rows():
        row_id, table, raw, rule = row
        row_key, text = (table, row_id), (table, raw)
        fate: Fate = "gone from the files"
        if row_key in passed or (row_key not in broken and text in passed and text not in broken):
            fate = "would pass"
        elif row_key in broken or text in broken:
            fate = "still set aside"
        fates[rule, fate] += 1
    return fates


def _recheck(project: Project, name: str, contract: Contract) -> tuple[set[object], set[object]]:
    """The (table, id) and (table, raw text) of each row that passes, and of each that does not."""
    paths = sorted(path for path in project.raw(name).rglob("*") if path.is_file())
    attachments = [path for path in paths if path.name in contract.attached]
    patterns = {table: pattern for table, (pattern, _) in contract.tables.items()}
    files = assign_files([path for path in paths if path not in attachments], patterns)
    passed, broken = set[object](), set[object]()
    for table, (_, columns) in contract.tables.items():
        read = ingest(files[table], columns, TableFormat.of(contract, table), attachments)
        validated = validate(table, read.rows, contract.row_rules(table))
        raw = read.rows.select(ROW_ID, raw="_raw").join(validated.passed.select(ROW_ID), on=ROW_ID, how="semi")
        for ids, into in ((raw, passed), (pl.concat([validated.quarantine, read.rejects]), broken)):
            for row_id, text in ids.select(ROW_ID, "raw").iter_rows():
                into |= {(table, row_id), (table, text)}
    return passed, broken
