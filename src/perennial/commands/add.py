"""`perennial add NAME`: copy a gallery use case into the project (contract and params block) and fetch its raw data."""

from __future__ import annotations

import argparse
from pathlib import Path

from perennial.files.project import Project
from perennial.sources.gallery import add_gallery_use_case, list_gallery


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help=f"one of {', '.join(list_gallery())}")
    parser.add_argument("--data", type=Path, help="the file or folder to read, where the gallery's source is not wanted")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    add_gallery_use_case(project, args.name, args.data)
    return 0
