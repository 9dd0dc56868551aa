"""Responses of the simulator: each customer's probability under each message, and the campaign's outcome.

Scores are hundredths of a logit, probabilities integers over 2^32; both depend only on what the events show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perennial.gallery.simulator.draws import (
    APP,
    GARDEN,
    SPORTS,
    STORE,
    Customers,
    Events,
    Ints,
    Population,
    draw_cents,
    draw_uniform,
    logistic_table,
    scale_draw,
)

MESSAGES = ("none", "discover", "reward")


@dataclass(frozen=True, kw_only=True)
class History:
    """Summary of a customer's events, (c,) each; days count from the day before the as-of date."""

    recency: Ints
    frequency: Ints
    frequency_365: Ints
    cents: Ints
    visits: Ints
    visits_30: Ints
    last_visit: Ints
    wants: Ints
    own: Ints


@dataclass(frozen=True, kw_only=True)
class CampaignResponses:
    """Score without a message, probability · 2^32 under each message, (c,), and the campaign's messages and outcomes."""

    s0: Ints
    p0: Ints
    p_discover: Ints
    p_reward: Ints
    message: Ints
    responded: Ints
    spend_cents: Ints


def summarise_history(population: Population, customers: Customers) -> History:
    purchases, visits, n = customers.purchases, customers.visits, len(customers.number)
    cents = np.zeros(n, dtype=np.int64)
    np.add.at(cents, purchases.owner, purchases.cents)  # bincount(weights=) would add floats
    last_visit = np.full(n, 90)
    np.minimum.at(last_visit, visits.owner, visits.days_ago)
    concept = population.concept
    garden, sports = (_count_events(visits, visits.category == category, n) for category in (GARDEN, SPORTS))
    return History(
        recency=purchases.days_ago[purchases.k == 0],
        frequency=_count_events(purchases, purchases.k >= 0, n),
        frequency_365=_count_events(purchases, purchases.days_ago < 365, n),
        cents=cents,
        visits=_count_events(visits, visits.k >= 0, n),
        visits_30=_count_events(visits, visits.days_ago < 30, n),
        last_visit=last_visit,
        wants=((100 - concept) * garden + concept * sports).clip(0, 400),
        own=_count_events(purchases, purchases.category == (SPORTS if concept >= 50 else GARDEN), n).clip(0, 1),
    )


def draw_responses(population: Population, customers: Customers, past: History) -> CampaignResponses:
    """Draw everyone's response to each message, and to the one that the campaign drew."""
    s0 = _score(population, customers, past)
    damp = (100 - (s0 + 280) * 100 // 250).clip(0, 100)  # sure things: nothing left to win
    away = past.recency >= 150
    known = ~away & (past.frequency >= 4)
    discover = np.select([away, known], [20, -80], 150) + 30 * (customers.channel == APP)
    reward = np.select([away, known], [20, 140], -50) + 20 * customers.newsletter
    # negative effects stay whole: sleeping dogs
    effects = [np.where(effect > 0, effect * damp // 100, effect) for effect in (np.zeros_like(s0), discover, reward)]
    scores = [(s0 + effect).clip(-800, 800) + 800 for effect in effects]
    p0, p_discover, p_reward = (logistic_table()[score] for score in scores)
    seed, number = population.seed, customers.number
    v = scale_draw(draw_uniform(seed, 17, number), 10)
    message = (v >= 2).astype(np.int64) + (v >= 6)
    responded = (draw_uniform(seed, 18, number) < np.choose(message, [p0, p_discover, p_reward])).astype(np.int64)
    return CampaignResponses(
        s0=s0,
        p0=p0,
        p_discover=p_discover,
        p_reward=p_reward,
        message=message,
        responded=responded,
        spend_cents=responded * draw_cents(2500, draw_uniform(seed, 40, number)),
    )


def _score(population: Population, customers: Customers, past: History) -> Ints:
    recency, yearly = past.recency, past.frequency_365
    rises, falls = (recency * yearly - 150).clip(0, 150), 3 * (recency * yearly - 700).clip(0, 400) // 8
    due = np.where(yearly >= 2, rises - falls, 0)
    channel_age = 105 * (100 - 2 * population.concept) // 100
    age = (customers.age - 25).clip(0, 40)
    score = (
        -605
        + 50 * due // 150
        + -75 * (recency - 120).clip(0, 180) // 180
        + np.where(past.own, 210, 100) * past.wants // 300
        + np.where(recency <= 45, 50 * (past.visits_30 - 1).clip(0, 3) // 3, 0)
        + 75 * customers.newsletter
        + 60 * past.visits.clip(0, 8) // 4
        + 80 * (45 - past.last_visit.clip(0, 45)) // 45
        + np.where(customers.channel == APP, channel_age * (20 - age) // 20, 0)
        + np.where(customers.channel == STORE, channel_age * (age - 20) // 20, 0)
    )
    return np.asarray(score, dtype=np.int64)


def _count_events(events: Events, chosen: npt.NDArray[np.bool_], n: int) -> Ints:
    return np.bincount(events.owner[chosen], minlength=n).astype(np.int64)
