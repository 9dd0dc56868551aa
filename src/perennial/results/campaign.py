"""Campaign results: the record of who was contacted, and what each look at the outcome found."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.figures import Interval

Group = Literal["treated", "control", "explore", "explore_control"]


class AudienceCounts(Result):
    """Customers at each step from the input file to the groups."""

    rows: int
    rejected: int
    suppressed: int
    suppression_ids: int
    suppression_unmatched: int
    """Ids of the suppression file that are not in the input."""
    unreachable: int
    eligible: int
    chosen: int
    treated: int
    control: int
    explore: int
    """Contacted although they are below the cut."""
    explore_control: int


class CampaignRecord(Result):
    """What a campaign was; written before its list, never changed."""

    use_case: str
    campaign: str
    model_version: str
    digest: str
    """Of the model's bundle."""
    key: str
    """The column that identifies a customer."""
    target: str
    at: str
    """UTC."""
    arms: tuple[str, ...]
    """What was assigned at random, control first."""
    shares: tuple[float, ...]
    """Planned, one per arm; empty without a control group."""
    costs: dict[str, float]
    """By message that was sent."""
    value: float
    """Of a response."""
    currency: str
    columns: tuple[str, ...]
    """Of the first list."""
    counts: AudienceCounts
    control_summary: str
    """What this control group can show, as it was logged."""
    population_sha256: str = ""
    """Of population.parquet."""


class Effect(Result):
    """A difference of response rates: as observed (`raw`), and corrected for the model's score (`adjusted`)."""

    raw: Interval
    adjusted: Interval


class MessageEffect(Result):
    """What one randomised message changed against the control group, and against the first message."""

    name: str
    against_control: Interval
    against_first: Interval | None = None
    """None for the first message itself."""


class GroupRate(Result):
    n: int
    rate: Interval


class SampleRatio(Result):
    """Sizes of the two groups, and the probability of a split this uneven if the planned share was used."""

    contacted: int
    held_out: int
    counts_rows: bool
    """Whether customers with a row were counted; else everyone who was drawn."""
    p: float


class OutcomeCounts(Result):
    """How the rows of an outcome file match the customers of a campaign."""

    rows: int
    drawn: int
    matched: int
    unmatched: int
    without_row: int


class CampaignOutcome(Result):
    """What a campaign changed and earned; of `effect` and `no_effect` one is None, as of the pair below the cut."""

    counts: OutcomeCounts
    groups: dict[Group, GroupRate]
    sample_ratio: SampleRatio | None
    """None without a control group."""
    no_effect: str | None
    """Why no effect can be claimed."""
    effect: Effect | None = None
    profit: Interval | None = None
    messages: tuple[MessageEffect, ...] = ()
    """Only where several were assigned at random."""
    explore_effect: Effect | None = None
    no_explore_effect: str | None = None


class CampaignLook(Result):
    """One look at what came of a campaign: the file, what it says, and the sentences that were printed."""

    number: int
    at: str
    """UTC."""
    file_sha256: str
    outcome: CampaignOutcome
    sentences: tuple[str, ...]
