"""A report of texts in, the words that raise and lower a score out, and quotes with marked words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import inline
from perennial.report.context import AnyReport, QuotedText
from perennial.report.page import Block
from perennial.report.seen import Piece, Quote, WordBar, Words
from perennial.results.explain import StrongestWords, WordEffect

_OF_A_CLASS = 5
MARKS = "Words marked + raise it, words marked \u2212 lower it; the stronger, the darker."


def blocks(report: AnyReport, unit: str) -> list[Block]:
    """Words side by side: of one output those that raise and that lower it, of several those that raise each."""
    summary = report.explain.words
    if summary is None or not any(words.raises or words.lowers for words in summary.outputs.values()):
        return []
    columns = _columns(summary.outputs)
    width = max(max(abs(word.effect.low), abs(word.effect.high)) for _, words in columns for word in words)
    finding = "; ".join(
        f"{_listed([word.word for word in words[:2]])} {does}"
        for (_, words), does in zip(columns, ("raise it most", "lower it most"), strict=False)
        if words and len(summary.outputs) == 1
    )
    return [
        Words(
            finding=finding[:1].upper() + finding[1:] if finding else "The words that speak most for each class",
            described=f"What a score loses ({unit[:1].lower()}{unit[1:]}) when the word is hidden, mean over the rows that "
            f"hold it, 95\u202f% interval. Words of fewer than {summary.min_rows} of "
            f"{n.count(report.explain.rows)} test rows are left out.",
            columns=tuple((heading, tuple(_bar(word, width) for word in words)) for heading, words in columns),
        )
    ]


def quotes(texts: Sequence[QuotedText]) -> tuple[Quote, ...]:
    """The texts of a row, as the stage cut and measured them."""
    return tuple(
        Quote(label=quoted.label, pieces=tuple(Piece(text=text, part=part) for text, part in quoted.pieces))
        for quoted in texts
    )


def _columns(outputs: Mapping[str, StrongestWords]) -> list[tuple[str, Sequence[WordEffect]]]:
    if len(outputs) == 1:
        (words,) = outputs.values()
        return [("Raise the score", words.raises), ("Lower the score", words.lowers)]
    return [(name, words.raises[:_OF_A_CLASS]) for name, words in outputs.items() if words.raises]


def _bar(word: WordEffect, width: float) -> WordBar:
    effect = word.effect
    span = (0.0, width) if effect.value > 0 else (-width, 0.0)
    change = n.difference(effect.value, 2)
    return WordBar(
        word=word.word, bar=inline(effect, span, label=f"{word.word}: {change}", filled=True), change=change,
        interval=n.bracket(effect, partial(n.difference, places=2)), rows=f"{n.count(word.rows)} rows",
    )  # fmt: skip


def _listed(words: Sequence[str]) -> str:
    return " and ".join(f"\u201c{word}\u201d" for word in words)
