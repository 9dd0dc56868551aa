"""Ids of many values: an id stands for its rate and its rows, and no training row is told its own outcome."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from perennial.contract.serving import FeatureColumn
from perennial.evaluation.statistics.metrics import measure
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding
from perennial.models.encoding.id_table import IdTable

pytestmark = pytest.mark.unit

ID = FeatureColumn(name="ad", kind="categorical", label="ad")
AGE = FeatureColumn(name="age", kind="numeric", label="age")
N = 6000


def drawn(seed: int, ids: int = 600) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of ids of which each clicks at a rate of its own, about 30 %."""
    rng = np.random.Generator(np.random.PCG64(seed))
    ad = rng.integers(0, ids, N)
    rate = rng.beta(1.5, 3.5, ids)
    frame = pl.DataFrame({"ad": [f"a{i}" for i in ad], "age": rng.normal(size=N)})
    return frame, (rng.random(N) < rate[ad]).astype(np.float64)


def fitted(seed: int = 1, y: np.ndarray | None = None) -> tuple[Encoding, Encoded, pl.DataFrame, np.ndarray]:
    frame, document = drawn(seed)
    y = document if y is None else y
    return (*fit_encoding(frame, [AGE, ID], y, 1), frame, y)


def test_an_id_of_many_values_is_two_numbers_that_belong_to_its_column() -> None:
    encoding, x, _, _ = fitted()
    assert encoding.ids.keys() == {"ad"}
    assert encoding.categories == {}
    assert encoding.columns == ["age", "ad"]
    assert encoding.owners == ([0, 1, 1], [], [])
    assert x.raw_NF.shape == x.norm_NF.shape == (N, 3)
    assert len(encoding.ids["ad"].key_V) == 600


@pytest.mark.parametrize(
    ("rows", "values", "is_id"),
    [(900, 45, False), (900, 50, False), (900, 51, True), (6000, 290, False), (6000, 320, True), (30_000, 1001, True)],
)
def test_what_has_many_values_is_an_id(rows: int, values: int, is_id: bool) -> None:
    """More than 50 and a twentieth of the rows, or more than a thousand."""
    frame = pl.DataFrame({"ad": [f"a{i % values}" for i in range(rows)]})
    encoding, _ = fit_encoding(frame, [ID], np.arange(rows) % 2 * 1.0, 1)
    assert (list(encoding.ids) == ["ad"]) is is_id
    assert (list(encoding.categories) == ["ad"]) is not is_id


def test_the_numbers_of_an_id_are_its_smoothed_rate_over_the_base_and_its_rows() -> None:
    encoding, _, frame, y = fitted()
    result = encoding.ids["ad"].encode_new(pl.Series(["a7", "a11"]))
    assert len(result) == 2
    for row, name in zip(result, ("a7", "a11"), strict=True):
        is_it = (frame["ad"] == name).to_numpy()
        rate = (y[is_it].sum() + 20 * y.mean()) / (is_it.sum() + 20)
        np.testing.assert_allclose(row, [np.log(rate / y.mean()), np.log1p(is_it.sum())])


def test_an_id_that_training_never_saw_has_no_rate_and_no_rows() -> None:
    encoding, _, _, _ = fitted()
    coming = pl.DataFrame({"age": [0.0] * 4, "ad": ["new", None, "", "a7"]})
    x = encoding.encode(coming)
    assert x.raw_NF[:3, 1:].tolist() == [[0, 0]] * 3
    assert x.raw_NF[3, 2] > 0
    assert encoding.count_unknown(coming) == {"ad": 3}
    assert encoding.known_ids(coming)["ad"].tolist() == ["new", "new", "new", "seen"]
    assert np.isfinite(x.norm_NF).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_training_row_is_not_told_its_own_outcome(seed: int) -> None:
    """Of outcomes without any sense the rates tell nothing on the rows that they were counted on."""
    y = np.random.Generator(np.random.PCG64(100 + seed)).permutation(drawn(seed)[1])
    encoding, x, frame, _ = fitted(seed, y)
    assert measure("auc", y, x.raw_NF[:, 1]) == pytest.approx(0.5, abs=0.03)
    again = encoding.encode(frame)
    assert measure("auc", y, again.raw_NF[:, 1]) > 0.62, "encoded as rows to come they would be: the danger is real"


def test_a_rate_that_there_is_is_found_on_train_as_on_rows_to_come() -> None:
    encoding, x, _, y = fitted(3)
    assert measure("auc", y, x.raw_NF[:, 1]) > 0.6
    rng = np.random.Generator(np.random.PCG64(3))
    rng.integers(0, 600, N)
    rate = rng.beta(1.5, 3.5, 600)
    ad = np.random.default_rng(8).integers(0, 600, 4000)
    later = (np.random.default_rng(9).random(4000) < rate[ad]).astype(np.float64)
    coming = encoding.encode(pl.DataFrame({"ad": [f"a{i}" for i in ad], "age": np.zeros(4000)}))
    there, here = measure("auc", later, coming.raw_NF[:, 1]), measure("auc", y, x.raw_NF[:, 1])
    assert abs(there - here) < 0.05


def test_changing_the_outcome_of_a_row_changes_the_rates_of_other_folds_only() -> None:
    frame, y = drawn(2)
    before = fit_encoding(frame, [ID], y, 1)[1].raw_NF
    for row in (0, 17, 4000):
        turned = y.copy()
        turned[row] = 1 - turned[row]
        after = fit_encoding(frame, [ID], turned, 1)[1].raw_NF
        same_id = (frame["ad"] == frame["ad"][row]).to_numpy()
        shift = np.log(y.mean() / turned.mean())  # the base moves by one row, for all alike
        assert after[row, 0] == pytest.approx(before[row, 0] + shift, abs=2e-3)
        others = same_id & (np.arange(N) != row)
        assert np.abs(after[others, 0] - before[others, 0] - shift).max() > 0.01
        assert np.array_equal(after[:, 1], before[:, 1])


def test_a_training_row_does_not_count_itself() -> None:
    _, x, frame, _ = fitted()
    rows = frame.select(pl.len().over("ad")).to_series().to_numpy()
    np.testing.assert_allclose(x.raw_NF[:, 2], np.log1p(rows - 1))


def test_the_seed_draws_the_folds_and_nothing_else_does() -> None:
    frame, y = drawn(1)
    first, again, other = (fit_encoding(frame, [ID], y, seed)[1].raw_NF for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:, 0], other[:, 0])


def test_keys_are_the_first_bytes_of_md5_on_every_machine() -> None:
    table = IdTable.of(np.array([0x900150983CD24FB0], dtype=np.uint64), np.array([1.0]))
    assert table.encode_new(pl.Series(["abc"]))[0, 1] > 0
    assert table.encode_new(pl.Series(["abd"])).tolist() == [[0, 0]]
    encoding, _, _, _ = fitted()
    known = {int(key) for key in encoding.ids["ad"].key_V}
    assert int.from_bytes(md5(b"a7", usedforsecurity=False).digest()[:8], "big") in known


def test_a_saved_table_tells_the_same(tmp_path: Path) -> None:
    encoding, _, frame, _ = fitted()
    encoding.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert again == encoding
    assert hash(again) == hash(encoding)
    assert np.array_equal(again.encode(frame).norm_NF, encoding.encode(frame).norm_NF)
    assert again != fitted(2)[0]
