"""Columns and what they look like in, what could be predicted out: candidates, which of two values is the event, the task."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from perennial.contract.columns import Column
from perennial.data.io.cast import cast_columns
from perennial.errors import ConfigError, InputError
from perennial.propose.kinds import Keys, Kind, commonest
from perennial.propose.names import words
from perennial.propose.profile import Looked, Profile

_PLAIN = re.compile(r"(?i)\A(?:target|label|outcome|y|class|response|result|dependent|ziel)\Z")
_NAMED = re.compile(
    r"(?i)churn|default(?!_?(?:value|lang|address))|fraud|conver(?:ted|sion)|click(?:ed)?\Z|respon(?:d|se)(?![_ ]?(?:time|rate))|"
    r"bought|purchased?\Z|subscri|surviv|exited|attrit|dlq|dispute[ds]?\Z|chargeback|(?:\A|_)is_?won\Z|"
    r"\Abad\Z|good_?bad|\Arisk\Z|return(?:ed)?\Z|cancel(?:l?ed|ation)|renewed|target|outcome|is_?(?:spam|late|bad|paid|returned)|"
    r"sentiment|recommend|\Ay_|_y\Z|income\Z|salary\Z|spend\Z|\Avisit(?:ed)?\Z|revenue\Z|accepted|delinq|complain|k(?:ü|ue)ndig|next_|future|"
    r"(?:loan|order|account|customer|payment|credit)_?status\Z|\Asales\Z|umsatz\Z|no_?-?show|\Awon\Z|gekauft|"
    r"(?:\A|_)late\Z|overdue|voted|liked|abgewandert|\Abaja\Z|resili"
)
_STEPS = re.compile(r"(?i)click|open|visit|conver|respon|bought|purchase|subscri|accepted|recommend")
_RATING = re.compile(r"(?i)\A(?:review_?|overall_?|star_?)?(?:score|rating|stars?)\Z|\Aoverall\Z")
_STRAYS = 3  # rows that are none of the table's
_STARS = 11  # values up to which a column called so holds ratings  # fmt: skip
_EVENT_WORDS = (
    "1 1.0 yes y true t ja oui si bad default defaulted fraud fraudulent churn churned attrited exited left positive pos spam "
    "clicked click converted responded bought purchase purchased subscribed cancelled canceled late returned high event success "
    "accepted won"
)
_OTHER_WORDS = (
    "0 0.0 no n false f nein non good paid legit legitimate genuine normal retained stayed existing active negative neg ham low "
    "none failure rejected lost"
)
_EVENTS = {"churned customer", "attrited customer", "paid off late", "charged off"} | set(_EVENT_WORDS.split())
_UNSAYS = ("un", "un-", "de", "dis", "in", "dis-")  # before a word that is turned round
_YES = {"1", "1.0", "yes", "y", "true", "t", "ja", "oui", "si"}
_OTHERS = {"fully paid", "existing customer", "-1"} | set(_OTHER_WORDS.split())
_FEW_ROWS = 1_000
_ENOUGH = 2.5  # a name that says so, or two values in the last column
_MOST_CLASSES, _ROWS_A_CLASS = 20, 30


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A column that could be predicted: the contract's column and task, the event, and the words that say so."""

    name: str
    kind: str  # binary, multiclass, regression
    keys: Keys
    task: Keys
    words: str
    event: str | None  # the text that counts as 1
    values: dict[str, int]  # texts → rows
    sure: bool = True  # whether which value is the event follows from what it says, not only from being rarer


def candidates(looked: Looked, kinds: Mapping[str, Kind]) -> list[tuple[float, str]]:
    """Columns that may be asked about, the likeliest first: names that speak of outcomes, two values, the last place."""
    found, columns = [], looked.columns
    last = list(columns)[-1]
    for name, column in columns.items():
        n_values = column.kinds_said
        if kinds[name].what not in {"numeric", "categorical"} or n_values < 2:
            continue
        is_amount = kinds[name].what == "numeric" and n_values > _STARS
        points = 4.0 if _PLAIN.match(name) else 0.0 if not _NAMED.search(name) else 2.0 if is_amount else 3.0
        points = max(points, 3.0 if _RATING.match(name) and n_values <= _STARS else 0.0)
        points += 1.0 if n_values == 2 else 0.0
        points += 1.5 if name == "c1" and n_values == 2 else 0.0  # without a header outcomes stand first or last
        if column.said < 0.5 * column.rows or (n_values > _MOST_CLASSES and kinds[name].what == "categorical"):
            continue
        found.append((points, name))
    says = _says(last)
    if not says or says not in {_says(name) for _, name in found if name != last}:  # or the place tells nothing
        found = [(points + (1.5 if name == last else 0.0), name) for points, name in found]
    return sorted(found, key=lambda item: -item[0])


def _says(name: str) -> str:
    """The word in a name that speaks of an outcome."""
    found = _PLAIN.match(name) or _NAMED.search(name)
    return found[0].lower() if found else ""


def decided(looked: Looked, found: list[tuple[float, str]]) -> str | None:
    """The candidate that stands out: named like an outcome, and ahead of the next; None where a person must say.

    Of two with two values each that are called as outcomes are, or of a step (a click, a visit) and what stands in the
    last place, neither stands out.
    """
    is_only = len(found) == 1 and looked.columns[found[0][1]].distinct == 2
    if not found or (found[0][0] < _ENOUGH and not is_only):
        return None
    first, last = found[0][1], list(looked.columns)[-1]
    is_step = _STEPS.search(first) is not None  # of which a table often has several
    two = [n for _, n in found[1:] if looked.columns[n].distinct == 2]
    others = [n for n in two if (says_so(n) and (is_step or not _STEPS.search(n))) or (is_step and n == last)]
    if others and not _PLAIN.match(first):
        return None
    return first if len(found) == 1 or found[0][0] - found[1][0] >= 1 else None


def says_so(name: str) -> bool:
    """Whether a name speaks of an outcome."""
    return _says(name) != ""


def outcome_of(name: str, looked: Looked, kinds: Mapping[str, Kind], event: str | None = None) -> Outcome:
    """What predicting a column means; `event` is which of two values is looked for, if that was said.

    Raises: InputError for a column that is not there, never varies, or holds free text or dates; ConfigError for an
    event that is no value of it.
    """
    columns = looked.columns
    if name not in columns:
        raise InputError(f"--target {name}: no such column; there are: {', '.join(columns)}")
    column, kind = columns[name], kinds[name]
    if column.kinds_said < 2:
        raise InputError(f"--target {name}: it is always the same, so there is nothing to predict")
    values = _but_strays({**column.values, **{sign: column.nulls[sign] for sign in column.spoken}})
    if not column.overflown and len(values) == 2:
        return _binary(name, column, values, event)
    if kind.what == "numeric" or (not column.overflown and all(_is_whole(value) for value in values)):
        codes = not column.overflown and len(values) <= 10 and all(_is_whole(value) for value in values)
        if not (codes and min(values.values()) >= _ROWS_A_CLASS):
            return _amount(name, column, kind, looked)
    if column.overflown or len(values) > 10 * _MOST_CLASSES or kind.what in {"text", "unique", "contact", "date"}:
        raise InputError(f"--target {name}: {column.distinct:,} different texts are neither classes nor an amount")
    return _classes(name, column, values)


def _but_strays(values: dict[str, int]) -> dict[str, int]:
    """Two values are two although a row or so holds another, such as a total below the table."""
    first = dict(sorted(values.items(), key=lambda item: -item[1])[:2])
    strays = sum(values.values()) - sum(first.values())
    return first if 0 < strays <= _STRAYS and min(first.values()) >= _ROWS_A_CLASS else values


def _binary(name: str, column: Profile, values: dict[str, int], said: str | None) -> Outcome:
    if said is not None and said not in values:
        raise ConfigError(f"event {said!r} is no value of {name}; there are: {', '.join(values)}")
    event, sure = event_of(values) if said is None else (said, True)
    other = next(value for value in values if value != event)
    share = values[event] / column.said
    words = f"event = {event}, {share:.1%}, {values[event]:,} rows"
    keys = {"role": "outcome", "values": {other: 0, event: 1}} | _missing(column)
    does = _does(name, event)
    task = {
        "kind": "binary",
        "question": f"Who will {does}?",
        "target": name,
        "outcome_verb": does,
        "primary": "auc",
        "minimum": 0.55,
    }
    return Outcome(name=name, kind="binary", keys=keys, task=task, words=words, event=event, values=values, sure=sure)


def _does(name: str, event: str) -> str:
    """What those of the event do, as a sentence about them says it: `have churned`, `have class = 2`."""
    said = re.sub(r"\A(?:is|was|has|had|have|did)_", "", words(name))
    is_done = re.search(r"\A[a-z]*ed(?:_|\Z)|\A(?:bought|left|lost|won|sold|paid|gone)(?:_|\Z)", said) is not None
    if is_done and event.strip().lower() in _YES:
        return f"have {said.replace('_', ' ')}"
    return f"have {name} = {event}"


def event_of(values: Mapping[str, int]) -> tuple[str, bool]:
    """The value that is looked for, and whether it says so itself; else the rarer one (of equals the later text)."""
    low = {value: value.strip().strip(".").lower() for value in values}
    one, two = values
    rarer = min(sorted(values, reverse=True), key=lambda value: values[value])
    if any(low[a] in {f"{prefix}{low[b]}" for prefix in _UNSAYS} for a, b in ((one, two), (two, one))):
        return rarer, False  # unsubscribed and subscribed: either may be looked for
    for value, other in ((one, two), (two, one)):
        says, denies = low[value] in _EVENTS, low[other] in _OTHERS
        if _is_whole(value) and _is_whole(other) and not (says and denies):
            continue  # 1 and 2 are codes: which is which, only being rarer hints at
        if (says and low[other] not in _EVENTS) or (denies and low[value] not in _OTHERS):
            return value, True
        if low[value].startswith((">", "≥")) and low[other].startswith(("<", "≤")):
            return value, True
        if low[other] in {f"no {low[value]}", f"not {low[value]}", f"non-{low[value]}", f"no_{low[value]}"}:
            return value, True
    return rarer, False


def _amount(name: str, column: Profile, kind: Kind, looked: Looked) -> Outcome:
    keys: Keys = {"type": "decimal"} | {key: value for key, value in kind.keys.items() if key not in {"role", "why"}}
    cells = cast_columns(looked.sample.select(name), {name: Column(role="outcome", **keys)}).frame[name].drop_nulls()
    numbers = cells.cast(pl.Float64).to_numpy()
    least, most, zero = float(numbers.min()), float(numbers.max()), float((numbers == 0).mean())
    ranks = least >= 0
    two_part = zero >= 0.2 and ranks
    keys = {"role": "outcome"} | keys | _missing(column)
    task: Keys = {"kind": "regression", "target": name, "primary": "gini_norm" if ranks else "mae"}
    task |= {"minimum": 0.05} if ranks else {"minimum": float(f"{(most - least) / 2:.3g}")}
    task |= {"zeros": "two_part"} if two_part else {}
    words = f"an amount from {least:g} to {most:g}" + (f", {zero:.0%} of them 0" if two_part else "")
    return Outcome(name=name, kind="regression", keys=keys, task=task, words=words, event=None, values={})


def _classes(name: str, column: Profile, values: dict[str, int]) -> Outcome:
    """Rare classes are one, `other`: of few rows nothing can be learnt or told."""
    common = [value for value in values if values[value] >= _ROWS_A_CLASS]
    rare = [value for value in values if values[value] < _ROWS_A_CLASS]
    if len(common) < 2:
        raise InputError(f"--target {name}: no two of its {len(values)} values have {_ROWS_A_CLASS} rows each")
    ordered = all(_is_whole(value) for value in common)
    order = sorted(common, key=float) if ordered else sorted(common)
    if rare:
        order.append("other")
    keys: Keys = {"role": "outcome", "values": order} | _missing(column)
    if rare:
        keys["map"] = dict.fromkeys(sorted(rare), "other")
    told = column.said
    shares = [values[value] / told for value in common]
    guess = -sum(share * math.log(share) for share in shares)
    task: Keys = {"kind": "multiclass", "target": name, "primary": "log_loss", "minimum": round(guess, 3)}
    if told < _FEW_ROWS:  # one sure mistake would decide a mean log loss
        task |= {"primary": "accuracy", "minimum": round(max(shares), 3)}
    task |= {"ordered": True} if ordered and not rare else {}
    most = commonest(Counter(values))[0]
    words = f"{len(order)} classes, the commonest {most} with {values[most] / told:.0%}"
    return Outcome(name=name, kind="multiclass", keys=keys, task=task, words=words, event=None, values=values)


def _missing(column: Profile) -> Keys:
    """Rows without an outcome teach nothing: they are listed, not lost."""
    signs = column.nulls.keys() - column.spoken
    return ({"null": sorted(signs)} if signs else {}) | (
        {"when_missing": "filter"} if column.said < column.rows else {}
    )


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,9}(?:\.0*)?", text) is not None


def evidence(name: str, looked: Looked, kinds: Mapping[str, Kind]) -> str:
    """A candidate in a line, for a question or an error."""
    try:
        return f"{name} ({outcome_of(name, looked, kinds).words})"
    except InputError as error:
        return f"{name} ({str(error).partition(': ')[2]})"
