"""Selection: leave out whoever may not be contacted, let the model choose, and assign customers to groups at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from perennial.campaigns.customer_file import check_leading_zeros, check_one_row_each, find_key_column, read_customers
from perennial.campaigns.plan import CONTACT, CampaignPlan
from perennial.data.hashing import hash_contacts
from perennial.errors import InputError
from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.actions import LEAVE
from perennial.evaluation.decisions.policy import message_policy
from perennial.evaluation.decisions.profit import contact_policy
from perennial.evaluation.statistics import holdout
from perennial.evaluation.statistics.intervals import F64
from perennial.results.campaign import AudienceCounts
from perennial.scoring.scorer import Scorer
from perennial.serving.preparation import PreparedRows
from perennial.serving.score_list import build_score_list


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Every customer who could be contacted, with group, message, score and gain; and how many at each step."""

    customers: pl.DataFrame
    counts: AudienceCounts


def select_customers(
    scorer: Scorer, prepared: PreparedRows, plan: CampaignPlan, contacts: Sequence[str], suppress: Path | None
) -> Selection:
    """Customers need a usable address or number in one of `contacts`, unless the contract has no such column.

    Raises: InputError for an id with several rows, a suppression file that matches nobody, or when nobody is left.
    """
    keys = prepared.units[plan.key].cast(pl.String)
    check_one_row_each(keys, plan.key)
    suppressed = _read_suppressed(suppress, plan, keys)
    is_suppressed = keys.is_in(suppressed.to_list()).to_numpy()
    reached = [hash_contacts(prepared.units[column].cast(pl.String)).reaches.to_numpy() for column in contacts]
    is_reached = np.any(reached, axis=0) if reached else np.ones(len(keys), dtype=np.bool_)
    is_eligible = ~is_suppressed & is_reached
    if not is_eligible.any():
        raise InputError(f"nobody is left to contact: {is_suppressed.sum()} of {len(keys)} are suppressed")
    customers, groups = _draw_groups(scorer, prepared.units.filter(is_eligible), plan)
    counts = AudienceCounts(
        rows=prepared.n_rows,
        rejected=prepared.rejected.height,
        suppressed=int(is_suppressed.sum()),
        suppression_ids=suppressed.len(),
        suppression_unmatched=suppressed.len() - int(is_suppressed.sum()),
        unreachable=int((~is_suppressed & ~is_reached).sum()),
        eligible=int(is_eligible.sum()),
        chosen=groups["treated"] + groups["control"],
        **groups,
    )
    return Selection(customers=customers, counts=counts)


def find_contact_columns(prepared: PreparedRows, plan: CampaignPlan) -> list[str]:
    """The columns of role contact by which somebody can be reached: addresses and phone numbers, not names."""
    contacts = plan.contract.find_columns("contact")
    return [c for c in contacts if hash_contacts(prepared.units[c].cast(pl.String)).reaches.any()]


def _read_suppressed(path: Path | None, plan: CampaignPlan, keys: pl.Series) -> pl.Series:
    if path is None:
        return pl.Series([], dtype=pl.String)
    column = find_key_column(path, plan.key, plan.contract.columns.get(plan.key))
    suppressed = read_customers(path, {plan.key: column}, plan.key)[plan.key].drop_nulls().unique()
    check_leading_zeros(path, suppressed, keys)
    if suppressed.len() and not suppressed.is_in(keys.to_list()).any():
        raise InputError(f"{path}: none of its {suppressed.len():,} ids is a {plan.key} of this input: is it the right file?")
    return suppressed


def _draw_groups(scorer: Scorer, units: pl.DataFrame, plan: CampaignPlan) -> tuple[pl.DataFrame, dict[str, int]]:
    """The customers with what was decided of each, and the size of each group."""
    scores = build_score_list(scorer, units, plan.contract)
    keys = units[plan.key].cast(pl.String).to_list()
    group = holdout.draw_groups(plan.campaign, keys, (scores["action"] != LEAVE).to_numpy(), plan.holdout)
    score, gain, message = _predict_gain(scorer, units, plan)
    if plan.is_randomized:
        for name in holdout.CONTACTED:
            rows = np.flatnonzero(group == name)
            assigned = holdout.draw_messages(plan.campaign, [keys[row] for row in rows], len(plan.messages))
            message[rows] = np.array(plan.messages, dtype=object)[assigned]
    message[~np.isin(group, holdout.CONTACTED)] = plan.no_contact
    decided = pl.DataFrame(
        {"group": group.tolist(), "message": message.tolist(), "score": score, "gain": gain},
        schema={"group": pl.String, "message": pl.String, "score": pl.Float64, "gain": pl.Float64},
    )
    sizes = {name: int((group == name).sum()) for name in holdout.GROUPS if name != "none"}
    return _join_columns(units, scores, decided, scorer), sizes


def _join_columns(units: pl.DataFrame, scores: pl.DataFrame, decided: pl.DataFrame, scorer: Scorer) -> pl.DataFrame:
    """All columns that a list can have; of equal names the decided one, then the score's, then the input's; features apart."""
    features = units.select(pl.col(f.name).alias(f"feature:{f.name}") for f in scorer.bundle.serving.features)
    scores = scores.drop(decided.columns, strict=False)
    rest = units.drop([*decided.columns, *scores.columns], strict=False)
    return pl.concat([scores, rest, decided, features], how="horizontal")


def _predict_gain(scorer: Scorer, units: pl.DataFrame, plan: CampaignPlan) -> tuple[F64, F64, NDArray[np.object_]]:
    """Of each customer: the predicted response (for uplift: without a message), the gain of a contact, the best message."""
    scores = scorer.score(units)
    if plan.is_uplift:
        offer = message_policy(scorer.bundle.serving)
        gain, best = policy.rank_messages(scores, offer)
        if plan.is_randomized:
            outputs = [scorer.outputs.index(message) for message in plan.messages]
            gain = policy.expected_gain(scores, offer)[:, outputs].mean(axis=1)
        return scores[:, 0], gain, np.array(scorer.outputs, dtype=object)[best]
    money, p = contact_policy(plan.contract.money), scores[:, 0]
    assert money is not None
    return p, money.value * p - money.cost, np.full(len(p), CONTACT, dtype=object)
