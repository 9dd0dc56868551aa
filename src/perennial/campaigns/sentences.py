"""Sentences about a campaign's outcome: counts, the two rates, the effect and whether it paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from perennial.charts.numbers import count, decimal, money_difference, points
from perennial.evaluation.statistics import experiment
from perennial.evaluation.statistics.experiment import UNFAIR
from perennial.results.campaign import (
    CampaignLook,
    CampaignOutcome,
    CampaignRecord,
    Effect,
    GroupRate,
    MessageEffect,
    OutcomeCounts,
    SampleRatio,
)
from perennial.results.figures import Interval


def describe_outcome(record: CampaignRecord, outcome: CampaignOutcome, missing: Literal["no", "drop"]) -> list[str]:
    sentences = [_describe_counts(outcome.counts, missing)]
    if outcome.sample_ratio is not None:
        sentences.append(f"sample ratio: {_describe_ratio(record, outcome.sample_ratio)}")
    places = {"treated": "contacted", "control": "held back"}
    rates = [f"{_describe_rate(rate)} {places[group]}" for group, rate in outcome.groups.items() if group in places]
    sentences.append(f"responded: {', '.join(rates)}")
    if outcome.effect is None or outcome.profit is None:
        return [*sentences, f"no effect is claimed: {outcome.no_effect}"]
    sentences.append(f"contacting changed {_describe_effect(outcome.effect)}")
    sentences += [_describe_message(message, record) for message in outcome.messages]
    if outcome.explore_effect is not None:
        sentences.append(f"below the cut it changed {_describe_effect(outcome.explore_effect)}")
    elif outcome.no_explore_effect is not None:
        sentences.append(f"below the cut no effect is claimed: {outcome.no_explore_effect}")
    return [*sentences, describe_profit(outcome.profit, record.currency)]


def describe_unfair_groups(record: CampaignRecord, ratio: SampleRatio) -> str | None:
    """Why the groups cannot be compared; 1 in 1,000 sound campaigns gets this message."""
    advice = "chance does not explain it; give a file about both groups alike, or about those who responded only"
    return f"{_describe_ratio(record, ratio)}: {advice}" if ratio.p < UNFAIR else None


def describe_profit(profit: Interval, currency: str) -> str:
    """Whether the campaign paid, in one sentence."""
    value, low, high = (
        f"{money_difference(amount, '')} {currency}".strip() for amount in (profit.value, profit.low, profit.high)
    )
    verdicts = {"paid": "It paid", "lost": "It did not pay", "open": "Too few to tell whether it paid"}
    return f"{verdicts[experiment.classify_profit(profit)]}: {value}, 95 % between {low} and {high}"


def describe_repeated_look(looks: Sequence[CampaignLook]) -> str:
    """A warning for a second or later look: who looks until it pays will find that it pays."""
    *earlier, last = looks
    same = next((look.number for look in earlier if look.file_sha256 == last.file_sha256), None)
    which = f"at the same file as look {same}" if same else f"the one before was on {earlier[-1].at} UTC"
    return (
        f"this is look number {last.number}, {which}: looking again and again finds a gain by chance sooner or later; "
        "decide by the look that was planned"
    )


def _describe_counts(n: OutcomeCounts, missing: Literal["no", "drop"]) -> str:
    treatment = "counted as no response" if missing == "no" else "left out (--missing drop)"
    return (
        f"{count(n.rows)} rows: {count(n.matched)} of the {count(n.drawn)} who were drawn, "
        f"{count(n.unmatched)} of others; {count(n.without_row)} have no row and are {treatment}"
    )


def _describe_ratio(record: CampaignRecord, ratio: SampleRatio) -> str:
    planned = f"planned {decimal(100 * record.shares[0], 1)} % held back"
    what = "have a row" if ratio.counts_rows else "were drawn"
    return f"{count(ratio.contacted)} contacted and {count(ratio.held_out)} held back {what}, {planned} (p {ratio.p:.2g})"


def _describe_rate(group: GroupRate) -> str:
    return f"{decimal(100 * group.rate.value, 1)} % of {count(group.n)}"


def _describe_effect(effect: Effect) -> str:
    return (
        f"{points(effect.adjusted.value)} points (95 %: {_describe_ends(effect.adjusted)}), adjusted by the model's "
        f"score; without that {points(effect.raw.value)} ({_describe_ends(effect.raw)})"
    )


def _describe_message(message: MessageEffect, record: CampaignRecord) -> str:
    effect, more = message.against_control, message.against_first
    sentence = f"{message.name}: {points(effect.value)} points ({_describe_ends(effect)})"
    if more is None:
        return sentence
    return f"{sentence}, {points(more.value)} ({_describe_ends(more)}) against {record.arms[1]}"


def _describe_ends(interval: Interval) -> str:
    return f"{points(interval.low)} to {points(interval.high)}"
