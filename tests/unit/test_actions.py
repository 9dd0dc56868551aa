"""Actions of a list: whom to contact, which message, which loan, and why (not)."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from perennial.contract.load import parse
from perennial.contract.model import Money
from perennial.contract.serving import build_serving_view
from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.actions import name_purpose, plan_alerts, plan_contacts, plan_loans, plan_messages
from perennial.evaluation.decisions.policy import MessagePolicy
from perennial.evaluation.decisions.profit import ContactPolicy
from perennial.evaluation.decisions.risk import LoanPolicy
from perennial.tasks.lookup import supervised_task
from tests.conftest import REPO

pytestmark = pytest.mark.unit


def test_a_contact_is_left_for_break_even_or_for_the_budget_and_it_says_which() -> None:
    p = np.array([0.5, 0.1, 0.3, 0.13, 0.12])
    plan = plan_contacts(p, ContactPolicy(value=100, cost=12, budget_share=0.4))
    assert plan.action == ["contact", "leave", "contact", "leave", "leave"]
    assert plan.reason == [
        "profit expected: break-even is 0.12",
        "no profit expected: break-even is 0.12",
        "profit expected: break-even is 0.12",
        "profit expected, but beyond the budget of 2 contacts",
        "no profit expected: break-even is 0.12",
    ]
    np.testing.assert_allclose(plan.expected_profit, [38, -2, 18, 1, 0])


def test_a_message_is_chosen_by_what_it_adds_within_the_budget() -> None:
    scores = np.array([[0.1, 0.3, 0.2], [0.1, 0.1, 0.1], [0.2, 0.2, 0.3], [0.1, 0.15, 0.1]])
    offer = MessagePolicy(value=100, costs=(0, 1, 2), budget_share=0.5)
    plan = plan_messages(scores, offer, ["none", "mens", "womens"])
    assert plan.action == ["mens", "leave", "womens", "leave"]
    assert plan.reason == [
        "the message expected to earn most",
        "no message is expected to earn its cost",
        "the message expected to earn most",
        "profit expected, but beyond the budget of 2 contacts",
    ]
    np.testing.assert_allclose(plan.expected_profit, [19, -1, 8, 4])
    sent = policy.choose_messages(scores, offer)
    assert [action != "leave" for action in plan.action] == (sent > 0).tolist()


def test_a_loan_is_approved_up_to_its_break_even() -> None:
    plan = plan_loans(np.array([0.1, 0.2, 0.3]), LoanPolicy(gain=1, loss=4))
    assert plan.action == ["approve", "approve", "refuse"]
    assert plan.reason == [*["profit expected: break-even is 0.2"] * 2, "loss expected: break-even is 0.2"]
    np.testing.assert_allclose(plan.expected_profit, [0.5, 0, -0.5], atol=1e-12)


def test_alerts_are_as_many_as_a_team_examines() -> None:
    plan = plan_alerts(np.array([0.2, 0.9, 0.1, 0.8]), 500)
    assert plan.action == ["leave", "examine", "leave", "examine"]
    assert plan.reason == [f"{side} the budget of 2 alerts" for side in ("beyond", "within", "beyond", "within")]
    assert plan.expected_profit is None
    assert name_purpose(Money(alerts_per_1000=500)) == "examine"
    assert name_purpose(Money(gain_if_good=1, loss_if_bad=4)) == "approve"
    assert name_purpose(Money(value_of_response=40, cost_of_contact=2)) == "contact"


def test_a_list_of_messages_is_ranked_by_money_and_names_the_best_message_of_everyone() -> None:
    contract = parse(yaml.safe_load((REPO / "src/perennial/gallery/ad_uplift.yaml").read_text()), "ad_uplift")
    view = build_serving_view(contract)
    names = list(view.head.outputs)
    scores = np.array([[0.1, 0.12, 0.15], [0.1, 0.3, 0.1], [0.3, 0.3, 0.3]])
    assert len(names) == 3
    ranking = supervised_task("uplift").rank(scores, view)
    assert ranking.headline["message"] == [names[2], names[1], names[1]]
    np.testing.assert_allclose(np.asarray(ranking.headline["uplift"], float), [0.05, 0.2, 0], atol=1e-12)
    assert ranking.plan is not None
    np.testing.assert_array_equal(ranking.strength, ranking.plan.expected_profit)
    assert ranking.plan.action[2] == "leave"
    assert np.argsort(-ranking.strength).tolist() == [1, 0, 2]
