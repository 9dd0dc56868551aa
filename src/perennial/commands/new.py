"""`perennial new NAME --data FILE`: propose a contract for a file of your own, and ask what only a person can know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from perennial.discovery.draft import Answers
from perennial.discovery.terminal import Terminal
from perennial.files.project import Project
from perennial.sources.new_use_case import create_use_case

EXAMPLE = "perennial new shop --data customers.csv --target responded"


def main(
    name: Annotated[str, Argument(metavar="NAME", help="Name of the new use case.", show_default=False)],
    data: Annotated[Path, Option(help="A file, or a folder of files with the same columns.")],
    target: Annotated[str | None, Option(help="The column to predict.")] = None,
    positive: Annotated[str | None, Option(help="Which of its two values to predict.")] = None,
    known: Annotated[str, Option(metavar="COLUMN,…", help="Suspects that are known before you decide.")] = "",
    dates: Annotated[Literal["day", "month"] | None, Option(help="Which comes first in dates that read both ways.")] = None,
    treatment: Annotated[str | None, Option(help="The column that says who was treated; none if nobody was.")] = None,
    cost: Annotated[float | None, Option(help="What a contact costs.")] = None,
    value: Annotated[float | None, Option(help="What a response earns.")] = None,
    sheet: Annotated[str | None, Option(help="The sheet of a workbook; by default the only one with rows.")] = None,
    yes: Annotated[bool, Option("--yes", help="Ask nothing, take the careful answers.")] = False,
) -> None:
    answers = Answers(
        target=target,
        event=positive,
        known=tuple(column for column in known.split(",") if column),
        first=dates,
        treatment="" if treatment == "none" else treatment,
        cost=cost,
        earns=value,
    )
    person = Terminal() if not yes and sys.stdin.isatty() else None
    create_use_case(Project.here(), name, data, answers, person, sheet=sheet)
