"""The explain section: how many rows are explained, and how finely."""

from __future__ import annotations

from pydantic import Field

from perennial.config.base import ParamsSection


class WordReasons(ParamsSection):
    """Which words of texts are told of: those that stand in at least so many of the explained rows."""

    min_rows: int = Field(ge=1)
    """Rows."""
    n_words: int = Field(ge=1, le=50)
    """Words that raise, and that lower."""


class PhotoReasons(ParamsSection):
    """How heat maps of photos are checked: by hiding the hottest share of each, of at least 64 explained rows."""

    share: float = Field(gt=0, lt=1)


class ExplainParams(ParamsSection):
    """What is left out is off: without `words` no word is hidden, without `photos` no part of a photo."""

    seed: int = Field(ge=0, lt=2**31)
    rows: int = Field(ge=1)
    """Of test, for global importance."""
    draws: int = Field(ge=2)
    """Of expected gradients, a row."""
    reasons: int = Field(ge=1, le=10)
    """Told for each row."""
    words: WordReasons | None = None
    photos: PhotoReasons | None = None
