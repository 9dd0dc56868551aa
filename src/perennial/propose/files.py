"""What `--data` names in, its files with the same columns, how they are written, and their rows out.

Several files with other columns are never joined unasked: which one is meant, a person must say.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.source import Format
from perennial.data.io.jsonl import read_keys, read_objects
from perennial.data.io.parquet import read_parquet_blocks, read_parquet_schema
from perennial.data.io.read import Block, read_blocks
from perennial.data.names import RAW
from perennial.errors import InputError
from perennial.files.archives import is_archive, unpack
from perennial.propose.dates import parted
from perennial.propose.kinds import Keys
from perennial.propose.written import Written, written

_SURE = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz")
_MAYBE = (".txt", ".data", ".dat", ".json", ".txt.gz", ".test", ".all", ".json.gz")
_SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files with the same columns, how they are written, and the dates whose parts stand in several of these."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    source: Keys  # of the contract
    notes: tuple[str, ...]
    format: Format
    how: Written | None  # of text with a delimiter
    parted: dict[str, tuple[str, ...]]
    nested: frozenset[str] = frozenset()  # keys of JSON that hold lists or objects somewhere

    def blocks(self) -> Iterator[Block]:
        """All records, with a column more for each date in parts."""
        for path in self.paths:
            for block in self._read(path):
                joined = (pl.concat_str(parts, separator="-").alias(name) for name, parts in self.parted.items())
                yield Block(rows=block.rows.with_columns(joined), rejects=block.rejects)

    def _read(self, path: Path) -> Iterator[Block]:
        if self.how is not None:
            return read_blocks(path, self.how.dialect)
        if self.format == "jsonl":
            return self._objects(path)
        return read_parquet_blocks(path, {name: (name, Column(**keys)) for name, keys in _as_read(path).items()})

    def _objects(self, path: Path) -> Iterator[Block]:
        """A key with a list or an object anywhere has no cell: as a column it would set those rows aside."""
        no_cells = [pl.lit("").alias(name) for name in self.nested]
        for block in read_objects(path, "utf-8", {name: name for name in self.names}, set(self.names)):
            yield Block(rows=block.rows.with_columns(no_cells), rejects=block.rejects)


def opened(paths: Sequence[Path], room: Path) -> list[Path]:
    """The files themselves, or those that look like tables of the one archive, unpacked into `room`.

    Raises: InputError for a spreadsheet, and for an archive without a table or with one that cannot be trusted.
    """
    for path in paths:
        if path.suffix.lower() in _SHEETS:
            raise InputError(f"{path.name} is a spreadsheet: save the sheet as CSV, and give that", code="other_format")
    if len(paths) != 1 or not paths[0].is_file() or not is_archive(paths[0]):
        return list(paths)
    for endings in (_SURE, _MAYBE):
        try:
            unpack(paths[0], room, lambda name, e=endings: not name.startswith(".") and name.lower().endswith(e))  # type: ignore[misc]
        except InputError as error:
            if error.code != "no_table" or endings is _MAYBE:
                raise
            continue
        break
    return sorted(room.iterdir())


def agreed(paths: Sequence[Path]) -> Files:
    """How all of the files are written.

    Raises: InputError when their columns differ, or one is no table.
    """
    first, *others = [_file(path) for path in paths]
    for other in others:
        if (other.names, other.format, other.how and other.how.dialect) != (
            first.names, first.format, first.how and first.how.dialect,
        ):  # fmt: skip
            named = ", ".join(f"{f.paths[0].name} ({len(f.names)} columns)" for f in (first, *others))
            raise InputError(f"the files differ in their columns: {named}. Which one is it? Give that file by --data")
    return Files(
        paths=tuple(paths), names=first.names, source={"kind": "file", "files": _pattern(paths)} | first.source,
        notes=first.notes, format=first.format, how=first.how, parted=first.parted,
        nested=frozenset().union(*(file.nested for file in (first, *others))),
    )  # fmt: skip


def _file(path: Path) -> Files:
    with open(path, "rb") as raw:
        magic = raw.read(4)
    form: Format = "parquet" if magic == b"PAR1" else "jsonl" if _holds_objects(path) else "csv"
    how = written(path) if form == "csv" else None
    if how is not None:
        names, source, notes = how.names, how.source, how.notes
    else:
        names = tuple(read_parquet_schema(path)) if form == "parquet" else tuple(read_keys(path, "utf-8"))
        source, notes = {"format": form}, (f"it is written as {form}",)
    return Files(
        paths=(path,), names=names, source=source, notes=notes, format=form, how=how, parted=parted(names),
        nested=_nested(path, names) if form == "jsonl" else frozenset(),
    )  # fmt: skip


def _nested(path: Path, names: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for block in read_objects(path, "utf-8", {name: name for name in names}, set(names)):
        for raw in block.rows[RAW]:
            if b"[" in raw or raw.count(b"{") > 1:
                found |= {key for key, value in json.loads(raw).items() if isinstance(value, list | dict)}
    return frozenset(found)


def _holds_objects(path: Path) -> bool:
    """By its name; what begins like one object a line and is called otherwise, the CSV reader refuses with words."""
    return path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json"))


def _as_read(path: Path) -> dict[str, Keys]:
    """Moments as text in the one form, what cannot be a cell as empty, the rest by its shortest text."""
    found: dict[str, Keys] = {}
    for name, dtype in read_parquet_schema(path).items():
        if dtype.is_nested() or dtype == pl.Binary:
            found[name] = {"role": "ignore", "why": "lists, objects or bytes"}
        elif dtype == pl.Date or isinstance(dtype, pl.Datetime):
            found[name] = {"role": "time", "type": "date" if dtype == pl.Date else "datetime"}
        else:
            found[name] = {"role": "categorical"}
    return found


def _pattern(paths: Sequence[Path]) -> str:
    """The name of the one file, or what the names of several end with."""
    if len(paths) == 1:
        return glob.escape(paths[0].name)
    suffix = "".join(paths[0].suffixes)
    return f"*{glob.escape(suffix)}" if all("".join(path.suffixes) == suffix for path in paths) else "*"
