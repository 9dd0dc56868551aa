"""`perennial tune NAME --trials N | --minutes M`: search better params, and show them as a diff of params.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.table import Table
from typer import Option

from perennial.commands.arguments import UseCase
from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.results.study import Tuning
from perennial.studies.tune import Budget, tune_params

EXAMPLE = "perennial tune ad_response --trials 40"


def main(
    name: UseCase = "",
    trials: Annotated[int | None, Option(help="Trials of each family in all, earlier ones included.")] = None,
    minutes: Annotated[float | None, Option(help="Minutes of each family in all, as for trials.")] = None,
    storage: Annotated[
        str | None, Option(metavar="URL", help="A database that several machines share; else .perennial/NAME/tune.db.")
    ] = None,
) -> None:
    if (trials is None) == (minutes is None):
        raise ConfigError("give the budget of each family as --trials N or as --minutes M")
    project = Project.here()
    tuning = tune_params(project, name, Budget(trials=trials, minutes=minutes), storage)
    _print_tuning(name, tuning, project.state(name) / "tune.diff")


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
