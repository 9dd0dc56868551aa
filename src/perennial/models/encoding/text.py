"""Encoding of texts: the vocabulary and word weights of the training rows, and numbers for every family.

A text becomes the codes of its words in order (for a network), weighted counts of its words and pairs of words (for
linear models and the wide part of a network), and the main directions of those (for trees). Suffixes: N rows, T words,
J words and pairs, S directions.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack
from scipy.sparse.linalg import LinearOperator, eigsh

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
MAX_WORDS = 128  # of a row; what comes after is not read by the network
PAD, UNKNOWN = 0, 1  # codes that are no word
HIDDEN = "\ue000"  # replaces a hidden word: no table knows it, and it pairs with no neighbour
_WORD = re.compile(rf"[a-z0-9]+(?:'[a-z]+)?|[!?.]|{HIDDEN}")
_MOST = 30_000  # words of a vocabulary
_BUCKETS = 1 << 18
_RARE = 2  # a word, or a pair, of fewer rows is not known
_DIRECTIONS = 32
_THERE = 1e-10  # of the widest direction's variance; below it a direction is rounding


@dataclass(frozen=True, kw_only=True)
class Grams:
    """The J words and pairs of one column that are known from training, by hash, and their weights (idf).

    `axes_JS` are the main directions of the training rows (a truncated singular value decomposition).
    """

    bucket_J: I64
    idf_J: F64
    axes_JS: F64

    @classmethod
    def of(cls, texts: Sequence[str]) -> Grams:
        counts = Counter(bucket for text in texts for bucket in set(hash_grams(text)))
        frequent = sorted(bucket for bucket, rows in counts.items() if rows >= _RARE)
        rows_J = np.array([counts[bucket] for bucket in frequent], dtype=np.float64)
        idf_J = np.log((1 + len(texts)) / (1 + rows_J)) + 1
        none = cls(bucket_J=np.array(frequent, dtype=np.int64), idf_J=idf_J, axes_JS=np.zeros((len(frequent), 0)))
        return cls(bucket_J=none.bucket_J, idf_J=idf_J, axes_JS=_find_axes(none.weigh(texts)))

    def weigh(self, texts: Sequence[str]) -> csr_matrix:
        """TF-IDF (n, J) with log counts, each row of length 1 (or 0)."""
        place = {int(bucket): j for j, bucket in enumerate(self.bucket_J)}
        data: list[int] = []
        columns: list[int] = []
        ends = [0]
        for text in texts:
            row_counts = Counter(place[bucket] for bucket in hash_grams(text) if bucket in place)
            columns += row_counts.keys()
            data += row_counts.values()
            ends.append(len(columns))
        counts = csr_matrix((1 + np.log(np.array(data, dtype=np.float64)), columns, ends), (len(texts), len(place)))
        weighed = counts @ diags(self.idf_J)
        length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
        out = csr_matrix(diags(1 / np.where(length > 0, length, 1)) @ weighed)
        out.sort_indices()
        return out


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Encoded texts: codes of words in order, weighted words and pairs (of all columns side by side), directions."""

    code_NT: NDArray[np.int32]
    grams_NJ: csr_matrix
    topics_NS: F64

    def take(self, rows: Any) -> Texts:
        return Texts(code_NT=self.code_NT[rows], grams_NJ=self.grams_NJ[rows], topics_NS=self.topics_NS[rows])


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """The vocabulary of all text columns, and the words and pairs of each, from the training rows."""

    vocabulary: tuple[str, ...]
    grams: dict[str, Grams]

    @classmethod
    def of(cls, frame: pl.DataFrame, columns: Sequence[str]) -> TextTable:
        return cls(
            vocabulary=build_vocabulary(_join_columns(frame, columns)),
            grams={name: Grams.of(_fill_texts(frame, name)) for name in columns},
        )

    def encode(self, frame: pl.DataFrame) -> Texts:
        weighed = [grams.weigh(_fill_texts(frame, name)) for name, grams in self.grams.items()]
        topics = [part @ grams.axes_JS for part, grams in zip(weighed, self.grams.values(), strict=True)]
        codes = encode_words(_join_columns(frame, list(self.grams)), self.vocabulary)
        return Texts(code_NT=codes, grams_NJ=csr_matrix(hstack(weighed)), topics_NS=np.hstack(topics))

    @property
    def sizes(self) -> tuple[list[int], list[int]]:
        """The numbers of words and pairs, and of directions, of each column."""
        return [len(g.bucket_J) for g in self.grams.values()], [g.axes_JS.shape[1] for g in self.grams.values()]


def find_words(text: str) -> list[tuple[str, int, int]]:
    """Find the words of a text in order, each in the form of the tables, with its start and end."""
    lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)  # places stay as they are
    return [(match[0], match.start(), match.end()) for match in _WORD.finditer(lower) if match[0] != HIDDEN]


def hide_word(text: str, word: str) -> str:
    """Hide `word` wherever it stands in the text."""
    return _WORD.sub(lambda match: HIDDEN if match[0] == word else match[0], text.lower())


def build_vocabulary(texts: Sequence[str]) -> tuple[str, ...]:
    """The words of training texts, the commonest first."""
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    common = [word for word, n in counts.items() if n >= _RARE and word != HIDDEN]
    return tuple(sorted(common, key=lambda word: (-counts[word], word))[:_MOST])


def encode_words(texts: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.int32]:
    """Encode the first words of each text as codes (n, T), PAD behind the last."""
    codes = {word: code for code, word in enumerate(vocabulary, 2)}
    out = np.zeros((len(texts), MAX_WORDS), dtype=np.int32)
    for row, text in zip(out, texts, strict=True):
        row_codes = [codes.get(word, UNKNOWN) for word in _WORD.findall(text.lower())[:MAX_WORDS]]
        row[: len(row_codes)] = row_codes
    return out


def _join_columns(frame: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """Join the texts of a row, with a full stop between them."""
    texts = frame.select(pl.concat_str([pl.col(name).fill_null("") for name in columns], separator=" . "))
    return list(texts.to_series())


def _fill_texts(frame: pl.DataFrame, column: str) -> list[str]:
    return list(frame[column].fill_null(""))


def hash_grams(text: str) -> list[int]:
    """Hash words and pairs of neighbours to buckets; a hash of bytes is the same everywhere."""
    words = _WORD.findall(text.lower())
    grams = [*words, *(f"{a} {b}" for a, b in pairwise(words))]
    return [zlib.crc32(gram.encode()) % _BUCKETS for gram in grams if HIDDEN not in gram]


def _find_axes(weighed_NJ: csr_matrix) -> F64:
    """The widest directions (J, S) of the rows, the widest first: as many as there are, up to _DIRECTIONS."""
    most = min(_DIRECTIONS, min(weighed_NJ.shape) - 1)
    if most < 1:
        return np.zeros((weighed_NJ.shape[1], 0))
    by_row = weighed_NJ.shape[0] < weighed_NJ.shape[1]
    one = weighed_NJ if by_row else weighed_NJ.T
    start, rng = np.linspace(1, 2, one.shape[0]), np.random.default_rng(0)  # the same directions each time
    spread = LinearOperator((len(start), len(start)), matvec=lambda x: one @ (one.T @ x), dtype=np.float64)
    width_S, axes = eigsh(spread, k=most, v0=start, rng=rng)
    there = width_S > _THERE * max(width_S.max(), _THERE)
    axes_JS = (weighed_NJ.T @ axes if by_row else axes)[:, there][:, ::-1]
    axes_JS = axes_JS / np.linalg.norm(axes_JS, axis=0)
    return np.asarray(axes_JS * np.sign(axes_JS[np.abs(axes_JS).argmax(axis=0), np.arange(axes_JS.shape[1])]))
