"""What each family scored on val in, the candidate out: the simplest family within one standard error of the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from perennial.evaluation.intervals import F64, Interval


@dataclass(frozen=True, kw_only=True)
class Choice:
    """`family` is the candidate, `best` has the highest figure; `behind` is best − family, give or take one error."""

    family: str
    best: str
    figures: dict[str, float]
    behind: dict[str, Interval]


def choose(
    scores: Mapping[str, F64], figure: Callable[[F64], float], paired: Callable[[F64, F64, float], Interval]
) -> Choice:
    """`scores` by family, simplest first; `figure` is higher when better; `paired(new, old, level)` is new − old."""
    figures = {family: figure(score) for family, score in scores.items()}
    best = max(figures, key=lambda family: figures[family])
    behind = {
        family: paired(scores[best], score, _ONE_ERROR) for family, score in scores.items() if family != best
    }  # fmt: skip
    within = [family for family in scores if family == best or behind[family].low <= 0]
    return Choice(family=within[0], best=best, figures=figures, behind=behind)


_ONE_ERROR = 0.6826894921370859  # the two-sided level whose interval reaches one standard error
