"""params.yaml: typed sections of the use cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from perennial.config.renames import PARAMS, find_renamed_keys
from perennial.errors import ConfigError

S = TypeVar("S", bound="ParamsSection")


class ParamsSection(BaseModel):
    """A frozen section of params. No field has a default: each number that changes a result stands in params.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def append_block(text: str, block: str) -> str:
    """Append the block of one more use case to the text of params.yaml; the rest stays as it is."""
    text = text.rstrip("\n")
    if text == "use_cases: {}" or text.endswith("\nuse_cases: {}"):
        text = text.removesuffix(" {}")
    return f"{text}\n{block}"


# A block is YAML before validation, so it may hold anything.
def read_use_cases(path: Path) -> dict[str, Any]:
    """Read the blocks of params.yaml by use case.

    Raises: ConfigError when the file cannot be read as a mapping.
    """
    try:
        with open(path, "rb") as file:
            blocks = (yaml.safe_load(file) or {}).get("use_cases") or {}
    except (OSError, yaml.YAMLError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(blocks, dict):
        raise ConfigError(f"{path}: use_cases must be a mapping from name to block, not {type(blocks).__name__}")
    return blocks


def read_section(path: Path, name: str, key: str, model: type[S]) -> S:
    """Read the section `key` of use case `name`, typed.

    Raises: ConfigError listing every wrong field at once, or the use cases there are.
    """
    blocks = read_use_cases(path)
    if name not in blocks:
        raise ConfigError(f"{path} has no use case {name!r}; it has: {', '.join(sorted(blocks)) or 'none'}")
    block = blocks[name] or {}
    if not isinstance(block, dict) or key not in block:
        raise ConfigError(f"{path}, use_cases.{name} has no section {key!r}; the gallery's params show one")
    if old := list(find_renamed_keys(block[key], PARAMS, f"{key}.")):
        raise ConfigError(f"{path}, use_cases.{name}: {'; '.join(old)}")
    try:
        return model.model_validate(block[key])
    except ValidationError as error:
        raise ConfigError(f"{path}, use_cases.{name}.{key}: {describe_problems(error)}") from error


def describe_problems(error: ValidationError) -> str:
    """Describe all problems of a pydantic error in one line: where, what, and the value."""
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"]) or "(all)"
        value = "" if problem["type"] == "missing" else f", not {str(problem.get('input'))[:60]!r}"
        lines.append(f"{where}: {problem['msg']}{value}")
    return "; ".join(lines)
