"""Reasons: what raises and lowers a score, for groups, for words, and for single customers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import plot_inline
from perennial.contract.serving import build_head
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
        return plot_inline(word.effect, span, label=f"{word.word}: {self.show(word.effect.value)}", filled=True)

    @property
    def in_points(self) -> bool:
        """Whether parts are shown as points of a probability: of scores that are no amounts."""
        return self._base is not None

    def show(self, part: float) -> str:
        """A part of a score, as a reader understands it."""
        return n.difference(part, 2) if self._base is None else n.points(self._move(part))

    @property
    def _base(self) -> float | None:
        """The probability that a part moves: the mean one of test; None where scores are amounts."""
        match self.report.contract.task.kind:
            case "multiclass":
                base = self.report.figure("accuracy").value
            case "regression" | "clustering":
                return None
            case _:
                base = 1.0 if build_head(self.report.contract).amounts else self.report.split.rate["test"]
        return base if 0 < base < 1 else None

    def _move(self, part: float) -> float:
        """What a part of the log odds changes at the mean probability."""
        assert self._base is not None
        return 1 / (1 + math.exp(-math.log(self._base / (1 - self._base)) - part)) - self._base

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
        return draw_bar(group.effect, width, f"{self.show(group.effect)} {unit}")

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
