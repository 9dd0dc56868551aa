"""Cell checks: cells of the right type whose content is wrong, such as lost digits, placeholder dates, contact data.

Nothing here quotes a cell that may hold an address.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from perennial.contract.columns import Column
from perennial.data.masking import CARD_DIGITS, CONTACT_PATTERN, has_contact, is_card

_LOST = r"\A[+-]?[0-9]+(?:[.,][0-9]*[eE][+-]?[0-9]+|[eE][+][0-9]+|\.0*)\z"  # 1.23E+17, 12.0: a number was here, not an id
_NAMES_SOMEONE = {"id", "entity", "basket"}
_NO_DATE = (1, 9999)  # years that stand for "none" or "for ever"


def check_cells(texts: pl.Series, cells: pl.Series, column: Column) -> Iterator[tuple[str, pl.Series]]:
    """Yield the name of each check that applies to a column, with the problem of each cell, null where there is none."""
    quoted = pl.lit("'") + pl.lit(texts).str.slice(0, 40)
    if column.role in _NAMES_SOMEONE and column.pattern is None and not column.hashed:
        lost = texts.str.contains(_LOST)
        yield "precision_lost", _report_where(lost, quoted + "' was a number once: precision lost; export it as text")
    if column.cell_type in {"date", "datetime"} and cells.dtype.is_temporal():
        is_no_date = cells.dt.year().is_in(_NO_DATE)
        yield "placeholder_date", _report_where(is_no_date, quoted + "' stands for no date; declare it under null")
    if has_open_categories(column):
        problem = pl.lit("holds contact data: give the column the role contact, or ignore")
        yield "contact", _report_where(find_contacts(texts), problem)


def has_open_categories(column: Column) -> bool:
    """Whether a model would memorise the cells, whatever they are: a categorical column without declared values."""
    return column.role in {"categorical", "protected"} and column.cell_type == "text" and column.values is None


def find_contacts(texts: pl.Series) -> pl.Series:
    """Whether each cell holds an address, or a number to call or charge; each different text is examined once."""
    likely = texts.str.contains(CONTACT_PATTERN).fill_null(False)
    texts_to_check = texts.filter(likely).unique().to_list()
    contacts = [text for text in texts_to_check if has_contact(text)]
    long = [text for text in texts_to_check if text.isdigit() and len(text) >= CARD_DIGITS]
    cards = [text for text in long if is_card(text)]
    if 2 * len(cards) >= len(long):  # of numbers that are no cards one in ten looks like one
        contacts += cards
    return likely & texts.is_in(contacts) if contacts else pl.Series([False] * len(texts), dtype=pl.Boolean)


def _report_where(is_wrong: pl.Series, problem: pl.Expr) -> pl.Series:
    return pl.select(pl.when(is_wrong.fill_null(False)).then(problem.cast(pl.String))).to_series()
