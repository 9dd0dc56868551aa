"""A draft in, which rows train, stop and test out: by entity if it repeats, by time if there is one, else by hash."""

from __future__ import annotations

import datetime as dt
import re

import polars as pl

from perennial.contract.columns import Column
from perennial.data.cast import cast
from perennial.propose.draft import Draft
from perennial.propose.profile import is_date_name
from perennial.propose.relations import typed

_SINCE = re.compile(
    r"(?i)birth|born|dob|geburt|sign_?up|regist|joined|since|dt_customer|enrol|opened|hired?|start_?date|activat"
)
_GIVEN = re.compile(r"(?i)\A(?:split|set|fold|partition|subset|dataset|data_?split)\Z")
_PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "test",
          "testing": "test"}  # fmt: skip
_PER_TEST = 50  # events that a test part should hold


def split(made: Draft) -> None:
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
        made.put(
            time, made.kinds[time].keys | {"role": "time"}, "rows are split by it: the oldest train, the newest test"
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
            made.put(column, made.kinds[column].keys | {"nullable": True}, "how long ago it was is a feature")
            made.since.append(column)
            made.as_of = max(made.as_of, str(_day_after(made, column)))
            continue
        made.ignore(
            column, "a date; say unit.features if days since it are known in time", "a date is no feature by itself"
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
