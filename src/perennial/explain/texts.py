"""What each word of each row does to a score in, the words that do most and quotes with marked words out.

Suffixes: N rows, W words of a row, O outputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.serving import FeatureColumn
from perennial.data.masking import mask_contacts
from perennial.data.names import ROW_ID
from perennial.evaluation.statistics.intervals import Interval, mean
from perennial.models.encoding.text import find_words

F64 = NDArray[np.float64]
_LEVEL = 0.95
_QUOTED = 260  # characters of a text that are quoted
_AROUND = 4  # words on each side of a strong one
_FAINT = 0.25  # of a row's strongest word; what does less is not marked


@dataclass(frozen=True, kw_only=True)
class WordEffect:
    """How much a word adds to a score (link scale) on average over the `n` rows in which it stands."""

    output: str
    word: str
    n: int
    effect: Interval


class TextPiece(NamedTuple):
    """A part of a quoted text, and what it does as a share of what the row's strongest word does, in [-1, 1]."""

    text: str
    part: float


def find_strongest_words(
    words: Sequence[Sequence[str]], parts_NWO: F64, outputs: Sequence[str], least: int
) -> list[WordEffect]:  # fmt: skip
    """Of each output the words that surely raise or lower it, what raises most first; those of fewer rows are left out."""
    rows = defaultdict[str, list[F64]](list)
    for said, parts_WO in zip(words, parts_NWO, strict=True):
        for word, part_O in zip(said, parts_WO, strict=False):  # behind a row's last word there is nothing
            rows[word].append(part_O)
    found = [
        WordEffect(output=output, word=word, n=len(parts), effect=mean(np.array(parts)[:, o], _LEVEL))
        for o, output in enumerate(outputs)
        for word, parts in rows.items()
        if len(parts) >= max(least, 2)
    ]
    sure = [word for word in found if word.effect.low > 0 or word.effect.high < 0]
    return sorted(sure, key=lambda word: (outputs.index(word.output), -word.effect.value, word.word))


def tabulate_words(words: Sequence[WordEffect]) -> pl.DataFrame:
    """A word of an output a row."""
    figures = dict.fromkeys(("value", "low", "high"), pl.Float64)
    schema = {"output": pl.String, "word": pl.String, "rows": pl.Int64, **figures}
    return pl.DataFrame([_plain(word) for word in words], schema=schema)


def pick_extremes(
    words: Sequence[WordEffect], outputs: Sequence[str], n: int
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The `n` words that raise each output most, and the `n` that lower it most, the strongest first."""
    told = {output: [word for word in words if word.output == output] for output in outputs}
    return {
        output: {
            "raise": [_plain(word) for word in found if word.effect.value > 0][:n],
            "lower": [_plain(word) for word in found[::-1] if word.effect.value < 0][:n],
        }
        for output, found in told.items()
    }


def quote_rows(
    rows: pl.DataFrame, texts: Sequence[FeatureColumn], words: Sequence[Sequence[str]], parts_NW: F64
) -> pl.DataFrame:
    """The texts of each row as quotes: row id, what a reader calls the column, pieces."""
    found = [
        {ROW_ID: row_id, "column": feature.label, "pieces": [piece._asdict() for piece in quote_text(text, does)]}
        for row_id, does, *said in zip(
            rows[ROW_ID],
            (dict(zip(known, part_W, strict=False)) for known, part_W in zip(words, parts_NW, strict=True)),
            *(rows[feature.name] for feature in texts),
            strict=True,
        )
        for feature, text in zip(texts, said, strict=True)
        if text
    ]
    pieces = pl.List(pl.Struct({"text": pl.String, "part": pl.Float64}))
    return pl.DataFrame(found, schema={ROW_ID: pl.String, "column": pl.String, "pieces": pieces})


def quote_text(text: str, parts: Mapping[str, float]) -> list[TextPiece]:
    """A text without contact data, cut around its strongest words, in pieces with what each does (most is 1)."""
    flat = " ".join(mask_contacts(text).split())
    found = find_words(flat)
    most = max((abs(part) for part in parts.values()), default=0.0) or 1.0
    share = [parts.get(word, 0.0) / most for word, _, _ in found]
    kept = _kept([end - start + 1 for _, start, end in found], share) if len(flat) > _QUOTED else range(len(found))
    pieces: list[TextPiece] = []
    at, last = 0, -1
    for i in kept:
        _, start, end = found[i]
        pieces.append(TextPiece(flat[at:start] if i == last + 1 else " … ", 0.0))
        pieces.append(TextPiece(flat[start:end], share[i] if abs(share[i]) >= _FAINT else 0.0))
        at, last = end, i
    pieces.append(TextPiece(flat[at:] if last == len(found) - 1 else " …", 0.0))
    return _joined(pieces)


def _plain(word: WordEffect) -> dict[str, Any]:
    return {"output": word.output, "word": word.word, "rows": word.n, **asdict(word.effect)}


def _kept(size: Sequence[int], share: Sequence[float]) -> list[int]:
    """The places of the strongest words with their neighbours, as many as fit; of a text that says nothing its start."""
    kept: set[int] = set()
    for i in sorted(range(len(size)), key=lambda i: -abs(share[i])):
        if kept and abs(share[i]) < _FAINT:
            break
        more = set(range(max(i - _AROUND, 0), min(i + _AROUND + 1, len(size)))) - kept
        if sum(size[j] for j in kept | more) > _QUOTED:
            break
        kept |= more
    return sorted(kept)


def _joined(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Neighbours that do nothing as one piece; empty ones go."""
    out: list[TextPiece] = []
    for piece in pieces:
        if out and out[-1].part == 0 and piece.part == 0:
            out[-1] = TextPiece(out[-1].text + piece.text, 0.0)
        elif piece.text:
            out.append(piece)
    return out
