"""Project layout: where contracts, raw data, outputs and state lie below a project's root. Only stages and actions ask."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from perennial.errors import ConfigError

_NAME = re.compile(r"\A[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, kw_only=True)
class Project:
    """The folder that holds params.yaml, contracts/, data/, outputs/ and the machine-local .perennial/."""

    root: Path

    @classmethod
    def here(cls) -> Project:
        """The project of the current folder or of the nearest folder above it.

        Raises: ConfigError when there is none.
        """
        cwd = Path.cwd()
        for folder in (cwd, *cwd.parents):
            if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
                return cls(root=folder)
        raise ConfigError(f"{cwd} is not inside a project: no folder above it holds params.yaml and dvc.yaml")

    def contract(self, name: str) -> Path:
        return self.root / "contracts" / f"{check_name(name)}.yaml"

    def raw(self, name: str) -> Path:
        return self.root / "data" / check_name(name) / "raw"

    def output(self, name: str, stage: str) -> Path:
        return self.root / "outputs" / check_name(name) / stage

    def state(self, name: str) -> Path:
        """Machine-local state of a use case: receipt, curves, locks, incoming rows."""
        return self.root / ".perennial" / check_name(name)

    @property
    def services(self) -> Path:
        """Machine-local state of what all use cases share: databases, servers."""
        return self.root / ".perennial"


def check_name(name: str) -> str:
    """Return `name` (raises ConfigError unless it can safely be part of a path and of a registry name)."""
    if not _NAME.match(name):
        raise ConfigError(f"use case name {name!r}: use lower-case letters, digits and _, a letter first")
    return name
