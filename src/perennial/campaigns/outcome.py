"""Outcome: match what customers did with the groups they were in, and say what the campaign changed and earned.

Everyone counts in the group that was drawn for them, whatever was then delivered. The campaign then becomes a use case
of its own, from which the next model can learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.campaigns.customer_file import check_leading_zeros, check_one_row_each, find_key_column, read_customers
from perennial.campaigns.next_use_case import add_next_use_case
from perennial.campaigns.record import add_look, campaign_folder, load_campaign
from perennial.campaigns.sentences import describe_outcome, describe_repeated_look, describe_unfair_groups
from perennial.contract.columns import Column
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.errors import InputError
from perennial.evaluation.statistics import experiment
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.randomization import sample_ratio_p
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.results.campaign import (
    CampaignOutcome,
    CampaignRecord,
    Effect,
    Group,
    GroupRate,
    MessageEffect,
    OutcomeCounts,
    SampleRatio,
)

Missing = Literal["no", "drop"]
_GROUPS: tuple[Group, ...] = ("treated", "control", "explore", "explore_control")


def evaluate_outcome(
    project: Project,
    name: str,
    campaign: str,
    data: Path,
    *,
    column: str | None = None,
    missing: Missing = "no",
    sheet: str | None = None,
) -> list[str]:
    """The sentences that say what happened; the look is recorded, and the campaign becomes a use case.

    Raises: InputError for an unknown campaign, a file that cannot be read or an id with several rows.
    """
    contract, folder = load(project.contract(name)), campaign_folder(project, name, campaign)
    record, population = load_campaign(folder)
    matched, counts = _match_outcomes(record, population, _read_outcomes(record, contract, data, column, sheet), data)
    customers = matched.filter("has_row") if missing == "drop" else matched
    outcome = compute_outcome(record, customers, counts)
    sentences = describe_outcome(record, outcome, missing)
    with file_lock(folder.parent.with_suffix(".lock"), what=f"a campaign of {name}"):
        looks = add_look(folder, data, outcome, sentences)
        repeated = [describe_repeated_look(looks)] if len(looks) > 1 else []
        arms = [record.arms[arm] for arm in _Arms.of(record, customers).arm]
        customers = customers.with_columns(pl.Series("arm", arms, dtype=pl.String))
        ratio = outcome.sample_ratio
        refusal = describe_unfair_groups(record, ratio) if ratio else "without a control group"
        return [*repeated, *sentences, add_next_use_case(project, contract, record, customers, folder, refusal)]


def _read_outcomes(record: CampaignRecord, contract: Contract, data: Path, column: str | None, sheet: str | None) -> pl.DataFrame:
    """Ids and outcomes of the file's rows: key, y.

    Raises: InputError when an id has several rows, or an outcome is empty.
    """
    target = contract.columns.get(record.target) or Column(role="outcome", values={"0": 0, "1": 1})
    key = find_key_column(data, record.key, contract.columns.get(record.key), sheet)
    read_as = {"required": True, "source": column or target.source}
    columns = {record.key: key, record.target: target.model_copy(update=read_as)}
    rows = read_customers(data, columns, record.key, sheet).rename({record.key: "key", record.target: "y"})
    if empty := rows["y"].null_count() + rows["key"].null_count():
        raise InputError(f"{data}: {empty} ids or outcomes are empty; write what is meant by them")
    check_one_row_each(rows["key"], str(data))
    return rows


def _match_outcomes(
    record: CampaignRecord, population: pl.DataFrame, rows: pl.DataFrame, data: Path
) -> tuple[pl.DataFrame, OutcomeCounts]:
    """Everyone who was drawn, with `y` (0 without a row) and `has_row`.

    Raises: InputError when the file is about other customers.
    """
    matched = population.join(rows, on="key", how="left", maintain_order="left")
    has_row = matched["y"].is_not_null()
    n_matched = int(has_row.sum())
    check_leading_zeros(data, rows["key"], population["key"])
    if not n_matched:
        raise InputError(f"none of {rows.height} ids was in campaign {record.campaign}: is this its file?")
    counts = OutcomeCounts(
        rows=rows.height,
        drawn=population.height,
        matched=n_matched,
        unmatched=rows.height - n_matched,
        without_row=population.height - n_matched,
    )
    return matched.with_columns(has_row.alias("has_row"), pl.col("y").fill_null(0).cast(pl.Float64)), counts


def compute_outcome(record: CampaignRecord, customers: pl.DataFrame, counts: OutcomeCounts) -> CampaignOutcome:
    """Rates of all groups, and where the assignment was random effects and profit."""
    groups = {
        group: GroupRate(n=rows.height, rate=experiment.estimate_rate(rows["y"].to_numpy()))
        for group in _GROUPS
        if (rows := customers.filter(pl.col("group") == group)).height
    }
    drawn = customers.filter(pl.col("group").is_in(["treated", "control"]))
    main, ratio = _Arms.of(record, drawn), _compute_sample_ratio(record, drawn)
    unfair = describe_unfair_groups(record, ratio) if ratio else None
    outcome = CampaignOutcome(
        counts=counts, groups=groups, sample_ratio=ratio, no_effect=unfair or experiment.explain_no_effect(main.y, main.arm)
    )
    if outcome.no_effect is not None:
        return outcome
    sent = drawn.filter(pl.col("group") == "treated")["message"]
    effect, cost = main.effect, sum(record.costs[message] for message in sent)
    below = _Arms.of(record, customers.filter(pl.col("group").is_in(["explore", "explore_control"])))
    no_explore_effect = experiment.explain_no_effect(below.y, below.arm) if len(below.y) else None
    return outcome.model_copy(
        update={
            "effect": effect,
            "profit": experiment.estimate_profit(effect.adjusted, record.value, len(sent), cost),
            "messages": _compare_messages(record, main),
            "explore_effect": below.effect if len(below.y) and no_explore_effect is None else None,
            "no_explore_effect": no_explore_effect,
        }
    )


@dataclass(frozen=True, kw_only=True)
class _Arms:
    """Outcomes, arms and scores (n,) of some customers."""

    y: F64
    arm: NDArray[np.int64]
    score: F64

    @classmethod
    def of(cls, record: CampaignRecord, rows: pl.DataFrame) -> _Arms:
        """Messages that a model chose are one arm."""
        codes = {arm: code for code, arm in enumerate(record.arms)}
        arm = np.array([codes.get(message, 1) for message in rows["message"]], dtype=np.int64)
        return cls(y=rows["y"].to_numpy(), arm=arm, score=rows["score"].to_numpy())

    @property
    def effect(self) -> Effect:
        return experiment.effect_of_contact(self.y, self.arm, self.score)


def _compute_sample_ratio(record: CampaignRecord, drawn: pl.DataFrame) -> SampleRatio | None:
    """Sizes of the two groups against the plan.

    Customers with a row count if some of them did not respond; else a row is the response itself, and everyone counts.
    """
    if not record.shares:
        return None
    has_non_responses = bool((drawn["has_row"] & (drawn["y"] == 0)).any())
    arm = _Arms.of(record, drawn.filter("has_row") if has_non_responses else drawn).arm
    held_out = int((arm == 0).sum())
    return SampleRatio(
        contacted=len(arm) - held_out,
        held_out=held_out,
        p=sample_ratio_p(arm, record.shares),
        counts_rows=has_non_responses or bool(drawn["has_row"].all()),
    )


def _compare_messages(record: CampaignRecord, main: _Arms) -> tuple[MessageEffect, ...]:
    """Messages that were assigned at random, each against the control group and against the first."""
    if len(record.arms) < 3:
        return ()

    def compare(arm: int, other: int) -> Effect:
        return experiment.compare_messages(main.y, main.arm, main.score, arm, other)

    return tuple(
        MessageEffect(
            name=name, against_control=compare(arm, 0).adjusted, against_first=compare(arm, 1).adjusted if arm > 1 else None
        )
        for arm, name in enumerate(record.arms[1:], start=1)
    )
