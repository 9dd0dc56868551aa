"""The kinds of question that a contract can ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from perennial.contract.columns import ContractPart


class Binary(ContractPart):
    kind: Literal["binary"]
    question: str = ""
    """What the report is an answer to."""
    target: str
    """The column of role outcome to predict."""
    outcome_verb: str = "respond"
    """What those do whom it looks for: default, buy."""
    primary: Literal["auc", "ap", "log_loss"]
    """The metric that chooses a family and decides a promotion."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""


class Multiclass(ContractPart):
    """One of three or more classes, in the order in which the outcome's column lists its values."""

    kind: Literal["multiclass"]
    question: str = ""
    """What the report is an answer to."""
    target: str
    """The column of role outcome to predict."""
    primary: Literal["log_loss", "accuracy", "macro_f1"]
    """The metric that chooses a family and decides a promotion."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""
    ordered: bool = False
    """Classes have an order: quadratic kappa is reported too."""


class Regression(ContractPart):
    """An amount. `two_part`: whether there is any, times how much if so, for amounts that are often 0."""

    kind: Literal["regression"]
    question: str = ""
    """What the report is an answer to."""
    target: str
    """The column of role outcome to predict."""
    primary: Literal["gini_norm", "mae"]
    """The metric that chooses a family and decides a promotion."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""
    zeros: Literal["plain", "two_part"] = "plain"
    """Whether an amount is predicted plainly, or in two parts: whether there is any, and how much."""


class Uplift(ContractPart):
    """What a message changes: how many respond (an outcome of 0 and 1), or an amount (an outcome of numbers).

    `qini` is the mean over arms of the area between the Qini curve and the random line, per customer.
    """

    kind: Literal["uplift"]
    question: str = ""
    """What the report is an answer to."""
    target: str
    """The column of role outcome to predict."""
    primary: Literal["qini"]
    """The metric that chooses a family and decides a promotion."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""


class Clustering(ContractPart):
    """Which groups of customers there are: nothing is foretold, so there is no target.

    As many of `k` (least, most) as halves of the customers agree on by `min_stability`. `stability` is the mean adjusted
    Rand index of models fitted on disjoint halves.
    """

    kind: Literal["clustering"]
    question: str = ""
    """What the report is an answer to."""
    k: tuple[int, int]
    """The least and the most segments."""
    min_stability: float = Field(gt=0, le=1)
    """The agreement of halves that a number of segments must reach."""
    primary: Literal["stability"]
    """The metric that chooses a family and decides a promotion."""
    minimum: float
    """What the primary metric must clear, at the worse end of its interval, before a model may be used."""

    @field_validator("k")
    @classmethod
    def _ascending(cls, k: tuple[int, int]) -> tuple[int, int]:
        if not 2 <= k[0] <= k[1] <= 20:
            raise ValueError(f"k is the least and the most segments, from 2 to 20, not {list(k)}")
        return k


Task = Annotated[Binary | Multiclass | Regression | Uplift | Clustering, Field(discriminator="kind")]
