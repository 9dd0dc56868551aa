"""Nested shares of train, and what is said of a learning curve."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from perennial.data.names import ENTITY, ROW_ID
from perennial.data.prepare.split import thin_train
from perennial.report.pages import learning

pytestmark = pytest.mark.unit

SHARES = (0.1, 0.25, 0.5, 1.0)


def customers() -> tuple[pl.DataFrame, pl.DataFrame]:
    """4,000 rows of 1,000 owners, 7 of 10 in train."""
    n = 4_000
    ids = pl.Series(ROW_ID, [f"r{i}" for i in range(n)])
    owners = pl.DataFrame({ROW_ID: ids, ENTITY: [f"c{i % 1_000}" for i in range(n)]})
    part = ["train" if i % 1_000 < 700 else "val" if i % 1_000 < 850 else "test" for i in range(n)]
    return pl.DataFrame({ROW_ID: ids, "split": part}), owners


def rows_of(splits: pl.DataFrame, part: str) -> set[str]:
    return set(splits.filter(pl.col("split") == part)[ROW_ID])


def test_shares_are_nested_by_owner_and_leave_val_and_test_alone() -> None:
    splits, owners = customers()
    owner_of = dict(owners.iter_rows())
    kept = {share: thin_train(splits, owners, share, "one") for share in SHARES}
    assert kept[1.0].equals(splits)
    for smaller, larger in pairwise(SHARES):
        assert rows_of(kept[smaller], "train") < rows_of(kept[larger], "train")
    for share, found in kept.items():
        people = {owner_of[row] for row in rows_of(found, "train")}
        assert len(rows_of(found, "train")) == 4 * len(people)  # each with all of their rows or none
        assert abs(len(people) / 700 - share) < 0.05
        for part in ("val", "test"):
            assert rows_of(found, part) == rows_of(splits, part)


def test_another_salt_draws_others() -> None:
    splits, owners = customers()
    one, other = (rows_of(thin_train(splits, owners, 0.1, salt), "train") for salt in ("one", "other"))
    assert one != other
    assert len(one & other) < len(one) / 2


def figure(value: float, reach: float) -> dict[str, float]:
    return {"value": value, "low": value - reach, "high": value + reach}


def curve(worth: dict[str, float], deep: dict[str, float], layers: Any, **changes: Any) -> dict[str, Any]:
    """A curve whose deep family is ahead on val."""
    fit = {
        "share": 1.0, "draw": 0, "rows": 597, "families": {"deep": "deep", "traditional": "boosted"},
        "val": {"deep": 0.81, "traditional": 0.8}, "deep": figure(0.81, 0.02), "traditional": figure(0.8, 0.02),
        "deep_minus_traditional": worth, "room": "/somewhere/of/this/machine",
    } | changes  # fmt: skip
    half = {**fit, "share": 0.5, "rows": 300}
    rise = {"from": 0.5, "to": 1.0, "deep": deep, "traditional": figure(-0.1, 0.01)}
    depths = [{**fit, "blocks": blocks} for blocks in (0, 2)]
    return learning.told([half, fit], depths, "auc", rise, {"best": 2 if layers else 0, "better_than_none": layers})


def test_nothing_is_said_that_lies_within_the_noise() -> None:
    up, flat, down = figure(0.02, 0.01), figure(0.02, 0.03), figure(-0.02, 0.01)
    said = {
        name: curve(found, found, found)["sentences"] for name, found in (("up", up), ("flat", flat), ("down", down))
    }
    assert [s.partition(":")[0] for s in said["up"][:2]] == ["Deep learning is worth it here", "More data would help"]
    assert [s.partition(":")[0] for s in said["flat"][:2]] == [
        "Deep learning makes no measurable difference here",
        "More data would bring no measurable gain",
    ]
    assert [s.partition(":")[0] for s in said["down"][:2]] == [
        "Deep learning is worse here",
        "More data would not help",
    ]
    assert "+0.020 [+0.010, +0.030] AUC" in said["up"][0]
    assert said["up"][1].startswith("More data would help: from 50\u202f% to 100\u202f% of train deep +0.020")
    assert ["layers help" in said["up"][2], "no measurable" in said["flat"][2], "layers harm" in said["down"][2]] == [
        True
    ] * 3
    assert curve(up, up, None)["sentences"][2] == "Layers: none is best on val, straight from the columns to the head."


def test_more_data_is_told_of_the_family_that_is_ahead_on_val() -> None:
    up = figure(0.02, 0.01)
    behind = curve(up, up, None, val={"deep": 0.7, "traditional": 0.8})
    assert behind["sentences"][1].startswith(
        "More data would not help for the traditional model, which is ahead on val; the deep network still gains: "
        "from 50\u202f% to 100\u202f% of train traditional"
    )
    assert "More data would help" in learning.sentences({**behind, "primary": "log_loss"})[1]  # lower is ahead


def test_the_page_holds_the_sentences_and_the_picture_and_no_place_of_this_machine() -> None:
    found = curve(figure(0.02, 0.01), figure(0.02, 0.03), figure(0.0, 0.1))
    html = learning.page("shop", found)
    assert "/somewhere" not in html + str(found)
    assert html.count("<svg") == 2
    assert "Deep learning is worth it here</h1>" in html
    for sentence in found["sentences"][1:]:
        assert sentence in html
    assert ">300<" in html
    assert ">597<" in html
