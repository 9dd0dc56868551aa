"""An ingested table and its rules in, the rows that pass and the quarantine out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import narwhals as nw
import polars as pl

from perennial.contract.rules import InSet, Matches, RowRule, Unique, name_rule
from perennial.data.masking import mask_contacts
from perennial.data.names import CONTENT, LINE, ORDER, RAW, RECORD, ROW_ID, SOURCE
from perennial.data.quality.rules import BROKEN, describe_violation, mark_broken
from perennial.data.warnings import DataWarning

_EXAMPLES = 3


class ValidatedRows(NamedTuple):
    passed: pl.DataFrame
    quarantine: pl.DataFrame


def validate(table: str, rows: pl.DataFrame, rules: Sequence[RowRule]) -> ValidatedRows:
    """Split `rows` into those that keep every rule and a quarantine with rule, reason, source line and raw text."""
    judged = (
        mark_broken(nw.from_native(rows.lazy()), rules).to_native().collect().sort(ORDER)
    )  # a join may lose the order
    reasons: dict[str, str] = {}
    for rule in rules:
        told = reasons.get(name_rule(rule))
        reasons[name_rule(rule)] = f"{told}, or {describe_violation(rule)}" if told else describe_violation(rule)
    broken = judged.filter(pl.col(BROKEN).is_not_null())
    quarantine = broken.select(
        ROW_ID, pl.lit(table).alias("table"), pl.col(SOURCE).alias("source"), pl.col(RECORD).alias("record"),
        pl.col(LINE).alias("line"), pl.col(BROKEN).alias("rule"),
        pl.col(BROKEN).replace_strict(reasons, default=None, return_dtype=pl.String).alias("reason"),
        pl.col(RAW).alias("raw"),
    )  # fmt: skip
    return ValidatedRows(judged.filter(pl.col(BROKEN).is_null()).drop(BROKEN, RAW), quarantine)


def count_unexpected(table: str, rows: pl.DataFrame, rules: Sequence[RowRule]) -> list[DataWarning]:
    """A note on each soft rule that some rows break, the most often broken first."""
    found = []
    for rule in rules:
        judged = mark_broken(nw.from_native(rows), [rule]).to_native()
        broken = judged.filter(pl.col(BROKEN).is_not_null())
        if broken.height:
            found.append((broken.height, rule, broken))
    return [
        DataWarning(
            "unexpected",
            f"table {table}: {describe_violation(rule)} in {n:,} of {rows.height:,} rows{_examples(rule, broken)}",
        )
        for n, rule, broken in sorted(found, key=lambda told: -told[0])
    ]


def _examples(rule: RowRule, broken: pl.DataFrame) -> str:
    if not isinstance(rule, InSet | Matches):
        return ""
    cells = broken[rule.column].unique(maintain_order=True).head(_EXAMPLES).to_list()
    return f": {', '.join(repr(mask_contacts(cell)) for cell in cells)}"


def summarise_table(rows: pl.DataFrame, rules: Sequence[RowRule]) -> pl.DataFrame:
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
