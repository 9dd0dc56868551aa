"""Score list: one line a row with its rank, its scores, what to do with it and why, and the reasons of its score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from perennial.contract.head import Head
from perennial.contract.model import Contract
from perennial.data.names import ROW_ID
from perennial.errors import ContractError
from perennial.evaluation.decisions.actions import REFUSE
from perennial.explain.words import describe_adverse_reasons, describe_reasons
from perennial.scoring.reasons import explain_rows, select_parts
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import find_keys
from perennial.tasks.lookup import supervised_task
from perennial.tasks.task import Ranking

_DRAWS, _SEED, _REASONS = 64, 1, 3  # of the reasons; they decide no score
_SHARE_DIGITS, _MONEY_DIGITS = 3, 2
Cells = Mapping[str, Any]  # columns of the list, (n,) each


def build_score_list(scorer: Scorer, units: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Key, rank, score, expected profit, decile (1 is best), action and its reason, and reasons of each row, in its order.

    Several scores (one a class, message or segment) come behind the reasons, row_id last; it is first where there is no
    key. Of the loans refused, the
    reasons are the four against them. Segments have no rank.

    Raises: ContractError for a key that is called as a column of the list.
    """
    scores, serving = scorer.score(units), scorer.bundle.serving
    explained = explain_rows(scorer.bundle, units, draws=_DRAWS, seed=_SEED)
    parts = select_parts(scorer.bundle, units, explained)
    why = describe_reasons(explained.columns, parts, units, serving.features, _REASONS)
    each_score = {name: scores[:, o] for o, name in enumerate(scorer.outputs)}
    if serving.head.scale == "distance":
        leading: Cells = {"segment": [scorer.outputs[s] for s in scores.argmax(axis=1)]}
    else:
        ranking = supervised_task(serving.head.task).rank(scores, serving)
        leading = _rank_rows(ranking)
        if ranking.plan is not None and REFUSE in ranking.plan.action:
            adverse = describe_adverse_reasons(explained.columns, parts, units, serving.features)
            why = [no if a == REFUSE else yes for no, yes, a in zip(adverse, why, ranking.plan.action, strict=True)]
    cells = {**leading, "reasons": why, **{name: score for name, score in each_score.items() if name not in leading}}
    keys = find_keys(contract) or [ROW_ID]
    if taken := sorted(cells.keys() & set(keys)):
        name, rename = taken[0], f"my_{taken[0]}: {{source: {taken[0]}, …}}"
        raise ContractError(f"id column {name!r} has the name of a column of the list; rename it in the contract: {rename}")
    last = [] if ROW_ID in keys else [units[ROW_ID]]
    return pl.DataFrame([*(units[key] for key in keys), *(pl.Series(name, column) for name, column in cells.items()), *last])


def _rank_rows(ranking: Ranking) -> Cells:
    """Rank (of equal rows the first is better), what the task says first, and the plan, where there is one."""
    n = len(ranking.strength)
    rank = np.empty(n, np.int64)
    rank[np.argsort(-ranking.strength, kind="stable")] = np.arange(1, n + 1)
    leading: dict[str, Any] = {"rank": rank, **ranking.headline}
    if ranking.plan is not None and ranking.plan.expected_profit is not None:
        leading["expected_profit"] = ranking.plan.expected_profit
    leading["decile"] = (rank - 1) * 10 // max(n, 1) + 1
    if ranking.plan is not None:
        leading |= {"action": ranking.plan.action, "action_reason": ranking.plan.reason}
    return leading


def sort_list(table: pl.DataFrame) -> pl.DataFrame:
    """The best first; segments, which nothing ranks, in the order of the input."""
    return table.sort("rank") if "rank" in table.columns else table


def find_digits(head: Head) -> dict[str, int]:
    """The digits behind the point that a reader needs: three of a probability or share, two of an amount or money."""
    digits = _MONEY_DIGITS if head.scale in {"amount", "arm_amounts", "log_amount"} else _SHARE_DIGITS
    of_scores = dict.fromkeys((*head.outputs, "uplift"), digits)
    return {"probability": _SHARE_DIGITS, **of_scores, "points": 0, "expected_profit": _MONEY_DIGITS}
