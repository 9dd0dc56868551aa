"""`perennial new NAME --data FILE`: look at a file, ask what only a person can say, write its contract and params.

A contract that is there already is never touched. The raw data is fetched, so `perennial run NAME` works at once.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import yaml

from perennial.actions.fetch import fetch
from perennial.config.base import use_cases, with_block
from perennial.contract.model import parse
from perennial.data.images import Archive
from perennial.errors import ConfigError, InputError, PerennialError
from perennial.files.durable import write_text
from perennial.files.project import Project, checked
from perennial.propose.confirm import confirm
from perennial.propose.decide import attach, draft, kinds_of, target_of, undecided
from perennial.propose.draft import Answers, Draft
from perennial.propose.files import Files, agreed, opened
from perennial.propose.kinds import Keys, Kind, dated
from perennial.propose.log import is_log, log_contract
from perennial.propose.outcome import says_so
from perennial.propose.profile import Looked, profile
from perennial.propose.render import contract_text, params_text
from perennial.propose.shown import first_rows

log = logging.getLogger("perennial")


class Proposal(NamedTuple):
    """The texts to be written, and what is said on the screen."""

    contract: str
    params: str
    words: list[str]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="what the use case will be called")
    parser.add_argument("--data", type=Path, required=True, help="a file, or a folder of files with the same columns")
    parser.add_argument("--target", help="the column to predict")
    parser.add_argument("--event", help="which of its two values is looked for")
    parser.add_argument("--known", default="", metavar="COLUMN,…", help="suspects that are known before you decide")
    parser.add_argument("--treatment", help="the column that says who was treated; none if nobody was")
    parser.add_argument("--cost", type=float, help="what a contact costs")
    parser.add_argument("--earns", type=float, help="what a response earns")
    parser.add_argument("--yes", action="store_true", help="ask nothing, take the careful answers")


def main(args: argparse.Namespace) -> int:
    answers = Answers(
        target=args.target,
        event=args.event,
        known=tuple(name for name in args.known.split(",") if name),
        treatment="" if args.treatment == "none" else args.treatment,
        cost=args.cost,
        earns=args.earns,
    )
    asks = not args.yes and sys.stdin.isatty()
    new(Project.here(), args.name, args.data, answers, asks=asks)
    return 0


def new(project: Project, name: str, data: Path, answers: Answers, *, asks: bool) -> None:
    """Write contracts/NAME.yaml and a params block, and fetch the data.

    Raises: ConfigError when the use case is there already or an answer fits nothing; InputError for a file that is no
    table, or when what to predict is not said and cannot be seen.
    """
    contract, params = project.contract(checked(name)), project.root / "params.yaml"
    if contract.exists() or name in use_cases(params):
        raise ConfigError(f"{name} is there already, and yours: edit {contract.name}, or choose another name")
    files = _files(data)
    if asks and len(files) > 1:
        data = _ask_main(data, files)
        files = _files(data)
    made = propose(name, files, answers, asks=asks)
    parse(yaml.safe_load(made.contract), contract.name)
    write_text(contract, made.contract)
    try:
        fetch(project, name, data)
    except PerennialError:
        contract.unlink()
        raise
    write_text(params, with_block(params.read_text(encoding="utf-8"), made.params))
    for line in made.words:
        log.info("%s", line)
    log.info("contracts/%s.yaml has a comment on each guess. Next: perennial run %s", name, name)


def propose(name: str, files: list[Path], answers: Answers, *, asks: bool = False) -> Proposal:
    """Look at files with the same columns and write nothing."""
    pictures = {p.name: Archive.open(p).members for p in files if len(files) > 1 and p.suffix == ".tar"}
    with tempfile.TemporaryDirectory() as room:
        tables = agreed(opened([path for path in files if path.name not in pictures], Path(room)))
        return _looked_at(name, tables, pictures, answers, asks=asks)


def _looked_at(
    name: str, files: Files, pictures: Mapping[str, Container[str]], answers: Answers, *, asks: bool
) -> Proposal:
    looked = profile(files.blocks(), [*files.names, *files.parted])
    if not looked.rows:
        raise InputError(f"{files.paths[0].name}: a header and no row that can be read")
    kinds = kinds_of(looked, files.parted)
    if asks:
        kinds |= _ask_dates(looked, kinds)
    source = dict(files.source)
    target = target_of(looked, kinds, answers)
    head = [f"Proposed from {', '.join(path.name for path in files.paths[:3])}: {looked.rows:,} rows.", *files.notes]
    seen = [*head, *first_rows(looked, kinds)]
    head.append("Each guess has its reason behind it; what you change stays as you change it.")
    if answers.target is None and is_log(looked, kinds) and (target is None or not says_so(target)):
        return _of_log(name, source, looked, kinds, head, seen, files)
    if asks:
        _show(seen)
    if target is None and asks:
        answers = replace(answers, target=_ask_target(looked, kinds))
        target = answers.target
    if target is None:
        found = "; ".join(undecided(looked, kinds)) or "no column has two values or more"
        raise InputError(f"what should {name} predict? Say it with --target. It could be: {found}")
    made = draft(name, source, looked, kinds, target, answers, files.parted)
    if asks:
        answers = _ask(made, answers)
        made = draft(name, source, looked, kinds, target, answers, files.parted)
    attach(made, pictures)
    if lost := confirm(made.columns, made.why, looked, files.blocks):
        made.notes.append(lost)
    made.slices = [column for column in made.slices if made.columns[column]["role"] in {"protected", "categorical"}]
    return _of_table(made, head, [] if asks else seen)


def _of_table(made: Draft, head: list[str], seen: list[str]) -> Proposal:
    why = {"columns": made.why, "split": {"": made.split_why}, "task": {"": made.outcome.words}}
    if made.suspects:
        why["suspects"] = {
            "": "may be known too late: left out, and the report shows both; --known COLUMN takes one in"
        }
    has_text = made.has("text")
    words = [*seen, f"predict {made.outcome.name}: {made.outcome.words}"]
    refused = [name for name, keys in made.columns.items() if keys.get("known") == "after_outcome"]
    if refused:
        words.append(f"refused as leaks: {', '.join(refused)}")
    if made.suspects:
        words.append(f"suspects, left out: {', '.join(made.suspects)}")
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
    owners = next(c for c, keys in contract["events"]["events"]["columns"].items() if keys["role"] == "entity")
    words = [
        *seen,
        *filter(None, [lost]),
        f"rows are events of {looked.columns[owners].distinct:,} {owners}: {contract['task']['question']}",
    ]
    return Proposal(
        contract=contract_text(contract, head, why),
        params=params_text(name, 3 * looked.columns[owners].distinct, "binary"),
        words=words,
    )


def _files(data: Path) -> list[Path]:
    if not data.exists():
        raise InputError(f"--data {data}: there is no such file or folder")
    files = [data] if data.is_file() else sorted(path for path in data.iterdir() if not path.name.startswith("."))
    if not files:
        raise InputError(f"--data {data}: the folder is empty")
    return files


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)  # noqa: T201 - to the person at the terminal


def _ask_main(data: Path, files: list[Path]) -> Path:
    """The folder, if its files have the same columns; else the one of them that is meant."""
    try:
        agreed([path for path in files if path.suffix != ".tar"])
    except InputError as error:
        _show([str(error)])
        said = data / _said("Which file is the table? (its name)", "")
        return said if said.is_file() else data
    return data


def _ask_dates(looked: Looked, kinds: dict[str, Kind]) -> dict[str, Kind]:
    """Dates whose order of day and month no cell proves."""
    found = {}
    for name, kind in kinds.items():
        if kind.either:
            said = _said(
                f"{name}: does {next(filter(None, looked.sample[name].to_list()))} begin with the day or the month? (day, month)",
                "",
            )
            if said in {"day", "month"}:
                found[name] = dated(kind.either[said == "month"], kind.null, f"you said that the {said} comes first")
    return found


def _ask_target(looked: Looked, kinds: dict[str, Kind]) -> str:
    _show(["What do you want to predict?", *(f"  {line}" for line in undecided(looked, kinds))])
    return _said("column", "")


def _ask(made: Draft, answers: Answers) -> Answers:
    """At most three questions, each with its evidence and what is taken where nothing is said."""
    if made.outcome.kind == "binary" and not made.outcome.sure:
        event = _said(
            f"Which value of {made.outcome.name} is looked for? {made.outcome.words}", made.outcome.event or ""
        )
        answers = replace(answers, event=event)
    if made.suspects:
        _show(f"  {name}: {why}" for name, why in made.suspects.items())
        known = _said("Which of these are known before you decide? (names with commas)", "")
        answers = replace(answers, known=tuple(name.strip() for name in known.split(",") if name.strip()))
    if made.outcome.kind == "binary" and answers.earns is None:
        told = (
            _said("What does a contact cost and a response earn? (two numbers, or nothing)", "")
            .replace(",", " ")
            .split()
        )
        if len(told) == 2:
            answers = replace(answers, cost=float(told[0]), earns=float(told[1]))
    return answers


def _said(question: str, default: str) -> str:
    return input(f"{question} [{default}] ").strip() or default
