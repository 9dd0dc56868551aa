"""`perennial init DIR`: a project of your own, which depends on this package as it is installed."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.pipeline.new_project import create_project, upgrade_project


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="a new folder, or one of this project")
    parser.add_argument("--upgrade", action="store_true", help="render dvc.yaml and versions.yaml again, touch nothing else")


def main(args: argparse.Namespace) -> int:
    if args.upgrade:
        upgrade_project(args.folder)
    else:
        create_project(args.folder)
    return 0
