"""Made reviews whose words tell the outcome, and a bundle of each family that has read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from perennial.config.train import WordParams
from perennial.contract.model import Money
from perennial.contract.serving import FeatureColumn, ServingView
from perennial.models.encoding.encode import fit_encoding
from perennial.models.model import FitRows
from perennial.results.families import Family
from perennial.scoring.blend import blend_bundles
from perennial.scoring.bundle import Bundle, background_rows
from perennial.scoring.calibration import calibrate
from tests.model.builders import F64, HEADS, fitted

FEATURES = (
    FeatureColumn(name="age", kind="numeric", label="age"),
    FeatureColumn(name="title", kind="text", label="title"),
    FeatureColumn(name="review", kind="text", label="review"),
)
GOOD, BAD = ("love", "perfect", "soft"), ("hate", "returned", "cheap")
WORDS = WordParams(width=8, word_dropout=0.1, dropout=0.1)
Read = Callable[[Family], Bundle]


def reviews(n: int, seed: int) -> tuple[pl.DataFrame, F64, np.ndarray]:
    """Rows whose outcome their words tell in nine of ten cases; every fifth title and tenth review is missing."""
    rng = np.random.Generator(np.random.PCG64(seed))
    y = rng.integers(0, 2, n).astype(np.float64)
    said = [rng.choice(BAD if (bad == 1) == (rng.random() < 0.9) else GOOD) for bad in y]
    texts = [f"The {x} is {w}! So {w}." for x, w in zip(rng.choice(["dress", "shirt", "skirt"], n), said, strict=True)]
    frame = pl.DataFrame(
        {
            "age": rng.integers(18, 80, n),
            "title": [None if i % 5 == 0 else f"I {word} it" for i, word in enumerate(said)],
            "review": [None if i % 10 == 0 else text for i, text in enumerate(texts)],
        }
    )
    return frame, y, np.zeros(n, np.int64)


def reader(room: Callable[[str], Path]) -> Read:
    """The bundle of a family that has read 500 reviews."""
    head, built = HEADS["binary"], dict[Family, Bundle]()
    serving = ServingView(head=head, costs=(0.0,), features=FEATURES, money=Money())
    (train, y, arm), (val, y_val, arm_val) = reviews(500, 1), reviews(250, 2)
    encoding, x = fit_encoding(train, FEATURES, y, 1)
    x_val = encoding.encode(val)
    rows = FitRows(x=x, y=y, arm=arm), FitRows(x=x_val, y=y_val, arm=arm_val)

    def give(family: Family) -> Bundle:
        if family == "blend":
            return blend_bundles(give("boosted"), give("deep"), val, y_val, arm_val)
        if family not in built:
            folder = room(family)
            model = fitted(family, head, encoding, *rows, folder, words=WORDS, epochs=2)
            built[family] = Bundle(
                family=family,
                model=model,
                encoding=encoding,
                serving=serving,
                params={},
                split={},
                calibration=calibrate(head, model.link(x_val), y_val, arm_val),
                background=background_rows(train, serving, 1),
            )
        return built[family]

    return give
