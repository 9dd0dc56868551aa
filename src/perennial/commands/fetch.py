"""`perennial fetch NAME`: fill data/NAME/raw/ from the contract's source and let DVC record it. The only use of the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.sources.fetch import fetch

EXAMPLE = "perennial fetch shop --data exports/2026-12.csv"


def main(
    name: UseCase = "",
    data: Annotated[Path | None, Option(help="Take this file, folder or archive (and remember it for the next fetch).")] = None,
    any_size: Annotated[bool, Option("--any-size", help="Take it although it has far more or fewer rows than before.")] = False,
) -> None:
    fetch(Project.here(), name, data, any_size=any_size)
