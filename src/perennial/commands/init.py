"""`perennial init DIR`: a project of a user's own, which depends on this package as it is installed."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.pipeline.new_project import init, upgrade


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a new folder, or one of this project")
    parser.add_argument(
        "--upgrade", action="store_true", help="render dvc.yaml and versions.yaml anew, touch nothing else"
    )


def main(args: argparse.Namespace) -> int:
    if args.upgrade:
        upgrade(args.folder)
    else:
        init(args.folder)
    return 0
