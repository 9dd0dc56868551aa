"""What a table looks like in, a draft of its whole contract out; what only a person can say is left to be asked.

The order of looking is fixed: kinds of column, id and entity, copies, treatment, leaks, the rest, the split.
"""

from __future__ import annotations

from collections.abc import Mapping

from perennial.data.io.images import Archive, hash_pictures
from perennial.errors import ConfigError, InputError
from perennial.propose.dates import late_dates
from perennial.propose.draft import Answers, Draft
from perennial.propose.kinds import Keys, Kind, dated, kind_of
from perennial.propose.names import is_protected
from perennial.propose.outcome import candidates, decided, evidence, outcome_of
from perennial.propose.parts import by_hash, split
from perennial.propose.profile import Looked
from perennial.propose.relations import Told, copies, following, is_treatment, leaks, lottery, questions_of, typed
from perennial.propose.who import is_known_by_id, leave_names, name_rows

_SLICES = 6  # values up to which a column is a slice
_MANY_EMPTY = 0.99
_IN_ARCHIVE = 0.95  # of the paths


def undecided(looked: Looked, kinds: Mapping[str, Kind]) -> list[str]:
    """Candidates for the outcome with their evidence, the likeliest first."""
    return [evidence(name, looked, kinds) for _, name in candidates(looked, kinds)[:8]]


def kinds_of(looked: Looked, parted: Mapping[str, tuple[str, ...]], first: str | None = None) -> dict[str, Kind]:
    """What each column is; a date in parts that reads as none is no column.

    `first` (day or month) is what comes first where no cell tells.
    """
    found = {name: kind_of(column) for name, column in looked.columns.items()}
    for name, kind in found.items():
        if kind.either and first is not None:
            form = kind.either[first == "month"]
            found[name] = dated(
                form, tuple(sorted(looked.columns[name].nulls)), f"you said that the {first} comes first"
            )
    for name, parts in parted.items():
        kind = found.pop(name)
        if kind.what == "date":
            because = f"{', '.join(parts)} make it together"
            found[name] = Kind(keys={**kind.keys, "from": list(parts)}, what="date", because=because, null=kind.null)
    return found


def target_of(looked: Looked, kinds: Mapping[str, Kind], answers: Answers) -> str | None:
    """The column to predict: what was said, else what stands out."""
    return answers.target or decided(looked, candidates(looked, kinds))


def draft(
    name: str, source: Keys, looked: Looked, kinds: dict[str, Kind], target: str, answers: Answers,
    parted: Mapping[str, tuple[str, ...]],
) -> Draft:  # fmt: skip
    """`parted`: the columns that each date is made of.

    Raises: InputError when the target cannot be predicted, ConfigError for an answer that fits nothing.
    """
    outcome = outcome_of(target, looked, kinds, answers.event)
    made = Draft(name=name, source=source, looked=looked, kinds=kinds, outcome=outcome, parted=parted)
    made.columns[target], made.why[target] = outcome.keys, outcome.words
    if unsaid := looked.rows - looked.columns[target].said:
        made.notes.append(f"{unsaid:,} of {looked.rows:,} rows have no {target}: they teach nothing")
    name_rows(made)
    _copied(made)
    _untold(made)
    leave_names(made)
    _lottery(made, answers)
    _leaks(made, answers)
    _rest(made)
    split(made)
    _worth(made, answers)
    made.columns = {c: made.columns[c] for c in (*kinds, *made.columns) if not _is_unused(made, c)}
    if (
        not made.since
        and not made.has("numeric", "categorical", "text")
        and not any(k.what == "path" for k in kinds.values())
    ):
        raise InputError(f"--target {target}: no other column is left to learn from")
    return made


def _is_unused(made: Draft, column: str) -> bool:
    """A date in parts that orders nothing: the parts are columns by themselves."""
    return column in made.parted and made.columns[column]["role"] == "ignore"


def _copied(made: Draft) -> None:
    for column, other in copies(made.looked.sample, made.kinds).items():
        if column == made.outcome.name:
            made.ignore(other, "a copy of the outcome", known="after_outcome")
        elif other == made.outcome.name:
            made.ignore(column, "a copy of the outcome", known="after_outcome")
        else:
            made.ignore(column, f"a copy of {other}")


def _untold(made: Draft) -> None:
    """Columns that cannot be features, whatever they hold."""
    for column, kind in made.kinds.items():
        profile = made.looked.columns[column]
        if kind.what in {"empty", "constant", "path", "unclear", "unique"}:
            made.put(column, kind.keys, kind.because)
            if kind.what == "unclear":
                made.notes.append(f"{column} is left out: {kind.keys['why']}")
        elif kind.what == "contact":
            made.put(column, kind.keys, f"{kind.because}: never a feature, in no log and no report")
            if profile.twice and not made.has("entity") and not _is_each_another(made):
                made.notes.append(f"{column} comes again: without a column of ids, one person may be in two parts")
        elif profile.empty > _MANY_EMPTY * profile.rows:
            made.ignore(column, f"{profile.empty / profile.rows:.1%} of it is empty")


def _is_each_another(made: Draft) -> bool:
    """Whether every row is of somebody else: by its id, or by an address or a name that never comes again."""
    told = (made.looked.columns[c] for c, kind in made.kinds.items() if kind.what == "contact")
    return is_known_by_id(made) or any(not c.twice and not c.empty for c in told)


def attach(made: Draft, archives: Mapping[str, Archive]) -> None:
    """A column of paths that lead into one of the tars becomes the pictures there; equal ones are in one part."""
    for column, kind in made.kinds.items():
        if kind.what != "path":
            continue
        paths = made.looked.sample[column].to_list()
        for archive, tar in archives.items():
            if sum(path in tar.members for path in paths) >= _IN_ARCHIVE * len(paths):
                made.columns["picture"] = {"role": "image", "from": column, "in": archive}
                made.why["picture"] = f"paths of {column} lead into {archive}"
                made.columns[column] = {"role": "ignore", "why": "the path of picture"}
                made.source["attach"] = [{"file": archive}]
                made.pictures = True
                if not made.has("entity") and not made.looked.columns[column].empty:
                    _same_pictures(made, column, archive, tar)
                return


def _same_pictures(made: Draft, column: str, archive: str, tar: Archive) -> None:
    seen = hash_pictures(made.looked.sample[column], tar).drop_nulls()
    if not seen.is_duplicated().any():
        return
    made.columns["same_picture"] = {"role": "entity", "type": "text", "from": column, "in": archive}
    made.why["same_picture"] = f"{len(seen):,} paths lead to {seen.n_unique():,} different pictures"
    made.split = by_hash(made, "entity")
    made.split_why = "equal pictures are in one part"
    made.notes.append(f"{made.why['same_picture']}: rows of one are in one part")


def _lottery(made: Draft, answers: Answers) -> None:
    if answers.treatment == "" or made.outcome.kind == "multiclass":
        return
    free = [c for c, kind in made.kinds.items() if c not in made.columns and kind.what in {"numeric", "categorical"}]
    if answers.treatment is not None and answers.treatment not in free:
        raise ConfigError(f"treatment {answers.treatment!r} is no such column; there are: {', '.join(free)}")
    sample = made.looked.sample
    columns = typed(sample, free, made.kinds)
    found = lottery(sample, made.kinds, columns, answers.treatment)
    if found is None:
        for column in (c for c in free if is_treatment(sample, made.kinds, c)):
            made.ignore(column, "it says who was treated, and not by lot: other columns tell who")
            made.notes.append(
                f"{column} says who was treated, not by lot: left out; --treatment {column} asks whom it moves"
            )
        return
    column, control = found
    treated = (sample[column] != control).to_numpy().astype(float)
    for after in following({name: cells for name, cells in columns.items() if name != column}, treated):
        made.ignore(after, f"a value of it comes only with {column}: it was seen after it", known="after_outcome")
    values = [v for v in made.looked.columns[column].values if v != control]
    arms = {value: {"cost": answers.cost or 0.0} for value in sorted(values)}
    keys: Keys = {"role": "treatment", "control": control, "assignment": "randomised", "arms": arms}
    made.treatment = column
    made.put(column, keys, f"few values, {control} is none of the messages, and no other column tells it: a lottery")
    made.notes.append(f"{column} says who was treated: the question is whom the treatment moves")


def _leaks(made: Draft, answers: Answers) -> None:
    free = [c for c, kind in made.kinds.items() if c not in made.columns and kind.what in {"numeric", "categorical"}]
    told = _told(made, free)
    for column, why in told.refused.items():
        if column in answers.known:
            raise ConfigError(f"{column} cannot be known before the decision: {why}")
        made.ignore(column, f"known after the outcome: {why}", f"a leak: {why}", known="after_outcome")
    made.suspects = {
        column: why for column, why in told.suspects.items() if column not in answers.known and not is_protected(column)
    }
    late = late_dates(made, list(told.refused))
    for column, why in late.items():
        if column not in answers.known:
            made.ignore(column, why, known="after_outcome")


def _told(made: Draft, free: list[str]) -> Told:
    sample = made.looked.sample
    is_known, asked = questions_of(sample[made.outcome.name], made.outcome.keys, made.outcome.kind)
    if not asked or not free:
        return Told(refused={}, suspects={})
    columns = typed(sample.filter(is_known), free, made.kinds)
    return leaks(columns, asked, made.outcome.name, amount=made.outcome.kind == "regression")


def _rest(made: Draft) -> None:
    """Features, dates and protected columns."""
    for column, kind in made.kinds.items():
        if column in made.columns or kind.what == "date":
            continue
        if is_protected(column) and kind.what in {"numeric", "categorical"}:
            keys = {**kind.keys, "role": "protected"} | ({"type": "int"} if kind.keys.get("type") == "int" else {})
            made.put(column, keys, "the law protects it: for slices of the report; a feature only with use: true")
            continue
        made.put(column, kind.keys, kind.because)
        if column in made.suspects:
            made.why[column] = f"left out and reported both ways: {made.suspects[column]}"
    few = [
        c for c, keys in made.columns.items()
        if keys["role"] in {"protected", "categorical"} and 2 <= made.looked.columns[c].distinct <= _SLICES
    ]  # fmt: skip
    made.slices = sorted(few, key=lambda c: made.columns[c]["role"] != "protected")[:3]


def _worth(made: Draft, answers: Answers) -> None:
    """Raises: ConfigError for what a contact costs where nothing tells what a response earns."""
    if answers.cost is not None and answers.earns is None and made.treatment is None:
        raise ConfigError(f"--cost {answers.cost:g} without --value: what a contact costs decides nothing by itself")
    if answers.earns is not None:
        made.money = {"value_of_response": answers.earns, "cost_of_contact": answers.cost or 0.0}
        if made.treatment is not None:
            made.money.pop("cost_of_contact")
    elif made.treatment is not None:
        made.money = {"value_of_response": 1.0}
        made.notes.append("what a response earns is not known: effects are counted in responses (value 1)")
