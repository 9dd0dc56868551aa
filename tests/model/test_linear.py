"""The linear family: three designs, the best by val, and a score that is a sum."""

from __future__ import annotations

from typing import get_args

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from perennial.errors import DataStopped
from perennial.models.encoding.encode import Encoding, fit_encoding
from perennial.models.model import FitRows, FitTask, Model
from perennial.models.traditional.linear import Design, LinearModel, build_design, fit_linear
from tests.model.builders import F64, FEATURES, I64, baseline_params, customers, head, outcomes

pytestmark = pytest.mark.model

TRAIN = customers(600)
ENCODING: Encoding = fit_encoding(TRAIN, FEATURES, np.zeros(TRAIN.height), 1)[0]
ROWS = ENCODING.encode(TRAIN)


def fitted(outputs: int = 1, expected: int | None = None) -> tuple[LinearModel, list[LinearModel], F64, I64]:
    """The model that is chosen when the `expected`-th tried has the lowest val loss, and all that were tried."""
    y, arm = outcomes(TRAIN, outputs)
    tried: list[LinearModel] = []

    class Recorded(FitTask):
        def val_loss(self, model: Model) -> float:
            assert isinstance(model, LinearModel)
            tried.append(model)
            return 0.0 if expected is None or len(tried) - 1 == expected else 1.0

    return fit_linear(task(y, arm, outputs, Recorded)), tried, y, arm


def task(y: F64, arm: I64, outputs: int, kind: type[FitTask] = FitTask) -> FitTask:
    rows = FitRows(x=ROWS, y=y, arm=arm)
    return kind(train=rows, val=rows, head=head(outputs), encoding=ENCODING, params=baseline_params())


def test_six_are_tried_and_the_lowest_loss_on_val_wins() -> None:
    for expected in range(6):
        model, tried, _, _ = fitted(expected=expected)
        assert len(tried) == 6
        assert model is tried[expected]
    assert [model.design for model in tried] == [d for d in get_args(Design) for _ in range(2)]
    weights = [float(np.abs(model.coef_JR).sum()) for model in tried]
    assert all(strong < weak for strong, weak in zip(weights[::2], weights[1::2], strict=True)), "C .03, then .3"


@pytest.mark.parametrize("design", get_args(Design))
def test_a_design_has_the_numbers_a_flag_for_nulls_and_a_column_a_category(design: Design) -> None:
    x = build_design(ROWS, ENCODING, design, ENCODING.median_F, np.ones(3))
    n_numeric = 30 if design == "bins" else 3
    assert x.shape == (600, n_numeric + 1 + sum(ENCODING.cards))
    assert np.array_equal(x[:, n_numeric], TRAIN["last_visit"].is_null().to_numpy())
    cats = x[:, n_numeric + 1 :]
    assert np.array_equal(cats.sum(axis=1), np.full(600, 2.0))
    assert np.isfinite(x).all()
    if design == "bins":
        assert np.array_equal(x[:, :30].sum(axis=1), np.full(600, 3.0))
        shares = x[:, 10:20].mean(axis=0)  # money spent has no ties: ten bins of a tenth each
        np.testing.assert_allclose(shares, 0.1, atol=0.03)


def test_a_null_stands_at_the_median_of_train() -> None:
    x = build_design(ROWS, ENCODING, "standardised", ENCODING.median_F, np.ones(3))
    null = TRAIN["last_visit"].is_null().to_numpy()
    assert null.sum() > 50
    assert not x[null, 2].any()
    assert x[~null, 2].any()


def test_a_value_never_seen_has_the_unknown_column() -> None:
    row = ENCODING.encode(customers(1).with_columns(channel=pl.lit("fax")))
    x = build_design(row, ENCODING, "normal", ENCODING.median_F, np.ones(3))
    assert x[0, 4] == 1.0  # three numbers, a flag, then code 0 of channel


def test_each_output_is_a_logistic_regression_on_the_rows_of_its_arm() -> None:
    model, _, y, arm = fitted(outputs=3, expected=3)  # normal, C = .3
    x = build_design(ROWS, ENCODING, "normal", model.center_F, model.scale_F)
    for o in range(3):
        reference = LogisticRegression(C=0.3, max_iter=2000).fit(x[arm == o], y[arm == o])
        np.testing.assert_allclose(model.link(ROWS)[:, o], reference.decision_function(x), atol=1e-9)


def test_an_arm_with_one_outcome_stops_with_words() -> None:
    _, arm = outcomes(TRAIN, 3)
    y = (arm != 2).astype(np.float64) * (np.arange(600) % 2)
    with pytest.raises(DataStopped, match=r"output 2 has \d+ training rows with one and the same outcome"):
        fit_linear(task(y, arm, 3))
