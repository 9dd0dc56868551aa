"""Money of a contract: what a contact, a loan or a message costs and earns."""

from __future__ import annotations

from perennial.contract.model import Contract, Money
from perennial.contract.serving import ServingView, build_serving_view
from perennial.errors import ContractError
from perennial.evaluation.decisions.policy import MessagePolicy
from perennial.evaluation.decisions.profit import ContactPolicy
from perennial.evaluation.decisions.risk import LoanPolicy


def contact_policy(money: Money) -> ContactPolicy | None:
    """What a contact costs and a response earns; None where the contract does not say it."""
    if money.value_of_response is None or money.cost_of_contact is None:
        return None
    return ContactPolicy(
        value=money.value_of_response, cost=money.cost_of_contact, budget_share=money.budget_share or 1.0
    )


def loan_policy(money: Money) -> LoanPolicy | None:
    """What a loan earns and loses; None where the contract does not lend."""
    if money.gain_if_good is None or money.loss_if_bad is None:
        return None
    return LoanPolicy(gain=money.gain_if_good, loss=money.loss_if_bad)


def message_policy(view: ServingView | Contract) -> MessagePolicy:
    """What each message costs and a response earns.

    Raises: ContractError when the contract does not say what a response is worth.
    """
    serving = build_serving_view(view) if isinstance(view, Contract) else view
    value = serving.money.value_of_response
    if value is None:
        raise ContractError("an uplift task needs money.value_of_response")
    return MessagePolicy(value=value, costs=serving.costs, budget_share=serving.money.budget_share or 1.0)
