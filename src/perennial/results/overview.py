"""Overview of a use case: the object of `perennial show NAME --json`, whose keys may grow and never change."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.figures import Interval

StageState = Literal["up to date", "stale", "missing", "unknown"]
StageOutcome = Literal["ran", "cached", "failed", "not reached"]


class RowCounts(Result):
    """Rows of the main table (or the first one of events), and units by part; None where a stage has not run."""

    raw: int | None
    quarantined: int | None
    duplicates: int | None
    train: int | None
    val: int | None
    test: int | None
    out_of_time: int | None


class ProfitOverview(Result):
    """The depth of the chosen list, what it earned on test, and what everyone would have; per 1,000 for uplift."""

    depth: float
    value: float
    everyone: float


class DecisionOverview(Result):
    verdict: str
    reasons: tuple[str, ...]


class ChampionOverview(Result):
    version: str
    family: Family | None


class Overview(Result):
    """What is known of a use case; what is not known yet is null."""

    use_case: str
    task: str
    rows: RowCounts
    quarantine: dict[str, int]
    families: dict[Family, dict[str, Interval]] | None
    candidate: Family | None
    deep_minus_traditional: Interval | None
    profit: ProfitOverview | None
    decision: DecisionOverview | None
    champion: ChampionOverview | None
    stages: dict[str, StageState]
    """As they are now. Stale is also what comes after a stale stage; unknown while DVC is busy, or where there is none."""
    last_run: dict[str, StageOutcome]
    """What the last run did with each stage; empty where there was none."""
    report: str | None
