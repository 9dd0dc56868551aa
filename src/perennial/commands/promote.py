"""`perennial promote NAME`: compare the candidate with the champion on the same rows, and record the decision."""

from __future__ import annotations

import logging
from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.promotion.promote import promote
from perennial.promotion.receipt import note_decision

EXAMPLE = "perennial promote ad_response"
log = logging.getLogger("perennial")


def main(
    name: UseCase = "",
    version: Annotated[str | None, Option(help="The version to decide on; by default the challenger.")] = None,
    override_incomparable: Annotated[
        str | None, Option(metavar="WHY", help="Treat a candidate that cannot be compared with the champion as a first model.")
    ] = None,
) -> int:
    project = Project.here()
    record = promote(project, name, version, why=override_incomparable)
    note_decision(project, name, record)
    for reason in record.reasons:
        log.info("%s: %s", record.verdict, reason)
    return 3 if record.verdict == "REJECT" else 0
