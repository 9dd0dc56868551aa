"""A proposal is the contract and the params that discovery writes for files that nobody described.

It looks at every row, asks a person where there is one, and writes nothing itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perennial.contract.columns import Column
from perennial.contract.rules import name_rule
from perennial.data.io.images import Archive
from perennial.data.io.workbook import NAMES_SOMEONE, describe_number_id
from perennial.discovery.column_types import TypedColumns, type_columns
from perennial.discovery.confirm import confirm_columns
from perennial.discovery.contract_draft import refuse_invalid
from perennial.discovery.draft import Answers, Draft
from perennial.discovery.event_log import EventLog, find_event_log, propose_for_log
from perennial.discovery.names import is_outcome
from perennial.discovery.outcome import choose_target, describe_candidates, describe_outcome
from perennial.discovery.profile import profile_table
from perennial.discovery.questions import ask_date_order, ask_target, build_questions
from perennial.discovery.render import build_contract_text, build_first_rows, build_params_text
from perennial.discovery.table_contract import SLICE_ROLES, attach_pictures, draft_contract
from perennial.discovery.tables import SourceTable, describe_table, list_files, unpack_tables
from perennial.discovery.terminal import Terminal
from perennial.errors import ConfigError, InputError

_MAX_SHOWN = 12  # columns that are listed on the screen
_MAX_FILES = 3  # … and files
_EDITABLE = "Each guess has its reason behind it; what you change stays as you change it."


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The texts to be written, and what is said on the screen."""

    contract: str
    params: str
    words: list[str]


def propose(
    name: str, paths: Sequence[Path], answers: Answers, person: Terminal | None = None, sheet: str | None = None
) -> Proposal:
    """Look at files with the same columns, ask `person` if there is one, and write nothing.

    `sheet` is that of workbooks with several.

    Raises: InputError for files that are no table, or when what to predict is not said and cannot be seen; ConfigError
    for an answer that fits nothing, ContractError for one that no contract can have.
    """
    archives = {path.name: Archive.open(path) for path in paths if len(paths) > 1 and path.suffix == ".tar"}
    with tempfile.TemporaryDirectory() as folder, refuse_invalid(name):
        tables = unpack_tables([path for path in paths if path.name not in archives], Path(folder))
        return _Discovery(name, describe_table(tables, sheet), archives, person).propose(answers)


def choose_files(data: Path, person: Terminal, sheet: str | None = None) -> Path:
    """The folder, if its files have the same columns; else the one of them that is meant."""
    if not data.is_dir():
        return data
    paths = list_files(data)

    def choose(reply: str) -> Path:
        path = next((path for path in paths if path.name == reply), None) if reply else data
        if path is None:
            raise ConfigError(f"{reply} is none of {', '.join(path.name for path in paths)}")
        return path

    try:
        describe_table([path for path in paths if path.suffix != ".tar"], sheet)
    except InputError as error:
        person.show([str(error)])
        return person.reply("which file is the table? ", "none: they are not joined", choose)
    return data


class _Discovery:
    """One look at one table."""

    def __init__(self, name: str, files: SourceTable, archives: Mapping[str, Archive], person: Terminal | None) -> None:
        self._name, self._files, self._archives, self._person = name, files, archives, person
        self._table = profile_table(files.read_blocks(), [*files.names, *files.date_parts])
        if not self._table.rows:
            raise InputError(f"{files.paths[0].name}: a header and no row that can be read")
        names = ", ".join(path.name for path in files.paths[:_MAX_FILES])
        self._head = [f"Proposed from {names}: {self._table.rows:,} rows.", *files.notes]

    def propose(self, answers: Answers) -> Proposal:
        columns = self._type_columns(answers)
        screen = [*self._head, *build_first_rows(self._table, columns)]
        if self._person is not None:
            self._person.show(screen)
            screen = []
            answers = self._ask_date_order(columns, answers, self._person)
            columns = self._type_columns(answers)
        target = answers.target or choose_target(self._table, columns)
        log = find_event_log(self._table, columns)
        if answers.target is None and log is not None and (target is None or not is_outcome(target)):
            return self._propose_for_log(columns, log, screen)
        if target is None and self._person is not None:
            answers = self._ask_target(columns, answers, self._person)
            target = answers.target
        if target is None:
            choices = "; ".join(describe_candidates(self._table, columns)) or "no column has two values or more"
            raise InputError(f"what should {self._name} predict? Say it with --target. It could be: {choices}")
        draft = self._draft_contract(columns, target, answers)
        self._confirm(draft)
        return _build_proposal(draft, [*self._head, _EDITABLE], screen)

    def _type_columns(self, answers: Answers) -> TypedColumns:
        return type_columns(self._table, self._files.date_parts, answers.first)

    def _ask_date_order(self, columns: TypedColumns, answers: Answers, person: Terminal) -> Answers:
        unclear = [name for name, column in columns.items() if column.date_orders]
        if not unclear:
            return answers
        cells = {name: next(filter(None, self._table.sample[name].to_list())) for name in unclear}
        question = ask_date_order([f"{name}: {cell}" for name, cell in cells.items()])
        person.screen([question])
        return person.answer(question, answers, lambda _: None)[0]

    def _ask_target(self, columns: TypedColumns, answers: Answers, person: Terminal) -> Answers:
        def check(answers: Answers) -> None:
            if answers.target is not None:
                describe_outcome(answers.target, self._table, columns, answers.event)

        question = ask_target(describe_candidates(self._table, columns))
        person.screen([question])
        return person.answer(question, answers, check)[0]

    def _draft_contract(self, columns: TypedColumns, target: str, answers: Answers) -> Draft:
        """The draft after the questions that are left: shown at once, and anew where the outcome becomes another."""

        def draft_with(answers: Answers) -> Draft:
            return draft_contract(self._name, self._files, self._table, columns, answers.target or target, answers)

        draft = draft_with(answers)
        if self._person is None:
            return draft
        candidates = describe_candidates(self._table, columns)
        questions = self._person.screen(build_questions(draft, answers, candidates))
        while questions:
            outcome = draft.outcome.name
            answers, draft = self._person.answer(questions.pop(0), answers, draft_with)
            if draft.outcome.name != outcome:
                questions = self._person.screen(build_questions(draft, answers, candidates))
        return draft

    def _confirm(self, draft: Draft) -> None:
        """Attach pictures, and take back what would lose rows."""
        attach_pictures(draft, self._archives)
        confirmation = confirm_columns(draft.columns, draft.reasons, self._table, self._files.read_blocks)
        draft.columns, draft.reasons, draft.rules = confirmation.columns, confirmation.reasons, confirmation.rules
        if confirmation.warning:
            draft.notes.append(confirmation.warning)
        draft.notes += self._warn_of_ids(draft.columns)
        draft.slices = [name for name in draft.slices if draft.columns[name].role in SLICE_ROLES]

    def _warn_of_ids(self, columns: Mapping[str, Column]) -> list[str]:
        """Ids that the workbook stores as numbers."""
        ids = [name for name, column in columns.items() if column.role in NAMES_SOMEONE and name in self._files.numbers]
        return [describe_number_id(name) for name in ids]

    def _propose_for_log(self, columns: TypedColumns, log: EventLog, screen: list[str]) -> Proposal:
        proposal = propose_for_log(self._name, self._files.source, self._table, columns, log, self._files.read_blocks)
        profile = self._table.columns[log.entity]
        words = [*screen, proposal.warning] if proposal.warning else list(screen)
        if profile.empty:
            n_events = f"{profile.empty:,} of {self._table.rows:,} events"
            words.append(f"{n_events} have no {log.entity}: nobody's, and left out")
        words += [*self._warn_of_ids(proposal.columns), *_describe_unused(proposal.columns)]
        question = proposal.contract.task.question
        words.append(f"rows are events of {profile.distinct:,} {log.entity}: {question}")
        return Proposal(
            contract=build_contract_text(proposal.contract, [*self._head, _EDITABLE], proposal.reasons),
            params=build_params_text(self._name, 3 * profile.distinct, "binary"),
            words=words,
        )


def _build_proposal(draft: Draft, head: list[str], screen: list[str]) -> Proposal:
    reasons = {
        "columns": draft.reasons,
        "rules": {name_rule(expected.rule): expected.reason for expected in draft.rules},
        "split": {"": draft.split_reason},
        "task": {"": draft.outcome.summary},
    }
    words = [*screen, f"predict {draft.outcome.name}: {draft.outcome.summary}"]
    if leaks := [name for name, column in draft.columns.items() if column.known == "after_outcome"]:
        words.append(f"refused as leaks: {', '.join(leaks)}")
    if draft.suspects:
        why = "may be known too late: left out, and the report shows both; --known COLUMN takes one in"
        reasons["leakage_suspects"] = {"": why}
        words.append(f"suspects, left out: {', '.join(draft.suspects)}")
    unexplained = {name: column for name, column in draft.columns.items() if name not in draft.explained}
    words += [*_describe_unused(unexplained), *draft.notes]
    contract = draft.to_contract()
    params = build_params_text(
        draft.name, draft.table.rows, contract.task.kind, has_text=draft.has("text"), has_pictures=draft.has_pictures
    )
    return Proposal(contract=build_contract_text(contract, [*head, *draft.notes], reasons), params=params, words=words)


def _describe_unused(columns: Mapping[str, Column]) -> list[str]:
    """The columns that are none of the model's; the contract has the reason of each."""
    names = [name for name, column in columns.items() if column.role == "ignore" and column.known == "before_decision"]
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    return [f"not used: {', '.join(names[:_MAX_SHOWN])}{more} (the contract says why)"] if names else []
