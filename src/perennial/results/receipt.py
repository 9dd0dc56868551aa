"""The receipt of a run: what each stage and action did, and the inputs that its answers belong to."""

from __future__ import annotations

from perennial.results.base import Result
from perennial.results.decision import DecisionRecord
from perennial.results.families import Family

PASSED_OVER = ("leave", "refuse")
"""The actions that do nothing."""


class Registration(Result):
    run_id: str
    version: str
    family: Family
    digest: str


class ListAction(Result):
    """Rows of a list that get one action for one reason; `expected_profit` is of all of them, if it is done."""

    action: str
    reason: str
    n: int
    expected_profit: float | None = None


class ScoredList(Result):
    """A file of scores: how many rows came, were scored, and are to be acted on."""

    rows: int
    scored: int
    rejected: int
    output: str
    model_version: str
    as_of: str | None = None
    chosen: int | None = None
    source: str = ""
    """The file that was scored, or the folder."""
    actions: tuple[ListAction, ...] = ()
    """The chosen ones first; empty where the contract names no money."""
    to: str | None = None
    """What to do with the chosen: contact, approve, examine."""
    unknown: dict[str, int] = {}
    """Rows by column whose value no training row had."""

    @property
    def expected_profit(self) -> float | None:
        """Of the chosen rows; None where nothing says what an action earns."""
        if self.chosen is None or any(action.expected_profit is None for action in self.actions):
            return None
        return sum(action.expected_profit or 0.0 for action in self.actions if action.action not in PASSED_OVER)


class Skipped(Result):
    """Why an action had nothing to do."""

    skipped: str


class ReportPage(Result):
    path: str
    sha256: str
    verdict: str
    champion: str | None
    headline: str


ActionResult = Registration | DecisionRecord | ScoredList | Skipped | ReportPage | None
"""What one action gives; nothing, if it is fetch."""


class ActionResults(Result):
    """What the actions of a run did; None where one was not carried out yet."""

    registration: Registration | None = None
    promote: DecisionRecord | None = None
    score: ScoredList | Skipped | None = None
    report: ReportPage | None = None


class Receipt(Result):
    """`state` says which inputs it belongs to: digests of contract, params, raw data, outputs, incoming rows, registry."""

    state: dict[str, str]
    stages: dict[str, str]
    results: ActionResults
