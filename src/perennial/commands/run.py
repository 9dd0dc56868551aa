"""`perennial run NAME`: the main job, or with an option a trial run beside it that changes nothing."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from perennial.files.project import Project
from perennial.promotion.main_job import check_config, print_line, run_main_job
from perennial.results.study import TrialRuns
from perennial.studies.trial_runs import Kind, plan_trial_runs, run_trials


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="use case, as in params.yaml")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--quick", action="store_true", help="a small training beside the real one: does it all work?")
    kinds.add_argument("--seeds", type=int, metavar="N", help="N other splits (or seeds, where the split is given)")
    kinds.add_argument("--placebo", action="store_true", help="outcomes shuffled within each part: what noise shows")
    kinds.add_argument("--ablate", choices=["augment"], help="without and with each augmentation of training")


def main(args: argparse.Namespace) -> int:
    project = Project.here()
    check_config(project, args.name)
    kinds: tuple[Kind, ...] = ("quick", "seeds", "placebo", "ablate")
    kind = next((kind for kind in kinds if getattr(args, kind)), None)
    if kind is None:
        return run_main_job(project, args.name)
    _print_trials(args.name, run_trials(project, args.name, kind, plan_trial_runs(kind, args.seeds or 0)))
    return 0


def _print_trials(name: str, trials: TrialRuns) -> None:
    """The primary metric of every family in every run."""
    table = Table("run", "candidate", *trials.first.families)
    for title, run in trials.runs.items():
        intervals = [metrics[run.primary] for metrics in run.families.values()]
        table.add_row(title, run.candidate, *(f"{i.value:.4f} [{i.low:.4f}, {i.high:.4f}]" for i in intervals))
    print_line(f"{name}, trial run {trials.kind}: {trials.first.primary} on test, 95 % intervals; nothing is registered")
    Console().print(table)
