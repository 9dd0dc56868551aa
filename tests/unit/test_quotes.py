"""Words that do most, and quotes that show where: planted ones lead, rare ones are left out, nothing is made up."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.contract.serving import FeatureColumn
from perennial.explain.texts import find_strongest_words, quote_rows, quote_text, strongest_by_output, tabulate_words
from perennial.models.encoding.text import HIDDEN, Grams, TextTable, find_words, hide_word

pytestmark = pytest.mark.unit


def planted(n: int = 60) -> tuple[list[list[str]], np.ndarray]:
    """Rows of three words: `awful` raises, `lovely` lowers, `dress` does nothing sure, `once` stands in two rows only."""
    rng = np.random.Generator(np.random.PCG64(1))
    words, parts = [], np.zeros((n, 3, 1))
    for i in range(n):
        said = ["awful" if i % 2 else "lovely", "dress", *(["once"] if i < 2 else [])]
        does = [1.0 if i % 2 else -0.7, 0.0, 9.0]
        words.append(said)
        parts[i, : len(said), 0] = np.array(does)[: len(said)] + 0.1 * rng.standard_normal(len(said))
    return words, parts


def test_the_planted_word_leads_and_what_is_rare_or_does_nothing_sure_is_left_out() -> None:
    words, parts = planted()
    result = find_strongest_words(words, parts, ["chance"], 10)
    assert [(word.word, word.rows) for word in result] == [("awful", 30), ("lovely", 30)]
    assert result[0].effect.low < 1.0 < result[0].effect.high
    assert result[0].effect.value == pytest.approx(parts[1::2, 0, 0].mean())
    assert [word.word for word in find_strongest_words(words, parts, ["chance"], 2)] == ["once", "awful", "lovely"]
    assert tabulate_words(result).columns == ["output", "word", "rows", "value", "low", "high"]
    strongest = strongest_by_output(result, ["chance"], 1)["chance"]
    assert [word.word for word in strongest.raises + strongest.lowers] == ["awful", "lovely"]


def test_words_are_told_for_each_output() -> None:
    words, parts = planted()
    result = find_strongest_words(words, np.concatenate([parts, -parts], axis=2), ["a", "b"], 10)
    assert [(word.output, word.word) for word in result] == [("a", "awful"), ("a", "lovely"), ("b", "lovely"), ("b", "awful")]


@given(st.text(max_size=200))
def test_a_short_text_is_quoted_whole(text: str) -> None:
    flat = " ".join(text.split())
    shown = "".join(piece.text for piece in quote_text(text, {}))
    assert shown == flat or "•••" in shown
    assert all(flat[start:end].lower() == word for word, start, end in find_words(flat))


def test_a_quote_marks_each_place_of_a_word_by_what_it_does() -> None:
    result = quote_text("Not nice. I did NOT like it; the colour is fine", {"not": 2.0, "fine": -1.0, "the": 0.1})
    assert [(piece.text, piece.part) for piece in result if piece.part] == [("Not", 1.0), ("NOT", 1.0), ("fine", -0.5)]


def test_a_long_text_is_cut_around_its_strongest_words() -> None:
    text = " ".join(f"w{i}" for i in range(400))
    result = quote_text(text, {"w300": 1.0, "w50": -0.9})
    shown = "".join(piece.text for piece in result)
    assert "w299 w300 w301" in shown
    assert "w49 w50 w51" in shown
    assert shown.index("w50") < shown.index("w300")
    assert shown.startswith(" … ")
    assert shown.endswith(" …")
    assert len(shown) < 400 < len(text)


def test_quotes_are_of_the_texts_that_there_are() -> None:
    rows = pl.DataFrame({"row_id": ["a-1", "a-2"], "title": [None, "Awful"], "said": ["so awful", ""]})
    texts = [FeatureColumn(name=name, kind="text", label=name.upper()) for name in ("title", "said")]
    table = quote_rows(rows, texts, [["awful", "so"], ["awful"]], np.array([[0.2, -0.4], [0.5, 0.0]]))
    assert table.select("row_id", "column").rows() == [("a-1", "SAID"), ("a-2", "TITLE")]
    assert [piece["part"] for piece in table["pieces"][0]] == [-1.0, 0.0, 0.5]


def test_a_hidden_word_is_known_to_no_table_and_pairs_with_no_neighbour() -> None:
    frame = pl.DataFrame({"t": ["very bad dress", "bad dress", "very bad", "very dress"] * 5})
    table = TextTable.of(frame, ["t"])
    hidden = hide_word("Very BAD dress", "bad")
    assert hidden == f"very {HIDDEN} dress"
    assert [word for word, _, _ in find_words(hidden)] == ["very", "dress"]
    read = table.encode(pl.DataFrame({"t": [hidden, "very", "dress"]})).grams_NJ
    one, very, dress = (set(read[i].indices) for i in range(3))
    assert one == very | dress, "neither the word nor `very dress`, which training knew, is there"
    assert HIDDEN not in TextTable.of(pl.DataFrame({"t": [HIDDEN] * 9 + ["a"]}), ["t"]).vocabulary
    assert len(Grams.of([f"a {HIDDEN} b"] * 3).bucket_J) == 2
