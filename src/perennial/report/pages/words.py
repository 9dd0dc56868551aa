"""A story of texts in, the words that raise and lower a score out, and quotes with marked words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from perennial.report.charts import numbers as n
from perennial.report.charts.intervals import inline
from perennial.report.context import Story, interval
from perennial.report.page import Block
from perennial.report.seen import Piece, Quote, WordBar, Words

_OF_A_CLASS = 5
MARKS = "Words marked + raise it, words marked \u2212 lower it; the stronger, the darker."


def blocks(story: Story, unit: str) -> list[Block]:
    """Words side by side: of one output those that raise and that lower it, of several those that raise each."""
    told = story.summaries["explain"].get("words")
    if not told or not any(ends["raise"] or ends["lower"] for ends in told["outputs"].values()):
        return []
    columns = _columns(told["outputs"])
    width = max(abs(word[end]) for _, words in columns for word in words for end in ("low", "high"))
    finding = "; ".join(
        f"{_listed([word['word'] for word in words[:2]])} {does}"
        for (_, words), does in zip(columns, ("raise it most", "lower it most"), strict=False)
        if words and len(told["outputs"]) == 1
    )
    return [
        Words(
            finding=finding[:1].upper() + finding[1:] if finding else "The words that speak most for each class",
            described=f"What a score loses ({unit[:1].lower()}{unit[1:]}) when the word is hidden, mean over the rows that "
            f"hold it, 95\u202f% interval. Words of fewer than {told['min_rows']} of "
            f"{n.count(story.summaries['explain']['rows'])} test rows are left out.",
            columns=tuple((heading, tuple(_bar(word, width) for word in words)) for heading, words in columns),
        )
    ]


def quotes(found: Sequence[Mapping[str, Any]]) -> tuple[Quote, ...]:
    """The texts of a row, as the stage cut and measured them."""
    return tuple(
        Quote(label=quote["column"], pieces=tuple(Piece(text=p["text"], part=p["part"]) for p in quote["pieces"]))
        for quote in found
    )


def _columns(outputs: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    if len(outputs) == 1:
        (ends,) = outputs.values()
        return [("Raise the score", ends["raise"]), ("Lower the score", ends["lower"])]
    return [(name, ends["raise"][:_OF_A_CLASS]) for name, ends in outputs.items() if ends["raise"]]


def _bar(word: Mapping[str, Any], width: float) -> WordBar:
    found = interval(word)
    span = (0.0, width) if found.value > 0 else (-width, 0.0)
    change = n.difference(found.value, 2)
    return WordBar(
        word=word["word"], bar=inline(found, span, label=f"{word['word']}: {change}", filled=True), change=change,
        interval=n.bracket(found, partial(n.difference, places=2)), rows=f"{n.count(word['rows'])} rows",
    )  # fmt: skip


def _listed(words: Sequence[str]) -> str:
    return " and ".join(f"\u201c{word}\u201d" for word in words)
