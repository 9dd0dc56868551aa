"""The raw files of one table in, its typed rows and its unreadable rows out.

All that engines do differently (casts, dates, normal forms, hashes) is done here, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from perennial.contract.columns import Column
from perennial.contract.model import Contract
from perennial.data.cast import Cast, cast, content_md5, time_format
from perennial.data.images import Archive, attached
from perennial.data.names import CONTENT, ENTITY, LINE, ORDER, QUARANTINE, RAW, RECORD, ROW_ID, SOURCE
from perennial.data.read import Block, Dialect, read_blocks, read_header
from perennial.errors import InputError
from perennial.files.durable import sha256_file

_PREVIEW = 12


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """Typed rows (`rows`), unreadable rows (`rejects`, in the shape of a quarantine), and what was noticed."""

    rows: pl.DataFrame
    rejects: pl.DataFrame
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the files of a table are written, and which column names whose row it is."""

    table: str
    format: str
    dialect: Dialect
    entity: str | None
    allow_empty: bool

    @classmethod
    def of(cls, contract: Contract, table: str) -> Form:
        """What the contract says of one of its tables."""
        source, (_, columns) = contract.source, contract.tables[table]
        dialect = Dialect(
            delimiter=source.delimiter, encoding=source.encoding, names=source.header, quoting=source.quoting == "double",
            skip=source.skip, trim=source.trim,
        )  # fmt: skip
        owner = next((name for role in ("entity", "id") for name, c in columns.items() if c.role == role), None)
        return cls(table=table, format=source.format, dialect=dialect, entity=owner, allow_empty=source.allow_empty)


def matching(files: Sequence[Path], patterns: dict[str, str]) -> dict[str, list[Path]]:
    """The files of each table by its name pattern.

    Raises: InputError when a file belongs to no table, or a table has no file.
    """
    found: dict[str, list[Path]] = {table: [] for table in patterns}
    for path in sorted(files):
        table = next((name for name, pattern in patterns.items() if path.match(pattern)), None)
        if table is None:
            raise InputError(
                f"{path} belongs to no table: the contract knows {', '.join(patterns.values())}; remove it"
            )
        found[table].append(path)
    for table, paths in found.items():
        if not paths:
            raise InputError(
                f"table {table}: no file named {patterns[table]} among {', '.join(p.name for p in files) or 'no files'}"
            )
    return found


def ingest(paths: Sequence[Path], columns: dict[str, Column], form: Form, attachments: Sequence[Path] = ()) -> Ingested:
    """Read, normalise and cast every record of a table; each becomes a row or a reject.

    An image column's paths are followed into its tar among `attachments`; its cells become the pictures' bytes.

    Raises: InputError when a file cannot be read at all, lacks a required column, or holds no row.
    """
    rows: list[pl.DataFrame] = []
    rejects: list[pl.DataFrame] = []
    notes: list[str] = []
    seen: dict[str, Path] = {}
    archives = _archives(columns, attachments)
    for path in paths:
        digest = sha256_file(path)
        if digest in seen:
            notes.append(f"{path.name} holds the same bytes as {seen[digest].name} and is read once")
            continue
        seen[digest] = path
        notes += _check_columns(path, _header(path, form), columns)
        for block in _blocks(path, columns, form):
            good, bad = _typed(block, path, digest, columns, form, archives)
            rows.append(good)
            rejects.append(bad)
    table = pl.concat(rows) if rows else _no_rows(columns)
    if not table.height and not form.allow_empty:
        raise InputError(f"table {form.table}: no row in {', '.join(path.name for path in paths)} could be read")
    table = table.with_columns(pl.int_range(table.height, dtype=pl.Int64).alias(ORDER))
    return Ingested(rows=table, rejects=_concat(rejects), notes=notes)


def _typed(
    block: Block, path: Path, digest: str, columns: dict[str, Column], form: Form, archives: dict[str, Archive]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    declared = {name: column for name, column in columns.items() if column.role != "ignore"}
    result = _with_pictures(cast(block.rows, declared), columns, archives)
    content = content_md5(block.rows, columns)  # also the ignored ones: equal rows are equal in the file
    row_id = block.rows[RECORD].map_elements(lambda record: f"{digest[:_PREVIEW]}-{record}", return_dtype=pl.String)
    entity = result.frame[form.entity].cast(pl.String) if form.entity else content
    frame = result.frame.with_columns(
        row_id.alias(ROW_ID), entity.alias(ENTITY), content.alias(CONTENT),
        pl.lit(path.name).alias(SOURCE), block.rows[RECORD], block.rows[LINE], block.rows[RAW], result.reasons,
    )  # fmt: skip
    bad = frame.filter(pl.col("reason").is_not_null()).select(
        ROW_ID, pl.lit(form.table).alias("table"), pl.col(SOURCE).alias("source"), pl.col(RECORD).alias("record"),
        pl.col(LINE).alias("line"), ("cell:" + pl.col("reason").str.extract(r"\A([^:]*):")).alias("rule"), "reason",
        pl.col(RAW).alias("raw"),
    )  # fmt: skip
    return frame.filter(pl.col("reason").is_null()).drop("reason"), pl.concat(
        [bad, _structure(block, path, digest, form)]
    )


def _archives(columns: dict[str, Column], attachments: Sequence[Path]) -> dict[str, Archive]:
    """The tars that image columns lead into, by name.

    Raises: InputError when one is not there.
    """
    found: dict[str, Archive] = {}
    for column in columns.values():
        if column.role == "image" and column.archive is not None and column.archive not in found:
            path = next((path for path in attachments if path.name == column.archive), None)
            if path is None:
                raise InputError(f"{column.archive} is missing: it holds the pictures; put it beside the table")
            found[column.archive] = Archive.open(path)
    return found


def _with_pictures(result: Cast, columns: dict[str, Column], archives: dict[str, Archive]) -> Cast:
    frame, reasons = result
    for name, column in columns.items():
        if column.role == "image" and column.archive is not None:
            pictures, why = attached(frame[name], column, archives[column.archive])
            frame = frame.with_columns(pictures)
            reasons = pl.select(pl.coalesce(reasons, f"{name}: " + why).alias("reason")).to_series()
    return Cast(frame, reasons)


def _structure(block: Block, path: Path, digest: str, form: Form) -> pl.DataFrame:
    """The records that are no rows at all, in the shape of a quarantine."""
    return pl.DataFrame(
        [
            (f"{digest[:_PREVIEW]}-{r.record}", form.table, path.name, r.record, r.line, f"record:{r.reason}",
             r.reason.replace("_", " "), r.raw)
            for r in block.rejects
        ],
        schema=QUARANTINE, orient="row",
    )  # fmt: skip


def _header(path: Path, form: Form) -> list[str]:
    if form.format == "parquet":
        return [str(name) for name in _parquet(path).schema_arrow.names]
    return read_header(path, form.dialect)


def _blocks(path: Path, columns: dict[str, Column], form: Form) -> Iterator[Block]:
    return _parquet_blocks(path, columns) if form.format == "parquet" else read_blocks(path, form.dialect)


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} is no readable Parquet file ({error}); is it complete, and is `format` right?")


def _parquet_blocks(path: Path, columns: dict[str, Column]) -> Iterator[Block]:
    """Row groups as text cells; a record's raw text is its declared cells as JSON, its line is its record number."""
    read = {raw: column for name, column in columns.items() for raw in column.sources or (name,)}
    record = 1
    for cells in _batches(path, read):
        frame = cells.select(_as_text(path, cells[name], read[name]) for name in cells.columns)
        numbers = pl.int_range(record, record + frame.height, eager=True, dtype=pl.Int64)
        raw = [json.dumps(row, ensure_ascii=False).encode() for row in frame.to_dicts()]
        yield Block(
            rows=frame.with_columns(numbers.alias(RECORD), numbers.alias(LINE), pl.Series(RAW, raw, dtype=pl.Binary)),
            rejects=[],
        )
        record += frame.height


def _batches(path: Path, read: dict[str, Column]) -> Iterator[pl.DataFrame]:
    file = _parquet(path)
    try:
        for batch in file.iter_batches(columns=[name for name in file.schema_arrow.names if name in read]):
            yield pl.DataFrame(pl.from_arrow(batch))
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _as_text(path: Path, cells: pl.Series, column: Column) -> pl.Series:
    """As a CSV would say it: times in the column's own format and zone, the rest by its shortest text."""
    if cells.dtype.is_nested() or cells.dtype == pl.Binary:
        if column.role == "ignore":
            return pl.Series(cells.name, [""] * len(cells), dtype=pl.String)
        raise InputError(f"{path}: column {cells.name} holds {cells.dtype}, neither text, numbers nor times")
    if isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None:
        cells = cells.dt.convert_time_zone(column.tz)
    if cells.dtype.is_temporal() and column.cell_type in {"date", "datetime"}:
        return cells.dt.to_string(time_format(column)).fill_null("")
    return cells.cast(pl.String).fill_null("")


def _check_columns(path: Path, header: list[str], columns: dict[str, Column]) -> list[str]:
    raw = {name: column.sources or (name,) for name, column in columns.items()}
    asked = [raw[name] for name, column in columns.items() if column.required and column.role != "ignore"]
    needed = [name for names in asked for name in names]
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputError(f"{path} lacks column {', '.join(missing)}; its header says: {', '.join(header[:30])}")
    unread = [name for name in header if name not in columns and not any(name in names for names in raw.values())]
    return [f"{path.name}: column {name!r} is in no contract and is not read" for name in unread]


def _no_rows(columns: dict[str, Column]) -> pl.DataFrame:
    schema: dict[str, pl.DataType | type[pl.DataType]] = {SOURCE: pl.String, RECORD: pl.Int64, LINE: pl.Int64}
    schema |= {RAW: pl.Binary, ROW_ID: pl.String, ENTITY: pl.String, CONTENT: pl.String}
    declared = {name: column for name, column in columns.items() if column.role != "ignore"}
    empty = cast(pl.DataFrame(schema=dict.fromkeys(declared, pl.String)), declared).frame
    return empty.with_columns(pl.lit(pl.Series(name, [], dtype=dtype)) for name, dtype in schema.items())


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=QUARANTINE), *frames])
