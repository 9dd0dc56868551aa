"""Cells of the right shape in, those that cannot be what they say out: lost digits, placeholders of dates, contact data.

Nothing here quotes a cell that may hold an address.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from perennial.contract.columns import Column
from perennial.data.masking import CARD_DIGITS, CONTACT_PATTERN, has_contact, is_card

_LOST = (
    r"\A[+-]?[0-9]+(?:[.,][0-9]*[eE][+-]?[0-9]+|[eE][+][0-9]+|\.0*)\z"  # 1.23E+17, 12.0: a number was here, not an id
)
_NAMES_SOMEONE = {"id", "entity", "basket"}
_NO_DATE = (1, 9999)  # years that stand for "none" or "for ever"


def check_cells(texts: pl.Series, cells: pl.Series, column: Column) -> Iterator[tuple[str, pl.Series]]:
    """The kind of each doubt that a column can raise, and for each cell the words, null where there is none."""
    if column.role in _NAMES_SOMEONE and column.pattern is None and not column.hashed:
        lost = texts.str.contains(_LOST)
        words = pl.lit("'") + pl.lit(texts).str.slice(0, 40) + "' was a number once: precision lost; export it as text"
        yield "precision_lost", _where(lost, words)
    if column.cell_type in {"date", "datetime"} and cells.dtype.is_temporal():
        words = pl.lit("'") + pl.lit(texts).str.slice(0, 40) + "' stands for no date; declare it under null"
        yield "placeholder_date", _where(cells.dt.year().is_in(_NO_DATE), words)
    if has_open_categories(column):
        told = "holds contact data: give the column the role contact, or ignore"
        yield "contact", _where(find_contacts(texts), pl.lit(told))


def has_open_categories(column: Column) -> bool:
    """Whether a model would learn the cells by heart, whatever they are."""
    return column.role in {"categorical", "protected"} and column.cell_type == "text" and column.values is None


def find_contacts(texts: pl.Series) -> pl.Series:
    """Whether a cell is something to reach or charge a person by; each different text is looked at once."""
    likely = texts.str.contains(CONTACT_PATTERN).fill_null(False)
    asked = texts.filter(likely).unique().to_list()
    found = [text for text in asked if has_contact(text)]
    long = [text for text in asked if text.isdigit() and len(text) >= CARD_DIGITS]
    cards = [text for text in long if is_card(text)]
    if 2 * len(cards) >= len(long):  # of numbers that are no cards one in ten looks like one
        found += cards
    return likely & texts.is_in(found) if found else pl.Series([False] * len(texts), dtype=pl.Boolean)


def _where(doubted: pl.Series, words: pl.Expr) -> pl.Series:
    return pl.select(pl.when(doubted.fill_null(False)).then(words).otherwise(pl.lit(None, dtype=pl.String))).to_series()
