"""Random draws of the simulator: each customer's traits, purchases and visits, as integers.

`draw_uniform(seed, purpose, customer, k)` depends only on its four numbers, so that a customer is the same in any block
and any population. Tables come from `decimal`, which rounds alike on every machine, unlike libm.
Legend: c = customers asked for, e = their purchases or visits, by customer and newest purchase first.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import cache

import numpy as np
import numpy.typing as npt

from perennial.errors import ConfigError

Ints = npt.NDArray[np.int64]

KINDS = ("lapsed", "new", "regular", "loyal")
CHANNELS = ("store", "web", "app")
CITIES = ("Basel", "Bern", "Genève", "Graz", "Linz", "Salzburg", "Wien", "Zürich")
CATEGORIES = ("books", "fashion", "garden", "home", "sports", "toys")
GARDEN, SPORTS = CATEGORIES.index("garden"), CATEGORIES.index("sports")
STORE, APP = CHANNELS.index("store"), CHANNELS.index("app")

_GOLDEN = 0x9E3779B97F4A7C15
_CENTS = (3200, 2600, 4200, 5200)  # value of a basket, by type
_NEWSLETTER_PERCENT = (45, 65, 60, 75)
_EXACT = Context(prec=40)
_MAX_CUSTOMERS = 10**8  # dirty ids are a 9 before eight digits


@dataclass(frozen=True, kw_only=True)
class Population:
    """Customers `first … first + n − 1` as of `month`, their interests shifted by `concept` percent."""

    seed: int
    first: int
    n: int
    month: int
    concept: int

    def __post_init__(self) -> None:
        if self.first < 0 or self.n < 0 or self.first + self.n > _MAX_CUSTOMERS:
            raise ConfigError(
                f"simulator: customers {self.first} … {self.first + self.n - 1} asked for; "
                f"give first ≥ 0 and n ≥ 0 with first + n ≤ {_MAX_CUSTOMERS}"
            )
        if self.month < 0 or not 0 <= self.concept <= 100:
            raise ConfigError(
                f"simulator: month {self.month}, concept {self.concept}; give month ≥ 0 and concept between 0 and 100"
            )


@dataclass(frozen=True, kw_only=True)
class Events:
    """Purchases or visits, (e,) each; `owner` is the position of the customer among those drawn."""

    owner: Ints
    k: Ints
    days_ago: Ints
    minute: Ints
    category: Ints
    channel: Ints
    cents: Ints


@dataclass(frozen=True, kw_only=True)
class Customers:
    """Traits of the customers, (c,) each, and their events."""

    number: Ints
    kind: Ints
    age: Ints
    signed_up_days: Ints
    city: Ints
    channel: Ints
    newsletter: Ints
    purchases: Events
    visits: Events


def draw_customers(population: Population, number: Ints) -> Customers:
    """Draw the customers of these numbers, in any order."""
    seed = population.seed
    moved = 2 * min(population.month, 12)  # points from regular to new, and from store to app
    shares = np.cumsum([28, 27 + moved, 30 - moved]) * (2**32 // 100)
    kind = np.searchsorted(shares, draw_uniform(seed, 1, number), side="right").astype(np.int64)
    age = 18 + scale_draw(draw_uniform(seed, 14, number), 34) + scale_draw(draw_uniform(seed, 14, number, 1), 34)
    in_store = np.where(age < 40, 25, 50) - moved
    v = scale_draw(draw_uniform(seed, 13, number), 100)
    channel = (v >= in_store).astype(np.int64) + (v >= in_store + 30)
    shortest, span = np.array((400, 15, 300, 400))[kind], np.array((500, 86, 600, 501))[kind]
    tenure = shortest + scale_draw(draw_uniform(seed, 2, number), span)
    signs = scale_draw(draw_uniform(seed, 15, number), 100) < np.array(_NEWSLETTER_PERCENT)[kind]
    favourite = scale_draw(draw_uniform(seed, 8, number), len(CATEGORIES))
    return Customers(
        number=number,
        kind=kind,
        age=age,
        signed_up_days=tenure,
        city=scale_draw(draw_uniform(seed, 16, number), len(CITIES)),
        channel=channel,
        newsletter=signs.astype(np.int64),
        purchases=_draw_purchases(seed, number, kind, tenure, favourite, channel),
        visits=_draw_visits(population, number, favourite, channel),
    )


def campaign_date(month: int) -> datetime.date:
    """The day the campaign is sent; everything else in the files lies before it."""
    return datetime.date(2026, 6, 1) + datetime.timedelta(days=30 * month)


def draw_uniform(seed: int, purpose: int, customer: Ints, k: Ints | int = 0) -> Ints:
    """Uniform on 0 … 2^32 − 1, (c,): three rounds of splitmix64 over (seed, purpose), customer and k."""
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
        z = _mix(np.uint64((seed * 1000003 + purpose + _GOLDEN) % 2**64))
        z = _mix(z + customer.astype(np.uint64) * np.uint64(_GOLDEN))
        z = _mix(z + (np.asarray(k).astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN))
    return np.asarray(z >> np.uint64(32)).astype(np.int64)


def scale_draw(u: Ints, m: Ints | int) -> Ints:
    """Scale a draw to uniform on 0 … m − 1."""
    return (u * m) >> 32


def draw_cents(level: Ints | int, u: Ints) -> Ints:
    """Turn a draw into money around `level` cents, log-normal-like with standard deviation .5."""
    four_bytes = (u & 255) + (u >> 8 & 255) + (u >> 16 & 255) + (u >> 24)
    return np.asarray(level * _log_normal()[four_bytes] // 1000)


@cache
def logistic_table() -> Ints:
    """2^32 / (1 + e^(−x/100)) for x = −800 … 800, (1601,)."""
    with localcontext(_EXACT):
        return _round_half_even([2**32 / (1 + (Decimal(-x) / 100).exp()) for x in range(-800, 801)])


def _draw_purchases(seed: int, number: Ints, kind: Ints, tenure: Ints, favourite: Ints, channel: Ints) -> Events:
    u = draw_uniform(seed, 3, number)
    idle = np.select(
        [kind == 0, kind == 1, kind == 2],
        [150 + scale_draw(u, 210), tenure // 2 + scale_draw(u, tenure - tenure // 2), scale_draw(u, 100)],
        scale_draw(u, 25),
    )
    more = _draw_poisson(kind, ("3.00", "0.35", "5.00", "13.00"), draw_uniform(seed, 4, number))
    n = np.array((2, 1, 4, 14))[kind] + more
    owner, k = _number_events(n)
    c = number[owner]
    n, tenure, idle = n[owner], tenure[owner], idle[owner]
    jitter = draw_uniform(seed, 5, c, 4 * k) >> 16
    days = idle + (tenure - idle) * (65536 * k + jitter) // (65536 * n)
    any_category = scale_draw(draw_uniform(seed, 6, c, 4 * k + 1), len(CATEGORIES))
    any_channel = scale_draw(draw_uniform(seed, 19, c, 4 * k + 1), len(CHANNELS))
    return Events(
        owner=owner,
        k=k,
        days_ago=np.where(k == n - 1, tenure, days),  # the first purchase is the sign-up
        minute=_draw_minute(draw_uniform(seed, 21, c, 4 * k)),
        category=np.where(scale_draw(draw_uniform(seed, 6, c, 4 * k), 100) < 55, favourite[owner], any_category),
        channel=np.where(scale_draw(draw_uniform(seed, 19, c, 4 * k), 100) < 80, channel[owner], any_channel),
        cents=draw_cents(np.array(_CENTS)[kind[owner]], draw_uniform(seed, 7, c, 4 * k)),
    )


def _draw_visits(population: Population, number: Ints, favourite: Ints, channel: Ints) -> Events:
    seed = population.seed
    favoured = np.where(scale_draw(draw_uniform(seed, 9, number, 2), 100) < population.concept, SPORTS, GARDEN)
    any_interest = scale_draw(draw_uniform(seed, 9, number, 1), len(CATEGORIES))
    interest = np.where(scale_draw(draw_uniform(seed, 9, number), 100) < 35, favoured, any_interest)
    level = scale_draw(draw_uniform(seed, 20, number), 4)
    owner, k = _number_events(_draw_poisson(level, ("0.60", "2.00", "4.00", "8.00"), draw_uniform(seed, 10, number)))
    c = number[owner]
    v = scale_draw(draw_uniform(seed, 12, c, 4 * k), 100)
    any_category = scale_draw(draw_uniform(seed, 12, c, 4 * k + 1), len(CATEGORIES))
    return Events(
        owner=owner,
        k=k,
        days_ago=scale_draw(draw_uniform(seed, 11, c, 4 * k), 90),
        minute=_draw_minute(draw_uniform(seed, 21, c, 4 * k + 1)),
        category=np.select([v < 60, v < 75], [interest[owner], favourite[owner]], any_category),
        channel=channel[owner],
        cents=np.zeros_like(k),
    )


def _number_events(n: Ints) -> tuple[Ints, Ints]:
    owner = np.repeat(np.arange(len(n)), n)
    return owner, np.arange(len(owner)) - np.repeat(np.cumsum(n) - n, n)


def _draw_minute(u: Ints) -> Ints:
    return 8 * 60 + scale_draw(u, 720)


def _draw_poisson(which: Ints, rates: tuple[str, ...], u: Ints) -> Ints:
    drawn = [np.searchsorted(_poisson_cuts(rate), u, side="right") for rate in rates]
    return np.choose(which, drawn).astype(np.int64)


@cache
def _poisson_cuts(rate: str) -> Ints:
    with localcontext(_EXACT):
        p, total, cuts = (-Decimal(rate)).exp(), Decimal(0), []
        for k in range(40):
            total += p
            cuts.append(2**32 * total)
            p = p * Decimal(rate) / (k + 1)
        return _round_half_even(cuts)


@cache
def _log_normal() -> Ints:
    with localcontext(_EXACT):
        return _round_half_even([1000 * (Decimal(s - 510) / 2 / Decimal("147.8")).exp() for s in range(4 * 255 + 1)])


def _round_half_even(values: list[Decimal]) -> Ints:
    return np.array([int(value.to_integral_value()) for value in values], dtype=np.int64)  # half to even


def _mix(z: npt.NDArray[np.uint64] | np.uint64) -> npt.NDArray[np.uint64] | np.uint64:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
