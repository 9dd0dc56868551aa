"""Texts as numbers: words as they are read, what training knew of them, and nothing of rows that training did not see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from perennial.contract.serving import FeatureColumn
from perennial.models.encoding.encode import Encoding, fit_encoding
from perennial.models.encoding.text import MAX_WORDS, PAD, UNKNOWN, Grams, TextTable, build_vocabulary, encode_words, hash_grams

pytestmark = pytest.mark.unit

TITLE, REVIEW = (FeatureColumn(name=name, kind="text", label=name) for name in ("title", "review"))
NOUNS = ["dress", "shirt", "skirt", "colour", "fit", "size"]
BUSY = [" ".join(np.random.Generator(np.random.PCG64(i)).choice(list("abcdefghijklm"), 6)) for i in range(120)]
SAID = ["love", "hate", "returned", "perfect", "cheap", "soft"]


def reviews(n: int = 300, seed: int = 1) -> tuple[pl.DataFrame, np.ndarray]:
    """Two columns of a few words; who says `love` or `perfect` recommends."""
    rng = np.random.Generator(np.random.PCG64(seed))
    said = rng.integers(0, 6, n)
    one, other = rng.choice(NOUNS, (2, n))
    texts = [f"This {a} is {SAID[s]}, the {b} too!" for a, b, s in zip(one, other, said, strict=True)]
    titles = [None if i % 7 == 0 else f"{SAID[s].upper()} it" for i, s in enumerate(said)]
    return pl.DataFrame({"title": titles, "review": texts}), np.isin(said, [0, 3]).astype(np.float64)


def words_of(text: str) -> list[str]:
    """The words of one text, as its codes say."""
    vocabulary = build_vocabulary([text, text])
    return [vocabulary[code - 2] for code in encode_words([text], vocabulary)[0] if code != PAD]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't RUN!", ["don't", "run", "!"]),
        ("a size-8 dress, 100% cotton.", ["a", "size", "8", "dress", "100", "cotton", "."]),
        ("what?!", ["what", "?", "!"]),
        ("'quoted' ''", ["quoted"]),
        ("tab\tand\nline", ["tab", "and", "line"]),
        ("", []),
        ("— …", []),
    ],
)
def test_words_are_letters_figures_and_the_signs_that_say_how(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_codes_follow_how_common_a_word_is_and_then_the_alphabet() -> None:
    vocabulary = build_vocabulary(["b b b c", "c a a", "z"])
    assert vocabulary == ("b", "a", "c")  # z stands once: not known
    coded = encode_words(["c z b", "", "never seen a"], vocabulary)
    assert coded.shape == (3, MAX_WORDS)
    assert coded[0, :4].tolist() == [4, UNKNOWN, 2, PAD]
    assert not coded[1].any()
    assert coded[2, :4].tolist() == [UNKNOWN, UNKNOWN, 3, PAD]
    assert coded.max() < len(vocabulary) + 2


def test_only_the_first_words_of_a_long_text_are_read_in_order() -> None:
    text = " ".join(["a", "b"] * MAX_WORDS)
    coded = encode_words([text], ("a", "b"))
    assert coded[0].tolist() == [2, 3] * (MAX_WORDS // 2)


def test_a_bucket_is_the_same_on_every_machine() -> None:
    """crc32 of the bytes, so nothing depends on a process's own hash."""
    assert hash_grams("Love it") == [0x5782501D % 2**18, 0xA28E7734 % 2**18, 0x89A87515 % 2**18]


def test_weights_are_tf_idf_as_scikit_learn_has_it() -> None:
    texts = [*reviews(200)[0]["review"], "soft soft soft dress", "", "fit"]
    theirs = TfidfVectorizer(
        tokenizer=lambda text: words_of(text), token_pattern=None, ngram_range=(1, 2), min_df=2, sublinear_tf=True
    ).fit_transform(texts)
    ours = Grams.of(texts).weigh(texts)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose((ours @ ours.T).toarray(), (theirs @ theirs.T).toarray(), atol=1e-9)
    lengths = np.sqrt(np.asarray(ours.multiply(ours).sum(axis=1)).ravel())
    np.testing.assert_allclose(lengths, [*[1.0] * 201, 0.0, 1.0])


def test_words_that_training_did_not_know_weigh_nothing() -> None:
    grams = Grams.of(["good dress", "good shirt", "good dress"])
    weighed = grams.weigh(["good dress", "good horse good", "horse", ""])
    assert weighed.shape == (4, len(grams.bucket_J)) == (4, 3)  # good, dress, good dress
    assert weighed[2].nnz == weighed[3].nnz == 0
    assert weighed[1].nnz == 1


def test_directions_are_orthonormal_sorted_and_the_same_each_time() -> None:
    """Also where there are fewer than are asked for: 22 in these 54 words and pairs."""
    for texts, expected in ((list(reviews(400)[0]["review"]), 22), (BUSY, 32)):
        first, again = Grams.of(texts), Grams.of(texts)
        assert np.array_equal(first.axes_JS, again.axes_JS)
        n = first.axes_JS.shape[1]
        assert n == expected
        np.testing.assert_allclose(first.axes_JS.T @ first.axes_JS, np.eye(n), atol=1e-9)
        result = np.linalg.norm(first.weigh(texts) @ first.axes_JS, axis=0)
        assert (np.diff(result) < 1e-9).all(), "the widest first"
        assert (first.axes_JS[np.abs(first.axes_JS).argmax(axis=0), np.arange(n)] > 0).all(), "and of one sign"
        exact = np.linalg.svd(first.weigh(texts).toarray(), compute_uv=False)[:n]
        np.testing.assert_allclose(result, exact, rtol=1e-6)


@pytest.mark.parametrize("texts", [[], ["one"], ["", "", ""], ["a a", "b b"]])
def test_a_column_without_a_common_word_still_encodes(texts: list[str]) -> None:
    frame = pl.DataFrame({"review": texts}, schema={"review": pl.String})
    table = TextTable.of(frame, ["review"])
    result = table.encode(frame)
    assert result.code_NT.shape == (len(texts), MAX_WORDS)
    assert result.grams_NJ.shape[0] == result.topics_NS.shape[0] == len(texts)


def test_null_and_empty_texts_are_alike_and_all_pads() -> None:
    frame, y = reviews()
    encoding, _ = fit_encoding(frame, [TITLE, REVIEW], y, 1)
    coming = pl.DataFrame({"title": [None, "", "love it"], "review": [None, "", None]})
    document = encoding.encode(coming).texts
    assert document is not None
    assert np.array_equal(document.code_NT[0], document.code_NT[1])
    assert (document.code_NT[:2] > PAD).sum() == 2, "the stop between two columns"
    assert (document.grams_NJ[:2].nnz, document.grams_NJ[2].nnz) == (0, 3)
    assert not document.topics_NS[:2].any()


def test_the_texts_of_a_row_stand_one_after_another_and_each_column_has_its_own_weights() -> None:
    frame, y = reviews()
    encoding, x = fit_encoding(frame, [REVIEW, TITLE], y, 1)
    assert encoding.texts is not None
    assert x.texts is not None
    assert encoding.columns == ["review", "title"]
    owners, sizes = encoding.text_owners
    assert owners == [0, 1]
    assert sum(sizes) == x.texts.grams_NJ.shape[1]
    assert sum(encoding.topic_owners[1]) == x.texts.topics_NS.shape[1]
    swapped = encoding.encode(frame.rename({"title": "review", "review": "title"})).texts
    assert swapped is not None
    assert not np.array_equal(swapped.topics_NS, x.texts.topics_NS)
    some = x.take(slice(5, 9)).texts
    assert some is not None
    assert np.array_equal(some.code_NT, x.texts.code_NT[5:9])
    assert (some.grams_NJ != x.texts.grams_NJ[5:9]).nnz == 0


def test_rows_that_are_no_training_rows_change_nothing_that_is_saved(tmp_path: Path) -> None:
    """Vocabulary, idf and directions are of train alone; encoding other rows leaves the table as it was."""
    frame, y = reviews()
    encoding, _ = fit_encoding(frame, [TITLE, REVIEW], y, 1)
    (tmp_path / "before").mkdir()
    encoding.save(tmp_path / "before")
    other = pl.DataFrame({"title": ["zebra zebra"] * 500, "review": ["zebra love"] * 500})
    document = encoding.encode(other).texts
    assert document is not None
    assert (document.code_NT == UNKNOWN).any()
    (tmp_path / "after").mkdir()
    encoding.save(tmp_path / "after")
    for name in ("encode.json", "encode.safetensors"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes()
    assert encoding.texts is not None
    assert "zebra" not in encoding.texts.vocabulary
    more, _ = fit_encoding(pl.concat([frame, other]), [TITLE, REVIEW], np.concatenate([y, np.zeros(500)]), 1)
    assert more != encoding, "as training rows they would"


def test_two_stages_that_fit_the_same_rows_get_the_same_encoding() -> None:
    """Or the network and the trees could not be blended."""
    frame, y = reviews()
    assert fit_encoding(frame, [TITLE, REVIEW], y, 1)[0] == fit_encoding(frame, [TITLE, REVIEW], y, 1)[0]


def test_a_saved_table_reads_texts_the_same(tmp_path: Path) -> None:
    frame, y = reviews()
    encoding, x = fit_encoding(frame, [TITLE, REVIEW], y, 1)
    encoding.save(tmp_path)
    again = Encoding.load(tmp_path)
    assert again == encoding
    document = again.encode(frame).texts
    assert document is not None
    assert x.texts is not None
    assert np.array_equal(document.code_NT, x.texts.code_NT)
    assert np.array_equal(document.topics_NS, x.texts.topics_NS)
    assert (document.grams_NJ != x.texts.grams_NJ).nnz == 0


def test_a_row_is_read_alike_wherever_it_stands() -> None:
    frame, y = reviews()
    encoding, x = fit_encoding(frame, [TITLE, REVIEW], y, 1)
    assert x.texts is not None
    for i in (0, 7, 123):
        alone = encoding.encode(frame[i : i + 1]).texts
        assert alone is not None
        assert np.array_equal(alone.code_NT[0], x.texts.code_NT[i])
        np.testing.assert_allclose(alone.topics_NS[0], x.texts.topics_NS[i], atol=1e-12)
