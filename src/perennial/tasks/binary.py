"""Binary task: whether something happens; contacts, loans or alerts follow from its probability."""

from __future__ import annotations

from typing import Any

from perennial.contract.head import Head
from perennial.contract.model import Contract
from perennial.contract.serving import ServingView, feature_columns, has_text_or_image
from perennial.data.prepare.parts import LabelledRows
from perennial.evaluation.decisions import risk
from perennial.evaluation.decisions.actions import plan_alerts, plan_contacts, plan_loans
from perennial.evaluation.decisions.alerts import evaluate_alerts
from perennial.evaluation.decisions.classes import class_probabilities, describe_confusion
from perennial.evaluation.decisions.profit import choose_threshold, compare_profit, contact_policy, select_contacts
from perennial.evaluation.decisions.response import count_outcomes, evaluate_response
from perennial.evaluation.decisions.risk import evaluate_loans, loan_policy
from perennial.results.binary import AlertFigures, BinaryEvaluation
from perennial.results.families import Family
from perennial.results.figures import Interval
from perennial.tasks.task import F64, EvaluationInput, Ranking, Score, SupervisedTask


class BinaryTask(SupervisedTask):
    kind = "binary"
    metrics = ("auc", "ap", "log_loss", "brier")

    def strength(self, score_NO: F64) -> F64:
        return score_NO[:, 0]

    def describe(self, score_O: F64, head: Head) -> str:
        return f"{100 * score_O[0]:.0f}\u202f%"

    def rank(self, score_NO: F64, view: ServingView) -> Ranking:
        """By probability (contacts, alerts); applicants for a loan by how safe they are."""
        contacts, loan, p = contact_policy(view.money), loan_policy(view.money), score_NO[:, 0]
        if loan is not None:
            points = risk.score_points(p).round()
            return Ranking(strength=-p, headline={"probability": p, "points": points}, plan=plan_loans(p, loan))
        plan = None if contacts is None else plan_contacts(p, contacts)
        if view.money.alerts_per_1000 is not None:
            plan = plan_alerts(p, view.money.alerts_per_1000)
        return Ranking(strength=p, headline={"probability": p}, plan=plan)

    def evaluate(self, given: EvaluationInput) -> BinaryEvaluation:
        """What every binary task reports, and the decisions that its money asks for."""
        contract, (val, test), resampling = given.contract, given.labelled, given.resampling
        contacts, loan = contact_policy(contract.money), loan_policy(contract.money)
        evaluation = evaluate_response(val, test, contract.task.primary, contacts, given.slices, resampling)
        family = evaluation.candidate.family
        more: dict[str, Any] = {}  # the figures of its money, by field
        if loan is not None:
            protected = given.test.rows.groups([name for name in contract.slices if name in contract.find_columns("protected")])
            more["risk"] = evaluate_loans(test.y, test.scores[family], loan, protected, resampling)
            more["at_threshold"] = count_outcomes(test.y, test.scores[family] > loan.cut)
        if has_text_or_image(feature_columns(contract)):
            more["confusion"] = describe_confusion(test.y, class_probabilities(given.test.scores[family]))
        if contract.money.alerts_per_1000 is not None:
            alerts = _evaluate_alerts(given, family, contract.money.alerts_per_1000)
            more |= {"alerts": alerts, "at_threshold": count_outcomes(test.y, test.scores[family] > alerts.threshold)}
        return evaluation.model_copy(update=more)

    def compare_profit(
        self, contract: Contract, val: LabelledRows, test: LabelledRows, new: Score, old: Score, level: float
    ) -> Interval | None:
        """What the new list earns more than the old one on the same test rows; val gives each its depth."""
        policy = contact_policy(contract.money)
        if policy is None:
            return None
        lists = [
            select_contacts(
                score(test.frame)[:, 0],
                choose_threshold(score(val.frame)[:, 0], policy, val.weight),
                policy.budget_share,
                test.weight,
            )
            for score in (new, old)
        ]
        return compare_profit(test.y, lists[0], lists[1], policy, level, test.weight)


def _evaluate_alerts(given: EvaluationInput, family: Family, per_1000: float) -> AlertFigures:
    money, (val, test) = given.contract.money, given.labelled
    amount = None if money.amount is None else given.test.rows.frame[money.amount].fill_null(0).to_numpy()
    return evaluate_alerts(
        (val.scores[family], given.val.rows.weight),
        (test.y, test.scores[family], given.test.rows.weight),
        amount,
        per_1000,
        given.resampling,
    )
