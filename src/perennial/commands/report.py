"""`perennial report NAME`: write the page from the results of stages and decisions, and attach it to the MLflow run."""

from __future__ import annotations

import argparse
import logging

from perennial.files.project import Project
from perennial.promotion.reporting import write_report

log = logging.getLogger("perennial")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")


def main(args: argparse.Namespace) -> int:
    page = write_report(Project.here(), args.name)
    log.info("%s", page.path)
    return 0
