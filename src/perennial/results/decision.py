"""The decision record: what the gate said of a candidate, rule by rule, and the record before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from perennial.display import show_table
from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.figures import Interval

Verdict = Literal["PROMOTE", "HOLD", "REJECT"]


class RuleName(StrEnum):
    """The questions that a gate asks."""

    COMPARABLE = "comparable"
    OVERRIDE = "override"
    ROLLED_BACK = "rolled_back"
    IMPROVEMENT = "improvement"
    RANDOMIZATION = "randomization"
    MINIMUM = "minimum"
    PROFIT = "profit"
    SLICES = "slices"
    STABILITY = "stability"
    LABEL_RETENTION = "label_retention"
    SEGMENT_RETENTION = "segment_retention"


class RuleState(StrEnum):
    """What follows from the answer to one question."""

    PASS = "pass"  # noqa: S105 - no password
    INFO = "info"
    HOLD = "hold"
    REJECT = "reject"


STOPPING = (RuleState.REJECT, RuleState.HOLD)  # the gravest first


class Rule(Result):
    """One question asked: its answer in a sentence, the interval and the line that it must pass, and what follows."""

    name: RuleName
    sentence: str
    state: RuleState
    interval: Interval | None = None
    line: float | None = None


class Decision(Result):
    verdict: Verdict
    rules: tuple[Rule, ...]

    def __repr__(self) -> str:
        return f"Decision({self.verdict}: {'; '.join(rule.sentence for rule in self.reasons)})"

    def _repr_html_(self) -> str:
        return show_rules(repr(self), self.rules)

    @property
    def reasons(self) -> tuple[Rule, ...]:
        """The rules that stopped it; for a promotion all that it passed."""
        stopped = tuple(rule for rule in self.rules if rule.state in STOPPING)
        return stopped or tuple(rule for rule in self.rules if rule.state == RuleState.PASS)


class ModelReference(Result):
    """A registered version and the digest of its bundle."""

    version: str
    digest: str
    family: Family | None = None


class DecisionRecord(Result):
    """A decision as the registry holds it, chained to the one before by that one's digest."""

    use_case: str
    verdict: Literal["PROMOTE", "HOLD", "REJECT", "ROLLBACK"]
    version: str
    family: Family | None = None
    digest: str
    champion: ModelReference | None
    """What the candidate was compared with; of a rollback what was in use before."""
    reasons: tuple[str, ...]
    rules: tuple[Rule, ...] = ()
    at: str
    """UTC."""
    number: int = 0
    previous: str = ""

    def __repr__(self) -> str:
        reasons = "; ".join(self.reasons)
        return f"DecisionRecord({self.number}, {self.verdict} of {self.use_case} version {self.version}: {reasons})"

    def _repr_html_(self) -> str:
        return show_rules(repr(self), self.rules)

    def concerns(self, digest: str) -> bool:
        """Whether the decision was on this bundle, or took it out of use."""
        return self.digest == digest or (self.verdict == "ROLLBACK" and self.champion_digest == digest)

    @property
    def champion_digest(self) -> str | None:
        return self.champion.digest if self.champion else None

    @property
    def stopped_by(self) -> RuleName | None:
        """The rule that decided against the candidate, a rejecting one first; None for a promotion."""
        names = (rule.name for state in STOPPING for rule in self.rules if rule.state == state)
        return next(names, None)


def show_rules(title: str, rules: Sequence[Rule]) -> str:
    """The rules of a decision as a table for a notebook."""
    rows = [
        (rule.name.value, rule.state.value, rule.interval or "", "" if rule.line is None else f"{rule.line:g}", rule.sentence)
        for rule in rules
    ]
    return show_table(title, ("question", "answer", "estimate", "must pass", "in words"), rows)


def utc_now() -> str:
    """The time as records hold it, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
