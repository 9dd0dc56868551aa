"""Policies for a randomised campaign: who should get which message, and what that earns.

A policy is an arm for each customer (n,), 0 for nobody. Its worth is estimated doubly robustly (Dudík, Langford and Li
2011): `rewards` gives every customer the money of every arm, predicted, and corrected where the arm was drawn. The mean
of the rewards of a policy's arms is unbiased however wrong the scores are, because the randomization is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perennial.contract.model import Contract
from perennial.contract.serving import ServingView, build_serving_view
from perennial.errors import ContractError, InputError
from perennial.evaluation.decisions.profit import random_list_profit, select_best
from perennial.evaluation.statistics.intervals import F64, LEVEL, Band, total_interval
from perennial.evaluation.statistics.ranking import total_by_depth
from perennial.evaluation.statistics.uplift import Arms, check_campaign
from perennial.results.evaluation import Plan
from perennial.results.figures import Interval


@dataclass(frozen=True, kw_only=True)
class MessagePolicy:
    """What a response (or a unit of an amount) is worth, what each message costs (control first), the share to contact."""

    value: float
    costs: tuple[float, ...]
    budget_share: float = 1.0

    def __post_init__(self) -> None:
        """Raises: InputError when the money makes no sense."""
        if not (self.value > 0 and min(self.costs) >= 0 and self.costs[0] == 0 and 0 < self.budget_share <= 1):
            raise InputError(
                f"value {self.value:g}, costs {self.costs}, budget share {self.budget_share:g}: a value above 0, costs "
                "from 0 up with that of no message, 0, first, and a share from above 0 to 1 are needed"
            )


def message_policy(view: ServingView | Contract) -> MessagePolicy:
    """What each message costs and a response earns.

    Raises: ContractError when the contract does not say what a response is worth.
    """
    serving = build_serving_view(view) if isinstance(view, Contract) else view
    value = serving.money.value_of_response
    if value is None:
        raise ContractError("an uplift task needs money.value_of_response")
    return MessagePolicy(value=value, costs=serving.costs, budget_share=serving.money.budget_share or 1.0)


def expected_gain(scores: F64, offer: MessagePolicy) -> F64:
    """Money that the model expects of each arm above that of no message, (n, arms)."""
    gain: F64 = offer.value * (scores - scores[:, :1]) - np.array(offer.costs)
    return gain


def choose_messages(scores: F64, offer: MessagePolicy) -> Arms:
    """The message expected to earn most for each customer, if any, for the best of them within the budget, (n,)."""
    ranking, send = rank_messages(scores, offer)
    inside = select_best(ranking, offer.budget_share, np.ones(len(scores)))
    return np.where(inside & (ranking > 0), send, 0)


def rank_messages(scores: F64, offer: MessagePolicy) -> tuple[F64, Arms]:
    """The best message for each customer, were one sent, and the gain expected of it, (n,) each."""
    gain = expected_gain(scores, offer)[:, 1:]
    return gain.max(axis=1), gain.argmax(axis=1).astype(np.int64) + 1


def choose_by_response(scores: F64, k: int, n: int) -> Arms:
    """Message `k` to the `n` customers likeliest to respond to it: what a response model would do."""
    return np.where(select_best(scores[:, k], n / len(scores), np.ones(len(scores))), k, 0)


def send_to_all(k: int, n: int) -> Arms:
    return np.full(n, k, dtype=np.int64)


def estimate_rewards(
    y: ArrayLike, arm: ArrayLike, scores: ArrayLike, offer: MessagePolicy, shares: Sequence[float] | None = None
) -> F64:
    """The doubly robust money of each customer under each arm, (n, arms).

    `shares` are the probabilities of the randomization (the observed shares, if those are unknown); scores of 0 give inverse
    propensity weighting.

    Raises: InputError as `uplift.campaign`, or when there is not one cost and one share an arm.
    """
    y_n, arm_n, table = check_campaign(y, arm, scores)
    drawn = np.bincount(arm_n, minlength=table.shape[1]) / len(arm_n) if shares is None else np.array(shares)
    if not len(offer.costs) == len(drawn) == table.shape[1]:
        raise InputError(f"{len(offer.costs)} costs and {len(drawn)} shares for {table.shape[1]} arms: give one an arm")
    was_drawn = arm_n[:, None] == np.arange(table.shape[1])
    corrected: F64 = table + was_drawn / drawn * (y_n[:, None] - table)
    return np.asarray(offer.value * corrected - np.array(offer.costs))


def estimate_worth(rewards_nk: F64, policy: Arms, against: Arms, level: float) -> Interval:
    """Money per 1,000 customers that `policy` earns more than `against`, paired."""
    return total_interval(_of(rewards_nk, policy) - _of(rewards_nk, against), level) * (1000 / len(policy))


def find_best_single(rewards_nk: F64) -> int:
    """The message that earns most if everyone gets it; picked with hindsight, so it is a hard rival."""
    return int(rewards_nk[:, 1:].mean(axis=0).argmax()) + 1


def compare_policies(rewards_nk: F64, scores: F64, offer: MessagePolicy) -> list[Plan]:
    """What each way to run the campaign earns above contacting nobody.

    choice: each customer's best message · response: the best single message to as many, the likeliest to respond to it
    first · random: as many at random · all 1 … all K: one message to everyone · nobody.
    """
    n, k = len(scores), find_best_single(rewards_nk)
    chosen = choose_messages(scores, offer)
    size = int((chosen > 0).sum())
    gain = rewards_nk - rewards_nk[:, :1]

    def plan(name: str, who: Arms) -> Plan:
        profit = total_interval(_of(gain, who), LEVEL)
        return Plan(name=name, contacted=float((who > 0).sum()), customers=n, profit=profit)

    random = Plan(name="random", contacted=size, customers=n, profit=random_list_profit(gain[:, k], size / n, LEVEL))
    singles = [plan(f"all {a}", send_to_all(a, n)) for a in range(1, scores.shape[1])]
    targeted = [plan("choice", chosen), plan("response", choose_by_response(scores, k, size))]
    return [*targeted, random, *singles, plan("nobody", send_to_all(0, n))]


def worth_by_depth(rewards_nk: F64, ranking: F64, send: Arms, *, n: int, seed: int) -> Band:
    """Money above contacting nobody when the best x by `ranking` get their message of `send`, with a 95 % band."""
    gain = _of(rewards_nk, send) - rewards_nk[:, 0]
    return total_by_depth(gain, ranking, np.ones(len(gain)), n=n, seed=seed)


def _of(rewards_nk: F64, policy: Arms) -> F64:
    return np.asarray(np.take_along_axis(rewards_nk, policy[:, None], axis=1)[:, 0])
