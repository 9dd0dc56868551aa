"""What other splits and late columns would have told: planted drift, planted people and a planted leak are all seen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from perennial.contract.model import Contract
from perennial.data.names import ENTITY, ORDER, ROW_ID
from perennial.data.prepare.split import split_units
from perennial.results.baseline import SplitSensitivity
from perennial.scoring.split_sensitivity import measure_split_sensitivity
from tests.fakes.contracts import contract
from tests.model.builders import baseline_params

pytestmark = pytest.mark.model

N = 3000
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
BY_TIME = {"kind": "time", "order": "joined", "fractions": SHARES}
BY_ROW = {"kind": "hash", "by": "row", "salt": "s", "fractions": SHARES}
TYPES: dict[str, dict[str, Any]] = {"index": {"role": "numeric"}, "late": {"role": "numeric"}, "town": {"role": "categorical"}}


def asked(time: str = "date", **changes: Any) -> Contract:
    joined = {"role": "time", "type": time}
    base: dict[str, Any] = {"events": {}, "split": BY_TIME, "columns": {**TYPES, "joined": joined}}
    return contract(**{**base, **changes})


def drifting(seed: int = 1) -> pl.DataFrame:
    """Rows of 60 weeks. Each week has a rate of its own, which an index of the economy tells apart; `late` knows."""
    rng = np.random.Generator(np.random.PCG64(seed))
    week = np.sort(rng.integers(0, 60, N))
    y = (rng.random(N) < rng.beta(0.8, 0.8, 60)[week]).astype(np.int64)
    names = [f"p{i}" for i in range(N)]
    days = [dt.date(2025, 1, 1) + dt.timedelta(weeks=int(w)) for w in week]
    return pl.DataFrame(
        {
            ROW_ID: [f"r{i}" for i in range(N)],
            ENTITY: names,
            ORDER: range(N),
            "who": names,
            "joined": days,
            "age": rng.integers(18, 90, N),
            "town": rng.choice(["a", "b"], N),
            "index": week + rng.normal(0, 0.2, N),
            "late": y + rng.normal(0, 0.4, N),
            "y": y,
        }
    )


def measure(units: pl.DataFrame, rule: Contract) -> SplitSensitivity | None:
    return measure_split_sensitivity(units, split_units(units, rule)[0], rule, baseline_params(rounds=60))


def test_a_random_split_flatters_what_drifts_and_a_late_column_flatters_more() -> None:
    result = measure(drifting(), asked(leakage_suspects=["late"]))
    assert result is not None
    assert (result.rows, result.columns, result.reported) == (("time", "random"), ((), ("late",)), (0, 0))
    assert result.metric == "auc"
    honest, with_late = result.cells[0]
    random, random_late = result.cells[1]
    assert honest.high < 0.65, "weeks to come have rates that no one knows"
    assert random.low > honest.high + 0.1
    assert with_late.low > 0.85
    assert random_late.value > random.value
    assert all(cell.low <= cell.value <= cell.high for row in result.cells for cell in row)


def test_a_time_that_is_a_number_orders_as_a_date_does() -> None:
    units = drifting()
    days = (units["joined"] - dt.date(2025, 1, 1)).dt.total_days()
    result = measure(units, asked())
    for kind, moments in (("int", days), ("decimal", days.cast(pl.Float64) / 7)):
        assert measure(units.with_columns(joined=moments), asked(kind)) == result


def test_people_who_come_again_flatter_a_split_by_row() -> None:
    """Each person always answers the same and has one age: rows at random know the person, another person they do not."""
    units = drifting()
    person = np.random.default_rng(2).integers(0, 300, N)
    answer = np.random.default_rng(3).integers(0, 2, 300)[person]
    units = units.with_columns(
        pl.Series(ENTITY, [f"p{p}" for p in person]), pl.Series("age", person * 7 % 300), pl.Series("y", answer)
    )
    rule = contract(
        events={},
        split={**BY_ROW, "by": "entity"},
        columns={**TYPES, "joined": {"role": "ignore", "why": "no date"}, "who": {"role": "entity", "type": "text"}},
    )
    result = measure(units, rule)
    assert result is not None
    assert result.rows == ("entity", "random")
    assert result.cells[1][0].low > result.cells[0][0].high + 0.1


def test_nothing_is_told_where_nothing_else_is_possible() -> None:
    no_date = {"role": "ignore", "why": "no date"}
    assert measure(drifting(), contract(events={}, split=BY_ROW, columns={**TYPES, "joined": no_date})) is None


@pytest.mark.parametrize(
    ("task", "column"),
    [
        ({"kind": "multiclass", "target": "what", "primary": "log_loss", "minimum": 1}, {"values": ["no", "some", "much"]}),
        ({"kind": "regression", "target": "what", "primary": "gini_norm", "minimum": 0}, {"type": "decimal"}),
        ({"kind": "regression", "target": "what", "primary": "mae", "minimum": 9, "zeros": "two_part"}, {"type": "decimal"}),
    ],
    ids=["multiclass", "regression", "two_part"],
)
def test_every_task_is_told_in_its_own_metric(task: dict[str, Any], column: dict[str, Any]) -> None:
    units, rng = drifting(), np.random.default_rng(4)
    size = (units["y"] * (1 + rng.integers(0, 2, N))).to_list()
    answer = [["no", "some", "much"][s] for s in size] if "values" in column else [10.0 * s + 0.0 for s in size]
    rule = asked(
        task=task,
        leakage_suspects=["late"],
        columns={**TYPES, "joined": {"role": "time", "type": "date"}, "what": {"role": "outcome", **column}},
    )
    result = measure(units.with_columns(pl.Series("what", answer)), rule)
    assert result is not None
    assert result.metric == task["primary"]
    better = 1 if task["primary"] == "gini_norm" else -1
    (honest, late), _ = result.cells
    assert better * (late.value - honest.value) > 0


def test_rows_that_stand_for_more_weigh_more() -> None:
    """Of a sample, average precision is that of the population."""
    units = drifting()
    task = {"kind": "binary", "target": "y", "primary": "ap", "minimum": 0.1}
    plain, sampled = (
        measure(units, asked(task=task, sampling=remaining)) for remaining in ({}, {"sampling_rate": {"no": 0.05, "yes": 1}})
    )
    assert plain is not None
    assert sampled is not None
    assert sampled.cells[1][0].value < plain.cells[1][0].value - 0.1
