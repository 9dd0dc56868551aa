"""Profit of a contact list: the threshold, the curve by depth, and plans with their intervals.

Money is value * y - cost a contacted customer, in the contract's currency, summed over the rows given (weights say how
many customers a row stands for). Those not contacted earn nothing, so all rows must be of contacted customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perennial.contract.model import Money
from perennial.errors import InputError
from perennial.evaluation.statistics.intervals import F64, LEVEL, Band, normal_interval, total_interval
from perennial.evaluation.statistics.metrics import check_rows
from perennial.evaluation.statistics.ranking import total_by_depth
from perennial.results.evaluation import Plan
from perennial.results.figures import Interval

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ContactPolicy:
    """What a response is worth, what a contact costs, and the share of customers that may be contacted."""

    value: float
    cost: float
    budget_share: float = 1.0

    def __post_init__(self) -> None:
        """Raises: InputError when no list could earn, or the budget is no share."""
        if not (self.value > 0 and self.cost >= 0 and 0 < self.budget_share <= 1):
            raise InputError(
                f"value {self.value:g}, cost {self.cost:g}, budget share {self.budget_share:g}: "
                "a value above 0, a cost from 0 up and a share from above 0 to 1 are needed"
            )


@dataclass(frozen=True, kw_only=True)
class ContactThreshold:
    """Contact whoever scores above `threshold`; that was `depth` of the customers it was chosen on."""

    threshold: float
    depth: float


def contact_policy(money: Money) -> ContactPolicy | None:
    """What a contact costs and a response earns; None where the contract does not say it."""
    value, cost = money.value_of_response, money.cost_of_contact
    if value is None or cost is None:
        return None
    return ContactPolicy(value=value, cost=cost, budget_share=money.budget_share or 1.0)


def choose_threshold(p: ArrayLike, money: ContactPolicy, weight: ArrayLike | None = None) -> ContactThreshold:
    """Whom to contact by expectation, value * p > cost, at most the budget: chosen on val, outcomes unseen.

    Where the budget binds, the threshold is the best score left out: equal scores are all in or all out.
    """
    p_n, _, w_n = check_rows(p, p, weight)
    levels, at = np.unique(-p_n, return_inverse=True)
    depth = np.cumsum(np.bincount(at, weights=w_n)) / w_n.sum()
    over = np.flatnonzero(depth > money.budget_share + 1e-12)  # no share falls over its own rounding
    cap = float(-levels[over[0]]) if len(over) else -np.inf
    cut = max(money.cost / money.value, cap)
    return ContactThreshold(threshold=cut, depth=float(w_n[p_n > cut].sum() / w_n.sum()))


def select_contacts(p: ArrayLike, chosen: ContactThreshold, budget_share: float, weight: ArrayLike | None = None) -> Mask:
    """The rows (n,) to contact: above the threshold, at most the budget (of equal scores the first)."""
    p_n, _, w_n = check_rows(p, p, weight)
    return (p_n > chosen.threshold) & select_best(p_n, budget_share, w_n)


def select_best(p: F64, share: float, weight: F64) -> Mask:
    """The best rows that are at most `share` of all, (n,)."""
    order = np.argsort(-p, kind="stable")
    inside = np.empty(len(p), dtype=np.bool_)
    inside[order] = np.cumsum(weight[order]) <= share * weight.sum() * (1 + 1e-12)
    return inside


def profit_curve(y: ArrayLike, p: ArrayLike, money: ContactPolicy, weight: ArrayLike | None = None, *, n: int, seed: int) -> Band:
    """Profit of contacting the best x of rows, x from 0 to 1, with a 95 % band from `n` resamples of customers."""
    y_n, p_n, w_n = check_rows(y, p, weight)
    return total_by_depth(money.value * y_n - money.cost, p_n, w_n, n=n, seed=seed)


def compare_plans(
    y: ArrayLike, p: ArrayLike, chosen: ContactThreshold, money: ContactPolicy, weight: ArrayLike | None = None
) -> list[Plan]:
    """Five ways to spend the same campaign: chosen, whole budget, random (as many as chosen), everyone, nobody."""
    y_n, p_n, w_n = check_rows(y, p, weight)
    customers, gain = float(w_n.sum()), w_n * (money.value * y_n - money.cost)

    def plan(name: str, who: Mask) -> Plan:
        profit = total_interval(gain * who, LEVEL)
        return Plan(name=name, contacted=float(w_n[who].sum()), customers=customers, profit=profit)

    by_threshold = plan("chosen", select_contacts(p_n, chosen, money.budget_share, w_n))
    size, everyone = by_threshold.contacted, np.ones(len(y_n), dtype=np.bool_)
    by_lot = random_list_profit(gain, size / customers, LEVEL)
    return [
        by_threshold,
        plan("whole budget", select_best(p_n, money.budget_share, w_n)),
        Plan(name="random", contacted=size, customers=customers, profit=by_lot),
        plan("everyone", everyone),
        plan("nobody", ~everyone),
    ]


def compare_profit(
    y: ArrayLike, new: Mask, old: Mask, money: ContactPolicy, level: float, weight: ArrayLike | None = None
) -> Interval:
    """What the new list earns more than the old one, paired: only customers on one of the two lists count."""
    y_n, new_n, w_n = check_rows(y, new, weight)
    return total_interval(w_n * (money.value * y_n - money.cost) * (new_n - old), level)


def random_list_profit(gain: F64, share: float, level: float) -> Interval:
    """A list drawn at random: its expectation, and the spread of both the draw and the customers."""
    variance = len(gain) * (share * float((gain**2).mean()) - (share * float(gain.mean())) ** 2)
    return normal_interval(share * float(gain.sum()), max(variance, 0.0) ** 0.5, level)
