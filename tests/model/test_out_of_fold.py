"""Scores out of fold: no row is scored by what its own outcome, or its owner's, has taught."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from perennial.data.prepare.parts import LabelledRows
from perennial.data.prepare.split import assign_folds
from perennial.results.families import Family
from perennial.scoring.bundle import Bundle
from perennial.scoring.out_of_fold import FOLDS, SALT, score_out_of_fold
from perennial.scoring.scorer import Scorer
from tests.model.builders import Give, Task, answers, baseline_params, customers

pytestmark = pytest.mark.model

OWNER = pl.Series([f"customer {i // 2}" for i in range(900)])  # two rows each
FOLD = assign_folds(OWNER, SALT, FOLDS)


def given(saved: Give, family: Family, task: Task) -> tuple[Bundle, LabelledRows]:
    frame = customers(900, seed=3)
    y, arm = answers(frame, task, seed=3)
    params = baseline_params(rounds=20).model_dump()
    return replace(saved(family, task).bundle, params=params), LabelledRows(frame=frame, y=y, arm=arm, weight=np.ones(900))


def test_folds_are_about_even_and_an_owner_is_in_one() -> None:
    assert np.bincount(FOLD, minlength=FOLDS).min() >= 100
    assert set(FOLD) == set(range(FOLDS))
    assert (FOLD[::2] == FOLD[1::2]).all()
    assert (assign_folds(OWNER, "another salt", FOLDS) != FOLD).any()


@pytest.mark.parametrize("family", ["linear", "boosted"])
@pytest.mark.parametrize("task", ["uplift", "uplift_amounts"])
def test_outcomes_of_a_fold_change_the_scores_of_all_others_only(saved: Give, family: Family, task: Task) -> None:
    bundle, rows = given(saved, family, task)
    before = score_out_of_fold(bundle, rows, OWNER)
    assert before.shape == (900, 3)
    for f in (0, FOLDS - 1):
        mine = f == FOLD
        after = score_out_of_fold(bundle, replace(rows, y=np.where(mine, rows.y.max() - rows.y, rows.y)), OWNER)
        assert np.array_equal(after[mine], before[mine])
        assert all((after[other == FOLD] != before[other == FOLD]).any() for other in range(FOLDS) if other != f)


def test_they_are_as_good_as_those_of_a_model_that_was_fitted_once(saved: Give) -> None:
    bundle, rows = given(saved, "linear", "uplift_amounts")
    observed, every = np.arange(900), [score_out_of_fold(bundle, rows, OWNER), Scorer(bundle=bundle).score(rows.frame)]
    out, once = (float(np.mean((scores[observed, rows.arm] - rows.y) ** 2)) for scores in every)
    assert out == pytest.approx(once, rel=0.1)
    assert out < 0.5 * rows.y.var()
