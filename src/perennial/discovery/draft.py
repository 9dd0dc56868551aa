"""A draft is the contract of a table in the making: its columns, a reason for each guess, and the user's answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.columns import Column, Known
from perennial.contract.features import Since
from perennial.contract.model import Contract, Money, Sampling, Unit
from perennial.contract.source import Source
from perennial.contract.split import ColumnSplit, Split
from perennial.contract.tasks import Uplift
from perennial.data.io.cast import cast_columns
from perennial.discovery.column_types import ColumnType, TypedColumns
from perennial.discovery.confirm import ExpectedRule
from perennial.discovery.contract_draft import ignored_column
from perennial.discovery.outcome import OutcomeCandidate
from perennial.discovery.profile import ColumnProfile, TableProfile

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the user says, or is taken for said: None is not said."""

    target: str | None = None
    event: str | None = None
    known: tuple[str, ...] = ()  # suspects that are known before the decision
    first: str | None = None  # day or month, in dates that read both ways
    treatment: str | None = None  # "" is none
    cost: float | None = None
    earns: float | None = None


@dataclass(kw_only=True)
class Draft:
    """A table's contract in the making; what was decided first, stays."""

    name: str
    source: Source
    table: TableProfile
    date_parts: Mapping[str, tuple[str, ...]]  # a date → the columns of its year, month and day
    typed: TypedColumns
    outcome: OutcomeCandidate
    columns: dict[str, Column] = field(default_factory=dict)
    rules: list[ExpectedRule] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)  # column → the reason of its guess
    suspects: dict[str, str] = field(default_factory=dict)
    treatment: str | None = None
    split: Split = field(default_factory=lambda: ColumnSplit(kind="column"))
    split_reason: str = ""
    duplicates: Literal["keep", "drop"] = "keep"
    has_pictures: bool = False
    ages: list[str] = field(default_factory=list)  # dates that become days since
    as_of: str = ""
    money: Money = field(default_factory=Money)
    slices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)  # columns of which a note says why they are left out

    def profile(self, column: str) -> ColumnProfile:
        return self.table.columns[column]

    def find_free(self, *types: ColumnType) -> list[str]:
        """Columns of some types that nothing is decided of."""
        return [name for name, column in self.typed.items() if name not in self.columns and column.type in types]

    def has(self, *roles: str) -> bool:
        """Whether a column has one of `roles` so far."""
        return any(column.role in roles for column in self.columns.values())

    def find(self, role: str) -> str | None:
        """The first column of a role so far."""
        return next((name for name, column in self.columns.items() if column.role == role), None)

    def put(self, name: str, column: Column, reason: str) -> None:
        """Decide what a column is, unless it is decided."""
        if name not in self.columns:
            self.replace(name, column, reason)

    def replace(self, name: str, column: Column, reason: str) -> None:
        """Decide anew what a column is."""
        self.columns[name], self.reasons[name] = column, reason

    def ignore(self, name: str, why: str, reason: str | None = None, known: Known = "before_decision") -> None:
        """Leave a column out, unless it is decided."""
        self.put(name, ignored_column(why, known), reason or why)

    def note_left_out(self, name: str, note: str | None = None) -> None:
        """Say on the screen, too, why a column is left out; the list of what is not used then does without it."""
        self.notes.append(note or f"{name} is left out: {self.columns[name].why}")
        self.explained.add(name)

    def cast_dates(self, name: str) -> pl.Series:
        """A column of dates or times (n,) of the sample; null where it is empty."""
        column = self.typed[name].draft
        return cast_columns(self.table.sample, {name: column}).frame[name].cast(pl.Datetime("us", "UTC"))

    def cast_features(self, names: Sequence[str], is_used: Bools | None = None) -> dict[str, NDArray[np.generic]]:
        """Cells of the sample's rows, or those used, as a model would see them: numbers with NaN, texts with None."""
        sample = self.table.sample if is_used is None else self.table.sample.filter(is_used)
        features: dict[str, NDArray[np.generic]] = {}
        for name in names:
            is_number = self.typed[name].type == "numeric"
            column = self.typed[name].draft.model_copy(update={"role": "numeric" if is_number else "categorical"})
            cells = cast_columns(sample.select(name), {name: column}).frame[name]
            features[name] = cells.cast(pl.Float64).to_numpy() if is_number else cells.to_numpy()
        return features

    def to_contract(self) -> Contract:
        task = self.outcome.task
        if self.treatment is not None:
            task = Uplift(kind="uplift", target=self.outcome.name, primary="qini", minimum=0.0)
        ages = {f"{name}_days": Since(kind="days_since", of=name) for name in self.ages}
        as_of = dt.date.fromisoformat(self.as_of) if self.as_of else None
        unit = Unit(rows="as_is", as_of=as_of, duplicates=self.duplicates, features=dict(ages))
        return Contract(
            task=task,
            source=self.source,
            columns=self.columns,
            rules=tuple(expected.rule for expected in self.rules),
            events={},
            unit=unit,
            split=self.split,
            sampling=Sampling(),
            leakage_suspects=tuple(self.suspects),
            slices=tuple(self.slices),
            money=self.money,
        )
