"""The kinds of question that a contract can ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from perennial.contract.columns import Frozen


class Binary(Frozen):
    kind: Literal["binary"]
    question: str = ""  # what the report is an answer to
    target: str
    event: str = "respond"  # what those do whom it looks for: default, buy
    primary: Literal["auc", "ap", "log_loss"]
    floor: float


class Multiclass(Frozen):
    """One of three or more classes, in the order in which the outcome's column lists its values."""

    kind: Literal["multiclass"]
    question: str = ""
    target: str
    primary: Literal["log_loss", "accuracy", "macro_f1"]
    floor: float
    ordered: bool = False  # classes have an order: quadratic kappa is told too


class Regression(Frozen):
    """An amount. `two_part`: whether there is any, times how much if so, for amounts that are often 0."""

    kind: Literal["regression"]
    question: str = ""
    target: str
    primary: Literal["gini_norm", "mae"]
    floor: float
    zeros: Literal["plain", "two_part"] = "plain"


class Uplift(Frozen):
    """What a message changes: how many respond (an outcome of 0 and 1), or an amount (an outcome of numbers).

    `qini` is the mean over arms of the area between the Qini curve and the random line, per customer.
    """

    kind: Literal["uplift"]
    question: str = ""
    target: str
    primary: Literal["qini"]
    floor: float


class Clustering(Frozen):
    """Which groups of customers there are: nothing is foretold, so there is no target.

    As many of `k` (least, most) as halves of the customers agree on by `min_stability`. `stability` is the mean adjusted
    Rand index of models fitted on disjoint halves.
    """

    kind: Literal["clustering"]
    question: str = ""
    k: tuple[int, int]
    min_stability: float = Field(gt=0, le=1)
    primary: Literal["stability"]
    floor: float

    @field_validator("k")
    @classmethod
    def _ascending(cls, k: tuple[int, int]) -> tuple[int, int]:
        if not 2 <= k[0] <= k[1] <= 20:
            raise ValueError(f"k is the least and the most segments, from 2 to 20, not {list(k)}")
        return k


Task = Annotated[Binary | Multiclass | Regression | Uplift | Clustering, Field(discriminator="kind")]
