"""Scores of every family under every arm in, all that is reported of an uplift task out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.response import LEVEL, Resampling, band
from perennial.evaluation.statistics import randomization as lottery
from perennial.evaluation.statistics import uplift
from perennial.evaluation.statistics.choice import choose, deep_minus_traditional
from perennial.evaluation.statistics.intervals import F64
from perennial.evaluation.statistics.paired import Judge
from perennial.evaluation.statistics.uplift import Arms

_FEWER = 200  # resamples of curves, and of figures of all rows: their spread is known to a twentieth


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Outcomes and arms of one part (n,), and each family's scores (n, arms), the simplest family first."""

    y: F64
    arm: Arms
    scores: Mapping[str, F64]


def judge(
    val: Campaign, test: Campaign, arms: list[str], offer: policy.Offer, resampling: Resampling, placebos: int
) -> dict[str, Any]:
    """Plain figures for summary.json of the families on test: candidate, Qini, what its policy earns, placebos."""
    judges = [Judge(metric="qini", y=c.y, arm=c.arm, resamples=resampling.n, seed=resampling.seed) for c in (val, test)]
    chosen = choose(val.scores, judges[0])
    scores = test.scores[chosen.family]
    return {
        "primary": "qini",
        "arms": arms,
        "candidate": chosen.as_json(),
        "families": {
            family: {"val": {"qini": chosen.figures[family]}, "test": _figures(test, found, offer, judges[1])}
            for family, found in test.scores.items()
        },
        "deep_minus_traditional": deep_minus_traditional(chosen, test.scores, judges[1], LEVEL),
        "policy": _policy(test, scores, offer, resampling),
        "placebo": _placebo(test, scores, resampling, placebos),
    }


def of_all(
    rows: Campaign, arms: list[str], shares: Sequence[float], offer: policy.Offer, before: Mapping[str, NDArray[Any]],
    resampling: Resampling,
) -> dict[str, Any]:  # fmt: skip
    """The same of all rows, scored out of fold by one family: the lottery's fairness, each message, what choosing earns."""
    ((family, scores),) = rows.scores.items()
    told = {"family": family, "rows": len(rows.y)}
    each = [_message(rows, scores, k, name, resampling) for k, name in enumerate(arms) if k]
    earned = _policy(rows, scores, offer, resampling)
    return {"lottery": _lottery(rows.arm, before, shares), "out_of_fold": {**told, "messages": each, "policy": earned}}


def _figures(test: Campaign, scores: F64, offer: policy.Offer, judge: Judge) -> dict[str, Any]:
    rewards = policy.rewards(test.y, test.arm, scores, offer)
    worth = policy.worth(rewards, policy.choice(scores, offer), policy.to_all(0, len(scores)), LEVEL)
    return {"qini": asdict(judge.estimate(scores, LEVEL)), "policy_value": asdict(worth)}


def _message(rows: Campaign, scores: F64, k: int, name: str, resampling: Resampling) -> dict[str, Any]:
    n, seed = min(resampling.n, _FEWER), resampling.seed
    ranking = scores[:, k] - scores[:, 0]
    raced = uplift.race(rows.y, rows.arm, scores, k, n=n, seed=seed, level=LEVEL)
    return {
        "name": name,
        "effect": asdict(uplift.effect(rows.y, rows.arm, k, LEVEL)),
        **asdict(raced),
        "rank_by": raced.rank_by,
        "curve": band(uplift.qini_curve(rows.y, rows.arm, ranking, k, n=n, seed=seed)),
        "tenths": [asdict(tenth) for tenth in uplift.by_tenth(rows.y, rows.arm, scores, k)],
        "predicted": float(ranking.mean()),
    }


def _policy(test: Campaign, scores: F64, offer: policy.Offer, resampling: Resampling) -> dict[str, Any]:
    rewards = policy.rewards(test.y, test.arm, scores, offer)
    chosen, single = policy.choice(scores, offer), policy.best_single(rewards)
    ranking, send = policy.ranked_choice(scores, offer)
    size = int((chosen > 0).sum())
    against = {
        "nobody": policy.to_all(0, len(scores)),
        "best_single": policy.to_all(single, len(scores)),
        "response": policy.by_response(scores, single, size),
    }
    curves = {"choice": (ranking, send), "response": (scores[:, single], policy.to_all(single, len(scores)))}
    n, seed = min(resampling.n, _FEWER), resampling.seed
    return {
        "shares": [float((chosen == k).mean()) for k in range(scores.shape[1])],
        "best_single": single,
        "depth": size / len(scores),
        "plans": [{**asdict(p), "per_1000": asdict(p.per_1000)} for p in policy.policies(rewards, scores, offer)],
        "against": {name: asdict(policy.worth(rewards, chosen, other, LEVEL)) for name, other in against.items()},
        "curves": {name: band(policy.by_depth(rewards, r, s, n=n, seed=seed)) for name, (r, s) in curves.items()},
        "budget_share": offer.budget_share,
        "value": offer.value,
        "costs": list(offer.costs),
    }


def _lottery(arm: Arms, before: Mapping[str, NDArray[Any]], shares: Sequence[float]) -> dict[str, Any]:
    """Whether the messages were really drawn by lot: each column known before, against the arms."""
    found = lottery.balance(arm, before)
    return {
        "rows": [int(count) for count in np.bincount(arm)],
        "planned": list(shares),
        "ratio_p": lottery.sample_ratio(arm, shares) if shares else None,
        "unfair": lottery.unfair(arm, before, shares),
        "columns": [asdict(column) for column in found],
        "least_p": found[0].p if found else 1.0,
        "expected_least_p": 0.05 / max(len(found), 1),
    }


def _placebo(test: Campaign, scores: F64, resampling: Resampling, times: int) -> dict[str, Any]:
    """The same Qini with the arms shuffled among customers: what the ranking finds where there is nothing to find."""
    rng = np.random.Generator(np.random.PCG64(resampling.seed))
    ones = np.ones(len(test.y))
    found = [float(uplift.qini(test.y, scores, ones, arm=rng.permutation(test.arm))) for _ in range(times)]
    if not found:
        return {"times": 0}
    return {"times": times, "mean": float(np.mean(found)), "greatest": float(np.max(np.abs(found)))}
