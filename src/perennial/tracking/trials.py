"""The trials of a study in, nested MLflow runs that show them out. Keyed by study and number: shown once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perennial.errors import ServiceError
from perennial.tracking.store import Store, quiet

_STUDY, _TRIAL, _PARENT = "perennial.study", "perennial.trial", "mlflow.parentRunId"
_MOST = 10_000  # runs of a study that are looked at


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A trial that has ended: its loss on val (None where it was stopped), and the loss after each epoch."""

    number: int
    state: str
    params: Mapping[str, str]
    loss: float | None
    curve: Sequence[tuple[int, float]]


def show_trials(store: Store, use_case: str, study: str, trials: Sequence[Tried]) -> None:
    """A run for the study and, under it, one for each trial that has none yet.

    Raises: ServiceError when the tracker does not answer.
    """
    quiet()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # trials wait for this
    from mlflow.exceptions import MlflowException

    try:
        _show(store, use_case, study, trials)
    except (MlflowException, OSError) as error:
        raise ServiceError(f"the tracker at {store.uri.partition('@')[2] or store.uri} does not answer") from error


def _show(store: Store, use_case: str, study: str, trials: Sequence[Tried]) -> None:
    client, experiment = store.client, store.experiment(use_case)
    runs = client.search_runs([experiment], f"tags.`{_STUDY}` = '{study}'", max_results=_MOST)
    shown = {run.data.tags[_TRIAL] for run in runs if _TRIAL in run.data.tags}
    parents = [run.info.run_id for run in runs if _TRIAL not in run.data.tags]
    parent = parents[0] if parents else _begun(client, experiment, f"tune {study}", {_STUDY: study})
    for trial in trials:
        if str(trial.number) not in shown:
            tags = {_STUDY: study, _TRIAL: str(trial.number), _PARENT: parent}
            _log(client, _begun(client, experiment, f"trial {trial.number}", tags), trial)
    losses = [trial.loss for trial in trials if trial.loss is not None]
    if losses:
        client.log_metric(parent, "best_val_loss", min(losses), step=len(trials))
    client.set_terminated(parent, "FINISHED")


def _begun(client: Any, experiment: str, title: str, tags: Mapping[str, str]) -> str:
    return str(client.create_run(experiment, run_name=title, tags=tags).info.run_id)


def _log(client: Any, run: str, trial: Tried) -> None:
    from mlflow.entities import Metric, Param, RunTag

    metrics = [Metric("val_loss_of_epoch", value, 0, step) for step, value in trial.curve]
    metrics += [] if trial.loss is None else [Metric("val_loss", trial.loss, 0, 0)]
    params = [Param(key, value) for key, value in trial.params.items()]
    client.log_batch(run, metrics=metrics, params=params, tags=[RunTag("perennial.state", trial.state)])
    client.set_terminated(run, "FINISHED" if trial.state == "complete" else "KILLED")
