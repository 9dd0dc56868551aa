"""`perennial fetch NAME`: fill data/NAME/raw/ from the contract's source and let DVC record it. The only use of the network."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.files.project import Project
from perennial.sources.fetch import fetch


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    parser.add_argument("--data", type=Path, help="take this file, folder or archive (and remember it for the next fetch)")
    parser.add_argument("--any-size", action="store_true", help="take it although it has far more or fewer rows than before")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    fetch(project, args.name, args.data, any_size=args.any_size)
    return 0
