"""`perennial tune NAME --trials N | --minutes M`: search better params, and show them as a diff of params.yaml."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.results.study import Tuning
from perennial.studies.tune import Budget, tune_params


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    budget = parser.add_mutually_exclusive_group(required=True)
    budget.add_argument("--trials", type=int, metavar="N", help="trials of each family in all, earlier ones included")
    budget.add_argument("--minutes", type=float, metavar="M", help="minutes of each family in all, as for trials")
    parser.add_argument("--storage", metavar="URL", help="a database that several machines share; else .perennial/NAME/tune.db")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    tuning = tune_params(project, args.name, Budget(trials=args.trials, minutes=args.minutes), args.storage)
    _print_tuning(args.name, tuning, project.state(args.name) / "tune.diff")
    return 0


def _print_tuning(name: str, tuning: Tuning, path: Path) -> None:
    """What each group spent and found, the diff, and what is left to do."""
    console = Console(highlight=False)
    table = Table("family", "trials", "pruned", "failed", "minutes", "val loss now", "best val loss")
    for group, result in tuning.groups.items():
        losses = (result.current_val_loss, result.best.val_loss if result.best else None)
        spent = (str(result.trials), str(result.pruned), str(result.failed), f"{result.minutes:.1f}")
        table.add_row(group, *spent, *("" if loss is None else f"{loss:.4f}" for loss in losses))
    console.print(table)
    if not tuning.diff:
        console.print(f"{name}: nothing that was tried is better on val than the current params by 0.1 % or more")
        return
    console.print(tuning.diff, markup=False, soft_wrap=True)
    console.print(
        f"params.yaml is unchanged. To apply the diff: patch -p1 < {path}, then perennial run {name}, which shows on test "
        "whether it is better; the figures above are of val, on which it was chosen.",
        soft_wrap=True,
    )
