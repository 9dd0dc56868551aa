"""The receipt of a run: what each stage and action did, and the inputs that its answers belong to."""

from __future__ import annotations

from perennial.results.base import Result
from perennial.results.decision import DecisionRecord
from perennial.results.families import Family


class Registration(Result):
    run_id: str
    version: str
    family: Family
    digest: str


class ScoredList(Result):
    """A file of scores: how many rows came, were scored, and are to be acted on."""

    rows: int
    scored: int
    rejected: int
    output: str
    model_version: str
    as_of: str | None = None
    chosen: int | None = None
    to: str | None = None
    """What to do with the chosen: contact, approve, examine."""
    unknown: dict[str, int] = {}
    """Rows by column whose value no training row had."""


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
