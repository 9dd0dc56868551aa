"""A text in, the same without what its writer can be reached by out."""

from __future__ import annotations

import re

MASK = "•••"
_ADDRESS = re.compile(r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)*")
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d ()./-]{5,}\d(?!\w)")
_DIGITS = 7  # from which a number may be one to call


def masked(text: str) -> str:
    """The text with MASK for each e-mail address and each number of seven digits or more."""
    return _NUMBER.sub(_if_long, _ADDRESS.sub(MASK, text))


def _if_long(found: re.Match[str]) -> str:
    return MASK if sum(letter.isdigit() for letter in found[0]) >= _DIGITS else found[0]
