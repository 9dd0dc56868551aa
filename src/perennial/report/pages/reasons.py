"""Reasons section: what raises and lowers a score, for groups, for words, and for single customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from markupsafe import Markup

from perennial.charts import numbers as n
from perennial.charts.intervals import plot_inline
from perennial.report.context import AnyReport
from perennial.report.exhibits import BarRow, Cases, Photos, Reasons, WordBars
from perennial.report.page import Section
from perennial.results.explain import GroupEffect, StrongestWords, WordEffect
from perennial.results.figures import Interval

MARKS = "Words marked + raise it, words marked \u2212 lower it; the stronger, the darker."
_MOST_GROUPS, _MOST_OF_A_COLUMN, _MOST_OF_A_CLASS = 8, 2, 5


def build_section(report: AnyReport, *, effect: str, unit: str = "Log odds") -> Section:
    """What the model goes by. `effect` says what a part adds to, in `unit`s."""
    is_a_list = report.verdict == "PROMOTE" and report.contract.task.kind != "multiclass"
    return Section(
        anchor="reasons",
        name="Why these customers" if is_a_list else "What it goes by",
        blurb="What the model goes by, in words.",
        blocks=(*build_words(report, unit), *_build_groups(report, effect, unit), build_cases(report)),
    )


def build_words(report: AnyReport, unit: str) -> tuple[WordBars, ...]:
    """Words side by side: of one output those that raise and that lower it, of several those that raise each."""
    summary = report.explain.words
    if summary is None or not any(words.raises or words.lowers for words in summary.outputs.values()):
        return ()
    columns = _split_words(summary.outputs)
    width = max(max(abs(word.effect.low), abs(word.effect.high)) for _, words in columns for word in words)
    finding = "; ".join(
        f"{' and '.join(f'“{word.word}”' for word in words[:2])} {does}"
        for (_, words), does in zip(columns, ("raise it most", "lower it most"), strict=False)
        if words and len(summary.outputs) == 1
    )
    described = (
        f"What a score loses ({unit[:1].lower()}{unit[1:]}) when the word is hidden, mean over the rows that "
        f"hold it, 95\u202f% interval. Words of fewer than {summary.min_rows} of "
        f"{n.count(report.explain.rows)} test rows are left out."
    )
    return (
        WordBars(
            finding=n.capital(finding) or "The words that speak most for each class",
            described=described,
            columns=tuple((heading, tuple(_draw_word(word, width) for word in words)) for heading, words in columns),
        ),
    )


def _split_words(outputs: Mapping[str, StrongestWords]) -> list[tuple[str, Sequence[WordEffect]]]:
    if len(outputs) == 1:
        (words,) = outputs.values()
        return [("Raise the score", words.raises), ("Lower the score", words.lowers)]
    return [(name, words.raises[:_MOST_OF_A_CLASS]) for name, words in outputs.items() if words.raises]


def _draw_word(word: WordEffect, width: float) -> BarRow:
    effect, change = word.effect, n.difference(word.effect.value, 2)
    bar = plot_inline(effect, (0.0, width) if effect.value > 0 else (-width, 0.0), label=f"{word.word}: {change}", filled=True)
    interval = n.bracket(effect, partial(n.difference, places=2))
    return BarRow(name=word.word, bar=bar, value=change, interval=interval, rows=f"{n.count(word.rows)} rows")


def _build_groups(report: AnyReport, effect: str, unit: str) -> tuple[Reasons, ...]:
    """The strongest groups as changes of the score; none where there are but texts and photos."""
    groups = _select_groups(report.explain.groups)
    if not groups:
        return ()
    width, most = max(abs(group.effect) for group in groups), report.explain.importance
    error, spread = report.explain.completeness_error, report.explain.spread
    sums = f"Parts add up to the score but for {error:.2f} of {spread:.2f} on average."
    described = f"Average change in {effect} ({unit[:1].lower()}{unit[1:]}) against the average. "
    return (
        Reasons(
            finding=f"{n.capital(most[0].label)} and {most[1].label} matter most" if len(most) > 1 else "What matters",
            described=described + "Blue raises, orange lowers.",
            unit=unit,
            reasons=tuple(_draw_group(group, width, unit) for group in groups),
            foot=f"These are patterns in past data, not causes. {sums if error else 'Parts are exact.'}",
        ),
    )


def _select_groups(groups: Sequence[GroupEffect]) -> list[GroupEffect]:
    """The first groups, at most two of a column."""
    selected: list[GroupEffect] = []
    for group in groups:
        if sum(other.column == group.column for other in selected) < _MOST_OF_A_COLUMN:
            selected.append(group)
    return selected[:_MOST_GROUPS]


def _draw_group(group: GroupEffect, width: float, unit: str) -> BarRow:
    change, name = n.difference(group.effect, 2), n.capital(group.words)
    bar = draw_bar(group.effect, width, f"{change} {unit}")
    return BarRow(name=name, bar=bar, value=change, interval=f"{n.count(group.n)} customers", rows=n.share(group.share))


def draw_bar(value: float, width: float, label: str) -> Markup:
    """A bar from zero to the value on a span from −width to width."""
    return plot_inline(Interval(value=value, low=value, high=value), (-width, width), label=label, filled=True)


def build_cases(report: AnyReport) -> Cases | Photos:
    """Some customers with their scores and reasons, or some photos with their heat maps."""
    rows = report.customers
    if rows and all(row.heat for row in rows):
        return Photos(
            finding="Each photo comes with what it went by",
            described="Right, in blue: where hiding lowers the probability of the answer. The record in the file stands below.",
            rows=tuple(replace(row, reasons="") for row in rows),
        )
    finding = "Each customer on the list comes with reasons"
    if report.contract.money.gain_if_good is not None:
        finding = "Each refused applicant comes with the four strongest reasons against"
    which = "the record in the file" if report.contract.columns else "who"
    marks = f" {MARKS}" if any(row.quotes for row in rows) else ""
    return Cases(
        finding=finding if report.verdict == "PROMOTE" else "Each score comes with reasons",
        described=f"{len(rows)} of the test customers: {which}, the score, what moved it most.{marks}",
        rows=rows,
    )
