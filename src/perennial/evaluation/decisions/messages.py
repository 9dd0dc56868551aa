"""Evaluation of an uplift task: what each message changes, and what choosing one for each customer earns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions import policy
from perennial.evaluation.statistics import randomization, uplift
from perennial.evaluation.statistics.choice import Labelled, Resampling, compare_families
from perennial.evaluation.statistics.intervals import F64, LEVEL
from perennial.evaluation.statistics.uplift import Arms
from perennial.results.evaluation import FamilyFigures
from perennial.results.families import TRADITIONAL, Family
from perennial.results.uplift import MessageFigures, OutOfFold, Placebo, PolicyFigures, RandomizationCheck, UpliftEvaluation


@dataclass(frozen=True, kw_only=True)
class CampaignRows(Labelled):
    """Rows of a randomised campaign, with scores (n, arms)."""

    arm: Arms


FullCampaign = Callable[[Family], tuple[RandomizationCheck, OutOfFold]]


def evaluate_uplift(
    val: CampaignRows,
    test: CampaignRows,
    arms: Sequence[str],
    offer: policy.MessagePolicy,
    resampling: Resampling,
    placebos: int,
    full: FullCampaign,
) -> UpliftEvaluation:
    """Families on test, candidate, what its policy earns, placebos; and the full campaign, out of fold by a traditional family.

    `full` takes the traditional family that may stand for the candidate.
    """
    common = compare_families(val, test, "qini", ["qini"], resampling)
    candidate, traditional = common.candidate.family, common.deep_minus_traditional
    assert traditional is not None
    scores = test.scores[candidate]
    randomization, out_of_fold = full(candidate if candidate in TRADITIONAL else traditional.traditional)
    families = {family: _add_worth(figures, family, test, offer) for family, figures in common.families.items()}
    return UpliftEvaluation(
        **dict(common) | {"families": families},
        arms=tuple(arms),
        policy=_policy(test, scores, offer, resampling),
        placebo=_placebo(test, scores, resampling, placebos),
        randomization=randomization,
        out_of_fold=out_of_fold,
    )


def evaluate_full_campaign(
    rows: CampaignRows, arms: Sequence[str], offer: policy.MessagePolicy, resampling: Resampling
) -> OutOfFold:
    """All rows, scored out of fold by one family: each message, and what choosing earns."""
    ((family, scores),) = rows.scores.items()
    messages = tuple(_message(rows, scores, k, name, resampling) for k, name in enumerate(arms) if k)
    figures = _policy(rows, scores, offer, resampling)
    return OutOfFold(family=family, rows=len(rows.y), messages=messages, policy=figures)


def check_randomization(arm: Arms, before: Mapping[str, NDArray[Any]], shares: Sequence[float]) -> RandomizationCheck:
    """Whether the messages were really assigned at random: each column known before, against the arms."""
    columns = randomization.compare_balance(arm, before)
    return RandomizationCheck(
        rows=tuple(int(count) for count in np.bincount(arm)),
        planned=tuple(shares),
        ratio_p=randomization.sample_ratio_p(arm, shares) if shares else None,
        problem=randomization.find_problem(arm, before, shares),
        columns=tuple(columns),
        least_p=columns[0].p if columns else 1.0,
        expected_least_p=0.05 / max(len(columns), 1),
    )


def _add_worth(figures: FamilyFigures, family: Family, test: CampaignRows, offer: policy.MessagePolicy) -> FamilyFigures:
    """Add what the policy of a family earns more than contacting nobody."""
    scores = test.scores[family]
    rewards, nobody = policy.estimate_rewards(test.y, test.arm, scores, offer), policy.send_to_all(0, len(scores))
    worth = policy.estimate_worth(rewards, policy.choose_messages(scores, offer), nobody, LEVEL)
    return figures.model_copy(update={"test": {**figures.test, "policy_value": worth}})


def _message(rows: CampaignRows, scores: F64, k: int, name: str, resampling: Resampling) -> MessageFigures:
    few, ranking = resampling.of_curves, scores[:, k] - scores[:, 0]
    race = uplift.compare_rankings(rows.y, rows.arm, scores, k, **few, level=LEVEL)
    return MessageFigures(
        name=name,
        effect=uplift.estimate_effect(rows.y, rows.arm, k, LEVEL),
        **vars(race),
        rank_by=race.rank_by,
        curve=uplift.qini_curve(rows.y, rows.arm, ranking, k, **few).as_curve(),
        deciles=tuple(uplift.effect_by_decile(rows.y, rows.arm, scores, k)),
        predicted=float(ranking.mean()),
    )


def _policy(test: CampaignRows, scores: F64, offer: policy.MessagePolicy, resampling: Resampling) -> PolicyFigures:
    rewards = policy.estimate_rewards(test.y, test.arm, scores, offer)
    chosen, single = policy.choose_messages(scores, offer), policy.find_best_single(rewards)
    ranking, send = policy.rank_messages(scores, offer)
    size = int((chosen > 0).sum())
    alternatives = {
        "nobody": policy.send_to_all(0, len(scores)),
        "best_single": policy.send_to_all(single, len(scores)),
        "response": policy.choose_by_response(scores, single, size),
    }
    curves = {"choice": (ranking, send), "response": (scores[:, single], policy.send_to_all(single, len(scores)))}
    return PolicyFigures(
        shares=tuple(float((chosen == k).mean()) for k in range(scores.shape[1])),
        best_single=single,
        depth=size / len(scores),
        plans=tuple(policy.compare_policies(rewards, scores, offer)),
        against={name: policy.estimate_worth(rewards, chosen, alternative, LEVEL) for name, alternative in alternatives.items()},
        curves={
            name: policy.worth_by_depth(rewards, ranking, send, **resampling.of_curves).as_curve()
            for name, (ranking, send) in curves.items()
        },
        budget_share=offer.budget_share,
        value=offer.value,
        costs=offer.costs,
    )


def _placebo(test: CampaignRows, scores: F64, resampling: Resampling, times: int) -> Placebo:
    """The same Qini with the arms shuffled among customers: what the ranking finds where there is nothing to find."""
    rng = np.random.Generator(np.random.PCG64(resampling.seed))
    arms, ones = (rng.permutation(test.arm) for _ in range(times)), np.ones(len(test.y))
    qini = [float(uplift.qini(test.y, scores, ones, arm=arm)) for arm in arms]
    if not qini:
        return Placebo(times=0)
    return Placebo(times=times, mean=float(np.mean(qini)), greatest=float(np.max(np.abs(qini))))
