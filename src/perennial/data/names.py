"""Technical columns of every table, and the accounting that no row is lost between two stages."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl

from perennial.errors import ConservationError
from perennial.results.summary import RowFlow

Table = nw.LazyFrame[Any]  # a Polars LazyFrame

ROW_ID = "row_id"  # digest of the source file and record number: the same from the raw file to the score
ENTITY = "_entity"  # text that identifies the entity (such as the customer) of a row; decides the split
ORDER = "_order"  # position in the order of the files, 0 first
CONTENT = "_content"  # md5 of the record's canonical text: equal rows have equal content
SOURCE, RECORD, LINE, RAW = "_source", "_record", "_line", "_raw"
SHEET = ", sheet "  # between a workbook's name and its sheet's in a source; a line is a row of the sheet then
QUARANTINE_SCHEMA = {
    ROW_ID: pl.String,
    "table": pl.String,
    "source": pl.String,
    "record": pl.Int64,
    "line": pl.Int64,
    "rule": pl.String,
    "reason": pl.String,
    "raw": pl.Binary,
}
CUTOFF = "cutoff"  # of a unit made of events: the date as of which its features are computed
LABEL_END = "label_end"  # and the first date on which its outcome is known
UNUSED_SCHEMA = {ROW_ID: pl.String, "table": pl.String, "reason": pl.String}


def list_unused(rows: Table, table: str, reason: str) -> Table:
    """Rows that feed no unit, with the reason, in the shape of UNUSED_SCHEMA."""
    return rows.select(ROW_ID, nw.lit(table).alias("table"), nw.lit(reason).alias("reason"))


def describe_place(source: str, line: int) -> str:
    """Where a record stands: `customers.csv:17`, `customers.xlsx, sheet May, row 17`."""
    return f"{source}, row {line}" if SHEET in source else f"{source}:{line}"


def build_quarantine(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Rows with their `rule` and `reason`, in the shape of QUARANTINE_SCHEMA."""
    place = {"source": pl.col(SOURCE), "record": pl.col(RECORD), "line": pl.col(LINE)}
    return rows.select(ROW_ID, table=pl.lit(table), **place, rule="rule", reason="reason", raw=pl.col(RAW))


def conserve_rows(stage: str, table: str, ids: pl.Series, /, **to: pl.Series) -> RowFlow:
    """Check that each row of a table went to exactly one place, and count the rows of each.

    Raises: ConservationError when the input ids are not the disjoint union of the output ids.
    """
    outs = pl.concat([series.cast(pl.String).rename(ROW_ID) for series in to.values()]).sort()
    if not outs.equals(ids.rename(ROW_ID).sort()):
        lost, new = set(ids) - set(outs), set(outs) - set(ids)
        raise ConservationError(
            f"{stage}, table {table}: {len(ids)} rows in, {len(outs)} out; lost {sorted(lost)[:3]}, "
            f"from nowhere {sorted(new)[:3]}, {len(outs) - outs.n_unique()} twice; this is a bug, please report it"
        )
    return RowFlow(rows_in=len(ids), to={place: len(series) for place, series in to.items()})


def ids_by_reason(rows: pl.DataFrame) -> dict[str, pl.Series]:
    """The row ids of rows that were left out, by their `reason`."""
    return {reason: rows.filter(pl.col("reason") == reason)[ROW_ID] for reason in sorted(set(rows["reason"]))}
