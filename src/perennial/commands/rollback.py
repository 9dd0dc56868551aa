"""`perennial rollback NAME [--to VERSION]`: make an earlier version the champion again, with a record of it."""

from __future__ import annotations

import argparse

from perennial.contract.load import load
from perennial.files.project import Project
from perennial.promotion.receipt import note_decision
from perennial.promotion.rollback import rollback


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--to", help="the version to go back to; by default the champion before this one")
    parser.add_argument("--reason", default="asked for at the command line", help="the reason, for the record")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    load(project.contract(args.name))
    note_decision(project, args.name, rollback(project, args.name, args.to, args.reason))
    return 0
