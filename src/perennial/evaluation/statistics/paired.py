"""Paired comparison of two models on the same rows: the one test by which one is called better than the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from perennial.errors import InputError
from perennial.evaluation.statistics import metrics, uplift
from perennial.evaluation.statistics.intervals import F64, Metric, Statistic, bootstrap, delong, paired_delong
from perennial.evaluation.statistics.uplift import Arms
from perennial.results.figures import Interval

_RANKINGS = {"auc", "ap"}  # given how many responded, as the Qini is


@dataclass(frozen=True, kw_only=True)
class PairedComparison:
    """One metric on the rows that a comparison is made on: `y` (n,), for an uplift task `arm` (n,).

    Scores are (n, outputs), or (n,) where there is one. AUC takes DeLong's interval, every other metric a bootstrap of
    `resamples`. It keeps each outcome's (and arm's) number of rows for a ranking of the outcomes that there are; any
    other figure also varies with how many responded. `weight` (n,) may depend on the outcome only.
    """

    metric: str
    y: F64
    resamples: int
    seed: int
    arm: Arms | None = None
    weight: F64 | None = None

    def __post_init__(self) -> None:
        """Raises: ConfigError for an unknown metric; InputError for a Qini without arms."""
        if self.metric != "qini":
            metrics.find_metric(self.metric)
        elif self.arm is None:
            raise InputError("a Qini needs the arm of every row: an uplift task has a column of role treatment")

    @property
    def higher_is_better(self) -> bool:
        return self.metric == "qini" or metrics.find_metric(self.metric).higher_is_better

    def only(self, rows: NDArray[np.bool_]) -> PairedComparison:
        """The same comparison on some of the rows."""
        arm = None if self.arm is None else self.arm[rows]
        return replace(self, y=self.y[rows], arm=arm, weight=None if self.weight is None else self.weight[rows])

    def value(self, score: F64) -> float:
        """The metric of one model, without its interval (raises as `estimate`)."""
        return float(self._statistic(self._fitting(score))(np.ones(len(self.y))))

    def estimate(self, score: F64, level: float) -> Interval:
        """The metric of one model.

        Raises: InputError when the scores do not fit the rows.
        """
        score = self._fitting(score)
        if self.metric == "auc":
            return delong(self.y, score, level)
        return self._resampled(self._statistic(score), level)

    def better_by(self, new: F64, old: F64, level: float) -> Interval:
        """How much better `new` is than `old`, paired: above 0 is better, also for a loss (raises as `estimate`)."""
        new, old = self._fitting(new), self._fitting(old)
        if self.metric == "auc":
            return paired_delong(self.y, new, old, level)
        if not self.higher_is_better:
            new, old = old, new
        better, worse = self._statistic(new), self._statistic(old)
        return self._resampled(lambda times: better(times) - worse(times), level)

    def _statistic(self, score: F64) -> Statistic:
        """The metric of one model as a function of how often each row was drawn."""
        weight = 1.0 if self.weight is None else self.weight
        return lambda times: self._function(self.y, score, times * weight)

    def _resampled(self, statistic: Statistic, level: float) -> Interval:
        return bootstrap(statistic, len(self.y), self._strata, n=self.resamples, seed=self.seed, level=level)

    @property
    def _function(self) -> Metric:
        return partial(uplift.qini, arm=self.arm) if self.arm is not None else metrics.find_metric(self.metric).function

    @property
    def _strata(self) -> NDArray[np.generic] | None:
        """None where single rows are drawn: for every metric that is no ranking given how many responded."""
        if self.arm is not None:
            return uplift.draw_strata(self.y, self.arm)
        return self.y if self.metric in _RANKINGS else None

    def _fitting(self, score: F64) -> F64:
        if self.arm is not None:
            return uplift.check_campaign(self.y, self.arm, score)[2]
        one = score[:, 0] if score.ndim == 2 and score.shape[1] == 1 else score
        return metrics.check_rows(self.y, one, self.weight)[1]
