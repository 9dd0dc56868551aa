"""MLflow store of a project: a server when MLFLOW_TRACKING_URI names one, else SQLite in .perennial/."""

from __future__ import annotations

import http.client
import logging
import os
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from perennial.errors import TrackerDown
from perennial.files.durable import write_text
from perennial.files.locks import file_lock
from perennial.files.project import Project

WEB_PORT = 5000
IN_ML_MODE = "workflowType=machine_learning"  # else a page opens among those for language models
_PROBE_S = 3.0
_ADDRESS = "MLFLOW_TRACKING_URI"
_MIGRATED = "migrated"
_KIND, _MODELS = "mlflow.experimentKind", "custom_model_development"  # else the UI opens in its mode for language models
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # of a server that went away after it had answered
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where runs and models lie; files of new experiments go to `artifacts`, or where the server puts them if None."""

    uri: str
    artifacts: str | None

    @property
    def client(self) -> Any:  # MLflow's client has no type hints
        """Raises: TrackerDown when a server is named and does not answer within seconds."""
        silence_mlflow()
        if self.uri.startswith(("http://", "https://")):
            _probe(self.uri)
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @contextmanager
    def as_default(self) -> Iterator[None]:
        """For a block MLflow's own address is this store's: it looks up `models:/…` by nothing else. Then it is what it was."""
        silence_mlflow()
        import mlflow

        before = os.environ.get(_ADDRESS)
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)
            if before is None:
                os.environ.pop(_ADDRESS, None)

    def experiment(self, name: str) -> str:
        """The id of the experiment, created when there is none."""
        client = self.client
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return str(client.create_experiment(name, artifact_location=self.artifacts, tags={_KIND: _MODELS}))
        if _KIND not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, _KIND, _MODELS)
        return str(experiment.experiment_id)


def tracking_uri(project: Project) -> str:
    """The tracking address, found without importing MLflow."""
    return os.environ.get(_ADDRESS) or _own_uri(_folder(project))


def web_address(project: Project) -> str | None:
    """Where MLflow's pages always are; None for a local store, which `perennial ui` shows on WEB_PORT while it runs."""
    uri = tracking_uri(project)
    return uri.rstrip("/") if uri.startswith(("http://", "https://")) else None


def store_exists(project: Project) -> bool:
    """Whether the local store was created; a shared one is assumed to exist."""
    folder = _folder(project)
    return tracking_uri(project) != _own_uri(folder) or (folder / _MIGRATED).exists()


def open_store(project: Project) -> Store:
    """The store; a missing database is created first, by one process at a time."""
    uri, folder = tracking_uri(project), _folder(project)
    if uri != _own_uri(folder):
        return Store(uri=uri, artifacts=None)
    with file_lock(folder / "create.lock", what="the MLflow database", wait_s=120):
        if not (folder / _MIGRATED).exists():
            _create_database(uri, folder)
    return Store(uri=uri, artifacts=(folder / "artifacts").as_uri())


def silence_mlflow() -> None:
    """No telemetry, progress bars or log lines; called before MLflow does anything."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _folder(project: Project) -> Path:
    return project.services / "mlflow"


@cache
def _probe(uri: str) -> None:
    """Ask once a process whether the server is there: MLflow itself would try for minutes."""
    address = urlsplit(uri)
    shown = f"{address.hostname}:{address.port}" if address.port else str(address.hostname)  # no user, no password
    public = address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()
    try:
        with urllib.request.urlopen(f"{public.rstrip('/')}/health", timeout=_PROBE_S):  # noqa: S310 - http, by the caller
            return
    except urllib.error.HTTPError:
        return  # it answers; whom it lets in is its own affair
    except (OSError, http.client.HTTPException) as error:
        reason = str(getattr(error, "reason", error))
        raise TrackerDown(
            f"the tracker at {shown} does not answer ({reason}): try later; `dvc repro` and training need none"
        ) from error


def _own_uri(folder: Path) -> str:
    """Also what `perennial env` exports: naming it again does not make it a shared one."""
    return f"sqlite:///{folder / 'mlflow.db'}"


def _create_database(uri: str, folder: Path) -> None:
    """Migrate it here, under the lock: two processes that open a fresh database at once break it for good."""
    silence_mlflow()
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine_with_retry

    silence_mlflow()  # importing sets MLflow's own levels
    _initialize_tables(create_sqlalchemy_engine_with_retry(uri))
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as connection:
        connection.execute("pragma journal_mode=wal")
    write_text(folder / _MIGRATED, uri)
