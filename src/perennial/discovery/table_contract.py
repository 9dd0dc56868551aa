"""The contract of a table is drafted in a fixed order: outcome, ids, copies, treatment, leaks, the rest, the split.

What was decided first, stays; what only a person can say is left to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from perennial.contract.columns import Column
from perennial.contract.model import Money
from perennial.contract.source import Attachment
from perennial.data.io.images import Archive, hash_pictures
from perennial.discovery.column_types import TypedColumns
from perennial.discovery.contract_draft import ignored_column
from perennial.discovery.draft import Answers, Draft
from perennial.discovery.leakage import refuse_leaks
from perennial.discovery.names import has_topic
from perennial.discovery.outcome import describe_outcome
from perennial.discovery.profile import TableProfile
from perennial.discovery.split import assign_ids, assign_split, has_id_of_entity, ignore_other_ids, split_by_hash
from perennial.discovery.tables import SourceTable
from perennial.discovery.treatment import assign_treatment
from perennial.errors import ConfigError, InputError

SLICE_ROLES = {"protected", "categorical"}
_MAX_SLICE_VALUES, _MAX_SLICES = 6, 3
_NEARLY_EMPTY = 0.99
_IN_ARCHIVE = 0.95  # of the paths


def draft_contract(
    name: str, files: SourceTable, table: TableProfile, columns: TypedColumns, target: str, answers: Answers
) -> Draft:
    """Raises: InputError when the target cannot be predicted, ConfigError for an answer that fits nothing."""
    outcome = describe_outcome(target, table, columns, answers.event)
    draft = Draft(name=name, source=files.source, table=table, typed=columns, outcome=outcome, date_parts=files.date_parts)
    draft.put(target, outcome.draft, outcome.summary)
    if n_unknown := table.rows - table.columns[target].answers:
        draft.notes.append(f"{n_unknown:,} of {table.rows:,} rows have no {target}: they teach nothing")
    assign_ids(draft)
    _ignore_copies(draft)
    _ignore_useless(draft)
    ignore_other_ids(draft)
    assign_treatment(draft, answers)
    refuse_leaks(draft, answers)
    _assign_features(draft)
    draft.slices = _choose_slices(draft)
    assign_split(draft)
    draft.money = _value_responses(draft, answers)
    unused_dates = {n for n in draft.date_parts if draft.columns[n].role == "ignore"}  # its parts are columns by themselves
    draft.columns = {n: draft.columns[n] for n in (*columns, *draft.columns) if n not in unused_dates}
    has_paths = any(column.type == "path" for column in columns.values())
    if not (draft.ages or has_paths or draft.has("numeric", "categorical", "text")):
        raise InputError(f"--target {target}: no other column is left to learn from")
    return draft


def _ignore_copies(draft: Draft) -> None:
    target = draft.outcome.name
    for name, original in _find_copies(draft.table.sample, draft.typed).items():
        if target in (name, original):
            draft.ignore(original if name == target else name, "a copy of the outcome", known="after_outcome")
        else:
            draft.ignore(name, f"a copy of {original}")


def _find_copies(sample: pl.DataFrame, columns: TypedColumns) -> dict[str, str]:
    """Columns whose cells equal those of an earlier one → that one."""
    first: dict[int, str] = {}
    copies = {}
    for name in sample.columns:
        if name not in columns or columns[name].type in {"empty", "constant"}:
            continue
        digest = hash(tuple(sample[name].hash(seed=1).to_list()))
        if digest in first:
            copies[name] = first[digest]
        first.setdefault(digest, name)
    return copies


def _ignore_useless(draft: Draft) -> None:
    """Columns that cannot be features, whatever they hold."""
    for name, column in draft.typed.items():
        profile = draft.profile(name)
        if column.type in {"empty", "constant", "path", "unclear", "unique"}:
            draft.put(name, column.draft, column.reason)
            if column.type == "unclear":
                draft.note_left_out(name)
        elif column.type == "contact":
            draft.put(name, column.draft, f"{column.reason}: never a feature, in no log and no report")
            if profile.has_repeats and not draft.has("entity") and not _has_distinct_people(draft):
                draft.notes.append(f"{name} comes again: without a column of ids, one person may be in two parts")
        elif profile.empty > _NEARLY_EMPTY * profile.rows:
            draft.ignore(name, f"{profile.empty / profile.rows:.1%} of it is empty")


def _has_distinct_people(draft: Draft) -> bool:
    """Whether every row is of somebody else: by its id, or by an address or a name that never comes again."""
    contacts = [draft.profile(name) for name, column in draft.typed.items() if column.type == "contact"]
    return has_id_of_entity(draft) or any(not profile.has_repeats and not profile.empty for profile in contacts)


def _assign_features(draft: Draft) -> None:
    """Features and protected columns: whatever is not decided and no date."""
    for name, column in draft.typed.items():
        if name in draft.columns or column.type == "date":
            continue
        if has_topic(name, "protected") and column.type in {"numeric", "categorical"}:
            reason = "the law protects it: for slices of the report; a feature only with use: true"
            draft.put(name, column.draft.model_copy(update={"role": "protected"}), reason)
        elif name in draft.suspects:
            draft.put(name, column.draft, f"left out and reported both ways: {draft.suspects[name]}")
        else:
            draft.put(name, column.draft, column.reason)


def _choose_slices(draft: Draft) -> list[str]:
    """The first columns of few values, protected ones first."""
    names = [
        name
        for name, column in draft.columns.items()
        if column.role in SLICE_ROLES and 2 <= draft.profile(name).distinct <= _MAX_SLICE_VALUES
    ]
    return sorted(names, key=lambda name: draft.columns[name].role != "protected")[:_MAX_SLICES]


def _value_responses(draft: Draft, answers: Answers) -> Money:
    """Raises: ConfigError for what a contact costs where nothing tells what a response earns."""
    is_uplift = draft.treatment is not None
    if answers.earns is not None:
        return Money(value_of_response=answers.earns, cost_of_contact=None if is_uplift else answers.cost or 0.0)
    if is_uplift:
        draft.notes.append("what a response earns is not known: effects are counted in responses (value 1)")
        return Money(value_of_response=1.0)
    if answers.cost is not None:
        raise ConfigError(f"--cost {answers.cost:g} without --value: what a contact costs decides nothing by itself")
    return Money()


def attach_pictures(draft: Draft, archives: Mapping[str, Archive]) -> None:
    """A column of paths that lead into one of the tars becomes the pictures there; equal ones are in one part."""
    for name in [name for name, column in draft.typed.items() if column.type == "path"]:
        paths = draft.table.sample[name].to_list()
        for file, archive in archives.items():
            if sum(path in archive.members for path in paths) >= _IN_ARCHIVE * len(paths):
                column = Column(role="image", source=name, archive=file)
                draft.replace("picture", column, f"paths of {name} lead into {file}")
                draft.columns[name] = ignored_column("the path of picture")
                draft.source = draft.source.model_copy(update={"attach": (Attachment(file=file),)})
                draft.has_pictures = True
                if not draft.has("entity") and not draft.profile(name).empty:
                    _keep_equal_pictures_together(draft, name, file, archive)
                return


def _keep_equal_pictures_together(draft: Draft, name: str, file: str, archive: Archive) -> None:
    digests = hash_pictures(draft.table.sample[name], archive).drop_nulls()
    if not digests.is_duplicated().any():
        return
    reason = f"{len(digests):,} paths lead to {digests.n_unique():,} different pictures"
    draft.replace("same_picture", Column(role="entity", type="text", source=name, archive=file), reason)
    split_by_hash(draft, "entity", "equal pictures are in one part")
    draft.notes.append(f"{reason}: rows of one are in one part")
