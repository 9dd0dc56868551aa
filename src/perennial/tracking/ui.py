"""Web interfaces: MLflow and Prefect over what the runs left, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn

from perennial.errors import ConfigError, ServiceError
from perennial.files.project import Project
from perennial.tracking import servers as server
from perennial.tracking.store import IN_ML_MODE, Store, open_store, silence_mlflow

_POLL_S, _GRACE_S = 0.5, 10.0


def run_ui(project: Project, port: int, show: Callable[[str], None]) -> NoReturn:
    """Serve until one of the two ends; what was started here ends here, a Prefect server that was up before stays up.

    Raises: ConfigError for a port that is taken; ServiceError when a server ends.
    """
    if not server.is_port_free(port):
        raise ConfigError(f"port {port} is taken: end what listens there, or choose another with --port")
    store = open_store(project)
    silence_mlflow()
    for signum in (signal.SIGTERM, signal.SIGHUP):  # else MLflow, in its own session, would outlive this process
        signal.signal(signum, lambda signum, _: sys.exit(128 + signum))
    was_up = server.is_server_up(project)
    with ExitStack() as at_end:
        if not was_up:
            at_end.callback(server.stop_server, project)
        url = server.ensure_server(project)
        mlflow = _start_mlflow(store, port)
        at_end.callback(_end_session, mlflow)
        how_to_end = "was up before: `perennial stop` ends it" if was_up else "Ctrl-C ends it"
        at_end.enter_context(server.hold_server(project))
        show(f"Prefect  {url}   ({how_to_end})\nMLflow   http://127.0.0.1:{port}   (Ctrl-C ends it)")
        for experiment in store.client.search_experiments(filter_string="name != 'Default'"):
            address = f"http://127.0.0.1:{port}/#/experiments/{experiment.experiment_id}?{IN_ML_MODE}"
            show(f"  {experiment.name}: {address}")
        show('In another shell, for the commands of mlflow and prefect: eval "$(perennial env)"')
        _watch_servers(mlflow, project)


def _start_mlflow(store: Store, port: int) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches this process only, which ends it in order."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    artifacts = [] if store.artifacts is None else ["--default-artifact-root", store.artifacts]
    return subprocess.Popen(
        [*command, "--backend-store-uri", store.uri, *artifacts],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    )


def _watch_servers(mlflow: subprocess.Popen[bytes], project: Project) -> NoReturn:
    """Raises: ServiceError as soon as one of the two has ended, saying which."""
    is_ours = server.is_server_up(project)
    while True:
        if mlflow.poll() is not None:
            raise ServiceError(f"MLflow ended with exit code {mlflow.returncode}; see its output above")
        if is_ours and not server.is_server_up(project):
            raise ServiceError("the Prefect server ended; its log: .perennial/prefect/server.log")
        time.sleep(_POLL_S)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """The whole session, by SIGTERM, and by SIGKILL what is left of it."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signum)
            process.wait(_GRACE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
