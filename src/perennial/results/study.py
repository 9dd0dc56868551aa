"""Study results: trial runs beside the real one, the learning curve, and the tuning of params."""

from __future__ import annotations

from typing import Literal

from perennial.results.base import Result
from perennial.results.families import Family
from perennial.results.figures import Interval

Group = Literal["deep", "traditional"]
GROUPS: tuple[Group, ...] = ("deep", "traditional")
Params = dict[str, int | float]


class TrialRun(Result):
    """The figures on test of every family in one trial run, and the family that is best on val."""

    primary: str
    candidate: Family | None
    """None of a quick run, whose small training is no ground for a choice."""
    families: dict[Family, dict[str, Interval]]


class TrialRuns(Result):
    """All runs of a kind, by title."""

    kind: str
    runs: dict[str, TrialRun]

    @property
    def first(self) -> TrialRun:
        return next(iter(self.runs.values()))


class FitFigures(Result):
    """The deep family and the traditional one that is better on val, with their figures on test."""

    families: dict[Group, Family]
    val: dict[Group, float]
    test: dict[Group, Interval]
    deep_minus_traditional: Interval


class ShareFit(Result):
    """A fit of a share of train; a small share is drawn several times."""

    share: float
    draw: int
    rows: int
    figures: FitFigures


class DepthFit(Result):
    """A fit of all of train with a deep network of so many blocks."""

    blocks: int
    figures: FitFigures


class DataGain(Result):
    """How much better each group is with more rows of train, paired on test."""

    from_share: float
    to_share: float
    gain: dict[Group, Interval]


class DepthChoice(Result):
    """The number of blocks that is best on val, and how much better it is than none, paired on test."""

    blocks: int
    better_than_none: Interval | None
    """None where no block is best."""


class LearningCurve(Result):
    primary: str
    is_quick: bool
    """Of a small training, which shows that everything works and is too small to tell anything else."""
    shares: tuple[ShareFit, ...]
    """The smallest first; the last is all of train."""
    depths: tuple[DepthFit, ...]
    data_gain: DataGain | None
    """None where only one share could be fitted."""
    depth_choice: DepthChoice
    sentences: tuple[str, ...] = ()


class TuningTrial(Result):
    """A trial that has ended: its loss on val (None where it was stopped), and the loss after each epoch."""

    number: int
    state: Literal["complete", "pruned", "fail", "killed"]
    params: Params
    """Empty for the current params."""
    val_loss: float | None
    curve: tuple[tuple[int, float], ...]


class BestTrial(Result):
    number: int
    val_loss: float
    params: Params | None
    """None where the current params are best."""


class TuningGroup(Result):
    """What the search of one group spent and found."""

    study: str
    trials: int
    complete: int
    pruned: int
    failed: int
    minutes: float
    current_val_loss: float | None
    best: BestTrial | None


class Tuning(Result):
    """Both groups, the values that differ from params.yaml by section, and their diff."""

    groups: dict[Group, TuningGroup]
    changes: dict[str, dict[str, int | float | Params]]
    diff: str
