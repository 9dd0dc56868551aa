"""Package versions: versions.yaml lists the packages whose version changes a result, for DVC to watch."""

from __future__ import annotations

from importlib.metadata import version
from itertools import chain
from pathlib import Path

import yaml

from perennial.errors import ConfigError
from perennial.files.durable import write_text
from perennial.pipeline.graph import DISTRIBUTION, read_packages

_HEADER = "# What is installed and changes a result; written by `make lock` from requirements.lock.\n"


def render(root: Path) -> str:
    """The text of versions.yaml: the packages that it names, in the versions of the lock.

    Raises: ConfigError when one of them is not locked.
    """
    lines = (root / "requirements.lock").read_text().splitlines()
    locked = dict(line.split("==") for line in lines if "==" in line)
    packages = yaml.safe_load((root / "versions.yaml").read_text())
    if missing := [package for package in packages if package not in locked]:
        raise ConfigError(f"requirements.lock does not name {', '.join(missing)}: make lock")
    return _HEADER + "".join(f"{package}: {locked[package]}\n" for package in sorted(packages))


def render_installed() -> str:
    """The text of versions.yaml for a user's project: what is installed here and changes a result."""
    packages = {DISTRIBUTION, *chain.from_iterable(read_packages().values())}
    lines = "".join(f"{package}: {version(package).partition('+')[0]}\n" for package in sorted(packages))
    return "# What is installed and changes a result; written by `perennial init`.\n" + lines


if __name__ == "__main__":
    write_text(Path("versions.yaml"), render(Path.cwd()))
