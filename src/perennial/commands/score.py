"""`perennial score NAME --input FILE --output FILE`: score every row, or reject it with a reason."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from perennial.files.project import Project
from perennial.serving.score import score

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--input", type=Path, required=True, help="a file, or a folder with a file for each table")
    parser.add_argument("--output", type=Path, required=True, help="the list to write: .csv or .parquet")
    parser.add_argument("--version", help="score with this version instead of the champion")


def main(args: argparse.Namespace) -> int:
    result = score(Project.here(), args.name, args.input, args.output, args.version)
    units = f", made of {result.rows - result.rejected} of them" if result.as_of else ""
    log.info("%d rows in: %d scored%s, %d rejected → %s", result.rows, result.scored, units, result.rejected, args.output)
    return 0
