"""The encoding is fitted on the training rows alone and says the same of a row wherever that row stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.contract.serving import FeatureColumn, build_serving_view
from perennial.data.prepare.parts import select_part
from perennial.errors import InputError
from perennial.files.manifest import seal
from perennial.files.tables import read_table
from perennial.models.encoding.encode import Encoded, Encoding, fit_encoding

if TYPE_CHECKING:
    from tests.conftest import Toy

pytestmark = pytest.mark.unit

NUMERIC = FeatureColumn(name="x", kind="numeric", label="x")
CATEGORY = FeatureColumn(name="c", kind="categorical", label="c")


def same(a: Encoded, b: Encoded) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in ("raw_NF", "norm_NF", "miss_NM", "cat_NC")
    )


def fitted_on(frame: pl.DataFrame, features: Sequence[FeatureColumn]) -> Encoding:
    """Where no id of many values is, outcomes do not matter."""
    return fit_encoding(frame, features, np.zeros(frame.height), 1)[0]


def train(n: int = 300) -> pl.DataFrame:
    chance = np.random.Generator(np.random.PCG64(3))
    x = [None if i % 10 == 0 else float(v) for i, v in enumerate(chance.exponential(5, n))]
    return pl.DataFrame({"x": x, "c": [None if i % 7 == 0 else "abz"[i % 3] for i in range(n)]})


@pytest.fixture(scope="module")
def fitted() -> Encoding:
    return fitted_on(train(), [NUMERIC, CATEGORY])


def test_normal_scores_rise_with_the_value_and_look_normal(fitted: Encoding) -> None:
    out = fitted.encode(train())
    order = np.argsort(np.nan_to_num(out.raw_NF[:, 0], nan=np.nanmedian(out.raw_NF)), kind="stable")
    assert (np.diff(out.norm_NF[order, 0]) >= 0).all()
    assert abs(float(out.norm_NF.mean())) < 0.1
    assert 0.8 < float(out.norm_NF.std()) < 1.2
    far = fitted.encode(pl.DataFrame({"x": [-1e9, 1e9], "c": ["a", "a"]})).norm_NF[:, 0]
    assert far.tolist() == pytest.approx([-5.1993, 5.1993], abs=1e-3)


def test_nulls_have_a_flag_and_stand_at_the_median(fitted: Encoding) -> None:
    out = fitted.encode(pl.DataFrame({"x": [None, float(fitted.median_F[0])], "c": ["a", None]}))
    assert out.miss_NM.tolist() == [[1.0], [0.0]]
    assert out.norm_NF[0, 0] == out.norm_NF[1, 0]
    assert np.isnan(out.raw_NF[0, 0])
    assert fitted.missing == ("x",)


def test_categories_are_coded_and_what_is_rare_or_unseen_is_unknown() -> None:
    frame = train().with_columns(c=pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("rare")).otherwise(pl.col("c")))
    encoding = fitted_on(frame, [CATEGORY])
    assert encoding.categories == {"c": ("", "a", "b", "z")}
    assert encoding.cards == [5]
    coming = pl.DataFrame({"c": ["a", "rare", "never", None, "z"]})
    assert encoding.encode(coming).cat_NC[:, 0].tolist() == [2, 0, 0, 1, 4]
    assert encoding.count_unknown(coming) == {"c": 2}
    assert encoding.count_unknown(coming.head(1)) == {}


def test_constants_and_empty_columns_are_dropped_and_named() -> None:
    frame = train(200).with_columns(k=pl.lit(7.0), nothing=pl.lit(None, pl.Float64), half=pl.lit(None, pl.Float64), all="x")
    frame = frame.with_columns(
        half=pl.when(pl.int_range(pl.len()) < 9).then(3.0), few=(pl.int_range(pl.len()) % 50).cast(pl.String)
    )
    features = [FeatureColumn(name=name, kind="numeric", label=name) for name in ("k", "x", "nothing", "half")]
    encoding = fitted_on(frame, [*features, FeatureColumn(name="few", kind="categorical", label="few")])
    assert encoding.numeric == ("x",)
    assert encoding.dropped == ("k", "nothing", "half", "few")
    assert encoding.columns == ["x"]


def test_no_numeric_or_no_categorical_column_is_fine(tmp_path: Path) -> None:
    for features, shapes in (([NUMERIC], (1, 0)), ([CATEGORY], (0, 1)), ([], (0, 0))):
        encoding = fitted_on(train(), features)
        out = encoding.encode(train())
        assert (out.norm_NF.shape[1], out.cat_NC.shape[1]) == shapes
        assert len(out) == 300
        encoding.save(tmp_path)
        assert same(Encoding.load(tmp_path).encode(train()), out)


def test_a_saved_encoding_is_the_same(fitted: Encoding, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert same(again.encode(train()), fitted.encode(train()))
    assert again.categories == fitted.categories
    assert (again.missing, again.dropped) == (fitted.missing, fitted.dropped)


def test_a_column_that_is_missing_is_named(fitted: Encoding) -> None:
    with pytest.raises(InputError, match="columns c are missing; the model needs x, c"):
        fitted.encode(pl.DataFrame({"x": [1.0]}))


@given(st.permutations(range(40)), st.sampled_from([1, 2, 5]))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_row_is_encoded_alike_wherever_it_stands(fitted: Encoding, order: list[int], copies: int) -> None:
    rows = train(40)
    shuffled = pl.concat([rows[order]] * copies)
    assert same(fitted.encode(shuffled), fitted.encode(rows).take(order * copies))


def test_test_rows_times_a_thousand_leave_the_encoding_and_its_digest_as_they_are(prepared_toy: Toy, tmp_path: Path) -> None:
    """Whatever happens to val and test after validation, nothing that was estimated sees it."""
    units = read_table(prepared_toy.out("featurize", "units.parquet"))
    splits = read_table(prepared_toy.out("split", "splits.parquet"))
    serving = build_serving_view(prepared_toy.contract)
    numeric = [feature.name for feature in serving.features if feature.kind == "numeric"]
    outside = units.join(splits.filter(pl.col("split") != "train"), on="row_id", how="semi")["row_id"]
    blown = units.with_columns(
        pl.when(pl.col("row_id").is_in(outside.implode())).then(pl.col(name) * 1000).otherwise(pl.col(name)).alias(name)
        for name in numeric
    )
    assert not blown.equals(units)
    digests = []
    for i, frame in enumerate((units, blown)):
        encoding = fitted_on(select_part(frame, splits, "train", prepared_toy.contract).frame, serving.features)
        encoding.save(tmp_path / str(i))
        digests.append(seal(tmp_path / str(i)))
    assert len(numeric) > 20
    assert digests[0] == digests[1]
