"""Contact data in what customers wrote: gone before anybody reads it, and nothing else is."""

from __future__ import annotations

import polars as pl
import pytest

from perennial.contract.serving import FeatureColumn
from perennial.data.masking import MASK, mask_contacts
from perennial.explain.texts import quote_text
from perennial.explain.words import describe_cell

pytestmark = pytest.mark.unit

HIDDEN = [
    "ann.lee+shop@mail.example.org",
    "a_b@x.com",
    "ann @ mail.org",
    "+41 44 668 18 00",
    "(555) 123-4567",
    "555.123.4567",
    "0446681800",
    "079/123 45 67",
]


@pytest.mark.parametrize("contact", HIDDEN)
def test_addresses_and_numbers_to_call_are_masked_wherever_a_text_is_quoted(contact: str) -> None:
    text = f"Nice; write to {contact} or call, size 8."
    assert mask_contacts(text) == f"Nice; write to {MASK} or call, size 8."
    review = FeatureColumn(name="t", kind="text", label="review")
    quoted = "".join(piece.text for piece in quote_text(text, {"nice": 1.0}))
    for shown in (quoted, describe_cell(review, text)):
        assert MASK in shown
        assert contact not in shown


@pytest.mark.parametrize(
    "text",
    ["I'm 5'4\" and 120 lbs, 34-26-36, wore a 4 or 6", "in 2011, 100 % cotton, $49.99 of 12,000", "price: 1234.56", "@ the shop"],
)
def test_sizes_prices_and_years_stay(text: str) -> None:
    assert mask_contacts(text) == text


def test_a_long_text_is_masked_before_it_is_cut() -> None:
    text = "word " * 80 + "mail me at ann.lee@mail.example.org, this is awful " + "word " * 80
    shown = "".join(piece.text for piece in quote_text(text, {"awful": 1.0}))
    assert "awful" in shown
    assert MASK in shown
    assert "example" not in shown
    assert len(shown) < 300
    assert pl.Series([text]).str.contains("@")[0]
