"""Heads: which fits a task asks for, what their raw numbers mean together, and parts that add up exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logsumexp

from perennial.contract.head import Head
from perennial.contract.load import parse
from perennial.contract.serving import build_head
from perennial.models.traditional.heads import build_targets, compute_link, link_contributions, sum_by_column
from perennial.results.families import Family
from perennial.scoring.scorer import Scorer
from tests.fakes.contracts import contract_document
from tests.model.builders import CLASSES, F64, HEADS, LEARNING, TASKS, Give, Task, answers, customers

pytestmark = pytest.mark.model

Y, ARM = np.array([0.0, 2.0, 1.0, 5.0, 0.0]), np.array([0, 2, 1, 0, 2])


def test_an_arm_is_learnt_from_its_own_rows() -> None:
    result = build_targets(HEADS["uplift"], (Y > 0).astype(np.float64), ARM)
    assert [target.kind for target in result] == ["odds"] * 3
    assert [np.flatnonzero(target.rows).tolist() for target in result] == [[0, 3], [2], [1, 4]]
    assert [target.y.tolist() for target in result] == [[0, 1], [1], [1, 0]]


def test_what_each_arm_spends_is_an_amount_of_its_own_rows() -> None:
    result = build_targets(HEADS["uplift_amounts"], Y, ARM)
    assert [(target.kind, target.y.tolist()) for target in result] == [("amount", [0, 5]), ("amount", [1]), ("amount", [2, 0])]


def test_classes_are_one_fit_and_a_plain_amount_is_one() -> None:
    for task, kind in (("multiclass", "classes"), ("regression", "amount")):
        (target,) = build_targets(HEADS[task], Y, ARM)  # type: ignore[index]
        assert target.kind == kind
        assert target.rows.all()
        assert np.array_equal(target.y, Y)


def test_two_parts_are_whether_there_is_any_and_the_logarithm_of_how_much() -> None:
    is_any, size = build_targets(HEADS["two_part"], Y, ARM)
    assert (is_any.kind, size.kind) == ("odds", "amount")
    assert is_any.rows.all()
    assert is_any.y.tolist() == [0, 1, 1, 1, 0]
    assert np.flatnonzero(size.rows).tolist() == [1, 2, 3]
    np.testing.assert_allclose(size.y, np.log([2, 1, 5]))


def test_link_scores_are_log_shares_of_classes_and_the_logarithm_of_an_expected_amount() -> None:
    raw = np.array([[0.3, -1.0, 2.0], [40.0, -900.0, 0.0]])
    np.testing.assert_allclose(np.exp(compute_link(HEADS["multiclass"], raw)).sum(axis=1), 1)
    np.testing.assert_allclose(compute_link(HEADS["multiclass"], raw), raw - logsumexp(raw, axis=1, keepdims=True))
    two = raw[:, :2]
    np.testing.assert_allclose(np.exp(compute_link(HEADS["two_part"], two))[:, 0], expit(two[:, 0]) * np.exp(two[:, 1]))
    assert np.isfinite(compute_link(HEADS["two_part"], np.array([[-800.0, 1.0], [800.0, 1.0]]))).all()
    for task in ("binary", "uplift", "uplift_amounts", "regression"):
        assert compute_link(HEADS[task], raw) is raw  # type: ignore[index]


@given(seed=st.integers(0, 10**6), scale=st.floats(1e-12, 30))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("task", TASKS)
def test_parts_of_a_link_add_up_to_what_it_is_above_the_base(task: Task, seed: int, scale: float) -> None:
    """Whatever the raw numbers; of classes but for one number a row, which moves no share."""
    head, rng = HEADS[task], np.random.Generator(np.random.PCG64(seed))
    base, parts = rng.normal(size=head.raw), scale * rng.normal(size=(7, 4, head.raw))
    parts[0] = 0  # a row that is the base
    raw = base + parts.sum(axis=1)
    result = link_contributions(head, parts, raw, base)
    assert result.shape == (7, 4, len(head.outputs))
    gap = compute_link(head, raw) - compute_link(head, base[None])
    if task == "multiclass":
        gap = gap - gap.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(result.sum(axis=1), gap, atol=1e-9 * max(scale, 1))


def test_a_column_that_moves_no_raw_number_has_no_part() -> None:
    rng = np.random.default_rng(1)
    assert TASKS
    for task in TASKS:
        head = HEADS[task]
        parts = rng.normal(size=(5, 3, head.raw))
        parts[:, 1] = 0
        assert not link_contributions(head, parts, parts.sum(axis=1), np.zeros(head.raw))[:, 1].any(), task


def test_parts_of_a_design_belong_to_their_columns() -> None:
    parts = np.array([[1.0, 2.0, 4.0, 8.0]])
    assert sum_by_column(parts, [2, 0, 2, 1], 4).tolist() == [[2, 8, 5, 0]]


def test_a_head_says_what_its_contract_asks_for() -> None:
    heads = {
        "multiclass": {"kind": "multiclass", "target": "tier", "primary": "log_loss", "minimum": 1.0},
        "two_part": {"kind": "regression", "target": "spend", "primary": "mae", "minimum": 9.0, "zeros": "two_part"},
        "regression": {"kind": "regression", "target": "spend", "primary": "mae", "minimum": 9.0},
    }
    columns = {"tier": {"role": "outcome", "values": list(CLASSES)}, "spend": {"role": "outcome", "type": "decimal", "min": 0}}
    for task, asked in heads.items():
        head = build_head(parse(contract_document(task=asked, columns=columns), "c"))
        assert head == HEADS[task]  # type: ignore[index]
    arms = {"role": "treatment", "control": "none", "arms": {name: {"cost": 2} for name in HEADS["uplift"].outputs[1:]}}
    won = {"role": "outcome", "values": {"no": 0, "yes": 1}}
    for target, task in (("won", "uplift"), ("spend", "uplift_amounts")):
        asked = {"kind": "uplift", "target": target, "primary": "qini", "minimum": 0.0}
        head = build_head(parse(contract_document(task=asked, columns={**columns, "won": won, "message": arms}), "c"))
        assert head == HEADS[task]  # type: ignore[index]
    assert [HEADS[task].raw for task in TASKS] == [1, 3, 3, 3, 1, 2]


@pytest.mark.parametrize("family", LEARNING)
@pytest.mark.parametrize("task", TASKS)
def test_every_family_learns_every_task(saved: Give, family: Family, task: Task) -> None:
    """On customers that it has not seen it is nearer than what knows no customer."""
    rows = customers(2000, seed=31)
    y, arm = answers(rows, task, seed=31)
    score = Scorer(bundle=saved(family, task).bundle).score(rows)
    assert loss(HEADS[task], score, y, arm) < 0.93 * loss(HEADS[task], ignorant(HEADS[task], y, arm), y, arm)


def ignorant(head: Head, y: F64, arm: F64) -> F64:
    """The mean of each output for everyone."""
    if head.task == "multiclass":
        means = np.bincount(y.astype(np.int64), minlength=3) / len(y)
    else:
        means = np.array([y[arm == o].mean() for o in range(len(head.outputs))])
    return np.tile(means, (len(y), 1))


def loss(head: Head, score: F64, y: F64, arm: F64) -> float:
    """Log loss of what was seen, or squared error of an amount."""
    if head.task == "regression":
        return float(np.mean((score[:, 0] - y) ** 2))
    if head.task == "multiclass":
        return float(-np.mean(np.log(score[np.arange(len(y)), y.astype(np.int64)])))
    observed = score[np.arange(len(y)), arm.astype(np.int64)]
    if head.amounts:
        return float(np.mean((observed - y) ** 2))
    return float(-np.mean(np.log(np.where(y == 1, observed, 1 - observed))))
