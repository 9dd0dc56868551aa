"""`perennial register NAME`: show the results in MLflow and register the candidate's bundle, once per digest."""

from __future__ import annotations

import argparse

from perennial.files.project import Project
from perennial.promotion.register import register


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")


def main(args: argparse.Namespace) -> int:
    register(Project.here(), args.name)
    return 0
