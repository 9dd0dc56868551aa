"""Summary of explain: which columns, words and parts of photos matter."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.figures import Interval
from perennial.results.summary import StageSummary

_ENOUGH = 64  # photos under which a check says nothing


class ColumnImportance(Result):
    """How much a column moves scores: mean |part| (link scale), and its share of the sum over columns."""

    column: str
    label: str
    mean_abs: float
    share: float
    direction: float
    """Rank correlation of cell and part in [-1, 1]; 0 for categories."""


class GroupEffect(Result):
    """What a part of the customers gains or loses by one column: `words` says which customers."""

    column: str
    words: str
    n: int
    share: float
    effect: float
    """The mean part on the link scale."""


class WordEffect(Result):
    """What a word does to an output's link score, over the rows that hold it."""

    output: str
    word: str
    rows: int
    effect: Interval


class StrongestWords(Result):
    """The words that raise an output most, and those that lower it most, the strongest first."""

    raises: tuple[WordEffect, ...]
    lowers: tuple[WordEffect, ...]


class WordSummary(Result):
    min_rows: int
    """Words that stand in fewer rows are left out."""
    outputs: dict[str, StrongestWords]


class DeletionCheck(Result):
    """What hiding the hottest `share` of each photo takes off the probability of its predicted answer, over `n` photos.

    `elsewhere` is how much more that is than hiding the same shape at a random place takes, `another` than hiding what
    another photo's map points at; 95 % intervals of paired differences.
    """

    n: int
    share: float
    drop: Interval
    elsewhere: Interval
    another: Interval

    @property
    def passes(self) -> bool:
        """Whether the maps point at what matters, and at what matters in their own photo."""
        return self.n >= _ENOUGH and self.elsewhere.low > 0 and self.another.low > 0


class ExplainSummary(StageSummary):
    stage: Literal["explain"] = "explain"
    family: Family
    rows: int
    importance: tuple[ColumnImportance, ...]
    groups: tuple[GroupEffect, ...]
    completeness_error: float
    """The mean gap between the sum of parts and the score, on the link scale."""
    spread: float
    """The mean absolute sum of parts, beside which the error is seen."""
    words: WordSummary | None = None
    heat: DeletionCheck | None = None
