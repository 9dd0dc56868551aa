"""Blocks of what customers wrote and photographed: words that raise and lower, marked quotes, photos with heat maps."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from markupsafe import Markup

from perennial.report.charts.numbers import MINUS


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a quoted text, and what it does as a share of what the row's strongest word does; 0 is not marked."""

    text: str
    part: float = 0.0

    @property
    def look(self) -> str:
        """The classes that shade it: which way, and how much in three steps."""
        size = 1 + sum(abs(self.part) >= least for least in (0.5, 0.75))
        return f"{'raises' if self.part > 0 else 'lowers'} w{size}" if self.part else ""

    @property
    def sign(self) -> str:
        return "+" if self.part > 0 else MINUS


@dataclass(frozen=True, kw_only=True)
class Quote:
    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class WordBar:
    """A word, a bar of what it does, that in figures, and in how many rows it stands."""

    word: str
    bar: Markup
    change: str
    interval: str
    rows: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words side by side under headings: those that raise and those that lower, or those of each class."""

    finding: str
    described: str
    columns: tuple[tuple[str, tuple[WordBar, ...]], ...]
    foot: str = ""
    anchor: str = ""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo (bytes of a JPEG), what is told of it, and a heat map of what was said where there is one."""

    row: str
    title: str
    note: str
    photo: bytes
    heat: bytes | None = None

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """Each picture as an address that loads nothing, and what a reader who cannot see it is told."""
        shown = [(self.photo, f"{self.row}: {self.title}")]
        shown += [(self.heat, f"What it went by in {self.row}")] if self.heat else []
        return tuple((f"data:image/jpeg;base64,{base64.b64encode(data).decode()}", told) for data, told in shown)


@dataclass(frozen=True, kw_only=True)
class Photos:
    finding: str
    described: str
    photos: tuple[Photo, ...]
    foot: str = ""
    anchor: str = ""
