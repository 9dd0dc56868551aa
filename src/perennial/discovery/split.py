"""The split keeps one person in one part: by entity if it repeats, by time if there is a time, else by hash."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.contract.columns import Column
from perennial.contract.split import ColumnSplit, Fractions, HashSplit, TimeSplit
from perennial.discovery.column_types import draft_name, is_key
from perennial.discovery.contract_draft import ignored_column
from perennial.discovery.draft import Draft
from perennial.discovery.names import has_topic, is_contact_name, is_entity_id, is_row_id, load_keywords, may_name_person
from perennial.discovery.profile import ColumnProfile

_NEARLY, _FEW_ROWS = 0.95, 100  # of the rows have a name of their own, and there are more than so many
_MAX_GAP = 5  # whole numbers that differ in every row and lie closer than this count rows
_LONG = 1_000_000  # … or are greater than this
_MIN_PEOPLE = 0.02  # different names for each row, from which they tell people apart
_SINGLE = 2 / 3  # different values for each row, from which a code names single things
_TEST_SHARES = (0.2, 0.25, 0.3, 0.35, 0.4)  # of the newest rows
_FRACTIONS = Fractions(train=0.6, val=0.2, test=0.2)
_MIN_MOMENTS = 25  # different times that order rows; an hour of the day does not
_MIN_EVENTS = 50  # that a test part should hold


def assign_ids(draft: Draft) -> None:
    """The id of a row and its entity, where there are columns for them."""
    rows = draft.table.rows
    free = draft.find_free("numeric", "categorical", "unique")
    profiles = {name: draft.profile(name) for name in free}
    unique = [c for c, p in profiles.items() if not p.has_repeats and not p.empty and p.filled == rows > 1]
    ids = [name for name in unique if is_row_id(name) and _is_whole(profiles[name])]
    ids.sort(key=lambda name: not is_entity_id(name))
    if ids:
        draft.put(ids[0], draft_name("id", profiles[ids[0]]), "no value comes twice, and the name says that it is one")
        draft.duplicates = "drop"
    for name in ids[1:]:
        draft.ignore(name, "another name of the row")
    for name in unique:
        if _is_numbering(profiles[name]):
            draft.ignore(name, "it numbers the rows", "whole numbers, another in every row and close together")
    _assign_entity(draft, [name for name in free if name not in draft.columns])


def _is_whole(profile: ColumnProfile) -> bool:
    """Texts, or whole numbers however long: no measure differs in every row."""
    return profile.shapes["whole"] + profile.shapes["long"] + profile.texts >= profile.rows


def _is_numbering(profile: ColumnProfile) -> bool:
    """Whole numbers, another in every row: close together, or long ones."""
    is_whole = profile.shapes["whole"] == profile.rows > 100
    is_long = profile.minimum >= _LONG and not has_topic(profile.name, "date")
    return is_whole and (profile.maximum - profile.minimum < _MAX_GAP * profile.rows or is_long)


def _assign_entity(draft: Draft, free: list[str]) -> None:
    """The entity: called so; else what names nearly every row, the only keys that come again, or contact data."""
    profiles = {name: draft.profile(name) for name in free}
    nearly = [c for c, p in profiles.items() if is_row_id(c) and p.distinct >= _NEARLY * p.rows > _FEW_ROWS]
    entities = [name for name, profile in profiles.items() if _is_entity(profile)]
    if not entities and not draft.has("id"):
        entities = [name for name in nearly if not profiles[name].empty][:1]
    keys = [name for name, profile in profiles.items() if is_key(profile)]
    if not entities and len(keys) == 1:
        entities = keys
    if entities:
        profile = max((profiles[name] for name in entities), key=lambda profile: profile.distinct)
        column = draft_name("entity", profile, is_filter=profile.empty > 0)
        draft.put(profile.name, column, _describe_entity(profile, "of them"))
    elif not has_id_of_entity(draft):
        _add_person(draft)
    for name in nearly:
        draft.ignore(name, "it names nearly every row")


def _is_entity(profile: ColumnProfile) -> bool:
    """A column that names people or accounts, some of them more than once."""
    repeats = profile.has_repeats and profile.distinct > 20
    return is_entity_id(profile.name) and repeats and profile.empty < 0.01 * profile.rows


def has_id_of_entity(draft: Draft) -> bool:
    """Whether the id of a row is somebody's, so that each row is of somebody else."""
    return is_entity_id(draft.find("id") or "")


def _describe_entity(profile: ColumnProfile, what: str) -> str:
    return f"{profile.distinct:,} {what}, {profile.rows_per_value:.1f} rows each: one is never in two parts"


def _add_person(draft: Draft) -> None:
    """An address, a telephone or a name that comes again is the entity: as its digest, which identifies nobody."""
    contacts = [draft.profile(name) for name, column in draft.typed.items() if column.type == "contact"]
    contacts = [profile for profile in contacts if profile.empty < 0.01 * profile.rows]
    mails = [profile for profile in contacts if profile.share("holds_email") > 0.5]
    lines = [profile for profile in contacts if profile not in mails and is_contact_name(profile.name)]
    people = [p for p in contacts if may_name_person(p.name) and p.distinct > _MIN_PEOPLE * p.rows]
    repeated = [profile for profile in mails or lines or people if profile.has_repeats]
    if not repeated:  # another address in every row says that each is somebody else
        return
    contact = min(repeated, key=lambda profile: profile.distinct)
    name = "person"
    while name in draft.table.columns:
        name += "_"
    column = Column(
        role="entity", type="text", source=contact.name, hashed=True, when_missing="filter" if contact.empty else "quarantine"
    )
    draft.replace(name, column, _describe_entity(contact, f"different {contact.name}"))


def ignore_other_ids(draft: Draft) -> None:
    """Codes that name the same as the entity, or single things: a model would learn them by heart."""
    sample, owner = draft.table.sample, draft.find("entity")
    source = None if owner is None else str(draft.columns[owner].source or owner)
    n_entities = 0 if source is None else sample[source].n_unique()
    for name in draft.find_free("categorical"):
        profile = draft.profile(name)
        if source is not None and sample[name].n_unique() == n_entities == sample.select(name, source).n_unique():
            draft.ignore(name, f"it names the same as {source}")
        elif is_row_id(name) and profile.distinct > max(_SINGLE * profile.filled, _FEW_ROWS):
            draft.ignore(name, f"an id of which {profile.rows_per_value:.1f} rows have the same")
            draft.note_left_out(name)


def assign_split(draft: Draft) -> None:
    """By the column that says it, by time where nobody comes twice, else by hash; what other dates become."""
    decided = [name for name in draft.columns if name in draft.typed]
    dates = draft.find_free("date") + [name for name in decided if _is_clock(draft, name)]
    time = max(
        (name for name in dates if _is_moment(draft.profile(name))),
        key=lambda name: (has_topic(name, "date"), _find_median(draft, name)),
        default=None,
    )
    parts = next((name for name in decided if _has_parts(draft.profile(name))), None)
    if parts is not None:
        _split_by_column(draft, parts)
    elif time is not None and not draft.has("entity") and draft.treatment is None:
        _split_by_time(draft, time)
    elif draft.has("entity"):
        split_by_hash(draft, "entity", "all rows of one are in one part")
    else:
        split_by_hash(draft, "record", "equal rows are in one part")
    for name in dates:
        if name not in draft.columns:
            _assign_date(draft, name)


def _split_by_column(draft: Draft, name: str) -> None:
    values = load_keywords().split_values
    parts = {value: values[value.lower()] for value in sorted(draft.profile(name).values)}
    draft.replace(name, Column(role="split", values=parts), "it names the parts")
    draft.split, draft.split_reason = ColumnSplit(kind="column"), f"{name} says it"
    draft.slices = [column for column in draft.slices if column != name]


def _split_by_time(draft: Draft, time: str) -> None:
    draft.split = TimeSplit(kind="time", order=time, fractions=_choose_fractions(draft, time))
    draft.split_reason = "the newest rows test, as the next ones will"
    draft.columns.pop(time, None)
    column = draft.typed[time].draft.model_copy(update={"role": "time"})
    draft.put(time, column, "rows are split by it: the oldest train, the newest test")
    if time in draft.date_parts:
        year = draft.date_parts[time][0]
        why = "rows are split by it: no later year was ever trained on"
        draft.replace(year, ignored_column(why), f"it is the year of {time}")


def split_by_hash(draft: Draft, by: Literal["entity", "record"], reason: str) -> None:
    """All rows of one entity, or all equal records, in one part."""
    draft.split = HashSplit(kind="hash", by=by, salt=f"{draft.name}-1", fractions=_FRACTIONS)
    draft.split_reason = reason


def _assign_date(draft: Draft, name: str) -> None:
    """A date is no feature by itself; how long ago somebody began is one."""
    if not has_topic(name, "start_date"):
        why = "a date; say unit.features if days since it are known in time"
        draft.ignore(name, why, "a date is no feature by itself")
        return
    draft.put(name, draft.typed[name].draft.model_copy(update={"nullable": True}), "how long ago it was is a feature")
    draft.ages.append(name)
    last = draft.cast_dates(name).dt.date().max()
    assert isinstance(last, dt.date)
    draft.as_of = max(draft.as_of, str(last + dt.timedelta(days=1)))


def _is_clock(draft: Draft, name: str) -> bool:
    """Numbers that are called a time and grow down the file: they order its rows."""
    is_varied = draft.profile(name).distinct >= _MIN_MOMENTS
    if draft.columns[name].role != "numeric" or not has_topic(name, "clock") or not is_varied:
        return False
    numbers = draft.cast_features([name])[name].astype(float)
    return bool((numbers[1:] >= numbers[:-1]).all())


def _has_parts(profile: ColumnProfile) -> bool:
    """Whether a column names the parts of a split, all three of them."""
    parts = [load_keywords().split_values.get(value.lower()) for value in profile.values]
    return has_topic(profile.name, "split") and set(parts) == {"train", "val", "test"}


def _is_moment(profile: ColumnProfile) -> bool:
    """Whether a date may be that of the row itself, by which rows could be split."""
    return not (has_topic(profile.name, "start_date") or profile.empty or profile.distinct < 5)


def _find_median(draft: Draft, name: str) -> float:
    """The middle of a column of dates, as a number: of several, what happens last is the row's own."""
    if draft.typed[name].type != "date":
        return 0.0
    return float(draft.cast_dates(name).dt.timestamp("ms").median() or 0)  # type: ignore[arg-type]


def _choose_fractions(draft: Draft, time: str) -> Fractions:
    """A fifth for the test, or as much more as it takes to hold enough of what is looked for."""
    outcome = draft.outcome
    if outcome.kind != "binary" or not outcome.event:
        return _FRACTIONS
    rare = min(outcome.values, key=lambda value: outcome.values[value])
    is_rare = (draft.table.sample[outcome.name] == rare).to_numpy()[_sort_by_time(draft, time)]
    scale = outcome.values[rare] / max(is_rare.sum(), 1)
    n_events = {share: is_rare[int((1 - share) * len(is_rare)) :].sum() * scale for share in _TEST_SHARES}
    share = next((share for share in _TEST_SHARES if n_events[share] >= _MIN_EVENTS), _TEST_SHARES[-1])
    if share == _TEST_SHARES[0]:
        return _FRACTIONS
    shortfall = "" if n_events[share] >= _MIN_EVENTS else f", and even these hold only about {n_events[share]:.0f}"
    draft.notes.append(
        f"the newest fifth would hold about {n_events[_TEST_SHARES[0]]:.0f} rows of {rare}, fewer than {_MIN_EVENTS}: "
        f"the newest {100 * share:.0f} % by {time} are the test{shortfall}"
    )
    return Fractions(train=round(0.8 - share, 2), val=0.2, test=share)


def _sort_by_time(draft: Draft, time: str) -> NDArray[np.int64]:
    """The order of the sample's rows (n,)."""
    if draft.typed[time].type == "date":
        at = draft.cast_dates(time).dt.timestamp("ms").cast(pl.Float64).to_numpy()
    else:
        at = draft.cast_features([time])[time].astype(float)
    return np.argsort(at, kind="stable")
