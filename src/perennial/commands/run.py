"""`perennial run NAME`: the main job, or with an option a trial run beside it that changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from rich.console import Console
from rich.table import Table
from typer import Option

from perennial.commands.arguments import UseCase
from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.promotion.main_job import check_config, run_main_job

if TYPE_CHECKING:
    from perennial.results.study import TrialRuns
    from perennial.studies.trial_runs import Kind

EXAMPLE = "perennial run ad_response"


def main(
    name: UseCase = "",
    quick: Annotated[bool, Option("--quick", help="A small training beside the real one: does it all work? No verdict.")] = False,
    seeds: Annotated[int, Option(metavar="N", help="N other splits (or seeds of training).", show_default=False)] = 0,
    placebo: Annotated[bool, Option("--placebo", help="Outcomes shuffled within each part: what noise shows.")] = False,
    ablate: Annotated[Literal["augment"] | None, Option(help="Without and with each augmentation of training.")] = None,
) -> int:
    project = Project.here()
    check_config(project, name)
    options: dict[Kind, object] = {"quick": quick, "seeds": seeds, "placebo": placebo, "ablate": ablate}
    kinds = [kind for kind, value in options.items() if value]
    if not kinds:
        return run_main_job(project, name)
    if len(kinds) > 1:
        raise ConfigError(f"one trial run at a time: --{' or --'.join(kinds)}")
    from perennial.studies.trial_runs import plan_trial_runs, run_trials  # a main job says its first word sooner without

    _print_trials(name, run_trials(project, name, kinds[0], plan_trial_runs(kinds[0], seeds)))
    return 0


def _print_trials(name: str, trials: TrialRuns) -> None:
    """The primary metric of every family in every run."""
    table = Table("run", "candidate", *trials.first.families)
    for title, run in trials.runs.items():
        intervals = [metrics[run.primary] for metrics in run.families.values()]
        table.add_row(title, run.candidate, *(f"{i.value:.4f} [{i.low:.4f}, {i.high:.4f}]" for i in intervals))
    console = Console(highlight=False, markup=False)
    console.print(f"{name}, trial run {trials.kind}: {trials.first.primary} on test, 95 % intervals; nothing is registered")
    console.print(table)
    if trials.kind == "quick":
        console.print("It all works. The training was too small to tell which family is better.", soft_wrap=True)
