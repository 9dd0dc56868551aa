"""Installation of a use case: its contract, its block of params.yaml and its raw data, all or nothing."""

from __future__ import annotations

from pathlib import Path

import yaml

from perennial.config.base import append_block, read_use_cases
from perennial.contract.load import parse
from perennial.errors import PerennialError
from perennial.files.durable import write_text
from perennial.files.project import Project
from perennial.sources.fetch import fetch


def install_use_case(project: Project, name: str, contract: str, block: str, data: Path | None) -> bool:
    """Whether the contract was written; a contract or block that is there already stays as it is.

    Raises: ContractError for a text that is no contract; as `fetch`.
    """
    path, params = project.contract(name), project.root / "params.yaml"
    parse(yaml.safe_load(contract), path.name)
    is_new = not path.exists()
    if is_new:
        write_text(path, contract)
    try:
        fetch(project, name, data)  # first: a use case in params.yaml without raw data stops `dvc repro` for all
    except PerennialError:
        if is_new:
            path.unlink()
        raise
    if name not in read_use_cases(params):
        write_text(params, append_block(params.read_text(encoding="utf-8"), block))
    return is_new
