"""`perennial outcome NAME --campaign ID --data FILE`: what the campaign changed, and whether it paid."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from perennial.campaigns.outcome import evaluate_outcome
from perennial.files.project import Project

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case whose model chose the audience, as in params.yaml")
    parser.add_argument("--campaign", metavar="ID", required=True, help="the name given when its list was drawn")
    parser.add_argument("--data", type=Path, required=True, help="a file with the id and the outcome of customers")
    parser.add_argument("--column", help="the outcome's column there; by default the contract's target")
    parser.add_argument(
        "--missing",
        choices=("no", "drop"),
        default="no",
        help="customers without a row did not respond (no, the default), or are left out (drop)",
    )


def main(args: argparse.Namespace) -> int:
    for line in evaluate_outcome(Project.here(), args.name, args.campaign, args.data, column=args.column, missing=args.missing):
        log.info("%s", line)
    return 0
