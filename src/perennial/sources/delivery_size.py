"""The raw folder that is there and the one that shall take its place in, an error out where they differ too much in size.

The history of a use case is the raw data that its last run read: it is held against what arrives before anything is
exchanged, so no stage has to know of it.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from perennial.contract.model import Contract
from perennial.data.io.byte_source import FileKind, read_chunks
from perennial.errors import DataStopped, InputError

_TIMES = 10  # as many, or as few, is another kind of delivery
_ENOUGH = 100  # records below which a table has no usual size
_CHUNK = 1 << 22


def check_size(name: str, contract: Contract, old: Path, new: Path) -> None:
    """Raises: DataStopped when a table has lost nine in ten of its records, or has ten times as many."""
    if not old.is_dir():
        return
    problems = []
    for table, (pattern, _) in contract.tables.items():
        before, now = (_records(folder, pattern, contract) for folder in (old, new))
        if before is None or now is None or max(before, now) < _ENOUGH:
            continue
        if now * _TIMES <= before or now >= before * _TIMES:
            problems.append(f"table {table}: {now} records arrive, where {before} were before")
    if problems:
        words = f"{'; '.join(problems)}; if that is right: perennial fetch {name} --any-size"
        raise DataStopped(words, code="row_count_history")


def _records(folder: Path, pattern: str, contract: Contract) -> int | None:
    """About how many: lines, or rows of Parquet; None where that cannot be told."""
    files = [path for path in folder.iterdir() if fnmatch(path.name, pattern) and path.name not in contract.attached]
    try:
        return sum(_count(path, contract) for path in files)
    except (InputError, pa.ArrowException, OSError):
        return None  # ingest says what is wrong with it


def _count(path: Path, contract: Contract) -> int:
    if contract.source.format == "parquet":
        return int(pq.ParquetFile(path).metadata.num_rows)
    kind: FileKind = "JSONL" if contract.source.format == "jsonl" else "CSV"
    encoding = contract.source.encoding
    return sum(chunk.count(b"\n") for chunk in read_chunks(path, encoding, _CHUNK, kind))
