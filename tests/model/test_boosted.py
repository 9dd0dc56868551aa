"""The boosted family: settings tried in turn, early stopping, the same trees for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from perennial.models.encoding.encode import fit_encoding
from perennial.models.model import FitRows, FitTask, Model
from perennial.models.traditional.boosted import BoostedModel, build_features, fit_boosted
from tests.model.builders import FEATURES, baseline_params, customers, head, outcomes

pytestmark = pytest.mark.model

FRAME, VAL = customers(600), customers(300, seed=7)
ENCODING = fit_encoding(FRAME, FEATURES, np.zeros(FRAME.height), 1)[0]


def fitted(outputs: int = 1, **changes: float) -> tuple[BoostedModel, list[BoostedModel]]:
    """The chosen one when the last that is tried has the lowest val loss, and all that were tried."""
    tried: list[BoostedModel] = []

    class Recorded(FitTask):
        def val_loss(self, model: Model) -> float:
            assert isinstance(model, BoostedModel)
            tried.append(model)
            return -float(len(tried))

    train, val = rows(FRAME, outputs), rows(VAL, outputs, 7)
    params = baseline_params(**changes)
    return fit_boosted(Recorded(train=train, val=val, head=head(outputs), encoding=ENCODING, params=params)), tried


def rows(frame: pl.DataFrame, outputs: int, seed: int = 0) -> FitRows:
    y, arm = outcomes(frame, outputs, seed)
    return FitRows(x=ENCODING.encode(frame), y=y, arm=arm)


def text(model: BoostedModel) -> list[str]:
    return [booster.model_to_string() for booster in model.boosters]


def test_numbers_come_first_with_nan_for_null_then_codes() -> None:
    x = build_features(ENCODING.encode(FRAME))
    assert x.shape == (600, 5)
    assert np.array_equal(np.isnan(x[:, 2]), FRAME["last_visit"].is_null().to_numpy())
    assert np.array_equal(x[:, 0], FRAME["age"].to_numpy())
    assert set(np.unique(x[:, 3])) == {1, 2, 3}


def test_as_many_settings_are_tried_as_asked_and_the_lowest_loss_wins() -> None:
    model, tried = fitted(trials=3)
    assert len(tried) == 3
    assert model is tried[-1]
    assert len({text(one)[0] for one in tried}) == 3


def test_the_same_seed_grows_the_same_trees_and_another_does_not() -> None:
    first, again, other = (text(fitted(seed=seed)[0]) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_growing_stops_where_val_no_longer_gains() -> None:
    model, _ = fitted(rounds=800, learning_rate=0.2)
    assert 1 <= model.boosters[0].num_trees() < 100


def test_each_output_is_grown_on_the_rows_of_its_arm() -> None:
    both = fitted(outputs=2)[0]
    train, val = rows(FRAME, 2), rows(VAL, 2, 7)
    changed = train.y.copy()
    changed[train.arm == 1] = 1 - changed[train.arm == 1]  # only what happened in arm 1
    task = FitTask(train=replace(train, y=changed), val=val, head=head(2), encoding=ENCODING, params=baseline_params(trials=1))
    other = fit_boosted(task)
    assert len(both.boosters) == 2
    assert text(both)[0] == text(other)[0]
    assert text(both)[1] != text(other)[1]


def test_what_parts_are_measured_from_lies_at_the_mean_link_of_train() -> None:
    model = fitted()[0]
    assert model.expected_R[0] == pytest.approx(model.link(ENCODING.encode(FRAME)).mean(), abs=0.05)
