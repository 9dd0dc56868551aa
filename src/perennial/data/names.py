"""The technical columns of every table, and the one way to account for rows."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl

from perennial.errors import ConservationError

Table = nw.LazyFrame[Any]  # one code for Polars, DuckDB and Spark

ROW_ID = "row_id"  # digest of the source file and record number: the same from the raw file to the score
ENTITY = "_entity"  # text that names whose row it is; decides the split
ORDER = "_order"  # position in the order of the files, 0 first
CONTENT = "_content"  # md5 of the record's canonical text: equal rows have equal content
SOURCE, RECORD, LINE, RAW = "_source", "_record", "_line", "_raw"
QUARANTINE_SCHEMA = {
    ROW_ID: pl.String, "table": pl.String, "source": pl.String, "record": pl.Int64, "line": pl.Int64,
    "rule": pl.String, "reason": pl.String, "raw": pl.Binary,
}  # fmt: skip
CUTOFF = "cutoff"  # of a unit made of events: the date as of which it is looked at
LABEL_END = "label_end"  # and the first date on which its outcome is known
UNUSED_SCHEMA = {ROW_ID: pl.String, "table": pl.String, "reason": pl.String}


def list_unused(rows: Table, table: str, reason: str) -> Table:
    """Rows that go no further, in the shape of LISTED."""
    return rows.select(ROW_ID, nw.lit(table).alias("table"), nw.lit(reason).alias("reason"))


def conserve_rows(stage: str, table: str, ids: pl.Series, /, **to: pl.Series) -> dict[str, int]:
    """Count where the rows of a table went, having made sure that each went to exactly one place.

    Raises: ConservationError when the ids in are not the disjoint union of the ids out.
    """
    outs = pl.concat([series.cast(pl.String).rename(ROW_ID) for series in to.values()]).sort()
    if not outs.equals(ids.rename(ROW_ID).sort()):
        lost, new = set(ids) - set(outs), set(outs) - set(ids)
        raise ConservationError(
            f"{stage}, table {table}: {len(ids)} rows in, {len(outs)} out; lost {sorted(lost)[:3]}, "
            f"from nowhere {sorted(new)[:3]}, {len(outs) - outs.n_unique()} twice; this is a bug, please report it"
        )
    return {place: len(series) for place, series in to.items()}
