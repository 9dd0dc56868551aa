"""`perennial rollback NAME [--to VERSION]`: make an earlier version the champion again, with a record of it."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.contract.load import load
from perennial.files.project import Project
from perennial.promotion.receipt import note_decision
from perennial.promotion.rollback import rollback

EXAMPLE = "perennial rollback ad_response --to 3 --reason 'complaints about the list of May'"


def main(
    name: UseCase = "",
    to: Annotated[str | None, Option(help="The version to go back to; by default the champion before this one.")] = None,
    reason: Annotated[str, Option(help="The reason, for the record.")] = "asked for at the command line",
) -> None:
    project = Project.here()
    load(project.contract(name))
    note_decision(project, name, rollback(project, name, to, reason))
