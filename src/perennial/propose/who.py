"""A draft in, the columns that name its rows and whose each row is: one person is never in two parts of a split."""

from __future__ import annotations

from perennial.propose.draft import Draft
from perennial.propose.kinds import Keys, is_key, name_of
from perennial.propose.names import is_date_name, names_contact, names_person, names_rows, names_somebody
from perennial.propose.profile import Profile

_NEARLY, _FEW_ROWS = 0.95, 100  # of the rows have a name of their own, and there are more than so many
_NUMBERED = 5  # whole numbers that differ in every row and lie closer than this count rows
_LONG = 1_000_000  # … or are greater than this
_PEOPLE = 0.02  # different names for each row, from which they tell people apart
_SINGLE = 2 / 3  # different values for each row, from which a code names single things


def name_rows(made: Draft) -> None:
    """The column that names a row, and the one that names whose it is, where they are."""
    rows, columns = made.looked.rows, made.looked.columns
    free = [c for c in columns if c not in made.columns and made.kinds[c].what in {"numeric", "categorical", "unique"}]
    unique = [c for c in free if not columns[c].twice and not columns[c].empty and columns[c].told == rows > 1]
    named = [c for c in unique if names_rows(c) and _is_whole(columns[c])]
    named.sort(key=lambda c: not names_somebody(c))
    if named:
        because = "no value comes twice, and the name says that it is one"
        made.put(named[0], name_of("id", columns[named[0]]), because)
        made.keeps = "drop"
    for column in named[1:]:
        made.ignore(column, "another name of the row")
    for column in (c for c in unique if c not in made.columns and _is_numbering(columns[c])):
        made.ignore(column, "it numbers the rows", "whole numbers, another in every row and close together")
    _owner(made, [c for c in free if c not in made.columns])


def _is_whole(column: Profile) -> bool:
    """Texts, or whole numbers however long: no measure differs in every row."""
    return column.shapes["whole"] + column.shapes["long"] + column.texts >= column.rows


def _owner(made: Draft, free: list[str]) -> None:
    """Whose each row is: called so; else what names nearly every row, the only keys that come again, or who is reached."""
    columns = made.looked.columns
    nearly = [c for c in free if names_rows(c) and columns[c].distinct >= _NEARLY * columns[c].rows > _FEW_ROWS]
    owners = [c for c in free if _is_owner(columns[c])] or [
        c for c in nearly if not (columns[c].empty or made.has("id"))
    ][:1]
    keyed = [c for c in free if is_key(columns[c])]
    if not owners and len(keyed) == 1:
        owners = keyed
    if not owners and not is_known_by_id(made):
        _person(made)
    if owners:
        owner = max(owners, key=lambda c: columns[c].distinct)
        keys = name_of("entity", columns[owner])
        if columns[owner].empty:
            keys["when_missing"] = "filter"
        per = columns[owner].told / columns[owner].distinct
        made.put(owner, keys, f"{columns[owner].distinct:,} of them, {per:.1f} rows each: one is never in two parts")
    for column in nearly:
        made.ignore(column, "it names nearly every row")


def _person(made: Draft) -> None:
    """An address, a telephone or a name that comes again says whose a row is: by its digest, which tells nobody."""
    columns = made.looked.columns
    told = [c for c, kind in made.kinds.items() if kind.what == "contact" and columns[c].empty < 0.01 * columns[c].rows]
    mails = [c for c in told if columns[c].share("holds_email") > 0.5]
    lines = [c for c in told if c not in mails and names_contact(c)]
    names = [c for c in told if names_person(c) and columns[c].distinct > _PEOPLE * columns[c].rows]
    surest = next((kind for kind in (mails, lines, names) if kind), [])
    again = [c for c in surest if columns[c].twice]
    if not again:  # another address in every row says that each is somebody else
        return
    reached = min(again, key=lambda c: columns[c].distinct)
    name = "person"
    while name in columns:
        name += "_"
    keys: Keys = {"role": "entity", "type": "text", "from": reached, "hashed": True}
    if made.kinds[reached].null:
        keys["null"] = list(made.kinds[reached].null)
    if columns[reached].empty:
        keys["when_missing"] = "filter"
    made.columns[name] = keys
    per = columns[reached].told / columns[reached].distinct
    made.why[name] = (
        f"{columns[reached].distinct:,} different {reached}, {per:.1f} rows each: one is never in two parts"
    )


def _is_numbering(column: Profile) -> bool:
    """Whole numbers, another in every row: close together, or long ones."""
    is_whole = column.shapes["whole"] == column.rows > 100
    is_long = column.least >= _LONG and not is_date_name(column.name)
    return is_whole and (column.most - column.least < _NUMBERED * column.rows or is_long)


def _is_owner(column: Profile) -> bool:
    """A column that names people or accounts, some of them more than once."""
    return names_somebody(column.name) and column.twice and column.distinct > 20 and column.empty < 0.01 * column.rows


def is_known_by_id(made: Draft) -> bool:
    """Whether the id of a row is somebody's, so that each row is of somebody else."""
    return names_somebody(made.one("id") or "")


def leave_names(made: Draft) -> None:
    """Codes that name the same as the owner of a row, or single things: a model would learn them by heart."""
    sample = made.looked.sample
    owner = made.one("entity")
    named = made.columns[owner].get("from", owner) if owner is not None else None
    n_named = sample[named].n_unique() if named is not None else 0
    for column, kind in made.kinds.items():
        profile = made.looked.columns[column]
        if column in made.columns or kind.what != "categorical":
            continue
        if named is not None and sample[column].n_unique() == n_named == sample.select(column, named).n_unique():
            made.ignore(column, f"it names the same as {named}")
        elif names_rows(column) and profile.distinct > max(_SINGLE * profile.told, _FEW_ROWS):
            made.ignore(column, f"an id of which {profile.told / profile.distinct:.1f} rows have the same")
            made.notes.append(f"{column} is left out: {made.columns[column]['why']}")
