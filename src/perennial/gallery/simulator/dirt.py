"""Dirty rows of the simulator: which customers have one beside their clean row, and its content.

In each full block of `size` customers (block q = customers q·size …) one row of each kind; a block that the population
holds in part has none, so the counts are exact.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

import numpy as np

from perennial.gallery.simulator.draws import Population, campaign_date, draw_uniform, scale_draw

File = Literal["customers.csv", "events.csv"]
Row = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class DirtPlan:
    """One row of each kind in every full block of `size` customers; `tag` numbers the draws."""

    file: File
    tag: int
    size: int
    kinds: tuple[str, ...]


_CELLS = ("duplicate", "conflict", "impossible_date", "wrong_type", "unknown_code", "future_date")
_STRUCTURE = ("ragged", "invalid_utf8", "unclosed_quote")
_DIRT = (
    DirtPlan(file="customers.csv", tag=0, size=2000, kinds=(*_CELLS, *_STRUCTURE, "null_id")),
    DirtPlan(file="events.csv", tag=1, size=80, kinds=(*_CELLS, "negative_amount", "orphan")),
    DirtPlan(file="events.csv", tag=2, size=2000, kinds=_STRUCTURE),
)


def plan_dirt(population: Population, file: File, low: int, high: int) -> dict[int, list[str]]:
    """Plan the kinds of dirty row beside each of the customers `low … high − 1`, in the order they are written."""
    plan: dict[int, list[str]] = {}
    for dirt in (dirt for dirt in _DIRT if dirt.file == file):
        blocks = np.arange(
            max(-(-population.first // dirt.size), low // dirt.size),
            min((population.first + population.n) // dirt.size, -(-high // dirt.size)),
        )
        width = dirt.size // len(dirt.kinds)
        for j, kind in enumerate(dirt.kinds):
            place = scale_draw(draw_uniform(population.seed, 30 + dirt.tag, blocks, j), width)
            models = blocks * dirt.size + j * width + place
            for customer in models[(models >= low) & (models < high)].tolist():
                plan.setdefault(customer, []).append(kind)
    return plan


def spoil_row(population: Population, file: File, kind: str, row: Row) -> str:
    """Make the dirty line of this kind from its model row; bytes that are no UTF-8 are surrogate escapes."""
    changes = _customer_changes if file == "customers.csv" else _event_changes
    cells = list((row | changes(campaign_date(population.month), kind, row)).values())
    if kind == "ragged":
        cells = cells[:-1] if file == "customers.csv" else [*cells, "?"]
    return ",".join(cells)


def encode_line(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def format_money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def format_day(today: datetime.date, ago: int) -> str:
    """Format a day; day 0 is the day before the as-of date."""
    return (today - datetime.timedelta(days=1 + ago)).isoformat()


def _customer_changes(today: datetime.date, kind: str, row: Row) -> Row:
    """The cells of a dirty customer row that differ from its model row."""
    other_id = {"customer_id": f"9{row['customer_id'][1:]}"}
    changes = {
        "duplicate": {},
        "conflict": {"birth_year": str(int(row["birth_year"]) - 1)},
        "impossible_date": other_id | {"signup": "2025-02-30"},
        "wrong_type": other_id | {"birth_year": "19x4"},
        "unknown_code": other_id | {"channel": "fax"},
        "future_date": other_id | {"signup": format_day(today, -40)},
        "ragged": other_id,
        "invalid_utf8": other_id | {"city": "Gen\udce8ve"},  # the lone byte E8: è in latin-1
        "unclosed_quote": other_id | {"city": '"Genève'},
        "null_id": {"customer_id": ""},
    }
    return changes[kind]


def _event_changes(today: datetime.date, kind: str, row: Row) -> Row:
    """The cells of a dirty event row that differ from its model row, a purchase."""
    cell_id, structure_id = ({"event_id": f"{row['customer_id']}-{letter}000"} for letter in "xs")
    changes = {
        "duplicate": {},
        "conflict": {"amount": format_money(int(row["amount"].replace(".", "")) + 100)},
        "impossible_date": cell_id | {"at": "2025-02-30 09:15"},
        "wrong_type": cell_id | {"amount": "abc"},
        "unknown_code": cell_id | {"kind": "refund"},
        "future_date": cell_id | {"at": f"{format_day(today, -40)} 09:15"},
        "negative_amount": cell_id | {"amount": f"-{row['amount']}"},
        "orphan": cell_id | {"customer_id": "999999999"},
        "ragged": structure_id,
        "invalid_utf8": structure_id | {"category": "gard\udce9n"},
        "unclosed_quote": structure_id | {"category": '"garden'},
    }
    return changes[kind]
