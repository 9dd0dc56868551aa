"""The outcome is what could be predicted: candidate columns, which of two values is the event, and the task.

A candidate stands out by its name, by having two values, or by its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.tasks import Binary, Multiclass, Regression, Task
from perennial.data.io.cast import cast_columns
from perennial.discovery.column_types import TypedColumn, TypedColumns
from perennial.discovery.names import find_outcome_word, has_topic, is_outcome, load_keywords, split_words
from perennial.discovery.profile import ColumnProfile, TableProfile
from perennial.errors import ConfigError, InputError

_MAX_STRAYS = 3  # rows that are none of the table's
_MAX_STARS = 11  # values up to which a column called so holds ratings
_MIN_ROWS = 1_000
_STANDS_OUT = 2.5  # points of a name that says so, or of two values in the last column
_MAX_CLASSES, _MIN_ROWS_A_CLASS = 20, 30
_SHOWN = 8  # candidates
_DONE = re.compile(r"\A[a-z]*ed(?:_|\Z)|\A(?:bought|left|lost|won|sold|paid|gone)(?:_|\Z)")


@dataclass(frozen=True, kw_only=True)
class OutcomeCandidate:
    """A column that could be predicted: as the contract says it, with its task, its event, and a sentence about it."""

    name: str
    draft: Column
    task: Task
    summary: str
    event: str | None = None  # the text that counts as 1
    values: Mapping[str, int]  # texts → rows; none of an amount
    is_sure: bool = True  # whether which value is the event follows from what it says, not only from being rarer

    @property
    def kind(self) -> str:
        return self.task.kind


def describe_candidates(table: TableProfile, columns: TypedColumns) -> list[str]:
    """The likeliest candidates, each in a line for a question or an error."""
    return [_describe_candidate(name, table, columns) for name in list(rank_candidates(table, columns))[:_SHOWN]]


def _describe_candidate(name: str, table: TableProfile, columns: TypedColumns) -> str:
    try:
        return f"{name} ({describe_outcome(name, table, columns).summary})"
    except InputError as error:
        return f"{name} ({str(error).partition(': ')[2]})"


def rank_candidates(table: TableProfile, columns: TypedColumns) -> dict[str, float]:
    """Columns that may be asked about → points, the likeliest first."""
    points = {
        name: _rate(profile, columns[name])
        for name, profile in table.columns.items()
        if name in columns and _is_candidate(profile, columns[name])
    }
    last = list(table.columns)[-1]
    word = find_outcome_word(last)
    has_twin = word != "" and word in {find_outcome_word(name) for name in points if name != last}
    if last in points and not has_twin:  # or the place says nothing
        points[last] += 1.5
    return dict(sorted(points.items(), key=lambda item: -item[1]))


def _is_candidate(profile: ColumnProfile, column: TypedColumn) -> bool:
    is_too_varied = column.type == "categorical" and profile.distinct_answers > _MAX_CLASSES
    varies = column.type in {"numeric", "categorical"} and profile.distinct_answers >= 2
    return varies and profile.answers >= 0.5 * profile.rows and not is_too_varied


def _rate(profile: ColumnProfile, column: TypedColumn) -> float:
    """How much a column looks like an outcome."""
    name, n_values = profile.name, profile.distinct_answers
    is_amount = column.type == "numeric" and n_values > _MAX_STARS
    points = 0.0
    if has_topic(name, "outcome"):
        points = 4.0
    elif has_topic(name, "outcome_word"):
        points = 2.0 if is_amount else 3.0
    if has_topic(name, "rating") and n_values <= _MAX_STARS:
        points = max(points, 3.0)
    if n_values == 2:
        points += 2.5 if name == "c1" else 1.0  # without a header outcomes stand first or last
    return points


def choose_target(table: TableProfile, columns: TypedColumns) -> str | None:
    """The candidate that stands out: named like an outcome, and ahead of the next; None where a person must say.

    Of two with two values each that are called as outcomes are, or of a step (a click, a visit) and what stands in the
    last place, neither stands out.
    """
    points = rank_candidates(table, columns)
    if not points:
        return None
    first, *others = points
    is_only = not others and table.columns[first].distinct == 2
    if points[first] < _STANDS_OUT and not is_only:
        return None
    if not has_topic(first, "outcome") and _has_rival(first, others, table):
        return None
    return first if not others or points[first] - points[others[0]] >= 1 else None


def _has_rival(first: str, others: list[str], table: TableProfile) -> bool:
    """Whether another column of two values may be the outcome as well; of steps a table often has several."""
    last = list(table.columns)[-1]
    is_step = has_topic(first, "step")
    return any(
        (is_outcome(name) and (is_step or not has_topic(name, "step"))) or (is_step and name == last)
        for name in others
        if table.columns[name].distinct == 2
    )


def describe_outcome(name: str, table: TableProfile, columns: TypedColumns, event: str | None = None) -> OutcomeCandidate:
    """What predicting a column means; `event` is which of two values is looked for, if that was said.

    Raises: InputError for a column that is not there, never varies, or holds free text or dates; ConfigError for an
    event that is no value of it.
    """
    if name not in table.columns:
        raise InputError(f"--target {name}: no such column; there are: {', '.join(table.columns)}")
    profile, column = table.columns[name], columns[name]
    if profile.distinct_answers < 2:
        raise InputError(f"--target {name}: it is always the same, so there is nothing to predict")
    values = _drop_strays({**profile.values, **{token: profile.nulls[token] for token in sorted(profile.spoken_nulls)}})
    if not profile.has_many_values and len(values) == 2:
        return _describe_binary(profile, values, event)
    is_numeric = column.type == "numeric" or (not profile.has_many_values and all(_is_whole(cell) for cell in values))
    if is_numeric and not _is_coded(profile, values):
        return _describe_amount(profile, column, table.sample)
    is_no_class = column.type in {"text", "unique", "contact", "date"}
    if profile.has_many_values or len(values) > 10 * _MAX_CLASSES or is_no_class:
        raise InputError(f"--target {name}: {profile.distinct:,} different texts are neither classes nor an amount")
    return _describe_classes(profile, values)


def _drop_strays(values: dict[str, int]) -> dict[str, int]:
    """Two values are two although a row or so holds another, such as a total below the table."""
    first = dict(sorted(values.items(), key=lambda item: -item[1])[:2])
    strays = sum(values.values()) - sum(first.values())
    return first if 0 < strays <= _MAX_STRAYS and min(first.values()) >= _MIN_ROWS_A_CLASS else values


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,9}(?:\.0*)?", text) is not None


def _is_coded(profile: ColumnProfile, values: Mapping[str, int]) -> bool:
    """Whether whole numbers are codes of classes: at most ten, each with enough rows."""
    is_few = not profile.has_many_values and len(values) <= 10 and all(_is_whole(value) for value in values)
    return is_few and min(values.values()) >= _MIN_ROWS_A_CLASS


def _describe_binary(profile: ColumnProfile, values: Mapping[str, int], event: str | None) -> OutcomeCandidate:
    name = profile.name
    if event is not None and event not in values:
        raise ConfigError(f"event {event!r} is no value of {name}; there are: {', '.join(values)}")
    event, is_sure = choose_event(values) if event is None else (event, True)
    other = next(value for value in values if value != event)
    verb = _describe_event(name, event)
    return OutcomeCandidate(
        name=name,
        event=event,
        values=values,
        is_sure=is_sure,
        draft=_draft_outcome(profile, Column(role="outcome", values={other: 0, event: 1})),
        task=Binary(kind="binary", question=f"Who will {verb}?", target=name, outcome_verb=verb, primary="auc", minimum=0.55),
        summary=f"event = {event}, {values[event] / profile.answers:.1%}, {values[event]:,} rows",
    )


def _describe_event(name: str, event: str) -> str:
    """What those of the event do, as a sentence about them says it: `have churned`, `have class = 2`."""
    verb = re.sub(r"\A(?:is|was|has|had|have|did)_", "", split_words(name))
    if _DONE.search(verb) and event.strip().lower() in load_keywords().yes_values:
        return f"have {verb.replace('_', ' ')}"
    return f"have {name} = {event}"


def choose_event(values: Mapping[str, int]) -> tuple[str, bool]:
    """The value that is looked for, and whether it says so itself; else the rarer one (of equals the later text)."""
    one, two = values
    rarer = min(sorted(values, reverse=True), key=lambda value: values[value])
    if _is_negated(one, two) or _is_negated(two, one):
        return rarer, False  # unsubscribed and subscribed: either may be looked for
    for value, other in ((one, two), (two, one)):
        if _is_event(value, other):
            return value, True
    return rarer, False


def _is_negated(value: str, other: str) -> bool:
    return _simplify(value) in {f"{prefix}{_simplify(other)}" for prefix in load_keywords().negating_prefixes}


def _is_event(value: str, other: str) -> bool:
    """Whether of two values one says that it is the event, or the other that it is not."""
    keywords, low, other_low = load_keywords(), _simplify(value), _simplify(other)
    affirms, denies = low in keywords.event_values, other_low in keywords.other_values
    if _is_whole(value) and _is_whole(other) and not (affirms and denies):
        return False  # 1 and 2 are codes: which is which, only being rarer hints at
    if (affirms and other_low not in keywords.event_values) or (denies and low not in keywords.other_values):
        return True
    is_above = low.startswith((">", "≥")) and other_low.startswith(("<", "≤"))
    return is_above or other_low in {f"no {low}", f"not {low}", f"non-{low}", f"no_{low}"}


def _simplify(value: str) -> str:
    return value.strip().strip(".").lower()


def _describe_amount(profile: ColumnProfile, column: TypedColumn, sample: pl.DataFrame) -> OutcomeCandidate:
    changes = {"role": "outcome", "type": column.draft.type or "decimal", "why": None}
    draft = column.draft.model_copy(update=changes)
    cells = cast_columns(sample.select(profile.name), {profile.name: draft}).frame[profile.name]
    numbers = cells.drop_nulls().cast(pl.Float64).to_numpy()
    low, high, zeros = float(numbers.min()), float(numbers.max()), float((numbers == 0).mean())
    is_positive = low >= 0
    has_two_parts = zeros >= 0.2 and is_positive
    task = Regression(
        kind="regression",
        target=profile.name,
        primary="gini_norm" if is_positive else "mae",
        minimum=0.05 if is_positive else float(f"{(high - low) / 2:.3g}"),
        zeros="two_part" if has_two_parts else "plain",
    )
    summary = f"an amount from {low:g} to {high:g}" + (f", {zeros:.0%} of them 0" if has_two_parts else "")
    draft = _draft_outcome(profile, draft)
    return OutcomeCandidate(name=profile.name, draft=draft, task=task, summary=summary, values={})


def _describe_classes(profile: ColumnProfile, values: Mapping[str, int]) -> OutcomeCandidate:
    """Rare classes are one, `other`: of few rows nothing can be learnt or measured."""
    common = [value for value in values if values[value] >= _MIN_ROWS_A_CLASS]
    rare = sorted(value for value in values if values[value] < _MIN_ROWS_A_CLASS)
    if len(common) < 2:
        raise InputError(f"--target {profile.name}: no two of its {len(values)} values have {_MIN_ROWS_A_CLASS} rows each")
    is_ordered = all(_is_whole(value) for value in common)
    classes = [*sorted(common, key=float if is_ordered else str), *(["other"] if rare else [])]
    draft = Column(role="outcome", values=tuple(classes), map=dict.fromkeys(rare, "other"))
    shares = [values[value] / profile.answers for value in common]
    primary: Literal["log_loss", "accuracy"] = "log_loss"
    minimum = round(-sum(share * math.log(share) for share in shares), 3)
    if profile.answers < _MIN_ROWS:  # one sure mistake would decide a mean log loss
        primary, minimum = "accuracy", round(max(shares), 3)
    most, count = min(values.items(), key=lambda item: (-item[1], item[0]))
    return OutcomeCandidate(
        name=profile.name,
        values=values,
        draft=_draft_outcome(profile, draft),
        task=Multiclass(
            kind="multiclass", target=profile.name, primary=primary, minimum=minimum, ordered=is_ordered and not rare
        ),
        summary=f"{len(classes)} classes, the commonest {most} with {count / profile.answers:.0%}",
    )


def _draft_outcome(profile: ColumnProfile, draft: Column) -> Column:
    """Rows without an outcome teach nothing: they are listed, not lost."""
    nulls = tuple(profile.silent_nulls) or draft.null
    when_missing = "filter" if profile.answers < profile.rows else "quarantine"
    return draft.model_copy(update={"null": nulls, "when_missing": when_missing})
