"""Masking of contact data: e-mail addresses, phone numbers and card numbers in free text."""

from __future__ import annotations

import re

MASK = "•••"
_ADDRESS = re.compile(r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)*")
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d[\d ()./-]{5,}\d(?!\w)")
_DIGITS = 7  # from which a number may be one to call
_DATE = re.compile(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{1,2})?\Z")
CONTACT_PATTERN = r"@|[0-9][0-9 ()./-]{7,}[0-9]"  # a cheap first test: a cell with contact data matches it
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])(?:\+|00)[1-9][\d ()./-]{7,18}\d(?!\w)|(?<![\w.])\(?0[1-9]\d{1,4}\)?[ /-][\d /-]{5,12}\d(?!\w)")
_CARD = re.compile(r"(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)")
CARD_DIGITS = 13


def mask_contacts(text: str) -> str:
    """The text with MASK for each e-mail address and each number of seven digits or more; a date stays."""
    return _NUMBER.sub(_mask_if_long, _ADDRESS.sub(MASK, text))


def has_contact(text: str) -> bool:
    """Whether an e-mail address, a number to call or a card's number in groups is in the text."""
    cards = (card for card in _CARD.findall(text) if not card.isdigit())
    return bool(_EMAIL.search(text) or _PHONE.search(text) or any(is_card(card) for card in cards))


def _mask_if_long(match: re.Match[str]) -> str:
    digits = sum(letter.isdigit() for letter in match[0])
    return MASK if digits >= _DIGITS and not _DATE.match(match[0]) else match[0]


def is_card(card: str) -> bool:
    """Whether a number begins as card numbers do and ends with its check digit (ISO/IEC 7812-1)."""
    digits = [int(sign) for sign in card if sign.isdigit()]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return digits[0] in {2, 3, 4, 5, 6} and (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
