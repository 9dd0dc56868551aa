"""Clustering task: segments of customers; nothing ranks them, and no outcome says how good they are."""

from __future__ import annotations

import numpy as np

from perennial.contract.head import Head
from perennial.tasks.multiclass import describe_likeliest
from perennial.tasks.task import F64, Task


class ClusteringTask(Task):
    kind = "clustering"

    def strength(self, score_NO: F64) -> F64:
        return np.asarray(score_NO.max(axis=1))

    def describe(self, score_O: F64, head: Head) -> str:
        return describe_likeliest(score_O, head)
