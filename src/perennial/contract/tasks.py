"""Tasks of a contract: binary, multiclass, regression, uplift and clustering."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from perennial.contract.columns import ContractPart

_PRIMARY = Field(description="The metric that chooses a family and decides a promotion.")


class BaseTask(ContractPart):
    """What every task has."""

    question: str = ""
    """The question that the report answers."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""


class SupervisedTask(BaseTask):
    """A task with an outcome to predict."""

    target: str
    """The column of role outcome to predict."""


class Binary(SupervisedTask):
    kind: Literal["binary"]
    outcome_verb: str = "respond"
    """What customers with the outcome do: default, buy."""
    primary: Literal["auc", "ap", "log_loss"] = _PRIMARY


class Multiclass(SupervisedTask):
    """One of three or more classes, in the order in which the outcome's column lists its values."""

    kind: Literal["multiclass"]
    primary: Literal["log_loss", "accuracy", "macro_f1"] = _PRIMARY
    ordered: bool = False
    """Classes have an order: quadratic kappa is reported too."""


class Regression(SupervisedTask):
    """An amount. `two_part`: the probability that there is any, times how much if so, for amounts that are often 0."""

    kind: Literal["regression"]
    primary: Literal["gini_norm", "mae"] = _PRIMARY
    zeros: Literal["plain", "two_part"] = "plain"
    """plain: one model of the amount; two_part: one of whether there is any, one of how much."""


class Uplift(SupervisedTask):
    """The effect of a message: on a response (an outcome of 0 and 1), or on an amount (an outcome of numbers).

    `qini` is the mean over arms of the area between the Qini curve and the random line, per customer.
    """

    kind: Literal["uplift"]
    primary: Literal["qini"] = _PRIMARY


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

    @field_validator("k")
    @classmethod
    def _ascending(cls, k: tuple[int, int]) -> tuple[int, int]:
        if not 2 <= k[0] <= k[1] <= 20:
            raise ValueError(f"k is the least and the most segments, from 2 to 20, not {list(k)}")
        return k


Task = Annotated[Binary | Multiclass | Regression | Uplift | Clustering, Field(discriminator="kind")]
