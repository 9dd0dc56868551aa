"""The evaluation of a use case, whichever its task."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, TypeAdapter

from perennial.files.project import Project
from perennial.results.binary import BinaryEvaluation
from perennial.results.clustering import ClusteringEvaluation
from perennial.results.multiclass import MulticlassEvaluation
from perennial.results.regression import RegressionEvaluation
from perennial.results.summary import parse_summary, verify_output
from perennial.results.uplift import UpliftEvaluation

Evaluation = BinaryEvaluation | MulticlassEvaluation | RegressionEvaluation | UpliftEvaluation | ClusteringEvaluation
_BY_TASK: TypeAdapter[Evaluation] = TypeAdapter(Annotated[Evaluation, Field(discriminator="task")])


def read_evaluation(project: Project, name: str) -> Evaluation:
    """The evaluation of a use case (raises as `read_summary`)."""
    return parse_summary(verify_output(project, name, "evaluate"), _BY_TASK)
