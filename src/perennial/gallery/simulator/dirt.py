"""A population and its model rows in → the dirty rows that sit beside them: which customers, and what each row says.

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


_DIRT = (
    DirtPlan(
        file="customers.csv",
        tag=0,
        size=2000,
        kinds=(
            *("duplicate", "conflict", "impossible_date", "wrong_type", "unknown_code", "future_date"),
            *("ragged", "invalid_utf8", "unclosed_quote", "null_id"),
        ),
    ),
    DirtPlan(
        file="events.csv",
        tag=1,
        size=80,
        kinds=(
            *("duplicate", "conflict", "impossible_date", "wrong_type"),
            *("unknown_code", "future_date", "negative_amount", "orphan"),
        ),
    ),
    DirtPlan(file="events.csv", tag=2, size=2000, kinds=("ragged", "invalid_utf8", "unclosed_quote")),
)


def plan_dirt(population: Population, file: File, low: int, high: int) -> dict[int, list[str]]:
    """The kinds of dirty row beside each of the customers `low … high − 1`, in the order they are written."""
    found: dict[int, list[str]] = {}
    for dirt in (dirt for dirt in _DIRT if dirt.file == file):
        blocks = np.arange(
            max(-(-population.first // dirt.size), low // dirt.size),
            min((population.first + population.n) // dirt.size, -(-high // dirt.size)),
        )
        width = dirt.size // len(dirt.kinds)
        for j, kind in enumerate(dirt.kinds):
            models = (
                blocks * dirt.size
                + j * width
                + scale_draw(draw_uniform(population.seed, 30 + dirt.tag, blocks, j), width)
            )
            for customer in models[(models >= low) & (models < high)].tolist():
                found.setdefault(customer, []).append(kind)
    return found


def spoil_row(population: Population, file: File, kind: str, row: Row) -> str:
    """The dirty line of this kind, made from its model row; bytes that are no UTF-8 stand as surrogate escapes."""
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
    """Day 0 is the day before the as-of date."""
    return (today - datetime.timedelta(days=1 + ago)).isoformat()


def _customer_changes(today: datetime.date, kind: str, row: Row) -> Row:
    other_id = {"customer_id": f"9{row['customer_id'][1:]}"}
    match kind:
        case "duplicate":
            return {}
        case "conflict":
            return {"birth_year": str(int(row["birth_year"]) - 1)}
        case "impossible_date":
            return other_id | {"signup": "2025-02-30"}
        case "wrong_type":
            return other_id | {"birth_year": "19x4"}
        case "unknown_code":
            return other_id | {"channel": "fax"}
        case "future_date":
            return other_id | {"signup": format_day(today, -40)}
        case "invalid_utf8":
            return other_id | {"city": "Gen\udce8ve"}  # the lone byte E8: è in latin-1
        case "unclosed_quote":
            return other_id | {"city": '"Genève'}
        case "null_id":
            return {"customer_id": ""}
        case _:
            assert kind == "ragged"
            return other_id


def _event_changes(today: datetime.date, kind: str, row: Row) -> Row:
    cell_id, structure_id = ({"event_id": f"{row['customer_id']}-{letter}000"} for letter in "xs")
    match kind:
        case "duplicate":
            return {}
        case "conflict":
            return {"amount": format_money(int(row["amount"].replace(".", "")) + 100)}
        case "impossible_date":
            return cell_id | {"at": "2025-02-30 09:15"}
        case "wrong_type":
            return cell_id | {"amount": "abc"}
        case "unknown_code":
            return cell_id | {"kind": "refund"}
        case "future_date":
            return cell_id | {"at": f"{format_day(today, -40)} 09:15"}
        case "negative_amount":
            return cell_id | {"amount": f"-{row['amount']}"}
        case "orphan":
            return cell_id | {"customer_id": "999999999"}
        case "invalid_utf8":
            return structure_id | {"category": "gard\udce9n"}
        case "unclosed_quote":
            return structure_id | {"category": '"garden'}
        case _:
            assert kind == "ragged"
            return structure_id
