"""Evidence for the gate: candidate and champion on the same test rows, or why they cannot be compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from perennial.config.gate import GateParams
from perennial.contract.model import Contract
from perennial.contract.serving import find_changed_features
from perennial.contract.tasks import Clustering
from perennial.data.prepare.parts import LabelledRows, label_rows, select_part
from perennial.data.prepare.split import is_trained_on
from perennial.errors import DataStopped
from perennial.evaluation.decisions.segments import measure_agreement, measure_retention
from perennial.evaluation.statistics.slices import compare_slices
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.gate import LEVEL, Evidence, SegmentationEvidence
from perennial.scoring.scorer import Scorer
from perennial.scoring.split_half_stability import label_by_halves
from perennial.tasks.lookup import supervised_task


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
    return compare_models(contract, new, old, (val, test), units, resamples=gate.bootstrap, seed=gate.seed)


def compare_models(
    contract: Contract,
    new: Scorer,
    old: Scorer | None,
    parts: tuple[LabelledRows, LabelledRows],
    units: pl.DataFrame,
    *,
    resamples: int,
    seed: int,
) -> Evidence:
    """Both models on val and test rows; of `units`, all rows there are, the randomization is checked."""
    (val, test), task = parts, supervised_task(contract.task.kind)
    comparison = task.compare(contract, test, contract.task.primary, resamples=resamples, seed=seed)
    why_not = None if old is None else not_comparable(new, old, test.frame)
    evidence = Evidence(
        comparison=comparison,
        minimum=contract.task.minimum,
        candidate=new.score(test.frame),
        champion=None,
        not_comparable=why_not,
        randomization_problem=task.find_problem(contract, label_rows(units, contract)),
    )
    if old is None or why_not is not None:
        return evidence
    champion = old.score(test.frame)
    return replace(
        evidence,
        champion=champion,
        profit=task.compare_profit(contract, val, test, new.score, old.score, LEVEL),
        slices=compare_slices(comparison, test.groups(contract.slices), evidence.candidate, champion),
    )


def _segmentation(
    task: Clustering, units: pl.DataFrame, parts: tuple[pl.DataFrame, pl.DataFrame], new: Scorer, old: Scorer | None
) -> SegmentationEvidence:
    """Agreement of halves of train and val on test; labels of all customers, since nothing is predicted for them."""
    why_not = None if old is None else _other_question(new, old)
    retention = None
    if old is not None and why_not is None:
        before, now = (np.array(s.outputs)[s.score(units).argmax(axis=1)] for s in (old, new))
        retention = measure_retention(before, now)
    return SegmentationEvidence(
        stability=measure_agreement(label_by_halves(new.bundle, *parts, len(new.outputs))),
        minimum=task.minimum,
        not_comparable=why_not,
        retention=retention,
    )


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
