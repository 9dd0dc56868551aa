"""The explain section: how many rows are explained, and how finely."""

from __future__ import annotations

from pydantic import Field

from perennial.config.base import ParamsSection


class WordReasons(ParamsSection):
    """Which words of texts are reported: those that stand in at least `min_rows` of the explained rows."""

    min_rows: int = Field(ge=1)
    """Rows."""
    n_words: int = Field(ge=1, le=50)
    """Words that raise, and that lower."""


class PhotoReasons(ParamsSection):
    """The check of photo heat maps: the hottest share of each photo is hidden, for at least 64 explained rows."""

    share: float = Field(gt=0, lt=1)


class ExplainParams(ParamsSection):
    """Optional parts are off when left out: without `words` no word is hidden, without `photos` no part of a photo."""

    seed: int = Field(ge=0, lt=2**31)
    rows: int = Field(ge=1)
    """Of test, for global importance."""
    draws: int = Field(ge=2)
    """Of expected gradients, a row."""
    reasons: int = Field(ge=1, le=10)
    """Reasons of each row."""
    words: WordReasons | None = None
    photos: PhotoReasons | None = None
