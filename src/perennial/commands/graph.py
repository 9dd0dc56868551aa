"""`perennial graph`: the stages as text; `--check` compares dvc.yaml with the code, `--write` renders it."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from perennial.files.project import Project
from perennial.pipeline import graph
from perennial.pipeline.lock_file import check_lock

EXAMPLE = "perennial graph --check"


def main(
    check: Annotated[bool, Option("--check", help="Exit 2 when dvc.yaml or dvc.lock does not fit the code.")] = False,
    write: Annotated[bool, Option("--write", help="Render dvc.yaml from the imports of each stage.")] = False,
) -> None:
    project = Project.here()
    if write:
        graph.write(project.root)
    elif check:
        graph.check(project.root)
        check_lock(project.root)
    else:
        for name, stage in graph.STAGES.items():
            print(f"{' + '.join(stage.after) or 'data/NAME/raw'} → {name}")  # noqa: T201 - the answer
