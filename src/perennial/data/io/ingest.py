"""The raw files of one table in, its typed rows and its unreadable rows out.

All that engines do differently (casts, dates, normal forms, hashes) is done here, once.
"""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import assert_never

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.model import Contract
from perennial.contract.source import Format
from perennial.data.io.cast import CastRows, cast_columns, hash_records
from perennial.data.io.csv_header import Dialect
from perennial.data.io.headers import find_stray_rows, match_header
from perennial.data.io.images import Archive, attach_pictures, hash_pictures
from perennial.data.io.jsonl import read_keys, read_objects
from perennial.data.io.normalise import count_changes
from perennial.data.io.parquet import read_parquet_blocks, read_parquet_header
from perennial.data.io.read import Block, read_blocks, read_header
from perennial.data.names import CONTENT, ENTITY, LINE, ORDER, QUARANTINE_SCHEMA, RAW, RECORD, ROW_ID, SOURCE
from perennial.data.warnings import DataWarning
from perennial.errors import DataStopped, InputError
from perennial.files.durable import sha256_file

_PREVIEW = 12


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """Typed rows (`rows`), unreadable rows (`rejects`, in the shape of a quarantine), and what was noticed.

    `normalised` counts the cells that were brought into normal form, by step and column.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    warnings: list[DataWarning] = field(default_factory=list)
    normalised: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class TableFormat:
    """How the files of a table are written, and which column names whose row it is."""

    table: str
    format: Format
    dialect: Dialect
    entity: str | None
    allow_empty: bool

    @classmethod
    def of(cls, contract: Contract, table: str) -> TableFormat:
        """What the contract says of one of its tables."""
        source, (_, columns) = contract.source, contract.tables[table]
        dialect = Dialect(
            delimiter=source.delimiter, encoding=source.encoding, names=source.header, quoting=source.quoting == "double",
            skip=source.skip, trim=source.trim,
        )  # fmt: skip
        owner = next((name for role in ("entity", "id") for name, c in columns.items() if c.role == role), None)
        return cls(table=table, format=source.format, dialect=dialect, entity=owner, allow_empty=source.allow_empty)


def assign_files(files: Sequence[Path], patterns: dict[str, str]) -> dict[str, list[Path]]:
    """The files of each table by its name pattern.

    Raises: InputError when a file belongs to no table, or a table has no file.
    """
    found: dict[str, list[Path]] = {table: [] for table in patterns}
    for path in sorted(files):
        table = next((name for name, pattern in patterns.items() if path.match(pattern)), None)
        if table is None:
            raise InputError(
                f"{path} belongs to no table: the contract knows {', '.join(patterns.values())}; remove it",
                code="no_table",
            )
        found[table].append(path)
    for table, paths in found.items():
        if not paths:
            raise InputError(
                f"table {table}: no file named {patterns[table]} among {', '.join(p.name for p in files) or 'no files'}",
                code="missing_file",
            )
    return found


def ingest(
    paths: Sequence[Path], columns: dict[str, Column], form: TableFormat, attachments: Sequence[Path] = ()
) -> Ingested:
    """Read, normalise and cast every record of a table; each becomes a row or a reject.

    An image column's paths are followed into its tar among `attachments`; its cells become the pictures' bytes.

    Raises: InputError when a file cannot be read at all, lacks a required column, or holds no row.
    """
    rows: list[pl.DataFrame] = []
    rejects: list[pl.DataFrame] = []
    warnings: list[DataWarning] = []
    normalised: Counter[str] = Counter()
    seen: dict[str, Path] = {}
    archives = _archives(columns, attachments)
    for path in paths:
        digest = sha256_file(path)
        if digest in seen:
            words = f"{path.name} holds the same bytes as {seen[digest].name} and is read once"
            warnings.append(DataWarning("same_file", words))
            continue
        seen[digest] = path
        names, told = match_header(path, read_names(path, form), columns)
        warnings += _as_written(path, form) + told
        for block in _blocks(path, names, columns, form):
            good, bad = _typed(block, path, digest, columns, form, archives)
            normalised += count_changes(block.rows, columns)
            rows.append(good)
            rejects.append(bad)
    table = pl.concat(rows) if rows else _no_rows(columns)
    found = _concat(rejects)
    _refuse_contact(form.table, found, table.height + found.height)
    if not table.height:
        words = f"table {form.table}: no row in {', '.join(path.name for path in paths)} could be read"
        if not form.allow_empty:
            raise InputError(f"{words}; {_commonest(found)}", code="no_rows")
        warnings.append(DataWarning("no_rows", words))
    table = table.with_columns(pl.int_range(table.height, dtype=pl.Int64).alias(ORDER))
    return Ingested(
        rows=table, rejects=found, warnings=[*warnings, *_hidden(normalised), *_odd(found)], normalised=normalised
    )


def _refuse_contact(table: str, rejects: pl.DataFrame, n_records: int) -> None:
    """A cell may hold an address by mistake; a column of them is described wrongly.

    Raises: DataStopped naming the columns.
    """
    counts = rejects.filter(pl.col("rule").str.starts_with("contact:"))["rule"].value_counts().sort("rule").rows()
    told = [rule.removeprefix("contact:") for rule, count in counts if count > max(1, n_records // 100)]
    if told:
        words = f"table {table}: {', '.join(told)} holds addresses, or numbers to call or charge, of people"
        raise DataStopped(f"{words}; give it the role contact, or ignore", code="contact_data")


def _commonest(rejects: pl.DataFrame) -> str:
    """Why most records are no rows, without a cell of theirs."""
    if not rejects.height:
        return "the file has no record; if that may be, declare source.allow_empty"
    rule, count = rejects["rule"].value_counts().sort(["count", "rule"], descending=[True, False]).row(0)
    return f"{count} of {rejects.height} records break {rule}"


def _hidden(normalised: Counter[str]) -> list[DataWarning]:
    told = {key.partition(":")[2]: n for key, n in sorted(normalised.items()) if key.startswith("unseen_signs:")}
    return [
        DataWarning("unseen_signs", f"{n} cells of {name!r} held signs that nobody sees; taken off")
        for name, n in told.items()
    ]


def _odd(rejects: pl.DataFrame) -> list[DataWarning]:
    again = rejects.filter(pl.col("rule") == "record:repeated_header").sort("source", "line")
    return [
        DataWarning(
            "repeated_header", f"{source}: the header stands again on line {line}; was the file joined of several?"
        )
        for source, line in again.select("source", "line").unique("source", maintain_order=True).rows()
    ]


def _typed(
    block: Block, path: Path, digest: str, columns: dict[str, Column], form: TableFormat, archives: dict[str, Archive]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    declared = {name: column for name, column in columns.items() if column.role != "ignore"}
    result = _but_stray(_with_pictures(cast_columns(block.rows, declared), columns, archives), block.rows, declared)
    content = hash_records(block.rows, columns)  # also the ignored ones: equal rows are equal in the file
    row_id = block.rows[RECORD].map_elements(lambda record: f"{digest[:_PREVIEW]}-{record}", return_dtype=pl.String)
    entity = result.frame[form.entity].cast(pl.String) if form.entity else content
    frame = result.frame.with_columns(
        row_id.alias(ROW_ID), entity.alias(ENTITY), content.alias(CONTENT),
        pl.lit(path.name).alias(SOURCE), block.rows[RECORD], block.rows[LINE], block.rows[RAW], result.reasons, result.rules,
    )  # fmt: skip
    bad = frame.filter(pl.col("reason").is_not_null()).select(
        ROW_ID, pl.lit(form.table).alias("table"), pl.col(SOURCE).alias("source"), pl.col(RECORD).alias("record"),
        pl.col(LINE).alias("line"), "rule", "reason", pl.col(RAW).alias("raw"),
    )  # fmt: skip
    return frame.filter(pl.col("reason").is_null()).drop("reason", "rule"), pl.concat(
        [bad, _structure(block, path, digest, form)]
    )


def _archives(columns: dict[str, Column], attachments: Sequence[Path]) -> dict[str, Archive]:
    """The tars that columns of paths lead into, by name.

    Raises: InputError when one is not there.
    """
    found: dict[str, Archive] = {}
    for column in columns.values():
        if column.archive is not None and column.archive not in found:
            path = next((path for path in attachments if path.name == column.archive), None)
            if path is None:
                raise InputError(
                    f"{column.archive} is missing: it holds the pictures; put it beside the table", code="missing_file"
                )
            found[column.archive] = Archive.open(path)
    return found


def _with_pictures(result: CastRows, columns: dict[str, Column], archives: dict[str, Archive]) -> CastRows:
    frame, reasons, rules = result
    for name, column in columns.items():
        if column.archive is not None and column.role == "entity":
            frame = frame.with_columns(hash_pictures(frame[name], archives[column.archive]))
        elif column.archive is not None:
            pictures, why = attach_pictures(frame[name], column, archives[column.archive])
            frame = frame.with_columns(pictures)
            rules = rules.zip_with(reasons.is_not_null() | why.is_null(), f"cell:{name}" + why.str.head(0))
            reasons = pl.select(pl.coalesce(reasons, f"{name}: " + why).alias("reason")).to_series()
    return CastRows(frame, reasons, rules.rename("rule"))


def _but_stray(result: CastRows, rows: pl.DataFrame, columns: dict[str, Column]) -> CastRows:
    """Records that are no rows whatever their cells say: that comes first."""
    rule = find_stray_rows(rows, columns)
    if rule.null_count() == len(rule):
        return result
    words = rule.str.strip_prefix("record:").str.replace_all("_", " ")
    reasons, rules = (
        pl.select(pl.coalesce(a, b)).to_series() for a, b in ((words, result.reasons), (rule, result.rules))
    )
    return CastRows(result.frame, reasons.rename("reason"), rules.rename("rule"))


def _structure(block: Block, path: Path, digest: str, form: TableFormat) -> pl.DataFrame:
    """The records that are no rows at all, in the shape of a quarantine."""
    return pl.DataFrame(
        [
            (f"{digest[:_PREVIEW]}-{r.record}", form.table, path.name, r.record, r.line, f"record:{r.reason}",
             r.reason.replace("_", " "), r.raw)
            for r in block.rejects
        ],
        schema=QUARANTINE_SCHEMA, orient="row",
    )  # fmt: skip


def read_names(path: Path, form: TableFormat) -> list[str]:
    """The names of a file's columns, as they are written (raises as `ingest`)."""
    match form.format:
        case "csv":
            return read_header(path, form.dialect)
        case "parquet":
            return read_parquet_header(path)
        case "jsonl":
            return read_keys(path, form.dialect.encoding)
        case _:
            assert_never(form.format)


def _blocks(path: Path, names: dict[str, str], columns: dict[str, Column], form: TableFormat) -> Iterator[Block]:
    """The records of a file under the contract's names for its columns."""
    match form.format:
        case "csv":
            for block in read_blocks(path, form.dialect):
                yield replace(block, rows=block.rows.rename(_free(block.rows.columns, names)))
        case "parquet":
            read = {raw: column for name, column in columns.items() for raw in column.sources or (name,)}
            yield from read_parquet_blocks(path, {name: (one, read[one]) for name, one in names.items()})
        case "jsonl":
            loose = {raw for n, c in columns.items() if c.role == "ignore" for raw in c.sources or (n,)}
            ignored = {name for name, one in names.items() if one in loose}
            yield from read_objects(path, form.dialect.encoding, names, ignored)
        case _:
            assert_never(form.format)


def _free(header: Sequence[str], names: dict[str, str]) -> dict[str, str]:
    """The contract's names; another column that has one of them already makes way."""
    taken = {one for name, one in names.items() if name != one}
    return {name: names.get(name, f" {name}" if name in taken else name) for name in header}


def _as_written(path: Path, form: TableFormat) -> list[DataWarning]:
    """What is not the plain form of a file, and is read all the same."""
    with open(path, "rb") as file:
        marked = file.read(3) == codecs.BOM_UTF8
    warnings = [DataWarning("byte_order_mark", f"{path.name}: its byte order mark is taken off")] if marked else []
    if form.format != "parquet" and form.dialect.encoding != "utf-8":
        warnings.append(DataWarning("encoding", f"{path.name}: read as {form.dialect.encoding}, as the contract says"))
    return warnings


def _no_rows(columns: dict[str, Column]) -> pl.DataFrame:
    schema: dict[str, pl.DataType | type[pl.DataType]] = {SOURCE: pl.String, RECORD: pl.Int64, LINE: pl.Int64}
    schema |= {RAW: pl.Binary, ROW_ID: pl.String, ENTITY: pl.String, CONTENT: pl.String}
    declared = {name: column for name, column in columns.items() if column.role != "ignore"}
    empty = cast_columns(pl.DataFrame(schema=dict.fromkeys(declared, pl.String)), declared).frame
    return empty.with_columns(pl.lit(pl.Series(name, [], dtype=dtype)) for name, dtype in schema.items())


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=QUARANTINE_SCHEMA), *frames])
