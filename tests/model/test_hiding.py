"""What scores lose when words and parts of photos are hidden: what was planted leads, in every family."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from perennial.contract.head import Head
from perennial.contract.model import Money
from perennial.contract.serving import FeatureColumn, ServingView
from perennial.data.io.images import SIDE, decode_pictures, encode_jpeg
from perennial.explain.photos import ProbabilityOf, build_heat_maps, check_deletion, draw_overlay, mask_hottest
from perennial.explain.texts import find_strongest_words
from perennial.models.encoding.encode import fit_encoding
from perennial.models.model import FitRows, FitTask
from perennial.models.traditional.kernel import fit_kernel
from perennial.results.families import Family
from perennial.scoring.bundle import Bundle, background_rows
from perennial.scoring.calibration import calibrate
from perennial.scoring.occlusion import measure_words, probability_of_prediction
from tests.model.builders import LEARNING, baseline_params
from tests.model.reviews import BAD, GOOD, Read, reviews

pytestmark = pytest.mark.model

DIGITS = load_digits()
U8 = NDArray[np.uint8]


@pytest.mark.parametrize("family", LEARNING)
def test_the_planted_words_lead_both_ways(read: Read, family: Family) -> None:
    rows = reviews(200, 8)[0]
    result = measure_words(read(family), rows)
    words = find_strongest_words(result.words, result.parts, ["probability"], 10)
    does = {word.word: word.effect.value for word in words}
    assert min(does.get(word, 0) for word in BAD) > max(does[word] for word in GOOD) + 1
    if family != "boosted":  # trees read directions, in which words that stand together share what they say
        assert {word.word for word in words[:3]} == set(BAD)
        assert {word.word for word in words[-3:]} == set(GOOD)


@pytest.mark.parametrize("family", LEARNING)
def test_a_word_counts_by_what_the_score_of_the_row_loses_without_it(read: Read, family: Family) -> None:
    bundle = read(family)
    rows = pl.DataFrame({"age": [40, 50], "title": [None, "I hate it"], "review": ["zebra", "The dress is cheap!"]})
    result = measure_words(bundle, rows)
    assert result.words == [["zebra"], sorted(["i", "hate", "it", "the", "dress", "is", "cheap", "!"])]
    assert result.parts.shape == (2, 8, 1)
    assert abs(result.parts[0]).max() < 1e-6, "what training did not know says nothing, and there is nothing behind it"
    unread = rows.with_columns(title=pl.Series([None, "I \ue000 it"]))
    link = [bundle.model.link(bundle.encoding.encode(frame))[1, 0] for frame in (rows, unread)]
    assert result.parts[1, result.words[1].index("hate"), 0] == pytest.approx(link[0] - link[1], abs=1e-6)


def enlarged(which: slice) -> U8:
    """Digits as photos of SIDE px, the figure dark on a light ground."""
    grey = np.kron(255 - 15 * DIGITS.images[which], np.ones((1, SIDE // 8, SIDE // 8))).astype(np.uint8)
    return np.repeat(grey[:, None], 3, axis=1)


@pytest.fixture(scope="module")
def digits() -> tuple[U8, ProbabilityOf]:
    """A hundred digits, and the chance that a logistic regression gives its own answer for each of them when changed."""
    small = 16 - DIGITS.images.reshape(-1, 64)
    model = LogisticRegression(C=0.01, max_iter=500).fit(small[:1000], DIGITS.target[:1000])
    pixels = enlarged(slice(1000, 1100))
    said = model.predict(small[1000:1100])

    def chance(which: NDArray[np.int64], changed: U8) -> NDArray[np.float64]:
        cells = changed[:, 0].reshape(-1, 8, SIDE // 8, 8, SIDE // 8).mean(axis=(2, 4)) / 255 * 16
        document: NDArray[np.float64] = model.predict_proba(cells.reshape(-1, 64))[np.arange(len(which)), said[which]]
        return document

    return pixels, chance


def test_maps_of_what_was_hidden_pass_the_deletion_check(digits: tuple[U8, ProbabilityOf]) -> None:
    pixels, chance = digits
    check = check_deletion(pixels, build_heat_maps(pixels, chance), chance, share=0.2, seed=1)
    assert check.passes
    assert check.n == 100
    assert check.drop.value > 0.2
    assert 0 < check.another.low < check.elsewhere.value


@pytest.mark.parametrize("seed", range(3))
def test_a_random_map_fails_the_deletion_check(digits: tuple[U8, ProbabilityOf], seed: int) -> None:
    pixels, chance = digits
    noise = np.random.Generator(np.random.PCG64(seed)).random((len(pixels), SIDE, SIDE))
    assert not check_deletion(pixels, noise, chance, share=0.2, seed=1).passes


def test_one_map_for_all_photos_fails_the_deletion_check(digits: tuple[U8, ProbabilityOf]) -> None:
    """The middle matters in every digit, but a map that always says so knows nothing of the photo."""
    pixels, chance = digits
    same = np.broadcast_to(build_heat_maps(pixels, chance).mean(axis=0), (len(pixels), SIDE, SIDE))
    check = check_deletion(pixels, same, chance, share=0.2, seed=1)
    assert check.another.value == 0
    assert not check.passes


def test_few_photos_prove_nothing(digits: tuple[U8, ProbabilityOf]) -> None:
    pixels, chance = digits
    few = pixels[:63]
    assert not check_deletion(few, build_heat_maps(few, chance), chance, share=0.2, seed=1).passes


def test_a_map_is_hot_where_the_one_thing_is_that_is_looked_at() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    pixels = rng.integers(0, 256, (3, 3, SIDE, SIDE)).astype(np.uint8)
    pixels[:, :, 8:24, 40:56] = 255

    def chance(which: NDArray[np.int64], changed: U8) -> NDArray[np.float64]:
        return changed[:, :, 8:24, 40:56].mean(axis=(1, 2, 3)) / 256

    heat = build_heat_maps(pixels, chance)
    hot = mask_hottest(heat, 0.04)
    assert hot.sum(axis=(1, 2)).tolist() == [256] * 3
    assert (hot[:, 8:24, 40:56].sum(axis=(1, 2)) > 200).all()
    assert np.abs(heat[:, 50:]).max() < 1e-12
    shown = draw_overlay(pixels[0], heat[0])
    assert shown[2, 16, 48] > shown[0, 16, 48], "blue where it is hot"
    assert len(set(shown[:, 70, 10].tolist())) == 1, "grey elsewhere"


def test_a_bundle_of_photos_tells_the_chance_of_its_own_answer() -> None:
    pixels = enlarged(slice(0, 260))
    y = DIGITS.target[:260].astype(np.float64)
    frame = pl.DataFrame({"photo": [encode_jpeg(photo) for photo in pixels]})
    head = Head(task="multiclass", outputs=tuple(map(str, range(10))))
    features = (FeatureColumn(name="photo", kind="image", label="photo"),)
    encoding, x = fit_encoding(frame, features, y, 1)
    arm = np.zeros(len(y), np.int64)
    rows = FitRows(x=x, y=y, arm=arm)
    model = fit_kernel(FitTask(train=rows, val=rows, head=head, encoding=encoding, params=baseline_params()))
    serving = ServingView(head=head, costs=(0.0,), features=features, money=Money())
    bundle = Bundle(
        family="kernel",
        model=model,
        encoding=encoding,
        serving=serving,
        params={},
        split={},
        calibration=calibrate(head, model.link(x), y, arm),
        background=background_rows(frame, serving, 1),
    )
    rows = frame[:8]
    chance = probability_of_prediction(bundle, rows)
    observed = decode_pictures(rows["photo"])
    score = bundle.calibration.score(model.link(encoding.encode(rows)))
    every = np.arange(8)
    np.testing.assert_allclose(chance(every, observed), score.max(axis=1), atol=1e-9)
    grey = np.full_like(observed, 128)
    assert (chance(every, grey) < score.max(axis=1)).all()
    turned = chance(every[::-1], observed[::-1])
    np.testing.assert_allclose(turned[::-1], chance(every, observed), atol=1e-9)
    assert all(len(encode_jpeg(photo)) <= 4096 for photo in observed)
