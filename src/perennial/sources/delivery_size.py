"""Delivery size check: stop a fetch that has far more or far fewer records than the raw data it would replace."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from perennial.contract.model import Contract
from perennial.data.io.byte_source import FileKind, read_chunks
from perennial.data.io.table_files import is_file_of
from perennial.data.io.workbook import count_rows
from perennial.errors import DataStopped, InputError
from perennial.files.archives import is_workbook

_MAX_RATIO = 10
_MIN_RECORDS = 100  # a smaller table has no usual size
_CHUNK = 1 << 22


def check_size(name: str, contract: Contract, old: Path, new: Path) -> None:
    """Raises: DataStopped when a table has lost nine in ten of its records, or has ten times as many."""
    if not old.is_dir():
        return
    problems = []
    for table, (pattern, _) in contract.tables.items():
        before, now = (_count_records(folder, pattern, contract) for folder in (old, new))
        if before is None or now is None or max(before, now) < _MIN_RECORDS:
            continue
        if now * _MAX_RATIO <= before or now >= before * _MAX_RATIO:
            problems.append(f"table {table}: {now} records arrive, where {before} were before")
    if problems:
        message = f"{'; '.join(problems)}; if that is right: perennial fetch {name} --any-size"
        raise DataStopped(message, code="row_count_history")


def _count_records(folder: Path, pattern: str, contract: Contract) -> int | None:
    """Approximately: lines, or rows of Parquet; None for a file that cannot be read."""
    files = [path for path in folder.iterdir() if is_file_of(path.name, pattern) and path.name not in contract.attached]
    try:
        return sum(_count_file(path, contract) for path in files)
    except (InputError, pa.ArrowException, OSError):
        return None  # ingest says what is wrong with it


def _count_file(path: Path, contract: Contract) -> int:
    if contract.source.format == "parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    if is_workbook(path):
        return count_rows(path, contract.source.sheet)
    kind: FileKind = "JSONL" if contract.source.format == "jsonl" else "CSV"
    encoding = contract.source.encoding
    return sum(chunk.count(b"\n") for chunk in read_chunks(path, encoding, _CHUNK, kind))
