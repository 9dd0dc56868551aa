"""Contact hashing: SHA-256 of the normal form of an address or phone number, as ad platforms match it.

An address (it holds an @) is trimmed and lower-cased, and so is a name. A phone number becomes + and its digits; one
without a country code cannot be matched by anybody and stays empty. The cell itself is never given away.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]*\Z")


class ContactHashes(NamedTuple):
    """Hashes (n,), empty where there is nothing to hash, and whether a message can be sent to the cell (n,)."""

    cells: pl.Series
    reaches: pl.Series


def hash_contacts(cells: pl.Series) -> ContactHashes:
    normal = [normalise_contact(cell or "") for cell in cells]
    reaches = [bool(text) and ("@" in text or text.startswith("+")) for text in normal]
    return ContactHashes(_hash_texts(cells.name, normal), pl.Series(cells.name, reaches, dtype=pl.Boolean))


def hash_ids(cells: pl.Series) -> pl.Series:
    """SHA-256 of each cell in normal form, so that case, spaces or dialling prefixes do not split a person; null stays null."""
    texts = [None if cell is None else normalise_contact(cell) or cell.strip().lower() for cell in cells]
    return _hash_texts(cells.name, texts)


def _hash_texts(name: str, texts: Sequence[str | None]) -> pl.Series:
    """Null and the empty text stay as they are."""
    return pl.Series(name, [text and hashlib.sha256(text.encode()).hexdigest() for text in texts], dtype=pl.String)


def normalise_contact(cell: str) -> str:
    """The text that is hashed for matching; empty for a phone number without a country code."""
    text = cell.strip().lower()
    if "@" in text or not _PHONE.match(text):
        return text
    digits = re.sub("[^0-9]", "", text.replace("(0)", ""))  # +41 (0)79 is dialled without the 0
    if text.startswith("00"):
        digits = digits[2:]
    return f"+{digits}" if text.startswith(("+", "00")) and digits else ""
