"""Validation of an ingested table: its rows are split into those that pass the row rules and a quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import narwhals as nw
import polars as pl

from perennial.contract.rules import InSet, Matches, RowRule, Unique, name_rule
from perennial.data.masking import mask_contacts
from perennial.data.names import CONTENT, ORDER, RAW, build_quarantine
from perennial.data.quality.rules import BROKEN, describe_violation, mark_broken
from perennial.results.summary import DataWarning

_EXAMPLES = 3


class ValidatedRows(NamedTuple):
    passed: pl.DataFrame
    quarantine: pl.DataFrame


def validate(table: str, rows: pl.DataFrame, rules: Sequence[RowRule]) -> ValidatedRows:
    """Split `rows` into those that satisfy every rule and a quarantine with rule, reason, source line and raw text."""
    marked = mark_broken(nw.from_native(rows.lazy()), rules).to_native().collect()
    marked = marked.sort(ORDER)  # a join may lose the order
    reasons: dict[str, str] = {}
    for rule in rules:
        name, violation = name_rule(rule), describe_violation(rule)
        reasons[name] = f"{reasons[name]}, or {violation}" if name in reasons else violation
    broken = marked.filter(pl.col(BROKEN).is_not_null())
    reason = pl.col(BROKEN).replace_strict(reasons, default=None, return_dtype=pl.String)
    quarantine = build_quarantine(broken.with_columns(rule=pl.col(BROKEN), reason=reason), table)
    return ValidatedRows(marked.filter(pl.col(BROKEN).is_null()).drop(BROKEN, RAW), quarantine)


def count_unexpected(table: str, rows: pl.DataFrame, rules: Sequence[RowRule]) -> list[DataWarning]:
    """Warn about each soft rule that some rows break, the most often broken first."""
    broken_rules = []
    for rule in rules:
        marked = mark_broken(nw.from_native(rows), [rule]).to_native()
        broken = marked.filter(pl.col(BROKEN).is_not_null())
        if broken.height:
            broken_rules.append((broken.height, rule, broken))
    return [
        DataWarning(
            code="unexpected",
            message=f"table {table}: {describe_violation(rule)} in {n:,} of {rows.height:,} rows{_quote_examples(rule, broken)}",
        )
        for n, rule, broken in sorted(broken_rules, key=lambda item: -item[0])
    ]


def _quote_examples(rule: RowRule, broken: pl.DataFrame) -> str:
    if not isinstance(rule, InSet | Matches):
        return ""
    cells = broken[rule.column].unique(maintain_order=True).head(_EXAMPLES).to_list()
    return f": {', '.join(repr(mask_contacts(cell)) for cell in cells)}"


def summarise_table(rows: pl.DataFrame, rules: Sequence[RowRule]) -> pl.DataFrame:
    """Summarise the whole table in one row for the audit: its length, and the number of clashing keys of each unique column."""
    clashes = {}
    for rule in rules:
        if isinstance(rule, Unique):
            contents = rows.drop_nulls(rule.column).group_by(rule.column).agg(pl.col(CONTENT).n_unique())[CONTENT]
            clashes[f"clashes:{rule.column}"] = [int((contents > 1).sum())]
    return pl.DataFrame({"rows": [rows.height], **clashes})
