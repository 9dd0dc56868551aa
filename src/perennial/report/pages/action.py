"""Action of a yes-or-no score: what a promoted model is used for (contacts, loans or alerts), and what that brings."""

from __future__ import annotations

from dataclasses import dataclass

from perennial.report.page import Caution, KeyFigures, Section


@dataclass(frozen=True, kw_only=True)
class Action:
    """The plan in a sentence, its figures (None where nobody is to be contacted), its caution, and its section."""

    plan: str
    key_figures: KeyFigures | None
    caution: Caution
    section: Section
