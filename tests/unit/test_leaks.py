"""What tells too much: each kind of leak is found, and honest columns of every shape are left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perennial.evaluation.statistics.leaks import (
    Leak,
    binary_questions,
    count_reaching_into_test,
    find_leaks,
    find_shared_entities,
)

pytestmark = pytest.mark.unit

N = 4_000


def outcomes(seed: int = 0, rate: float = 0.1) -> NDArray[np.int64]:
    return (np.random.default_rng(seed).random(N) < rate).astype(np.int64)


def texts(values: NDArray[Any]) -> NDArray[Any]:
    return np.array([str(value) for value in values], dtype=object)


def one(column: NDArray[Any], y: NDArray[Any]) -> Leak:
    result = find_leaks({"x": column}, [y])
    assert len(result) == 1, result
    return result[0]


def test_a_column_that_is_the_outcome_is_proven_whatever_its_form() -> None:
    y = outcomes()
    rng = np.random.default_rng(1)
    paid = np.where(y == 1, rng.uniform(5, 50, N), 0.0)
    forms: dict[str, NDArray[Any]] = {
        "number": paid,
        "turned": -paid,
        "missing": np.where(y == 1, np.nan, rng.normal(size=N)),
        "present": np.where(y == 1, rng.normal(size=N), np.nan),
        "flag": y == 1,
        "code in the middle": np.where(y == 1, 5, rng.choice([1, 9], N)),
        "text": np.where(y == 1, "yes", "no").astype(object),
        "absent text": np.array([None if won else "open" for won in y], dtype=object),
        "infinite": np.where(y == 1, np.inf, 0.0),
    }
    result = find_leaks(forms, [y])
    assert {leak.column for leak in result if leak.proven} == forms.keys()
    for leak in result:
        assert leak.words.startswith(f"column {leak.column!r} alone separates the outcome (AUC ")
        assert leak.auc >= 0.995


def test_a_strong_column_is_a_suspect_and_no_proof() -> None:
    y = outcomes()
    column = y + np.random.default_rng(1).normal(size=N) * 0.5
    leak = one(column, y)
    assert not leak.proven
    assert leak.words == f"column 'x' alone has AUC {leak.auc:.3f}: is it known before the decision?"


def test_a_value_that_only_occurs_with_the_rarer_outcome_is_a_suspect() -> None:
    """Filled in for a third of those who left: its AUC is low, yet nobody could know it in time."""
    y = outcomes()
    rng = np.random.default_rng(1)
    reason = np.array([("moved" if won and rng.random() < 0.4 else "unknown") for won in y], dtype=object)
    leak = one(reason, y)
    rows = int((reason == "moved").sum())
    assert (leak.proven, leak.auc < 0.85) == (False, True)
    assert leak.words == f"column 'x': the value 'moved' always goes with outcome 1 ({rows} rows): is it known in time?"
    few = np.where(np.arange(N) < np.flatnonzero(y)[29] + 1, reason == "moved", False) & (y == 1)
    assert 0 < few.sum() < 30
    assert find_leaks({"x": few}, [y]) == []
    dates = np.where(reason == "moved", np.nan, rng.normal(size=N).round(1) * 0)
    assert "an empty cell always goes with outcome 1" in one(dates, y).words


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.02, 0.1, 0.5, 0.9]), st.sampled_from([1, 2, 3, 40, 1_500, N]))
def test_honest_columns_are_left_alone(seed: int, rate: float, values: int) -> None:
    y, rng = outcomes(seed, rate), np.random.default_rng(seed + 1)
    shares = rng.dirichlet(np.ones(values)) if values < N else np.full(values, 1 / values)
    code = rng.choice(values, size=N, p=shares)
    weak = rng.normal(size=N) + 0.5 * y
    columns: dict[str, NDArray[Any]] = {"text": texts(code), "number": code, "weak": weak, "empty": np.full(N, np.nan)}
    assert find_leaks(columns, [y]) == []


def test_a_constant_text_and_one_that_names_each_row_tell_nothing() -> None:
    y = outcomes()
    constant: NDArray[Any] = np.full(N, "a", dtype=object)
    assert find_leaks({"constant": constant, "id": texts(np.arange(N))}, [y]) == []


def test_proven_leaks_come_first_and_too_few_rows_prove_nothing() -> None:
    y = outcomes()
    columns = {"suspect": y + np.random.default_rng(1).normal(size=N) * 0.4, "honest": np.arange(N) % 7, "leak": y * 1.0}
    assert [leak.column for leak in find_leaks(columns, [y])] == ["leak", "suspect"]
    few = np.r_[np.ones(9), np.zeros(200)]
    assert find_leaks({"leak": few}, [few]) == []
    enough = np.r_[np.ones(10), np.zeros(200)]
    assert one(enough, enough).proven


def test_a_column_of_the_files_order_is_no_leak_of_time() -> None:
    y = np.r_[np.zeros(N // 2), (np.arange(N // 2) % 5 == 0)]
    assert find_leaks({"row": np.arange(N)}, [y]) == []


def test_an_amount_is_asked_whether_there_is_any_whatever_the_task() -> None:
    bought = outcomes()
    spent = bought * np.random.default_rng(1).lognormal(3, 1, N)
    for task in ("regression", "uplift"):
        result = find_leaks(
            {"bought": bought, "noise": np.random.default_rng(2).random(N)}, binary_questions(spent, is_class=False)
        )
        assert [(leak.column, leak.proven) for leak in result] == [("bought", True)], task
    (itself,) = binary_questions(bought.astype(np.float64), is_class=False)
    assert np.array_equal(itself, bought)


def test_entities_in_two_parts_are_named_once_in_order() -> None:
    entities = np.array(["b", "a", "b", "c", "a", "d", "a"])
    parts = np.array(["train", "train", "test", "val", "val", "test", "test"])
    assert find_shared_entities(entities, parts) == ["a", "b"]
    assert find_shared_entities(entities, np.full(7, "train")) == []
    assert find_shared_entities(np.array([1, 2, 1]), np.array(["train", "val", "test"])) == ["1"]


def test_only_parts_of_the_same_time_must_not_share_a_person() -> None:
    people, parts = np.array(["a", "a", "b", "b", "c"]), np.array(["train", "test", "train", "val", "test"])
    assert find_shared_entities(people, parts) == ["a", "b"]
    assert find_shared_entities(people, parts, ("train", "val")) == ["b"]


def test_an_outcome_that_reaches_into_the_time_of_the_test_is_counted() -> None:
    days = np.array(["2026-01-01", "2026-01-05", "2026-01-10", "2026-01-12"], dtype="datetime64[D]")
    parts = np.array(["train", "val", "test", "test"])
    assert count_reaching_into_test(days, days + 5, parts) == 0, "known on the first day of the test is known in time"
    assert count_reaching_into_test(days, days + 6, parts) == 1
    assert count_reaching_into_test(days, days + 6, np.array(["train"] * 4)) == 0
