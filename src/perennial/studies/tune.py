"""`perennial tune NAME --trials N | --minutes M`: a search in, a diff of params.yaml out. A side run.

The deep and the traditional family have the same budget in turn. A trial is the real stage in a room of its own; what
counts is its loss on val, never test. The curve that train appends to on disk says when a deep trial is not worth more.
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
from typing import Any

from perennial.config.base import read_use_cases
from perennial.config.edit import edit_params
from perennial.contract.load import load
from perennial.contract.serving import feature_columns
from perennial.errors import ConfigError, PerennialError
from perennial.files.durable import json_bytes, read_json, write_json, write_text
from perennial.files.locks import file_lock
from perennial.files.manifest import verify
from perennial.files.project import Project
from perennial.studies import trial_runs as side
from perennial.studies.search import Params, Range, Study, connect
from perennial.tracking.store import open_store
from perennial.tracking.trials import show_trials

_LEAST = 0.001  # of the loss, from which less of it is a gain
log = logging.getLogger("perennial")
_LOOK_S, _SAY_S = 0.2, 30.0  # between looks at a curve, and between signs of life to other machines
_BAD_PARAMS = 2  # how a stage ends whose params do not work, such as a rate at which the weights run away


@dataclass(frozen=True, kw_only=True)
class Group:
    """What is searched for a family: the stage that fits it, and the ranges of its params."""

    name: str
    stage: str
    family: str
    space: Mapping[str, Range]

    def section(self, params: Params) -> dict[str, Any]:
        """The values of the stage's section; the trees' own stand in a block."""
        own = {name: value for name, value in params.items() if name in _OF_TREES}
        rest = {name: value for name, value in params.items() if name not in own}
        return {**rest, "boosted": own} if own else rest


_OF_TREES = ("leaves", "min_rows", "features", "l2")
_DEEP = Group(
    name="deep", stage="train", family="deep",
    space={
        "learning_rate": Range(low=1e-4, high=2e-2, log=True), "width": Range(low=16, high=256, log=True, whole=True),
        "blocks": Range(low=0, high=4, whole=True), "dropout": Range(low=0, high=0.5),
        "weight_decay": Range(low=1e-5, high=0.3, log=True), "swap_noise": Range(low=0, high=0.3),
        "batch_size": Range(low=32, high=1024, log=True, whole=True),
    },
)  # fmt: skip
_TREES = Group(
    name="traditional", stage="baseline", family="boosted",
    space={
        "learning_rate": Range(low=0.01, high=0.3, log=True), "leaves": Range(low=3, high=128, log=True, whole=True),
        "min_rows": Range(low=5, high=200, log=True, whole=True), "features": Range(low=0.3, high=1),
        "l2": Range(low=0, high=20),
    },
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What each group may spend: trials or minutes."""

    trials: int | None = None
    minutes: float | None = None

    def left(self, study: Study) -> float:
        if self.trials is not None:
            return self.trials - study.spent
        assert self.minutes is not None
        return self.minutes - study.minutes


def tune(project: Project, name: str, budget: Budget, storage: str | None = None) -> dict[str, Any]:
    """What each group found, and the diff of params.yaml, which stays in .perennial/NAME/tune.diff.

    Raises: ConfigError for a task without an outcome or an address that is none; PerennialError when a stage is broken.
    """
    contract = load(project.contract(name))
    if contract.target is None:
        raise ConfigError(f"{name} has no outcome, so no loss to tune by: its segments are chosen by halves that agree")
    groups = [_DEEP, _TREES]
    if any(column.kind == "image" for column in feature_columns(contract)):
        log.warning("of pictures the traditional families have no params to tune: only the deep one is")
        groups = [_DEEP]
    room = project.state(name)
    with file_lock(room / "side" / "tune.lock", what=f"the tuning of {name}"):
        database = connect(storage or f"sqlite:///{room / 'tune.db'}")
        try:
            search = _Search(project=project, name=name)
            studies = {group.name: search.study(database, group) for group in groups}
            search.spend(groups, studies, budget)
            found = search.result(groups, studies)
        finally:
            database.remove_session()
            database.engine.dispose()
    write_json(room / "tune.json", {key: value for key, value in found.items() if key != "diff"})
    write_text(room / "tune.diff", found["diff"])
    return found


@dataclass(frozen=True, kw_only=True)
class _Search:
    """The trials of one use case: a room for the data, and one for each group that every trial of it uses."""

    project: Project
    name: str

    @cached_property
    def base(self) -> Project:
        here = side.based(self.project, self.name, self._root / "base", {})
        side.carry_out(here, self.name, "augment")
        return here

    @cached_property
    def block(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = read_use_cases(self.project.root / "params.yaml")[self.name]
        return found

    def study(self, database: Any, group: Group) -> Study:
        """Its title names data, contract and params: losses of others are never mixed with these."""
        made = [verify(self.base.output(self.name, stage)) for stage in ("featurize", "split", "augment")]
        contract = load(self.base.contract(self.name)).model_dump(mode="json")
        key = hashlib.sha256(json_bytes([made, contract, self.block[group.stage]])).hexdigest()[:8]
        seed = int(self.block[group.stage]["seed"])
        study = Study.open(database, f"{self.name}/{group.name}/{key}", self.project.root, seed, group.space)
        if revived := study.revive():
            log.info("%s: %d trials that were killed are tried again", group.name, revived)
        return study

    def spend(self, groups: list[Group], studies: Mapping[str, Study], budget: Budget) -> None:
        """Trial by trial the group that has most left, so that both get the same wherever this is stopped."""
        is_shown = True
        while True:
            group = max(groups, key=lambda group: budget.left(studies[group.name]))  # of equals the first
            study = studies[group.name]
            if budget.left(study) <= 0:
                break
            self._try(group, study)
            is_shown = is_shown and self._show_runs(study)

    def result(self, groups: list[Group], studies: Mapping[str, Study]) -> dict[str, Any]:
        """Each group's figures; the values that differ from the block; and their diff."""
        told, changes = {}, {}
        for group in groups:
            study = studies[group.name]
            ended, best = study.ended, study.best
            states = {s: sum(tried.state == s for tried in ended) for s in ("complete", "pruned", "fail")}
            told[group.name] = {
                "study": study.title, "trials": study.spent, **states, "minutes": study.minutes, "as_is": study.as_is,
                "best": None if best is None else {"number": best.number, "val_loss": best.loss, "params": best.params},
            }  # fmt: skip
            if best is not None and best.params is not None and _is_gain(study.as_is, best.loss):
                values, now = group.section(best.params), self.block[group.stage]
                changes[group.stage] = {key: value for key, value in values.items() if now.get(key) != value}
        path = self.project.root / "params.yaml"
        old = path.read_text(encoding="utf-8")
        new = edit_params(old, self.name, changes)
        before, after = (text.splitlines(keepends=True) for text in (old, new))
        diff = "".join(difflib.unified_diff(before, after, "a/params.yaml", "b/params.yaml"))
        return {"groups": told, "changes": changes, "diff": diff}

    def _try(self, group: Group, study: Study) -> None:
        """One trial, to its end or until it is not worth more.

        Raises: PerennialError when the stage ends otherwise than by its params.
        """
        trial, params = study.ask()
        here = self._room(group)
        side.overlay(self.project, here, self.name, {} if params is None else {group.stage: group.section(params)})
        curve = here.state(self.name) / "curves.csv"
        curve.unlink(missing_ok=True)
        log.info("%s trial %d: %s", group.name, trial.number, params or "the block as it is")
        with side.begin(here, self.name, group.stage) as process:
            is_worth_it = _watched(process, study, trial, curve)
        if not is_worth_it:
            study.pruned(trial)
            log.info("pruned")
        elif process.returncode == _BAD_PARAMS and params is not None:
            study.failed(trial)
            log.warning("%s", side.last_words(here, group.stage))
        elif process.returncode:
            raise PerennialError(f"tuning in {here.root}: {side.last_words(here, group.stage)}")
        else:
            told = read_json(here.output(self.name, group.stage) / "summary.json")
            study.told(trial, told["families"][group.family]["val_loss"])
            log.info("val loss %.4f", told["families"][group.family]["val_loss"])

    def _room(self, group: Group) -> Project:
        here = Project(root=self._root / group.name)
        if not here.contract(self.name).exists():
            side.room(self.project, self.name, here.root, side.Side(title=group.name))
            side.link(self.base, here, self.name, *side.DATA, "split", "augment")
        return here

    def _show_runs(self, study: Study) -> bool:
        """Whether the tracker took the trials; without it the search goes on, and the next one shows them."""
        try:
            show_trials(open_store(self.project), self.name, study.title, study.ended)
        except PerennialError as error:
            log.warning("%s; the tuning goes on", error)
            return False
        return True

    @property
    def _root(self) -> Path:
        return self.project.state(self.name) / "side" / "tune"


def _watched(process: subprocess.Popen[bytes], study: Study, trial: Any, curve: Path) -> bool:
    """Wait for a stage and report each epoch's loss on val; False, and the stage stopped, when others did better."""
    reported, waited_s = 0, 0.0
    while True:
        try:
            process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            waited_s += _LOOK_S
        is_over = process.returncode is not None
        losses = _losses(curve)
        for epoch, loss in enumerate(losses[reported:], reported + 1):
            trial.report(loss, epoch)
            if trial.should_prune():
                process.terminate()
                process.wait()
                return False
        reported = len(losses)
        if is_over:
            return True
        if waited_s >= _SAY_S:
            study.heard_of(trial)
            waited_s = 0.0


def _losses(curve: Path) -> list[float]:
    """Loss on val after each epoch, as far as train has written whole lines."""
    if not curve.exists():
        return []
    lines = curve.read_text().split("\n")[1:-1]
    return [float(line.split(",")[2]) for line in lines]


def _is_gain(as_is: float | None, best: float) -> bool:
    """A thousandth part less, at least: a smaller one is no reason to change what is in use."""
    return as_is is None or as_is - best >= _LEAST * abs(as_is)
