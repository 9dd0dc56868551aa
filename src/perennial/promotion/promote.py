"""`perennial promote NAME`: the candidate against the champion on the same rows; a record, then the alias."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, assert_never

import numpy as np
import polars as pl

from perennial.config.base import read_section
from perennial.config.gate import GateParams
from perennial.contract.load import load
from perennial.contract.model import Contract
from perennial.contract.serving import feature_columns, find_changed_features
from perennial.contract.tasks import Binary, Clustering, Multiclass, Regression, Uplift
from perennial.data.prepare.parts import LabelledRows, label_rows, select_part
from perennial.data.prepare.split import is_trained_on
from perennial.errors import DataStopped, Refused
from perennial.evaluation.decisions import policy, segments
from perennial.evaluation.decisions.money import money_of, offer_of
from perennial.evaluation.decisions.profit import contacted, profit_difference, target
from perennial.evaluation.statistics import randomization as lottery
from perennial.evaluation.statistics.intervals import Interval
from perennial.evaluation.statistics.paired import Judge
from perennial.evaluation.statistics.slices import by_slice
from perennial.files.locks import file_lock
from perennial.files.project import Project
from perennial.files.tables import read_table
from perennial.promotion.gate import LEVEL, Decision, Evidence, Rule, Segmentation, anew, decide
from perennial.scoring import split_half_stability as halves
from perennial.scoring.scorer import Scorer
from perennial.tracking import registry
from perennial.tracking.store import Store, open_store

log = logging.getLogger("perennial")


def promote(project: Project, name: str, number: str | None = None, *, why: str | None = None) -> dict[str, Any]:
    """The decision record. A candidate that was judged against this champion before is not judged again.

    With `why`, a person's reason (--override-incomparable), what cannot be held against the champion is judged as a first model.

    Raises: Refused when no version is registered, or anew is asked of what can be compared.
    """
    contract, store = load(project.contract(name)), open_store(project)
    gate = read_section(project.root / "params.yaml", name, "gate", GateParams)
    with file_lock(project.state(name) / "decide.lock", what=f"a decision on {name}", wait_s=60):
        champion = registry.champion(store, name)
        candidate = registry.version(store, name, number) if number else registry.by_alias(store, name, "challenger")
        candidate = candidate or champion
        if candidate is None:
            raise Refused(f"{name} has no registered version: perennial register {name}")
        if why is None and (known := _judged(store, name, candidate, champion)) is not None:
            return known
        if number is None and (gone := _rolled_back(store, name, candidate)) is not None:
            decision = Decision(verdict="HOLD", rules=(Rule(name="rolled back", words=gone, state="holds"),))
        else:
            decision = _decided(project, name, contract, registry.scorer(store, candidate), store, champion, gate, why)
        record = registry.append_decision(store, name, _record(name, candidate, champion, decision))
        if decision.verdict == "PROMOTE":
            registry.crown(store, name, candidate.number)
    log.info("%s version %s: %s", name, candidate.number, decision.verdict)
    return record


def _decided(
    project: Project, name: str, contract: Contract, new: Scorer, store: Store, champion: registry.Version | None,
    gate: GateParams, why: str | None,
) -> Decision:  # fmt: skip
    """What the gate says; a model in use that an older version of this package made cannot be held against."""
    old, gone = None, None
    try:
        old = registry.scorer(store, champion) if champion else None
    except Refused as error:
        gone = f"the model in use cannot be read any more ({error})"
    found = evidence(project, name, contract, new, old, gate)
    if gone is not None:
        found = replace(found, not_comparable=gone)
    if why is None:
        return decide(found)
    if (decision := anew(found, why)) is None:
        raise Refused("the model in use can be held against this one, so it decides: leave --override-incomparable out")
    return decision


def _judged(
    store: Store, name: str, candidate: registry.Version, champion: registry.Version | None
) -> dict[str, Any] | None:
    """The record that stands: the newest on this candidate, if nothing about the two has changed since.

    A record that says PROMOTE without the alias (killed between the two) is carried out now.
    """
    records = reversed(registry.decisions(store, name))
    record: dict[str, Any] | None = next((r for r in records if concerns(r, candidate.digest)), None)
    if record is None or record["verdict"] == "ROLLBACK":
        return record if record is not None and record["digest"] == candidate.digest else None
    if champion is not None and champion.digest == candidate.digest:
        return record
    against = (record["champion"] or {}).get("digest")
    if against != (champion.digest if champion else None):
        return None
    if record["verdict"] == "PROMOTE":
        registry.crown(store, name, candidate.number)
    return record


def _rolled_back(store: Store, name: str, candidate: registry.Version) -> str | None:
    """Why a person took this version out of use, if that was the last word on it: no nightly run puts it back."""
    last = next((r for r in reversed(registry.decisions(store, name)) if concerns(r, candidate.digest)), None)
    if last is None or last["verdict"] != "ROLLBACK" or last["digest"] == candidate.digest:
        return None
    return f"this version was rolled back ({last['reasons'][0]}); promote it by hand with --version {candidate.number}"


def concerns(record: dict[str, Any], digest: str) -> bool:
    """Whether a decision was on this bundle, or took it out of use."""
    before = (record["champion"] or {}).get("digest")
    return bool(record["digest"] == digest or (record["verdict"] == "ROLLBACK" and before == digest))


def evidence(
    project: Project, name: str, contract: Contract, new: Scorer, old: Scorer | None, gate: GateParams
) -> Evidence | Segmentation:
    """Both models on the test rows of this project's outputs; the old one only where it may be held against them."""
    units = read_table(project.output(name, "featurize") / "units.parquet")
    splits = read_table(project.output(name, "split") / "splits.parquet")
    if isinstance(contract.task, Clustering):
        frames = [select_part(units, splits, which, contract).frame for which in ("train", "val", "test")]
        return _segmentation(contract.task, units, (pl.concat(frames[:2]), frames[2]), new, old)
    val, test = (select_part(units, splits, which, contract) for which in ("val", "test"))
    judge = judge_of(contract, test, contract.task.primary, resamples=gate.bootstrap, seed=gate.seed)
    return judged(contract, new, old, (val, test), judge, units)


def judge_of(contract: Contract, test: LabelledRows, metric: str, *, resamples: int, seed: int) -> Judge:
    """Judges scores of the rows of `test` by `metric`, weighed as they stand for the population; by arm if there are any."""
    arm = test.arm if contract.task.kind == "uplift" else None
    return Judge(metric=metric, y=test.y, arm=arm, weight=test.uneven_weight, resamples=resamples, seed=seed)


def judged(
    contract: Contract,
    new: Scorer,
    old: Scorer | None,
    parts: tuple[LabelledRows, LabelledRows],
    judge: Judge,
    units: pl.DataFrame,
) -> Evidence:
    """Both models on val and test rows by one judge; of `units`, all rows there are, the lottery is tested."""
    val, test = parts
    p_new, unfair = new.score(test.frame), _unfair(contract, label_rows(units, contract))
    why_not = None if old is None else not_comparable(new, old, test.frame)
    if old is None or why_not is not None:
        return Evidence(
            judge=judge,
            minimum=contract.task.minimum,
            candidate=p_new,
            champion=None,
            not_comparable=why_not,
            unfair=unfair,
        )
    p_old = old.score(test.frame)
    return Evidence(
        judge=judge,
        minimum=contract.task.minimum,
        candidate=p_new,
        champion=p_old,
        unfair=unfair,
        profit=_profit(contract, new, old, val, test),
        slices=by_slice(judge, test.groups(contract.slices), p_new, p_old),
    )


def _segmentation(
    task: Clustering, units: pl.DataFrame, parts: tuple[pl.DataFrame, pl.DataFrame], new: Scorer, old: Scorer | None
) -> Segmentation:
    """Agreement of halves of train and val on test; names of all customers, since nothing is foretold of them."""
    stability = segments.agreement(halves.reported(new.bundle, *parts, len(new.outputs)))
    if old is None:
        return Segmentation(stability=stability, minimum=task.minimum)
    if (why_not := _other_question(new, old)) is not None:
        return Segmentation(stability=stability, minimum=task.minimum, not_comparable=why_not)
    before, now = (np.array(s.outputs)[s.score(units).argmax(axis=1)] for s in (old, new))
    return Segmentation(stability=stability, minimum=task.minimum, kept=segments.kept(before, now))


def _unfair(contract: Contract, rows: LabelledRows) -> str | None:
    """Of all rows: the lottery was drawn before they were split."""
    if contract.task.kind != "uplift":
        return None
    before = {column.name: rows.frame[column.name].to_numpy() for column in feature_columns(contract)}
    return lottery.unfair(rows.arm, before, contract.shares)


def not_comparable(new: Scorer, old: Scorer, test: pl.DataFrame) -> str | None:
    """Why the champion cannot be held against the candidate on these rows; None when it can."""
    if (why_not := _other_question(new, old)) is not None:
        return why_not
    if old.bundle.split.get("keys") != new.bundle.split.get("keys"):
        return "customers are told apart by other columns than when the model in use was made"
    try:
        seen = int(is_trained_on(test, old.bundle.split).sum())
    except DataStopped as error:
        return str(error)
    return f"the model in use has trained on {seen} of these {test.height} test rows" if seen else None


def _other_question(new: Scorer, old: Scorer) -> str | None:
    """What makes two models answers to different questions; segments may have other names."""
    tasks = [scorer.bundle.serving.head.task for scorer in (old, new)]
    if tasks[0] != tasks[1] or (old.outputs != new.outputs and tasks[0] != "clustering"):
        return f"the task changed from {', '.join(old.outputs)} to {', '.join(new.outputs)}"
    if changed := find_changed_features(old.bundle.serving, new.bundle.serving):
        return f"the roles or recipes of {', '.join(changed[:5])} changed since the model in use was made"
    return None


def _profit(contract: Contract, new: Scorer, old: Scorer, val: LabelledRows, test: LabelledRows) -> Interval | None:
    """What the candidate's list earns more than the champion's on the same test rows."""
    match contract.task:
        case Binary():
            money = money_of(contract.money)
            if money is None:
                return None
            lists = [
                contacted(
                    s.score(test.frame)[:, 0],
                    target(s.score(val.frame)[:, 0], money, val.weight),
                    money.budget_share,
                    test.weight,
                )
                for s in (new, old)
            ]
            return profit_difference(test.y, lists[0], lists[1], money, LEVEL, test.weight)
        case Multiclass() | Regression() | Clustering():
            return None
        case Uplift():
            offer, scores = offer_of(contract), [s.score(test.frame) for s in (new, old)]
            rewards = policy.rewards(test.y, test.arm, (scores[0] + scores[1]) / 2, offer)
            choices = [policy.choice(score, offer) for score in scores]
            return policy.worth(rewards, choices[0], choices[1], LEVEL) * (len(test) / 1000)
        case _:
            assert_never(contract.task)


def _record(
    name: str, candidate: registry.Version, champion: registry.Version | None, decision: Decision
) -> dict[str, Any]:
    return {
        "use_case": name,
        "verdict": decision.verdict,
        "version": candidate.number,
        "family": candidate.family,
        "digest": candidate.digest,
        "champion": _named(champion),
        "reasons": [rule.words for rule in decision.reasons],
        "rules": [_plain(rule) for rule in decision.rules],
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    }


def _plain(rule: Rule) -> dict[str, Any]:
    return {key: float(value) if isinstance(value, np.floating) else value for key, value in asdict(rule).items()}


def _named(version: registry.Version | None) -> dict[str, str] | None:
    return {"version": version.number, "digest": version.digest, "family": version.family} if version else None
