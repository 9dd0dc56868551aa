"""The split depends on whose row it is and on nothing else; what belongs together stays together."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import json
from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.config.augment import AugmentParams
from perennial.contract.split import Fractions
from perennial.data.names import ENTITY, ORDER, ROW_ID
from perennial.data.prepare.augment import count_draws
from perennial.data.prepare.parts import label_rows, select_part
from perennial.data.prepare.split import PARTS, assign_by_hash, is_trained_on, split_units
from perennial.errors import DataStopped
from perennial.evaluation.statistics.leaks import find_shared_entities
from tests.fakes.contracts import contract, contract_of_log

pytestmark = pytest.mark.unit

FRACTIONS = {"train": 0.6, "val": 0.2, "test": 0.2}
LATER = {"train": 0.4, "val": 0.2, "test": 0.2, "out_of_time": 0.2}


def units(entities: list[str], **columns: list[Any]) -> pl.DataFrame:
    n = len(entities)
    return pl.DataFrame({ROW_ID: [f"r{i}" for i in range(n)], ENTITY: entities, ORDER: range(n), **columns})


def people(n: int) -> list[str]:
    return [f"{i:09d}" for i in range(n)]


def by(how: str, **changes: Any) -> dict[str, Any]:
    return {"split": {"kind": "hash", "by": how, "salt": "s", "fractions": FRACTIONS}, **changes}


names = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=40)


@given(names, st.randoms(), st.text(min_size=1, max_size=3))
def test_a_part_is_a_function_of_the_key_and_the_salt(keys: list[str], chance: Any, salt: str) -> None:
    fractions = Fractions(**LATER)
    result = dict(zip(keys, assign_by_hash(pl.Series(keys), salt, fractions), strict=True))
    again = [*keys, *keys]
    chance.shuffle(again)
    assert assign_by_hash(pl.Series(again), salt, fractions).to_list() == [result[key] for key in again]
    for key in keys:  # the rule as any other program would write it
        place = int(hashlib.md5(f"{salt}:{key}".encode()).hexdigest()[:8], 16) / 2**32
        assert result[key] == ("train" if place < 0.4 else "val" if place < 0.6 else "test" if place < 0.8 else "out_of_time")


@given(st.sampled_from([(0.6, 0.2, 0.2, 0.0), (0.05, 0.05, 0.9, 0.0), (0.4, 0.2, 0.2, 0.2)]), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_parts_are_about_as_large_as_asked(shares: tuple[float, ...], salt: int) -> None:
    fractions = Fractions(**dict(zip(PARTS, shares, strict=True)))
    counts = Counter(assign_by_hash(pl.Series(people(4000)), str(salt), fractions))
    for name, share in zip(PARTS, shares, strict=True):
        assert abs(counts[name] - 4000 * share) <= 5 * (4000 * share * (1 - share)) ** 0.5, name
    assert counts.total() == 4000


def test_another_salt_is_another_split() -> None:
    keys, fractions = pl.Series(people(1000)), Fractions(**FRACTIONS)
    same = (assign_by_hash(keys, "a", fractions) == assign_by_hash(keys, "b", fractions)).mean()
    assert same == pytest.approx(0.6**2 + 0.2**2 + 0.2**2, abs=0.05)


@given(st.lists(st.sampled_from([f"p{i}" for i in range(30)]), min_size=60, max_size=200), st.sampled_from(["entity", "record"]))
@settings(max_examples=30, deadline=None)
def test_rows_of_one_entity_never_straddle(entities: list[str], how: str) -> None:
    result = contract(**by(how))
    try:
        out, function = split_units(units(entities), result)
    except DataStopped:
        return
    assert find_shared_entities(out[ENTITY].to_numpy(), out["split"].to_numpy()) == []
    assert out[ROW_ID].to_list() == [f"r{i}" for i in range(len(entities))]
    keys = ["who"] if how == "entity" else list(result.columns)
    assert function == result.split.model_dump(mode="json") | {"keys": keys}


def test_equal_rows_that_are_different_people_may_be_in_two_parts() -> None:
    """Without an id, `by: row` says that equal rows are different people: that is no leak."""
    result = contract(**by("row", events={}, columns={"who": {"role": "contact"}}))
    out, _ = split_units(units(["same"] * 200), result)
    assert set(out["split"]) == {"train", "val", "test"}
    assert find_shared_entities(out[ENTITY].to_numpy(), out["split"].to_numpy()) == []
    by_name, _ = split_units(units(["same"] * 200), contract(**by("row")))
    assert find_shared_entities(by_name[ENTITY].to_numpy(), by_name["split"].to_numpy()) == ["same"], (
        "a person is one, by row or not"
    )


def test_the_past_trains_and_rows_of_one_moment_stay_together() -> None:
    result = contract(split={"kind": "time", "order": "joined", "fractions": LATER})
    days = pl.Series([1, 2, 2, 2, 3, 4, 5, 6, 7, 9] * 3).cast(pl.Date)
    frame = units(people(30)).with_columns(joined=days)
    out, function = split_units(frame, result)
    last = {name: frame.filter(out["split"] == name)["joined"] for name in PARTS}
    for before, after in itertools.pairwise(PARTS):
        assert last[before].max() < last[after].min()  # type: ignore[operator]
    assert function["cuts"] == ["1970-01-04", "1970-01-06", "1970-01-08"]
    assert [len(last[name]) for name in PARTS] == [12, 6, 6, 6]


@pytest.mark.parametrize(
    ("column", "moments"),
    [
        ({"type": "int"}, [5, 9, 10, 1, 100, 7, 8, 2, 30, 4]),  # as texts 100 would come before 2
        ({"type": "decimal"}, [0.5, 9.25, 10.0, 0.125, 100.5, 7.0, 8.0, 2.0, 30.0, 4.0]),
        ({"type": "date"}, [dt.date(2026, 1, d) for d in (5, 9, 10, 1, 31, 7, 8, 2, 30, 4)]),
        ({"type": "datetime"}, [dt.datetime(2026, 1, d, 7, tzinfo=dt.UTC) for d in (5, 9, 10, 1, 31, 7, 8, 2, 30, 4)]),
    ],
)
def test_what_a_split_by_time_has_seen_is_what_lies_before_its_test(column: dict[str, Any], moments: list[Any]) -> None:
    """Of any type, from the cuts as they stand in a bundle; rows to come, and rows of no moment, too."""
    result = contract(
        columns={"joined": {"role": "time", **column}}, split={"kind": "time", "order": "joined", "fractions": FRACTIONS}
    )
    frame = units(people(10)).with_columns(joined=pl.Series(moments))
    out, function = split_units(frame, result)
    place = [sorted(moments).index(moment) for moment in moments]
    assert out["split"].to_list() == ["train" if i < 6 else "val" if i < 8 else "test" for i in place]
    observed = is_trained_on(frame, json.loads(json.dumps(function)))
    assert observed.to_list() == out["split"].is_in(["train", "val"]).to_list()
    assert observed.sum() == 8
    nothing = frame.with_columns(joined=pl.lit(None, dtype=frame["joined"].dtype))
    assert is_trained_on(nothing, function).all(), "a row that might be known is taken for known"
    otherwise = pl.lit(0.0) if "date" in column["type"] else pl.lit(dt.date(2026, 1, 1))
    assert is_trained_on(frame.with_columns(joined=otherwise), function).all(), "and one whose time is told otherwise now"
    with pytest.raises(DataStopped, match="was split by 'joined', which these rows do not have"):
        is_trained_on(frame.drop("joined"), function)


def test_what_a_split_by_record_has_seen_is_the_beginning_of_the_file() -> None:
    result = contract(split={"kind": "time", "order": "record", "fractions": FRACTIONS})
    out, function = split_units(units(people(10)), result)
    assert is_trained_on(units(people(12)), function).to_list() == [True] * 8 + [False] * 4
    assert (out["split"] == "test").sum() == 2


def test_the_order_of_the_file_may_be_the_time() -> None:
    result = contract(split={"kind": "time", "order": "record", "fractions": FRACTIONS})
    out, function = split_units(units(people(10)), result)
    assert out["split"].to_list() == ["train"] * 6 + ["val"] * 2 + ["test"] * 2
    assert function["cuts"] == ["6", "8"]


def test_a_given_split_is_taken() -> None:
    result = contract(
        split={"kind": "column"}, columns={"part": {"role": "split", "values": {"a": "train", "b": "val", "c": "test"}}}
    )
    out, _ = split_units(units(people(4), part=["train", "val", "test", "train"]), result)
    assert out["split"].to_list() == ["train", "val", "test", "train"]


def test_an_empty_part_and_a_missing_time_stop() -> None:
    with pytest.raises(DataStopped, match=r"split hash: no row falls into train \(1 rows in all\)|into val|into test"):
        split_units(units(["a"]), contract(**by("entity")))
    result = contract(split={"kind": "time", "order": "joined", "fractions": FRACTIONS})
    with pytest.raises(DataStopped, match="split by time: 2 rows have no joined"):
        split_units(units(people(3)).with_columns(joined=pl.Series([None, 1, None]).cast(pl.Date)), result)
    with pytest.raises(DataStopped, match="split time: no row falls into train"):
        split_units(units(people(3)).with_columns(joined=pl.Series([1, 1, 1]).cast(pl.Date)), result)


def test_parts_carry_outcome_and_arm() -> None:
    frame = units(people(4), y=[0, 1, 1, 0], arm=["none", "b", "a", "none"])
    splits = pl.DataFrame({ROW_ID: ["r3", "r0", "r1", "r2"], "split": ["train", "train", "train", "val"]})
    plain = select_part(frame, splits, "train", contract())
    assert (plain.frame[ROW_ID].to_list(), plain.y.tolist(), plain.arm.tolist()) == (["r0", "r1", "r3"], [0, 1, 0], [0, 0, 0])
    assert len(plain) == 3
    arm = {"role": "treatment", "control": "none", "arms": {"a": {}, "b": {}}}
    uplift = contract(columns={"arm": arm}, task={"kind": "uplift", "target": "y", "primary": "qini", "minimum": 0})
    assert label_rows(frame, uplift).arm.tolist() == [0, 2, 1, 0]


def test_draws_of_the_training_rows() -> None:
    train = units(people(4), y=[0, 1, 0, 0])
    once = count_draws(train, "y", AugmentParams(kind="none", times=9))
    assert once.rows() == [("r0", 1), ("r1", 1), ("r2", 1), ("r3", 1)]
    rare = count_draws(train, "y", AugmentParams(kind="oversample", times=3))
    assert rare["times"].to_list() == [1, 3, 1, 1]
    assert rare.schema["times"] == pl.Int32
    tie = count_draws(train.head(2), "y", AugmentParams(kind="oversample", times=2))
    assert tie["times"].to_list() == [2, 1], "of two outcomes as frequent the first one, always the same"


FIRST, SECOND, LAST = (dt.date(2026, 1, day) for day in (11, 21, 31))


def at_cutoffs(people: list[str], cutoffs: list[dt.date]) -> pl.DataFrame:
    """Each of them at each cut-off."""
    pairs = list(itertools.product(cutoffs, people))
    return units([who for _, who in pairs], cutoff=[cutoff for cutoff, _ in pairs])


def test_later_cut_offs_test_and_a_share_of_the_people_is_val() -> None:
    document, frame = contract_of_log(), at_cutoffs(people(1000), [FIRST, SECOND, LAST])
    out, function = split_units(frame, document)
    joined = frame.join(out.drop(ENTITY), on=ROW_ID)
    assert set(joined.filter(pl.col("cutoff") == LAST)["split"]) == {"test"}
    assert set(joined.filter(pl.col("cutoff") != LAST)["split"]) == {"train", "val"}
    assert abs((out["split"] == "val").sum() / 2000 - 0.2) < 0.05
    assert find_shared_entities(out[ENTITY].to_numpy(), out["split"].to_numpy(), ("train", "val")) == []
    assert len(find_shared_entities(out[ENTITY].to_numpy(), out["split"].to_numpy())) == 1000, "all are in the test too, later"
    for key in people(20):  # the rule as any other program would write it
        place = int(hashlib.md5(f"s:{key}".encode()).hexdigest()[:8], 16) / 2**32
        result = set(joined.filter((pl.col(ENTITY) == key) & (pl.col("cutoff") != LAST))["split"])
        assert result == {"val" if place < 0.2 else "train"}
    assert function == {
        "kind": "cutoff",
        "val_share_of_entities": 0.2,
        "salt": "s",
        "keys": ["who"],
        "label_days": 10,
        "cutoffs": {"train": ["2026-01-11", "2026-01-21"], "test": ["2026-01-31"]},
    }


def test_a_model_has_seen_units_into_whose_time_its_outcomes_reach() -> None:
    """It was trained on outcomes until 31 January: a test window that begins then or later is new to it."""
    _, function = split_units(at_cutoffs(people(50), [FIRST, SECOND, LAST]), contract_of_log())
    days = [FIRST, SECOND, dt.date(2026, 1, 30), LAST, dt.date(2026, 3, 1)]
    assert is_trained_on(at_cutoffs(["somebody"], days), function).to_list() == [True, True, True, False, False]
    with pytest.raises(DataStopped, match="was split by cut-off, which these rows do not have"):
        is_trained_on(units(["somebody"]), function)
