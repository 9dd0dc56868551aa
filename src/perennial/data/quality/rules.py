"""Row rules as Narwhals expressions, and the first rule that each row breaks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import assert_never

import narwhals as nw

from perennial.contract import rules as rule_kinds
from perennial.contract.rules import CellRule, RowRule, Unique, columns_of_rule, name_rule
from perennial.data.names import CONTENT, ORDER, Table
from perennial.files.extensions import load_extension

BROKEN = "_broken"


def mark_broken(table: Table, rules: Sequence[RowRule]) -> Table:
    """Add a column `_broken`: the first rule that a row breaks, null where it breaks none.

    Uniqueness is checked last, among the rows that break nothing else.
    """
    cell_rules = [rule for rule in rules if not isinstance(rule, Unique)]
    broken = [nw.when(~build_expression(rule)).then(nw.lit(name_rule(rule))) for rule in cell_rules]
    first = nw.coalesce(*broken, nw.lit(None, nw.String)) if broken else nw.lit(None, nw.String)
    marked = table.with_columns(first.cast(nw.String).alias(BROKEN))
    for rule in rules:
        if isinstance(rule, Unique):
            marked = mark_clashes(marked, rule)
    return marked


def build_expression(rule: CellRule) -> nw.Expr:
    """Whether a row satisfies the rule; a null satisfies every rule but not_null, NaN none that compares."""
    match rule:
        case rule_kinds.NotNull():
            return ~nw.col(rule.column).is_null()
        case rule_kinds.InSet():
            holds = nw.col(rule.column).is_in(list(rule.values))
        case rule_kinds.Between():
            low = nw.lit(True) if rule.min is None else nw.col(rule.column) >= rule.min
            high = nw.lit(True) if rule.max is None else nw.col(rule.column) <= rule.max
            holds = low & high
        case rule_kinds.Before():
            holds = nw.col(rule.column).cast(nw.Date) < nw.lit(rule.date)
        case rule_kinds.Matches():
            holds = nw.col(rule.column).str.contains(rule.pattern)
        case rule_kinds.Implies():
            holds = (nw.col(rule.if_) != 1) | (nw.col(rule.then) == 1)
        case rule_kinds.Ordered():
            holds = nw.col(rule.columns[0]) <= nw.col(rule.columns[1])
        case rule_kinds.CustomRule():
            holds = load_extension("rules", rule.name, rule.settings)(**rule.settings)
            return nw.when(holds.is_null()).then(nw.lit(True)).otherwise(holds)
        case _:
            assert_never(rule)
    return reduce(or_, [nw.col(name).is_null() for name in columns_of_rule(rule)]) | holds


def describe_violation(rule: RowRule) -> str:
    """Say how a row breaks the rule, for the quarantine and the report."""
    match rule:
        case rule_kinds.NotNull():
            return f"{rule.column} is empty"
        case rule_kinds.InSet():
            return f"{rule.column} is none of {', '.join(rule.values)}"
        case rule_kinds.Between():
            return f"{rule.column} {_describe_bounds(rule.min, rule.max)}"
        case rule_kinds.Before():
            return f"{rule.column} is not before {rule.date:%Y-%m-%d}"
        case rule_kinds.Matches():
            return f"{rule.column} is not written as {rule.pattern}"
        case rule_kinds.Implies():
            return f"{rule.if_} is 1 but {rule.then} is not"
        case rule_kinds.Ordered():
            return f"{rule.columns[0]} is greater than {rule.columns[1]}"
        case rule_kinds.CustomRule():
            return f"{rule.name.replace('_', ' ')} does not hold"
        case Unique():
            others = {"first": "was seen before", "last": "is seen again", "none": "is seen elsewhere"}
            return f"{rule.column} {others[rule.keep]} with other content"
        case _:
            assert_never(rule)


def mark_clashes(marked: Table, rule: Unique) -> Table:
    unbroken = marked.filter(nw.col(BROKEN).is_null())
    order = nw.col(ORDER).max() if rule.keep == "last" else nw.col(ORDER).min()
    least = nw.col(CONTENT).min().over(rule.column)
    contested = least != nw.col(CONTENT).max().over(rule.column)
    winner = unbroken.filter(~contested if rule.keep == "none" else nw.col(ORDER) == order.over(rule.column))
    winner_contents = winner.select(rule.column, nw.col(CONTENT).alias("_kept")).unique()
    is_winner = ~nw.col("_kept").is_null() & (nw.col(CONTENT) == nw.col("_kept"))
    clash = nw.col(BROKEN).is_null() & ~nw.col(rule.column).is_null() & ~is_winner
    broken = nw.when(clash).then(nw.lit(name_rule(rule))).otherwise(nw.col(BROKEN))
    return marked.join(winner_contents, on=rule.column, how="left").with_columns(broken.alias(BROKEN)).drop("_kept")


def _describe_bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"lies outside {_format_bound(low)} to {_format_bound(high)}"
    return f"is below {_format_bound(low)}" if low is not None else f"is above {_format_bound(high or 0)}"


def _format_bound(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else str(bound)
