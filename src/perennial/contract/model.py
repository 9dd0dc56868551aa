"""Contract of a use case: its data, its task, and what a decision is worth."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from perennial.contract.columns import Column, ContractPart
from perennial.contract.events import EventTable
from perennial.contract.features import Feature, Outcome
from perennial.contract.rules import FileRule, RowRule, Rule, derive_rules
from perennial.contract.source import QUERIED, Source
from perennial.contract.split import Split
from perennial.contract.tasks import Task
from perennial.display import show_table

MAIN = "main"  # the name of the table that `columns` describes


class Cutoffs(ContractPart):
    """The dates (start of the day, UTC) as of which a unit is built: only what lies before is known."""

    train: tuple[dt.date, ...] = ()
    """Empty where the customers of one date are split by a hash."""
    test: tuple[dt.date, ...] = Field(min_length=1)
    lookback_dates: tuple[dt.date, ...] = ()
    """To be compared with test, never trained or tested on."""

    @property
    def all(self) -> list[dt.date]:
        return sorted({*self.train, *self.test, *self.lookback_dates})


class Unit(ContractPart):
    """One row of the model's table: a row of the main table, or an entity of the events at each cut-off."""

    rows: Literal["as_is", "entity_by_cutoff"]
    as_of: dt.date | None = None
    where: dict[str, tuple[str, ...]] = {}
    cutoffs: Cutoffs | None = None
    history: Literal["all"] | Annotated[int, Field(ge=1)] = "all"
    """Days before a cut-off from which events count."""
    duplicates: Literal["drop", "keep"]
    target: dict[str, Outcome] = {}
    features: dict[str, Feature] = {}

    @property
    def label_days(self) -> int:
        """Days after a cut-off until its outcome is known."""
        return max((outcome.after_days for outcome in self.target.values()), default=0)


class Sampling(ContractPart):
    """The share of the rows of each outcome that is in the file; by default all of them.

    Metrics, curves and budgets weight a row by 1/rate, training does not, and scores are corrected for it. With
    `unknown` the score only ranks.
    """

    sampling_rate: Literal["unknown"] | dict[str, float] = {}

    @model_validator(mode="after")
    def _shares(self) -> Self:
        wrong = {text: share for text, share in _rate_items(self.sampling_rate) if not 0 < share <= 1}
        if wrong:
            raise ValueError(
                f"sampling_rate says which share of the rows of an outcome is here, above 0 and up to 1, not {wrong}"
            )
        return self


def _rate_items(rate: str | dict[str, float]) -> list[tuple[str, float]]:
    return [] if isinstance(rate, str) else list(rate.items())


class Money(ContractPart):
    """What a decision is worth. `budget_share` is a share of the customers scored, so it means the same everywhere.

    A contact costs and a response earns (where the outcome is an amount, each unit of it: the margin); a loan gains when
    it is paid back and loses when it is not; or a team examines so many alerts in 1,000 rows.
    """

    currency: str | None = None
    value_of_response: float | None = Field(None, gt=0)
    cost_of_contact: float | None = Field(None, ge=0)
    budget_share: float | None = Field(None, gt=0, le=1)
    gain_if_good: float | None = Field(None, gt=0)
    loss_if_bad: float | None = Field(None, gt=0)
    alerts_per_1000: float | None = Field(None, gt=0, le=1000)
    amount: str | None = None
    """The column with the amount of a payment."""

    @model_validator(mode="after")
    def _one_decision(self) -> Self:
        if (self.gain_if_good is None) != (self.loss_if_bad is None):
            raise ValueError("a loan says both gain_if_good and loss_if_bad")
        decisions = (self.value_of_response, self.gain_if_good, self.alerts_per_1000)
        if sum(value is not None for value in decisions) > 1:
            raise ValueError("give one of value_of_response (contacts), gain_if_good (loans), alerts_per_1000 (alerts)")
        return self


class Contract(ContractPart):
    """Everything that the data owner declares about one use case."""

    task: Task
    source: Source
    columns: dict[str, Column]
    rules: tuple[Rule, ...]
    events: dict[str, EventTable]
    unit: Unit
    split: Split
    sampling: Sampling
    leakage_suspects: tuple[str, ...]
    slices: tuple[str, ...]
    money: Money

    @field_validator("events")
    @classmethod
    def _other_than_main(cls, events: dict[str, EventTable]) -> dict[str, EventTable]:
        if MAIN in events:
            raise ValueError(f"no event table can be called {MAIN}")
        return events

    def __repr__(self) -> str:
        tables = f", {len(self.events)} event table{'s' if len(self.events) > 1 else ''}" if self.events else ""
        question = f" “{self.task.question}”" if self.task.question else ""
        return f"Contract({self.task.kind}{question}, {len(self.columns)} columns{tables}, split by {self.split.kind})"

    def _repr_html_(self) -> str:
        tables = {MAIN: self.columns, **{name: table.columns for name, table in self.events.items()}}
        rows = [
            (table, name, column.role, column.cell_type, column.label or "")
            for table, columns in tables.items()
            for name, column in columns.items()
        ]
        money = ", ".join(f"{key} {value}" for key, value in self.money.model_dump(exclude_none=True).items()) or "no money"
        note = f"{len(self.rules)} rules; target {self.target or 'none'}; {money}"
        return show_table(repr(self), ("table", "column", "role", "type", "label"), rows, note)

    def find_columns(self, *roles: str) -> list[str]:
        """Names of the main table's columns that have one of `roles`."""
        return [name for name, column in self.columns.items() if column.role in roles]

    def find_column(self, role: str) -> str | None:
        return next(iter(self.find_columns(role)), None)

    @property
    def entity(self) -> str | None:
        """The column that identifies an entity: `entity`, else the id; of units made from events, that of the events."""
        if self.unit.cutoffs is not None:
            owners = (name for table in self.events.values() for name, c in table.columns.items() if c.role == "entity")
            return next(owners, None)
        return self.find_column("entity") or self.find_column("id")

    @property
    def tables(self) -> dict[str, tuple[str, dict[str, Column]]]:
        """Pattern and columns of each table, the main one first if there is one."""
        tables = {MAIN: (self.source.files, self.columns)} if self.columns else {}
        tables |= {name: (table.files or self.source.files, table.columns) for name, table in self.events.items()}
        if self.source.kind == "sql":  # each query is a file of its own
            return {name: (f"{name}{QUERIED}", columns) for name, (_, columns) in tables.items()}
        return tables

    def row_rules(self, table: str) -> list[RowRule]:
        """The row rules of a table that set rows aside: those of its columns, then the explicit ones."""
        rules = derive_rules(self.tables[table][1], self.unit.as_of)
        return list(dict.fromkeys([*rules, *self._explicit_rules(table, soft=False)]))

    def soft_rules(self, table: str) -> list[RowRule]:
        """The row rules whose violations are only counted."""
        return self._explicit_rules(table, soft=True)

    def _explicit_rules(self, table: str, *, soft: bool) -> list[RowRule]:
        rules = self.rules if table == MAIN else self.events[table].rules
        return [rule for rule in rules if not isinstance(rule, FileRule) and rule.soft == soft]

    def drops_duplicates(self, table: str) -> bool:
        """Whether equal rows of a table are dropped: a table whose rows are units, or make them."""
        return self.unit.duplicates == "drop" and (table == MAIN or not self.columns)

    @property
    def target(self) -> str | None:
        """The outcome to predict; None where a task has none."""
        return self.task.target

    @property
    def classes(self) -> list[str]:
        """The values of a multiclass outcome, in their order; empty for other tasks."""
        return self.outcome.value_names if self.task.has_classes and self.outcome is not None else []

    @property
    def outcome(self) -> Column | None:
        """The column to predict; None where events make the outcome, or there is none."""
        return None if self.target is None else self.columns.get(self.target)

    @property
    def sampling_rates(self) -> tuple[float, float]:
        """The share of the rows with outcome 0, and with 1, that is in the file."""
        codes = self.columns[self.target].values if self.target in self.columns else None
        rates = dict.fromkeys((0, 1), 1.0)
        for text, share in _rate_items(self.sampling.sampling_rate):
            rates[int(codes[text]) if isinstance(codes, dict) else int(text)] = share
        return rates[0], rates[1]

    @property
    def attached(self) -> list[str]:
        """Names of the files beside the tables."""
        return [attachment.file for attachment in self.source.attach]

    @property
    def vouched(self) -> set[str]:
        """Columns that the owner declares explicitly as known before the decision."""
        columns = self.columns.items()
        return {n for n, c in columns if "known" in c.model_fields_set and c.known == "before_decision"}

    @property
    def shares(self) -> tuple[float, ...]:
        """The planned probabilities of the treatments, control first; empty where the contract has none."""
        name = self.find_column("treatment")
        return self.columns[name].shares if name is not None else ()

    @property
    def arms(self) -> list[str]:
        """Names of the treatments, control first; empty without a treatment column."""
        name = self.find_column("treatment")
        if name is None:
            return []
        column = self.columns[name]
        assert column.control is not None
        return [column.control, *column.arms]
