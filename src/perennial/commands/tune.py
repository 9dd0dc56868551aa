"""`perennial tune NAME --trials N | --minutes M`: a search in, a diff of params.yaml out. A side run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.studies.tune import Budget, tune


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--trials", type=int, metavar="N", help="trials of each family in all, earlier ones included")
    budget.add_argument("--minutes", type=float, metavar="M", help="minutes of each family in all, as for trials")
    parser.add_argument(
        "--storage", metavar="URL", help="a database that several machines share; else .perennial/NAME/tune.db"
    )


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    found = tune(project, args.name, Budget(trials=args.trials, minutes=args.minutes), args.storage)
    _show(args.name, found, project.state(args.name) / "tune.diff")
    return 0


def _show(name: str, found: Mapping[str, Any], path: Path) -> None:
    """What each group spent and found, the diff, and what is left to do."""
    console = Console(highlight=False)
    table = Table("family", "trials", "pruned", "failed", "minutes", "val loss as it is", "best val loss")
    for group, told in found["groups"].items():
        figures = (told["as_is"], told["best"] and told["best"]["val_loss"])
        spent = (str(told["trials"]), str(told["pruned"]), str(told["fail"]), f"{told['minutes']:.1f}")
        table.add_row(group, *spent, *("" if figure is None else f"{figure:.4f}" for figure in figures))
    console.print(table)
    if not found["diff"]:
        console.print(f"{name}: nothing tried is better on val than the block as it is by a thousandth part or more")
        return
    console.print(found["diff"], markup=False, soft_wrap=True)
    console.print(
        f"params.yaml is as it was. To take this over: patch -p1 < {path}, then perennial run {name}, which tells on test "
        "whether it is better; the figures above are of val, on which it was chosen.",
        soft_wrap=True,
    )
