"""Occlusion: how much a score loses when a word, or a part of a photo, is hidden; one way for every family.

Suffixes: N rows, M changed rows, W words of a row, O outputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.evaluation.decisions.classes import class_probabilities
from perennial.explain.photos import ProbabilityOf
from perennial.models.encoding.text import find_words, hide_word
from perennial.scoring.bundle import Bundle

F64 = NDArray[np.float64]
_ROWS = 4096  # changed rows in memory at once


class WordParts(NamedTuple):
    """The words of each row, and what each adds to the row's link scores, (n, most words of a row, outputs)."""

    words: list[list[str]]
    parts: F64


def measure_words(bundle: Bundle, rows: pl.DataFrame) -> WordParts:
    """How much link scores fall when a word cannot be read, in any of the row's texts, however often it stands there."""
    table, encoded = bundle.encoding.texts, bundle.encoding.encode(rows)
    assert table is not None
    texts = {name: rows[name].fill_null("").to_list() for name in table.grams}
    words = [
        sorted({word for text in row_words for word, _, _ in find_words(text)}) for row_words in zip(*texts.values(), strict=True)
    ]
    row_M = np.repeat(np.arange(rows.height), [len(row_words) for row_words in words])
    word_M = [word for row_words in words for word in row_words]
    whole_NO = bundle.model.link(encoded)
    parts = np.zeros((rows.height, max(map(len, words), default=0), whole_NO.shape[1]))
    place_M = np.concatenate([np.arange(len(row_words)) for row_words in words]) if words else row_M
    for start in range(0, len(row_M), _ROWS):
        row, hidden = row_M[start : start + _ROWS], word_M[start : start + _ROWS]
        hidden_texts = {
            name: [hide_word(row_words[i], word) for i, word in zip(row, hidden, strict=True)]
            for name, row_words in texts.items()
        }
        changed = replace(encoded.take(row), texts=table.encode(pl.DataFrame(hidden_texts)))
        parts[row, place_M[start : start + _ROWS]] = whole_NO[row] - bundle.model.link(changed)
    return WordParts(words, parts)


def probability_of_prediction(bundle: Bundle, rows: pl.DataFrame) -> ProbabilityOf:
    """The calibrated probability of the predicted class of each of `rows`, as a function of photos that may be changed."""
    encoded = bundle.encoding.encode(rows)
    predicted_N = class_probabilities(bundle.calibration.score(bundle.model.link(encoded))).argmax(axis=1)

    def probability(which: NDArray[np.int64], pixels: NDArray[np.uint8]) -> F64:
        changed = replace(encoded.take(which), pixels_NCSS=pixels)
        score = class_probabilities(bundle.calibration.score(bundle.model.link(changed)))
        return np.asarray(score[np.arange(len(which)), predicted_N[which]])

    return probability
