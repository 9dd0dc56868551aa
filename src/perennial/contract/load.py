"""Loading of contracts: YAML is parsed, checked key by key, and then as a whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from perennial.config.renames import CONTRACT, find_renamed_keys
from perennial.contract.consistency import find_contradictions
from perennial.contract.model import Contract
from perennial.errors import ConfigError, ContractError, LeakError
from perennial.files.project import Project


def load_contract(path: Path | str) -> Contract:
    """Load the contract of a file, whose path may be relative to the project's folder (raises as `load`)."""
    here = Path(path)
    return load(here if here.exists() or here.is_absolute() else _resolve_in_project(here))


def load(path: Path) -> Contract:
    """Read and check a contract.

    Raises: ContractError with every problem at once; LeakError (exit 3) when a column known only after the outcome
    is given a feature role.
    """
    try:
        with open(path, "rb") as file:
            text = yaml.safe_load(file)
    except FileNotFoundError:
        raise ContractError(f"{path} is missing: `perennial list` names the use cases there are") from None
    except yaml.YAMLError as error:
        raise ContractError(f"{path} is not YAML: {str(error).replace(chr(10), ' ')}") from error
    return parse(text, str(path))


def parse(text: Any, where: str) -> Contract:
    """Build a contract from its parsed YAML; errors call it `where` (raises as `load`)."""
    if (bare := _find_bare_date(text)) is not None:
        raise ContractError(f"{where}: put the date {bare} in quotes: DVC cannot hash a YAML date")
    if old := list(find_renamed_keys(text, CONTRACT)):
        raise ContractError(f"{where}: {'; '.join(old)}")
    if isinstance(text, dict):
        _refuse_after_outcome(text.get("columns"), where)
    try:
        contract = Contract.model_validate(text)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            place = ".".join(str(part) for part in problem["loc"])
            problems.append(f"{place + ': ' if place else ''}{problem['msg'].removeprefix('Value error, ')}")
        raise ContractError(f"{where}: {'; '.join(problems)}") from error
    if problems := find_contradictions(contract):
        raise ContractError(f"{where}: {'; '.join(problems)}")
    return contract


def _find_bare_date(value: Any) -> dt.date | None:
    """The first date that YAML parsed from unquoted text, at any depth."""
    if isinstance(value, dt.date):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((date for item in inner if (date := _find_bare_date(item)) is not None), None)


def _refuse_after_outcome(columns: Any, where: str) -> None:
    """Refuse a feature that is known only after the outcome, before anything else is checked."""
    for name, column in (columns or {}).items() if isinstance(columns, dict) else ():
        if not isinstance(column, dict) or column.get("known") != "after_outcome":
            continue
        role = column.get("role")
        if role in {"numeric", "categorical", "text", "image"} or (role == "protected" and column.get("use")):
            raise LeakError(
                f"{where}: column {name!r} is known only after the outcome and cannot be a feature (role {role}); "
                "give it the role ignore, or outcome"
            )


def _resolve_in_project(path: Path) -> Path:
    """The path relative to the project of the current folder; unchanged outside a project."""
    try:
        return Project.here().root / path
    except ConfigError:
        return path
