"""A table that passed in, the same table marked with what goes (duplicates, filtered events) out. It never judges."""

from __future__ import annotations

import narwhals as nw

from perennial.contract.columns import Column
from perennial.data.names import CONTENT, ORDER, Table

WHY = "reason"


def clean(table: Table, columns: dict[str, Column], *, drop_duplicates: bool) -> Table:
    """`table` with a column `reason`: null for a row that stays, else why it goes.

    Of equal rows the first stays. A table whose id is unique has no honest equal rows, so there they always go.
    """
    unfiltered = [name for name, column in columns.items() if column.when_missing == "filter"]
    missing = [nw.when(nw.col(name).is_null()).then(nw.lit(f"no {name}")) for name in unfiltered]
    keyed = any(column.unique for column in columns.values())
    repeated = nw.col(ORDER) != nw.col(ORDER).min().over(CONTENT)
    again = [nw.when(repeated).then(nw.lit("duplicate"))] if drop_duplicates or keyed else []
    why = nw.coalesce(*missing, *again, nw.lit(None, nw.String))
    return table.with_columns(why.cast(nw.String).alias(WHY))
