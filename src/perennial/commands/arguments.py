"""Arguments that several commands have."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from perennial.errors import PerennialError
from perennial.files.project import Project
from perennial.gallery.entries import find_use_case, list_use_cases


def _complete(incomplete: str) -> list[str]:
    """The use cases that a shell offers; none outside a project."""
    try:
        return [name for name in list_use_cases(Project.here()) if name.startswith(incomplete)]
    except PerennialError:
        return []


UseCase = Annotated[
    str,
    Argument(
        metavar="NAME",
        help="Use case, as in params.yaml. May be left out where there is only one.",
        callback=lambda name: find_use_case(Project.here(), name),
        autocompletion=_complete,
        show_default=False,
    ),
]
