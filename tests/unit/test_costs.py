"""What a run is expected to cost: medians in proportion to the data, errors told, a line that was cut is passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.errors import ConfigError
from perennial.files.project import Project
from perennial.promotion.run_plan import RATE, describe_cost, find_runs, format_cost, note_run
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

pytestmark = pytest.mark.unit
NAME = "shop"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv(RATE, raising=False)
    return Project(root=tmp_path)


def cost(stage: str, cpu_s: float, at: float, raw_bytes: int = 1000) -> StageCost:
    return StageCost(stage=stage, cpu_s=cpu_s, raw_bytes=raw_bytes, at=at)


def test_a_stage_costs_the_median_of_its_last_five_runs() -> None:
    costs = [cost("train", seconds, at) for at, seconds in enumerate([100, 10, 12, 11, 50, 9])]
    assert predict_stage(costs, "train", 1000) == 11, "the first of six no longer counts, and one slow run does not move it"
    assert predict_stage(costs, "clean", 1000) is None


def test_it_grows_with_the_raw_data() -> None:
    assert predict_stage([cost("train", 10, 1, raw_bytes=1000)], "train", 3000) == 30
    assert predict_stage([cost("train", 10, 1, raw_bytes=0)], "train", 3000) == 10


def test_the_error_of_predictions_is_the_median_of_the_last_five() -> None:
    assert measure_error([]) is None
    runs = [RunCost(predicted_s=predicted, cpu_s=10, at=at) for at, predicted in enumerate([90, 11, 9, 12, 10, 14])]
    share, n = measure_error(runs) or (0.0, 0)
    assert (share, n) == (pytest.approx(0.1), 5)


def test_lines_survive_one_that_was_cut(project: Project) -> None:
    note_cost(project, NAME, cost("train", 10, 1))
    path = project.state(NAME) / "costs.jsonl"
    path.write_text(path.read_text() + '{"kind": "stage", "sta\n')
    note_cost(project, NAME, RunCost(predicted_s=5, cpu_s=4, at=2))
    assert [line.stage for line in read_stage_costs(project, NAME)] == ["train"]
    assert [line.cpu_s for line in read_run_costs(project, NAME)] == [4]


def test_a_run_is_held_against_its_plan(project: Project) -> None:
    plan = RunPlan(stale=("baseline", "evaluate", "explain"), predicted={"baseline": 60.0, "evaluate": 30.0}, unknown=(), at=10)
    note_cost(project, NAME, cost("baseline", 999, 5))  # before the plan
    note_cost(project, NAME, cost("baseline", 66, 11))
    note_cost(project, NAME, cost("evaluate", 24, 12))
    assert list(find_runs(project, NAME, plan)) == ["baseline", "evaluate"], "explain was restored"
    note_run(project, NAME, plan)
    assert list(describe_cost(project, NAME, plan)) == [
        "Predicted: 1.5 CPU minutes.",
        "Actual: 1.5 CPU minutes, 2 stages.",
        "How good that is: 0 % error of the only prediction so far.",
    ]


def test_what_nobody_knows_is_not_predicted(project: Project) -> None:
    plan = RunPlan(stale=("train",), predicted={}, unknown=("train",), at=10)
    note_cost(project, NAME, cost("train", 60, 11))
    note_run(project, NAME, plan)
    assert read_run_costs(project, NAME) == []
    assert next(iter(describe_cost(project, NAME, plan))) == "Predicted: nothing, for no earlier run here says what train takes."
    nothing = RunPlan(stale=(), predicted={}, unknown=(), at=20)
    assert next(iter(describe_cost(project, NAME, nothing))) == "Nothing was stale, so nothing was to be paid."


def test_money_is_told_at_the_declared_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RATE, "0.06 EUR")
    assert format_cost(3600) == "60.0 CPU minutes (0.0600 EUR)"
    monkeypatch.setenv(RATE, "cheap")
    with pytest.raises(ConfigError, match="PERENNIAL_CPU_HOUR_COST is 'cheap': give the price of a CPU hour and its currency"):
        format_cost(1)
