"""A contract in the making: its keys, a reason for each guess, and what the user has said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from perennial.propose.expected import Guess
from perennial.propose.kinds import Keys, Kind
from perennial.propose.outcome import Outcome
from perennial.propose.profile import Looked


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
    """A contract in the making: its keys, and a comment for each guess."""

    name: str
    source: Keys
    looked: Looked
    parted: Mapping[str, tuple[str, ...]]  # a date → the columns of its year, month and day
    kinds: dict[str, Kind]
    outcome: Outcome
    columns: dict[str, Keys] = field(default_factory=dict)
    rules: list[Guess] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)  # column → the reason of its guess
    suspects: dict[str, str] = field(default_factory=dict)
    treatment: str | None = None
    split: Keys = field(default_factory=dict)
    split_why: str = ""
    keeps: str = "keep"
    pictures: bool = False
    since: list[str] = field(default_factory=list)  # dates that are told as days since
    as_of: str = ""
    money: Keys = field(default_factory=dict)
    slices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def task(self) -> Keys:
        task = dict(self.outcome.task)
        if self.treatment is not None:
            task = {"kind": "uplift", "target": self.outcome.name, "primary": "qini", "minimum": 0.0}
        return task

    def contract(self) -> Keys:
        """Everything, in the order of a contract."""
        return {
            "task": self.task,
            "source": self.source,
            "columns": self.columns,
            "rules": [guess.rule for guess in self.rules],
            "events": {},
            "unit": self._unit(),
            "split": self.split,
            "sampling": {},
            "leakage_suspects": list(self.suspects),
            "slices": self.slices,
            "money": self.money,
        }

    def _unit(self) -> Keys:
        unit: Keys = {"rows": "as_is"}
        if self.since:
            unit["as_of"] = self.as_of
        unit["duplicates"] = self.keeps
        if self.since:
            unit["features"] = {f"{name}_days": {"kind": "days_since", "of": name} for name in self.since}
        return unit

    def has(self, *roles: str) -> bool:
        """Whether a column has one of `roles` so far."""
        return any(keys["role"] in roles for keys in self.columns.values())

    def one(self, role: str) -> str | None:
        """The first column of a role so far."""
        return next((name for name, keys in self.columns.items() if keys["role"] == role), None)

    def put(self, column: str, keys: Keys, why: str) -> None:
        """What was decided first, stays."""
        if column not in self.columns:
            self.columns[column], self.why[column] = keys, why

    def ignore(self, column: str, why: str, because: str | None = None, **more: str) -> None:
        self.put(column, {"role": "ignore", **more, "why": why}, because or why)
