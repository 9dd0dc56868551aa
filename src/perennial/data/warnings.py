"""What was noticed of a file for which no row is set aside: notes, each a stable code and a sentence."""

from __future__ import annotations

from typing import NamedTuple


class Note(NamedTuple):
    """Something that a reader of the report should know; `code` stays when the words change."""

    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.words} [{self.code}]"

    @property
    def told(self) -> dict[str, str]:
        """As a summary holds it."""
        return {"code": self.code, "words": self.words}
