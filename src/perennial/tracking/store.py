"""A project in, its MLflow store out: a server when MLFLOW_TRACKING_URI names one, else SQLite in .perennial/."""

from __future__ import annotations

import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial.files.durable import write_text
from perennial.files.locks import file_lock
from perennial.files.project import Project

_MIGRATED = "migrated"


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where runs and models are kept; `artifacts` takes files of new experiments, None leaves that to the server."""

    uri: str
    artifacts: str | None

    @property
    def client(self) -> Any:
        quiet()
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def experiment(self, name: str) -> str:
        """The id of the experiment, created when there is none."""
        client = self.client
        found = client.get_experiment_by_name(name)
        return str(found.experiment_id if found else client.create_experiment(name, artifact_location=self.artifacts))


def address(project: Project) -> str:
    """The tracking address, told without importing MLflow."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{_folder(project) / 'mlflow.db'}"


def exists(project: Project) -> bool:
    """Whether the local store was created; a shared one is taken to exist."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) or (_folder(project) / _MIGRATED).exists()


def open_store(project: Project) -> Store:
    """The store, its database created first if need be, by one process at a time."""
    uri = address(project)
    if not uri.startswith("sqlite:///") or os.environ.get("MLFLOW_TRACKING_URI"):
        return Store(uri=uri, artifacts=None)
    folder = _folder(project)
    with file_lock(folder / "create.lock", what="the MLflow database", wait_s=120):
        if not (folder / _MIGRATED).exists():
            _create(uri, folder)
    return Store(uri=uri, artifacts=(folder / "artifacts").as_uri())


def quiet() -> None:
    """Settings that must stand before MLflow does anything: no telemetry, no progress bars, no chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _folder(project: Project) -> Path:
    return project.services / "mlflow"


def _create(uri: str, folder: Path) -> None:
    """Two processes that open a fresh database at once break it for good, so it is migrated here, under the lock."""
    quiet()
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine_with_retry

    quiet()  # importing sets MLflow's own levels
    _initialize_tables(create_sqlalchemy_engine_with_retry(uri))
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as connection:
        connection.execute("pragma journal_mode=wal")
    write_text(folder / _MIGRATED, uri)
