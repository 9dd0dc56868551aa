"""Ingestion of one table: its raw files are read, normalised and cast; unreadable rows are set aside with reasons.

All that engines do differently (casts, dates, normal forms, hashes) is done here, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from perennial.contract.columns import Column
from perennial.data.io.cast import CastRows, add_problems, cast_columns, hash_records
from perennial.data.io.headers import find_stray_rows, match_header
from perennial.data.io.images import Archive, attach_pictures, hash_pictures
from perennial.data.io.normalise import count_changes
from perennial.data.io.read import Block
from perennial.data.io.table_files import TableFormat, open_table, warn_of_form
from perennial.data.names import CONTENT, ENTITY, LINE, ORDER, QUARANTINE_SCHEMA, RAW, RECORD, ROW_ID, SOURCE, build_quarantine
from perennial.errors import DataStopped, InputError
from perennial.files.durable import sha256_file
from perennial.results.summary import DataWarning

_PREVIEW = 12


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """Typed rows (`rows`), unreadable rows (`rejects`, in the shape of a quarantine), and warnings.

    `normalised` counts the cells that were changed to normal form, by step and column.
    """

    rows: pl.DataFrame
    rejects: pl.DataFrame
    warnings: list[DataWarning] = field(default_factory=list)
    normalised: Counter[str] = field(default_factory=Counter)


def ingest(paths: Sequence[Path], columns: dict[str, Column], form: TableFormat, attachments: Sequence[Path] = ()) -> Ingested:
    """Read, normalise and cast every record of a table; each becomes a row or a reject.

    An image column's paths are followed into its tar among `attachments`; its cells become the pictures' bytes.

    Raises: InputError when a file cannot be read at all, lacks a required column, or holds no row.
    """
    rows: list[pl.DataFrame] = []
    rejects: list[pl.DataFrame] = []
    warnings: list[DataWarning] = []
    normalised: Counter[str] = Counter()
    paths_by_digest: dict[str, Path] = {}
    archives = _open_archives(columns, attachments)
    for path in paths:
        digest = sha256_file(path)
        if digest in paths_by_digest:
            message = f"{path.name} holds the same bytes as {paths_by_digest[digest].name} and is read once"
            warnings.append(DataWarning(code="same_file", message=message))
            continue
        paths_by_digest[digest] = path
        table_file = open_table(path, form)
        names, header_warnings = match_header(path, table_file.names, columns)
        warnings += warn_of_form(path, form) + header_warnings + table_file.warn(names, columns)
        for block in table_file.read(names, columns):
            good, bad = _cast_block(block, table_file.source, digest, columns, form, archives)
            normalised += count_changes(block.rows, columns)
            rows.append(good)
            rejects.append(bad)
    table = pl.concat(rows) if rows else _empty_table(columns)
    rejected = pl.concat([pl.DataFrame(schema=QUARANTINE_SCHEMA), *rejects])
    _refuse_contact(form.table, rejected, table.height + rejected.height)
    if not table.height:
        message = f"table {form.table}: no row in {', '.join(path.name for path in paths)} could be read"
        if not form.allow_empty:
            raise InputError(f"{message}; {_describe_commonest(rejected)}", code="no_rows")
        warnings.append(DataWarning(code="no_rows", message=message))
    table = table.with_columns(pl.int_range(table.height, dtype=pl.Int64).alias(ORDER))
    return Ingested(
        rows=table,
        rejects=rejected,
        warnings=[*warnings, *_warn_of_unseen(normalised), *_warn_of_headers(rejected)],
        normalised=normalised,
    )


def _refuse_contact(table: str, rejects: pl.DataFrame, n_records: int) -> None:
    """Stop on a column of contact data: one cell may hold an address by mistake, a column of them is described wrongly.

    Raises: DataStopped naming the columns.
    """
    counts = rejects.filter(pl.col("rule").str.starts_with("contact:"))["rule"].value_counts().sort("rule").rows()
    contact_columns = [rule.removeprefix("contact:") for rule, count in counts if count > max(1, n_records // 100)]
    if contact_columns:
        message = f"{', '.join(contact_columns)} holds addresses, or numbers to call or charge, of people"
        raise DataStopped(f"table {table}: {message}; give it the role contact, or ignore", code="contact_data")


def _describe_commonest(rejects: pl.DataFrame) -> str:
    """The rule that most rejected records break, without any of their cells."""
    if not rejects.height:
        return "the file has no record; if that may be, declare source.allow_empty"
    rule, count = rejects["rule"].value_counts().sort(["count", "rule"], descending=[True, False]).row(0)
    return f"{count} of {rejects.height} records break {rule}"


def _warn_of_unseen(normalised: Counter[str]) -> list[DataWarning]:
    counts = {key.partition(":")[2]: n for key, n in sorted(normalised.items()) if key.startswith("unseen_signs:")}
    return [
        DataWarning(code="unseen_signs", message=f"{n} cells of {name!r} held signs that nobody sees; taken off")
        for name, n in counts.items()
    ]


def _warn_of_headers(rejects: pl.DataFrame) -> list[DataWarning]:
    again = rejects.filter(pl.col("rule") == "record:repeated_header").sort("source", "line")
    return [
        DataWarning(
            code="repeated_header", message=f"{source}: the header stands again on line {line}; was the file joined of several?"
        )
        for source, line in again.select("source", "line").unique("source", maintain_order=True).rows()
    ]


def _cast_block(
    block: Block, source: str, digest: str, columns: dict[str, Column], form: TableFormat, archives: dict[str, Archive]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    declared = {name: column for name, column in columns.items() if column.role != "ignore"}
    result = _mark_stray(_add_pictures(cast_columns(block.rows, declared), columns, archives), block.rows, declared)
    content = hash_records(block.rows, columns)  # also the ignored ones: equal rows are equal in the file
    row_id = block.rows[RECORD].map_elements(lambda record: f"{digest[:_PREVIEW]}-{record}", return_dtype=pl.String)
    entity = result.frame[form.entity].cast(pl.String) if form.entity else content
    frame = result.frame.with_columns(
        row_id.alias(ROW_ID),
        entity.alias(ENTITY),
        content.alias(CONTENT),
        pl.lit(source).alias(SOURCE),
        block.rows[RECORD],
        block.rows[LINE],
        block.rows[RAW],
        result.reasons,
        result.rules,
    )
    is_bad = frame["reason"].is_not_null()
    bad = build_quarantine(frame.filter(is_bad), form.table)
    rejected = pl.concat([bad, _rejected_records(block, source, digest, form)])
    return frame.filter(~is_bad).drop("reason", "rule"), rejected


def _open_archives(columns: dict[str, Column], attachments: Sequence[Path]) -> dict[str, Archive]:
    """Open the tars that columns of paths lead into, by name.

    Raises: InputError when one is missing.
    """
    archives: dict[str, Archive] = {}
    for column in columns.values():
        if column.archive is not None and column.archive not in archives:
            path = next((path for path in attachments if path.name == column.archive), None)
            if path is None:
                raise InputError(
                    f"{column.archive} is missing: it holds the pictures; put it beside the table", code="missing_file"
                )
            archives[column.archive] = Archive.open(path)
    return archives


def _add_pictures(result: CastRows, columns: dict[str, Column], archives: dict[str, Archive]) -> CastRows:
    frame, reasons, rules = result
    for name, column in columns.items():
        if column.archive is not None and column.role == "entity":
            frame = frame.with_columns(hash_pictures(frame[name], archives[column.archive]))
        elif column.archive is not None:
            pictures, problems = attach_pictures(frame[name], column, archives[column.archive])
            frame = frame.with_columns(pictures)
            reasons, rules = add_problems(reasons, rules, f"cell:{name}", problems)
    return CastRows(frame, reasons, rules)


def _mark_stray(result: CastRows, rows: pl.DataFrame, columns: dict[str, Column]) -> CastRows:
    """Put the reason of a repeated header or a totals row before the reasons of its cells."""
    rule = find_stray_rows(rows, columns)
    if rule.null_count() == len(rule):
        return result
    reason = rule.str.strip_prefix("record:").str.replace_all("_", " ")
    both = pl.select(reason=pl.coalesce(reason, result.reasons), rule=pl.coalesce(rule, result.rules))
    return CastRows(result.frame, both["reason"], both["rule"])


def _rejected_records(block: Block, source: str, digest: str, form: TableFormat) -> pl.DataFrame:
    """The records that the reader rejected, in the shape of a quarantine."""
    return pl.DataFrame(
        [
            (
                f"{digest[:_PREVIEW]}-{r.record}",
                form.table,
                source,
                r.record,
                r.line,
                f"record:{r.reason}",
                r.reason.replace("_", " "),
                r.raw,
            )
            for r in block.rejects
        ],
        schema=QUARANTINE_SCHEMA,
        orient="row",
    )


def _empty_table(columns: dict[str, Column]) -> pl.DataFrame:
    schema: dict[str, pl.DataType | type[pl.DataType]] = {SOURCE: pl.String, RECORD: pl.Int64, LINE: pl.Int64}
    schema |= {RAW: pl.Binary, ROW_ID: pl.String, ENTITY: pl.String, CONTENT: pl.String}
    declared = {name: column for name, column in columns.items() if column.role != "ignore"}
    empty = cast_columns(pl.DataFrame(schema=dict.fromkeys(declared, pl.String)), declared).frame
    return empty.with_columns(pl.lit(pl.Series(name, [], dtype=dtype)) for name, dtype in schema.items())
