"""A draft in, which rows train, stop and test out: by entity if it repeats, by time if there is one, else by hash."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.propose.dates import moments
from perennial.propose.draft import Draft
from perennial.propose.kinds import Keys
from perennial.propose.names import is_date_name, since, words
from perennial.propose.relations import typed

_GIVEN = re.compile(r"(?i)\A(?:split|set|fold|partition|subset|dataset|data_?split)\Z")
_PARTS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "test",
          "testing": "test"}  # fmt: skip
_SHARES = (0.2, 0.25, 0.3, 0.35, 0.4)  # of the newest rows
_USUAL = {"train": 0.6, "val": 0.2, "test": 0.2}
_MOMENTS = 25  # different times that order rows; an hour of the day does not
_PER_TEST = 50  # events that a test part should hold


def split(made: Draft) -> None:
    """By entity if it repeats, by time if there is one, else by hash; every part must hold enough of what is looked for."""
    dates = [c for c, kind in made.kinds.items() if kind.what == "date" and c not in made.columns]
    held = [c for c in made.columns if c in made.kinds]
    dates += [c for c in held if _is_clock(made, c)]
    time = max(
        (c for c in dates if _is_moment(made, c)), key=lambda c: (is_date_name(c), _middle(made, c)), default=None
    )
    given = next((c for c in held if _is_given(made, c)), None)
    has_entity = made.has("entity")
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
        if time in made.parted:
            year = made.parted[time][0]
            made.columns[year] = {"role": "ignore", "why": "rows are split by it: no later year was ever trained on"}
            made.why[year] = f"it is the year of {time}"
    else:
        by, because = (
            ("entity", "all rows of one are in one part") if has_entity else ("record", "equal rows are in one part")
        )
        made.split = by_hash(made, by)
        made.split_why = because
    for column in [c for c in dates if c not in made.columns]:
        if since(column):
            made.put(column, made.kinds[column].keys | {"nullable": True}, "how long ago it was is a feature")
            made.since.append(column)
            made.as_of = max(made.as_of, str(_day_after(made, column)))
            continue
        made.ignore(
            column, "a date; say unit.features if days since it are known in time", "a date is no feature by itself"
        )


def by_hash(made: Draft, by: str) -> Keys:
    """All rows of one entity, or all equal records, in one part."""
    return {"kind": "hash", "by": by, "salt": f"{made.name}-1", "fractions": dict(_USUAL)}


def _is_clock(made: Draft, column: str) -> bool:
    """Numbers that are called a time and grow down the file: they order its rows."""
    if (
        made.columns[column]["role"] != "numeric"
        or re.search(r"(?:\A|_)(?:time|timestamp|epoch|unix(?:_time)?|step|ts|dt|hour|datetime)\Z", words(column))
        is None
        or made.looked.columns[column].distinct < _MOMENTS
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
    return not (since(column) or profile.empty or profile.distinct < 5)


def _middle(made: Draft, column: str) -> float:
    """The middle of a column of dates, as a number: of several, what happens last is the row's own."""
    if made.kinds[column].what != "date":
        return 0.0
    return float(moments(made, column).dt.timestamp("ms").median() or 0)  # type: ignore[arg-type]


def _day_after(made: Draft, column: str) -> dt.date:
    last = moments(made, column).dt.date().max()
    assert isinstance(last, dt.date)
    return last + dt.timedelta(days=1)


def _wide_enough(made: Draft, time: str) -> dict[str, float]:
    """A fifth for the test, or as much more as it takes to hold enough of what is looked for."""
    if made.outcome.kind != "binary" or not made.outcome.event:
        return dict(_USUAL)
    rare = min(made.outcome.values, key=lambda value: made.outcome.values[value])
    is_rare = (made.looked.sample[made.outcome.name] == rare).to_numpy()[_order(made, time)]
    held = {
        share: is_rare[int((1 - share) * len(is_rare)) :].sum() * made.outcome.values[rare] / max(is_rare.sum(), 1)
        for share in _SHARES
    }
    share = next((share for share in _SHARES if held[share] >= _PER_TEST), _SHARES[-1])
    if share == _SHARES[0]:
        return dict(_USUAL)
    enough = "" if held[share] >= _PER_TEST else f", and even these hold only about {held[share]:.0f}"
    made.notes.append(
        f"the newest fifth would hold about {held[_SHARES[0]]:.0f} rows of {rare}, fewer than {_PER_TEST}: "
        f"the newest {100 * share:.0f} % by {time} are the test{enough}"
    )
    return {"train": round(0.8 - share, 2), "val": 0.2, "test": share}


def _order(made: Draft, time: str) -> NDArray[np.int64]:
    if made.kinds[time].what == "date":
        at = moments(made, time).dt.timestamp("ms").cast(pl.Float64).to_numpy()
    else:
        at = typed(made.looked.sample, [time], made.kinds)[time].astype(float)
    return np.argsort(at, kind="stable")
