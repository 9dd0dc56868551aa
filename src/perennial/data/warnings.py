"""Data warning: something odd in a table that sets no row aside, as a stable code and a sentence."""

from __future__ import annotations

from typing import NamedTuple


class DataWarning(NamedTuple):
    """Something that a reader of the report should know; `code` stays when the message changes."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "words": self.message}
