"""`perennial new NAME --data FILE`: look at a file, ask what only a person can say, write its contract and params.

A contract that is there already is never touched. The raw data is fetched, so `perennial run NAME` works at once.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from perennial.config.base import append_block, read_use_cases
from perennial.contract.load import parse
from perennial.data.io.images import Archive
from perennial.errors import ConfigError, InputError, PerennialError
from perennial.files.durable import write_text
from perennial.files.project import Project, check_name
from perennial.propose.confirm import confirm
from perennial.propose.decide import attach, draft, kinds_of, target_of, undecided
from perennial.propose.draft import Answers, Draft
from perennial.propose.files import Files, agreed, opened
from perennial.propose.kinds import Keys, Kind
from perennial.propose.log import is_log, log_contract
from perennial.propose.outcome import outcome_of, says_so
from perennial.propose.profile import Looked, profile
from perennial.propose.questions import day_or_month, questions, which_outcome
from perennial.propose.render import contract_text, params_text
from perennial.propose.shown import first_rows
from perennial.propose.terminal import Terminal
from perennial.sources.fetch import fetch

log = logging.getLogger("perennial")
_SHOWN = 12  # columns that are named on the screen


class Proposal(NamedTuple):
    """The texts to be written, and what is said on the screen."""

    contract: str
    params: str
    words: list[str]


def new(project: Project, name: str, data: Path, answers: Answers, person: Terminal | None = None) -> None:
    """Write contracts/NAME.yaml and a params block, and fetch the data.

    Raises: ConfigError when the use case is there already or an answer fits nothing; InputError for a file that is no
    table, or when what to predict is not said and cannot be seen.
    """
    contract, params = project.contract(check_name(name)), project.root / "params.yaml"
    if contract.exists() or name in read_use_cases(params):
        raise ConfigError(f"{name} is there already, and yours: edit {contract.name}, or choose another name")
    if person is not None and data.is_dir():
        data = _main_file(data, person)
    made = propose(name, _files(data), answers, person)
    parse(yaml.safe_load(made.contract), contract.name)
    write_text(contract, made.contract)
    try:
        fetch(project, name, data)
    except PerennialError:
        contract.unlink()
        raise
    write_text(params, append_block(params.read_text(encoding="utf-8"), made.params))
    for line in made.words:
        log.info("%s", line)
    log.info("contracts/%s.yaml has a comment on each guess. Next: perennial run %s", name, name)


def propose(name: str, files: list[Path], answers: Answers, person: Terminal | None = None) -> Proposal:
    """Look at files with the same columns, ask `person` if there is one, and write nothing."""
    pictures = {p.name: Archive.open(p) for p in files if len(files) > 1 and p.suffix == ".tar"}
    with tempfile.TemporaryDirectory() as room:
        tables = agreed(opened([path for path in files if path.name not in pictures], Path(room)))
        return _looked_at(name, tables, pictures, answers, person)


def _looked_at(
    name: str, files: Files, pictures: Mapping[str, Archive], answers: Answers, person: Terminal | None
) -> Proposal:
    looked = profile(files.blocks(), [*files.names, *files.parted])
    if not looked.rows:
        raise InputError(f"{files.paths[0].name}: a header and no row that can be read")
    source, kinds = dict(files.source), kinds_of(looked, files.parted, answers.first)
    head = [f"Proposed from {', '.join(path.name for path in files.paths[:3])}: {looked.rows:,} rows.", *files.notes]
    seen = [*head, *first_rows(looked, kinds)]
    head.append("Each guess has its reason behind it; what you change stays as you change it.")
    if person is not None:
        person.show(seen)
        seen = []
        answers = _dates_said(looked, kinds, answers, person)
        kinds = kinds_of(looked, files.parted, answers.first)
    target = target_of(looked, kinds, answers)
    if answers.target is None and is_log(looked, kinds) and (target is None or not says_so(target)):
        return _of_log(name, source, looked, kinds, head, seen, files)
    if target is None and person is not None:
        answers = _target_said(looked, kinds, answers, person)
        target = answers.target
    if target is None:
        found = "; ".join(undecided(looked, kinds)) or "no column has two values or more"
        raise InputError(f"what should {name} predict? Say it with --target. It could be: {found}")

    def drafted(said: Answers) -> Draft:
        return draft(name, source, looked, kinds, said.target or target, said, files.parted)

    made = drafted(answers) if person is None else _answered(drafted, answers, undecided(looked, kinds), person)
    attach(made, pictures)
    confirmed = confirm(made.columns, made.why, looked, files.blocks)
    made.rules = confirmed.rules
    if confirmed.lost:
        made.notes.append(confirmed.lost)
    made.slices = [column for column in made.slices if made.columns[column]["role"] in {"protected", "categorical"}]
    return _of_table(made, head, seen)


def _of_table(made: Draft, head: list[str], seen: list[str]) -> Proposal:
    why = {
        "columns": made.why,
        "rules": {guess.name: guess.why for guess in made.rules},
        "split": {"": made.split_why},
        "task": {"": made.outcome.words},
    }
    if made.suspects:
        why["leakage_suspects"] = {
            "": "may be known too late: left out, and the report shows both; --known COLUMN takes one in"
        }
    has_text = made.has("text")
    words = [*seen, f"predict {made.outcome.name}: {made.outcome.words}"]
    refused = [name for name, keys in made.columns.items() if keys.get("known") == "after_outcome"]
    if refused:
        words.append(f"refused as leaks: {', '.join(refused)}")
    if made.suspects:
        words.append(f"suspects, left out: {', '.join(made.suspects)}")
    unused = [name for name, keys in made.columns.items() if keys["role"] == "ignore" and name not in refused]
    words += _unused(unused)
    words += made.notes
    contract = made.contract()
    return Proposal(
        contract=contract_text(contract, [*head, *made.notes], why),
        params=params_text(
            made.name, made.looked.rows, contract["task"]["kind"], has_text=has_text, has_pictures=made.pictures
        ),
        words=words,
    )


def _of_log(
    name: str, source: Keys, looked: Looked, kinds: dict[str, Kind], head: list[str], seen: list[str], files: Files
) -> Proposal:
    contract, why, lost = log_contract(name, source, looked, kinds, files.blocks)
    columns = contract["events"]["events"]["columns"]
    owners = next(name for name, keys in columns.items() if keys["role"] == "entity")
    nobody = looked.columns[owners].empty
    words = [*seen, lost] if lost else list(seen)
    if nobody:
        words.append(f"{nobody:,} of {looked.rows:,} events have no {owners}: nobody's, and left out")
    words += [
        *_unused([name for name, keys in columns.items() if keys["role"] == "ignore"]),
        f"rows are events of {looked.columns[owners].distinct:,} {owners}: {contract['task']['question']}",
    ]
    return Proposal(
        contract=contract_text(contract, head, why),
        params=params_text(name, 3 * looked.columns[owners].distinct, "binary"),
        words=words,
    )


def _unused(names: list[str]) -> list[str]:
    """The columns that are none of the model's; the contract has the reason of each."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"not used: {', '.join(names[:_SHOWN])}{more} (the contract says why)"] if names else []


def _files(data: Path) -> list[Path]:
    if not data.exists():
        raise InputError(f"--data {data}: there is no such file or folder")
    files = [data] if data.is_file() else sorted(path for path in data.iterdir() if not path.name.startswith("."))
    if not files:
        raise InputError(f"--data {data}: the folder is empty")
    return files


def _main_file(data: Path, person: Terminal) -> Path:
    """The folder, if its files have the same columns; else the one of them that is meant."""
    files = _files(data)
    try:
        agreed([path for path in files if path.suffix != ".tar"])
    except InputError as error:
        person.show([str(error)])
        return person.reply(
            "which file is the table? ",
            "none: they are not joined",
            lambda said: _one_of(files, said) if said else data,
        )
    return data


def _one_of(files: list[Path], said: str) -> Path:
    found = next((path for path in files if path.name == said), None)
    if found is None:
        raise ConfigError(f"{said} is none of {', '.join(path.name for path in files)}")
    return found


def _dates_said(looked: Looked, kinds: Mapping[str, Kind], answers: Answers, person: Terminal) -> Answers:
    either = [name for name, kind in kinds.items() if kind.either]
    if not either:
        return answers
    question = day_or_month([f"{name}: {next(filter(None, looked.sample[name].to_list()))}" for name in either])
    person.screen([question])
    return person.answer(question, answers, lambda _: None)[0]


def _target_said(looked: Looked, kinds: Mapping[str, Kind], answers: Answers, person: Terminal) -> Answers:
    def tried(said: Answers) -> None:
        if said.target is not None:
            outcome_of(said.target, looked, kinds, said.event)

    question = which_outcome(undecided(looked, kinds))
    person.screen([question])
    return person.answer(question, answers, tried)[0]


def _answered(drafted: Callable[[Answers], Draft], answers: Answers, candidates: list[str], person: Terminal) -> Draft:
    """The draft after the questions that are left: shown at once, and anew where the outcome becomes another."""
    made = drafted(answers)
    asked = person.screen(questions(made, answers, candidates))
    while asked:
        before, question = made.outcome.name, asked.pop(0)
        answers, made = person.answer(question, answers, drafted)
        if made.outcome.name != before:
            asked = person.screen(questions(made, answers, candidates))
    return made
