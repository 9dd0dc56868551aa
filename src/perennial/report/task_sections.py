"""What a task adds to the common layout of a report."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.report.page import Block, Caution, Figure, KeyFigure, Section
from perennial.results.decision import Verdict


@dataclass(frozen=True, kw_only=True)
class TaskSections:
    """Words and pictures of one task: the verdict's slots, and the sections on action, reasons and trust."""

    verdict: Verdict
    headline: str
    what_to_do: str
    caution: Caution | None
    picture: Figure
    key_figures: tuple[KeyFigure, KeyFigure, KeyFigure, KeyFigure]
    why: tuple[Block, ...]
    sections: tuple[Section, ...]
