"""`perennial add NAME`: copy a gallery use case into the project (contract and params block) and fetch its raw data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from perennial.files.project import Project
from perennial.gallery.entries import list_gallery
from perennial.sources.gallery import add_gallery_use_case

EXAMPLE = "perennial add bank_response --data bank-additional-full.csv.gz"


def main(
    name: Annotated[str, Argument(metavar="NAME", help="One of the gallery: perennial list.", autocompletion=list_gallery)],
    data: Annotated[Path | None, Option(help="The file or folder to read, where the gallery's source is not wanted.")] = None,
) -> None:
    add_gallery_use_case(Project.here(), name, data)
