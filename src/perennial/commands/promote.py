"""`perennial promote NAME`: the candidate against the champion on the same rows; a record, then the alias."""

from __future__ import annotations

import argparse
import logging

from perennial.files.project import Project
from perennial.promotion.promote import promote
from perennial.promotion.receipt import note_decision

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--version", help="the version to judge; by default the challenger")
    parser.add_argument(
        "--override-incomparable",
        metavar="WHY",
        help="judge as a first model what cannot be compared with the champion",
    )


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    record = promote(project, args.name, args.version, why=args.override_incomparable)
    note_decision(project, args.name, record)
    for reason in record.reasons:
        log.info("%s: %s", record.verdict, reason)
    return 3 if record.verdict == "REJECT" else 0
