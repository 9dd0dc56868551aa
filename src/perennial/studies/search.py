"""A storage and a family group in, trials of its params out: the only Optuna code. The storage is the truth.

Trials are asked for and told one by one. What a trial tries depends on the seed and the trials before it, so a search
that goes on later is the search that was never interrupted.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.errors import ConfigError, ServiceError
from perennial.tracking.trials import Tried

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna import Trial
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

_AS_IS, _KILLED, _OWNER, _SEEN = "as_is", "killed", "owner", "seen"
_SILENT_S = 600.0  # a trial of another machine that has not been heard of for so long is dead
_UNTRIED, _WARM_UP = 5, 3  # trials before any is pruned, epochs before one may be
Params = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Range:
    """A number to search: whole or not, on a log scale or not."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Best:
    """The trial with the lowest loss; `params` is None where that is the block as it is."""

    number: int
    loss: float
    params: Params | None


def connect(url: str) -> RDBStorage:
    """The database that several machines may share; its address is told without the password.

    Raises: ConfigError without Optuna or the database's driver, or for an address that is none; ServiceError when the
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
        raise ConfigError("--storage is no address of a database, such as postgresql://USER@HOST/NAME") from None
    try:
        return optuna.storages.RDBStorage(url)
    except ImportError:
        raise ConfigError(f"{shown} needs the driver of its database, for PostgreSQL: pip install psycopg2") from None
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ServiceError(f"{shown} does not answer ({type(error).__name__})") from None


@dataclass(frozen=True, kw_only=True)
class Study:
    """The search of one family group under one title."""

    title: str
    seed: int
    space: Mapping[str, Range]
    owner: str
    inner: OptunaStudy

    @classmethod
    def open(cls, storage: RDBStorage, title: str, root: Path, seed: int, space: Mapping[str, Range]) -> Study:
        """The study of this title, new or as it was left; the first trial is the block as it is."""
        import optuna

        pruner = optuna.pruners.MedianPruner(n_startup_trials=_UNTRIED, n_warmup_steps=_WARM_UP + 1)
        inner = optuna.create_study(storage=storage, study_name=title, pruner=pruner, load_if_exists=True)
        if not inner.get_trials(deepcopy=False):
            inner.enqueue_trial({}, user_attrs={_AS_IS: True})
        return cls(title=title, seed=seed, space=space, owner=f"{socket.gethostname()}:{root}", inner=inner)

    def revive(self) -> int:
        """Trials whose process is gone fail and wait to be tried again; the caller holds the project's lock."""
        from optuna.trial import TrialState

        dead = [t for t in self._trials if t.state is TrialState.RUNNING and self._is_dead(t)]
        for trial in dead:
            self.inner._storage.set_trial_user_attr(trial._trial_id, _KILLED, True)
            self.inner.tell(trial.number, state=TrialState.FAIL)
            is_as_is = trial.user_attrs.get(_AS_IS, False)
            self.inner.enqueue_trial(trial.params, user_attrs={_AS_IS: True} if is_as_is else None)
        return len(dead)

    def ask(self) -> tuple[Trial, Params | None]:
        """A trial and what it tries, rounded to three digits; None for the block as it is."""
        import optuna

        self.inner.sampler = optuna.samplers.TPESampler(seed=(1000 * self.seed + self.spent) % 2**32)
        trial = self.inner.ask()
        trial.set_user_attr(_OWNER, self.owner)
        self.heard_of(trial)
        if trial.user_attrs.get(_AS_IS):
            return trial, None
        for name, of in self.space.items():
            if of.whole:
                trial.suggest_int(name, int(of.low), int(of.high), log=of.log)
            else:
                trial.suggest_float(name, of.low, of.high, log=of.log)
        return trial, rounded(trial.params)

    def heard_of(self, trial: Trial) -> None:
        """Say that the process of a trial lives."""
        trial.set_user_attr(_SEEN, time.time())

    def told(self, trial: Trial, loss: float) -> None:
        """The end of a trial; another machine that took this one for dead may have told of it already."""
        self.inner.tell(trial, loss, skip_if_finished=True)

    def pruned(self, trial: Trial) -> None:
        from optuna.trial import TrialState

        self.inner.tell(trial, state=TrialState.PRUNED, skip_if_finished=True)

    def failed(self, trial: Trial) -> None:
        from optuna.trial import TrialState

        self.inner.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    @property
    def spent(self) -> int:
        """Trials that count: all but those that were killed and wait again."""
        from optuna.trial import TrialState

        return sum(t.state is not TrialState.WAITING and _KILLED not in t.user_attrs for t in self._trials)

    @property
    def minutes(self) -> float:
        """How long the trials took that have ended, on all machines together."""
        times = [t.duration.total_seconds() for t in self._trials if t.duration and _KILLED not in t.user_attrs]
        return sum(times) / 60

    @property
    def best(self) -> Best | None:
        """The trial with the lowest loss, the earlier of equals; None where none was finished."""
        done = [tried for tried in self.ended if tried.loss is not None]
        if not done:
            return None
        first = min(done, key=lambda tried: tried.loss or 0.0)
        trial = self._trials[first.number]
        assert trial.value is not None
        as_is = trial.user_attrs.get(_AS_IS)
        return Best(number=first.number, loss=trial.value, params=None if as_is else rounded(trial.params))

    @property
    def as_is(self) -> float | None:
        """The loss of the block as it is."""
        return next((t.value for t in self._trials if t.user_attrs.get(_AS_IS) and t.value is not None), None)

    @property
    def ended(self) -> Sequence[Tried]:
        """Every trial that has ended, in the order of their numbers."""
        return [
            Tried(
                number=t.number,
                state="killed" if _KILLED in t.user_attrs else t.state.name.lower(),
                params={name: f"{value:g}" for name, value in rounded(t.params).items()},
                loss=t.value if t.state.name == "COMPLETE" else None,
                curve=sorted(t.intermediate_values.items()),
            )
            for t in self._trials
            if t.state.is_finished()
        ]

    @property
    def _trials(self) -> list[FrozenTrial]:
        return self.inner.get_trials(deepcopy=False)

    def _is_dead(self, trial: FrozenTrial) -> bool:
        begun = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
        silent_s = time.time() - float(trial.user_attrs.get(_SEEN, begun))
        return trial.user_attrs.get(_OWNER) == self.owner or silent_s > _SILENT_S


def rounded(params: Mapping[str, Any]) -> dict[str, float]:
    """What is tried is what stands in the diff: three digits say enough."""
    return {name: value if isinstance(value, int) else float(f"{value:.3g}") for name, value in params.items()}
