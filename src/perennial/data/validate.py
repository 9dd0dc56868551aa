"""An ingested table and its rules in, the rows that pass, the quarantine, and what the whole file may not be out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import narwhals as nw
import polars as pl

from perennial.contract.columns import Column
from perennial.contract.rules import RowCount, RowRule, Rule, Unique, name_of
from perennial.data.names import CONTENT, LINE, ORDER, RAW, RECORD, ROW_ID, SOURCE
from perennial.data.rules import BROKEN, judge, words


class Judged(NamedTuple):
    passed: pl.DataFrame
    quarantine: pl.DataFrame


def validate(table: str, rows: pl.DataFrame, rules: Sequence[RowRule]) -> Judged:
    """Split `rows` into those that keep every rule and a quarantine with rule, reason, source line and raw text."""
    judged = judge(nw.from_native(rows.lazy()), rules).to_native().collect().sort(ORDER)  # a join may lose the order
    reasons: dict[str, str] = {}
    for rule in rules:
        told = reasons.get(name_of(rule))
        reasons[name_of(rule)] = f"{told}, or {words(rule)}" if told else words(rule)
    broken = judged.filter(pl.col(BROKEN).is_not_null())
    quarantine = broken.select(
        ROW_ID, pl.lit(table).alias("table"), pl.col(SOURCE).alias("source"), pl.col(RECORD).alias("record"),
        pl.col(LINE).alias("line"), pl.col(BROKEN).alias("rule"),
        pl.col(BROKEN).replace_strict(reasons, default=None, return_dtype=pl.String).alias("reason"),
        pl.col(RAW).alias("raw"),
    )  # fmt: skip
    return Judged(judged.filter(pl.col(BROKEN).is_null()).drop(BROKEN, RAW), quarantine)


def summarise(rows: pl.DataFrame, rules: Sequence[RowRule]) -> pl.DataFrame:
    """One row on the whole table, for the audit: its length, and how many keys clash for each unique column."""
    clashes = [
        (
            rows.drop_nulls(rule.column).group_by(rule.column).agg(pl.col(CONTENT).n_unique() > 1)[CONTENT].sum(),
            rule.column,
        )
        for rule in rules
        if isinstance(rule, Unique)
    ]
    return pl.DataFrame({"rows": [rows.height]} | {f"clashes:{name}": [int(count)] for count, name in clashes})


def unfit(table: str, rows: pl.DataFrame, columns: dict[str, Column], rules: Sequence[Rule], target: str) -> list[str]:
    """Why this table as a whole is unfit to go on with: row count, null fractions, an outcome that never varies."""
    found = []
    for rule in [rule for rule in rules if isinstance(rule, RowCount)] or [RowCount()]:
        most = rows.height if rule.max is None else rule.max
        if not rule.min <= rows.height <= most:
            asked = f"at least {rule.min}" if rule.max is None else f"{rule.min} to {rule.max}"
            found.append(f"table {table}: {rows.height} rows passed, the contract asks for {asked}")
    for name, column in columns.items():
        if column.role == "ignore" or not rows.height:
            continue
        share = rows[name].null_count() / rows.height
        if share > column.max_null:
            found.append(f"table {table}: {share:.1%} of {name} is empty, the contract allows {column.max_null:.1%}")
    if target in columns and rows.height:
        values = rows[target].drop_nulls().unique().sort().to_list()
        if len(values) < 2:
            found.append(f"table {table}: the outcome {target} is always {values[0] if values else 'empty'}")
    return found
