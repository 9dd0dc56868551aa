"""Environment of a project: the two addresses by which the plain tools of MLflow and Prefect find what is its own."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from perennial.files.project import Project
from perennial.tracking.servers import find_server_url
from perennial.tracking.store import open_store, tracking_uri


@dataclass(frozen=True, kw_only=True)
class Environment:
    """`prefect_api_url` is None while no Prefect server of this project is up."""

    mlflow_tracking_uri: str
    prefect_api_url: str | None

    @property
    def advice(self) -> str:
        """What a person should know besides; empty where all is well."""
        if self.prefect_api_url:
            return ""
        return "no Prefect server of this project is up, so PREFECT_API_URL is left out: perennial ui starts one"

    @property
    def exports(self) -> str:
        """The line that a shell evaluates."""
        values = {"MLFLOW_TRACKING_URI": self.mlflow_tracking_uri, "PREFECT_API_URL": self.prefect_api_url}
        return "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items() if value)


def read_environment(project: Project) -> Environment:
    """The addresses now; MLflow's database is created where there was none, so that MLflow does not create it elsewhere."""
    open_store(project)
    url = find_server_url(project)
    return Environment(mlflow_tracking_uri=tracking_uri(project), prefect_api_url=f"{url}/api" if url else None)
