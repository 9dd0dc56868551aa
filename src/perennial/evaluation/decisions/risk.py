"""Chances of default on val and test in, what a lender decides by out: bands, whom to approve, what it earns, for whom.

A loan earns `gain` when it is paid back and loses `loss` when it is not. By expectation a chance of default below
gain / (gain + loss) is approved. Points are 600 at odds of 50 to 1 and 20 more for twice the odds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.statistics.intervals import F64, Interval, around, bootstrap, total, wilson
from perennial.evaluation.statistics.ranking import DEPTHS, at_depths, banded, cumulated

LEVEL = 0.95
_BANDS = 10
_ENOUGH = 30  # goods and bads of a group under which its gaps are not told
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Loan:
    """What a loan that is paid back earns, and what one that is not loses."""

    gain: float
    loss: float

    @property
    def cut(self) -> float:
        """The chance of default up to which a loan is expected to earn."""
        return self.gain / (self.gain + self.loss)


def points(p: F64) -> F64:
    """Score points (n,), the more the safer."""
    odds = np.log1p(-p.clip(1e-6, 1 - 1e-6)) - np.log(p.clip(1e-6, 1 - 1e-6))
    return np.asarray(600 + 20 / math.log(2) * (odds - math.log(50)))


def judge(y: F64, p: F64, loan: Loan, groups: Mapping[str, NDArray[Any]], *, n: int, seed: int) -> dict[str, Any]:
    """Plain figures of the test rows: outcomes `y` (n,), 1 a default, and calibrated chances `p` (n,)."""
    approved = p <= loan.cut
    return {
        "cut": loan.cut,
        "cut_points": float(points(np.array([loan.cut]))[0]),
        "gain": loan.gain,
        "loss": loan.loss,
        "approved": float(approved.mean()),
        "bad_rate": asdict(wilson(float(y[approved].sum()), int(approved.sum()), LEVEL)),
        "bad_rate_of_all": asdict(wilson(float(y.sum()), len(y), LEVEL)),
        "ks": asdict(bootstrap(lambda times: ks(y, p, times), len(y), y, n=n, seed=seed, level=LEVEL)),
        "plans": [
            {"name": name, "approved": float(who.mean()), "per_1000": asdict(_earned(y, who, loan))}
            for name, who in (("cut", approved), ("all", np.ones(len(y), dtype=np.bool_)))
        ],
        "bands": _bands(y, p),
        "curve": _curve(y, p, n=min(n, 200), seed=seed),
        "groups": [found for column, values in groups.items() for found in _groups(y, approved, column, values)],
    }


def ks(y: F64, p: F64, weight: F64) -> F64:
    """Kolmogorov-Smirnov: the widest gap between the shares of defaults and of others found, worst first."""
    bad, good = cumulated(p, weight * y, weight * (1 - y))
    return np.asarray(np.abs(bad / bad[..., -1:] - good / good[..., -1:]).max(axis=-1))


def _earned(y: F64, who: Mask, loan: Loan) -> Interval:
    """Money per 1,000 applicants."""
    return total(np.where(who, np.where(y == 1, -loan.loss, loan.gain), 0.0), LEVEL) * (1000 / len(y))


def _bands(y: F64, p: F64) -> list[dict[str, Any]]:
    """Tenths of applicants by points, the safest first: from how many points, how many, how many of them default."""
    score = points(p)
    bands = np.array_split(np.argsort(p, kind="stable"), _BANDS)
    return [
        {"from": float(score[b].min()), "n": len(b), "predicted": float(p[b].mean()),
         "bad_rate": asdict(wilson(float(y[b].sum()), len(b), LEVEL))}
        for b in bands
    ]  # fmt: skip


def _curve(y: F64, p: F64, *, n: int, seed: int) -> dict[str, list[float]]:
    """The bad rate among the safest x of applicants, x from 0 to 1."""

    def rate(times: F64) -> F64:
        seen, bad = cumulated(-p, times, times * y)
        depths = np.maximum(DEPTHS, 0.02)
        return at_depths(depths, seen, bad) / (depths * seen[..., -1:])

    found = banded(rate, len(y), None, n=n, seed=seed)
    return {"x": found.x.tolist()} | {
        name: getattr(found, name).clip(0, 1).tolist() for name in ("value", "low", "high")
    }  # fmt: skip


def _groups(y: F64, approved: Mask, column: str, values: NDArray[Any]) -> list[dict[str, Any]]:
    """Each group against all others: approvals, defaulters refused, payers refused, as differences of shares."""
    found = []
    for value in sorted(set(values.tolist()), key=str):
        mine = values == value
        row: dict[str, Any] = {
            "column": column, "value": str(value), "n": int(mine.sum()), "approved": float(approved[mine].mean()),
            "bad_rate": asdict(wilson(float(y[mine].sum()), int(mine.sum()), LEVEL)),
        }  # fmt: skip
        counts = [int((y[side] == outcome).sum()) for side in (mine, ~mine) for outcome in (0, 1)]
        if min(counts) >= _ENOUGH:
            everyone = np.ones(len(y), dtype=np.bool_)
            asked = {"approval_gap": (everyone, approved), "defaulters_refused_gap": (y == 1, ~approved),
                     "payers_refused_gap": (y == 0, ~approved)}  # fmt: skip
            row |= {
                name: asdict(_gap(what[among & mine], what[among & ~mine])) for name, (among, what) in asked.items()
            }
            row["approval_ratio"] = float(approved[mine].mean() / max(approved[~mine].mean(), 1e-9))
        found.append(row)
    return found


def _gap(mine: Mask, others: Mask) -> Interval:
    error = math.sqrt(sum(float(part.mean()) * (1 - float(part.mean())) / len(part) for part in (mine, others)))
    return around(float(mine.mean() - others.mean()), error, LEVEL)
