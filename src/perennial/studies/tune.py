"""Tuning: search better params for the deep and the traditional family, and write them as a diff of params.yaml.

Both have the same budget, in turn. A trial is the real stage in a scratch project, judged by its loss on val, never
test. A deep trial is stopped early when the curve that train appends to on disk falls behind.
"""

from __future__ import annotations

import difflib
import hashlib
import logging
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perennial.config.base import read_use_cases
from perennial.config.edit import edit_params
from perennial.contract.load import load
from perennial.contract.serving import feature_columns
from perennial.errors import ConfigError, PerennialError
from perennial.files.durable import json_bytes, write_json, write_text
from perennial.files.locks import file_lock
from perennial.files.manifest import verify
from perennial.files.project import Project
from perennial.results.baseline import BaselineSummary
from perennial.results.families import Family
from perennial.results.study import Group, Params, Tuning, TuningGroup
from perennial.results.summary import read_summary
from perennial.results.train import TrainSummary
from perennial.studies import scratch_project
from perennial.studies.scratch_project import DATA_STAGES, Overlay, trial_folder
from perennial.studies.search import Range, Study, connect_storage
from perennial.tracking.store import open_store
from perennial.tracking.trials import show_trials

if TYPE_CHECKING:
    from perennial.studies.search import RDBStorage, Trial

log = logging.getLogger("perennial")
_MIN_GAIN = 0.001  # relative: a smaller gain is no reason to change params.yaml
_POLL_S, _HEARTBEAT_S = 0.2, 30.0
_BAD_PARAMS = 2  # exit code of a stage whose params do not work, such as a learning rate that diverges
_BOOSTED = ("leaves", "min_rows", "features", "l2")  # these stand in a block of their own


@dataclass(frozen=True, kw_only=True)
class FamilySearch:
    """What is searched for a group: the family, the stage that fits it, and the ranges of its params."""

    group: Group
    stage: Literal["train", "baseline"]
    family: Family
    space: Mapping[str, Range]

    def to_section(self, params: Params) -> dict[str, int | float | Params]:
        """The values of the stage's section of params.yaml."""
        boosted = {name: value for name, value in params.items() if name in _BOOSTED}
        others = {name: value for name, value in params.items() if name not in boosted}
        return {**others, "boosted": boosted} if boosted else {**others}

    def read_val_loss(self, scratch: Project, name: str) -> float:
        if self.stage == "train":
            return read_summary(scratch, name, TrainSummary).families[self.family].val_loss
        return read_summary(scratch, name, BaselineSummary).families[self.family].val_loss


_DEEP = FamilySearch(
    group="deep",
    stage="train",
    family="deep",
    space={
        "learning_rate": Range(low=1e-4, high=2e-2, log=True),
        "width": Range(low=16, high=256, log=True, is_integer=True),
        "blocks": Range(low=0, high=4, is_integer=True),
        "dropout": Range(low=0, high=0.5),
        "weight_decay": Range(low=1e-5, high=0.3, log=True),
        "swap_noise": Range(low=0, high=0.3),
        "batch_size": Range(low=32, high=1024, log=True, is_integer=True),
    },
)
_BOOSTED_TREES = FamilySearch(
    group="traditional",
    stage="baseline",
    family="boosted",
    space={
        "learning_rate": Range(low=0.01, high=0.3, log=True),
        "leaves": Range(low=3, high=128, log=True, is_integer=True),
        "min_rows": Range(low=5, high=200, log=True, is_integer=True),
        "features": Range(low=0.3, high=1),
        "l2": Range(low=0, high=20),
    },
)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What each group may spend: trials or minutes."""

    trials: int | None = None
    minutes: float | None = None

    def left(self, study: Study) -> float:
        if self.trials is not None:
            return self.trials - study.n_spent
        assert self.minutes is not None
        return self.minutes - study.minutes


def tune_params(project: Project, name: str, budget: Budget, storage: str | None = None) -> Tuning:
    """What each group found, and the diff of params.yaml; both are also written to .perennial/NAME/.

    Raises: ConfigError for a task without an outcome or an invalid address; PerennialError when a stage is broken.
    """
    contract = load(project.contract(name))
    if contract.target is None:
        raise ConfigError(f"{name} has no outcome, so no loss to tune by: its segments are chosen by halves that agree")
    searches = [_DEEP, _BOOSTED_TREES]
    if any(column.kind == "image" for column in feature_columns(contract)):
        log.warning("the traditional families have no params to tune on pictures: only the deep one is tuned")
        searches = [_DEEP]
    state = project.state(name)
    with file_lock(trial_folder(project, name) / "tune.lock", what=f"the tuning of {name}"):
        database = connect_storage(storage or f"sqlite:///{state / 'tune.db'}")
        try:
            tuner = _Tuner(project=project, name=name)
            studies = {search.group: tuner.open_study(database, search) for search in searches}
            tuner.spend(searches, studies, budget)
            tuning = tuner.summarize(searches, studies)
        finally:
            database.remove_session()
            database.engine.dispose()
    write_json(state / "tune.json", tuning.model_dump(mode="json"))
    write_text(state / "tune.diff", tuning.diff)
    return tuning


@dataclass(frozen=True, kw_only=True)
class _Tuner:
    """The trials of one use case: a scratch project for the data, and one for each group that all its trials use."""

    project: Project
    name: str

    @cached_property
    def base(self) -> Project:
        scratch = scratch_project.create_base(self.project, self.name, self._root / "base", {})
        scratch_project.run_stages(scratch, self.name, "augment")
        return scratch

    @cached_property
    def block(self) -> dict[str, dict[str, object]]:
        """The current params."""
        block: dict[str, dict[str, object]] = read_use_cases(self.project.root / "params.yaml")[self.name]
        return block

    def open_study(self, database: RDBStorage, search: FamilySearch) -> Study:
        """Its title holds a digest of data, contract and params, so that losses on others are never mixed with these."""
        digests = [verify(self.base.output(self.name, stage)) for stage in ("featurize", "split", "augment")]
        contract, section = load(self.base.contract(self.name)).model_dump(mode="json"), self.block[search.stage]
        key = hashlib.sha256(json_bytes([digests, contract, section])).hexdigest()[:8]
        title = f"{self.name}/{search.group}/{key}"
        study = Study.open(database, title, self.project.root, int(str(section["seed"])), search.space)
        if requeued := study.requeue_killed():
            log.info("%s: %d trials that were killed are tried again", search.group, requeued)
        return study

    def spend(self, searches: list[FamilySearch], studies: Mapping[Group, Study], budget: Budget) -> None:
        """Always try the group with more budget left, so that both get the same whenever this is stopped."""
        is_shown = True
        while True:
            search = max(searches, key=lambda search: budget.left(studies[search.group]))  # of equals the first
            study = studies[search.group]
            if budget.left(study) <= 0:
                break
            self._run_trial(search, study)
            is_shown = is_shown and self._show_trials(study)

    def summarize(self, searches: list[FamilySearch], studies: Mapping[Group, Study]) -> Tuning:
        changes: dict[str, dict[str, int | float | Params]] = {}
        for search in searches:
            best, current_loss = studies[search.group].best, studies[search.group].current_loss
            if best is not None and best.params is not None and _is_gain(current_loss, best.val_loss):
                values, current = search.to_section(best.params), self.block[search.stage]
                changes[search.stage] = {key: value for key, value in values.items() if current.get(key) != value}
        old = (self.project.root / "params.yaml").read_text(encoding="utf-8")
        before, after = (text.splitlines(keepends=True) for text in (old, edit_params(old, self.name, changes)))
        diff = "".join(difflib.unified_diff(before, after, "a/params.yaml", "b/params.yaml"))
        groups = {group: _summarize_group(study) for group, study in studies.items()}
        return Tuning(groups=groups, changes=changes, diff=diff)

    def _run_trial(self, search: FamilySearch, study: Study) -> None:
        """One trial, to its end or until it falls behind.

        Raises: PerennialError when the stage fails for another reason than its params.
        """
        trial, params = study.ask()
        scratch = self._open_scratch(search)
        overlay: Overlay = {} if params is None else {search.stage: search.to_section(params)}
        scratch_project.write_params(self.project, scratch, self.name, overlay)
        curve = scratch.state(self.name) / "curves.csv"
        curve.unlink(missing_ok=True)
        log.info("%s trial %d: %s", search.group, trial.number, params or "the current params")
        with scratch_project.start_stage(scratch, self.name, search.stage) as process:
            is_competitive = watch_stage(process, study, trial, curve)
        if not is_competitive:
            study.finish(trial, state="pruned")
            log.info("pruned")
        elif process.returncode == _BAD_PARAMS and params is not None:
            study.finish(trial, state="fail")
            log.warning("%s", scratch_project.read_last_line(scratch, search.stage))
        elif process.returncode:
            raise PerennialError(f"tuning in {scratch.root}: {scratch_project.read_last_line(scratch, search.stage)}")
        else:
            val_loss = search.read_val_loss(scratch, self.name)
            study.finish(trial, val_loss)
            log.info("val loss %.4f", val_loss)

    def _open_scratch(self, search: FamilySearch) -> Project:
        scratch = Project(root=self._root / search.group)
        if not scratch.contract(self.name).exists():
            scratch_project.create_scratch_project(self.project, self.name, scratch.root, {})
            scratch_project.link_outputs(self.base, scratch, self.name, *DATA_STAGES, "split", "augment")
        return scratch

    def _show_trials(self, study: Study) -> bool:
        """Whether the tracker took the trials; the search goes on without it, and the next one shows them."""
        try:
            show_trials(open_store(self.project), self.name, study.title, study.ended)
        except PerennialError as error:
            log.warning("%s; the tuning goes on", error)
            return False
        return True

    @property
    def _root(self) -> Path:
        return trial_folder(self.project, self.name) / "tune"


def _summarize_group(study: Study) -> TuningGroup:
    states = [trial.state for trial in study.ended]
    return TuningGroup(
        study=study.title,
        trials=study.n_spent,
        complete=states.count("complete"),
        pruned=states.count("pruned"),
        failed=states.count("fail"),
        minutes=study.minutes,
        current_val_loss=study.current_loss,
        best=study.best,
    )


def watch_stage(process: subprocess.Popen[bytes], study: Study, trial: Trial, curve: Path) -> bool:
    """Wait for a stage and report each epoch's loss on val; False, and the stage stopped, when it falls behind."""
    n_reported, waited_s = 0, 0.0
    while True:
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            waited_s += _POLL_S
        has_ended = process.returncode is not None
        losses = _read_val_losses(curve)
        for epoch, loss in enumerate(losses[n_reported:], n_reported + 1):
            trial.report(loss, epoch)
            if trial.should_prune():
                process.terminate()
                process.wait()
                return False
        n_reported = len(losses)
        if has_ended:
            return True
        if waited_s >= _HEARTBEAT_S:
            study.record_heartbeat(trial)
            waited_s = 0.0


def _read_val_losses(curve: Path) -> list[float]:
    """Loss on val after each epoch, as far as train has written whole lines."""
    if not curve.exists():
        return []
    lines = curve.read_text().split("\n")[1:-1]
    return [float(line.split(",")[2]) for line in lines]


def _is_gain(current: float | None, best: float) -> bool:
    return current is None or current - best >= _MIN_GAIN * abs(current)
