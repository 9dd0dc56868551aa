"""Each kind of task is described wherever one has to be: docs/how-to/add-a-task.md lists the places."""

from __future__ import annotations

from typing import get_args

import pytest

from perennial.contract.head import Head, Scale, TaskKind
from perennial.contract.tasks import TargetTask as ContractTask
from perennial.contract.tasks import Task as AnyTask
from perennial.errors import ConfigError
from perennial.models.deep.losses import LOSSES as NETWORK_LOSSES
from perennial.report.pages.compose import PAGES
from perennial.results.evaluations import Evaluation
from perennial.tasks.lookup import TASKS, supervised_task
from perennial.tasks.losses import LOSSES

KINDS = get_args(TaskKind)


def test_the_contract_has_a_class_for_each_kind() -> None:
    union, _ = get_args(AnyTask)
    classes = {get_args(task.model_fields["kind"].annotation)[0]: task for task in get_args(union)}
    assert set(classes) == set(KINDS)
    for kind, task in classes.items():
        assert issubclass(task, ContractTask) == (kind != "clustering")
        assert set(get_args(task.model_fields["primary"].annotation) or ()) <= metrics(kind), kind


def metrics(kind: TaskKind) -> set[str]:
    return {"stability"} if kind == "clustering" else {*supervised_task(kind).metrics}


def test_each_kind_has_an_object_an_evaluation_and_a_page() -> None:
    assert set(TASKS) == set(PAGES) == set(KINDS)
    assert {kind: task.kind for kind, task in TASKS.items()} == {kind: kind for kind in KINDS}
    assert {get_args(result.model_fields["task"].annotation)[0] for result in get_args(Evaluation)} == set(KINDS)


def test_each_scale_has_a_loss_and_all_with_an_outcome_one_of_the_network() -> None:
    assert set(LOSSES) == set(get_args(Scale))
    assert set(NETWORK_LOSSES) == set(LOSSES) - {"distance"}
    scales = {Head(task=kind, outputs=("a",)).scale for kind in KINDS}
    assert scales | {"log_amount", "arm_amounts"} == set(LOSSES)


def test_segments_are_measured_against_no_outcome() -> None:
    with pytest.raises(ConfigError, match="segments have no outcome to be judged by"):
        supervised_task("clustering")
