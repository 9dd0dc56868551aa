"""What each family scored on val in, the candidate out: the simplest family within one standard error of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from perennial.evaluation.statistics.intervals import F64, Interval
from perennial.evaluation.statistics.paired import Judge

_ONE_ERROR = 0.6826894921370859  # the two-sided level whose interval reaches one standard error


TRADITIONAL = ("linear", "boosted", "kernel")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """`family` is the candidate, `best` has the best figure; `behind` is best − family, give or take one error."""

    family: str
    best: str
    figures: dict[str, float]
    behind: dict[str, Interval]

    def as_json(self) -> dict[str, Any]:
        behind = {family: asdict(found) for family, found in self.behind.items()}
        return {"family": self.family, "best": self.best, "val": self.figures, "behind": behind}


def choose(scores: Mapping[str, F64], judge: Judge) -> Choice:
    """`scores` on val by family, the simplest first."""
    figures = {family: judge.value(score) for family, score in scores.items()}
    best = (max if judge.higher_is_better else min)(figures, key=lambda family: figures[family])
    behind = {
        family: judge.better_by(scores[best], score, _ONE_ERROR) for family, score in scores.items() if family != best
    }
    within = [family for family in scores if family == best or behind[family].low <= 0]
    return Choice(family=within[0], best=best, figures=figures, behind=behind)


def told_by_metric(
    val: Mapping[str, F64], test: Mapping[str, F64], judges: Sequence[Mapping[str, Judge]], level: float
) -> dict[str, Any]:
    """Each family's metrics on val, and on test with their intervals; `judges` by metric, of val and of test."""
    on_val, on_test = judges
    return {
        family: {
            "val": {name: judge.value(val[family]) for name, judge in on_val.items()},
            "test": {name: asdict(judge.estimate(score, level)) for name, judge in on_test.items()},
        }
        for family, score in test.items()
    }


def deep_minus_traditional(chosen: Choice, scores: Mapping[str, F64], judge: Judge, level: float) -> dict[str, Any]:
    """The deep family against the traditional one that was better on val, paired, on the rows of `judge` (test)."""
    order = max if judge.higher_is_better else min
    rival = order((family for family in scores if family in TRADITIONAL), key=lambda family: chosen.figures[family])
    found = judge.better_by(scores["deep"], scores[rival], level)
    return {"metric": judge.metric, "traditional": rival, **asdict(found)}
