"""`perennial score NAME --input FILE --output FILE`: score every row, or reject it with a reason."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from perennial.commands.arguments import UseCase
from perennial.files.project import Project
from perennial.serving.score import score

EXAMPLE = "perennial score ad_response --input customers.csv --output list.xlsx"
log = logging.getLogger("perennial")


def main(
    input: Annotated[Path, Option(help="A file, or a folder with a file for each table.")],
    output: Annotated[Path, Option(help="The list to write: .csv, .parquet or .xlsx.")],
    name: UseCase = "",
    sheet: Annotated[str | None, Option(help="The sheet of a workbook; by default the only one with rows.")] = None,
    version: Annotated[str | None, Option(help="Score with this version instead of the champion.")] = None,
    keep_order: Annotated[bool, Option("--keep-order", help="The order of the input; by default the best first.")] = False,
) -> None:
    result = score(Project.here(), name, input, output, version, keep_order=keep_order, sheet=sheet)
    units = f", made of {result.rows - result.rejected} of them" if result.as_of else ""
    log.info("%d rows in: %d scored%s, %d rejected → %s", result.rows, result.scored, units, result.rejected, output)
