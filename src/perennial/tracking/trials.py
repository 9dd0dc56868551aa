"""Trials of a tuning in MLflow: a run for the study and a nested one for each trial, logged once by study and number."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from perennial.errors import ServiceError
from perennial.results.study import TuningTrial
from perennial.tracking.store import Store, silence_mlflow

_STUDY, _TRIAL, _PARENT = "perennial.study", "perennial.trial", "mlflow.parentRunId"
_MAX_RUNS = 10_000


def show_trials(store: Store, use_case: str, study: str, trials: Sequence[TuningTrial]) -> None:
    """A run for the study and, under it, one for each trial that has none yet.

    Raises: ServiceError when the tracker does not answer.
    """
    silence_mlflow()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # trials wait for this
    from mlflow.exceptions import MlflowException

    try:
        _log_study(store, use_case, study, trials)
    except (MlflowException, OSError) as error:
        raise ServiceError(f"the tracker at {store.uri.partition('@')[2] or store.uri} does not answer") from error


def _log_study(store: Store, use_case: str, study: str, trials: Sequence[TuningTrial]) -> None:
    client, experiment = store.client, store.experiment(use_case)
    runs = client.search_runs([experiment], f"tags.`{_STUDY}` = '{study}'", max_results=_MAX_RUNS)
    logged = {run.data.tags[_TRIAL] for run in runs if _TRIAL in run.data.tags}
    parents = [run.info.run_id for run in runs if _TRIAL not in run.data.tags]
    parent = parents[0] if parents else _create_run(client, experiment, f"tune {study}", {_STUDY: study})
    for trial in trials:
        if str(trial.number) not in logged:
            tags = {_STUDY: study, _TRIAL: str(trial.number), _PARENT: parent}
            _log_trial(client, _create_run(client, experiment, f"trial {trial.number}", tags), trial)
    losses = [trial.val_loss for trial in trials if trial.val_loss is not None]
    if losses:
        client.log_metric(parent, "best_val_loss", min(losses), step=len(trials))
    client.set_terminated(parent, "FINISHED")


# MLflow's client has no type hints, so it is Any here.
def _create_run(client: Any, experiment: str, title: str, tags: Mapping[str, str]) -> str:
    return str(client.create_run(experiment, run_name=title, tags=tags).info.run_id)


def _log_trial(client: Any, run: str, trial: TuningTrial) -> None:
    from mlflow.entities import Metric, Param, RunTag

    metrics = [Metric("val_loss_of_epoch", value, 0, step) for step, value in trial.curve]
    metrics += [] if trial.val_loss is None else [Metric("val_loss", trial.val_loss, 0, 0)]
    params = [Param(key, f"{value:g}") for key, value in trial.params.items()]
    client.log_batch(run, metrics=metrics, params=params, tags=[RunTag("perennial.state", trial.state)])
    client.set_terminated(run, "FINISHED" if trial.state == "complete" else "KILLED")
