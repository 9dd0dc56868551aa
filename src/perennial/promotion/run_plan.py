"""Run plan: which stages are stale, what running them is expected to cost, and afterwards what it did cost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.promotion.overview import find_states
from perennial.results.costs import (
    RunCost,
    RunPlan,
    StageCost,
    measure_error,
    note_cost,
    predict_stage,
    read_run_costs,
    read_stage_costs,
)

RATE = "PERENNIAL_CPU_HOUR_COST"


def plan_run(project: Project, name: str) -> RunPlan:
    """What a run would do now."""
    costs, size = read_stage_costs(project, name), measure_raw(project, name)
    stale = [stage for stage, state in find_states(project, name).items() if state != "up to date"]
    predicted = {stage: predict_stage(costs, stage, size) for stage in stale}
    return RunPlan(
        stale=tuple(stale),
        predicted={stage: seconds for stage, seconds in predicted.items() if seconds is not None},
        unknown=tuple(stage for stage, seconds in predicted.items() if seconds is None),
        at=time.time(),
    )


def find_runs(project: Project, name: str, plan: RunPlan) -> dict[str, StageCost]:
    """The stages that ran since the plan was made, with what they took."""
    return {cost.stage: cost for cost in read_stage_costs(project, name) if cost.at >= plan.at}


def note_run(project: Project, name: str, plan: RunPlan) -> None:
    """Hold what was predicted of the stages that ran against what they took; nothing where one was not predicted."""
    ran = find_runs(project, name, plan)
    predicted = [plan.predicted.get(stage) for stage in ran]
    known = [seconds for seconds in predicted if seconds is not None]
    if ran and len(known) == len(predicted):
        cost = sum(cost.cpu_s for cost in ran.values())
        note_cost(project, name, RunCost(predicted_s=sum(known), cpu_s=cost, at=time.time()))


def describe_cost(project: Project, name: str, plan: RunPlan) -> Iterator[str]:
    """In sentences: predicted, actual, and how far predictions were off."""
    ran = find_runs(project, name, plan)
    if not plan.stale:
        yield "Nothing was stale, so nothing was to be paid."
    elif plan.predicted_s is None:
        yield f"Predicted: nothing, for no earlier run here says what {', '.join(plan.unknown)} takes."
    else:
        yield f"Predicted: {format_cost(plan.predicted_s)}."
    yield f"Actual: {format_cost(sum(cost.cpu_s for cost in ran.values()))}, {len(ran)} stages."
    if (error := measure_error(read_run_costs(project, name))) is not None:
        share, n = error
        of = f"median error of the last {n} predictions" if n > 1 else "error of the only prediction so far"
        yield f"How good that is: {100 * share:.0f} % {of}."


def format_cost(seconds: float) -> str:
    """CPU minutes, and money where a rate is declared in PERENNIAL_CPU_HOUR_COST, say `0.048 EUR`.

    Raises: ConfigError for a rate that is no number and currency.
    """
    minutes = f"{seconds / 60:.1f} CPU minutes"
    if not (declared := os.environ.get(RATE, "").strip()):
        return minutes
    rate, _, currency = declared.partition(" ")
    try:
        return f"{minutes} ({float(rate) * seconds / 3600:.4f} {currency})".replace(" )", ")")
    except ValueError:
        raise ConfigError(f"{RATE} is {declared!r}: give the price of a CPU hour and its currency, as in '0.048 EUR'") from None


def measure_raw(project: Project, name: str) -> int:
    """The size of the raw data in bytes."""
    return sum(path.stat().st_size for path in project.raw(name).rglob("*") if path.is_file())
