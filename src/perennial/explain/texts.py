"""Text explanations: the words with the strongest effects on a score, and quotes with marked words.

Suffixes: N rows, W words of a row, O outputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.serving import FeatureColumn
from perennial.data.masking import mask_contacts
from perennial.data.names import ROW_ID
from perennial.evaluation.statistics.intervals import LEVEL, mean_interval
from perennial.models.encoding.text import find_words
from perennial.results.explain import StrongestWords, WordEffect

F64 = NDArray[np.float64]
WordRow = dict[str, str | int | float]  # an effect of a word as a table and a summary have it
_QUOTED = 260  # characters of a text that are quoted
_AROUND = 4  # words on each side of a strong one
_FAINT = 0.25  # of a row's strongest word; what does less is not marked


class TextPiece(NamedTuple):
    """A piece of a quoted text, and its effect as a share of that of the row's strongest word, in [-1, 1]."""

    text: str
    part: float


def find_strongest_words(words: Sequence[Sequence[str]], parts_NWO: F64, outputs: Sequence[str], least: int) -> list[WordEffect]:
    """Find the words of at least `least` rows whose effect on an output has an interval without 0, the most raising first."""
    rows = defaultdict[str, list[F64]](list)
    for row_words, parts_WO in zip(words, parts_NWO, strict=True):
        for word, part_O in zip(row_words, parts_WO, strict=False):  # behind a row's last word there is nothing
            rows[word].append(part_O)
    effects = [
        WordEffect(output=output, word=word, rows=len(parts), effect=mean_interval(np.array(parts)[:, o], LEVEL))
        for o, output in enumerate(outputs)
        for word, parts in rows.items()
        if len(parts) >= max(least, 2)
    ]
    sure = [word for word in effects if word.effect.low > 0 or word.effect.high < 0]
    return sorted(sure, key=lambda word: (outputs.index(word.output), -word.effect.value, word.word))


def tabulate_words(words: Sequence[WordEffect]) -> pl.DataFrame:
    """One row for each word of an output."""
    figures = dict.fromkeys(("value", "low", "high"), pl.Float64)
    schema = {"output": pl.String, "word": pl.String, "rows": pl.Int64, **figures}
    rows = [{**word.model_dump(exclude={"effect"}), **word.effect.model_dump()} for word in words]
    return pl.DataFrame(rows, schema=schema)


def strongest_by_output(words: Sequence[WordEffect], outputs: Sequence[str], n: int) -> dict[str, StrongestWords]:
    """Pick the `n` words that raise each output most, and the `n` that lower it most, the strongest first."""
    by_output = {output: [word for word in words if word.output == output] for output in outputs}
    return {
        output: StrongestWords(
            raises=tuple(word for word in effects if word.effect.value > 0)[:n],
            lowers=tuple(word for word in effects[::-1] if word.effect.value < 0)[:n],
        )
        for output, effects in by_output.items()
    }


def quote_rows(rows: pl.DataFrame, texts: Sequence[FeatureColumn], words: Sequence[Sequence[str]], parts_NW: F64) -> pl.DataFrame:
    """Quote the texts of each row: row id, label of the column, pieces."""
    records = [
        {ROW_ID: row_id, "column": feature.label, "pieces": [piece._asdict() for piece in quote_text(text, effects)]}
        for row_id, effects, *row_texts in zip(
            rows[ROW_ID],
            (dict(zip(row_words, part_W, strict=False)) for row_words, part_W in zip(words, parts_NW, strict=True)),
            *(rows[feature.name] for feature in texts),
            strict=True,
        )
        for feature, text in zip(texts, row_texts, strict=True)
        if text
    ]
    pieces = pl.List(pl.Struct({"text": pl.String, "part": pl.Float64}))
    return pl.DataFrame(records, schema={ROW_ID: pl.String, "column": pl.String, "pieces": pieces})


def quote_text(text: str, parts: Mapping[str, float]) -> list[TextPiece]:
    """Quote a text around its strongest words, contact data masked, in pieces with their effects (the largest is 1)."""
    flat = " ".join(mask_contacts(text).split())
    tokens = find_words(flat)
    most = max((abs(part) for part in parts.values()), default=0.0) or 1.0
    share = [parts.get(word, 0.0) / most for word, _, _ in tokens]
    sizes = [end - start + 1 for _, start, end in tokens]
    chosen = _choose_words(sizes, share) if len(flat) > _QUOTED else range(len(tokens))
    pieces: list[TextPiece] = []
    at, last = 0, -1
    for i in chosen:
        _, start, end = tokens[i]
        pieces.append(TextPiece(flat[at:start] if i == last + 1 else " … ", 0.0))
        pieces.append(TextPiece(flat[start:end], share[i] if abs(share[i]) >= _FAINT else 0.0))
        at, last = end, i
    pieces.append(TextPiece(flat[at:] if last == len(tokens) - 1 else " …", 0.0))
    return _join_pieces(pieces)


def _choose_words(size: Sequence[int], share: Sequence[float]) -> list[int]:
    """The places of the strongest words with their neighbours, as many as fit; without strong words the start of the text."""
    chosen: set[int] = set()
    for i in sorted(range(len(size)), key=lambda i: -abs(share[i])):
        if chosen and abs(share[i]) < _FAINT:
            break
        more = set(range(max(i - _AROUND, 0), min(i + _AROUND + 1, len(size)))) - chosen
        if sum(size[j] for j in chosen | more) > _QUOTED:
            break
        chosen |= more
    return sorted(chosen)


def _join_pieces(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Join neighbouring pieces without effect, and drop empty ones."""
    out: list[TextPiece] = []
    for piece in pieces:
        if out and out[-1].part == 0 and piece.part == 0:
            out[-1] = TextPiece(out[-1].text + piece.text, 0.0)
        elif piece.text:
            out.append(piece)
    return out
