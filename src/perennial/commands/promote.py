"""`perennial promote NAME`: compare the candidate with the champion on the same rows, and record the decision."""

from __future__ import annotations

import argparse
import logging

from perennial.files.project import Project
from perennial.promotion.promote import promote
from perennial.promotion.receipt import note_decision

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--version", help="the version to decide on; by default the challenger")
    parser.add_argument(
        "--override-incomparable",
        metavar="WHY",
        help="treat a candidate that cannot be compared with the champion as a first model",
    )


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    record = promote(project, args.name, args.version, why=args.override_incomparable)
    note_decision(project, args.name, record)
    for reason in record.reasons:
        log.info("%s: %s", record.verdict, reason)
    return 3 if record.verdict == "REJECT" else 0
