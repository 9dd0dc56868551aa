"""Trial runs: quick, other seeds, shuffled outcomes or an ablation, each beside the real run in a scratch project."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, assert_never

import numpy as np
import polars as pl

from perennial.contract.load import load
from perennial.data.names import ROW_ID
from perennial.errors import ConfigError
from perennial.files.durable import write_json
from perennial.files.locks import file_lock
from perennial.files.manifest import seal
from perennial.files.project import Project
from perennial.files.tables import read_table, write_table
from perennial.pipeline.graph import STAGES
from perennial.results.evaluations import read_evaluation
from perennial.results.study import TrialRun, TrialRuns
from perennial.studies.scratch_project import Overlay, create_scratch_project, fetch_missing, run_or_reuse, trial_folder

Kind = Literal["quick", "seeds", "placebo", "ablate"]
_STAGES = list(STAGES)[: list(STAGES).index("explain")]  # a trial run is not explained
QUICK: Overlay = {
    "train": {"epochs": 2, "patience": 2, "members": 2},
    "baseline": {"trials": 1, "rounds": 100},
    "evaluate": {"bootstrap": 100, "placebos": 0},
}


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """What a run changes of the project's params and split, and whether outcomes are shuffled."""

    title: str
    params: Overlay = field(default_factory=dict)
    salt: str = ""
    is_shuffled: bool = False
    is_quick: bool = False
    """Whether the training is too small to choose a family by."""


def plan_trial_runs(kind: Kind, seeds: int = 0) -> list[TrialPlan]:
    match kind:
        case "quick":
            return [TrialPlan(title="quick", params=QUICK, is_quick=True)]
        case "seeds":
            return [
                TrialPlan(title=f"seed {i}", salt=f"-{i}", params={"train": {"seed": i}, "baseline": {"seed": i}})
                for i in range(1, seeds + 1)
            ]
        case "placebo":
            return [TrialPlan(title="as it is"), TrialPlan(title="shuffled", is_shuffled=True)]
        case "ablate":
            return [
                _plan_ablation("without", 0.0, "none", 1),
                _plan_ablation("cells swapped", 0.1, "none", 1),
                _plan_ablation("rarer outcome drawn thrice", 0.0, "oversample", 3),
            ]
        case _:
            assert_never(kind)


def run_trials(project: Project, name: str, kind: Kind, plans: list[TrialPlan]) -> TrialRuns:
    """The figures of each run; they are also written to .perennial/NAME/trial_runs/KIND.json.

    Raises: PerennialError when a stage fails.
    """
    folder = trial_folder(project, name)
    with file_lock(folder / f"{kind}.lock", what=f"a trial run of {name}"):
        fetch_missing(project, name)
        runs = {}
        for i, plan in enumerate(plans):
            scratch = create_scratch_project(project, name, folder / kind / str(i), plan.params, plan.salt)
            runs[plan.title] = _run_trial(project, scratch, name, plan)
    result = TrialRuns(kind=kind, runs=runs)
    write_json(folder / f"{kind}.json", result.model_dump(mode="json"))
    return result


def _plan_ablation(title: str, swap_noise: float, kind: str, times: int) -> TrialPlan:
    params: Overlay = {"train": {"swap_noise": swap_noise}, "augment": {"kind": kind, "times": times}}
    return TrialPlan(title=title, params=params)


def _run_trial(project: Project, scratch: Project, name: str, plan: TrialPlan) -> TrialRun:
    for stage in _STAGES:
        run_or_reuse(project, scratch, name, stage)
        if stage == "split" and plan.is_shuffled:
            _shuffle_outcomes(scratch, name)
    evaluation = read_evaluation(scratch, name)
    return TrialRun(
        primary=evaluation.primary,
        candidate=None if plan.is_quick else evaluation.candidate.family,
        families={family: figures.test for family, figures in evaluation.families.items()},
    )


def _shuffle_outcomes(scratch: Project, name: str) -> None:
    """Exchange outcomes (for uplift, arms) among the rows of each part, so that there is nothing to learn."""
    contract, folder = load(scratch.contract(name)), scratch.output(name, "featurize")
    treatment = contract.find_column("treatment") if contract.task.has_arms else None
    column = treatment or contract.target
    if column is None:
        raise ConfigError(f"{name} has no outcome to shuffle: its segments are tried on halves of the customers instead")
    units = read_table(folder / "units.parquet")
    splits = read_table(scratch.output(name, "split") / "splits.parquet")
    parts = units.select(ROW_ID).join(splits, on=ROW_ID, how="left", maintain_order="left")["split"]
    source, rng = np.arange(units.height), np.random.Generator(np.random.PCG64(1))
    for part in parts.unique().sort():
        rows = np.flatnonzero((parts == part).to_numpy())
        source[rows] = rng.permutation(rows)
    write_table(folder / "units.parquet", units.with_columns(units[column].gather(pl.Series(source)).alias(column)))
    seal(folder)
