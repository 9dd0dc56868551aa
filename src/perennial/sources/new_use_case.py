"""A use case from a user's own file: write its contract and params, and fetch the data.

A contract that is there already is never touched. The raw data is fetched, so `perennial run NAME` works at once.
"""

from __future__ import annotations

import logging
from pathlib import Path

import yaml

from perennial.config.base import append_block, read_use_cases
from perennial.contract.load import parse
from perennial.discovery.draft import Answers
from perennial.discovery.proposal import choose_files, propose
from perennial.discovery.tables import list_files
from perennial.discovery.terminal import Terminal
from perennial.errors import ConfigError, PerennialError
from perennial.files.durable import write_text
from perennial.files.project import Project, check_name
from perennial.sources.fetch import fetch

log = logging.getLogger("perennial")


def new(project: Project, name: str, data: Path, answers: Answers, person: Terminal | None = None) -> None:
    """Write contracts/NAME.yaml and a params block, and fetch the data.

    Raises: ConfigError when the use case is there already or an answer fits nothing; InputError for a file that is no
    table, or when what to predict is not said and cannot be seen.
    """
    contract, params = project.contract(check_name(name)), project.root / "params.yaml"
    if contract.exists() or name in read_use_cases(params):
        raise ConfigError(f"{name} is there already, and yours: edit {contract.name}, or choose another name")
    if person is not None:
        data = choose_files(data, person)
    proposal = propose(name, list_files(data), answers, person)
    parse(yaml.safe_load(proposal.contract), contract.name)
    write_text(contract, proposal.contract)
    try:
        fetch(project, name, data)
    except PerennialError:
        contract.unlink()
        raise
    write_text(params, append_block(params.read_text(encoding="utf-8"), proposal.params))
    for line in proposal.words:
        log.info("%s", line)
    log.info("contracts/%s.yaml has a comment on each guess. Next: perennial run %s", name, name)
