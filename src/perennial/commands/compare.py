"""`perennial compare NAME --with CHECKOUT`: compare this checkout's candidate with another's on this one's test rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.durable import write_text
from perennial.files.project import Project
from perennial.promotion.compare import compare

EXAMPLE = "perennial compare ad_response --with ../main --output comparison.md"


def main(
    other: Annotated[Path, Option("--with", help="Another checkout, with its outputs.")],
    name: UseCase = "",
    output: Annotated[Path | None, Option(help="Write the markdown here instead of printing it.")] = None,
) -> None:
    text = compare(Project.here(), Project(root=other.resolve()), name)
    if output:
        write_text(output, text)
    else:
        print(text)  # noqa: T201 - the answer
