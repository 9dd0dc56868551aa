"""`perennial compare NAME --with CHECKOUT`: compare this checkout's candidate with another's on this one's test rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.durable import read_json
from perennial.files.project import Project
from perennial.promotion.compare import Comparison
from perennial.results.costs import RunPlan

EXAMPLE = "perennial compare ad_response --with ../main --output comparison"


def main(
    other: Annotated[Path, Option("--with", help="Another checkout, with its outputs.")],
    name: UseCase = "",
    output: Annotated[
        Path | None, Option(help="A folder for the comment, the report and the curves; else it is printed.")
    ] = None,
    plan: Annotated[Path | None, Option(help="What `perennial plan --output` wrote before the run: its cost is told.")] = None,
    link: Annotated[str, Option(help="Where that folder can be seen: the comment links to it.")] = "",
) -> None:
    comparison = Comparison(here=Project.here(), other=Project(root=other.resolve()), name=name)
    if output:
        comparison.write(output, RunPlan.model_validate(read_json(plan)) if plan else None, link)
    else:
        print(comparison.describe())  # noqa: T201 - the answer
