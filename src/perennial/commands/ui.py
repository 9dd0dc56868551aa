"""`perennial ui`: MLflow and Prefect over what the runs left, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import NoReturn

from perennial.errors import ConfigError, ServiceError
from perennial.files.project import Project
from perennial.tracking import servers as server
from perennial.tracking.store import Store, open_store, quiet

_LOOK_S, _GRACE_S = 0.5, 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=5000, help="of MLflow, on 127.0.0.1")


def main(args: argparse.Namespace) -> NoReturn:
    """What was started here ends here; a Prefect server that was up before stays up."""
    project = Project.here()
    if not server.is_free(args.port):
        raise ConfigError(f"port {args.port} is taken: end what listens there, or choose another with --port")
    store = open_store(project)
    quiet()
    for signum in (signal.SIGTERM, signal.SIGHUP):  # else MLflow, in its own session, would outlive this process
        signal.signal(signum, lambda signum, _: sys.exit(128 + signum))
    was_up = server.is_up(project)
    with ExitStack() as at_end:
        if not was_up:
            at_end.callback(server.stop, project)
        stays = "was up before: `perennial stop` ends it" if was_up else "Ctrl-C ends it"
        url = server.ensure(project)
        mlflow = _mlflow(store, args.port)
        at_end.callback(_end, mlflow)
        print(f"Prefect  {url}   ({stays})\nMLflow   http://127.0.0.1:{args.port}   (Ctrl-C ends it)", flush=True)  # noqa: T201
        _watch(mlflow, project)


def _mlflow(store: Store, port: int) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches this process only, which ends it in order."""
    words = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", store.uri]
    where = [] if store.artifacts is None else ["--default-artifact-root", store.artifacts]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words, *where], env=environment, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _watch(mlflow: subprocess.Popen[bytes], project: Project) -> NoReturn:
    """Until one of the two is gone.

    Raises: ServiceError saying which.
    """
    is_ours = server.is_up(project)
    while True:
        if mlflow.poll() is not None:
            raise ServiceError(f"MLflow ended with exit code {mlflow.returncode}; what it said stands above")
        if is_ours and not server.is_up(project):
            raise ServiceError("the Prefect server ended; its log: .perennial/prefect/server.log")
        time.sleep(_LOOK_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole session, by SIGTERM, and by SIGKILL what is left of it."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signum)
            process.wait(_GRACE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
