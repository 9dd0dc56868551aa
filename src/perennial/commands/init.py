"""`perennial init DIR`: a project of your own, which depends on this package as it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from perennial.pipeline.new_project import create_project, upgrade_project

EXAMPLE = "perennial init shop-models"


def main(
    folder: Annotated[Path, Argument(metavar="DIR", help="A new folder, or one of this project.", show_default=False)],
    upgrade: Annotated[bool, Option("--upgrade", help="Render dvc.yaml and versions.yaml again, touch nothing else.")] = False,
) -> None:
    if upgrade:
        upgrade_project(folder)
    else:
        create_project(folder)
