"""Simulator of a retailer: raw files of customers, events and one randomised campaign, their truth and planted dirt.

The bytes depend on the population only: not on the block size, the machine or the clock. Dirt is added beside its model
row and never written over it, so that what remains after cleaning is the truth, row for row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from perennial.gallery.simulator.dirt import File, Row, encode_line, format_day, format_money, plan_dirt, spoil_row
from perennial.gallery.simulator.draws import (
    CATEGORIES,
    CHANNELS,
    CITIES,
    Customers,
    Events,
    Population,
    campaign_date,
    draw_customers,
)
from perennial.gallery.simulator.response import MESSAGES, draw_responses, summarise_history

FILES: tuple[File, ...] = ("customers.csv", "events.csv")
_PROFILE = ("customer_id", "signup", "birth_year", "city", "channel", "newsletter")
_CAMPAIGN = ("message", "sent_on", "responded", "spend_14d")
_EVENT = ("event_id", "customer_id", "at", "kind", "category", "channel", "amount")
_BLOCK = 7000  # customers: about 110 MB


def write_population(folder: Path, population: Population, *, block: int = _BLOCK) -> None:
    """Write customers.csv and events.csv, `block` customers at a time."""
    _write_files(folder, population, (*_PROFILE, *_CAMPAIGN), block)


def write_incoming(folder: Path, population: Population) -> None:
    """Write the customers who come after the population, a twentieth as many, before any campaign."""
    coming = replace(population, first=population.first + population.n, n=population.n // 20)
    _write_files(folder, coming, _PROFILE, _BLOCK)


def _write_files(folder: Path, population: Population, columns: tuple[str, ...], block: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stop = population.first + population.n
    with (folder / FILES[0]).open("wb") as customers, (folder / FILES[1]).open("wb") as events:
        customers.write(encode_line(",".join(columns)) + b"\n")
        events.write(encode_line(",".join(_EVENT)) + b"\n")
        for low in range(population.first, stop, block):
            drawn = draw_customers(population, np.arange(low, min(low + block, stop)))
            customers.writelines(_customer_lines(population, drawn, columns))
            events.writelines(_event_lines(population, drawn))


def _customer_lines(population: Population, drawn: Customers, columns: tuple[str, ...]) -> Iterator[bytes]:
    rows = ({column: row[column] for column in columns} for row in customer_rows(population, drawn))
    dirt = plan_dirt(population, "customers.csv", int(drawn.number[0]), int(drawn.number[-1]) + 1)
    for customer, row in zip(drawn.number.tolist(), rows, strict=True):
        yield _encode_cells(row.values())
        for kind in dirt.get(customer, ()):
            yield encode_line(spoil_row(population, "customers.csv", kind, row)) + b"\n"


def _event_lines(population: Population, drawn: Customers) -> Iterator[bytes]:
    """By customer: the newest purchase and its dirt, the older ones, the visits."""
    purchases, visits = (event_rows(population, drawn, events) for events in (drawn.purchases, drawn.visits))
    n_bought, n_visits = (
        np.bincount(events.owner, minlength=len(drawn.number)).tolist() for events in (drawn.purchases, drawn.visits)
    )
    dirt = plan_dirt(population, "events.csv", int(drawn.number[0]), int(drawn.number[-1]) + 1)
    for customer, purchase_count, visit_count in zip(drawn.number.tolist(), n_bought, n_visits, strict=True):
        newest = next(purchases)
        yield _encode_cells(newest)
        for kind in dirt.get(customer, ()):
            yield encode_line(spoil_row(population, "events.csv", kind, name_cells(newest))) + b"\n"
        for _ in range(purchase_count - 1):
            yield _encode_cells(next(purchases))
        for _ in range(visit_count):
            yield _encode_cells(next(visits))


def customer_rows(population: Population, drawn: Customers) -> Iterator[Row]:
    """The clean row of each customer."""
    today = campaign_date(population.month)
    outcome = draw_responses(population, drawn, summarise_history(population, drawn))
    for i, customer in enumerate(drawn.number.tolist()):
        city, message = CITIES[drawn.city[i]], MESSAGES[outcome.message[i]]
        yield {
            "customer_id": f"{customer:09d}",
            "signup": format_day(today, int(drawn.signed_up_days[i])),
            "birth_year": str(today.year - drawn.age[i]),
            "city": city if city.isascii() else f'"{city}"',
            "channel": CHANNELS[drawn.channel[i]],
            "newsletter": str(drawn.newsletter[i]),
            "message": message,
            "sent_on": "" if message == "none" else today.isoformat(),
            "responded": str(outcome.responded[i]),
            "spend_14d": format_money(int(outcome.spend_cents[i])),
        }


def event_rows(population: Population, drawn: Customers, events: Events) -> Iterator[tuple[str, ...]]:
    """The cells of each purchase or visit, in the order of `events`."""
    today = campaign_date(population.month)
    days = [format_day(today, ago) for ago in range(901)]
    is_purchase = events is drawn.purchases
    letter, kind = ("p", "purchase") if is_purchase else ("v", "visit")
    when = (drawn.number[events.owner], events.k, events.days_ago, events.minute)
    what = (events.category, events.channel, events.cents)
    for customer, k, ago, minute, category, channel, cents in zip(*(a.tolist() for a in (*when, *what)), strict=True):
        yield (
            f"{customer:09d}-{letter}{k:03d}",
            f"{customer:09d}",
            f"{days[ago]} {minute // 60:02d}:{minute % 60:02d}",
            kind,
            CATEGORIES[category],
            CHANNELS[channel],
            format_money(cents) if is_purchase else "",
        )


def name_cells(cells: tuple[str, ...]) -> Row:
    return dict(zip(_EVENT, cells, strict=True))


def _encode_cells(cells: Iterable[str]) -> bytes:
    return (",".join(cells) + "\n").encode()
