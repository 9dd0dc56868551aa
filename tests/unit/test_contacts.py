"""Contacts leave only as digests of the form that ad platforms match."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from perennial.data.hashing import hash_contacts, normalise_contact

pytestmark = pytest.mark.unit

FORMS = {
    " Max.Muster@Example.ORG ": "max.muster@example.org",
    "+41 (0)79 123-45.67": "+41791234567",
    "0043 660 1234567": "+436601234567",
    "079 123 45 67": "",  # of which country?
    "Élodie": "élodie",
    "": "",
    "  ": "",
}


def test_addresses_numbers_and_names_have_one_form() -> None:
    assert {cell: normalise_contact(cell) for cell in FORMS} == FORMS


def test_digests_are_of_that_form_and_nothing_is_hashed_where_nothing_is() -> None:
    result = hash_contacts(pl.Series("mail", [*FORMS, None]))
    expected = [hashlib.sha256(form.encode()).hexdigest() if form else "" for form in FORMS.values()]
    assert result.cells.to_list() == [*expected, ""]
    assert result.cells.name == "mail"
    assert result.reaches.to_list() == [True, True, True, False, False, False, False, False], "no name is an address"
