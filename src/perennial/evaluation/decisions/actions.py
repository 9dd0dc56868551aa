"""Actions of a list: what to do with each row, why, and the money that is expected of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennial.contract.model import Money
from perennial.evaluation.decisions.policy import MessagePolicy, choose_messages, rank_messages
from perennial.evaluation.decisions.profit import ContactPolicy, select_best
from perennial.evaluation.decisions.risk import LoanPolicy, loan_policy
from perennial.evaluation.statistics.intervals import F64
from perennial.results.receipt import PASSED_OVER

LEAVE, REFUSE = PASSED_OVER
EXAMINE = "examine"


@dataclass(frozen=True, kw_only=True)
class ActionPlan:
    """What to do with each row and why, (n,) each; and the money expected of a contact or loan, whether made or not.

    Alerts name no money of a row.
    """

    action: list[str]
    reason: list[str]
    expected_profit: F64 | None = None


def plan_contacts(p: F64, offer: ContactPolicy) -> ActionPlan:
    """Contact whoever is expected to pay (probabilities `p` (n,)), the best of them within the budget."""
    pays = offer.value * p > offer.cost
    inside = select_best(p, offer.budget_share, np.ones(len(p)))
    break_even = f"break-even is {offer.cost / offer.value:.3g}"
    beyond = _describe_excess(offer.budget_share, len(p))
    return ActionPlan(
        action=["contact" if chosen else LEAVE for chosen in pays & inside],
        reason=[
            f"no profit expected: {break_even}" if not paid else f"profit expected: {break_even}" if within else beyond
            for paid, within in zip(pays, inside, strict=True)
        ],
        expected_profit=offer.value * p - offer.cost,
    )


def plan_messages(score_NO: F64, offer: MessagePolicy, names: list[str]) -> ActionPlan:
    """Send each customer the message expected to earn most, if any does, within the budget; `names` are those of the arms."""
    gain, _ = rank_messages(score_NO, offer)
    arms = choose_messages(score_NO, offer)
    beyond = _describe_excess(offer.budget_share, len(gain))
    return ActionPlan(
        action=[names[arm] if arm else LEAVE for arm in arms],
        reason=[
            "no message is expected to earn its cost" if pays <= 0 else "the message expected to earn most" if arm else beyond
            for pays, arm in zip(gain, arms, strict=True)
        ],
        expected_profit=gain,
    )


def plan_loans(p: F64, loan: LoanPolicy) -> ActionPlan:
    """Approve loans up to the break-even probability of default (probabilities `p` (n,))."""
    is_safe = p <= loan.cut
    break_even = f"break-even is {loan.cut:.3g}"
    return ActionPlan(
        action=["approve" if safe else REFUSE for safe in is_safe],
        reason=[f"{'profit' if safe else 'loss'} expected: {break_even}" for safe in is_safe],
        expected_profit=loan.gain * (1 - p) - loan.loss * p,
    )


def plan_alerts(p: F64, per_1000: float) -> ActionPlan:
    """Examine the likeliest (probabilities `p` (n,)), as many as a team can."""
    inside = select_best(p, per_1000 / 1000, np.ones(len(p)))
    budget = f"the budget of {budget_size(per_1000 / 1000, len(p)):,} alerts"
    return ActionPlan(
        action=[EXAMINE if chosen else LEAVE for chosen in inside],
        reason=[f"within {budget}" if chosen else f"beyond {budget}" for chosen in inside],
    )


def name_purpose(money: Money) -> str:
    """What is done with the chosen rows of a list: contact, approve or examine."""
    return "approve" if loan_policy(money) is not None else "contact" if money.alerts_per_1000 is None else EXAMINE


def budget_size(share: float, n: int) -> int:
    """How many of `n` customers the budget reaches."""
    return int(share * n * (1 + 1e-12))


def _describe_excess(share: float, n: int) -> str:
    return f"profit expected, but beyond the budget of {budget_size(share, n):,} contacts"
