"""Lending decisions: bands of risk, whom to approve, what it earns and for whom.

A loan earns `gain` when it is paid back and loses `loss` when it is not. By expectation a probability of default below
gain / (gain + loss) is approved. Points are 600 at odds of 50 to 1 and 20 more for twice the odds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.contract.model import Money
from perennial.evaluation.statistics.choice import Resampling
from perennial.evaluation.statistics.intervals import F64, LEVEL, bootstrap, normal_interval, total_interval, wilson_interval
from perennial.evaluation.statistics.ranking import cumulate, rate_by_depth
from perennial.evaluation.statistics.slices import iterate_groups
from perennial.results.binary import ApplicantGroup, LoanPlan, LoanRisk, RiskBand
from perennial.results.figures import Interval

_BANDS = 10
_ENOUGH = 30  # goods and bads of a group under which its gaps are not told
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LoanPolicy:
    """What a loan that is paid back earns, and what one that is not loses."""

    gain: float
    loss: float

    @property
    def cut(self) -> float:
        """The probability of default up to which a loan is expected to earn."""
        return self.gain / (self.gain + self.loss)


def loan_policy(money: Money) -> LoanPolicy | None:
    """What a loan earns and loses; None where the contract does not lend."""
    if money.gain_if_good is None or money.loss_if_bad is None:
        return None
    return LoanPolicy(gain=money.gain_if_good, loss=money.loss_if_bad)


def score_points(p: F64) -> F64:
    """Score points (n,), the more the safer."""
    odds = np.log1p(-p.clip(1e-6, 1 - 1e-6)) - np.log(p.clip(1e-6, 1 - 1e-6))
    return np.asarray(600 + 20 / math.log(2) * (odds - math.log(50)))


def evaluate_loans(y: F64, p: F64, loan: LoanPolicy, groups: Mapping[str, NDArray[Any]], resampling: Resampling) -> LoanRisk:
    """Figures of test: outcomes `y` (n,), 1 a default, and calibrated probabilities `p` (n,)."""
    approved = p <= loan.cut
    plans = (("cut", approved), ("all", np.ones(len(y), dtype=np.bool_)))
    return LoanRisk(
        cut=loan.cut,
        cut_points=float(score_points(np.array([loan.cut]))[0]),
        gain=loan.gain,
        loss=loan.loss,
        approved=float(approved.mean()),
        bad_rate=wilson_interval(float(y[approved].sum()), int(approved.sum()), LEVEL) if approved.any() else None,
        bad_rate_overall=wilson_interval(float(y.sum()), len(y), LEVEL),
        ks=bootstrap(lambda times: kolmogorov_smirnov(y, p, times), len(y), y, n=resampling.n, seed=resampling.seed, level=LEVEL),
        plans=tuple(LoanPlan(name=name, approved=float(mask.mean()), per_1000=_earned(y, mask, loan)) for name, mask in plans),
        bands=_bands(y, p),
        curve=rate_by_depth(y, -p, **resampling.of_curves).clip(0, 1).as_curve(),
        groups=tuple(_compare_group(y, approved, *group) for group in iterate_groups(groups)),
    )


def kolmogorov_smirnov(y: F64, p: F64, weight: F64) -> F64:
    """Kolmogorov-Smirnov: the widest gap between the shares of defaults and of others found, worst first."""
    bad, good = cumulate(p, weight * y, weight * (1 - y))
    return np.asarray(np.abs(bad / bad[..., -1:] - good / good[..., -1:]).max(axis=-1))


def _earned(y: F64, who: Mask, loan: LoanPolicy) -> Interval:
    """Money per 1,000 applicants."""
    return total_interval(np.where(who, np.where(y == 1, -loan.loss, loan.gain), 0.0), LEVEL) * (1000 / len(y))


def _bands(y: F64, p: F64) -> tuple[RiskBand, ...]:
    """Deciles of applicants by points, the safest first."""
    score = score_points(p)
    return tuple(
        RiskBand(
            min_points=float(score[rows].min()),
            n=len(rows),
            predicted=float(p[rows].mean()),
            bad_rate=wilson_interval(float(y[rows].sum()), len(rows), LEVEL),
        )
        for rows in np.array_split(np.argsort(p, kind="stable"), _BANDS)
    )


def _compare_group(y: F64, approved: Mask, column: str, value: str, mine: Mask) -> ApplicantGroup:
    """A group against all others: approvals, defaulters refused, payers refused, as differences of shares."""
    group = ApplicantGroup(
        column=column,
        value=value,
        n=int(mine.sum()),
        approved=float(approved[mine].mean()),
        bad_rate=wilson_interval(float(y[mine].sum()), int(mine.sum()), LEVEL),
    )
    counts = [int((y[side] == outcome).sum()) for side in (mine, ~mine) for outcome in (0, 1)]
    if min(counts) < _ENOUGH:
        return group
    defaulters, payers = y == 1, y == 0
    gaps = {
        "approval_gap": _gap(approved[mine], approved[~mine]),
        "defaulters_refused_gap": _gap(~approved[defaulters & mine], ~approved[defaulters & ~mine]),
        "payers_refused_gap": _gap(~approved[payers & mine], ~approved[payers & ~mine]),
        "approval_ratio": float(approved[mine].mean() / max(approved[~mine].mean(), 1e-9)),
    }
    return group.model_copy(update=gaps)


def _gap(mine: Mask, others: Mask) -> Interval:
    error = math.sqrt(sum(float(part.mean()) * (1 - float(part.mean())) / len(part) for part in (mine, others)))
    return normal_interval(float(mine.mean() - others.mean()), error, LEVEL)
