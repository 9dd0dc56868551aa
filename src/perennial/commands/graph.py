"""`perennial graph`: the stages as text; `--check` compares dvc.yaml with the code, `--write` renders it."""

from __future__ import annotations

import argparse

from perennial.files.project import Project
from perennial.pipeline import graph


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="exit 2 when dvc.yaml does not fit the code")
    parser.add_argument("--write", action="store_true", help="render dvc.yaml from the imports of each stage")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    if args.write:
        graph.write(project.root)
    elif args.check:
        graph.check(project.root)
    else:
        for name, stage in graph.STAGES.items():
            print(f"{' + '.join(stage.after) or 'data/NAME/raw'} → {name}")  # noqa: T201 - the answer
    return 0
