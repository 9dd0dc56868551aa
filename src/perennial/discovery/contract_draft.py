"""The pieces of a drafted contract: their fields are the keys that discovery may write, in the order of the text.

Nothing is checked here: `contract.model.parse` does, when the whole text is read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass

from perennial.contract.columns import CellType, Column, Role
from perennial.contract.source import Format

Yaml = None | bool | int | float | str | Sequence["Yaml"] | Mapping[str, "Yaml"]


@dataclass(frozen=True, kw_only=True)
class ColumnDraft:
    """A column of a table, as the contract will say it."""

    role: Role
    known: str | None = None
    type: CellType | None = None
    unique: bool = False
    pattern: str | None = None
    format: str | None = None
    values: Mapping[str, int] | Mapping[str, str] | Sequence[str] | None = None
    control: str | None = None
    assignment: str | None = None
    arms: Mapping[str, Mapping[str, float]] | None = None
    shares: Sequence[float] | None = None
    strip: Sequence[str] = ()
    decimal: str | None = None
    thousands: str | None = None
    null: Sequence[str] = ()
    from_: str | Sequence[str] | None = None
    in_: str | None = None
    hashed: bool = False
    when_missing: str | None = None
    map: Mapping[str, str] | None = None
    nullable: bool = False
    label: str | None = None
    unit: str | None = None
    max_null: float | None = None
    why: str | None = None

    def to_column(self) -> Column:
        """The contract's own column, by which cells are cast."""
        return Column.model_validate(dump_piece(self))


def ignored_column(why: str, known: str | None = None) -> ColumnDraft:
    """A column that no model sees."""
    return ColumnDraft(role="ignore", known=known, why=why)


@dataclass(frozen=True, kw_only=True)
class SourceDraft:
    """Where the rows come from and how their files are written; a plain CSV needs none of the options."""

    kind: str
    files: str
    format: Format | None = None
    delimiter: str | None = None
    encoding: str | None = None
    quoting: str | None = None
    skip: int = 0
    trim: bool = False
    header: Sequence[str] | None = None
    attach: Sequence[Mapping[str, str]] = ()  # files beside the tables


@dataclass(frozen=True, kw_only=True)
class TaskDraft:
    """The question of a use case."""

    kind: str
    question: str | None = None
    target: str
    outcome_verb: str | None = None
    primary: str
    minimum: float
    zeros: str | None = None
    ordered: bool = False


@dataclass(frozen=True, kw_only=True)
class RuleDraft:
    """A soft rule: cells lie between two numbers, or are one of some values."""

    kind: str
    column: str
    min: float | None = None
    max: float | None = None
    values: Sequence[str] = ()
    soft: bool

    @property
    def name(self) -> str:
        """As its rows would be filed: `between:age`."""
        return f"{self.kind}:{self.column}"


@dataclass(frozen=True, kw_only=True)
class FeatureDraft:
    """A column, or an outcome, that is made of dates or events."""

    kind: str
    of: str | Sequence[str] | None = None
    from_: str | None = None
    days: int | None = None
    after_days: int | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class FilterDraft:
    """Rows that are left out."""

    kind: str
    columns: Sequence[str]
    value: float
    why: str


@dataclass(frozen=True, kw_only=True)
class EventTableDraft:
    """A table of events."""

    columns: Mapping[str, ColumnDraft]
    rules: Sequence[RuleDraft]
    derive: Mapping[str, FeatureDraft] | None = None
    filters: Sequence[FilterDraft] = ()


@dataclass(frozen=True, kw_only=True)
class UnitDraft:
    """What a row of the model's table is."""

    rows: str
    as_of: str | None = None
    cutoffs: Mapping[str, Sequence[str]] | None = None
    history: str | None = None
    duplicates: str
    target: Mapping[str, FeatureDraft] | None = None
    features: Mapping[str, FeatureDraft] | None = None


@dataclass(frozen=True, kw_only=True)
class SplitDraft:
    """Which rows train, stop and test."""

    kind: str
    order: str | None = None
    by: str | None = None
    val_share_of_entities: float | None = None
    salt: str | None = None
    fractions: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class MoneyDraft:
    """What a decision is worth."""

    currency: str | None = None
    value_of_response: float | None = None
    cost_of_contact: float | None = None
    budget_share: float | None = None


@dataclass(frozen=True, kw_only=True)
class ContractDraft:
    """Everything that a contract says."""

    task: TaskDraft
    source: SourceDraft
    columns: Mapping[str, ColumnDraft]
    rules: Sequence[RuleDraft]
    events: Mapping[str, EventTableDraft]
    unit: UnitDraft
    split: SplitDraft
    sampling: Mapping[str, float]
    leakage_suspects: Sequence[str]
    slices: Sequence[str]
    money: MoneyDraft


def dump_piece(piece: object) -> dict[str, Yaml]:
    """A piece as the contract's YAML holds it; a field that has its default is left out."""
    assert is_dataclass(piece)
    values = {field.name.rstrip("_"): (getattr(piece, field.name), field.default) for field in fields(piece)}
    entries = {key: _dump_value(value) for key, (value, default) in values.items() if value != default}
    if entries.get("role") == "entity" and "null" in entries:  # after what becomes of rows without one
        entries["null"] = entries.pop("null")
    return entries


def _dump_value(value: object) -> Yaml:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _dump_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_dump_value(inner) for inner in value]
    return dump_piece(value)
