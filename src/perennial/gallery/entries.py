"""Gallery entries: the use cases that ship with the package, and how a name on the command line finds one."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources

import yaml

from perennial.config.base import read_use_cases
from perennial.contract.load import parse
from perennial.contract.model import Contract
from perennial.errors import ConfigError
from perennial.files.project import Project, check_name


def list_gallery() -> list[str]:
    """The use cases that ship with the package."""
    names = (path.name for path in resources.files("perennial.gallery").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml") and name != "params.yaml")


def load_gallery_contract(name: str) -> Contract:
    text = (resources.files("perennial.gallery") / f"{name}.yaml").read_text(encoding="utf-8")
    return parse(yaml.safe_load(text), f"{name}.yaml")


def list_use_cases(project: Project) -> list[str]:
    """The use cases of a project: those with params, and those that only have a contract yet."""
    contracts = (path.stem for path in sorted((project.root / "contracts").glob("*.yaml")))
    return list(dict.fromkeys([*read_use_cases(project.root / "params.yaml"), *contracts]))


def find_use_case(project: Project, name: str) -> str:
    """The use case called `name`, or the only one there is where `name` is empty.

    Raises: ConfigError with the nearest names, or with what to type first.
    """
    names = list_use_cases(project)
    if not name:
        if len(names) == 1:
            return names[0]
        raise ConfigError(f"which use case? This project has {', '.join(names) or 'none yet: perennial list shows the gallery'}")
    if check_name(name) in names:
        return name
    if name in list_gallery():
        raise ConfigError(f"{name} is in the gallery, not yet in this project: perennial add {name}")
    raise ConfigError(
        f"there is no use case {name!r}: {suggest(name, sorted({*names, *list_gallery()}))}perennial list shows them all"
    )


def suggest(word: str, words: list[str]) -> str:
    """`did you mean …? ` with the nearest of `words`, or nothing."""
    nearest = get_close_matches(word, words, n=2)
    return f"did you mean {' or '.join(nearest)}? " if nearest else ""
