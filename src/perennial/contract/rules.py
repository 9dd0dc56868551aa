"""Rules of a contract. Each row rule is rendered twice: in data.quality.rules (row check) and data.quality.suite (GX)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from perennial.contract.columns import Bound, Column, ContractPart, Keep, Pattern


class SoftRule(ContractPart):
    """A row rule. A soft one sets no row aside: its violations are counted in the report and the log."""

    soft: bool = False


class _ColumnRule(SoftRule):
    column: str


class NotNull(_ColumnRule):
    kind: Literal["not_null"] = "not_null"


class InSet(_ColumnRule):
    kind: Literal["in_set"] = "in_set"
    values: tuple[str, ...]


class Between(_ColumnRule):
    """min <= cell <= max; an open side is None."""

    kind: Literal["between"] = "between"
    min: Bound | None = None
    max: Bound | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"between says min, max or both of {self.column}")
        return self


class Before(_ColumnRule):
    """The cell's time is strictly before the start of `date` (UTC)."""

    kind: Literal["before"] = "before"
    date: dt.date


class Matches(_ColumnRule):
    kind: Literal["matches"] = "matches"
    pattern: Pattern


class Implies(SoftRule):
    """Where `if` is 1, `then` is 1 too (both columns 0/1)."""

    kind: Literal["implies"] = "implies"
    if_: str = Field(alias="if")
    then: str


class Ordered(SoftRule):
    """columns[0] <= columns[1] where both are there."""

    kind: Literal["ordered"] = "ordered"
    columns: tuple[str, str]


class Unique(_ColumnRule):
    """Of rows with one value but different contents one stays, the others are quarantined; equal rows are left to clean."""

    kind: Literal["unique"] = "unique"
    keep: Keep = "first"


class CustomRule(SoftRule):
    """A function of the project's own, `src/extensions/rules.py`: (*, settings) → whether a row satisfies the rule.

    The audit calls the same function again: it can find a mistake of ours, not one of the function.
    """

    kind: Literal["custom"] = "custom"
    name: str
    settings: dict[str, bool | int | float | str] = {}

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.settings.items()))))


class RowCount(ContractPart):
    """A file rule: fewer or more passed rows than this stops the run. Without one, a table has at least one row."""

    kind: Literal["row_count"] = "row_count"
    min: int = Field(1, ge=0)
    max: int | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"row_count {self.min} to {self.max}: the lower one is greater")
        return self


class MinPositives(ContractPart):
    """A file rule: fewer than `min` rows of either answer of a binary outcome stop the run."""

    kind: Literal["min_positives"] = "min_positives"
    min: int = Field(ge=1)


FileRule = RowCount | MinPositives
# what one row can break by itself
CellRule = NotNull | InSet | Between | Before | Matches | Implies | Ordered | CustomRule
RowRule = CellRule | Unique
Rule = Annotated[RowRule | FileRule, Field(discriminator="kind")]


def columns_of_rule(rule: RowRule) -> tuple[str, ...]:
    """The columns that a row rule reads."""
    match rule:
        case Implies():
            return rule.if_, rule.then
        case Ordered():
            return rule.columns
        case CustomRule():
            return ()
        case _:
            return (rule.column,)


def name_rule(rule: RowRule | FileRule) -> str:
    """The stable name under which a quarantined row is filed, such as `between:age`."""
    if isinstance(rule, FileRule):
        return rule.kind
    return f"{rule.kind}:{rule.name if isinstance(rule, CustomRule) else columns_of_rule(rule)[0]}"


_RULES_IN_WORDS = {
    "not_null": "empty",
    "in_set": "unknown value",
    "between": "out of range",
    "before": "date too late",
    "matches": "written in another form",
    "implies": "contradicts another column",
    "ordered": "greater than it may be",
    "unique": "same value, other content",
    "custom": "does not hold",
    "cell": "cannot be read",
    "contact": "contact data",
}


def describe_rule(name: str) -> str:
    """A stable name in words: `in_set:kind` is kind: unknown value, `record:repeated_header` is repeated header."""
    kind, _, about = name.partition(":")
    return f"{about}: {_RULES_IN_WORDS[kind]}" if kind in _RULES_IN_WORDS else (about or kind).replace("_", " ")


def derive_rules(columns: dict[str, Column], as_of: dt.date | None) -> list[RowRule]:
    """Derive the rules that the columns themselves imply, cheapest first."""
    rules: list[RowRule] = []
    for name, column in columns.items():
        if column.role == "ignore":
            continue
        low, high = column.bounds
        if not column.may_be_null and column.when_missing == "quarantine":
            rules.append(NotNull(column=name))
        if column.role == "treatment":
            rules.append(InSet(column=name, values=(str(column.control), *column.arms)))
        elif isinstance(column.values, tuple):
            rules.append(InSet(column=name, values=column.values))
        if low is not None or high is not None:
            rules.append(Between(column=name, min=low, max=high))
        if column.pattern is not None:
            rules.append(Matches(column=name, pattern=column.pattern))
        before = as_of if column.before == "as_of" else column.before
        if isinstance(before, dt.date):
            rules.append(Before(column=name, date=before))
    rules += [Unique(column=name, keep=column.keep) for name, column in columns.items() if column.unique]
    return rules
