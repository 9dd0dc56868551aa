"""Evidence for the gate: candidate and champion on the same test rows, or why they cannot be compared."""

from __future__ import annotations

from typing import assert_never

import numpy as np
import polars as pl

from perennial.config.gate import GateParams
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns, find_changed_features
from perennial.contract.tasks import Binary, Clustering, Multiclass, Regression, Uplift
from perennial.data.prepare.parts import LabelledRows, label_rows, select_part
from perennial.data.prepare.split import is_trained_on
from perennial.errors import DataStopped
from perennial.evaluation.decisions import policy
from perennial.evaluation.decisions.money import contact_policy, message_policy
from perennial.evaluation.decisions.profit import contacted, profit_difference, threshold
from perennial.evaluation.decisions.segments import agreement, label_retention
from perennial.evaluation.statistics import randomization
from perennial.evaluation.statistics.paired import PairedComparison
from perennial.evaluation.statistics.slices import compare_slices
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.gate import LEVEL, Evidence, SegmentationEvidence
from perennial.results.figures import Interval
from perennial.scoring.scorer import Scorer
from perennial.scoring.split_half_stability import held_out_pairs


def gather_evidence(
    project: Project, name: str, contract: Contract, new: Scorer, old: Scorer | None, gate: GateParams
) -> Evidence | SegmentationEvidence:
    """Both models on the test rows of this project's outputs; the old one only where it can be compared on them."""
    units = read_table(project.output(name, "featurize") / "units.parquet")
    splits = read_table(project.output(name, "split") / "splits.parquet")
    if isinstance(contract.task, Clustering):
        frames = [select_part(units, splits, which, contract).frame for which in ("train", "val", "test")]
        return _segmentation(contract.task, units, (pl.concat(frames[:2]), frames[2]), new, old)
    val, test = (select_part(units, splits, which, contract) for which in ("val", "test"))
    comparison = comparison_of(contract, test, contract.task.primary, resamples=gate.bootstrap, seed=gate.seed)
    return compare_models(contract, new, old, (val, test), comparison, units)


def comparison_of(
    contract: Contract, test: LabelledRows, metric: str, *, resamples: int, seed: int
) -> PairedComparison:
    """Comparison of models on the rows of `test` by `metric`, weighted as they stand for the population; by arm if any."""
    arm = test.arm if contract.task.kind == "uplift" else None
    return PairedComparison(metric=metric, y=test.y, arm=arm, weight=test.uneven_weight, resamples=resamples, seed=seed)


def compare_models(
    contract: Contract,
    new: Scorer,
    old: Scorer | None,
    parts: tuple[LabelledRows, LabelledRows],
    comparison: PairedComparison,
    units: pl.DataFrame,
) -> Evidence:
    """Both models on val and test rows; of `units`, all rows there are, the randomization is checked."""
    val, test = parts
    p_new, problem = new.score(test.frame), _randomization_problem(contract, label_rows(units, contract))
    why_not = None if old is None else not_comparable(new, old, test.frame)
    if old is None or why_not is not None:
        return Evidence(
            comparison=comparison,
            minimum=contract.task.minimum,
            candidate=p_new,
            champion=None,
            not_comparable=why_not,
            randomization_problem=problem,
        )
    p_old = old.score(test.frame)
    return Evidence(
        comparison=comparison,
        minimum=contract.task.minimum,
        candidate=p_new,
        champion=p_old,
        randomization_problem=problem,
        profit=_profit(contract, new, old, val, test),
        slices=compare_slices(comparison, test.groups(contract.slices), p_new, p_old),
    )


def _segmentation(
    task: Clustering, units: pl.DataFrame, parts: tuple[pl.DataFrame, pl.DataFrame], new: Scorer, old: Scorer | None
) -> SegmentationEvidence:
    """Agreement of halves of train and val on test; labels of all customers, since nothing is predicted for them."""
    stability = agreement(held_out_pairs(new.bundle, *parts, len(new.outputs)))
    if old is None:
        return SegmentationEvidence(stability=stability, minimum=task.minimum)
    if (why_not := _other_question(new, old)) is not None:
        return SegmentationEvidence(stability=stability, minimum=task.minimum, not_comparable=why_not)
    before, now = (np.array(s.outputs)[s.score(units).argmax(axis=1)] for s in (old, new))
    return SegmentationEvidence(stability=stability, minimum=task.minimum, retention=label_retention(before, now))


def _randomization_problem(contract: Contract, rows: LabelledRows) -> str | None:
    """Of all rows: messages were assigned before they were split."""
    if contract.task.kind != "uplift":
        return None
    before = {column.name: rows.frame[column.name].to_numpy() for column in feature_columns(contract)}
    return randomization.find_problem(rows.arm, before, contract.shares)


def not_comparable(new: Scorer, old: Scorer, test: pl.DataFrame) -> str | None:
    """Why the champion cannot be compared with the candidate on these rows; None when it can."""
    if (why_not := _other_question(new, old)) is not None:
        return why_not
    if old.bundle.split.get("keys") != new.bundle.split.get("keys"):
        return "customers are identified by other columns than when the champion was made"
    try:
        n_trained_on = int(is_trained_on(test, old.bundle.split).sum())
    except DataStopped as error:
        return str(error)
    return f"the champion has trained on {n_trained_on} of these {test.height} test rows" if n_trained_on else None


def _other_question(new: Scorer, old: Scorer) -> str | None:
    """What makes two models answers to different questions; segments may have other names."""
    tasks = [scorer.bundle.serving.head.task for scorer in (old, new)]
    if tasks[0] != tasks[1] or (old.outputs != new.outputs and tasks[0] != "clustering"):
        return f"the task changed from {', '.join(old.outputs)} to {', '.join(new.outputs)}"
    if changed := find_changed_features(old.bundle.serving, new.bundle.serving):
        return f"the roles or recipes of {', '.join(changed[:5])} changed since the champion was made"
    return None


def _profit(contract: Contract, new: Scorer, old: Scorer, val: LabelledRows, test: LabelledRows) -> Interval | None:
    """What the candidate's list earns more than the champion's on the same test rows."""
    match contract.task:
        case Binary():
            money = contact_policy(contract.money)
            if money is None:
                return None
            lists = [
                contacted(
                    s.score(test.frame)[:, 0],
                    threshold(s.score(val.frame)[:, 0], money, val.weight),
                    money.budget_share,
                    test.weight,
                )
                for s in (new, old)
            ]
            return profit_difference(test.y, lists[0], lists[1], money, LEVEL, test.weight)
        case Multiclass() | Regression() | Clustering():
            return None
        case Uplift():
            offer, scores = message_policy(contract), [s.score(test.frame) for s in (new, old)]
            rewards = policy.rewards(test.y, test.arm, (scores[0] + scores[1]) / 2, offer)
            choices = [policy.choice(score, offer) for score in scores]
            return policy.worth(rewards, choices[0], choices[1], LEVEL) * (len(test) / 1000)
        case _:
            assert_never(contract.task)
