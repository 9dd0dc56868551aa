"""Nested shares of train, and what is said of a learning curve."""

from __future__ import annotations

import re
from itertools import pairwise

import polars as pl
import pytest

from perennial.data.names import ENTITY, ROW_ID
from perennial.data.prepare.split import thin_train
from perennial.report.pages import learning
from perennial.results.figures import Interval
from perennial.results.study import DataGain, DepthChoice, DepthFit, FitFigures, LearningCurve, ShareFit

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
    thinned = {share: thin_train(splits, owners, share, "one") for share in SHARES}
    assert thinned[1.0].equals(splits)
    for smaller, larger in pairwise(SHARES):
        assert rows_of(thinned[smaller], "train") < rows_of(thinned[larger], "train")
    for share, splits_of in thinned.items():
        people = {owner_of[row] for row in rows_of(splits_of, "train")}
        assert len(rows_of(splits_of, "train")) == 4 * len(people)  # each with all of their rows or none
        assert abs(len(people) / 700 - share) < 0.05
        for part in ("val", "test"):
            assert rows_of(splits_of, part) == rows_of(splits, part)


def test_another_salt_draws_others() -> None:
    splits, owners = customers()
    one, other = (rows_of(thin_train(splits, owners, 0.1, salt), "train") for salt in ("one", "other"))
    assert one != other
    assert len(one & other) < len(one) / 2


def interval(value: float, reach: float) -> Interval:
    return Interval(value=value, low=value - reach, high=value + reach)


def build_curve(
    advantage: Interval,
    deep_gain: Interval,
    layers: Interval | None,
    *,
    val: tuple[float, float] = (0.81, 0.8),
    primary: str = "auc",
    is_quick: bool = False,
) -> LearningCurve:
    """A curve by what the deep family is better by, what more data and what layers bring it; `val` is deep, traditional."""
    figures = FitFigures(
        families={"deep": "deep", "traditional": "boosted"},
        val={"deep": val[0], "traditional": val[1]},
        test={"deep": interval(0.81, 0.02), "traditional": interval(0.8, 0.02)},
        deep_minus_traditional=advantage,
    )
    gain = {"deep": deep_gain, "traditional": interval(-0.1, 0.01)}
    curve = LearningCurve(
        primary=primary,
        is_quick=is_quick,
        shares=tuple(ShareFit(share=share, draw=0, rows=rows, figures=figures) for share, rows in ((0.5, 300), (1.0, 597))),
        depths=tuple(DepthFit(blocks=blocks, figures=figures) for blocks in (0, 2)),
        data_gain=DataGain(from_share=0.5, to_share=1.0, gain=gain),
        depth_choice=DepthChoice(blocks=2 if layers else 0, better_than_none=layers),
    )
    return curve.model_copy(update={"sentences": tuple(learning.describe_curve(curve))})


def test_nothing_is_said_that_lies_within_the_noise() -> None:
    gains = {"up": interval(0.02, 0.01), "flat": interval(0.02, 0.03), "down": interval(-0.02, 0.01)}
    sentences = {name: build_curve(gain, gain, gain).sentences for name, gain in gains.items()}
    claims = {name: [s.partition(":")[0] for s in lines[:2]] for name, lines in sentences.items()}
    assert claims == {
        "up": ["Deep learning is worth it here", "More data would help"],
        "flat": ["Deep learning makes no measurable difference here", "More data would bring no measurable gain"],
        "down": ["Deep learning is worse here", "More data would not help"],
    }
    up, flat, down = (sentences[name] for name in ("up", "flat", "down"))
    assert "+0.020 [+0.010, +0.030] AUC" in up[0]
    assert up[1].startswith("More data would help: from 50\u202f% to 100\u202f% of train deep +0.020")
    assert ["layers help" in up[2], "no measurable" in flat[2], "layers harm" in down[2]] == [True] * 3
    without = build_curve(gains["up"], gains["up"], None)
    assert without.sentences[2] == "Layers: none is best on val, straight from the columns to the head."


def test_a_quick_run_gives_no_verdict_and_its_page_is_marked() -> None:
    worse = interval(-0.05, 0.01)
    curve = build_curve(worse, worse, worse, is_quick=True)
    assert [sentence.partition(":")[0] for sentence in curve.sentences] == ["Too small to tell"]
    html = learning.build_page("shop", curve)
    assert "Too small to tell</h1>" in html
    assert "quick learning curve, too small to tell" in html
    assert not re.search("worse|would not help|would bring|harm|worth it", html.partition("</style>")[2])


def test_more_data_is_described_for_the_family_that_is_ahead_on_val() -> None:
    up = interval(0.02, 0.01)
    assert (
        build_curve(up, up, None, val=(0.7, 0.8))
        .sentences[1]
        .startswith(
            "More data would not help for the traditional model, which is ahead on val; the deep network still gains: "
            "from 50\u202f% to 100\u202f% of train traditional"
        )
    )
    lower_is_ahead = build_curve(up, up, None, val=(0.7, 0.8), primary="log_loss")
    assert "More data would help" in lower_is_ahead.sentences[1]


def test_the_page_holds_the_sentences_the_pictures_and_every_fit() -> None:
    curve = build_curve(interval(0.02, 0.01), interval(0.02, 0.03), interval(0.0, 0.1))
    html = learning.build_page("shop", curve)
    assert html.count("<svg") == 2
    assert "Deep learning is worth it here</h1>" in html
    for sentence in curve.sentences[1:]:
        assert sentence in html
    assert ">300<" in html
    assert ">597<" in html
