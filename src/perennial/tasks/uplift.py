"""Uplift task: what a message changes, and for whom sending one pays."""

from __future__ import annotations

import logging

import numpy as np

from perennial.contract.head import Head
from perennial.contract.model import Contract
from perennial.contract.serving import ServingView, feature_columns
from perennial.data.prepare.parts import LabelledRows
from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.actions import plan_messages
from perennial.evaluation.decisions.messages import CampaignRows, check_randomization, evaluate_full_campaign, evaluate_uplift
from perennial.evaluation.decisions.policy import message_policy
from perennial.evaluation.statistics import randomization
from perennial.results.families import FAMILIES, Family
from perennial.results.figures import Interval
from perennial.results.uplift import OutOfFold, RandomizationCheck, UpliftEvaluation
from perennial.tasks.task import F64, EvaluationInput, Ranking, Score, ScoredRows, SupervisedTask

log = logging.getLogger("perennial")


class UpliftTask(SupervisedTask):
    kind = "uplift"
    metrics = ("qini",)

    def strength(self, score_NO: F64) -> F64:
        return np.asarray(score_NO[:, 1:].max(axis=1) - score_NO[:, 0])

    def describe(self, score_O: F64, head: Head) -> str:
        gain = score_O[1:].max() - score_O[0]
        return f"{gain:+,.2f}" if head.amounts else f"{100 * gain:.0f} points"

    def rank(self, score_NO: F64, view: ServingView) -> Ranking:
        """By the money that the best message is expected to add."""
        messages, names = message_policy(view), list(view.head.outputs)
        gain, best = policy.rank_messages(score_NO, messages)
        effect = np.take_along_axis(score_NO, best[:, None], axis=1)[:, 0] - score_NO[:, 0]
        return Ranking(
            strength=gain,
            headline={"message": [names[arm] for arm in best], "uplift": effect},
            plan=plan_messages(score_NO, messages, names),
        )

    def evaluate(self, given: EvaluationInput) -> UpliftEvaluation:
        contract, resampling, messages = given.contract, given.resampling, message_policy(given.contract)

        def evaluate_all(family: Family) -> tuple[RandomizationCheck, OutOfFold]:
            """The whole campaign; a family that is slow to refit gives way to the simplest one."""
            campaign = given.refit(family if FAMILIES[family].has_quick_fit else "linear")
            check = check_randomization(campaign.rows.arm, _features(contract, campaign.rows), contract.shares)
            return check, evaluate_full_campaign(_campaign(campaign), contract.arms, messages, resampling)

        evaluation = evaluate_uplift(
            _campaign(given.val), _campaign(given.test), contract.arms, messages, resampling, given.params.placebos, evaluate_all
        )
        for message in evaluation.out_of_fold.messages:
            log.info("%s: rank by %s", message.name, message.rank_by)
        return evaluation

    def compare_profit(
        self, contract: Contract, val: LabelledRows, test: LabelledRows, new: Score, old: Score, level: float
    ) -> Interval:
        """What the new policy earns more than the old one, by rewards that stand on the mean of both models."""
        messages, scores = message_policy(contract), [score(test.frame) for score in (new, old)]
        rewards = policy.estimate_rewards(test.y, test.arm, (scores[0] + scores[1]) / 2, messages)
        choices = [policy.choose_messages(score, messages) for score in scores]
        return policy.estimate_worth(rewards, choices[0], choices[1], level) * (len(test) / 1000)

    def find_problem(self, contract: Contract, rows: LabelledRows) -> str | None:
        """Of all rows, since messages were assigned before the split: whether they were assigned at random."""
        return randomization.find_problem(rows.arm, _features(contract, rows), contract.shares)


def _features(contract: Contract, rows: LabelledRows) -> dict[str, F64]:
    return {feature.name: rows.frame[feature.name].to_numpy() for feature in feature_columns(contract)}


def _campaign(part: ScoredRows) -> CampaignRows:
    return CampaignRows(y=part.rows.y, arm=part.rows.arm, scores=part.scores)
