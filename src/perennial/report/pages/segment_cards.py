"""Segment cards: what the customers of each segment are like, against all customers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.svg import Tone
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns
from perennial.report.pages.reasons import draw_bar
from perennial.results.clustering import NumberProfile, SegmentProfile

_TONES: tuple[Tone, ...] = ("blue", "orange", "grey", "ink")
_MOST_TRAITS, _MOST_CATEGORIES = 6, 3
_DOUBLINGS = 3.0  # as far as the bars of a card reach


@dataclass(frozen=True, kw_only=True)
class SegmentCard:
    """A segment with its traits (name, bar, times the mean), its medians and its most over-represented values."""

    segment: SegmentProfile
    tone: Tone
    traits: list[tuple[str, Markup, str]]
    medians: list[str]
    categories: list[str]


def build_card(contract: Contract, segment: SegmentProfile, place: int) -> SegmentCard:
    labels, strongest = {one.name: one.label for one in feature_columns(contract)}, _select_traits(segment.numbers)
    return SegmentCard(
        segment=segment,
        tone=_TONES[place % len(_TONES)],
        traits=[_draw_trait(labels[number.column], index) for number, index in strongest],
        medians=_describe_medians(labels, strongest),
        categories=[
            f"{labels[one.column]} {one.value} ({n.share(one.share)}, {n.decimal(one.lift, 1)} × as often)"
            for one in sorted(segment.categories, key=lambda one: -one.lift)[:_MOST_CATEGORIES]
        ],
    )


def _select_traits(numbers: Sequence[NumberProfile]) -> list[tuple[NumberProfile, float]]:
    """The columns whose mean is farthest from that of all, with its ratio to it, in the order of the contract."""
    ratios = [(number, number.index) for number in numbers if number.index]
    far = sorted(ratios, key=lambda pair: -abs(math.log2(pair[1])))[:_MOST_TRAITS]
    return [pair for pair in ratios if pair in far]


def _draw_trait(label: str, index: float) -> tuple[str, Markup, str]:
    reach, times = min(max(math.log2(index), -_DOUBLINGS), _DOUBLINGS), f"{n.decimal(index, 2 if index < 10 else 0)} ×"
    return n.capital(label), draw_bar(reach, _DOUBLINGS, f"{label}: {times}"), times


def _describe_medians(labels: Mapping[str, str], traits: Sequence[tuple[NumberProfile, float]]) -> list[str]:
    """The medians, with the span of the middle half."""
    return [
        f"{labels[number.column]} {_format_number(number.median)} ({_format_number(number.low)} to {_format_number(number.high)})"
        for number, _ in traits
        if number.median is not None and number.low is not None and number.high is not None
    ]


def _format_number(value: float) -> str:
    return n.count(value) if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
