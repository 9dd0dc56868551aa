"""Task sections: what the page of a task adds to the layout that all reports share, and what its score is used for."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.report.page import Block, Caution, Figure, KeyFigures, Section


@dataclass(frozen=True, kw_only=True)
class TaskSections:
    """The verdict's slots, blocks that add to its reasons (`why`), and the sections on action, reasons and evidence."""

    headline: str
    what_to_do: str
    caution: Caution
    picture: Figure
    key_figures: KeyFigures
    sections: tuple[Section, ...]
    why: tuple[Block, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a yes-or-no score is used for (contacts, loans, alerts): the plan in a sentence, its caution and its section.

    There are no key figures where nobody is to be contacted.
    """

    plan: str
    key_figures: KeyFigures | None
    caution: Caution
    section: Section
