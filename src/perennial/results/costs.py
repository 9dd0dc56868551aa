"""Costs: what each stage took on this machine, what a run was expected to take, and what it did take.

They lie in .perennial/NAME/costs.jsonl, a line each, and in no output: an output holds no time.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Literal

from perennial.files.project import Project
from perennial.results.base import Result

RECENT = 5  # records that say what a stage costs, and predictions that say how good they are


class StageCost(Result):
    """One run of a stage: CPU seconds of its process and those below it, and the size of the raw data then."""

    kind: Literal["stage"] = "stage"
    stage: str
    cpu_s: float
    raw_bytes: int
    at: float
    """Seconds since 1970, when it ended."""


class RunCost(Result):
    """A run whose cost was predicted, and what it took."""

    kind: Literal["run"] = "run"
    predicted_s: float
    cpu_s: float
    at: float

    @property
    def error(self) -> float:
        """How far the prediction was off, as a share of what it took."""
        return abs(self.predicted_s - self.cpu_s) / self.cpu_s if self.cpu_s else 0.0


class RunPlan(Result):
    """What a run would do: the stages that are stale, the CPU seconds that each is expected to take, those nobody knows of."""

    stale: tuple[str, ...]
    predicted: dict[str, float]
    unknown: tuple[str, ...]
    at: float

    @property
    def predicted_s(self) -> float | None:
        """Of all stale stages; None where one has never run here."""
        return None if self.unknown else sum(self.predicted.values())


def read_stage_costs(project: Project, name: str) -> list[StageCost]:
    """The oldest first."""
    return [StageCost.model_validate(line) for line in _read(project, name) if line["kind"] == "stage"]


def read_run_costs(project: Project, name: str) -> list[RunCost]:
    return [RunCost.model_validate(line) for line in _read(project, name) if line["kind"] == "run"]


def note_cost(project: Project, name: str, cost: StageCost | RunCost) -> None:
    """One write of one line: a kill leaves the lines before it whole."""
    path = _path(project, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(cost.model_dump_json() + "\n")


def predict_stage(costs: list[StageCost], stage: str, raw_bytes: int) -> float | None:
    """The median of its last runs, in proportion to the raw data where that grew or shrank; None where it never ran."""
    recent = [cost for cost in costs if cost.stage == stage][-RECENT:]
    if not recent:
        return None
    return median(cost.cpu_s * (raw_bytes / cost.raw_bytes if cost.raw_bytes and raw_bytes else 1.0) for cost in recent)


def measure_error(runs: list[RunCost]) -> tuple[float, int] | None:
    """The median error of the last predictions as a share, and of how many; None where there was none."""
    recent = [run.error for run in runs[-RECENT:]]
    return (median(recent), len(recent)) if recent else None


def _path(project: Project, name: str) -> Path:
    return project.state(name) / "costs.jsonl"


def _read(project: Project, name: str) -> list[dict[str, object]]:
    """The lines that are whole."""
    path, lines = _path(project, name), []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(text))
        except ValueError:  # cut by a kill
            continue
    return [line for line in lines if isinstance(line, dict) and "kind" in line]
