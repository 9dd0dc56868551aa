"""Segment cards: the size of each segment, what its customers are like, what they buy, and a message to try."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from perennial.charts import numbers as n
from perennial.charts.svg import Tone
from perennial.contract.serving import feature_columns
from perennial.report.context import ReportContext
from perennial.report.exhibits import BarRow, Card, Cards
from perennial.report.pages.reasons import draw_bar
from perennial.results.clustering import CategoryProfile, ClusteringEvaluation, NumberProfile, SegmentProfile

_TONES: tuple[Tone, ...] = ("blue", "orange", "grey", "ink")
_MOST_TRAITS, _MOST_CATEGORIES = 6, 3
_DOUBLINGS = 3.0  # as far as the bars of a card reach
_MESSAGES = {
    "Champions": "Thank you, and a first look at what is new: you see it before everyone else.",
    "Loyal customers": "Thank you for coming back: here is what goes with what you bought last.",
    "Big spenders": "Something of your own: a person who knows your orders, and delivery on your day.",
    "Promising customers": "A second order within the month: what others took next after yours.",
    "New or rare customers": "Welcome: three things that others came back for.",
    "Occasional customers": "Your last order was a while ago: here is what would match it.",
    "At risk": "We have not seen you lately: is there something we should do better?",
    "Lost customers": "Shall we stay in touch? One idea a season, or none: you choose.",
}


def build_cards(report: ReportContext[ClusteringEvaluation]) -> Cards:
    segments = report.evaluation.segments
    top = find_top_segment(segments)
    finding = f"The largest of {len(segments)} groups, “{top.name}”, has {n.share(top.share)} of customers"
    if top.amount_share:
        finding = f"{n.share(top.share)} of customers, “{top.name}”, bring {n.share(top.amount_share)} of the money"
    return Cards(
        finding=finding,
        described="Bars show the mean against that of all customers on a doubling scale: right of the line is more.",
        cards=tuple(_build_card(report, one, _TONES[i % len(_TONES)]) for i, one in enumerate(segments)),
    )


def find_top_segment(segments: Sequence[SegmentProfile]) -> SegmentProfile:
    """The segment that brings most money, or the largest where there is no money."""
    return max(segments, key=lambda one: one.amount_share or one.share)


def _build_card(report: ReportContext[ClusteringEvaluation], segment: SegmentProfile, tone: Tone) -> Card:
    labels = {feature.name: feature.label for feature in feature_columns(report.contract)}
    shares, strongest = [(n.share(segment.share), f"{n.count(segment.n)} customers")], _select_traits(segment.numbers)
    if segment.amount_share is not None and segment.amount is not None:
        shares.append((n.share(segment.amount_share), f"{report.money(segment.amount)} in all"))
    paragraphs = [("Typical customer", _describe_medians(labels, strongest))]
    if segment.categories:
        paragraphs.append(("More often than others", _describe_categories(labels, segment.categories)))
    if segment.items:
        items = "; ".join(f"{item.item} ({n.decimal(item.lift, 1)} × as often)" for item in segment.items)
        paragraphs.append(("What they buy", f"{items}."))
    return Card(
        name=segment.name,
        tone=tone,
        shares=tuple(shares),
        traits=tuple(_draw_trait(labels[number.column], index) for number, index in strongest),
        paragraphs=tuple(paragraphs),
        message=_choose_message(segment.name) if report.verdict == "PROMOTE" else "",
    )


def _select_traits(numbers: Sequence[NumberProfile]) -> list[tuple[NumberProfile, float]]:
    """The columns whose mean is farthest from that of all, with its ratio to it, in the order of the contract."""
    ratios = [(number, number.index) for number in numbers if number.index]
    far = sorted(ratios, key=lambda pair: -abs(math.log2(pair[1])))[:_MOST_TRAITS]
    return [pair for pair in ratios if pair in far]


def _draw_trait(label: str, index: float) -> BarRow:
    reach = min(max(math.log2(index), -_DOUBLINGS), _DOUBLINGS)
    value = f"{n.decimal(index, 2 if index < 10 else 0)} ×"
    return BarRow(name=n.capital(label), bar=draw_bar(reach, _DOUBLINGS, f"{label}: {value}"), value=value)


def _describe_medians(labels: Mapping[str, str], traits: Sequence[tuple[NumberProfile, float]]) -> str:
    """The medians, with the span of the middle half."""
    medians = [
        f"{labels[number.column]} {_format_number(number.median)} ({_format_number(number.low)} to {_format_number(number.high)})"
        for number, _ in traits
        if number.median is not None and number.low is not None and number.high is not None
    ]
    return n.capital("; ".join(medians)) + ". Median, and the middle half."


def _describe_categories(labels: Mapping[str, str], categories: Sequence[CategoryProfile]) -> str:
    strongest = sorted(categories, key=lambda one: -one.lift)[:_MOST_CATEGORIES]
    phrases = [
        f"{labels[one.column]} {one.value} ({n.share(one.share)}, {n.decimal(one.lift, 1)} × as often)" for one in strongest
    ]
    return n.capital("; ".join(phrases)) + "."


def _choose_message(name: str) -> str:
    usual = next((text for start, text in _MESSAGES.items() if name.startswith(start)), None)
    return usual or f"Begin with what sets them apart: {name[:1].lower()}{name[1:]}."


def _format_number(value: float) -> str:
    return n.count(value) if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
