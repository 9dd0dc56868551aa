"""What a table looks like in, a whole contract with the reason of each guess out; what only a person can say is asked.

The order of looking is fixed: kinds of column, id and entity, time, outcome, treatment, leaks, copies, split.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from perennial.contract.columns import Column
from perennial.data.cast import cast
from perennial.errors import ConfigError
from perennial.propose.kinds import Keys, Kind, is_protected, kind_of
from perennial.propose.outcome import Outcome, candidates, decided, evidence, outcome_of
from perennial.propose.profile import Looked, Profile, is_date_name
from perennial.propose.relations import Told, copies, leaks, lottery, questions_of, typed

_IDS = re.compile(
    r"(?i)(?:\A|_|\b)(?:id|nr|no|num|number|key|index|idx|uuid|guid|rownumber|row|ref)\Z|ID\Z|Id\Z|\Acolumn_1\Z|\AUnnamed"
)
_WHOSE = re.compile(
    r"(?i)customer|client|user|account|member|person|patient|subscriber|household|visitor|borrower|policy_?holder|cust|kunde"
)
_SINCE = re.compile(
    r"(?i)birth|born|dob|geburt|sign_?up|regist|joined|since|dt_customer|enrol|opened|hired?|start_?date|activat"
)
_GIVEN = re.compile(r"(?i)\A(?:split|set|fold|partition|subset|dataset|data_?split)\Z")
_PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "test",
          "testing": "test"}  # fmt: skip
_PER_TEST = 50  # events that a test part should hold
_SLICES = 6  # values up to which a column is a slice
_MANY_EMPTY = 0.99


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What the user says, or is taken for said: None is not said."""

    target: str | None = None
    event: str | None = None
    known: tuple[str, ...] = ()  # suspects that are known before the decision
    treatment: str | None = None  # "" is none
    cost: float | None = None
    earns: float | None = None


@dataclass(kw_only=True)
class Draft:
    """A contract in the making: its keys, and a comment for each guess."""

    name: str
    source: Keys
    looked: Looked
    kinds: dict[str, Kind]
    outcome: Outcome
    columns: dict[str, Keys] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)  # column → the reason of its guess
    suspects: dict[str, str] = field(default_factory=dict)
    treatment: str | None = None
    split: Keys = field(default_factory=dict)
    split_why: str = ""
    rows_split: str = ""
    keeps: str = "keep"
    since: list[str] = field(default_factory=list)  # dates that are told as days since
    as_of: str = ""
    money: Keys = field(default_factory=dict)
    slices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def task(self) -> Keys:
        task = dict(self.outcome.task)
        if self.treatment is not None:
            task = {"kind": "uplift", "target": self.outcome.name, "primary": "qini", "floor": 0.0}
        return task

    def contract(self) -> Keys:
        """Everything, in the order of a contract."""
        return {
            "task": self.task,
            "source": self.source,
            "columns": self.columns,
            "rules": [],
            "events": {},
            "unit": self._unit(),
            "split": self.split,
            "sampling": {},
            "suspects": list(self.suspects),
            "slices": self.slices,
            "money": self.money,
        }

    def _unit(self) -> Keys:
        unit: Keys = {"rows": "as_is"}
        if self.since:
            unit["as_of"] = self.as_of
        unit["duplicates"] = self.keeps
        if self.since:
            unit["features"] = {f"{name}_days": {"kind": "days_since", "of": name} for name in self.since}
        return unit


def undecided(looked: Looked, kinds: Mapping[str, Kind]) -> list[str]:
    """Candidates for the outcome with their evidence, the likeliest first."""
    return [evidence(name, looked.columns, kinds) for _, name in candidates(looked.columns, kinds)[:8]]


def kinds_of(looked: Looked) -> dict[str, Kind]:
    return {name: kind_of(column) for name, column in looked.columns.items()}


def target_of(looked: Looked, kinds: Mapping[str, Kind], answers: Answers) -> str | None:
    """The column to predict: what was said, else what stands out."""
    return answers.target or decided(candidates(looked.columns, kinds))


def draft(name: str, source: Keys, looked: Looked, kinds: dict[str, Kind], target: str, answers: Answers) -> Draft:
    """Raises: InputError when the target cannot be predicted, ConfigError for an answer that fits nothing."""
    outcome = outcome_of(target, looked.columns, kinds)
    if answers.event is not None and outcome.kind == "binary":
        outcome = _with_event(outcome, answers.event)
    made = Draft(name=name, source=source, looked=looked, kinds=kinds, outcome=outcome)
    made.columns[target], made.why[target] = outcome.keys, outcome.words
    _names(made)
    _copied(made)
    _untold(made)
    _lottery(made, answers)
    _leaks(made, answers)
    _rest(made)
    _split(made)
    _worth(made, answers)
    made.columns = {column: made.columns[column] for column in looked.columns}
    return made


def _with_event(outcome: Outcome, event: str) -> Outcome:
    if event not in outcome.values:
        raise ConfigError(f"event {event!r} is no value of {outcome.name}; there are: {', '.join(outcome.values)}")
    other = next(value for value in outcome.values if value != event)
    share = outcome.values[event] / sum(outcome.values.values())
    words = f"event = {event}, {share:.1%}, {outcome.values[event]:,} rows"
    keys = outcome.keys | {"values": {other: 0, event: 1}}
    task = outcome.task | {"event": f"have {outcome.name} = {event}"}
    return Outcome(
        name=outcome.name, kind="binary", keys=keys, task=task, words=words, event=event, values=outcome.values
    )  # fmt: skip


def _put(made: Draft, column: str, keys: Keys, why: str) -> None:
    if column not in made.columns:
        made.columns[column], made.why[column] = keys, why


def _ignore(made: Draft, column: str, why: str, because: str | None = None, **more: str) -> None:
    _put(made, column, {"role": "ignore", **more, "why": why}, because or why)


def _names(made: Draft) -> None:
    """The column that names a row, and the one that names whose it is, where they are."""
    rows, columns = made.looked.rows, made.looked.columns
    free = [c for c in columns if c not in made.columns and made.kinds[c].what in {"numeric", "categorical", "unique"}]
    unique = [c for c in free if not columns[c].twice and not columns[c].empty and columns[c].told == rows > 1]
    named = [c for c in unique if _IDS.search(c) and made.kinds[c].keys.get("type") != "decimal"]
    if named:
        _put(made, named[0], {"role": "id", "type": "text"}, "no value comes twice, and the name says that it is one")
        made.keeps = "drop"
    for column in named[1:]:
        _ignore(made, column, "another name of the row")
    owners = [c for c in free if c not in made.columns and _is_owner(columns[c])]
    if owners:
        owner = max(owners, key=lambda c: (bool(_WHOSE.search(c)), columns[c].distinct))
        keys: Keys = {"role": "entity", "type": "text"}
        if columns[owner].empty:
            keys["when_missing"] = "filter"
        per = columns[owner].told / columns[owner].distinct
        _put(made, owner, keys, f"{columns[owner].distinct:,} of them, {per:.1f} rows each: one is never in two parts")


def _is_owner(column: Profile) -> bool:
    """A column that names people or accounts, some of them more than once."""
    speaks = _WHOSE.search(column.name) is not None and _IDS.search(column.name) is not None
    speaks = (
        speaks
        or re.fullmatch(r"(?i)customer|client|user|account|member|patient|subscriber|cust", column.name) is not None
    )
    return speaks and column.twice and column.distinct > 20 and column.empty < 0.01 * column.rows


def _copied(made: Draft) -> None:
    for column, other in copies(made.looked.sample, made.kinds).items():
        if column == made.outcome.name:
            _ignore(made, other, "a copy of the outcome", known="after_outcome")
        elif other == made.outcome.name:
            _ignore(made, column, "a copy of the outcome", known="after_outcome")
        else:
            _ignore(made, column, f"a copy of {other}")


def _untold(made: Draft) -> None:
    """Columns that cannot be features, whatever they hold."""
    for column, kind in made.kinds.items():
        profile = made.looked.columns[column]
        if kind.what in {"empty", "constant", "path", "unclear", "unique"}:
            _put(made, column, kind.keys, kind.because)
        elif kind.what == "contact":
            _put(made, column, kind.keys, f"{kind.because}: never a feature, in no log and no report")
        elif profile.empty > _MANY_EMPTY * profile.rows:
            _ignore(made, column, f"{profile.empty / profile.rows:.1%} of it is empty")


def _lottery(made: Draft, answers: Answers) -> None:
    if answers.treatment == "" or made.outcome.kind == "multiclass":
        return
    free = [c for c, kind in made.kinds.items() if c not in made.columns and kind.what in {"numeric", "categorical"}]
    if answers.treatment is not None and answers.treatment not in free:
        raise ConfigError(f"treatment {answers.treatment!r} is no such column; there are: {', '.join(free)}")
    found = lottery(made.looked.sample, made.kinds, typed(made.looked.sample, free, made.kinds), answers.treatment)
    if found is None:
        return
    column, control = found
    values = [v for v in made.looked.columns[column].values if v != control]
    arms = {value: {"cost": answers.cost or 0.0} for value in sorted(values)}
    keys: Keys = {"role": "treatment", "control": control, "assignment": "randomised", "arms": arms}
    made.treatment = column
    _put(made, column, keys, f"few values, {control} is none of the messages, and no other column tells it: a lottery")
    made.notes.append(f"{column} says who was treated: the question is whom the treatment moves")


def _leaks(made: Draft, answers: Answers) -> None:
    free = [c for c, kind in made.kinds.items() if c not in made.columns and kind.what in {"numeric", "categorical"}]
    told = _told(made, free)
    for column, why in told.refused.items():
        if column in answers.known:
            raise ConfigError(f"{column} cannot be known before the decision: {why}")
        _ignore(made, column, f"known after the outcome: {why}", f"a leak: {why}", known="after_outcome")
    made.suspects = {column: why for column, why in told.suspects.items() if column not in answers.known}


def _told(made: Draft, free: list[str]) -> Told:
    sample = made.looked.sample
    is_known, asked = questions_of(sample[made.outcome.name], made.outcome.keys, made.outcome.kind)
    if not asked or not free:
        return Told(refused={}, suspects={})
    columns = typed(sample.filter(is_known), free, made.kinds)
    return leaks(columns, asked)


def _rest(made: Draft) -> None:
    """Features, dates and protected columns."""
    for column, kind in made.kinds.items():
        if column in made.columns or kind.what == "date":
            continue
        if is_protected(column) and kind.what in {"numeric", "categorical"}:
            keys = {**kind.keys, "role": "protected"} | ({"type": "int"} if kind.keys.get("type") == "int" else {})
            _put(made, column, keys, "the law protects it: for slices of the report; a feature only with use: true")
            continue
        _put(made, column, kind.keys, kind.because)
        if column in made.suspects:
            made.why[column] = f"left out and reported both ways: {made.suspects[column]}"
    few = [
        c for c, keys in made.columns.items()
        if keys["role"] in {"protected", "categorical"} and 2 <= made.looked.columns[c].distinct <= _SLICES
    ]  # fmt: skip
    made.slices = sorted(few, key=lambda c: made.columns[c]["role"] != "protected")[:3]


def _split(made: Draft) -> None:
    """By entity if it repeats, by time if there is one, else by hash; every part must hold enough of what is looked for."""
    dates = [c for c, kind in made.kinds.items() if kind.what == "date" and c not in made.columns]
    dates += [c for c in made.columns if _is_clock(made, c)]
    time = max(
        (c for c in dates if _is_moment(made, c)), key=lambda c: (is_date_name(c), _middle(made, c)), default=None
    )
    given = next((c for c in made.columns if _is_given(made, c)), None)
    has_entity = any(keys["role"] == "entity" for keys in made.columns.values())
    fractions = {"train": 0.6, "val": 0.2, "test": 0.2}
    if given is not None:
        parts = {value: _PARTS[value.lower()] for value in sorted(made.looked.columns[given].values)}
        made.columns[given], made.why[given] = {"role": "split", "values": parts}, "it names the parts"
        made.split, made.split_why = {"kind": "column"}, f"{given} says it"
        made.slices = [name for name in made.slices if name != given]
    elif time is not None and not has_entity and not made.treatment:
        made.split = {"kind": "time", "order": time, "fractions": _wide_enough(made, time)}
        made.columns.pop(time, None)
        _put(
            made,
            time,
            made.kinds[time].keys | {"role": "time"},
            "rows are split by it: the oldest train, the newest test",
        )
        made.split_why = "the newest rows test, as the next ones will"
    else:
        by, because = (
            ("entity", "all rows of one are in one part") if has_entity else ("record", "equal rows are in one part")
        )
        made.split = {"kind": "hash", "by": by, "salt": f"{made.name}-1", "fractions": fractions}
        made.split_why = because
    for column in [c for c in dates if c not in made.columns]:
        if _SINCE.search(column):
            _put(made, column, made.kinds[column].keys | {"nullable": True}, "how long ago it was is a feature")
            made.since.append(column)
            made.as_of = max(made.as_of, str(_day_after(made, column)))
            continue
        _ignore(
            made,
            column,
            "a date; say unit.features if days since it are known in time",
            "a date is no feature by itself",
        )


def _is_clock(made: Draft, column: str) -> bool:
    """Numbers that are called a time and grow down the file: they order its rows."""
    if (
        made.columns[column]["role"] != "numeric"
        or re.search(r"(?i)\A(?:time|timestamp|epoch|unix_?time|step|ts)\Z", column) is None
    ):
        return False
    numbers = typed(made.looked.sample, [column], made.kinds)[column].astype(float)
    return bool((numbers[1:] >= numbers[:-1]).all())


def _is_given(made: Draft, column: str) -> bool:
    """Whether a column names the parts of a split, all three of them."""
    values = {value.lower() for value in made.looked.columns[column].values}
    return (
        bool(_GIVEN.match(column))
        and values <= _PARTS.keys()
        and {_PARTS[v] for v in values} == {"train", "val", "test"}
    )


def _is_moment(made: Draft, column: str) -> bool:
    """Whether a date may be that of the row itself, by which rows could be split."""
    profile = made.looked.columns[column]
    return not (_SINCE.search(column) or profile.empty or profile.distinct < 5)


def _middle(made: Draft, column: str) -> float:
    """The middle of a column of dates, as a number: of several, what happens last is the row's own."""
    if made.kinds[column].what != "date":
        return 0.0
    return float(_moments(made, column).dt.timestamp("ms").median() or 0)  # type: ignore[arg-type]


def _day_after(made: Draft, column: str) -> dt.date:
    last = _moments(made, column).dt.date().max()
    assert isinstance(last, dt.date)
    return last + dt.timedelta(days=1)


def _moments(made: Draft, column: str) -> pl.Series:
    keys = Column.model_validate(made.kinds[column].keys)
    return (
        cast(made.looked.sample.select(column), {column: keys})
        .frame[column]
        .drop_nulls()
        .cast(pl.Datetime("us", "UTC"))
    )


def _wide_enough(made: Draft, time: str) -> dict[str, float]:
    """A fifth for the test, or two where a fifth holds too few of what is looked for."""
    usual = {"train": 0.6, "val": 0.2, "test": 0.2}
    if made.outcome.kind != "binary" or not made.outcome.event:
        return usual
    events = min(made.outcome.values.values())
    if events * 0.2 >= _PER_TEST:
        return usual
    made.notes.append(
        f"a fifth of the rows would hold about {events * 0.2:.0f} events: {time} tests on the newest 30 %"
    )
    return {"train": 0.5, "val": 0.2, "test": 0.3}


def _worth(made: Draft, answers: Answers) -> None:
    if answers.earns is not None:
        made.money = {"value_of_response": answers.earns, "cost_of_contact": answers.cost or 0.0}
        if made.treatment is not None:
            made.money.pop("cost_of_contact")
    elif made.treatment is not None:
        made.money = {"value_of_response": 1.0}
        made.notes.append("what a response earns is not known: effects are counted in responses (value 1)")


def summary(made: Draft) -> dict[str, Any]:
    """What was found, for the screen: the outcome, and how many columns have which role."""
    roles: dict[str, int] = {}
    for keys in made.columns.values():
        roles[str(keys["role"])] = roles.get(str(keys["role"]), 0) + 1
    return {"predict": f"{made.outcome.name}: {made.outcome.words}", "roles": roles, "split": made.split["kind"]}
