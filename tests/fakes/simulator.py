"""What the simulator planted: the truth of each customer, and every dirty row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perennial.gallery.simulator.dirt import File, Row, encode_line, plan_dirt, spoil_row
from perennial.gallery.simulator.draws import Customers, Population, draw_customers
from perennial.gallery.simulator.response import MESSAGES, draw_responses, summarise_history
from perennial.gallery.simulator.simulate import FILES, customer_rows, event_rows, name_cells


@dataclass(frozen=True, kw_only=True)
class PlantedRow:
    """A dirty row: its file, its kind of error, its bytes without the line end, and the customer of its model row."""

    file: File
    kind: str
    raw: bytes
    customer: int


def compute_truth(population: Population) -> dict[str, npt.NDArray[Any]]:
    """Compute the truth, one entry a customer: type, history, score, probabilities (`…_q32`: times 2^32, exact), campaign."""
    customers = draw_customers(population, np.arange(population.first, population.first + population.n))
    past = summarise_history(population, customers)
    outcome = draw_responses(population, customers, past)
    exact = {
        "p0": outcome.p0,
        "p_discover": outcome.p_discover,
        "p_reward": outcome.p_reward,
        "p_contacted": (outcome.p_discover + outcome.p_reward) // 2,
    }
    return {
        "customer": customers.number,
        "kind": customers.kind,
        "R": past.recency,
        "F": past.frequency,
        "Y": past.frequency_365,
        "V": past.visits,
        "V30": past.visits_30,
        "cents": past.cents,
        "s0": outcome.s0,
        **{name: p / 2**32 for name, p in exact.items()},
        **{f"{name}_q32": p for name, p in exact.items()},
        "message": np.array(MESSAGES)[outcome.message],
        "responded": outcome.responded,
        "spend_cents": outcome.spend_cents,
    }


def list_planted(population: Population) -> list[PlantedRow]:
    """List every dirty row that `write_population` adds, in the order of the files."""
    planted = []
    for file in FILES:
        dirt = plan_dirt(population, file, population.first, population.first + population.n)
        models = np.array(sorted(dirt), dtype=np.int64)
        rows = _model_rows(population, draw_customers(population, models), file)
        for customer, row in zip(models.tolist(), rows, strict=True):
            for kind in dirt[customer]:
                raw = encode_line(spoil_row(population, file, kind, row))
                planted.append(PlantedRow(file=file, kind=kind, raw=raw, customer=customer))
    return planted


def _model_rows(population: Population, drawn: Customers, file: File) -> Iterator[Row]:
    if file == "customers.csv":
        yield from customer_rows(population, drawn)
        return
    for cells, k in zip(event_rows(population, drawn, drawn.purchases), drawn.purchases.k, strict=True):
        if k == 0:
            yield name_cells(cells)
