"""Reasons: parts of a score by column, which add up; and what a row is asked for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from perennial.contract.head import Head
from perennial.contract.serving import FeatureColumn
from perennial.explain.gradients import attribute_gradients
from perennial.explain.words import describe_adverse_reasons, describe_reasons
from perennial.models.traditional.boosted import BoostedModel
from perennial.models.traditional.heads import compute_link
from perennial.models.traditional.linear import LinearModel
from perennial.results.families import Family
from perennial.scoring.reasons import Contributions, explain_rows, select_parts
from perennial.scoring.scorer import Scorer
from tests.model.builders import F64, FEATURES, HEADS, LEARNING, TASKS, Give, Saved, Task, customers

pytestmark = pytest.mark.model

ROWS = customers(80, seed=21)
every = pytest.mark.parametrize("task", TASKS)


def explained(result: Saved, draws: int = 64, seed: int = 1, rows: pl.DataFrame = ROWS) -> Contributions:
    return explain_rows(result.bundle, rows, draws=draws, seed=seed)


@pytest.mark.parametrize("family", LEARNING)
@every
def test_there_is_a_part_for_each_column_and_output(saved: Give, family: Family, task: Task) -> None:
    result = explained(saved(family, task))
    assert sorted(result.columns) == sorted(feature.name for feature in FEATURES)
    outputs = len(HEADS[task].outputs)
    assert result.parts.shape == (80, len(result.columns), outputs)
    assert result.error.shape == (80, outputs)


def above(head: Head, link: F64, base_R: F64) -> F64:
    """How far link scores lie above that of the raw numbers `base_R`; of classes what is more than all classes' mean."""
    gap = link - compute_link(head, base_R[None])
    return gap - gap.mean(axis=1, keepdims=True) if head.task == "multiclass" else gap


@every
def test_parts_of_the_linear_family_are_exactly_what_its_score_is_above_the_mean_row(saved: Give, task: Task) -> None:
    bundle = saved("linear", task).bundle
    assert isinstance(bundle.model, LinearModel)
    base = bundle.model.mean_J @ bundle.model.coef_JR + bundle.model.intercept_R
    link = bundle.model.link(bundle.encoding.encode(ROWS))
    parts = explained(saved("linear", task)).parts.sum(axis=1)
    np.testing.assert_allclose(parts, above(HEADS[task], link, base), atol=1e-9)
    assert np.abs(parts).max() > 0.5


@every
def test_parts_of_the_boosted_family_are_exactly_what_its_score_is_above_the_expected(saved: Give, task: Task) -> None:
    bundle = saved("boosted", task).bundle
    assert isinstance(bundle.model, BoostedModel)
    link = bundle.model.link(bundle.encoding.encode(ROWS))
    parts = explained(saved("boosted", task)).parts.sum(axis=1)
    np.testing.assert_allclose(parts, above(HEADS[task], link, bundle.model.expected_R), atol=1e-9)
    assert np.abs(parts).max() > 0.5


@every
def test_parts_of_the_blend_are_the_mean_of_its_members(saved: Give, task: Task) -> None:
    whole, boosted, deep = (explained(saved(family, task)) for family in ("blend", "boosted", "deep"))
    np.testing.assert_allclose(whole.parts, (boosted.parts + deep.parts) / 2, atol=1e-12)
    np.testing.assert_allclose(whole.error, deep.error / 2, atol=1e-12)


@pytest.mark.parametrize("family", ["linear", "boosted"])
def test_exact_families_report_no_error(saved: Give, family: Family) -> None:
    assert not explained(saved(family, "uplift")).error.any()


@every
def test_the_networks_parts_nearly_add_up_and_what_is_missing_is_reported(saved: Give, task: Task) -> None:
    draws = 256 if task == "multiclass" else 64  # of classes each part is a difference of larger ones
    bundle, result = saved("deep", task).bundle, explained(saved("deep", task), draws)
    link = bundle.model.link(bundle.encoding.encode(ROWS))
    base = bundle.model.link(bundle.encoding.encode(bundle.background)).mean(axis=0)
    spread = np.abs(link - base).mean()
    np.testing.assert_allclose(result.parts.sum(axis=1) + result.error, link - base, atol=2e-4 * max(spread, 1))
    assert 0 < np.abs(result.error).mean() < 0.05 * spread


def test_more_draws_come_nearer_and_the_seed_decides(saved: Give) -> None:
    few, many = (np.abs(explained(saved("deep", "binary"), draws=d).error).mean() for d in (4, 256))
    assert many < few / 4
    first, again, other = (explained(saved("deep", "binary"), seed=s).parts for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.corrcoef(first.ravel(), other.ravel())[0, 1] > 0.99


def test_expected_gradients_of_a_linear_function_are_exact() -> None:
    generator = torch.Generator().manual_seed(3)
    z, base = (torch.randn((n, 6), generator=generator) for n in (50, 16))
    weight = torch.randn((6, 2), generator=generator)
    owner = torch.tensor([0, 0, 1, 2, 2, 2])
    parts, error = attribute_gradients(lambda x: x @ weight, z, base, owner, 3, draws=32, seed=1)
    exact = torch.stack([((z - base.mean(0))[:, owner == g, None] * weight[owner == g]).sum(1) for g in range(3)], dim=1)
    torch.testing.assert_close(parts, exact, atol=1e-5, rtol=1e-5)
    assert np.corrcoef(parts.ravel().numpy(), exact.ravel().numpy())[0, 1] > 0.999999
    assert float(error.abs().max()) < 1e-5


def test_a_column_without_influence_gets_nothing_however_many_rows_there_are() -> None:
    z, base = torch.rand((3000, 4)), torch.rand((8, 4))  # more points than are held at once
    owner = torch.tensor([0, 1, 1, 2])
    parts, _ = attribute_gradients(lambda x: (x[:, 1:2] * x[:, 2:3]).sigmoid(), z, base, owner, 3, draws=8, seed=1)
    assert parts.shape == (3000, 3, 1)
    assert torch.count_nonzero(parts[:, [0, 2]]) == 0
    assert torch.count_nonzero(parts[:, 1]) > 2900


@every
@pytest.mark.parametrize("family", LEARNING)
def test_age_matters_most_as_it_was_made_to(saved: Give, family: Family, task: Task) -> None:
    result = explained(saved(family, task))
    strength = np.abs(result.parts[:, :, -1]).mean(axis=0)
    assert result.columns[int(strength.argmax())] == "age"
    age, part = ROWS["age"].to_numpy(), result.parts[:, result.columns.index("age"), -1]
    assert np.corrcoef(age, part)[0, 1] < -0.8


@pytest.mark.parametrize("task", ["binary", "regression", "two_part"])
@pytest.mark.parametrize("family", LEARNING)
def test_a_row_with_one_score_is_asked_for_it(saved: Give, family: Family, task: Task) -> None:
    result = explained(saved(family, task))
    assert np.array_equal(select_parts(saved(family, task).bundle, ROWS, result), result.parts[:, :, 0])


@pytest.mark.parametrize("family", LEARNING)
def test_a_row_of_classes_is_asked_for_its_likeliest(saved: Give, family: Family) -> None:
    bundle, result = saved(family, "multiclass").bundle, explained(saved(family, "multiclass"))
    likeliest = Scorer(bundle=bundle).score(ROWS).argmax(axis=1)
    assert set(likeliest) == {0, 1, 2} or set(likeliest) == {0, 2}
    parts = select_parts(bundle, ROWS, result)
    assert all(np.array_equal(parts[i], result.parts[i, :, c]) for i, c in enumerate(likeliest))


@pytest.mark.parametrize("family", LEARNING)
def test_a_row_with_arms_is_asked_for_what_its_best_message_adds(saved: Give, family: Family) -> None:
    bundle, result = saved(family, "uplift").bundle, explained(saved(family, "uplift"))
    link = bundle.model.link(bundle.encoding.encode(ROWS))
    parts = select_parts(bundle, ROWS, result)
    best = [1 if link[i, 1] >= link[i, 2] else 2 for i in range(80)]
    assert set(best) == {1, 2}
    for i, k in enumerate(best):
        assert np.array_equal(parts[i], result.parts[i, :, k] - result.parts[i, :, 0])


def test_a_text_that_says_but_does_not_part_its_reasons() -> None:
    features = [FeatureColumn(name="said", kind="text", label="review"), FeatureColumn(name="age", kind="numeric", label="age")]
    rows = pl.DataFrame({"said": ["nice; but it ran small"], "age": [30]})
    (document,) = describe_reasons(["said", "age"], np.array([[1.0, -0.5]]), rows, features, 2)
    assert document.split("; but ") == ["review: “nice, but it ran small”", "age: 30"]


def test_a_refused_applicant_is_told_the_four_strongest_reasons_against_and_none_for() -> None:
    names = [f"c{i}" for i in range(7)]
    features = [FeatureColumn(name=name, kind="numeric", label=name) for name in names]
    rows = pl.DataFrame({name: [1.0, 1.0] for name in names})
    parts = np.array([[0.1, 0.9, -2.0, 0.5, 0.3, 0.7, -0.2], [-1.0] * 6 + [0.2]])
    assert describe_adverse_reasons(names, parts, rows, features) == ["c1: 1, c5: 1, c3: 1, c4: 1", "c6: 1"]
