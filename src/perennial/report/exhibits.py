"""Blocks of a report beside charts and tables: reasons, words, cases, photos, quarantined rows, heat maps, segment cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from perennial.charts.svg import Tone
from perennial.report.context import ExplainedRow, QuarantinedRow
from perennial.report.page import Captioned

Shade = Literal["plain", "reported", "flatters", "worse", "impossible", "s0", "s1", "s2", "s3", "s4"]


@dataclass(frozen=True, kw_only=True)
class BarRow:
    """A group, a word or a trait: a bar of its effect, the effect in figures, and how many rows it holds for."""

    name: str
    bar: Markup
    value: str
    interval: str = ""
    rows: str = ""


@dataclass(frozen=True, kw_only=True)
class Reasons(Captioned):
    """Statements about customers, each with what it changes in `unit`s."""

    unit: str
    reasons: tuple[BarRow, ...]


@dataclass(frozen=True, kw_only=True)
class WordBars(Captioned):
    """Words side by side under headings: those that raise and those that lower, or those of each class."""

    columns: tuple[tuple[str, tuple[BarRow, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Cases(Captioned):
    """Rows with their scores, what raised each and (after "; but ") what lowered it; their texts with marked words."""

    rows: tuple[ExplainedRow, ...]


@dataclass(frozen=True, kw_only=True)
class Photos(Captioned):
    """Photos of rows, with heat maps of what the model went by where there are any."""

    rows: tuple[ExplainedRow, ...]


@dataclass(frozen=True, kw_only=True)
class Quarantine(Captioned):
    rows: tuple[QuarantinedRow, ...]


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One cell: `reported` is framed, `flatters` blue, `worse` orange, `impossible` hatched; s0 to s4 shade a share."""

    value: str
    shade: Shade
    interval: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class HeatRow:
    name: str
    cells: tuple[HeatCell, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Heat(Captioned):
    """Columns and rows of shaded cells; `corner` names both."""

    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    corner: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A segment: its shares (figure, of what), its profile, paragraphs (heading, text), and a message to try."""

    name: str
    tone: Tone
    shares: tuple[tuple[str, str], ...]
    traits: tuple[BarRow, ...]
    paragraphs: tuple[tuple[str, str], ...]
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class Cards(Captioned):
    cards: tuple[Card, ...]


@dataclass(frozen=True, kw_only=True)
class Facts(Captioned):
    """Names and values; those in `mono` are digests."""

    facts: tuple[tuple[str, str], ...]
    mono: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Code(Captioned):
    text: str
