"""Reasons: what raises and lowers a score, for groups, for words, and for single customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import plot_inline
from perennial.report.context import AnyReport, ExplainedRow
from perennial.results.explain import GroupEffect, WordEffect
from perennial.results.figures import Interval

_MOST_GROUPS, _MOST_OF_A_COLUMN, _MOST_OF_A_CLASS = 8, 2, 5


@dataclass(frozen=True)
class ReasonsView:
    """What reasons.html.j2 shows."""

    report: AnyReport

    @property
    def word_columns(self) -> list[tuple[str, Sequence[WordEffect]]]:
        """Words under their headings; empty where no text was read."""
        summary = self.report.explain.words
        if summary is None or not any(words.raises or words.lowers for words in summary.outputs.values()):
            return []
        if len(summary.outputs) == 1:
            (words,) = summary.outputs.values()
            return [("Raise the score", words.raises), ("Lower the score", words.lowers)]
        return [(name, words.raises[:_MOST_OF_A_CLASS]) for name, words in summary.outputs.items() if words.raises]

    def draw_word(self, word: WordEffect) -> Markup:
        effects = [word.effect for _, words in self.word_columns for word in words]
        width = max(max(abs(effect.low), abs(effect.high)) for effect in effects)
        span = (0.0, width) if word.effect.value > 0 else (-width, 0.0)
        return plot_inline(word.effect, span, label=f"{word.word}: {n.difference(word.effect.value, 2)}", filled=True)

    def two_places(self, change: float) -> str:
        return n.difference(change, 2)

    @property
    def groups(self) -> list[GroupEffect]:
        """The first groups, at most two of a column."""
        selected: list[GroupEffect] = []
        for group in self.report.explain.groups:
            if sum(other.column == group.column for other in selected) < _MOST_OF_A_COLUMN:
                selected.append(group)
        return selected[:_MOST_GROUPS]

    def draw_group(self, group: GroupEffect, unit: str) -> Markup:
        width = max(abs(other.effect) for other in self.groups)
        return draw_bar(group.effect, width, f"{n.difference(group.effect, 2)} {unit}")

    @property
    def are_photos(self) -> bool:
        rows = self.report.customers
        return bool(rows) and all(row.heat for row in rows)

    @property
    def are_quoted(self) -> bool:
        return any(row.quotes for row in self.report.customers)

    @property
    def photos(self) -> list[ExplainedRow]:
        """Customers by their photo: the heat map is the reason."""
        return [replace(row, reasons="") for row in self.report.customers]


def draw_bar(value: float, width: float, label: str) -> Markup:
    """A bar from zero to the value on a span from −width to width."""
    return plot_inline(Interval(value=value, low=value, high=value), (-width, width), label=label, filled=True)
