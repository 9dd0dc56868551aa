"""Lookup of the object of a task by the kind that a contract or a bundle names."""

from __future__ import annotations

from collections.abc import Mapping

from perennial.contract.head import TaskKind
from perennial.errors import ConfigError
from perennial.tasks.binary import BinaryTask
from perennial.tasks.clustering import ClusteringTask
from perennial.tasks.multiclass import MulticlassTask
from perennial.tasks.regression import RegressionTask
from perennial.tasks.task import SupervisedTask, Task
from perennial.tasks.uplift import UpliftTask

TASKS: Mapping[TaskKind, Task] = {
    task.kind: task for task in (BinaryTask(), MulticlassTask(), RegressionTask(), UpliftTask(), ClusteringTask())
}


def supervised_task(kind: TaskKind) -> SupervisedTask:
    """Raises: ConfigError for segments, which no outcome can be compared with."""
    task = TASKS[kind]
    if not isinstance(task, SupervisedTask):
        raise ConfigError("segments have no outcome to be judged by: see `perennial open` for how far they hold")
    return task
