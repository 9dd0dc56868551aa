"""`perennial outcome NAME --campaign ID --data FILE`: what the campaign changed, and whether it paid."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from perennial.campaigns.outcome import evaluate_outcome
from perennial.commands.arguments import UseCase
from perennial.files.project import Project

EXAMPLE = "perennial outcome ad_response --campaign spring_2026 --data responses.csv"
log = logging.getLogger("perennial")


def main(
    campaign: Annotated[str, Option(metavar="ID", help="The name given when its list was drawn.")],
    data: Annotated[Path, Option(help="A file with the id and the outcome of customers.")],
    name: UseCase = "",
    column: Annotated[str | None, Option(help="The outcome's column there; by default the contract's target.")] = None,
    sheet: Annotated[str | None, Option(help="The sheet of a workbook; by default the only one with rows.")] = None,
    missing: Annotated[
        Literal["no", "drop"], Option(help="Customers without a row did not respond (no), or are left out (drop).")
    ] = "no",
) -> None:
    for line in evaluate_outcome(Project.here(), name, campaign, data, column=column, missing=missing, sheet=sheet):
        log.info("%s", line)
