"""Search: Optuna proposes the params of each trial, and its storage remembers every one. The only Optuna code.

Trials are asked for and finished one by one. What a trial tries depends on the seed and the trials before it, so a
search that is resumed gives the same trials as one that was never interrupted.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perennial.errors import ConfigError, ServiceError
from perennial.results.study import BestTrial, Params, TuningTrial

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna import Trial as Trial
    from optuna.storages import RDBStorage as RDBStorage
    from optuna.trial import FrozenTrial

_CURRENT, _KILLED, _OWNER, _HEARTBEAT = "as_is", "killed", "owner", "seen"  # attributes in the storage
_SILENT_S = 600.0  # a trial of another machine without a heartbeat for so long is dead
_STARTUP_TRIALS, _WARM_UP_EPOCHS = 5, 3  # trials before any is pruned, epochs before one may be


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number to search: an integer or not, on a log scale or not."""

    low: float
    high: float
    log: bool = False
    is_integer: bool = False


def connect_storage(url: str) -> RDBStorage:
    """The database that several machines may share; errors show its address without the password.

    Raises: ConfigError without Optuna or the database's driver, or for an invalid address; ServiceError when the
    database does not answer.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError("perennial tune needs Optuna: pip install 'perennial-ml[tune]'") from None
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in ("alembic", "optuna"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        raise ConfigError("--storage is not a database address, such as postgresql://USER@HOST/NAME") from None
    try:
        return optuna.storages.RDBStorage(url)
    except ImportError:
        raise ConfigError(f"{shown} needs the driver of its database, for PostgreSQL: pip install psycopg2") from None
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ServiceError(f"{shown} does not answer ({type(error).__name__})") from None


@dataclass(frozen=True, kw_only=True)
class Study:
    """The search of one group of families under one title."""

    title: str
    seed: int
    space: Mapping[str, Range]
    owner: str
    inner: OptunaStudy
    storage: RDBStorage

    @classmethod
    def open(cls, storage: RDBStorage, title: str, root: Path, seed: int, space: Mapping[str, Range]) -> Study:
        """The study of this title, new or as it was left; the first trial has the current params."""
        import optuna

        pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTUP_TRIALS, n_warmup_steps=_WARM_UP_EPOCHS + 1)
        inner = optuna.create_study(storage=storage, study_name=title, pruner=pruner, load_if_exists=True)
        if not inner.get_trials(deepcopy=False):
            inner.enqueue_trial({}, user_attrs={_CURRENT: True})
        return cls(title=title, seed=seed, space=space, owner=f"{socket.gethostname()}:{root}", inner=inner, storage=storage)

    def requeue_killed(self) -> int:
        """Fail the trials whose process is gone and queue them again; the caller holds the project's lock."""
        from optuna.trial import TrialState

        study_id = self.storage.get_study_id_from_name(self.title)
        dead = [t for t in self._trials if t.state is TrialState.RUNNING and self._is_dead(t)]
        for trial in dead:
            trial_id = self.storage.get_trial_id_from_study_id_trial_number(study_id, trial.number)
            self.storage.set_trial_user_attr(trial_id, _KILLED, True)
            self.inner.tell(trial.number, state=TrialState.FAIL)
            is_current = trial.user_attrs.get(_CURRENT, False)
            self.inner.enqueue_trial(trial.params, user_attrs={_CURRENT: True} if is_current else None)
        return len(dead)

    def ask(self) -> tuple[Trial, Params | None]:
        """A trial and what it tries, rounded to three digits; None for the current params."""
        import optuna

        self.inner.sampler = optuna.samplers.TPESampler(seed=(1000 * self.seed + self.n_spent) % 2**32)
        trial = self.inner.ask()
        trial.set_user_attr(_OWNER, self.owner)
        self.record_heartbeat(trial)
        if trial.user_attrs.get(_CURRENT):
            return trial, None
        for name, of in self.space.items():
            if of.is_integer:
                trial.suggest_int(name, int(of.low), int(of.high), log=of.log)
            else:
                trial.suggest_float(name, of.low, of.high, log=of.log)
        return trial, _round_params(trial.params)

    def record_heartbeat(self, trial: Trial) -> None:
        """Note that the process of a trial is alive."""
        trial.set_user_attr(_HEARTBEAT, time.time())

    def finish(
        self, trial: Trial, loss: float | None = None, *, state: Literal["complete", "pruned", "fail"] = "complete"
    ) -> None:
        """End a trial, unless another machine took this one for dead and has ended it already."""
        from optuna.trial import TrialState

        self.inner.tell(trial, loss, state=TrialState[state.upper()], skip_if_finished=True)

    @property
    def n_spent(self) -> int:
        """Trials that count: all but those that were killed and wait again."""
        from optuna.trial import TrialState

        return sum(t.state is not TrialState.WAITING and _KILLED not in t.user_attrs for t in self._trials)

    @property
    def minutes(self) -> float:
        """How long the trials took that have ended, on all machines together."""
        times = [t.duration.total_seconds() for t in self._trials if t.duration and _KILLED not in t.user_attrs]
        return sum(times) / 60

    @property
    def best(self) -> BestTrial | None:
        """The trial with the lowest loss, the earlier of equals; None where none was finished."""
        finished = [trial for trial in self._trials if trial.value is not None and trial.state.name == "COMPLETE"]
        if not finished:
            return None
        best = min(finished, key=lambda trial: trial.value or 0.0)
        params = None if best.user_attrs.get(_CURRENT) else _round_params(best.params)
        return BestTrial(number=best.number, val_loss=best.value, params=params)

    @property
    def current_loss(self) -> float | None:
        """The loss of the current params."""
        return next((t.value for t in self._trials if t.user_attrs.get(_CURRENT) and t.value is not None), None)

    @property
    def ended(self) -> list[TuningTrial]:
        """Every trial that has ended, in the order of their numbers."""
        return [
            TuningTrial(
                number=t.number,
                state="killed" if _KILLED in t.user_attrs else t.state.name.lower(),
                params=_round_params(t.params),
                val_loss=t.value if t.state.name == "COMPLETE" else None,
                curve=tuple(sorted(t.intermediate_values.items())),
            )
            for t in self._trials
            if t.state.is_finished()
        ]

    @property
    def _trials(self) -> list[FrozenTrial]:
        return self.inner.get_trials(deepcopy=False)

    def _is_dead(self, trial: FrozenTrial) -> bool:
        started = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
        silent_s = time.time() - float(trial.user_attrs.get(_HEARTBEAT, started))
        return trial.user_attrs.get(_OWNER) == self.owner or silent_s > _SILENT_S


def _round_params(params: Mapping[str, Any]) -> Params:  # Optuna types a value as anything
    """Three digits are enough, and what is tried is what stands in the diff."""
    return {name: value if isinstance(value, int) else float(f"{value:.3g}") for name, value in params.items()}
