"""Report context: the typed results of stages and decisions that a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from perennial.charts.numbers import GAP, money, money_axis, money_difference
from perennial.contract.model import Contract
from perennial.results.baseline import BaselineSummary
from perennial.results.clean import CleanSummary
from perennial.results.decision import DecisionRecord, RuleName, Verdict
from perennial.results.evaluation import EvaluationSummary
from perennial.results.explain import ExplainSummary
from perennial.results.families import FAMILIES
from perennial.results.featurize import FeaturizeSummary
from perennial.results.figures import Interval
from perennial.results.ingest import IngestSummary
from perennial.results.receipt import ScoredList
from perennial.results.split import SplitSummary
from perennial.results.summary import StageSummary
from perennial.results.train import TrainSummary
from perennial.results.validate import ValidateSummary

E_co = TypeVar("E_co", bound=EvaluationSummary, covariant=True)
E = TypeVar("E", bound=EvaluationSummary)


@dataclass(frozen=True, kw_only=True)
class QuotedText:
    """A text of a row, cut around its strongest words: (text, its effect as a share of the strongest; 0 is not marked)."""

    label: str
    pieces: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class _Exhibit:
    """A row, its texts, and its photo with a heat map, where there are any."""

    row: str
    quotes: tuple[QuotedText, ...] = ()
    photo: bytes | None = None
    heat: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class ExplainedRow(_Exhibit):
    """A test row with its score in words and its reasons."""

    score: str
    reasons: str


@dataclass(frozen=True, kw_only=True)
class ShownMistake(_Exhibit):
    """A row that the model was sure of and wrong about."""

    true: int
    predicted: int
    probability: float


@dataclass(frozen=True, kw_only=True)
class QuarantinedRow:
    """A row as it stands in the file, and why it was set aside."""

    where: str
    reason: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class ReportContext(Generic[E_co]):
    """Everything that a page shows; `quarantined` counts rows by rule, `quarantine` has a few of them."""

    name: str
    contract: Contract
    at: str  # UTC
    ingest: IngestSummary
    validate: ValidateSummary
    clean: CleanSummary
    featurize: FeaturizeSummary
    split: SplitSummary
    train: TrainSummary
    baseline: BaselineSummary
    evaluation: E_co
    explain: ExplainSummary
    decision: DecisionRecord
    history: tuple[DecisionRecord, ...]
    customers: tuple[ExplainedRow, ...]
    quarantine: tuple[QuarantinedRow, ...]
    quarantined: Mapping[str, int]
    lineage: Mapping[str, str]
    mistakes: tuple[ShownMistake, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    """What the candidate was fitted with, by section and key."""
    training_s: float | None = None
    """CPU seconds of the stage that fitted the candidate, where it ran here."""
    scored: ScoredList | None = None
    """The list that was scored last."""

    def of(self, kind: type[E]) -> ReportContext[E]:
        """The same context, its evaluation of one kind."""
        assert isinstance(self.evaluation, kind)
        return cast("ReportContext[E]", self)

    @property
    def stages(self) -> tuple[StageSummary, ...]:
        """Those that say where rows went, in order."""
        return (self.ingest, self.validate, self.clean, self.featurize, self.split)

    @property
    def version(self) -> str:
        return self.decision.version

    @property
    def verdict(self) -> Verdict:
        assert self.decision.verdict != "ROLLBACK", "a page is about a candidate that the gate decided on"
        return self.decision.verdict

    @property
    def champion_version(self) -> str | None:
        """The version that the newest decision left as champion, which need not be the one that this page is about."""
        last = self.history[-1] if self.history else self.decision
        if last.verdict in {"PROMOTE", "ROLLBACK"}:
            return last.version
        return last.champion.version if last.champion else None

    @property
    def own_list(self) -> ScoredList | None:
        """The list that this version scored, if it is in use: what to do is said of it, and of test customers otherwise."""
        is_own = self.scored is not None and self.verdict == "PROMOTE" and self.scored.model_version == self.version
        return self.scored if is_own else None

    @property
    def symbol(self) -> str:
        currency = self.contract.money.currency or ""
        code = f"{currency}{GAP}" if currency else ""
        return {"EUR": "€", "USD": "$", "GBP": "£"}.get(currency, code)

    def money(self, amount: float) -> str:
        """An amount in the contract's currency."""
        return money(amount, self.symbol)

    def money_difference(self, amount: float) -> str:
        return money_difference(amount, self.symbol)

    def money_axis(self, amount: float) -> str:
        return money_axis(amount, self.symbol)

    def figure(self, metric: str) -> Interval:
        """A metric of the candidate on test."""
        return self.evaluation.chosen.test[metric]

    @property
    def outcome_verb(self) -> str:
        """The verb of a yes-or-no task's outcome: "those who respond"."""
        outcome = self.contract.unit.target.get(self.contract.target or "")
        return str((outcome.label if outcome else None) or getattr(self.contract.task, "outcome_verb", "respond"))

    @property
    def is_first(self) -> bool:
        """Whether there was no champion that it could be compared with."""
        has_override = any(rule.name == RuleName.OVERRIDE for rule in self.decision.rules)
        return has_override or self.decision.champion is None


AnyReport = ReportContext[EvaluationSummary]


FAMILY_NAMES = {family: entry.label for family, entry in FAMILIES.items()}
