"""Tasks of a contract: binary, multiclass, regression, uplift and clustering, and what each asks of the data.

To add one, see docs/how-to/add-a-task.md; what a task does with scores is in `perennial.tasks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from perennial.contract.columns import NUMBER, Column, ContractPart

_PRIMARY = Field(description="The metric that chooses a family and decides a promotion.")


class BaseTask(ContractPart):
    """What every task has."""

    question: str = ""
    """The question that the report answers."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""

    score_name: ClassVar[str] = ""
    """The name of the one score of a row; empty where classes, arms or segments name several."""
    event_target: ClassVar[Literal["any", "sum"] | None] = None
    """The kind of `unit.target` that makes its outcome from events; None where events give it none."""
    has_arms: ClassVar[bool] = False
    """Whether rows were given one of several treatments, each with a score of its own."""
    has_classes: ClassVar[bool] = False
    """Whether its outcome is one of several classes."""
    has_events: ClassVar[bool] = False
    """Whether its outcome happens or not, so that rare events can be sampled and counted."""

    @property
    def is_two_part(self) -> bool:
        """Whether an amount is the probability that there is any times how much."""
        return False


class TargetTask(BaseTask):
    """A task with an outcome to predict."""

    target: str
    """The column of role outcome to predict."""

    def check_outcome(self, name: str, column: Column) -> Iterator[str]:
        """Yield what its outcome, the column `name`, lacks."""
        raise NotImplementedError


class Binary(TargetTask):
    kind: Literal["binary"]
    outcome_verb: str = "respond"
    """What customers with the outcome do: default, buy."""
    primary: Literal["auc", "ap", "log_loss"] = _PRIMARY

    score_name = "probability"
    event_target = "any"
    has_events = True

    def check_outcome(self, name: str, column: Column) -> Iterator[str]:
        if not _is_event(column):
            yield f'outcome {name!r} maps its texts to 0 and 1: values: {{"no": 0, "yes": 1}}'


class Multiclass(TargetTask):
    """One of three or more classes, in the order in which the outcome's column lists its values."""

    kind: Literal["multiclass"]
    primary: Literal["log_loss", "accuracy", "macro_f1"] = _PRIMARY
    ordered: bool = False
    """Classes have an order: quadratic kappa is reported too."""

    has_classes = True

    def check_outcome(self, name: str, column: Column) -> Iterator[str]:
        if len(set(column.value_names)) < 3 or column.is_coded:
            yield f"outcome {name!r} lists three or more classes as texts: values: [low, middle, high]"


class Regression(TargetTask):
    """An amount. `two_part`: the probability that there is any, times how much if so, for amounts that are often 0."""

    kind: Literal["regression"]
    primary: Literal["gini_norm", "mae"] = _PRIMARY
    zeros: Literal["plain", "two_part"] = "plain"
    """plain: one model of the amount; two_part: one of whether there is any, one of how much."""

    score_name = "amount"
    event_target = "sum"

    @property
    def is_two_part(self) -> bool:
        return self.zeros == "two_part"

    def check_outcome(self, name: str, column: Column) -> Iterator[str]:
        if not _is_amount(column):
            yield f"outcome {name!r} is an amount: type: decimal, or int"


class Uplift(TargetTask):
    """The effect of a message: on a response (an outcome of 0 and 1), or on an amount (an outcome of numbers).

    `qini` is the mean over arms of the area between the Qini curve and the random line, per customer.
    """

    kind: Literal["uplift"]
    primary: Literal["qini"] = _PRIMARY

    has_arms = True

    def check_outcome(self, name: str, column: Column) -> Iterator[str]:
        if not (_is_event(column) or _is_amount(column)):
            either = 'maps its texts to 0 and 1, values: {"no": 0, "yes": 1}, or is an amount, type: decimal'
            yield f"outcome {name!r} {either}"


class Clustering(BaseTask):
    """Groups of customers: nothing is predicted, so there is no target.

    As many segments, from `k` (least, most), as models of split halves agree on by `min_stability`. `stability` is the
    mean adjusted Rand index of models fitted on disjoint halves.
    """

    kind: Literal["clustering"]
    k: tuple[int, int]
    """The least and the most segments."""
    min_stability: float = Field(gt=0, le=1)
    """The split-half agreement that a number of segments must reach."""
    primary: Literal["stability"] = _PRIMARY

    target: ClassVar[None] = None

    @field_validator("k")
    @classmethod
    def _ascending(cls, k: tuple[int, int]) -> tuple[int, int]:
        if not 2 <= k[0] <= k[1] <= 20:
            raise ValueError(f"k is the least and the most segments, from 2 to 20, not {list(k)}")
        return k


def _is_event(column: Column) -> bool:
    return isinstance(column.values, dict) and set(column.values.values()) == {0, 1}


def _is_amount(column: Column) -> bool:
    return column.cell_type in NUMBER and not column.is_coded


Task = Annotated[Binary | Multiclass | Regression | Uplift | Clustering, Field(discriminator="kind")]
