"""New use case: propose a contract for a user's own file, and install it so that `perennial run NAME` works at once."""

from __future__ import annotations

import logging
from pathlib import Path

from perennial.config.base import read_use_cases
from perennial.discovery.draft import Answers
from perennial.discovery.proposal import choose_files, propose
from perennial.discovery.tables import list_files
from perennial.discovery.terminal import Terminal
from perennial.errors import ConfigError
from perennial.files.project import Project, check_name
from perennial.sources.install import install_use_case

log = logging.getLogger("perennial")


def create_use_case(
    project: Project, name: str, data: Path, answers: Answers, person: Terminal | None = None, *, sheet: str | None = None
) -> None:
    """Write contracts/NAME.yaml and a params block, and fetch the data; `sheet` is that of a workbook with several.

    Raises: ConfigError when the use case is there already or an answer fits nothing; InputError for a file that is no
    table, or when what to predict is not said and cannot be seen.
    """
    contract = project.contract(check_name(name))
    if contract.exists() or name in read_use_cases(project.root / "params.yaml"):
        raise ConfigError(f"{name} is there already, and yours: edit {contract.name}, or choose another name")
    if person is not None:
        data = choose_files(data, person, sheet)
    proposal = propose(name, list_files(data), answers, person, sheet)
    install_use_case(project, name, proposal.contract, proposal.params, data)
    for line in proposal.words:
        log.info("%s", line)
    log.info("contracts/%s.yaml has a comment on each guess. Next: perennial run %s", name, name)
